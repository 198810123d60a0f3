//! The server's RSA key: made at the first start, kept in the data folder.
//!
//! | file                 | mode | content                                                        |
//! |----------------------|------|----------------------------------------------------------------|
//! | `server_rsa.pem`     | 0600 | the private key; whoever has it can pose as this server        |
//! | `server_secret`      | 0600 | 32 random bytes that access hashes are derived from            |
//! | `server_rsa.pub.pem` | 0644 | the public key, PKCS#1 PEM: what clients are given             |
//!
//! Clients have the public key built in or configured, so a lost private key means that every client must
//! be given the new one. Files are written beside their place and renamed into it: a crash leaves the old
//! one, or none, never half of one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crypto::rsa::{self, PrivateKey, PublicKey};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Name of the private key's file.
pub const PRIVATE_FILE: &str = "server_rsa.pem";

/// What access hashes are derived from.
const SECRET_FILE: &str = "server_secret";

/// Name of the public key's file.
pub const PUBLIC_FILE: &str = "server_rsa.pub.pem";

/// The key of a server that is about to start.
pub struct ServerKey {
    /// What handshakes are decrypted with.
    pub private: PrivateKey,
    /// What clients name the key by.
    pub fingerprint: i64,
    /// What clients are given: PKCS#1 PEM.
    pub public_pem: String,
}

/// The public half, read for people.
#[derive(Clone, Debug)]
pub struct PublicKeyFile {
    /// Its file.
    pub path: PathBuf,
    /// The key.
    pub key: PublicKey,
}

/// Why there is no key. The operator has to act.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error("failed to {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could have copied the private key.
    #[error(
        "{} can be read by others (mode {mode:04o}): if nobody has copied it, run `chmod 600` on it; \
         if somebody may have, remove it, so that a new key is made, and give that to the clients",
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds no key that clients can use.
    #[error("{} holds no RSA key of 2048 bits in PEM: {source}", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rsa::Error,
    },
    /// The folder has no key yet.
    #[error(
        "there is no key in {} yet: start the server once with this folder (baudot serve --data …)",
        path.display()
    )]
    NotYet {
        /// The data folder.
        path: PathBuf,
    },
    /// The key could not be made. We are at fault.
    #[error("failed to make an RSA key: {0}")]
    Generate(rsa::Error),
}

/// Reads the key, or makes one where there is none. Creates the folder too, for its owner alone.
///
/// Blocks: reading is quick, making a key takes up to a few seconds.
///
/// # Errors
///
/// The folder or the files cannot be used; an existing key is never replaced.
pub fn load_or_create(data_dir: &Path, rng: &mut impl CryptoRng) -> Result<ServerKey, Error> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
    created.map_err(io_error("create", data_dir))?;
    let path = data_dir.join(PRIVATE_FILE);
    let private = match read_private(&path)? {
        Some(private) => private,
        None => {
            let private = PrivateKey::generate(rng).map_err(Error::Generate)?;
            let pem = private.to_pem().map_err(Error::Generate)?;
            write(&path, pem.as_bytes(), 0o600)?;
            private
        }
    };
    let public_pem = private.public_pem();
    // Whatever happened to the copy for clients: it follows the private key.
    let public_path = data_dir.join(PUBLIC_FILE);
    if fs::read(&public_path).is_ok_and(|present| present == public_pem.as_bytes()) {
        return Ok(ServerKey { fingerprint: private.fingerprint(), private, public_pem });
    }
    write(&public_path, public_pem.as_bytes(), 0o644)?;
    Ok(ServerKey { fingerprint: private.fingerprint(), private, public_pem })
}

/// Reads the public key of a server that has been started before.
///
/// # Errors
///
/// There is none, or it is no key.
pub fn public(data_dir: &Path) -> Result<PublicKeyFile, Error> {
    let path = data_dir.join(PUBLIC_FILE);
    let pem = fs::read_to_string(&path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => Error::NotYet { path: data_dir.to_owned() },
        _ => io_error("read", &path)(source),
    })?;
    match PublicKey::from_pem(&pem) {
        Ok(key) => Ok(PublicKeyFile { path, key }),
        Err(source) => Err(Error::NoKey { path, source }),
    }
}

/// The fingerprint as people compare it: 16 hexadecimal digits.
pub fn fingerprint_hex(fingerprint: i64) -> String {
    format!("{fingerprint:016x}")
}

