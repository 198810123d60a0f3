//! `docs/coverage.md`: each method that the server answers, how, and the test that shows it.
//!
//! The methods and `@empty REASON` are the schema's; the tests are found by the names that they call a method by. `UPDATE=1` writes
//! the file. A test that it names stays in it for as long as that test shows the method.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use codegen::names;
use codegen::parse::{Definition, Kind};

const FILE: &str = "docs/coverage.md";

/// Where tests are, the most telling first.
const FOLDERS: &[&str] = &["server/tests/interop", "server/tests", "server/src"];

/// What tests of foreign clients call, in whose names the method does not appear.
const FRIENDLY: &[(&str, &[&str])] = &[
    ("auth.bindTempAuthKey", &["bind("]),
    ("auth.sendCode", &["client.send_code_request(", "client.send_code("]),
    ("auth.signUp", &["world.sign_up("]),
    ("auth.signIn", &["world.sign_in("]),
    ("auth.logOut", &["client.log_out("]),
    ("contacts.importContacts", &["world.pair("]),
    ("messages.sendMessage", &[".send("]),
    ("messages.sendMedia", &["client.send_file(", "client.send_photo("]),
    ("messages.editMessage", &[".edit("]),
    ("messages.deleteMessages", &[".delete("]),
    ("messages.forwardMessages", &[".forward("]),
    ("messages.getHistory", &[".history("]),
    ("messages.getMessages", &["client.get_messages("]),
    ("messages.getDialogs", &["client.get_dialogs(", "client.iter_dialogs("]),
    ("messages.readHistory", &[".read("]),
    ("messages.search", &["client.search_messages(", "client.iter_messages("]),
    ("messages.setTyping", &[".start_typing("]),
    ("photos.getUserPhotos", &["client.get_profile_photos("]),
    ("upload.saveFilePart", &["save("]),
    ("upload.saveBigFilePart", &["save("]),
    ("upload.getFile", &["client.download_media(", "client.iter_download("]),
    ("users.getFullUser", &["client.get_chat("]),
    ("invokeWithLayer", &["layer="]),
    ("initConnection", &["layer="]),
    ("invokeWithoutUpdates", &["receive_updates=False", "no_updates=True"]),
    ("updates.getDifference", &["client.catch_up("]),
];

/// A test and its text.
struct Test {
    path: String,
    name: String,
    text: String,
}

impl Test {
    fn cell(&self) -> String {
        format!("`{}`: `{}`", self.path, self.name)
    }

    /// Whether one of the spellings stands in it as a whole word.
    fn shows(&self, spellings: &[String]) -> bool {
        let part = |char: char| char.is_alphanumeric() || char == '_';
        spellings.iter().any(|word| {
            self.text.match_indices(word.as_str()).any(|(at, _)| {
                let before = self.text[..at].chars().next_back();
                let after = self.text[at + word.len()..].chars().next();
                let whole_before = !before.is_some_and(part) || !word.starts_with(part);
                whole_before && !(word.ends_with(part) && after.is_some_and(part))
            })
        })
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is a folder of the workspace")
}

/// The functions of the API, in the order of their names.
fn methods() -> BTreeMap<String, Definition> {
    let definitions = codegen::read(&[root().join("schema/api")]).unwrap_or_else(|e| panic!("{e}"));
    let functions = definitions.into_iter().filter(|it| it.kind == Kind::Function);
    functions.map(|definition| (definition.name.to_string(), definition)).collect()
}

/// How tests spell a method: as the schema does, as our struct and handler, as Telethon's and pyrogram's classes.
fn spellings(definition: &Definition) -> Vec<String> {
    let name = &definition.name;
    let class = names::camel(&name.ident);
    let mut spellings = vec![name.to_string()];
    match &name.namespace {
        Some(namespace) => spellings.extend([
            format!("{namespace}::{class}"),
            format!("{namespace}::{}", names::snake(&name.ident)),
            format!("{namespace}.{class}"),
            format!("{namespace}.{class}Request"),
        ]),
        None => spellings.extend([class.clone(), format!("{class}Request")]),
    }
    let friendly = FRIENDLY.iter().filter(|(method, _)| *method == name.to_string());
    spellings.extend(friendly.flat_map(|(_, calls)| calls.iter().map(|call| (*call).to_owned())));
    spellings
}

fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for folder in FOLDERS {
        for path in files(&root().join(folder)) {
            let text = fs::read_to_string(&path).expect("tests can be read");
            let path = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy().into_owned();
            if tests.iter().any(|test: &Test| test.path == path) {
                continue;
            }
            let found = if path.ends_with(".py") { python(&text) } else { rust(&text) };
            tests.extend(found.into_iter().map(|(name, text)| Test {
                path: path.clone(),
                name,
                text,
            }));
        }
    }
    tests
}

/// The sources in a folder that may hold tests, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path));
        } else if name.ends_with(".rs") || name.starts_with("test_") && name.ends_with(".py") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Tests of pytest: from a decorator to the next thing at the start of a line.
