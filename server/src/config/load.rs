//! From layers to a [`Config`]. Later layers win:
//!
//! ```text
//! defaults < file (--config) < RUST_LOG < BAUDOT_* < flags
//! ```
//!
//! Everything that is wrong is collected, so that one run shows an operator all of it. Each problem names
//! where the value came from, its key, the value, and what is allowed there.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use figment::providers::{Format, Toml};
use figment::util::nest;
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use mtproto::limits::SECRET_COUNT_MAX;
use tracing_subscriber::EnvFilter;

use super::keys::{Allowed, KEYS, Key};
use super::{
    Codes, Config, Dc, Engine, Limits, Log, LogFormat, Media, MediaStore, S3, WebSocket, Webhook,
    parse,
};
use crate::limits::IDLE_KEY_COUNT_MAX;

/// What the layers are read from. The default is nothing at all, on one core.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The TOML file, if one was named.
    pub file: Option<PathBuf>,
    /// The environment; only `BAUDOT_*` and `RUST_LOG` are looked at.
    pub environment: Vec<(String, String)>,
    /// Flags of the command line, in their order.
    pub flags: Vec<Flag>,
    /// Cores of this machine.
    pub cores: usize,
}

/// A flag that sets a key.
#[derive(Clone, Debug)]
pub struct Flag {
    /// As the operator wrote it: `--listen`.
    pub flag: String,
    /// The setting's name.
    pub key: String,
    /// Its text.
    pub value: String,
}

/// A setting as it holds, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The setting's name.
    pub key: &'static str,
    /// Its value, or stars for a secret.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a value came from: `flag --listen`, a path, or `default`.
pub type Origin = String;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read, or is not TOML.
    #[error("{origin}: {reason}")]
    File {
        /// Path of the file.
        origin: Origin,
        /// What the system or the parser said.
        reason: String,
    },
    /// No setting has this name.
    #[error("{origin}: unknown key {key}{}", did_you_mean(hint))]
    Unknown {
        /// Where it stands.
        origin: Origin,
        /// The name.
        key: String,
        /// The setting that was probably meant.
        hint: Option<String>,
    },
    /// A setting has a value that it cannot have.
    #[error("{origin}: {key} = {value}: allowed is {allowed}")]
    Value {
        /// Where it stands.
        origin: Origin,
        /// The setting's name.
        key: String,
        /// The value, or stars for a secret.
        value: String,
        /// What may stand there.
        allowed: String,
    },
    /// Settings that are fine by themselves do not go together.
    #[error("{key} = {value} ({origin}): {reason}")]
    Together {
        /// Where the setting comes from that has to change.
        origin: Origin,
        /// Its name.
        key: &'static str,
        /// Its value.
        value: String,
        /// Why that cannot be, and what can.
        reason: &'static str,
    },
}

/// Everything that is wrong, one line each. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

/// Variables that are no settings: the path of the file, and what the tests use.
const OTHER_VARIABLES: &[&str] = &[
    "BAUDOT_BIN",
    "BAUDOT_CONFIG",
    "BAUDOT_JS",
    "BAUDOT_LAYERS",
    "BAUDOT_SERVE_ARGS",
    "BAUDOT_WEED",
];

/// Variables with this prefix are left to test suites.
const TEST_VARIABLES: &str = "BAUDOT_TEST_";

/// The configuration, and every setting with its origin; or all that is wrong.
pub(super) fn load(sources: &Sources) -> Result<(Config, Vec<Effective>), Problems> {
    let mut problems = Vec::new();
    let figment = layers(sources, &mut problems);
    let mut reader = Reader { figment, problems };
    let config = reader.config(sources);
    if reader.problems.is_empty() {
        reader.check(&config);
    }
    if !reader.problems.is_empty() {
        return Err(Problems(reader.problems));
    }
    let effective = KEYS.iter().map(|key| reader.effective(key)).collect();
    Ok((config, effective))
}

