//! The load generator: many real clients on one thread, and what they find.
//!
//! | module      | what it is                                                                  |
//! |-------------|-----------------------------------------------------------------------------|
//! | `net`       | thousands of sockets, one read and one write each a turn                    |
//! | `session`   | a client's side of a session, as lean as it can be                          |
//! | `client`    | connections, exchanges, sessions, sealed and opened in bulk                 |
//! | `accounts`  | people with test numbers, made ahead                                        |
//! | `carriers`  | what Baudot carries: pings, messages                                        |
//! | `peers`     | other servers, driven by the same loops                                     |
//! | `faults`    | kills and overload: what was promised, compared with what is there          |
//! | `measure`   | closed and open loops, histograms, what processes use                       |
//! | `process`   | processes on a core of their own                                            |
//! | `scenarios` | what is measured                                                            |
//! | `report`    | table, JSON, HTML with plots, Markdown, goals                               |

mod accounts;
mod bench;
mod carriers;
mod client;
mod clock;
mod error;
mod faults;
mod measure;
mod net;
mod peers;
mod process;
mod report;
mod scenarios;
mod session;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use crate::error::Result;

/// As the server's: parts of files come and go, and the system's pages would be cleared anew for each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures a Baudot server with real clients, beside others on the same machine; and mistreats it.
#[derive(Debug, Parser)]
#[command(name = "load", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a server and measure everything, or some parts; write the reports.
    Bench {
        /// The server's program.
        #[arg(long)]
        server: PathBuf,
        /// Folder of its data, kept; a temporary one otherwise.
        #[arg(long)]
        data: Option<PathBuf>,
        /// Folder for report.json and report.html.
        #[arg(long, default_value = "bench")]
        report: PathBuf,
        /// Page to write as Markdown.
        #[arg(long)]
        markdown: Option<PathBuf>,
        /// Parts to run [default: all].
        #[arg(long, value_delimiter = ',')]
        only: Vec<bench::Part>,
        /// How many accounts there are.
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(256..=90_000))]
        accounts: u32,
        /// How long each loop is measured, in milliseconds.
        #[arg(long, default_value_t = 4_000)]
        measured_ms: u64,
        /// The file that is sent and fetched, in MiB.
        #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(4..=2000))]
        file_mib: u32,
        /// How many photos are sent and fetched.
        #[arg(long, default_value_t = 10_000)]
        photos: usize,
    },
    /// Kill a server again and again in the middle of load, and compare what clients were told with what is there.
    Faults {
        /// The server's program.
        #[arg(long)]
        server: PathBuf,
        /// How often it is killed.
        #[arg(long, default_value_t = 400)]
        kills: u32,
        /// After how many minutes the kills end, though there were fewer.
        #[arg(long, default_value_t = 10)]
        minutes: u64,
        /// How many people write to each other.
        #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(5..=200))]
        people: u32,
        /// What everything random is drawn from.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Ask more of a server than it can do, in several ways, and see that it goes on serving.
    Overload {
        /// The server's program.
        #[arg(long)]
        server: PathBuf,
        /// How many connections send one byte a second.
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(4..=100_000))]
        drips: u32,
        /// How long each part lasts, in seconds.
        #[arg(long, default_value_t = 40)]
        seconds: u64,
        /// How many times as many messages come as are served.
        #[arg(long, default_value_t = 20)]
        times: u32,
    },
    /// Make accounts with test numbers on a server that runs, and keep their keys in a file.
    Seed {
        /// Where the server listens.
        #[arg(long)]
        address: SocketAddr,
        /// Its data folder, for its public key.
        #[arg(long)]
        data: PathBuf,
        /// The file of keys; what is in it already is used.
        #[arg(long)]
        accounts: PathBuf,
        /// How many accounts there shall be.
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=90_000))]
        count: u32,
    },
    /// Be the least that a server can be.
    #[command(hide = true)]
    Peer { kind: Plain },
    /// Make keys until killed.
    #[command(hide = true)]
    Flood { address: SocketAddr, data: PathBuf, depth: usize },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Plain {
    Echo,
    Relay,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be gone; there is nobody else to tell.
            let _ = writeln!(std::io::stderr(), "load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    net::raise_file_limit();
    match command {
        Command::Bench {
            server,
            data,
            report,
            markdown,
            only,
            accounts,
            measured_ms,
            file_mib,
            photos,
        } => {
            let measured = Duration::from_millis(measured_ms);
            let accounts = accounts as usize;
            bench::run(bench::Plan {
                server,
                data,
                report,
                markdown,
                only,
                accounts,
                measured,
                file_mib,
                photos,
            })
        }
        Command::Faults { server, kills, minutes, people, seed } => faults::run(&faults::Plan {
            server,
            kills,
            time_max: Duration::from_secs(60 * minutes),
            people: people as usize,
            seed,
        }),
        Command::Overload { server, drips, seconds, times } => {
            faults::overload::run(&faults::overload::Plan {
                server,
                drips: drips as usize,
                time: Duration::from_secs(seconds),
                times,
            })
        }
        Command::Seed { address, data, accounts, count } => {
            let mut clients = client::Clients::new(address, &process::public_key(&data)?)?;
            let made = accounts::seed(&mut clients, &accounts, count as usize)?;
            report::say(&format!("{} accounts in {}", made.len(), accounts.display()));
            Ok(())
        }
        Command::Peer { kind } => peers::plain::serve(matches!(kind, Plain::Relay)),
        Command::Flood { address, data, depth } => {
            scenarios::handshakes::flood_forever(address, &data, depth)
        }
    }
}
