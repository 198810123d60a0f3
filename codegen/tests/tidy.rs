//! Checks of the repository itself: what the house rules say and no compiler sees.
//!
//! | test                          | what it holds                                                      |
//! |-------------------------------|--------------------------------------------------------------------|
//! | `dependency_directions`       | the table of `ARCHITECTURE.md`, against every `Cargo.toml`         |
//! | `sources_stay_free`           | the same table, against what the sources name                      |
//! | `dependencies_have_reasons`   | a comment above each dependency of the workspace                   |
//! | `modules_have_docs`           | `//!` at the top of every Rust file                                |
//! | `files_are_one_idea`          | length of hand-written Rust outside tests                          |
//! | `links_resolve`               | links between Markdown files                                       |
//! | `methods_are_tested`          | each API method is named by a test, or in the table of coverage    |
//! | `limits_are_reached`          | each bound of a `limits.rs` is named by a test, or told why not    |
//! | `nothing_is_left_over`        | no marks of unfinished work                                        |
//!
//! It uses std alone: what it reads is ours, so lines and prefixes are enough.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a Rust file outside its tests.
const FILE_LINE_COUNT_MAX: usize = 600;

/// Folders that are not ours, are generated, or are data.
const SKIPPED: &[&str] = &[
    ".git",
    ".venv",
    "__pycache__",
    "artifacts",
    "corpus",
    "data",
    "golden",
    "node_modules",
    "target",
];

/// What a package may use, and what it stays free of.
struct Rule {
    folder: &'static str,
    package: &'static str,
    /// Our packages it is built on.
    uses: &'static [&'static str],
    /// Our packages its build script runs.
    build: &'static [&'static str],
    /// All foreign crates it may use; `None` where any will do.
    only: Option<&'static [&'static str]>,
    /// Foreign crates it must not use.
    never: &'static [&'static str],
    /// What its sources must not name.
    free_of: &'static [&'static str],
}

/// Crates with sockets, threads, clocks or global randomness in them.
const OUTSIDE: &[&str] = &[
    "tokio",
    "mio",
    "socket2",
    "getrandom",
    "rand",
    "ureq",
    "rustls",
    "tracing-subscriber",
    "clap",
    "figment",
];

const RULES: &[Rule] = &[
    Rule {
        folder: "codegen",
        package: "codegen",
        uses: &[],
        build: &[],
        only: Some(&[]),
        never: &[],
        free_of: &["SystemTime", "std::net"],
    },
    Rule {
        folder: "schema",
        package: "tl",
        uses: &[],
        build: &["codegen"],
        only: Some(&["bytes", "thiserror"]),
        never: &[],
        free_of: &["SystemTime", "Instant::now", "std::net", "tokio"],
    },
    Rule {
        folder: "crypto",
        package: "crypto",
        uses: &[],
        build: &[],
        only: None,
        never: OUTSIDE,
        free_of: &["SystemTime", "Instant::now", "std::net", "tokio"],
    },
    Rule {
        folder: "server/mtproto",
        package: "mtproto",
        uses: &["crypto", "tl"],
        build: &[],
        only: None,
        never: &["rocksdb", "storage"],
        free_of: &["SystemTime", "Instant::now", "std::net", "std::thread", "tokio"],
    },
    Rule {
        folder: "storage",
        package: "storage",
        uses: &["tl"],
        build: &[],
        only: None,
        // Of those outside not tokio: `object_store` needs a runtime, which `blobs/s3.rs` hides.
        never: &["mio", "socket2", "getrandom", "rand", "ureq", "rustls", "clap", "figment"],
        free_of: &["std::net", "mtproto::", "tl::api", "tl::mtproto"],
    },
    Rule {
        folder: "server/pictures",
        package: "pictures",
        uses: &["tl"],
        build: &[],
        only: None,
        never: OUTSIDE,
        free_of: &["SystemTime", "Instant::now", "std::net", "std::thread", "tokio"],
    },
    Rule {
        folder: "server/services",
        package: "services",
        uses: &["storage", "tl"],
        build: &["codegen"],
        only: None,
        never: &["crypto", "rocksdb"],
        free_of: &[
            "SystemTime",
            "Instant::now",
            "std::net",
            "std::thread",
            "tokio",
            "tl::api",
            "tl::mtproto",
        ],
    },
    Rule {
        folder: "server",
        package: "server",
        uses: &["crypto", "mtproto", "pictures", "services", "storage", "tl"],
        build: &["codegen"],
        only: None,
        never: &["rocksdb"],
        free_of: &[],
    },
    Rule {
        folder: "benches",
        package: "benches",
        uses: &["codegen", "crypto", "mtproto", "server", "services", "storage", "tl"],
        build: &[],
        only: None,
        never: &[],
        free_of: &[],
    },
    Rule {
        folder: "benches/load",
        package: "load",
        uses: &["crypto", "mtproto", "tl"],
        build: &[],
        only: None,
        never: &["rocksdb"],
        free_of: &["storage::", "services::"],
    },
];

