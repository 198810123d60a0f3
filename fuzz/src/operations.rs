//! Body of `operations`: whatever partitions are asked, in whatever order it comes, nothing panics, boxes stay whole, what is
//! refused leaves no row, what is delivered is applied once.
//!
//! ```text
//! operations  | world (1) | choices |
//!
//! world % 4   0 people who write to each other, 1 people who have files: as the tests of services have them
//!             2 any operations of the schema, 3 the same and some of them damaged
//! world & 4   of 0 and 1: writes fail, power goes
//! ```
//!
//! Operations are made up by the schema: each field takes one of a few values that mean something, and now and then an
//! extreme one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use codegen::parse::{self, Definition, Kind, Name, Type};
use services::{Origin, UnixTime, partition};
use storage::{AuthKeyId, Failure, FileId, Owner, RECORD_LAYER, UserId};
use tl::operations::functions::{accounts, files, uploads};
use tl::records::enums::File;
use tl::{Encode as _, Sink as _};

#[path = "../../server/services/tests/world/mod.rs"]
mod world;

use world::Random;
use world::cluster::{Cluster, Outcome};
use world::records::{self, Bytes, KIB};

/// More choices only make each run slower.
const CHOICE_COUNT_MAX: usize = 1024;

/// Any choices.
pub fn operations(data: &[u8]) {
    let Some((world, choices)) = data.split_first() else { return };
    let mut random = Random::of_bytes(&choices[..choices.len().min(CHOICE_COUNT_MAX)]);
    let crashes = world & 4 != 0;
    match world % 4 {
        0 => world::chats(&mut random, 3, usize::MAX, crashes),
        1 => world::files(&mut random, 3, usize::MAX, crashes),
        kind => any(&mut random, kind == 3),
    }
}

/// The users there are; and some whom operations name.
const USERS: [i64; 3] = [1_000_000_001, 1_000_000_002, 1_000_000_003];
const PEERS: [i64; 8] =
    [USERS[0], USERS[1], USERS[2], USERS[0], USERS[1], 1_000_000_009, 777_000, 0];
const PHONES: [&str; 4] = ["99966100000001", "99966100000002", "15550100", ""];
const NAMES: [&str; 4] = ["alice", "bobby", "al", ""];
const TEXTS: [&str; 8] =
    ["x", "", "hello @alice", "12345", "  ", "\u{1f600}e\u{301}", "two\nlines", "y"];
const INTS: [i32; 8] = [0, 1, -1, i32::MAX, i32::MIN, 100, -100, KIB];

fn user(id: i64) -> Owner {
    Owner::User(UserId(id))
}

/// What a file of this id is: always the same, so that operations that name it agree.
fn file_of(id: i64) -> (File, Bytes) {
    let bytes = Bytes::new(&[KIB, KIB, 7][id.rem_euclid(3) as usize..], id.cast_unsigned() / 2);
    match id % 4 {
        0 => (records::document_file(id, &bytes, vec![records::audio(true)]), bytes),
        1 => (records::document_file(id, &bytes, vec![records::video(false)]), bytes),
        2 => (records::document_file(id, &bytes, vec![records::named()]), bytes),
        _ => (records::photo_file(id, &bytes), bytes),
    }
}

fn any(random: &mut Random, damaged: bool) {
    let mut cluster = Cluster::new(3);
    for (at, id) in USERS.into_iter().enumerate() {
        let create = accounts::Create { phone: PHONES[at], first_name: "x", last_name: "" };
        call(&mut cluster, random, &user(id), &create.to_vec(RECORD_LAYER));
    }
    while !random.is_spent() {
        match random.below(16) {
            0 | 1 => cluster.carry(random),
            2 => cluster.resend(random),
            3 => cluster.now += [1, 60, 3_600, 86_400][random.below(4)],
            4 => upload(&mut cluster, random),
            _ => {
                let now = cluster.now;
                let (owner, mut operation) = Maker { random, now }.call();
                if damaged && random.one_in(2) {
                    damage(random, &mut operation);
                }
                call(&mut cluster, random, &owner, &operation);
            }
        }
        cluster.pushed.clear();
    }
    cluster.heal();
    while !cluster.idle() {
        cluster.resend(random);
        cluster.carry(random);
    }
    cluster.check_rows();
    for id in USERS {
        world::check::log_has_no_gap(&cluster, id);
        world::check::totals_are_those_of_the_rows(&cluster, id);
    }
}

