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
//! | `measure`   | closed and open loops, histograms, what processes use                       |
//! | `process`   | processes on a core of their own                                            |
//! | `scenarios` | what is measured                                                            |
//! | `report`    | table, JSON, HTML with plots, Markdown, goals                               |

mod accounts;
mod carriers;
mod client;
mod clock;
mod error;
mod measure;
mod net;
mod process;
mod session;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::error::Result;
use crate::measure::Span;

#[derive(Debug, Parser)]
struct Cli {
    #[arg(long)]
    server: PathBuf,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    net::raise_file_limit();
    let cores = process::Cores::pick();
    if let Some(cores) = cores {
        cores.pin_load()?;
    }
    let data = tempfile::tempdir()?;
    let server = process::Baudot::start(&cli.server, data.path(), cores.map(|cores| cores.server))?;
    let key = process::public_key(&server.data)?;
    let mut clients = client::Clients::new(server.address, &key)?;
    let accounts = accounts::seed(&mut clients, &data.path().join("accounts"), 128)?;
    let span = Span { warm_up: Duration::from_millis(500), measured: Duration::from_millis(2000) };
    let mut say = |name: &str, f: &measure::Figures| {
        let _ = writeln!(
            std::io::stdout(),
            "{name:30} {:9.0}/s p50 {:8.1} p99 {:8.1} p99.9 {:8.1} us, cpu {:6.2} us, load cpu {:.0}% server {:.0}%, lost {}",
            f.per_s(),
            f.latency_us(0.5),
            f.latency_us(0.99),
            f.latency_us(0.999),
            f.cpu_us(),
            f.load_cpu_ns as f64 / f.elapsed.as_nanos() as f64 * 100.0,
            f.cpu_ns as f64 / f.elapsed.as_nanos() as f64 * 100.0,
            f.lost
        );
    };
    let ids = accounts::go_online(&mut clients, &accounts[..64])?;
    let mut pings = carriers::Pings::new(&mut clients, ids.clone());
    say("ping 1", &measure::closed(&mut pings, 64, span, Some(&server.process))?);
    say("ping 16", &measure::closed(&mut pings, 64 * 16, span, Some(&server.process))?);
    for id in ids {
        clients.close(id);
    }
    let mut messages = carriers::Messages::new(&mut clients, &accounts)?;
    say("messages 32", &measure::closed(&mut messages, 32, span, Some(&server.process))?);
    say("messages 512", &measure::closed(&mut messages, 512, span, Some(&server.process))?);
    say("messages 3000/s", &measure::open(&mut messages, 3000.0, span, Some(&server.process))?);
    Ok(())
}