/// Constants of a `limits.rs` that no test names, and why there is nothing that one could show.
const NOT_REACHED: &[(&[&str], &str)] = &[
    (&["PARTITION_COUNT"], "A default: there is nothing beyond it."),
    (&["REMOTE_PART_COUNT_MAX"], "What S3 allows: asserted to be more than there can be."),
    (
        &["SHARD_COMMANDS_AT_ONCE"],
        "How much at once: what is beyond has its turn right after, and nobody can tell.",
    ),
];

#[test]
fn dependency_directions() {
    let mut wrong = Vec::new();
    let members = section(&read("Cargo.toml"), "workspace");
    let members = members.iter().find_map(|line| line.strip_prefix("members = "));
    for member in quoted(members.expect("the workspace has members")) {
        if !RULES.iter().any(|rule| rule.folder == member) {
            wrong.push(format!("{member}: has no rule in {}", file!()));
        }
    }
    for rule in RULES {
        let path = format!("{}/Cargo.toml", rule.folder);
        let manifest = read(&path);
        if !manifest.contains(&format!("name = \"{}\"", rule.package)) {
            wrong.push(format!("{path}: is not package {}", rule.package));
        }
        let own = |name: &str| RULES.iter().any(|rule| rule.package == name);
        for name in dependencies(&manifest, "dependencies") {
            let fine = if own(&name) {
                rule.uses.contains(&name.as_str())
            } else {
                let listed = rule.only.is_none_or(|only| only.contains(&name.as_str()));
                let pure = rule.package == "mtproto" || rule.package == "services";
                let outside = pure && OUTSIDE.contains(&name.as_str());
                // Only storage knows which engine there is.
                listed && !outside && !rule.never.contains(&name.as_str())
            };
            if !fine {
                wrong.push(format!("{path}: {} must not depend on {name}", rule.package));
            }
        }
        for name in dependencies(&manifest, "build-dependencies") {
            if !rule.build.contains(&name.as_str()) {
                wrong.push(format!("{path}: the build of {} must not use {name}", rule.package));
            }
        }
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for line in section(&manifest, kind) {
                if line.contains('=') && !line.contains("workspace = true") {
                    wrong.push(format!("{path}: not from the workspace: {line}"));
                }
            }
        }
    }
    check(wrong);
}

#[test]
fn sources_stay_free() {
    let mut wrong = Vec::new();
    for rule in RULES {
        for path in files("rs") {
            let inside = path.starts_with(&format!("{}/src/", rule.folder));
            if !inside || is_test(&path) {
                continue;
            }
            for (number, line) in without_tests(&read(&path)).enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for word in rule.free_of.iter().filter(|word| names(code, word)) {
                    wrong.push(format!(
                        "{path}:{}: {} is free of {word}",
                        number + 1,
                        rule.package
                    ));
                }
            }
        }
    }
    check(wrong);
}

#[test]
fn dependencies_have_reasons() {
    let mut wrong = Vec::new();
    let manifest = read("Cargo.toml");
    let mut reason = false;
    for line in section(&manifest, "workspace.dependencies") {
        // A heading between groups is no reason; an empty line ends what a reason is for.
        match line.strip_prefix('#') {
            Some(comment) => reason = !comment.trim_start().starts_with("---"),
            None if line.is_empty() => reason = false,
            None if !reason => wrong.push(format!("Cargo.toml: no reason above {line}")),
            None => {}
        }
    }
    check(wrong);
}

#[test]
fn modules_have_docs() {
    let mut wrong = Vec::new();
    for path in files("rs") {
        let text = read(&path);
        let first = text.lines().find(|line| !line.is_empty() && !line.starts_with("#!["));
        if !first.is_some_and(|line| line.starts_with("//! ")) {
            wrong.push(format!("{path}: does not begin with its purpose (//!)"));
        }
    }
    check(wrong);
}

#[test]
fn files_are_one_idea() {
    let mut wrong = Vec::new();
    for path in files("rs").into_iter().filter(|path| !is_test(path)) {
        let text = read(&path);
        let count = without_tests(&text).count();
        if count > FILE_LINE_COUNT_MAX {
            wrong.push(format!("{path}: {count} lines, at most {FILE_LINE_COUNT_MAX}"));
        }
    }
    check(wrong);
}

