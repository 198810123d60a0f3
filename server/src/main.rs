//! `baudot`: reads the command line, starts the server, and stops it when asked to.

use std::future::Future;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use server::cli::{self, Cli, Command, Media, Settings};
use server::config::{self, Config};
use server::{Server, keyfile, logging};
use tokio::signal::unix::{SignalKind, signal};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What went wrong, for the operator.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(settings) => serve(&settings),
        Command::Connect { client, settings } => load(&settings)
            .and_then(|config| Ok(cli::connect(&config, client)?))
            .and_then(|text| print(&text)),
        Command::CheckConfig(settings) => {
            cli::check_config(&settings).map_err(Failure::from).and_then(|text| print(&text))
        }
        Command::Media { command } => match media(&command) {
            // What is wrong has been told.
            Ok(false) => return ExitCode::FAILURE,
            done => done.map(drop),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            for line in failure.to_string().lines() {
                // Standard error may be gone; there is nobody else to tell.
                let _ = writeln!(io::stderr(), "baudot: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn load(settings: &Settings) -> Result<Config, Failure> {
    Ok(Config::load(&settings.sources())?)
}

fn serve(settings: &Settings) -> Result<(), Failure> {
    let config = load(settings)?;
    logging::init(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(config))
}

fn media(command: &Media) -> Result<bool, Failure> {
    let config = load(command.settings())?;
    // What is told goes to people; the log has what went wrong inside.
    let log = config::Log { filter: "error".into(), ..config.log.clone() };
    logging::init(&Config { log, ..config.clone() })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(command.run(&config))
}

async fn run(config: Config) -> Result<(), Failure> {
    // Before anything starts, so that no signal finds nobody listening.
    let stopped = stop_signal()?;
    // A file that may not grow any more is a failed write, not the end of the process.
    let _too_large = signal(SignalKind::from_raw(SIGXFSZ))?;
    let server = Server::start(config.clone()).await?;
    let public = keyfile::public(&config.data_dir)?;
    print(&cli::greeting(&config, server.local_addr(), &public))?;
    stopped.await;
    tracing::info!(drain_s = config.limits.drain_s, "stopping");
    server.shutdown().await;
    tracing::info!("stopped");
    Ok(())
}

/// A file has reached the limit on its size (`ulimit -f`); the same number on all systems that have it.
const SIGXFSZ: i32 = 25;

/// Completes on SIGTERM or Ctrl-C.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