/// Puts the layers on each other, and names what no setting is called.
fn layers(sources: &Sources, problems: &mut Vec<Problem>) -> Figment {
    let mut figment = Figment::new();
    if let Some(path) = &sources.file {
        let origin = path.display().to_string();
        let read = std::fs::read_to_string(path).map_err(|error| error.to_string());
        match read.and_then(|text| Toml::from_str::<Dict>(&text).map_err(|error| error.to_string()))
        {
            Ok(values) => {
                let values = known(&origin, "", values, problems);
                figment = figment.merge(Layer { origin, values });
            }
            Err(reason) => {
                let reason = reason.trim_end().to_owned();
                problems.push(Problem::File { origin, reason });
            }
        }
    }
    let variables: BTreeMap<_, _> = KEYS.iter().map(|key| (key.variable(), key)).collect();
    let environment = sources.environment.iter();
    for (name, value) in environment.clone().filter(|(name, _)| name == "RUST_LOG") {
        let key = Key::find("log.filter").expect("it is in the list");
        // Empty is how shells unset it.
        if !value.is_empty() {
            figment = figment.merge(Layer::one(format!("variable {name}"), key, value));
        }
    }
    for (name, value) in environment.filter(|(name, _)| name.starts_with("BAUDOT_")) {
        let origin = format!("variable {name}");
        if let Some(key) = variables.get(name) {
            figment = figment.merge(Layer::one(origin, key, value));
        } else if !OTHER_VARIABLES.contains(&name.as_str()) && !name.starts_with(TEST_VARIABLES) {
            let hint = nearest(name, variables.keys().map(String::as_str));
            problems.push(Problem::Unknown { origin, key: name.clone(), hint });
        }
    }
    for Flag { flag, key: name, value } in &sources.flags {
        let origin = format!("flag {flag}");
        match Key::find(name) {
            Some(key) => figment = figment.merge(Layer::one(origin, key, value)),
            None => {
                let hint = nearest(name, KEYS.iter().map(|key| key.name));
                problems.push(Problem::Unknown { origin, key: name.clone(), hint });
            }
        }
    }
    figment
}

/// The values of a file that are settings; the others become problems.
fn known(origin: &str, section: &str, values: Dict, problems: &mut Vec<Problem>) -> Dict {
    let mut kept = Dict::new();
    for (name, value) in values {
        let path = if section.is_empty() { name.clone() } else { format!("{section}.{name}") };
        let is_section = KEYS.iter().any(|key| {
            key.name.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.'))
        });
        match value {
            Value::Dict(tag, inner) if is_section => {
                kept.insert(name, Value::Dict(tag, known(origin, &path, inner, problems)));
            }
            value if is_section => problems.push(Problem::Value {
                origin: origin.to_owned(),
                value: shown(&value),
                allowed: format!("a section [{path}]"),
                key: path,
            }),
            value if Key::find(&path).is_some() => {
                kept.insert(name, value);
            }
            _ => {
                let hint = nearest(&path, KEYS.iter().map(|key| key.name));
                problems.push(Problem::Unknown { origin: origin.to_owned(), key: path, hint });
            }
        }
    }
    kept
}

/// Values of one origin.
struct Layer {
    origin: Origin,
    values: Dict,
}