/// Whatever comes of it, it is an answer or a refusal.
fn call(cluster: &mut Cluster, random: &mut Random, owner: &Owner, operation: &[u8]) {
    match partition::describe(operation) {
        Some((partition::Kind::Read, name)) => {
            let now = UnixTime(cluster.now);
            match cluster.view(owner.clone(), |view| partition::read(view, now, operation)) {
                Ok(_) | Err(Failure::Refused(services::Error::Refused(_))) => {}
                Err(failure) => panic!("{name}: {failure:?}"),
            }
        }
        _ => match cluster.call(random, owner, Origin::default(), operation) {
            Outcome::Answered(_) | Outcome::Refused(services::Error::Refused(_)) => {}
            Outcome::Refused(error) => panic!("{error}"),
            Outcome::Unknown => unreachable!("no write fails"),
        },
    }
}

/// An upload and the file made of it.
fn upload(cluster: &mut Cluster, random: &mut Random) {
    let owner = user(USERS[random.below(USERS.len())]);
    let id = random.below(16) as i64;
    let (file, bytes) = file_of(id);
    let open = uploads::Open::new(id, id, 100).to_vec(RECORD_LAYER);
    call(cluster, random, &owner, &open);
    for part in 0..bytes.lens.len() {
        let store = bytes.store(id, id, part, &bytes.hash(part)).to_vec(RECORD_LAYER);
        call(cluster, random, &owner, &store);
    }
    let make = files::Make::new(file, vec![bytes.part(id)], 100).to_vec(RECORD_LAYER);
    call(cluster, random, &owner, &make);
}

/// Cuts an operation short, or puts something extreme into it.
fn damage(random: &mut Random, operation: &mut Vec<u8>) {
    let at = 4 + random.below(operation.len() / 4) * 4;
    match operation.get_mut(at..at + 4) {
        Some(word) if !random.one_in(8) => {
            word.copy_from_slice(&INTS[random.below(INTS.len())].to_le_bytes());
        }
        _ => operation.truncate(at),
    }
}

/// What there is to be made up.
struct Schema {
    functions: Vec<Definition>,
    types: BTreeMap<Name, Vec<Definition>>,
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let files = [
        ("records.tl", include_str!("../../schema/records.tl")),
        ("operations.tl", include_str!("../../schema/operations.tl")),
    ];
    let mut schema = Schema { functions: Vec::new(), types: BTreeMap::new() };
    for (name, text) in files {
        for definition in parse::parse_unchecked(name, text).expect("the schema is well formed") {
            match definition.kind {
                Kind::Function => schema.functions.push(definition),
                Kind::Constructor => {
                    let name = definition.result.name.clone();
                    schema.types.entry(name).or_default().push(definition);
                }
            }
        }
    }
    schema
});

/// Makes up operations.
struct Maker<'r> {
    random: &'r mut Random,
    now: i32,
}

