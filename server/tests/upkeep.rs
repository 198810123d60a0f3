//! Files are looked after: what is over goes and nothing else, contents move while they are read, a check finds what is
//! wrong, and operators ask through a socket that nobody else can.

#[expect(dead_code, unused_imports, reason = "the tests over the wire use all of it")]
#[path = "common/mod.rs"]
mod common;

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use ::server::{Stores, config::Config, config::MediaStore, limits};
use serde_json::{Value, json};
use services::{Pushed, tables};
use storage::blobs::{PieceKey, s3::Objects};
use storage::{
    BlobId, DataId, Group, Memory, Outbox, Owner, OwnerKind, Partitions, Read as _, View, owners,
};
use tl::api::{enums, functions, types};
use tl::records::types::{FileBlobs, Holds};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use common::person::sent_id;
use common::{PATIENCE, Person, TestServer};

use functions::{messages as api, upload};

/// Further ahead than any chore that there is now.
const LONG_S: i32 = 7 * 24 * 3600;

/// Stores and a folder that outlive servers.
struct Kept {
    stores: Stores,
    data: Arc<tempfile::TempDir>,
}

impl Kept {
    fn new() -> Self {
        let remote = Objects::in_memory().expect("there are threads");
        let stores =
            Stores { remote: Some(Arc::new(remote)), ..Stores::on(Arc::new(Memory::new())) };
        Self { stores, data: Arc::new(tempfile::tempdir().expect("there is room")) }
    }

    async fn start(&self, change: impl FnOnce(&mut Config)) -> TestServer {
        TestServer::start_on(&self.data, self.stores.clone(), change).await
    }

    /// The names of all pieces.
    fn keys(&self) -> Vec<PieceKey> {
        let first = PieceKey { data: DataId(i64::MIN), part: 0, check: [0; 8] };
        self.stores.pieces.keys(&first, usize::MAX).expect("they can be listed")
    }

    /// How many objects the remote store has.
    async fn object_count(&self) -> usize {
        let remote = self.stores.remote.clone().expect("there is one");
        let count = move || (0..=255).map(|first| remote.list(first).expect("listed").len()).sum();
        tokio::task::spawn_blocking(count).await.expect("no panic")
    }

    /// Waits until there are so many pieces and objects.
    async fn settles(&self, pieces: usize, objects: usize) {
        let mut there = (self.keys().len(), self.object_count().await);
        for _ in 0..PATIENCE.as_millis() / 50 {
            if there == (pieces, objects) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            there = (self.keys().len(), self.object_count().await);
        }
        assert_eq!(there, (pieces, objects), "pieces and objects");
    }

    /// Asks as operators do; all lines of the answer.
    async fn ask(&self, request: &str) -> Vec<Value> {
        let socket = self.data.path().join("admin.sock");
        let mut stream = UnixStream::connect(socket).await.expect("the server listens");
        stream.write_all(format!("{request}\n").as_bytes()).await.expect("it reads");
        let mut lines = BufReader::new(stream).lines();
        let mut heard = Vec::new();
        while let Some(line) = lines.next_line().await.expect("it writes") {
            heard.push(serde_json::from_str(&line).expect("JSON"));
        }
        heard
    }

    /// Has everything checked: what is wrong, and the counts.
    async fn check(&self, repair: bool) -> (Vec<String>, Value) {
        let request = json!({ "command": "check", "repair": repair });
        let heard = self.ask(&request.to_string()).await;
        let found = heard.iter().filter_map(|line| line["found"].as_str()).map(str::to_owned);
        let done = heard.last().expect("an answer")["done"].clone();
        assert!(done.is_object(), "{heard:?}");
        (found.collect(), done)
    }

    /// Checks that nothing is wrong.
    async fn is_right(&self) {
        let (found, done) = self.check(false).await;
        assert_eq!((found, &done["wrong"]), (Vec::new(), &json!(0)), "{done}");
    }

    /// Changes rows behind everybody's back, while no server runs.
    fn tamper(&self, owner: &Owner, change: impl FnOnce(&mut storage::Txn<'_, Pushed>)) {
        let engine = &*self.stores.engine;
        let snapshot = engine.snapshot();
        let partitions = Partitions::default();
        let mut outbox =
            Outbox::load(&*snapshot, partitions.of(owner), partitions).expect("readable");
        let mut group = Group::begin(&*snapshot, &mut outbox).expect("readable");
        let done = group.execute(owner, |txn| {
            change(txn);
            Ok::<_, ()>(())
        });
        done.expect("it is the owner's partition");
        group.commit(engine).expect("writable");
    }

    fn owners(&self, kind: OwnerKind) -> Vec<Owner> {
        owners(&*self.stores.engine.snapshot(), kind, None, usize::MAX).expect("readable")
    }
}

fn noise(len: usize, seed: u8) -> Vec<u8> {
    let mut state = u32::from(seed) | 1;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    };
    (0..len).map(next).collect()
}

