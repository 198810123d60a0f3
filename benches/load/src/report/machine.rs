//! Where it was measured, and on what.

use std::fs;
use std::process::Command;
use std::time::Duration;

/// From how many busy cores on a page says that others were at work.
pub(super) const BUSY_CORES: f64 = 0.2;

/// The machine, the build and the day.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) kernel: String,
    /// Instructions that the ciphers can use.
    pub(crate) instructions: Vec<&'static str>,
    /// What `crypto` chose.
    pub(crate) ige: &'static str,
    /// The commit, with a mark if something was not committed.
    pub(crate) commit: String,
    pub(crate) date: String,
    /// How many cores were busy in the second before anything began, those that the host kept for itself included.
    pub(crate) busy_cores: f64,
    /// How long one write with a sync takes, in microseconds, the median.
    pub(crate) sync_us: f64,
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default()
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

impl Machine {
    /// This one.
    pub(crate) fn here() -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory_kib = field(&memory, "MemTotal").unwrap_or_default();
        let memory_kib: u64 = memory_kib.trim_end_matches(" kB").parse().unwrap_or(0);
        let flags = field(&processors, "flags").unwrap_or_default();
        let known = ["aes", "vaes", "sha_ni", "avx2", "avx512f"];
        let has = |flag: &&str| flags.split(' ').any(|own| own == *flag);
        let commit = output("git", &["rev-parse", "--short=12", "HEAD"]);
        let changed = output("git", &["status", "--porcelain", "--untracked-files=no"]);
        let cores = processors.lines().filter(|line| line.starts_with("processor")).count();
        Self {
            processor: field(&processors, "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores,
            memory_gib: memory_kib.div_ceil(1024 * 1024),
            kernel: output("uname", &["-sr"]),
            instructions: known.into_iter().filter(has).collect(),
            ige: crypto::aes_ige::backend(),
            commit: if changed.is_empty() { commit } else { format!("{commit} with changes") },
            date: output("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            busy_cores: busy_share().map_or(f64::NAN, |share| share * cores as f64),
            sync_us: sync_us().unwrap_or(f64::NAN),
        }
    }
}

/// Which share of the cores' time goes to something, over a second.
fn busy_share() -> Option<f64> {
    /// Ticks of all cores since the start, and how many of them were idle.
    fn ticks() -> Option<(f64, f64)> {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let all: Vec<f64> =
            stat.lines().next()?.split(' ').filter_map(|number| number.parse().ok()).collect();
        // user, nice, system, idle, waiting for the disk, interrupts, soft ones, stolen; guests are in user.
        let all = all.get(..8)?;
        Some((all.iter().sum(), all[3] + all[4]))
    }
    let (all, idle) = ticks()?;
    std::thread::sleep(Duration::from_secs(1));
    let (all_then, idle_then) = ticks()?;
    Some(1.0 - (idle_then - idle) / (all_then - all))
}

/// What a sync takes where temporary files are, as the servers' data is.
fn sync_us() -> std::io::Result<f64> {
    use std::io::Write as _;
    let mut file = tempfile::tempfile()?;
    let mut times = Vec::new();
    for _ in 0..64 {
        let begun = crate::clock::instant();
        file.write_all(&[1; 512])?;
        file.sync_data()?;
        times.push((crate::clock::instant() - begun).as_nanos());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2] as f64 / 1e3)
}
