//! The program as an operator meets it: what it prints, writes, refuses, and how it stops.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use server::keyfile;

/// The program, with an environment that sets nothing.
fn baudot() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baudot"));
    command.env_clear().stdin(Stdio::null());
    command
}

/// Runs it to its end.
fn run(arguments: &[&str]) -> Output {
    baudot().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A server on a free port, killed when the test is over.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    greeting: Vec<String>,
    address: SocketAddr,
}

impl Running {
    fn start(data: &Path) -> Self {
        Self::logging_to(data, Stdio::piped())
    }

    fn logging_to(data: &Path, log: Stdio) -> Self {
        let mut command = baudot();
        command.args(["serve", "--listen", "127.0.0.1:0", "--engine", "memory", "--shards", "1"]);
        command.arg("--data").arg(data).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = Vec::new();
        // The last line of the greeting, where codes are logged.
        while !greeting.last().is_some_and(|line: &String| line.starts_with("Login codes")) {
            let mut line = String::new();
            if stdout.read_line(&mut line).unwrap() == 0 {
                let mut said = String::new();
                if let Some(mut log) = child.stderr.take() {
                    log.read_to_string(&mut said).unwrap();
                }
                panic!("the server ended: {greeting:?}\n{said}");
            }
            greeting.push(line.trim_end().to_owned());
        }
        let address = greeting[0].strip_prefix("Baudot listens on ").unwrap();
        let address = address.trim_end_matches('.').parse().unwrap();
        Self { child, stdout, greeting, address }
    }

    /// Asks it to end; returns its exit code and what it had still to say on standard error.
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        let asked = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(asked.unwrap().success());
        let mut log = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut log).unwrap();
        }
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "nothing follows the greeting");
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first start makes the key and says where it is; SIGTERM and Ctrl-C end it with success; the second
/// start has the same key.
#[test]
fn starts_greets_and_stops() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut fingerprints = Vec::new();
    for signal in ["-TERM", "-INT"] {
        let server = Running::start(&data);
        TcpStream::connect(server.address).unwrap();
        let public = keyfile::public(&data).unwrap();
        let fingerprint = keyfile::fingerprint_hex(public.key.fingerprint());
        let expected = [
            format!("Baudot listens on {}.", server.address),
            format!("Key {fingerprint}, for clients: {}", public.path.display()),
        ];
        assert_eq!(server.greeting[..2], expected);
        assert!(server.greeting[2].starts_with("To connect a client: baudot connect telethon|"));
        fingerprints.push(fingerprint);

        let private = data.join(keyfile::PRIVATE_FILE);
        let mode = std::fs::metadata(private).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let (code, log) = server.stop(signal);
        assert_eq!(code, Some(0), "{log}");
        // Not on a terminal: one JSON object a line.
        for line in log.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|_| panic!("{line}"));
        }
        assert!(log.contains(r#""message":"stopped""#), "{log}");
    }
    assert_eq!(fingerprints[0], fingerprints[1]);
}

/// Where its log goes may be full, as the disk is, or gone: it runs on and says nothing.
#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let (reader, gone) = std::io::pipe().unwrap();
    drop(reader);
    for log in [Stdio::from(full), Stdio::from(gone)] {
        let server = Running::logging_to(&dir.path().join("data"), log);
        TcpStream::connect(server.address).unwrap();
        // "stopping" and "stopped" are logged on the way.
        let (code, _) = server.stop("-TERM");
        assert_eq!(code, Some(0));
    }
}

/// What is printed for a client is filled in; before there is a key, it says what to do.
#[test]
fn connect() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let early = run(&["connect", "telethon", "--data", data]);
    assert_eq!(early.status.code(), Some(1));
    assert!(text(&early.stderr).contains("start the server once"), "{}", text(&early.stderr));

    let server = Running::start(dir.path());
    let listen = server.address.to_string();
    let done = run(&["connect", "telethon", "--data", data, "--listen", &listen]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let program = text(&done.stdout);
    let pem = std::fs::read_to_string(dir.path().join(keyfile::PUBLIC_FILE)).unwrap();
    assert!(program.contains(pem.trim_end()), "{program}");
    let place = format!("set_dc(2, \"127.0.0.1\", {})", server.address.port());
    assert!(program.contains(&place), "{program}");
}