fn python(text: &str) -> Vec<(String, String)> {
    let mut tests = Vec::new();
    let mut decorators = String::new();
    let mut test: Option<(String, String)> = None;
    for line in text.lines() {
        let at_start = !line.is_empty() && !line.starts_with([' ', ')', ']', '#']);
        if at_start {
            tests.extend(test.take());
            let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("def ");
            let name = function.and_then(|rest| rest.split('(').next()).unwrap_or_default();
            if name.starts_with("test_") {
                test = Some((name.to_owned(), core::mem::take(&mut decorators)));
            } else if !line.starts_with('@') {
                decorators.clear();
            }
        }
        let text = test.as_mut().map_or(&mut decorators, |(_, text)| text);
        text.push_str(line);
        text.push('\n');
    }
    tests.extend(test);
    tests
}

/// Functions of Rust below `#[test]` or its kin, up to the closing brace in the same column.
fn rust(text: &str) -> Vec<(String, String)> {
    let mut tests = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let attribute = line.trim_start();
        let is_test = attribute.starts_with("#[test")
            || attribute.starts_with("#[tokio::test")
            || attribute.starts_with("#[case");
        if !is_test {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - attribute.len()]);
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
        let head = body.iter().find_map(|line| line.split_once("fn "));
        let name = head.and_then(|(_, rest)| rest.split('(').next());
        tests.extend(name.map(|name| (name.to_owned(), body.join("\n"))));
    }
    tests
}

/// The tests that the file names now, by method.
fn named() -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join(FILE)).unwrap_or_default();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        match cells.as_slice() {
            [method, _, test] => Some((method.trim_matches('`').to_owned(), (*test).to_owned())),
            _ => None,
        }
    });
    rows.collect()
}

fn status(definition: &Definition) -> String {
    match definition.annotation("empty") {
        Some(reason) => format!("empty answer by design: {reason}"),
        None => "works".to_owned(),
    }
}

fn coverage() -> String {
    let (tests, named) = (tests(), named());
    let mut namespaces: BTreeMap<Option<String>, Vec<Definition>> = BTreeMap::new();
    for definition in methods().into_values() {
        namespaces.entry(definition.name.namespace.clone()).or_default().push(definition);
    }
    let mut rows = String::new();
    let (mut count, mut empty, mut shown) = (0, 0, 0);
    for (namespace, definitions) in namespaces {
        let title =
            namespace.map_or_else(|| "Around other methods".to_owned(), |it| format!("`{it}`"));
        let _ = write!(rows, "\n## {title}\n\n| method | status | test |\n|---|---|---|\n");
        for definition in definitions {
            let (method, spellings) = (definition.name.to_string(), spellings(&definition));
            let mut candidates = tests.iter().filter(|test| test.shows(&spellings));
            let kept = named.get(&method);
            let kept = kept
                .filter(|cell| tests.iter().any(|it| it.cell() == **cell && it.shows(&spellings)));
            let cell =
                kept.cloned().or_else(|| candidates.next().map(Test::cell)).unwrap_or_default();
            count += 1;
            empty += usize::from(definition.annotation("empty").is_some());
            shown += usize::from(!cell.is_empty());
            let space = if cell.is_empty() { "" } else { " " };
            let _ = writeln!(rows, "| `{method}` | {} | {cell}{space}|", status(&definition));
        }
    }
    format!(
        "# Coverage\n\nThe methods of the API that this server answers: {count}, of which {empty} have an empty answer by design; \
         {shown} are\nshown by a test that is named here.\n\nGenerated from `schema/api/` and the tests by `UPDATE=1 cargo test -p codegen --test coverage`; \
         without `UPDATE` that test\nfails if this file is out of date. Methods that are not listed are refused with `INPUT_METHOD_INVALID`.\n{rows}"
    )
}

#[test]
fn coverage_is_up_to_date() {
    let (path, text) = (root().join(FILE), coverage());
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the folder is ours");
        fs::write(&path, text).expect("the file is ours");
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let different = text.lines().zip(found.lines()).find(|(wanted, line)| wanted != line);
    assert_eq!(different, None, "{FILE} is out of date: UPDATE=1 writes it");
    assert_eq!(text, found, "{FILE} is out of date: UPDATE=1 writes it");
}

#[test]
fn tests_are_found() {
    let text = "@mark(\n    functions.a.B(),\n)\nasync def test_one(world):\n    c()\n\n\ndef helper():\n    d()\n";
    let [(name, body)] = python(text).try_into().unwrap();
    assert_eq!(name, "test_one");
    assert!(body.contains("functions.a.B()") && body.contains("c()") && !body.contains("d()"));
    let text =
        "fn a() {\n    x()\n}\n\n#[tokio::test]\nasync fn two() {\n    y()\n}\n\nfn b() {}\n";
    let [(name, body)] = rust(text).try_into().unwrap();
    assert_eq!(name, "two");
    assert!(body.contains("y()") && !body.contains("x()"));
}
