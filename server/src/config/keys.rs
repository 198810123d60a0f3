//! The list of settings. Parsing, messages, `baudot check-config` and the names of the environment
//! variables all come from it; a test compares it with the table in the README.

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Path in the TOML file, sections joined by dots: `codes.webhook.url`.
    pub name: &'static str,
    /// What may stand there.
    pub allowed: Allowed,
    /// What holds where nothing is said, for people.
    pub default: &'static str,
    /// One sentence without its full stop.
    pub about: &'static str,
}

/// What may stand at a key.
#[derive(Clone, Copy, Debug)]
pub enum Allowed {
    /// `true` or `false`.
    Switch,
    /// A whole number within both bounds.
    Number(u64, u64),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A string, described.
    Text(&'static str),
    /// A string that is never printed, described.
    Secret(&'static str),
    /// A list, described. In variables and flags its items are separated by commas.
    List(&'static str),
    /// A list that is never printed, described.
    SecretList(&'static str),
}

/// All settings.
pub const KEYS: &[Key] = &[
    Key {
        name: "listen",
        allowed: Allowed::Text("IP:PORT, such as 127.0.0.1:4430 or [::1]:4430"),
        default: "127.0.0.1:4430",
        about: "Address and port for clients",
    },
    Key {
        name: "advertise",
        allowed: Allowed::Text("IP or IP:PORT that clients can reach, never 0.0.0.0 or [::]"),
        default: "the address that is bound",
        about: "Address that clients are told to come back to; needed when `listen` names every address",
    },
    Key {
        name: "data",
        allowed: Allowed::Text("the path of a folder"),
        default: "./data",
        about: "Folder of the server's key and its store",
    },
    Key {
        name: "engine",
        allowed: Allowed::OneOf(&["rocks", "memory"]),
        default: "rocks",
        about: "Where rows are kept; `memory` forgets everything when the server stops",
    },
    Key {
        name: "block_cache_mib",
        allowed: Allowed::Number(8, 1 << 20),
        default: "256",
        about: "Memory for blocks read from disk, in MiB",
    },
    Key {
        name: "shards",
        allowed: Allowed::Number(1, 256),
        default: "number of cores",
        about: "Threads that own connections",
    },
    Key {
        name: "dc.this",
        allowed: Allowed::Number(1, 5),
        default: "2",
        about: "Data centre id that clients are told",
    },
    Key {
        name: "dc.accepted",
        allowed: Allowed::List("numbers from 1 to 5, each once"),
        default: "1,2,3,4,5",
        about: "Data centre ids that a client may think it is talking to",
    },
    Key {
        name: "websocket.enabled",
        allowed: Allowed::Switch,
        default: "true",
        about: "Serve WebSocket clients, on the same port unless they have one of their own",
    },
    Key {
        name: "websocket.listen",
        allowed: Allowed::Text("IP:PORT other than `listen`"),
        default: "none",
        about: "Port of its own for WebSocket clients",
    },
    Key {
        name: "mtproxy.secrets",
        allowed: Allowed::SecretList(
            "at most 16, 32 hexadecimal digits each, optionally with dd in front",
        ),
        default: "none",
        about: "Secrets of the MTProxy handshake; only clients that are set to a proxy need one",
    },
    Key {
        name: "codes.log",
        allowed: Allowed::Switch,
        default: "true on loopback",
        about: "Write login codes to the log, under the target `login_code`",
    },
    Key {
        name: "codes.test_numbers",
        allowed: Allowed::Switch,
        default: "true on loopback",
        about: "Accept the numbers 99966XYYYY, whose code is X five times",
    },
    Key {
        name: "codes.allow_insecure",
        allowed: Allowed::Switch,
        default: "false",
        about: "Start with guessable codes (test numbers) although others can reach the server",
    },
    Key {
        name: "codes.webhook.url",
        allowed: Allowed::Text("an http:// or https:// URL"),
        default: "none",
        about: "Where login codes are posted",
    },
    Key {
        name: "codes.webhook.secret",
        allowed: Allowed::Secret("at least 16 characters"),
        default: "none",
        about: "Key of the signature of each post; needed with a URL",
    },
    Key {
        name: "codes.webhook.retries",
        allowed: Allowed::Number(0, 10),
        default: "4",
        about: "Attempts after the first, at growing distance, while the code is good",
    },
    Key {
        name: "codes.webhook.timeout_s",
        allowed: Allowed::Number(1, 60),
        default: "5",
        about: "How long one attempt may take, in seconds",
    },
    Key {
        name: "media.store",
        allowed: Allowed::OneOf(&["local", "s3"]),
        default: "local",
        about: "Where file contents end up: in the data folder, or in an S3 store",
    },
    Key {
        name: "media.s3.bucket",
        allowed: Allowed::Text("the name of a bucket that exists"),
        default: "none",
        about: "Bucket for file contents; credentials are in `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`",
    },
    Key {
        name: "media.s3.endpoint",
        allowed: Allowed::Text("an http:// or https:// URL"),
        default: "none",
        about: "URL of the S3 store; none is Amazon's",
    },
    Key {
        name: "media.s3.region",
        allowed: Allowed::Text("a word"),
        default: "us-east-1",
        about: "Region of the bucket",
    },
    Key {
        name: "media.s3.prefix",
        allowed: Allowed::Text("folders such as baudot/files"),
        default: "none",
        about: "What the names of all objects begin with",
    },
    Key {
        name: "media.s3.allow_http",
        allowed: Allowed::Switch,
        default: "false",
        about: "Accept an endpoint without TLS",
    },
    Key {
        name: "media.s3.path_style",
        allowed: Allowed::Switch,
        default: "true",
        about: "Name the bucket in the path rather than in the host name",
    },
    Key {
        name: "media.cache_mib",
        allowed: Allowed::Number(0, 1 << 20),
        default: "16",
        about: "Memory for parts of files that were read lately, in MiB",
    },
    Key {
        name: "media.image_threads",
        allowed: Allowed::Number(1, 64),
        default: "half of the cores",
        about: "Threads that pictures are worked on",
    },
    Key {
        name: "media.upload_s",
        allowed: Allowed::Number(1, 30 * 86_400),
        default: "86400",
        about: "How long an upload that is not finished or not used is kept, in seconds",
    },
    Key {
        name: "media.reference_s",
        allowed: Allowed::Number(1, 30 * 86_400),
        default: "86400",
        about: "How long a file reference is good for, in seconds",
    },
    Key {
        name: "media.sweep_s",
        allowed: Allowed::Number(1, 3600),
        default: "5",
        about: "How often what is over is looked for and cleared, in seconds",
    },
    Key {
        name: "media.large_uploads",
        allowed: Allowed::Switch,
        default: "false",
        about: "Accept files of 8,000 parts (4 GB) instead of 4,000 (2 GB)",
    },
    Key {
        name: "media.external_fetch",
        allowed: Allowed::Switch,
        default: "false",
        about: "Fetch files from addresses that clients name, never from inner networks",
    },
    Key {
        name: "limits.connections_max",
        allowed: Allowed::Number(1, 10_000_000),
        default: "50000",
        about: "Open connections",
    },
    Key {
        name: "limits.connections_per_ip_max",
        allowed: Allowed::Number(1, 10_000_000),
        default: "1000",
        about: "Open connections from one address, or one IPv6 network (/64)",
    },
    Key {
        name: "limits.first_packet_s",
        allowed: Allowed::Number(1, 3600),
        default: "30",
        about: "A connection without a complete packet by then is closed, in seconds",
    },
    Key {
        name: "limits.idle_s",
        allowed: Allowed::Number(60, 86_400),
        default: "900",
        about: "A connection silent for so long is closed, in seconds",
    },
    Key {
        name: "limits.drain_s",
        allowed: Allowed::Number(0, 3600),
        default: "10",
        about: "How long a stopping server waits for what is running, in seconds",
    },
    Key {
        name: "limits.code_lifetime_s",
        allowed: Allowed::Number(30, 3600),
        default: "300",
        about: "How long a login code is good for, in seconds",
    },
    Key {
        name: "log.filter",
        allowed: Allowed::Text(
            "a level (error, warn, info, debug, trace) or directives such as info,server=debug",
        ),
        default: "info",
        about: "What is logged; `RUST_LOG` sets it too",
    },
    Key {
        name: "log.format",
        allowed: Allowed::OneOf(&["auto", "text", "json"]),
        default: "auto",
        about: "Form of the log; `auto` is text on a terminal and JSON otherwise",
    },
];

impl Key {
    /// The setting of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// The environment variable that sets it: `codes.webhook.url` is `BAUDOT_CODES_WEBHOOK_URL`.
    pub fn variable(&self) -> String {
        format!("BAUDOT_{}", self.name.to_uppercase().replace('.', "_"))
    }

    /// Whether its value must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self.allowed, Allowed::Secret(_) | Allowed::SecretList(_))
    }

    /// What is allowed, for people.
    pub fn allowed_text(&self) -> String {
        match self.allowed {
            Allowed::Switch => "true or false".into(),
            Allowed::Number(min, max) => format!("a whole number from {min} to {max}"),
            Allowed::OneOf(words) => words.join(" or "),
            Allowed::Text(text) | Allowed::Secret(text) => text.into(),
            Allowed::List(text) | Allowed::SecretList(text) => format!("a list: {text}"),
        }
    }
}
