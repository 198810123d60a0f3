//! Structured logs on standard error: text on a terminal, JSON otherwise.
//!
//! Logs carry ids and sizes, never contents, phone numbers, codes or keys. The one exception is the target
//! `login_code`, which an operator switches on to read codes in the log (`codes.log`); it is written
//! whatever the filter says, unless the filter names it.

use std::io::{self, IsTerminal};
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::{Config, LogFormat};

/// Why there are no logs. We are at fault: the configuration has checked the filter.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter does not parse.
    #[error("failed to read the log filter: {0}")]
    Filter(#[from] ParseError),
    /// Something else receives the logs already.
    #[error("failed to start logging: {0}")]
    Taken(Box<dyn std::error::Error + Send + Sync>),
}

/// Sends the logs of this process, panics included, to standard error.
///
/// # Errors
///
/// Logging was started before.
pub fn init(config: &Config) -> Result<(), Error> {
    let log = &config.log;
    let filter = EnvFilter::try_new(directives(&log.filter, config.codes.log))?;
    let terminal = io::stderr().is_terminal();
    let json = match log.format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        // They would be told on standard error, too: where that is full or gone, telling it panics.
        .log_internal_errors(false)
        .with_ansi(terminal);
    let started = if json { lines.json().flatten_event(true).try_init() } else { lines.try_init() };
    started.map_err(Error::Taken)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// The filter, with login codes let through where they are to be logged.
fn directives(filter: &str, log_codes: bool) -> String {
    if log_codes && !filter.contains("login_code") {
        format!("{filter},login_code=info")
    } else {
        filter.to_owned()
    }
}

/// Logs where a panic happened. Its message only where it is a literal: others can quote what was handled.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let message = panic.payload().downcast_ref::<&'static str>();
    let thread = std::thread::current();
    tracing::error!(location, message, thread = thread.name(), "panic");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_pass_any_filter_that_does_not_name_them() {
        let cases = [
            ("warn", true, "warn,login_code=info"),
            ("warn", false, "warn"),
            ("info,login_code=off", true, "info,login_code=off"),
        ];
        for (filter, log_codes, expected) in cases {
            assert_eq!(directives(filter, log_codes), expected);
            EnvFilter::try_new(expected).unwrap();
        }
    }
}