/// A wrong configuration is told whole, and nothing has been created.
#[test]
fn refuses_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    let (file, data) = (dir.path().join("baudot.toml"), dir.path().join("data"));
    std::fs::write(&file, format!("data = {data:?}\nshards = 0\nlisen = 'x'\n")).unwrap();
    let file = file.to_str().unwrap();
    for command in ["serve", "check-config"] {
        let output = run(&[command, "--config", file]);
        assert_eq!(output.status.code(), Some(1));
        let expected = format!(
            "baudot: {file}: unknown key lisen, did you mean listen?\n\
             baudot: {file}: shards = 0: allowed is a whole number from 1 to 256\n"
        );
        assert_eq!(text(&output.stderr), expected);
        assert_eq!(text(&output.stdout), "");
        assert!(!data.exists());
    }
}

/// Beyond loopback codes that anyone could guess need an explicit word.
#[test]
fn refuses_guessable_codes_beyond_loopback() {
    let reach = ["--listen", "0.0.0.0:0", "--advertise", "192.0.2.1"];
    let check = |more: &[&str]| run(&[&["check-config"][..], &reach, more].concat());
    let cases = [
        (&["--set", "codes.test_numbers=true"][..], Some("anyone can guess")),
        (&["--set", "codes.test_numbers=true", "--allow-insecure-codes"], None),
        (&[], Some("no login code could reach anyone")),
        (&["--set", "codes.log=true"], None),
    ];
    for (more, refused) in cases {
        let output = check(more);
        let said = text(&output.stderr);
        assert_eq!(output.status.success(), refused.is_none(), "{more:?}: {said}");
        assert!(said.contains(refused.unwrap_or_default()), "{more:?}: {said}");
    }
}

/// Every setting is shown with its origin, secrets are not.
#[test]
fn check_config_explains() {
    let mut command = baudot();
    command.args(["check-config", "--shards", "3", "--engine", "memory"]);
    command.env("BAUDOT_CODES_WEBHOOK_URL", "http://127.0.0.1:1/");
    command.env("BAUDOT_CODES_WEBHOOK_SECRET", "0123456789abcdef");
    let output = command.output().unwrap();
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let has = |start: &str, end: &str| {
        assert!(said.lines().any(|line| line.starts_with(start) && line.ends_with(end)), "{said}");
    };
    has("shards = \"3\" ", "# flag --shards");
    has("codes.webhook.url = \"http://127.0.0.1:1/\" ", "# variable BAUDOT_CODES_WEBHOOK_URL");
    has("codes.webhook.secret = *** ", "# variable BAUDOT_CODES_WEBHOOK_SECRET");
    has("listen = 127.0.0.1:4430 ", "# default");
    assert!(!said.contains("0123456789abcdef"));
}

/// A second server on the same port is told why it cannot be.
#[test]
fn a_taken_port_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = dir.path().to_str().unwrap();
    let output = run(&["serve", "--listen", &address, "--data", data, "--engine", "memory"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains(&address), "{said}");
}

/// Files are looked after by the server that runs; without one, it is said what to do.
#[test]
fn files_are_looked_after() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let check = |arguments: &[&str], code: i32, out: &str, error: &str| {
        let output = run(&[&["media"][..], arguments, &["--data", data]].concat());
        let (said, wrong) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}{wrong}");
        assert!(said.contains(out), "{arguments:?}: {said}");
        assert!(wrong.contains(error), "{arguments:?}: {wrong}");
    };
    check(&["status", "--engine", "memory"], 1, "", "no server runs in");
    #[cfg(feature = "rocks")]
    check(&["check"], 1, "", "start the server once");

    let server = Running::start(dir.path());
    check(&["status"], 0, "blobs here               0\n", "");
    check(&["check", "--repair"], 0, "Nothing is wrong.\n", "Reading blobs");
    check(&["migrate", "--to", "s3"], 1, "", "set `media.s3.bucket`");
    check(&["migrate", "--to", "moon"], 2, "", "possible values: s3, local");
    let (code, log) = server.stop("-TERM");
    assert_eq!(code, Some(0), "{log}");
    assert!(!dir.path().join("admin.sock").exists());
    check(&["status", "--engine", "memory"], 1, "", "no server runs in");
}

#[test]
fn help_and_version() {
    let help = run(&["--help"]);
    assert!(help.status.success());
    for command in ["serve", "connect", "check-config", "media"] {
        assert!(text(&help.stdout).contains(command));
    }
    let version = run(&["--version"]);
    assert_eq!(text(&version.stdout), format!("baudot {}\n", env!("CARGO_PKG_VERSION")));
}