/// Sends a document; the message's id.
async fn send(person: &mut Person, peer: &enums::InputPeer, content: &[u8]) -> i32 {
    let file_id = person.random_id();
    let mut parts = 0;
    for (part, bytes) in (0..).zip(content.chunks(512 * 1024)) {
        assert!(person.ask(&upload::SaveFilePart::new(file_id, part, bytes)).await);
        parts = part + 1;
    }
    let file = types::InputFile::new(file_id, parts, "file.bin", "").into();
    let media: enums::InputMedia<'_> =
        types::InputMediaUploadedDocument::new(file, "application/x-test", Vec::new()).into();
    let random_id = person.random_id();
    sent_id(&person.ask(&api::SendMedia::new(peer.clone(), media, "", random_id)).await)
}

/// Fetches the document of the newest message.
async fn fetch(person: &mut Person, peer: &enums::InputPeer) -> Vec<u8> {
    let messages = person.history(peer).await;
    let Some(enums::Message::Message(message)) = messages.first() else { panic!("no message") };
    let Some(enums::MessageMedia::MessageMediaDocument(media)) = &message.media else {
        panic!("no document: {message:?}")
    };
    let Some(enums::Document::Document(document)) = &media.document else { panic!("no document") };
    let (hash, reference) = (document.access_hash, document.file_reference);
    let location: enums::InputFileLocation<'_> =
        types::InputDocumentFileLocation::new(document.id, hash, reference, "").into();
    let mut content = Vec::new();
    while content.len() < usize::try_from(document.size).expect("a length") {
        let get = upload::GetFile::new(location.clone(), content.len() as i64, 512 * 1024);
        let file = person.ask(&get).await;
        assert!(!file.bytes.is_empty());
        content.extend_from_slice(file.bytes);
    }
    content
}

async fn delete(person: &mut Person, ids: Vec<i32>) {
    person.ask(&api::DeleteMessages { revoke: true, ..api::DeleteMessages::new(ids) }).await;
}

/// What was never finished goes after its time, also if the server was not there when it was due.
#[tokio::test]
async fn abandoned_uploads_go() {
    let kept = Kept::new();
    let server =
        kept.start(|config| (config.media.upload_s, config.media.sweep_s) = (1, 3600)).await;
    let mut ada = server.person("Ada").await;
    let file_id = ada.random_id();
    assert!(ada.ask(&upload::SaveFilePart::new(file_id, 0, &noise(1024, 1))).await);
    assert_eq!(kept.keys().len(), 1);
    server.sweep(LONG_S).await;
    assert!(kept.keys().len() <= 1, "whether it is over is for the rows to say");
    server.stop().await;
    let server = kept.start(|config| config.media.sweep_s = 1).await;
    kept.settles(0, 0).await;
    kept.is_right().await;
    server.stop().await;
}

