//! Tables of configurations and of what is said about the wrong ones.

use mtproto::limits::SECRET_COUNT_MAX;

use super::*;

/// Reads a file with `text`, `BAUDOT_*` variables and `KEY=VALUE` flags.
fn load(text: &str, variables: &[(&str, &str)], flags: &[&str]) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("baudot.toml");
    std::fs::write(&file, text).unwrap();
    let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    let flag = |it: &&str| {
        let (key, value) = it.split_once('=').unwrap();
        Flag { flag: "--set".into(), key: key.into(), value: value.into() }
    };
    let sources = Sources {
        file: Some(file.clone()),
        environment: variables.iter().map(own).collect(),
        flags: flags.iter().map(flag).collect(),
        cores: 3,
    };
    let shown = format!("{}", file.display());
    Config::load(&sources).map_err(|problems| problems.to_string().replace(&shown, "baudot.toml"))
}

/// A configuration that is refused with exactly these lines.
#[track_caller]
fn refused(text: &str, variables: &[(&str, &str)], flags: &[&str], expected: &[&str]) {
    let said = load(text, variables, flags).expect_err("it should be refused");
    assert_eq!(said, expected.join("\n"));
}

#[test]
fn defaults_are_safe_and_complete() {
    let config = load("", &[], &[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:4430");
    assert_eq!(config.data_dir, PathBuf::from("./data"));
    assert_eq!(config.shards, 3);
    assert_eq!(config.dc, Dc { this: 2, accepted: vec![1, 2, 3, 4, 5] });
    assert_eq!(config.websocket, WebSocket::Shared);
    assert!(config.codes.log && config.codes.test_numbers && !config.codes.allow_insecure);
    assert_eq!(config.advertised(config.listen), config.listen);
}

/// The defaults that people read are the ones that hold.
#[test]
fn defaults_are_as_described() {
    for key in KEYS {
        let said_in_words = [
            "none",
            "number of cores",
            "half of the cores",
            "true on loopback",
            "the address that is bound",
        ];
        if said_in_words.contains(&key.default) || key.name == "engine" {
            continue;
        }
        let flag = format!("{}={}", key.name, key.default);
        let (with, without) = (load("", &[], &[&flag]).unwrap(), load("", &[], &[]).unwrap());
        assert_eq!(format!("{with:?}"), format!("{without:?}"), "{}", key.name);
    }
}

#[test]
fn later_layers_win() {
    let text = "listen = '127.0.0.1:1'\nshards = 4\n[codes.webhook]\nurl = 'http://a/'\nsecret = '0123456789abcdef'";
    let variables = [
        ("BAUDOT_LISTEN", "127.0.0.1:2"),
        ("BAUDOT_CODES_WEBHOOK_URL", "https://b/"),
        ("BAUDOT_BIN", "x"),
        ("BAUDOT_TEST_SEED", "x"),
        ("RUST_LOG", "debug"),
        ("HOME", "/"),
    ];
    let config = load(text, &variables, &["listen=127.0.0.1:3", "dc.accepted=2,4"]).unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.shards, 4);
    assert_eq!(config.codes.webhook.unwrap().url, "https://b/");
    assert_eq!(config.dc.accepted, [2, 4]);
    assert_eq!(config.log.filter, "debug");
}

#[test]
fn a_wrong_value_names_file_key_and_what_is_allowed() {
    let text =
        "listen = 'localhost:4430'\nshards = 0\nengine = 'sled'\n[codes.webhook]\nurl = 'ftp://x'";
    let expected = [
        "baudot.toml: listen = \"localhost:4430\": allowed is IP:PORT, such as 127.0.0.1:4430 or [::1]:4430",
        "baudot.toml: engine = \"sled\": allowed is rocks or memory",
        "baudot.toml: shards = 0: allowed is a whole number from 1 to 256",
        "baudot.toml: codes.webhook.url = \"ftp://x\": allowed is an http:// or https:// URL",
    ];
    refused(text, &[], &[], &expected);
}

#[test]
fn a_wrong_variable_or_flag_is_named() {
    let variables = [("BAUDOT_SHARDS", "many"), ("BAUDOT_DC_ACCEPTED", "1,1")];
    let expected = [
        "variable BAUDOT_SHARDS: shards = \"many\": allowed is a whole number from 1 to 256",
        "variable BAUDOT_DC_ACCEPTED: dc.accepted = [\"1\", \"1\"]: allowed is a list: numbers from 1 to 5, each once",
        "flag --set: codes.log = \"yes\": allowed is true or false",
    ];
    refused("", &variables, &["codes.log=yes"], &expected);
}

#[test]
fn unknown_keys_are_refused_everywhere() {
    let text = "lisen = '127.0.0.1:1'\n[codes]\nwebhok = 1\n[zzz]\nlisten = 1";
    let expected = [
        "baudot.toml: unknown key codes.webhok",
        "baudot.toml: unknown key lisen, did you mean listen?",
        "baudot.toml: unknown key zzz",
        "variable BAUDOT_LISTN: unknown key BAUDOT_LISTN, did you mean BAUDOT_LISTEN?",
        "flag --set: unknown key shard, did you mean shards?",
    ];
    refused(text, &[("BAUDOT_LISTN", "x")], &["shard=1"], &expected);
}

#[test]
fn a_value_in_place_of_a_section() {
    let expected = ["baudot.toml: codes = true: allowed is a section [codes]"];
    refused("codes = true", &[], &[], &expected);
}

#[test]
fn wrong_types_and_negative_numbers() {
    let text = "shards = -1\nblock_cache_mib = 1.5\nlisten = 4430\n[codes]\nlog = 1";
    let expected = [
        "baudot.toml: listen = 4430: allowed is IP:PORT, such as 127.0.0.1:4430 or [::1]:4430",
        "baudot.toml: block_cache_mib = 1.5: allowed is a whole number from 8 to 1048576",
        "baudot.toml: shards = -1: allowed is a whole number from 1 to 256",
        "baudot.toml: codes.log = 1: allowed is true or false",
    ];
    refused(text, &[], &[], &expected);
}

#[test]
fn no_toml() {
    let said = load("listen = ", &[], &[]).unwrap_err();
    assert!(said.starts_with("baudot.toml: TOML parse error at line 1, column 10"), "{said}");
}

#[test]
fn no_file() {
    let sources = Sources { file: Some("/nowhere/baudot.toml".into()), ..Sources::default() };
    let said = Config::load(&sources).unwrap_err().to_string();
    assert_eq!(said, "/nowhere/baudot.toml: No such file or directory (os error 2)");
}

/// Secrets are not repeated, even when they are wrong.
#[test]
fn secrets_stay_secret() {
    let text = "[mtproxy]\nsecrets = ['abc']\n[codes.webhook]\nsecret = 'short'";
    let expected = [
        "baudot.toml: codes.webhook.secret = ***: allowed is at least 16 characters",
        "baudot.toml: mtproxy.secrets = ***: allowed is a list: at most 16, 32 hexadecimal digits each, optionally with dd in front",
    ];
    let mut said: Vec<_> = load(text, &[], &[]).unwrap_err().lines().map(str::to_owned).collect();
    said.sort();
    assert_eq!(said, expected);
    let flags = ["codes.webhook.url=http://a/", "codes.webhook.secret=0123456789abcdef"];
    let proxy = "mtproxy.secrets=dd000102030405060708090a0b0c0d0e0f";
    let config = load("", &[], &[flags[0], flags[1], proxy]).unwrap();
    let debug = format!("{config:?}");
    assert!(!debug.contains("0123456789abcdef") && !debug.contains("[0, 1, 2"), "{debug}");
    assert_eq!(config.mtproxy_secrets[0].to_text(), "dd000102030405060708090a0b0c0d0e0f");
}

/// Each secret costs a try on connections that it does not fit.
#[test]
fn secrets_are_few() {
    for (count, fits) in [(SECRET_COUNT_MAX, true), (SECRET_COUNT_MAX + 1, false)] {
        let secrets = vec!["'000102030405060708090a0b0c0d0e0f'"; count].join(",");
        let loaded = load(&format!("[mtproxy]\nsecrets = [{secrets}]"), &[], &[]);
        assert_eq!(loaded.is_ok(), fits, "{count}");
    }
}

#[test]
fn beyond_loopback_codes_must_not_be_guessable() {
    let webhook = ["codes.webhook.url=https://a/", "codes.webhook.secret=0123456789abcdef"];
    let beyond = "listen=192.0.2.1:4430";
    // A delivery that nobody can guess is enough, and test numbers are off by themselves.
    let config = load("", &[], &[beyond, webhook[0], webhook[1]]).unwrap();
    assert!(!config.codes.log && !config.codes.test_numbers);
    load("", &[], &[beyond, "codes.log=true"]).unwrap();

    let guessable = "codes.test_numbers = true (flag --set): others than this machine can reach the server, and \
        anyone can guess the codes of test numbers: set it to false, or set `codes.allow_insecure` to true if \
        that is what you want";
    let expected = [guessable.replace("= true", "= \"true\"")];
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    refused("", &[], &[beyond, "codes.test_numbers=true"], &expected);
    load("", &[], &[beyond, "codes.test_numbers=true", "codes.allow_insecure=true"]).unwrap();
    // What is published is reachable, whatever is bound; so is a second port.
    for reach in ["advertise=192.0.2.1", "websocket.listen=192.0.2.1:80"] {
        refused("", &[], &[reach, "codes.test_numbers=true"], &expected);
    }
}

#[test]
fn without_any_delivery_it_says_what_to_do() {
    for flags in [&["listen=192.0.2.1:4430"][..], &["codes.log=false", "codes.test_numbers=false"]]
    {
        let said = load("", &[], flags).unwrap_err();
        assert!(said.contains("no login code could reach anyone"), "{said}");
        assert!(said.contains("codes.webhook.url") && said.contains("codes.log"), "{said}");
    }
}

#[test]
fn settings_that_do_not_go_together() {
    let cases = [
        (&["listen=0.0.0.0:4430", "codes.log=true"][..], "set `advertise`"),
        (&["dc.this=3", "dc.accepted=1,2"], "it must be among `dc.accepted`"),
        (
            &["websocket.enabled=false", "websocket.listen=127.0.0.1:1"],
            "`websocket.enabled` is false",
        ),
        (&["websocket.listen=127.0.0.1:4430"], "name another port"),
        (&["codes.webhook.url=http://a/"], "set `codes.webhook.secret` as well"),
        (&["codes.webhook.secret=0123456789abcdef"], "no `codes.webhook.url`"),
        (&["media.store=s3"], "set `media.s3.bucket` as well"),
        (&["media.s3.prefix=files"], "there is no `media.s3.bucket`"),
        (&["media.s3.bucket=files", "media.s3.endpoint=http://a/"], "`media.s3.allow_http`"),
    ];
    for (flags, reason) in cases {
        let said = load("", &[], flags).unwrap_err();
        assert!(said.contains(reason), "{flags:?}: {said}");
    }
}

#[test]
fn advertised_address() {
    let cases = [
        ("advertise=192.0.2.7", "192.0.2.7:5000"),
        ("advertise=192.0.2.7:443", "192.0.2.7:443"),
        ("listen=127.0.0.1:0", "127.0.0.1:5000"),
    ];
    for (flag, expected) in cases {
        let config = load("", &[], &[flag, "codes.log=true"]).unwrap();
        let local = "127.0.0.1:5000".parse().unwrap();
        assert_eq!(config.advertised(local).to_string(), expected, "{flag}");
    }
    let allowed = "allowed is IP or IP:PORT that clients can reach, never 0.0.0.0 or [::]";
    let expected = format!("flag --set: advertise = \"0.0.0.0\": {allowed}");
    refused("", &[], &["advertise=0.0.0.0"], &[&expected]);
}

#[test]
fn names_of_variables_are_distinct() {
    let mut names: Vec<_> = KEYS.iter().map(Key::variable).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), KEYS.len());
}

/// The README's table of settings is this list.
#[test]
fn readme_has_every_setting() {
    let readme = include_str!("../../../README.md");
    for key in KEYS {
        let about = key.about.replace('|', "\\|");
        let row = format!("| `{}` | {} | {about} |", key.name, key.default);
        assert!(readme.contains(&row), "README.md lacks this row:\n{row}");
    }
}

/// Where values come from, for `baudot check-config`.
#[test]
fn explained() {
    let flag = Flag { flag: "--shards".into(), key: "shards".into(), value: "2".into() };
    let effective = Config::explain(&Sources { flags: vec![flag], ..Sources::default() }).unwrap();
    let find = |name: &str| effective.iter().find(|it| it.key == name).unwrap().clone();
    assert_eq!(find("shards").origin, "flag --shards");
    assert_eq!(find("listen").origin, "default");
    assert_eq!(effective.len(), KEYS.len());
}
