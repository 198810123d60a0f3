//! A SeaweedFS of one's own: a master, two volume servers that each have all volumes (replication 001), a filer, and its
//! S3 gateway. On loopback, in a temporary folder, gone at the end, also after a panic.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use storage::blobs::s3::{Credentials, Objects, S3Options};
use tempfile::TempDir;

/// The program: `BAUDOT_WEED`, else `weed` of the path.
pub(crate) fn program() -> Option<PathBuf> {
    if let Some(path) = env::var_os("BAUDOT_WEED") {
        return Some(path.into());
    }
    let paths = env::var_os("PATH")?;
    env::split_paths(&paths).map(|folder| folder.join("weed")).find(|path| path.is_file())
}

/// A running store.
pub(crate) struct Seaweed {
    program: PathBuf,
    folder: TempDir,
    master: Port,
    volume_ports: [Port; 2],
    filer_port: Port,
    s3_port: Port,
    running: Vec<(String, Child)>,
}

/// A port for HTTP, and one for what its servers tell each other.
#[derive(Clone, Copy)]
struct Port {
    http: u16,
    grpc: u16,
}

impl Seaweed {
    /// The bucket that is there from the beginning.
    pub(crate) const BUCKET: &str = "files";

    /// Starts one, and waits until it takes objects.
    pub(crate) fn start(program: PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [a, b, c, d, e, f, g, h, i, j] = free_ports();
        let mut seaweed = Self {
            program,
            folder,
            master: Port { http: a, grpc: b },
            volume_ports: [Port { http: c, grpc: d }, Port { http: e, grpc: f }],
            filer_port: Port { http: g, grpc: h },
            s3_port: Port { http: i, grpc: j },
            running: Vec::new(),
        };
        seaweed.start_master();
        seaweed.start_volume(0);
        seaweed.start_volume(1);
        seaweed.start_filer();
        seaweed.make_bucket();
        seaweed.start_s3();
        let objects = Objects::connect_as(&seaweed.options(), &seaweed.credentials()).unwrap();
        seaweed.wait("take objects", || objects.probe().is_ok());
        seaweed
    }

    /// How to connect, with the patience of a test.
    pub(crate) fn options(&self) -> S3Options {
        S3Options {
            bucket: Self::BUCKET.into(),
            endpoint: Some(format!("http://127.0.0.1:{}", self.s3_port.http)),
            prefix: "some/where".into(),
            allow_http: true,
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_secs(4),
            retries: 4,
            ..S3Options::default()
        }
    }

    pub(crate) fn credentials(&self) -> Credentials {
        Credentials { key_id: "baudot".into(), secret: "not secret at all".into(), token: None }
    }

    fn start_master(&mut self) {
        let Port { http, grpc } = self.master;
        let mdir = self.subfolder("master");
        self.spawn(
            "master",
            &[
                "master".into(),
                format!("-port={http}"),
                format!("-port.grpc={grpc}"),
                format!("-mdir={}", mdir.display()),
                "-peers=none".into(),
                "-defaultReplication=001".into(),
                "-volumeSizeLimitMB=64".into(),
                "-telemetry=false".into(),
            ],
        );
        self.wait_for_port(http);
    }

    /// Starts a volume server, for the first time or again.
    pub(crate) fn start_volume(&mut self, number: usize) {
        let Port { http, grpc } = self.volume_ports[number];
        let name = format!("volume{number}");
        let dir = self.subfolder(&name);
        self.spawn(
            &name,
            &[
                "volume".into(),
                format!("-port={http}"),
                format!("-port.grpc={grpc}"),
                format!("-dir={}", dir.display()),
                format!("-master={}", self.master()),
                "-max=20".into(),
                "-rack=one".into(),
                "-dataCenter=one".into(),
                "-preStopSeconds=0".into(),
            ],
        );
        self.wait_for_port(http);
    }

    fn start_filer(&mut self) {
        let filer = self.filer_port;
        let store = self.subfolder("filer");
        self.spawn(
            "filer",
            &[
                "filer".into(),
                format!("-port={}", filer.http),
                format!("-port.grpc={}", filer.grpc),
                format!("-master={}", self.master()),
                format!("-defaultStoreDir={}", store.display()),
                format!("-localSocket={}", self.folder.path().join("filer.sock").display()),
            ],
        );
        self.wait_for_port(filer.http);
    }