/// Reads the secret that access hashes are derived from, or makes one where there is none.
///
/// Clients keep access hashes for years: with another secret they would have to find every user anew.
///
/// # Errors
///
/// The file cannot be used; an existing one is never replaced.
pub fn secret(data_dir: &Path, rng: &mut impl CryptoRng) -> Result<[u8; 32], Error> {
    let path = data_dir.join(SECRET_FILE);
    let mut secret = [0; 32];
    if let Some(mut file) = open_private(&path)? {
        file.read_exact(&mut secret).map_err(io_error("read", &path))?;
        return Ok(secret);
    }
    rng.fill_bytes(&mut secret);
    write(&path, &secret, 0o600)?;
    Ok(secret)
}

/// The private key, or `None` where there is no file.
fn read_private(path: &Path) -> Result<Option<PrivateKey>, Error> {
    let Some(mut file) = open_private(path)? else { return Ok(None) };
    let mut pem = Zeroizing::new(String::new());
    file.read_to_string(&mut pem).map_err(io_error("read", path))?;
    match PrivateKey::from_pem(&pem) {
        Ok(private) => Ok(Some(private)),
        Err(source) => Err(Error::NoKey { path: path.to_owned(), source }),
    }
}

/// Opens a file that nobody else may read; `None` where there is none.
fn open_private(path: &Path) -> Result<Option<File>, Error> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("open", path)(error)),
    };
    // Asked of the open file: nobody can put another in its place in between.
    let metadata = file.metadata().map_err(io_error("read", path))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(Error::Exposed { path: path.to_owned(), mode });
    }
    Ok(Some(file))
}

/// Puts `bytes` at `path`, whole and on disk, or leaves what was there.
fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let beside = path.with_extension("new");
    // What an interrupted start left would keep its own mode.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(io_error("remove", &beside)(error));
        }
        _ => {}
    }
    let options = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside);
    let mut file = options.map_err(io_error("create", &beside))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io_error("write", &beside))?;
    fs::rename(&beside, path).map_err(io_error("write", path))?;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    File::open(folder).and_then(|it| it.sync_all()).map_err(io_error("write", folder))
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn rng() -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(1)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    /// One key for the whole life of a folder. (One test: making a key takes a while.)
    #[test]
    fn life_of_a_key() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("deep/data");
        assert!(matches!(public(&data), Err(Error::NotYet { .. })));
        let first = load_or_create(&data, &mut rng()).unwrap();
        let (private, shown) = (data.join(PRIVATE_FILE), data.join(PUBLIC_FILE));
        assert_eq!((mode(&data), mode(&private)), (0o700, 0o600));
        assert_eq!(mode(&shown) & 0o600, 0o600);
        assert_eq!(fs::read_to_string(&shown).unwrap(), first.public_pem);
        assert!(first.public_pem.starts_with("-----BEGIN RSA PUBLIC KEY-----\n"));
        assert_ne!(fingerprint_hex(first.fingerprint).as_bytes()[0], b'0');
        assert_eq!(public(&data).unwrap().key.fingerprint(), first.fingerprint);

        // Started again, with the public file lost.
        fs::remove_file(&shown).unwrap();
        let again = load_or_create(&data, &mut rng()).unwrap();
        assert_eq!(again.fingerprint, first.fingerprint);
        assert_eq!(fs::read_to_string(&shown).unwrap(), first.public_pem);

        // What an interrupted start left is in nobody's way.
        fs::write(private.with_extension("new"), "half of a").unwrap();
        load_or_create(&data, &mut rng()).unwrap();

        for exposed in [0o640, 0o604, 0o666] {
            fs::set_permissions(&private, fs::Permissions::from_mode(exposed)).unwrap();
            let Err(error) = load_or_create(&data, &mut rng()) else { panic!("{exposed:o}") };
            let said = error.to_string();
            assert!(said.contains(&format!("mode {exposed:04o}")), "{said}");
            assert!(said.contains("chmod 600"), "{said}");
        }
    }

    /// A file that is no key stays where it is.
    #[test]
    fn no_key_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let private = dir.path().join(PRIVATE_FILE);
        write(&private, b"no key", 0o600).unwrap();
        let Err(error) = load_or_create(dir.path(), &mut rng()) else { panic!("it was taken") };
        assert!(matches!(error, Error::NoKey { .. }), "{error}");
        assert_eq!(fs::read(&private).unwrap(), b"no key");
    }
}
