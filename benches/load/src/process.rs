//! Processes that are measured: started on a core of their own, watched through `/proc`, and stopped.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::thread::CpuSet;

use crate::clock;
use crate::error::{Error, Result};

/// How long a process may take to start, or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which cores the generator and what it measures run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cores {
    pub(crate) server: usize,
    pub(crate) load: usize,
}

impl Cores {
    /// The first two cores that this process may use; `None` if there is one only.
    pub(crate) fn pick() -> Option<Self> {
        let set = rustix::thread::sched_getaffinity(None).ok()?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core));
        Some(Self { server: cores.next()?, load: cores.next()? })
    }

    /// Keeps this thread, and those it starts, to the generator's core.
    pub(crate) fn pin_load(self) -> Result<()> {
        pin(self.load)
    }
}

fn pin(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    rustix::thread::sched_setaffinity(None, &set).map_err(|error| Error::Io(error.into()))
}

/// A process that is measured.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a program on a core.
    pub(crate) fn start(command: &mut Command, core: Option<usize>) -> Result<Self> {
        let Some(core) = core else { return Ok(Self { child: spawn(command)? }) };
        // A child is born where its parent is; there is no safe way to send it elsewhere before it runs.
        let before = rustix::thread::sched_getaffinity(None).map_err(std::io::Error::from)?;
        pin(core)?;
        let child = spawn(command);
        rustix::thread::sched_setaffinity(None, &before).map_err(std::io::Error::from)?;
        Ok(Self { child: child? })
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of its output that has `wanted` in it; the line.
    pub(crate) fn wait_for_line(&mut self, wanted: &str) -> Result<String> {
        let output = self.child.stdout.take();
        let output = output.ok_or_else(|| Error::setup("process", "its output is gone"))?;
        let mut lines = BufReader::new(output);
        let mut text = String::new();
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                let status = self.child.wait()?;
                return Err(Error::setup("the process ended", format!("{status}: {text}")));
            }
            if line.contains(wanted) {
                // The rest has to go somewhere, or the process would wait for us to read it.
                std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
                return Ok(line);
            }
            text.push_str(&line);
        }
    }

    /// How much it has used of its cores, and of memory.
    pub(crate) fn usage(&self) -> Usage {
        Usage::of(self.id())
    }

    /// Waits until it takes connections.
    pub(crate) fn wait_for_port(&mut self, address: SocketAddr) -> Result<()> {
        let deadline = clock::instant() + PATIENCE;
        while std::net::TcpStream::connect(address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(Error::setup("the process ended", status));
            }
            if clock::instant() > deadline {
                return Err(Error::Timeout);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Asks it to stop, and waits for that.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.signal(rustix::process::Signal::TERM);
        let deadline = clock::instant() + PATIENCE;
        while self.child.try_wait()?.is_none() {
            if clock::instant() > deadline {
                return Err(Error::Timeout);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Ends it as a loss of power would, and waits for that.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let id = i32::try_from(self.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            // It may have ended by itself.
            let _ = rustix::process::kill_process(id, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(command: &mut Command) -> Result<Child> {
    let name = command.get_program().to_string_lossy().into_owned();
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.spawn().map_err(|error| Error::setup(name, error))
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Time on cores, in nanoseconds.
    pub(crate) cpu_ns: u64,
    /// Memory in use now, in bytes.
    pub(crate) resident: u64,
    /// The most that ever was, in bytes.
    pub(crate) resident_peak: u64,
}

impl Usage {
    /// That of a process and all its threads.
    pub(crate) fn of(id: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next());
            number.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1024
        };
        Self { cpu_ns: cpu_ns(id), resident: field("VmRSS:"), resident_peak: field("VmHWM:") }
    }

    /// Forgets the peak so far.
    pub(crate) fn reset_peak(id: u32) {
        // Without the right to, peaks are those since the start.
        let _ = fs::write(format!("/proc/{id}/clear_refs"), "5");
    }
}

/// Threads that ended in between are missing from the sum of threads, so the ticks of the process are a lower bound.
fn cpu_ns(id: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{id}/task"));
    let exact = threads.into_iter().flatten().flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    exact.sum::<u64>().max(ticks * 10_000_000)
}

/// A running Baudot.
pub(crate) struct Baudot {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    pub(crate) data: PathBuf,
    binary: PathBuf,
    core: Option<usize>,
    settings: &'static [&'static str],
}

impl Baudot {
    /// The program without settings of the environment: those are of whoever measures, or of tests beside.
    fn command(binary: &Path) -> Command {
        let mut command = Command::new(binary);
        let is_setting = |name: &OsString| name.to_string_lossy().starts_with("BAUDOT_");
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_setting(name)) {
            command.env_remove(name);
        }
        command
    }

    /// Starts one on a free port, with its rows in `data`.
    pub(crate) fn start(binary: &Path, data: &Path, core: Option<usize>) -> Result<Self> {
        Self::start_with(binary, data, core, &[])
    }

    /// As [`Self::start`], with further settings.
    pub(crate) fn start_with(
        binary: &Path,
        data: &Path,
        core: Option<usize>,
        settings: &'static [&'static str],
    ) -> Result<Self> {
        let mut command = Self::command(binary);
        command.arg("serve").args(["--listen", "127.0.0.1:0", "--log", "warn"]);
        command.arg("--data").arg(data);
        if core.is_some() {
            command.args(["--shards", "1"]);
        }
        let connections = ["limits.connections_max=50000", "limits.connections_per_ip_max=50000"];
        for setting in connections.iter().chain(settings) {
            command.args(["--set", setting]);
        }
        // The largest files, where the server has a setting for that.
        let large = "media.large_uploads=true";
        let mut check = Self::command(binary);
        let check = check.args(["check-config", "--set", large]).stdout(Stdio::null());
        if check.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            command.args(["--set", large]);
        }
        let mut process = Process::start(&mut command, core)?;
        let line = process.wait_for_line("listens on ")?;
        let address = line.split("listens on ").nth(1).unwrap_or_default();
        let address = address.trim().trim_end_matches('.').parse();
        let address = address.map_err(|error| Error::setup(line.trim(), error))?;
        let (binary, data) = (binary.to_owned(), data.to_owned());
        Ok(Self { process, address, data, binary, core, settings })
    }

    /// Stops it in its own time, or kills it, and starts it again. How long it took until it listened.
    pub(crate) fn restart(self, kill: bool) -> Result<(Self, Duration)> {
        let Self { process, data, binary, core, settings, .. } = self;
        if kill {
            drop(process);
        } else {
            process.stop()?;
        }
        let begun = clock::instant();
        let again = Self::start_with(&binary, &data, core, settings)?;
        Ok((again, clock::instant() - begun))
    }
}

/// The public key in a data folder.
pub(crate) fn public_key(data: &Path) -> Result<crypto::rsa::PublicKey> {
    let path = data.join("server_rsa.pub.pem");
    let pem = fs::read_to_string(&path).map_err(|error| Error::setup(path.display(), error))?;
    crypto::rsa::PublicKey::from_pem(&pem).map_err(|error| Error::setup(path.display(), error))
}
