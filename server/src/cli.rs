//! The command line: what `baudot` can be told, and what it says.
//!
//! Flags are settings like those of the file, and win over them; `--set` reaches the settings without a
//! flag of their own. What commands print goes to standard output, what went wrong to standard error.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::{env, thread};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::admin::{self, Request};
use crate::config::{Config, Flag, Problems, Sources};
use crate::connect::{self, Client};
use crate::keyfile::{self, PublicKeyFile};

/// A Telegram-compatible MTProto 2.0 server.
#[derive(Debug, Parser)]
#[command(name = "baudot", version, about, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server; SIGTERM or Ctrl-C stops it.
    Serve(Settings),
    /// Print how to point a client at this server.
    Connect {
        /// The client.
        client: Client,
        /// Where the server's address and key are found.
        #[command(flatten)]
        settings: Settings,
    },
    /// Check the configuration, and print every setting with where it came from. Starts nothing.
    CheckConfig(Settings),
    /// Look after the files that people sent. Asks the running server, or opens its store if none runs.
    Media {
        /// What to do.
        #[command(subcommand)]
        command: Media,
    },
}

/// What to do with files.
#[derive(Debug, Subcommand)]
pub enum Media {
    /// Read every file and count every use of it; exits with 1 if something is wrong.
    Check {
        /// Remove what belongs to nothing. What is damaged stays as it is.
        #[arg(long)]
        repair: bool,
        /// Where the store is.
        #[command(flatten)]
        settings: Settings,
    },
    /// Move the contents of all files.
    Migrate {
        /// To where.
        #[arg(long, value_name = "s3|local")]
        to: Place,
        /// Where the store is.
        #[command(flatten)]
        settings: Settings,
    },
    /// Print how many files there are where, and what waits.
    Status(Settings),
}

/// Where contents of files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Place {
    /// In the S3 store that the settings name.
    S3,
    /// In the data folder.
    Local,
}

impl Media {
    /// Where the store is.
    pub fn settings(&self) -> &Settings {
        match self {
            Self::Check { settings, .. } | Self::Migrate { settings, .. } => settings,
            Self::Status(settings) => settings,
        }
    }

    /// Does it, shows how far it is, and prints what came of it. Answers whether nothing is wrong.
    ///
    /// # Errors
    ///
    /// It was not done.
    pub async fn run(&self, config: &Config) -> Result<bool, Box<dyn std::error::Error>> {
        use crate::media::mover;

        let request = match self {
            Self::Check { repair, .. } => Request::Check { repair: *repair },
            Self::Migrate { to: Place::S3, .. } => Request::Migrate { to: mover::Place::There },
            Self::Migrate { to: Place::Local, .. } => Request::Migrate { to: mover::Place::Here },
            Self::Status(_) => Request::Status,
        };
        admin::client::ask(config, request).await
    }
}

/// Settings on the command line.
#[derive(Args, Clone, Debug, Default)]
pub struct Settings {
    /// The configuration, a TOML file.
    #[arg(long, value_name = "FILE", env = "BAUDOT_CONFIG")]
    config: Option<PathBuf>,
    /// Address and port for clients [default: 127.0.0.1:4430].
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<String>,
    /// Address that clients are told to come back to [default: the one that is bound].
    #[arg(long, value_name = "IP[:PORT]")]
    advertise: Option<String>,
    /// Folder of the server's key and its store [default: ./data].
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// Where rows are kept [default: rocks].
    #[arg(long, value_name = "rocks|memory")]
    engine: Option<String>,
    /// Threads that own connections [default: number of cores].
    #[arg(long, value_name = "COUNT")]
    shards: Option<String>,
    /// What is logged: a level, or directives such as info,server=debug [default: info].
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// Form of the log [default: auto].
    #[arg(long, value_name = "auto|text|json")]
    log_format: Option<String>,
    /// Start with guessable login codes (test numbers) although others can reach the server.
    #[arg(long)]
    allow_insecure_codes: bool,
    /// Any setting of the file: --set codes.log=true. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
}

impl Settings {
    /// These settings over the environment of this process and its machine.
    pub fn sources(&self) -> Sources {
        let text = |value: std::ffi::OsString| value.into_string().ok();
        Sources {
            file: self.config.clone(),
            environment: env::vars_os().filter_map(|(k, v)| Some((text(k)?, text(v)?))).collect(),
            flags: self.flags(),
            cores: thread::available_parallelism().map_or(1, NonZero::get),
        }
    }

