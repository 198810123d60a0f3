//! What was ever stored stays readable: a sample of each record, and of each operation that waits in an outbox, as it was
//! first written.
//!
//! `stored.txt` has them, a line each: name, id, bytes. Lines are only ever added (`UPDATE=1 cargo nextest run -p tl` adds those
//! of new constructors); one that fails was stored by somebody, so its decoder has to come back.

#[expect(dead_code, reason = "one way of making values is enough here")]
mod dynamic;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use codegen::parse::Definition;
use dynamic::{Fill, Palette, Sampler, Schema};
use tl::{DecodeError, Layer};

/// Operations that are delivered although callers use them as well; the others say "Delivery" in their documentation.
const ALSO_DELIVERED: [&str; 4] =
    ["chores.add", "keys.destroy", "keys.logout", "usernames.release"];

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored.txt")
}

/// The samples, by id, each with its name.
fn samples() -> BTreeMap<u32, (String, Vec<u8>)> {
    let text = fs::read_to_string(path()).unwrap_or_default();
    let line = |line: &str| {
        let mut words = line.split(' ');
        let (name, id) = words.next()?.split_once('#')?;
        let hex = words.next()?.as_bytes();
        let byte = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok();
        let bytes = hex.chunks(2).map(byte).collect::<Option<Vec<_>>>()?;
        Some((u32::from_str_radix(id, 16).ok()?, (name.to_owned(), bytes)))
    };
    let lines = text.lines().map(|it| line(it).unwrap_or_else(|| panic!("what is this? {it}")));
    lines.collect()
}

fn read(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let value = tl::records::any::value(bytes, Layer::NEWEST);
    value.or_else(|_| tl::operations::any::request(bytes, Layer::NEWEST))
}

fn is_stored(definition: &Definition) -> bool {
    let says_so = definition.docs.first().is_some_and(|line| line.starts_with("Delivery"));
    says_so || ALSO_DELIVERED.contains(&definition.name.to_string().as_str())
}

#[test]
fn what_was_stored_stays_readable() {
    for (name, bytes) in samples().values() {
        let value = read(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        // What became of it is what is stored from now on.
        assert_eq!(read(&value).as_ref(), Ok(&value), "{name}");
    }
}

#[test]
fn all_that_is_stored_has_a_sample() {
    let schema = Schema::ours(&["records.tl", "operations.tl"]);
    let palette = Palette::new(&schema, |_| true);
    let records = schema.constructors.values().filter(|it| it.file.ends_with("records.tl"));
    let stored = records.chain(schema.functions.values().filter(|it| is_stored(it)));
    let mut samples = samples();
    let mut missing = Vec::new();
    for definition in stored {
        samples.entry(definition.id).or_insert_with(|| {
            missing.push(definition.name.to_string());
            let bytes = Sampler::new(&palette, Fill::Most).boxed(definition);
            (definition.name.to_string(), bytes.expect("every type has a constructor"))
        });
    }
    if missing.is_empty() {
        return;
    }
    assert!(std::env::var_os("UPDATE").is_some(), "no sample of {missing:?}: run with UPDATE=1");
    let mut lines: Vec<String> = Vec::new();
    for (id, (name, bytes)) in &samples {
        let mut line = format!("{name}#{id:08x} ");
        bytes.iter().for_each(|byte| write!(line, "{byte:02x}").expect("a string takes all"));
        lines.push(line);
    }
    lines.sort();
    fs::write(path(), lines.join("\n") + "\n").expect("the samples can be written");
}