    /// A process of its own: the one within the filer does not find the filer on other ports than it expects.
    fn start_s3(&mut self) {
        let (filer, s3) = (self.filer_port, self.s3_port);
        let config = self.folder.path().join("s3.json");
        let Credentials { key_id, secret, .. } = self.credentials();
        let rights = r#"["Admin","Read","Write","List"]"#;
        let keys = format!(r#"[{{"accessKey":"{key_id}","secretKey":"{secret}"}}]"#);
        let identity = format!(r#"{{"name":"test","credentials":{keys},"actions":{rights}}}"#);
        fs::write(&config, format!(r#"{{"identities":[{identity}]}}"#)).unwrap();
        self.spawn(
            "s3",
            &[
                "s3".into(),
                format!("-filer=127.0.0.1:{}.{}", filer.http, filer.grpc),
                format!("-port={}", s3.http),
                format!("-port.grpc={}", s3.grpc),
                "-port.iceberg=0".into(),
                "-port.lance=0".into(),
                format!("-config={}", config.display()),
                format!("-localSocket={}", self.folder.path().join("s3.sock").display()),
            ],
        );
        self.wait_for_port(s3.http);
    }

    /// A bucket is a folder of the filer.
    fn make_bucket(&self) {
        let request = format!(
            "POST /buckets/{}/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            Self::BUCKET
        );
        let post = || {
            let mut socket =
                TcpStream::connect((Ipv4Addr::LOCALHOST, self.filer_port.http)).ok()?;
            socket.write_all(request.as_bytes()).ok()?;
            let mut answer = String::new();
            socket.read_to_string(&mut answer).ok()?;
            answer.starts_with("HTTP/1.1 201").then_some(())
        };
        self.wait("make a bucket", || post().is_some());
    }

    /// `kill -9` to the server with this name: `master`, `volume0`, `volume1`, `filer` or `s3`.
    pub(crate) fn kill(&mut self, name: &str) {
        let index = self.running.iter().position(|(running, _)| running == name).expect("it runs");
        let (_, mut child) = self.running.swap_remove(index);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Lets the server with this name stand still, with its connections open.
    pub(crate) fn freeze(&mut self, name: &str) {
        let (_, child) = self.running.iter().find(|(running, _)| running == name).expect("it runs");
        let status = Command::new("kill").args(["-STOP", &child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    fn master(&self) -> String {
        format!("127.0.0.1:{}.{}", self.master.http, self.master.grpc)
    }

    fn subfolder(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn spawn(&mut self, name: &str, args: &[String]) {
        let log = fs::File::options().create(true).append(true).open(self.log(name)).unwrap();
        let child = Command::new(&self.program)
            .current_dir(self.folder.path())
            .args(args)
            .args((name != "s3").then_some("-ip=127.0.0.1"))
            .arg("-ip.bind=127.0.0.1")
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("weed can be started");
        self.running.push((name.into(), child));
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    fn wait_for_port(&self, port: u16) {
        let address = (Ipv4Addr::LOCALHOST, port);
        self.wait("listen", || TcpStream::connect(address).is_ok());
    }

    /// Waits until `done`, for half a minute.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, mut done: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < Duration::from_secs(30), "SeaweedFS does not {what}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Seaweed {
    fn drop(&mut self) {
        for (_, child) in &mut self.running {
            // It may have ended.
            let _ = child.kill();
            let _ = child.wait();
        }
        if thread::panicking() {
            for name in ["master", "volume0", "volume1", "filer", "s3"] {
                tell(name, &self.log(name));
            }
        }
    }
}

/// Shows the end of a log, for whoever looks at a failed test.
fn tell(name: &str, log: &Path) {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let end = lines[lines.len().saturating_sub(20)..].join("\n");
    let _ = writeln!(std::io::stderr(), "--- {name}\n{end}");
}

/// Ports that nobody listens on, below those that the system gives to outgoing connections.
fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let first = 20_000 + u16::try_from(std::process::id() % 600).unwrap() * 20;
    let mut free = (first..32_000).chain(20_000..first);
    let mut is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    std::array::from_fn(|_| free.find(&mut is_free).expect("some port is free"))
}