    fn flags(&self) -> Vec<Flag> {
        let named = [
            ("--listen", "listen", &self.listen),
            ("--advertise", "advertise", &self.advertise),
            ("--data", "data", &self.data),
            ("--engine", "engine", &self.engine),
            ("--shards", "shards", &self.shards),
            ("--log", "log.filter", &self.log),
            ("--log-format", "log.format", &self.log_format),
        ];
        let flag = |flag: &str, key: &str, value: &str| Flag {
            flag: flag.into(),
            key: key.into(),
            value: value.into(),
        };
        let named =
            named.iter().filter_map(|(name, key, value)| Some(flag(name, key, value.as_deref()?)));
        let insecure = self
            .allow_insecure_codes
            .then(|| flag("--allow-insecure-codes", "codes.allow_insecure", "true"));
        let set = self.set.iter().map(|(key, value)| flag("--set", key, value));
        set.chain(named).chain(insecure).collect()
    }
}

/// What `check-config` prints: a line a setting.
///
/// # Errors
///
/// Everything that is wrong.
pub fn check_config(settings: &Settings) -> Result<String, Problems> {
    let effective = Config::explain(&settings.sources())?;
    let mut text = String::new();
    for setting in &effective {
        let assignment = format!("{} = {}", setting.key, setting.value);
        text.push_str(&format!("{assignment:<48} # {}\n", setting.origin));
    }
    text.push_str("The configuration is valid.\n");
    Ok(text)
}

/// What `connect` prints: the code for `client`.
///
/// # Errors
///
/// The server has no key yet.
pub fn connect(config: &Config, client: Client) -> Result<String, keyfile::Error> {
    let PublicKeyFile { key, .. } = keyfile::public(&config.data_dir)?;
    let address = config.advertised(config.listen);
    let proxy_secret = config.mtproxy_secrets.first().map(|secret| secret.to_text());
    let target = connect::Target { address, dc_id: config.dc.this, key: &key, proxy_secret };
    Ok(connect::snippet(client, &target))
}

/// What a starting server tells its operator: where it is, what its key is called, what to do next.
pub fn greeting(config: &Config, local: SocketAddr, public: &PublicKeyFile) -> String {
    let advertised = config.advertised(local);
    let mut text = format!("Baudot listens on {local}.\n");
    if advertised != local {
        text.push_str(&format!("Clients are told {advertised}.\n"));
    }
    let fingerprint = keyfile::fingerprint_hex(public.key.fingerprint());
    text.push_str(&format!("Key {fingerprint}, for clients: {}\n", public.path.display()));
    let data = config.data_dir.display();
    let mut flags = String::new();
    if local.to_string() != "127.0.0.1:4430" {
        flags.push_str(&format!(" --listen {local}"));
    }
    if config.data_dir.as_os_str() != "./data" {
        flags.push_str(&format!(" --data {data}"));
    }
    let clients = Client::NAMES.join("|");
    text.push_str(&format!("To connect a client: baudot connect {clients}{flags}\n"));
    if config.codes.test_numbers {
        text.push_str("Test numbers are on: +99966XYYYY logs in with the code XXXXX.\n");
    }
    if config.codes.log {
        text.push_str("Login codes of other numbers are in the log.\n");
    }
    text
}

fn key_value(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::config::Key;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Every flag is a setting, and `--set` stands below the flags with a name.
    #[test]
    fn flags_are_settings() {
        let line = "baudot serve --set listen=127.0.0.1:1 --listen 127.0.0.1:2 --advertise 127.0.0.1 --data d \
                    --engine memory --shards 2 --log debug --log-format json --allow-insecure-codes \
                    --set log.format=text";
        let Command::Serve(settings) = Cli::parse_from(line.split_whitespace()).command else {
            panic!("no serve")
        };
        let flags = settings.flags();
        assert_eq!(flags.len(), 10);
        for flag in &flags {
            assert!(Key::find(&flag.key).is_some(), "{flag:?}");
        }
        let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
        assert_eq!((config.listen.port(), config.shards), (2, 2));
        assert!(config.codes.allow_insecure);
    }

    #[test]
    fn what_to_do_with_files() {
        let parse = |line: &str| Cli::try_parse_from(line.split_whitespace());
        let check = |line: &str, expected: fn(&Media) -> bool| match parse(line).unwrap().command {
            Command::Media { command } => assert!(expected(&command), "{line}: {command:?}"),
            command => panic!("{line}: {command:?}"),
        };
        check("baudot media check", |it| matches!(it, Media::Check { repair: false, .. }));
        check(
            "baudot media check --repair --data d",
            |it| matches!(it, Media::Check { repair: true, settings } if settings.data.is_some()),
        );
        check("baudot media migrate --to s3", |it| {
            matches!(it, Media::Migrate { to: Place::S3, .. })
        });
        check("baudot media migrate --to local", |it| {
            matches!(it, Media::Migrate { to: Place::Local, .. })
        });
        check("baudot media status", |it| matches!(it, Media::Status(_)));
        for wrong in ["baudot media", "baudot media migrate", "baudot media migrate --to moon"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_client_has_its_name() {
        for name in Client::NAMES {
            let cli = Cli::try_parse_from(["baudot", "connect", name]).unwrap();
            assert!(matches!(cli.command, Command::Connect { .. }));
        }
    }
}
