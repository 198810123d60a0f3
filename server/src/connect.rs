//! What to paste to point a client at this server: one template a client, filled with address and key.
//!
//! Each is a whole program that logs in, says hello to itself and prints what arrives. Clients differ in
//! how they are told a key and an address that they do not have built in; the templates hide that.

use std::net::{IpAddr, SocketAddr};

use clap::ValueEnum;
use crypto::rsa::PublicKey;
use num_bigint::BigUint;

/// A client that is known to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Client {
    /// Python, asyncio; pip install telethon.
    Telethon,
    /// Python, asyncio; pip install pyrogram.
    Pyrogram,
    /// Python, asyncio; pyrogram's successor, pip install kurigram.
    Kurigram,
    /// JavaScript; npm install telegram.
    Gramjs,
    /// TypeScript and JavaScript; npm install @mtcute/node.
    Mtcute,
    /// The C++ library of many apps, through its JSON interface.
    Tdlib,
    /// Rust.
    Grammers,
}

/// The server that the client is pointed at.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// Where clients reach it.
    pub address: SocketAddr,
    /// The data centre it poses as.
    pub dc_id: i32,
    /// Its key.
    pub key: &'a PublicKey,
    /// An MTProxy secret it accepts, as text.
    pub proxy_secret: Option<String>,
}

impl Client {
    /// The names on the command line.
    pub const NAMES: [&'static str; 7] =
        ["telethon", "pyrogram", "kurigram", "gramjs", "mtcute", "tdlib", "grammers"];

    fn template(self) -> &'static str {
        match self {
            Self::Telethon => include_str!("connect/telethon.py"),
            Self::Pyrogram => include_str!("connect/pyrogram.py"),
            Self::Kurigram => include_str!("connect/kurigram.py"),
            Self::Gramjs => include_str!("connect/gramjs.js"),
            Self::Mtcute => include_str!("connect/mtcute.mjs"),
            Self::Tdlib => include_str!("connect/tdlib.py"),
            Self::Grammers => include_str!("connect/grammers.txt"),
        }
    }

    /// What a comment starts with in this client's language.
    fn comment(self) -> &'static str {
        match self {
            Self::Gramjs | Self::Mtcute => "// ",
            _ => "# ",
        }
    }
}

/// The code for `client`, ready to run.
pub fn snippet(client: Client, target: &Target<'_>) -> String {
    let Target { address, dc_id, key, proxy_secret } = target;
    if client == Client::Tdlib && proxy_secret.is_none() {
        return NO_SECRET.to_owned();
    }
    let pem = key.to_pem();
    let pem = pem.trim_end();
    let comment = client.comment();
    let commented: Vec<_> = pem.lines().map(|line| format!("{comment}{line}")).collect();
    let ipv6_flag = match address.ip() {
        IpAddr::V4(_) => "",
        IpAddr::V6(_) => ", ipv6: true",
    };
    let values = [
        ("@PEM@", format!("{pem}\n")),
        ("@PEM_COMMENT@", commented.join("\n")),
        ("@FINGERPRINT@", key.fingerprint().to_string()),
        ("@MODULUS@", hex::encode(key.n())),
        ("@MODULUS_DECIMAL@", BigUint::from_bytes_be(key.n()).to_string()),
        ("@ADDRESS@", address.to_string()),
        ("@IP@", address.ip().to_string()),
        ("@PORT@", address.port().to_string()),
        ("@DC@", dc_id.to_string()),
        ("@IPV6_FLAG@", ipv6_flag.to_owned()),
        ("@SECRET@", proxy_secret.clone().unwrap_or_default()),
    ];
    values
        .iter()
        .fold(client.template().to_owned(), |text, (name, value)| text.replace(name, value))
}

/// What stands in for TDLib's program where it could not work.
const NO_SECRET: &str = "\
# TDLib reaches a server at an address of one's own only as an MTProxy, and this server has no secret for
# one. Make one with `openssl rand -hex 16`, put it into the server's configuration, and restart it:
#
#     [mtproxy]
#     secrets = [\"0123456789abcdef0123456789abcdef\"]
#
# or start both commands with `--set mtproxy.secrets=SECRET`. Then run this command again.
";

#[cfg(test)]
mod tests {
    use super::*;

    /// A public key of no server.
    const PEM: &str = include_str!("connect/test_key.pem");

    fn check(client: Client, proxy_secret: Option<&str>, contained: &[&str]) {
        let key = PublicKey::from_pem(PEM).unwrap();
        let target = Target {
            address: "127.0.0.1:4430".parse().unwrap(),
            dc_id: 2,
            key: &key,
            proxy_secret: proxy_secret.map(str::to_owned),
        };
        let text = snippet(client, &target);
        let left = text.split(|c: char| !c.is_ascii_uppercase() && c != '@' && c != '_');
        let left: Vec<_> = left.filter(|it| it.len() > 2 && it.starts_with('@')).collect();
        assert!(left.is_empty(), "{client:?}: {left:?}");
        for part in contained {
            assert!(text.contains(part), "{client:?} lacks {part}:\n{text}");
        }
    }

    #[test]
    fn filled() {
        let key = PublicKey::from_pem(PEM).unwrap();
        let (fingerprint, modulus) = (key.fingerprint().to_string(), hex::encode(key.n()));
        let pem = PEM.trim_end();
        let numbers = [fingerprint.as_str(), modulus.as_str()];
        check(Client::Telethon, None, &[pem, "set_dc(2, \"127.0.0.1\", 4430)"]);
        check(Client::Pyrogram, None, &[numbers[0], numbers[1], "(\"127.0.0.1\", 4430)"]);
        check(Client::Kurigram, None, &[numbers[0], numbers[1], "return 4430"]);
        check(Client::Gramjs, None, &[numbers[0], numbers[1], "setDC(2, \"127.0.0.1\", 4430)"]);
        check(Client::Mtcute, None, &[pem, "{ id: 2, ipAddress: \"127.0.0.1\", port: 4430 }"]);
        check(Client::Tdlib, Some("dd00"), &[pem, "\"127.0.0.1\", 4430, \"dd00\""]);
        check(Client::Tdlib, None, &["[mtproxy]", "secrets ="]);
        // The modulus as others write it out; how it begins.
        let decimal = "239810482691386476960863369832962792410360221516254899218445";
        check(Client::Grammers, None, &[numbers[0], decimal, "\"127.0.0.1:4430\""]);
    }
}