#[test]
fn links_resolve() {
    let mut wrong = Vec::new();
    for path in files("md") {
        let mut fenced = false;
        for (number, line) in read(&path).lines().enumerate() {
            fenced ^= line.trim_start().starts_with("```");
            if fenced {
                continue;
            }
            for part in line.split("](").skip(1) {
                let target = part.split(')').next().unwrap_or_default();
                let target = target.split('#').next().unwrap_or_default();
                let elsewhere = target.contains("://") || target.starts_with("mailto:");
                let folder = Path::new(&path).parent().unwrap_or_else(|| Path::new(""));
                if !target.is_empty() && !elsewhere && !root().join(folder).join(target).exists() {
                    wrong.push(format!("{path}:{}: there is no {target}", number + 1));
                }
            }
        }
    }
    check(wrong);
}

#[test]
fn methods_are_tested() {
    let mut tests = String::new();
    for path in files("rs").into_iter().chain(files("py")).filter(|path| is_test(path)) {
        // This file names methods only to show how.
        if !path.ends_with("tidy.rs") {
            tests.push_str(&read(&path));
        }
    }
    let mut wrong = Vec::new();
    let coverage = coverage(&mut wrong);
    for method in methods() {
        let named = spellings(&method).iter().any(|spelling| names(&tests, spelling));
        if !named && !coverage.contains_key(&method) {
            wrong.push(format!("{method}: no test names it, nor does docs/coverage.md"));
        }
    }
    check(wrong);
}

/// A test that reaches a bound names it in its code, and not the number: so it goes on reaching it when the bound changes.
#[test]
fn limits_are_reached() {
    let mut wrong = Vec::new();
    let mut bounds: BTreeMap<String, String> = BTreeMap::new();
    for path in files("rs").into_iter().filter(|path| path.ends_with("/limits.rs")) {
        if is_test(&path) {
            continue;
        }
        for line in read(&path).lines() {
            let Some(rest) = line.strip_prefix("pub const ") else { continue };
            let name = rest.split(':').next().unwrap_or_default().to_owned();
            if let Some(other) = bounds.insert(name.clone(), path.clone()) {
                wrong.push(format!("{path}: {name} is in {other} as well"));
            }
        }
    }
    let mut tests = String::new();
    for path in files("rs").into_iter().filter(|path| !path.starts_with("benches/")) {
        let text = read(&path);
        let test = if is_test(&path) {
            text.as_str()
        } else {
            text.split_once("\n#[cfg(test)]\nmod tests {").map_or("", |(_, test)| test)
        };
        // Elsewhere the name may be that of something else.
        let package = path.split_once("/src/").map_or("", |(package, _)| package);
        let has_bounds = bounds.values().any(|path| path.starts_with(&format!("{package}/src/")));
        if !(has_bounds || names(&text, "limits")) || path.ends_with("/tidy.rs") {
            continue;
        }
        let mut is_import = false;
        for line in test.lines().map(str::trim_start) {
            is_import |= line.starts_with("use ");
            if !is_import && !line.starts_with("//") {
                tests.push_str(line);
                tests.push('\n');
            }
            is_import &= !line.ends_with(';');
        }
    }
    let excused: Vec<&str> = NOT_REACHED.iter().flat_map(|(names, _)| *names).copied().collect();
    for (name, path) in &bounds {
        match (names(&tests, name), excused.contains(&name.as_str())) {
            (false, false) => wrong.push(format!("{path}: no test names {name}")),
            (true, true) => wrong.push(format!("{path}: {name} is named by a test, and excused")),
            _ => {}
        }
    }
    for name in excused.iter().filter(|name| !bounds.contains_key(**name)) {
        wrong.push(format!("{}: there is no {name}", file!()));
    }
    check(wrong);
}

#[test]
fn nothing_is_left_over() {
    // In pieces, so that this file has none of them.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("HA", "CK"),
        concat!("To be ", "written."),
        concat!("unimpl", "emented!("),
        concat!("to", "do!("),
        concat!("<<", "<<<<< "),
        concat!(">>", ">>>>> "),
    ];
    let mut wrong = Vec::new();
    for kind in ["rs", "tl", "py", "js", "mjs", "toml", "md", "sh"] {
        for path in files(kind) {
            for (number, line) in read(&path).lines().enumerate() {
                for mark in marks.iter().filter(|mark| line.contains(**mark)) {
                    wrong.push(format!("{path}:{}: {mark}", number + 1));
                }
            }
        }
    }
    check(wrong);
}

