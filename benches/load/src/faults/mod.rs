//! The server is killed in the middle of load, again and again, and what its clients were told is compared with what is there.
//!
//! ```text
//! start ──► everybody catches up (getDifference) ──► sends again what was not answered ──► load ──► SIGKILL ─┐
//!   ▲                                                                                                        │
//!   └──────────── sometimes SIGKILL before it listens ◄──── what had reached the sockets is taken ◄──────────┘
//! ```
//!
//! What counts as told is what arrived: an answer that the kernel had when the server died is a promise.
//!
//! | module     | what it is                                                     |
//! |------------|----------------------------------------------------------------|
//! | `ledger`   | promises, and the check                                        |
//! | `updates`  | what answers, updates and differences tell                     |
//! | `people`   | clients that write to each other and send files, across lives  |
//! | `overload` | more than can be served: drips, slow readers, floods           |

mod ledger;
pub(crate) mod overload;
mod people;
mod updates;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::accounts;
use crate::client::Clients;
use crate::clock;
use crate::error::{Error, Result};
use crate::measure::histogram;
use crate::process::{Baudot, Process, public_key};
use crate::report::{number, say};
use people::People;

/// How long a life with load lasts, in milliseconds.
const LIFE_MS: std::ops::Range<u64> = 50..1_500;
/// One in so many kills strikes while the server starts.
const KILL_AT_START: u64 = 8;
/// How long at most a start lasts that is killed, in milliseconds.
const START_MS_MAX: u64 = 120;
/// Progress is told after so many kills.
const PROGRESS_COUNT: u32 = 10;
/// How long everything that is under way may take to arrive in a calm.
const PATIENCE: Duration = Duration::from_secs(60);

/// What to do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The server's program.
    pub(crate) server: PathBuf,
    /// How often it is killed.
    pub(crate) kills: u32,
    /// After how long the kills end, though there were fewer.
    pub(crate) time_max: Duration,
    /// How many people write to each other.
    pub(crate) people: usize,
    /// What everything random is drawn from.
    pub(crate) seed: u64,
}

/// Runs the plan.
///
/// # Errors
///
/// [`Error::Violated`] if a promise was broken; or the run could not be carried out.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data)?;
    let begun = clock::instant();
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    say(&format!("seed {}, {} people, {} kills", plan.seed, plan.people, plan.kills));

    let mut server = Baudot::start(&plan.server, &data, None)?;
    let mut clients = Clients::new(server.address, &public_key(&data)?)?;
    let made = accounts::seed(&mut clients, &folder.path().join("accounts"), plan.people)?;
    let mut people = People::meet(&mut clients, made, rng.next_u64())?;
    drop(clients);

    let (mut kills, mut kills_at_start) = (0, 0);
    let mut starts = histogram();
    let mut back = histogram();
    while kills < plan.kills && clock::instant() - begun < plan.time_max {
        let mut clients = Clients::new(server.address, &public_key(&data)?)?;
        let served = people.come_back(&mut clients)?;
        back.saturating_record(u64::try_from(served.as_nanos()).unwrap_or(u64::MAX));
        let life = LIFE_MS.start + rng.next_u64() % (LIFE_MS.end - LIFE_MS.start);
        people.live(&mut clients, Duration::from_millis(life))?;
        // From here on nothing is asked any more; what had been answered is taken.
        server.process.kill()?;
        people.take_what_came(&mut clients)?;
        kills += 1;
        while kills < plan.kills && rng.next_u64().is_multiple_of(KILL_AT_START) {
            let after = Duration::from_millis(rng.next_u64() % START_MS_MAX);
            kill_at_start(&plan.server, &data, after)?;
            kills += 1;
            kills_at_start += 1;
        }
        let (again, took) = server.restart(true)?;
        server = again;
        starts.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        if kills.is_multiple_of(PROGRESS_COUNT) || kills >= plan.kills {
            let ledger = &people.ledger;
            say(&format!(
                "{kills:>5} kills, {:>9} messages answered, {:>7} sent again, {:>5} files, {} violations",
                number(ledger.answered_count as f64),
                number(people.sent_again as f64),
                people.files_fetched,
                ledger.violation_count,
            ));
        }
        if people.ledger.violation_count > 0 {
            break;
        }
    }
    let mut clients = Clients::new(server.address, &public_key(&data)?)?;
    people.come_back(&mut clients)?;
    people.settle(&mut clients)?;
    drop(clients);
    server.process.stop()?;

    let ledger = &people.ledger;
    let ms = |histogram: &hdrhistogram::Histogram<u64>, quantile| {
        format!("{} ms", number(histogram.value_at_quantile(quantile) as f64 / 1e6))
    };
    say("");
    for (what, value) in [
        ("kills", kills.to_string()),
        ("  of them while it started", kills_at_start.to_string()),
        ("until it listened again, p50", ms(&starts, 0.5)),
        ("until it listened again, max", ms(&starts, 1.0)),
        ("until everybody had caught up, p50", ms(&back, 0.5)),
        ("until everybody had caught up, max", ms(&back, 1.0)),
        ("messages asked for", number(ledger.count() as f64)),
        ("  answered", number(ledger.answered_count as f64)),
        ("  sent again after a kill", number(people.sent_again as f64)),
        ("  never sent again, to see that they are in both boxes or none", {
            number(people.abandoned_count() as f64)
        }),
        ("parts of files answered", number(people.parts_answered as f64)),
        ("files sent, fetched and compared", number(people.files_fetched as f64)),
        ("gaps in pushes that a difference closed", number(ledger.closed_gap_count as f64)),
        ("messages compared with histories", number(people.compared_count as f64)),
        ("violations", ledger.violation_count.to_string()),
        ("seconds", (clock::instant() - begun).as_secs().to_string()),
    ] {
        say(&format!("{what:<64} {value:>12}"));
    }
    for violation in &ledger.violations {
        say(violation);
    }
    match ledger.violation_count {
        0 => Ok(()),
        count => {
            // What is on disk may tell why.
            let kept = folder.keep();
            say(&format!("the server's data are kept in {}", kept.display()));
            Err(Error::Violated { count })
        }
    }
}

/// Starts the server and kills it before, or just after, it listens: it is reading its log then, or writing what it read.
fn kill_at_start(binary: &Path, data: &Path, after: Duration) -> Result<()> {
    let mut command = Command::new(binary);
    command.args(["serve", "--listen", "127.0.0.1:0", "--log", "warn", "--data"]).arg(data);
    let mut process = Process::start(command.stderr(Stdio::null()), None)?;
    std::thread::sleep(after);
    process.kill()
}