impl Layer {
    /// A value that was given as text: a list is split at commas, the parsers do the rest.
    fn one(origin: Origin, key: &Key, text: &str) -> Self {
        let value = match key.allowed {
            Allowed::List(_) | Allowed::SecretList(_) => {
                let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
                let items = inner.split(',').map(|item| item.trim().trim_matches('"'));
                Value::from(items.filter(|item| !item.is_empty()).collect::<Vec<_>>())
            }
            _ => Value::from(text),
        };
        let values = nest(key.name, value).into_dict().expect("a key has a name");
        Self { origin, values }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// Reads settings, and notes those that are wrong.
struct Reader {
    figment: Figment,
    problems: Vec<Problem>,
}

impl Reader {
    /// All settings. Where one is wrong its default stands in, so that the others are read too.
    fn config(&mut self, sources: &Sources) -> Config {
        let listen = self.read("listen", parse::address);
        let listen = listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 4430)));
        let own = self.read("websocket.listen", parse::address);
        let shared = self.read("websocket.enabled", parse::switch).unwrap_or(true);
        let mut config = Config {
            listen,
            advertise: self.read("advertise", parse::advertise),
            data_dir: self.read("data", parse::path).unwrap_or_else(|| "./data".into()),
            engine: match self.word("engine") {
                Some("memory") => Engine::Memory,
                Some(_) => Engine::Rocks,
                None if cfg!(feature = "rocks") => Engine::Rocks,
                None => Engine::Memory,
            },
            block_cache_mib: self.count("block_cache_mib", 256),
            shards: self.count("shards", sources.cores.clamp(1, 256)),
            dc: Dc {
                this: self.read("dc.this", dc_id).unwrap_or(2),
                accepted: self
                    .read("dc.accepted", parse::dc_ids)
                    .unwrap_or_else(|| vec![1, 2, 3, 4, 5]),
            },
            websocket: match (shared, own) {
                (false, _) => WebSocket::Off,
                (true, None) => WebSocket::Shared,
                (true, Some(address)) => WebSocket::Own(address),
            },
            mtproxy_secrets: self.read("mtproxy.secrets", mtproxy_secrets).unwrap_or_default(),
            codes: Codes {
                log: false,
                test_numbers: false,
                webhook: self.webhook(),
                allow_insecure: self.read("codes.allow_insecure", parse::switch).unwrap_or(false),
            },
            media: self.media(sources),
            limits: Limits {
                connections_max: self.count("limits.connections_max", 50_000),
                connections_per_ip_max: self.count("limits.connections_per_ip_max", 1000),
                first_packet_s: self.seconds("limits.first_packet_s", 30),
                idle_s: self.seconds("limits.idle_s", 900),
                drain_s: self.seconds("limits.drain_s", 10),
                code_lifetime_s: self.seconds("limits.code_lifetime_s", 300),
                idle_keys_max: IDLE_KEY_COUNT_MAX,
            },
            log: Log {
                filter: self.read("log.filter", log_filter).unwrap_or_else(|| "info".into()),
                format: match self.word("log.format") {
                    Some("text") => LogFormat::Text,
                    Some("json") => LogFormat::Json,
                    _ => LogFormat::Auto,
                },
            },
        };
        // What is harmless as long as nobody else can reach the server.
        let loopback_only = config.loopback_only();
        config.codes.log = self.read("codes.log", parse::switch).unwrap_or(loopback_only);
        config.codes.test_numbers =
            self.read("codes.test_numbers", parse::switch).unwrap_or(loopback_only);
        config
    }

    fn webhook(&mut self) -> Option<Webhook> {
        let url = self.read("codes.webhook.url", parse::url);
        let secret = self.read("codes.webhook.secret", parse::secret);
        let retry_count_max = self.seconds("codes.webhook.retries", 4);
        let timeout_s = self.seconds("codes.webhook.timeout_s", 5);
        let retry_count_max = u32::try_from(retry_count_max).unwrap_or(u32::MAX);
        Some(Webhook { url: url?, secret: secret?, retry_count_max, timeout_s })
    }

    fn media(&mut self, sources: &Sources) -> Media {
        Media {
            store: match self.word("media.store") {
                Some("s3") => MediaStore::S3,
                _ => MediaStore::Local,
            },
            s3: self.s3(),
            cache_mib: self.count("media.cache_mib", 16),
            image_threads: self.count("media.image_threads", (sources.cores / 2).clamp(1, 64)),
            upload_s: self.number("media.upload_s", 86_400),
            reference_s: self.number("media.reference_s", 86_400),
            sweep_s: self.number("media.sweep_s", 5),
            large_uploads: self.read("media.large_uploads", parse::switch).unwrap_or(false),
            external_fetch: self.read("media.external_fetch", parse::switch).unwrap_or(false),
            external_allowed: Vec::new(),
        }
    }

    fn s3(&mut self) -> Option<S3> {
        let bucket = self.read("media.s3.bucket", parse::bucket);
        let endpoint = self.read("media.s3.endpoint", parse::url);
        let region = self.read("media.s3.region", parse::word);
        let prefix = self.read("media.s3.prefix", parse::prefix);
        let allow_http = self.read("media.s3.allow_http", parse::switch);
        let path_style = self.read("media.s3.path_style", parse::switch);
        Some(S3 {
            bucket: bucket?,
            endpoint,
            region: region.unwrap_or_else(|| "us-east-1".into()),
            prefix: prefix.unwrap_or_default(),
            allow_http: allow_http.unwrap_or(false),
            path_style: path_style.unwrap_or(true),
        })
    }

    /// Notes settings that do not go together.
    fn check(&mut self, config: &Config) {
        let any_address = config.listen.ip().is_unspecified();
        if any_address && config.advertise.is_none() {
            self.together(
                "listen",
                "clients cannot be told to come back to every address: set `advertise` to the one \
                 they can reach",
            );
        }
        if config.engine == Engine::Rocks && !cfg!(feature = "rocks") {
            self.together("engine", "this build has no RocksDB: use memory, or build with it");
        }
        if !config.dc.accepted.contains(&config.dc.this) {
            self.together("dc.this", "it must be among `dc.accepted`");
        }
        if self.is_set("websocket.listen") {
            if config.websocket == WebSocket::Off {
                self.together("websocket.listen", "`websocket.enabled` is false");
            }
            // Port 0 is a different one each time.
            let same = config.websocket == WebSocket::Own(config.listen);
            if same && config.listen.port() != 0 {
                self.together(
                    "websocket.listen",
                    "`listen` serves WebSocket clients already: leave this out, or name another \
                     port",
                );
            }
        }
        match &config.media.s3 {
            None => {
                if config.media.store == MediaStore::S3 {
                    self.together("media.store", "set `media.s3.bucket` as well");
                }
                for name in ["media.s3.endpoint", "media.s3.prefix"] {
                    if self.is_set(name) {
                        self.together(name, "there is no `media.s3.bucket`");
                    }
                }
            }
            Some(s3) => {
                let endpoint = s3.endpoint.as_deref().unwrap_or_default();
                if endpoint.starts_with("http://") && !s3.allow_http {
                    self.together(
                        "media.s3.endpoint",
                        "files would cross the network in the clear: use https://, or set \
                         `media.s3.allow_http` to true if that is what you want",
                    );
                }
            }
        }
        let url = self.is_set("codes.webhook.url");
        if url && !self.is_set("codes.webhook.secret") {
            self.together(
                "codes.webhook.url",
                "posts are signed: set `codes.webhook.secret` as well, to at least 16 characters",
            );
        }
        if !url && self.is_set("codes.webhook.secret") {
            self.together("codes.webhook.secret", "there is no `codes.webhook.url` to post to");
        }
        let Codes { log, test_numbers, webhook, allow_insecure } = &config.codes;
        if *test_numbers && !config.loopback_only() && !allow_insecure {
            self.together(
                "codes.test_numbers",
                "others than this machine can reach the server, and anyone can guess the codes of \
                 test numbers: set it to false, or set `codes.allow_insecure` to true if that is \
                 what you want",
            );
        }
        // A URL without its secret has been complained about.
        if !log && !test_numbers && webhook.is_none() && !url {
            self.together(
                "codes.log",
                "no login code could reach anyone, so nobody could log in: set \
                 `codes.webhook.url` and `codes.webhook.secret` to post codes to a service of \
                 yours, or set `codes.log` to true to read them in the server's log (on by default \
                 only where nobody but this machine can reach the server)",
            );
        }
    }

    /// The value at `name`, if there is one and it is allowed.
    fn read<T>(&mut self, name: &str, parse: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let key = Key::find(name).expect("only settings of the list are read");
        let value = self.figment.find_value(name).ok()?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.problems.push(Problem::Value {
                origin: self.origin(name),
                key: name.into(),
                value: self.value(key),
                allowed: key.allowed_text(),
            });
        }
        parsed
    }

    fn number<T: TryFrom<u64>>(&mut self, name: &str, default: T) -> T {
        let Some(Key { allowed: Allowed::Number(min, max), .. }) = Key::find(name) else {
            unreachable!("{name} is no number of the list");
        };
        let within = |value: &Value| parse::number(value).filter(|it| (min..=max).contains(&it));
        let number = self.read(name, within).map(T::try_from);
        number.and_then(Result::ok).unwrap_or(default)
    }

    fn count(&mut self, name: &str, default: usize) -> usize {
        self.number(name, default)
    }

    fn seconds(&mut self, name: &str, default: u64) -> u64 {
        self.number(name, default)
    }

    fn word(&mut self, name: &str) -> Option<&'static str> {
        let Some(Key { allowed: Allowed::OneOf(words), .. }) = Key::find(name) else {
            unreachable!("{name} has no words in the list");
        };
        self.read(name, |value| words.iter().find(|word| value.as_str() == Some(word)).copied())
    }

    fn together(&mut self, name: &'static str, reason: &'static str) {
        let key = Key::find(name).expect("only settings of the list are checked");
        let Effective { key, value, origin } = self.effective(key);
        self.problems.push(Problem::Together { origin, key, value, reason });
    }

    fn is_set(&self, name: &str) -> bool {
        self.figment.contains(name)
    }

    fn origin(&self, name: &str) -> Origin {
        let metadata = self.figment.find_metadata(name);
        metadata.map_or_else(|| "default".into(), |metadata| metadata.name.to_string())
    }

    fn value(&self, key: &Key) -> String {
        match self.figment.find_value(key.name) {
            Err(_) => key.default.to_owned(),
            Ok(_) if key.is_secret() => "***".into(),
            Ok(value) => shown(&value),
        }
    }

    fn effective(&self, key: &'static Key) -> Effective {
        Effective { key: key.name, value: self.value(key), origin: self.origin(key.name) }
    }
}