impl Maker<'_> {
    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.below(of.len())]
    }

    /// An operation, and to whom it is addressed.
    fn call(&mut self) -> (Owner, Vec<u8>) {
        let functions = &SCHEMA.functions;
        let function = &functions[self.random.below(functions.len())];
        // Now and then one that it is not made for.
        let addressed = if self.random.one_in(64) {
            &functions[self.random.below(functions.len())]
        } else {
            function
        };
        let owner = match addressed.name.namespace.as_deref() {
            Some("keys") => Owner::AuthKey(AuthKeyId(self.long("auth_key_id"))),
            Some("directory") => Owner::phone(self.one(&PHONES)),
            Some("usernames") => Owner::username(self.one(&NAMES)),
            Some("holders") => FileId(self.long("id")).into(),
            Some("blobs") => file_of(self.long("id").rem_euclid(16)).1.blob().into(),
            Some("chores") => Owner::chores(self.long("number")),
            _ => user(self.one(&USERS)),
        };
        let mut operation = Vec::new();
        operation.u32(function.id);
        self.fields(function, &mut operation);
        (owner, operation)
    }

    fn fields(&mut self, definition: &'static Definition, out: &mut Vec<u8>) {
        let mut flags = 0;
        for field in &definition.fields {
            if field.ty.name.ident == "#" {
                let conditions = definition.fields.iter().filter_map(|it| it.condition.as_ref());
                let used = conditions.fold(0, |used, it| used | 1_u32 << it.bit);
                let chosen = self.random.below(256) | self.random.below(16) << 8;
                flags = used & u32::try_from(chosen).unwrap_or(0);
                out.u32(flags);
                continue;
            }
            let absent = field.condition.as_ref().is_some_and(|it| flags >> it.bit & 1 == 0);
            if !absent && field.ty.name.ident != "true" {
                self.value(&field.name, &field.ty, out);
            }
        }
    }

    fn value(&mut self, field: &str, ty: &'static Type, out: &mut Vec<u8>) {
        match ty.name.ident.as_str() {
            "int" => out.put(&self.int(field).to_le_bytes()),
            "long" => out.put(&self.long(field).to_le_bytes()),
            "double" => {
                out.put(&self.one(&[0.0, 1.5, -1.0, 91.0, f64::NAN, f64::MAX]).to_le_bytes())
            }
            "string" => out.bytes(self.string(field).as_bytes()),
            "bytes" => out.bytes(&self.bytes(field)),
            "Bool" => out.u32(self.one(&[tl::BOOL_TRUE_ID, tl::BOOL_FALSE_ID])),
            "Vector" => {
                out.u32(tl::VECTOR_ID);
                let count = self.random.below(5);
                out.u32(count as u32);
                (0..count).for_each(|_| self.value(field, &ty.arguments[0], out));
            }
            // The file that is made, mostly as it is.
            "File" if !self.random.one_in(8) => {
                out.put(&file_of(self.long("id").rem_euclid(16)).0.to_vec(RECORD_LAYER));
            }
            _ => {
                let constructors = &SCHEMA.types[&ty.name];
                let constructor = &constructors[self.random.below(constructors.len())];
                out.u32(constructor.id);
                self.fields(constructor, out);
            }
        }
    }

    fn int(&mut self, field: &str) -> i32 {
        let is_moment =
            ["date", "due", "before", "_at", "until"].iter().any(|it| field.contains(it));
        match self.random.below(256) {
            chosen @ 240.. => INTS[chosen % INTS.len()],
            chosen if is_moment => self.now + [-100_000, -60, -1, 0, 1, 60, 100_000][chosen % 7],
            chosen => (chosen % 48) as i32,
        }
    }

    fn long(&mut self, field: &str) -> i64 {
        let people = ["peer", "from", "user", "viewer"].iter().any(|it| field.starts_with(it));
        match self.random.below(256) {
            chosen @ 248.. => [0, -1, i64::MAX, i64::MIN][chosen % 4],
            chosen if people => PEERS[chosen % PEERS.len()],
            chosen => (chosen % 16) as i64,
        }
    }

    fn string(&mut self, field: &str) -> String {
        match field {
            "phone" => self.one(&PHONES).to_owned(),
            "username" => self.one(&NAMES).to_owned(),
            "code" | "code_hash" => self.one(&["1", "2"]).to_owned(),
            _ if self.random.one_in(64) => "\u{1f600}".repeat(1 << self.random.below(13)),
            _ => self.one(&TEXTS).to_owned(),
        }
    }

    fn bytes(&mut self, field: &str) -> Vec<u8> {
        let id = self.long("id").rem_euclid(16);
        let (file, bytes) = file_of(id);
        match field {
            "media" => match self.random.below(4) {
                0 => {
                    let mut out = Vec::new();
                    let attachment = &SCHEMA.types[&Name::new("Attachment")][0];
                    out.u32(attachment.id);
                    self.fields(attachment, &mut out);
                    out
                }
                1 => records::attached(records::media_of(&file, Some(5))),
                _ => records::attached(records::media_of(&file, None)),
            },
            "blob" | "blobs" => Vec::from(bytes.blob().0),
            "hash" => Vec::from(bytes.hash(self.random.below(3))),
            "hashes" => (0..self.random.below(3)).flat_map(|part| bytes.hash(part)).collect(),
            "key" => vec![id as u8; 256],
            _ => vec![id as u8; self.random.below(6)],
        }
    }
}