/// A file lives as long as somebody has it; the same content is stored once.
#[tokio::test]
async fn the_last_use_takes_the_bytes_along() {
    let kept = Kept::new();
    let server = kept.start(|config| (config.media.upload_s, config.media.sweep_s) = (5, 1)).await;
    let (mut ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let (bob_peer, saved) = (ada.peer(&bob).await, enums::InputPeer::InputPeerSelf);
    let content = noise(700_000, 1);
    let first = send(&mut ada, &bob_peer, &content).await;
    let again = send(&mut ada, &saved, &content).await;
    kept.settles(2, 0).await;
    let random_id = vec![ada.random_id()];
    let forward =
        api::ForwardMessages::new(bob_peer.clone(), vec![first], random_id, saved.clone());
    let forwarded = sent_id(&ada.ask(&forward).await);
    kept.is_right().await;

    delete(&mut ada, vec![first, again]).await;
    // Until their maker's time with them is over, and beyond it.
    tokio::time::sleep(Duration::from_secs(8)).await;
    server.sweep(0).await;
    kept.settles(2, 0).await;
    assert_eq!(fetch(&mut ada, &saved).await, content, "the forwarded one is there");
    kept.is_right().await;

    delete(&mut ada, vec![forwarded]).await;
    kept.settles(0, 0).await;
    kept.is_right().await;
    assert_eq!(kept.owners(OwnerKind::Blob), [], "nothing is left of it");
    assert_eq!(kept.owners(OwnerKind::File), []);
    server.stop().await;
}

/// All contents go to the remote store and come back, and can be read at any time.
#[tokio::test]
async fn contents_move_while_they_are_read() {
    let kept = Kept::new();
    let server = kept.start(|config| config.media.cache_mib = 0).await;
    let (mut ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let peer = ada.peer(&bob).await;
    let contents: Vec<_> = (1..=3).map(|seed| noise(600_000 * usize::from(seed), seed)).collect();
    for content in &contents {
        send(&mut ada, &peer, content).await;
    }
    let pieces = kept.keys().len();
    for (to, here, there) in [("s3", 0, 3), ("local", pieces, 0), ("s3", 0, 3)] {
        let request = json!({ "command": "migrate", "to": to }).to_string();
        let mut migration = std::pin::pin!(kept.ask(&request));
        let heard = loop {
            tokio::select! {
                heard = &mut migration => break heard,
                content = fetch(&mut ada, &peer) => assert!(content == contents[2], "to {to}"),
            }
        };
        let done = &heard.last().expect("an answer")["done"];
        assert_eq!((&done["wrong"], &done["counts"]["moved"]), (&json!(0), &json!(3)), "{heard:?}");
        // What they left, after those who were reading there.
        server.sweep(LONG_S).await;
        kept.settles(here, there).await;
        assert!(fetch(&mut ada, &peer).await == contents[2], "to {to}");
        kept.is_right().await;
    }
    let status = kept.ask(r#"{"command":"status"}"#).await;
    let counts = &status[0]["done"]["counts"];
    assert_eq!(
        (&counts["blobs_here"], &counts["blobs_remote"]),
        (&json!(0), &json!(3)),
        "{status:?}"
    );
    server.stop().await;
}

/// With a remote store, new contents go there by themselves, and those that were here before.
#[tokio::test]
async fn new_contents_are_carried() {
    let kept = Kept::new();
    let server = kept.start(|_| {}).await;
    let mut ada = server.person("Ada").await;
    let saved = enums::InputPeer::InputPeerSelf;
    send(&mut ada, &saved, &noise(5000, 1)).await;
    kept.settles(1, 0).await;
    server.stop().await;

    let server = kept.start(|config| config.media.store = MediaStore::S3).await;
    kept.settles(1, 1).await;
    let mut eve = {
        let client = server.client().await;
        Person::sign_up(client, "9996625555".into(), "Eve").await
    };
    let content = noise(1_200_000, 2);
    let id = send(&mut eve, &saved, &content).await;
    kept.settles(4, 2).await;
    // The object is there a moment before its row says so; only then are the pieces something to be cleared.
    let begun = tokio::time::Instant::now();
    while !kept.keys().is_empty() && begun.elapsed() < PATIENCE {
        server.sweep(LONG_S).await;
    }
    kept.settles(0, 2).await;
    assert!(fetch(&mut eve, &saved).await == content);
    kept.is_right().await;
    delete(&mut eve, vec![id]).await;
    kept.is_right().await;
    server.stop().await;
}

/// Each kind of damage is found, and told by the name of what is damaged.
#[tokio::test]
async fn a_check_finds_what_is_wrong() {
    let kept = Kept::new();
    let server = kept.start(|config| config.media.sweep_s = 3600).await;
    let mut ada = server.person("Ada").await;
    send(&mut ada, &enums::InputPeer::InputPeerSelf, &noise(700_000, 1)).await;
    kept.is_right().await;

    let found = |(found, done): (Vec<String>, Value), expected: &[&str]| {
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for part in expected {
            assert!(found.iter().any(|text| text.contains(part)), "{part}: {found:?}");
        }
        assert_eq!(done["wrong"], json!(expected.len()), "{done}");
    };
    let keys = kept.keys();
    let pieces = &kept.stores.pieces;
    let bytes = pieces.get(&keys[0]).expect("readable").expect("there");
    let mut flipped = bytes.to_vec();
    flipped[1000] ^= 0x10;
    pieces.put(&keys[0], &flipped).expect("writable");
    found(kept.check(true).await, &["piece 0 of blob"]);
    pieces.delete_piece(&keys[0]).expect("writable");
    found(kept.check(false).await, &["is missing"]);
    pieces.put(&keys[0], &bytes).expect("writable");
    kept.is_right().await;

    let orphan = PieceKey { data: DataId(7), part: 0, check: [1; 8] };
    let beside = PieceKey { check: [1; 8], ..keys[1] };
    pieces.put(&orphan, b"nobody's").expect("writable");
    pieces.put(&beside, b"nobody's").expect("writable");
    let remote = kept.stores.remote.clone().expect("there is one");
    let object = move || {
        let mut bytes = Some(bytes::Bytes::from_static(b"nobody's"));
        remote.put(BlobId([9; 32]), DataId(8), 8, &mut || Ok(bytes.take())).expect("writable");
    };
    tokio::task::spawn_blocking(object).await.expect("no panic");
    let expected = [
        "under 0000000000000007 belong to nothing",
        "lies beside",
        "under 0000000000000008 belongs",
    ];
    found(kept.check(false).await, &expected);
    let (nothing, done) = kept.check(true).await;
    assert_eq!((nothing, &done["counts"]["removed"]), (Vec::new(), &json!(3)), "{done}");
    kept.settles(2, 0).await;
    kept.is_right().await;
    server.stop().await;

    let owner = |kind| kept.owners(kind).pop().expect("there is one");
    let (file, blob) = (owner(OwnerKind::File), owner(OwnerKind::Blob));
    let held = |owner: &Owner| {
        let snapshot = kept.stores.engine.snapshot();
        let view = View::new(&*snapshot, owner.clone());
        view.first(tables::HOLDERS, .., storage::Order::Forward).expect("readable").expect("held")
    };
    let set = |owner: &Owner, holder: i64, count: i32| {
        kept.tamper(owner, |txn| txn.put(tables::HOLDERS, &holder, &Holds { count }));
    };
    let (user, holds) = held(&file);
    set(&file, user, holds.count + 1);
    let server = kept.start(|_| {}).await;
    found(kept.check(false).await, &["1 time less than is counted"]);
    server.stop().await;
    set(&file, user, holds.count);
    let (of_file, holds) = held(&blob);
    set(&blob, of_file, holds.count + 2);
    let server = kept.start(|_| {}).await;
    found(kept.check(false).await, &["2 times less than is counted"]);
    server.stop().await;
    set(&blob, of_file, holds.count);
    kept.tamper(&blob, |txn| txn.delete(tables::BLOB, &()));
    let server = kept.start(|_| {}).await;
    found(kept.check(false).await, &["is nowhere", "belong to nothing"]);
    server.stop().await;
    kept.tamper(&file, |txn| txn.put(tables::FILE, &(), &FileBlobs { blobs: Vec::new() }));
    let server = kept.start(|_| {}).await;
    found(kept.check(false).await, &["1 time less than is counted", "belong to nothing"]);
    server.stop().await;
}

/// The socket is its owner's alone, goes with the server, replaces what a crash left, and refuses nonsense.
#[tokio::test]
async fn operators_ask_through_a_socket() {
    let kept = Kept::new();
    let path = kept.data.path().join("admin.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket that nobody serves"));
    assert!(path.exists());
    let server = kept.start(|_| {}).await;
    kept.is_right().await;
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let long = "x".repeat(limits::ADMIN_REQUEST_LEN_MAX as usize + 1);
    for (request, reason) in [
        ("", "no JSON"),
        (&long, "no JSON"),
        (r#"{"command":"dance"}"#, "does not know"),
        (r#"{"command":"migrate","to":"moon"}"#, "to s3 or to local"),
    ] {
        let socket = UnixStream::connect(&path).await.expect("the server listens");
        let (input, mut output) = socket.into_split();
        // What is too long is not read to its end.
        let _ = output.write_all(format!("{request}\n").as_bytes()).await;
        let mut lines = BufReader::new(input).lines();
        let line = lines.next_line().await.expect("it answers").expect("a line");
        assert!(line.contains("failed") && line.contains(reason), "{line}");
    }
    // Those who say nothing keep others waiting, until one of them goes.
    let mut silent = Vec::new();
    for _ in 0..limits::ADMIN_CONNECTION_COUNT_MAX {
        silent.push(UnixStream::connect(&path).await.expect("the server listens"));
    }
    let request = json!({ "command": "check", "repair": false }).to_string();
    let mut waiting = Box::pin(kept.ask(&request));
    let early = tokio::time::timeout(Duration::from_millis(50), &mut waiting).await;
    assert!(early.is_err(), "there was no place");
    silent.pop();
    assert!(!waiting.await.is_empty());
    drop(silent);
    server.stop().await;
    assert!(!path.exists());
}