fn dc_id(value: &Value) -> Option<i32> {
    let id = i32::try_from(parse::number(value)?).ok()?;
    (1..=5).contains(&id).then_some(id)
}

fn mtproxy_secrets(value: &Value) -> Option<Vec<super::MtProxySecret>> {
    parse::list(value, parse::mtproxy_secret).filter(|secrets| secrets.len() <= SECRET_COUNT_MAX)
}

fn log_filter(value: &Value) -> Option<String> {
    parse::text(value).filter(|text| EnvFilter::try_new(text).is_ok())
}

/// A value as it would stand in a file.
fn shown(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Char(_, char) => format!("{:?}", char.to_string()),
        Value::Bool(_, bool) => bool.to_string(),
        Value::Num(_, num) => match (num.to_i128(), num.to_u128()) {
            (Some(number), _) => number.to_string(),
            (_, Some(number)) => number.to_string(),
            _ => num.to_f64().map_or_else(|| "a number".into(), |number| number.to_string()),
        },
        Value::Empty(..) => "nothing".into(),
        Value::Dict(..) => "a section".into(),
        Value::Array(_, items) => {
            format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
    }
}

/// The candidate that differs from `name` least, if it is close.
fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let near = candidates.map(|candidate| (distance(name, candidate), candidate)).min()?;
    (near.0 <= name.len().min(near.1.len()) / 3).then(|| near.1.to_owned())
}

/// How many characters have to be put in, left out or replaced.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, left_char) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, right_char) in right.chars().enumerate() {
            let replaced = diagonal + usize::from(left_char != right_char);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

fn did_you_mean(hint: &Option<String>) -> String {
    hint.as_ref().map_or_else(String::new, |hint| format!(", did you mean {hint}?"))
}

impl Default for Sources {
    fn default() -> Self {
        Self { file: None, environment: Vec::new(), flags: Vec::new(), cores: 1 }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