/// Fails with all that is wrong, a line each.
#[track_caller]
fn check(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// The checkout.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is a folder of the workspace")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Paths of all our files with this extension, from the root of the checkout, sorted.
fn files(extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("folders can be listed") {
            let entry = entry.expect("folders can be listed");
            let path = folder.join(entry.file_name());
            let kind = entry.file_type().expect("entries have a type");
            let name = entry.file_name().to_string_lossy().into_owned();
            if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
                folders.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|it| it == extension) {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// Whether a file holds tests, fuzz targets or benches, and nothing that ships.
fn is_test(path: &str) -> bool {
    let shows = |part: &str| ["tests", "tests.rs", "tests.py", "fuzz", "benches"].contains(&part);
    path.split('/').any(shows)
}

/// The lines before a file's own tests.
fn without_tests(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take_while(|line| *line != "#[cfg(test)]")
}

/// Whether `text` has `word` with nothing that would make it part of another name around it.
fn names(text: &str, word: &str) -> bool {
    let part = |char: char| char.is_alphanumeric() || char == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let starts = word.starts_with(part);
        let ends = word.ends_with(part);
        !(starts && before.is_some_and(part) || ends && after.is_some_and(part))
    })
}

/// The lines of a section of a manifest, trimmed.
fn section(manifest: &str, name: &str) -> Vec<String> {
    let head = format!("[{name}]");
    let lines = manifest.lines().map(str::trim).skip_while(|line| *line != head).skip(1);
    lines.take_while(|line| !line.starts_with('[')).map(str::to_owned).collect()
}

/// Names of the dependencies of one kind.
fn dependencies(manifest: &str, kind: &str) -> Vec<String> {
    let lines = section(manifest, kind);
    let entries = lines.iter().filter(|line| !line.starts_with('#') && line.contains('='));
    entries.filter_map(|line| line.split(['.', ' ', '=']).next()).map(str::to_owned).collect()
}

/// The strings in a line.
fn quoted(line: &str) -> Vec<&str> {
    line.split('"').skip(1).step_by(2).collect()
}

/// Names of the API methods, as the schema has them.
fn methods() -> Vec<String> {
    let mut methods = Vec::new();
    for path in files("tl").into_iter().filter(|path| path.starts_with("schema/api/")) {
        let text = read(&path);
        let lines = text.lines().skip_while(|line| *line != "---functions---").skip(1);
        let lines = lines.take_while(|line| *line != "---types---");
        let names = lines.filter(|line| !line.starts_with("//") && line.contains('='));
        methods.extend(names.filter_map(|line| line.split(['#', ' ']).next()).map(str::to_owned));
    }
    assert!(!methods.is_empty(), "the schema has methods");
    methods
}

/// How tests spell a method: `auth.sendCode` as it is, as our struct and as our handler, and as Telethon's
/// and pyrogram's classes. Methods without a namespace have one name alone.
fn spellings(method: &str) -> Vec<String> {
    let Some((namespace, name)) = method.split_once('.') else {
        return vec![method.to_owned(), capitalised(method)];
    };
    let class = capitalised(name);
    vec![
        method.to_owned(),
        format!("{namespace}::{class}"),
        format!("{namespace}::{}", snake(name)),
        format!("{namespace}.{class}"),
        format!("{namespace}.{class}Request"),
    ]
}

fn capitalised(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for char in name.chars() {
        if char.is_uppercase() {
            snake.push('_');
        }
        snake.extend(char.to_lowercase());
    }
    snake
}

/// The table of coverage: a method to the test that shows it. Tests that it names must exist.
fn coverage(wrong: &mut Vec<String>) -> BTreeMap<String, String> {
    let Ok(text) = fs::read_to_string(root().join("docs/coverage.md")) else {
        return BTreeMap::new();
    };
    let mut coverage = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let (Some(method), Some(test)) = (cells.first(), cells.last()) else { continue };
        if cells.len() < 3 || test.is_empty() {
            continue;
        }
        let paths = test.split(['`', ' ', ',', ':']).filter(|it| it.contains('/'));
        for path in paths.filter(|path| path.ends_with(".rs") || path.ends_with(".py")) {
            if !root().join(path).exists() {
                wrong.push(format!("docs/coverage.md: there is no {path}"));
            }
        }
        coverage.insert(method.trim_matches('`').to_owned(), (*test).to_owned());
    }
    coverage
}

/// The helpers above, on what they are for.
#[test]
fn helpers() {
    assert!(names("ctx.call(auth::SendCode {", "auth::SendCode"));
    assert!(!names("auth::SendCodes", "auth::SendCode"));
    assert!(names("use tokio::net;", "tokio") && !names("tokio_util", "tokio"));
    assert!(spellings("auth.sendCode").contains(&"auth::send_code".to_owned()));
    assert_eq!(spellings("invokeWithLayer"), ["invokeWithLayer", "InvokeWithLayer"]);
    assert!(is_test("server/tests/a.rs") && is_test("server/src/codes/webhook/tests.rs"));
    assert!(!is_test("server/src/codes/mod.rs"));
}
