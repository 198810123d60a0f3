//! What is not the peer's fault: a clock that is set, a disk that is full, a remote store that does not answer, a server that
//! stops.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use bytes::Bytes;
use mtproto::client::RequestId;
use server::config::{Config, MediaStore};
use server::{Stores, limits};
use storage::blobs::s3::Objects;
use storage::blobs::{MemoryPieces, PieceKey, Pieces, Summed};
use storage::{DataId, Memory};
use tl::api::{enums, functions, types};

use super::upload::{bytes, fetch, location, make, send};
use crate::common::person::texts;
use crate::common::{Client, Options, PATIENCE, Person, TestServer};

const HOUR_S: i64 = 3600;

/// Has everything that goes by the clock looked at.
async fn ticks() {
    tokio::time::sleep(2 * limits::TICK).await;
}

/// The system's clock is set, forwards and back: connections and sessions stay, messages arrive, and dates never go
/// back.
#[tokio::test]
async fn a_clock_that_is_set_ends_nothing() {
    let server = TestServer::start().await;
    let (mut alice, mut bob) = (server.person("Alice").await, server.person("Bob").await);
    let to_bob = alice.peer(&bob).await;
    let mut last = 0;
    // From here on a jump is taken for one.
    let late_s = i64::try_from(limits::TICK_LATE.as_secs()).unwrap();
    let hours = [5, -5, -72, 400 * 24, -1].map(|hours| hours * HOUR_S);
    let jumps = [0, late_s - 1, late_s, -late_s, 3 * late_s].into_iter().chain(hours);
    for (number, by_s) in jumps.enumerate() {
        server.set_clock(by_s);
        ticks().await;
        let text = format!("after {by_s}");
        alice.say(&to_bob, &text).await;
        let got = bob.next_message().await;
        assert_eq!(got.message, text);
        assert!(got.date >= last, "{} after {last}", got.date);
        last = got.date;
        // Each has one session, on one connection, since the beginning: a broken one would have ended the test.
        assert_eq!((alice.lives().len(), bob.lives().len()), (1, 1), "jump {number}");
    }
}

/// A full disk: what would be stored is refused with an error that says so, what can be read is read, also by clients that
/// connect meanwhile; and it is over when there is room.
#[tokio::test]
async fn a_full_disk_refuses_writes_and_serves_reads() {
    let data = Arc::new(tempfile::tempdir().unwrap());
    let memory = Arc::new(Memory::new());
    let stores = Stores::on(Arc::clone(&memory) as _);
    let server = TestServer::start_on(&data, stores, |_| {}).await;
    let (mut alice, mut bob) = (server.person("Alice").await, server.person("Bob").await);
    let to_bob = alice.peer(&bob).await;
    let to_alice = bob.peer(&alice).await;
    alice.say(&to_bob, "before").await;
    assert_eq!(bob.next_message().await.message, "before");

    memory.fill();
    let send = functions::messages::SendMessage::new(to_bob.clone(), "no room", 8);
    assert_eq!(alice.refused(&send).await, "STORAGE_FULL");
    let part = functions::upload::SaveFilePart::new(1, 0, &[1; 1024]);
    assert_eq!(alice.refused(&part).await, "STORAGE_FULL");
    assert_eq!(texts(&alice.history(&to_bob).await), ["before"]);
    // Another version of the application tells of itself, which would be stored.
    let (key, salt) = (bob.auth_key().clone(), bob.first_salt());
    let options = Options { device: "newer", ..Options::default() };
    let client = Client::resume(server.address, key, salt, options).await;
    let mut newer = Person::known(client, bob.id, bob.phone.clone());
    assert_eq!(texts(&newer.history(&to_alice).await), ["before"]);

    memory.make_room();
    let sent = alice.ask(&send).await;
    assert!(matches!(sent, enums::Updates::Updates(types::Updates { .. })), "{sent:?}");
    // Updates go to the session of a key that asked last.
    assert_eq!(newer.next_message().await.message, "no room");
    assert_eq!(texts(&alice.history(&to_bob).await), ["no room", "before"]);
}

/// A server with files in a remote store that answers when it is told to.
struct Away {
    server: TestServer,
    remote: Arc<Objects>,
    ada: Person,
    /// What lies in the remote store, and has never been read.
    places: Vec<enums::InputFileLocation<'static>>,
}

/// How long each of them is.
const LEN: usize = 2 * limits::LARGE_PACKET_LEN;

impl Away {
    async fn start(count: usize, change: impl FnOnce(&mut Config)) -> Self {
        let data = Arc::new(tempfile::tempdir().unwrap());
        let remote = Arc::new(Objects::in_memory().unwrap());
        let stores =
            Stores { remote: Some(Arc::clone(&remote)), ..Stores::on(Arc::new(Memory::new())) };
        let server = TestServer::start_on(&data, stores, |config| {
            config.media.store = MediaStore::S3;
            config.shards = 1;
            change(config);
        });
        let server = server.await;
        let mut ada = server.person("Ada").await;
        let mut places = Vec::new();
        for seed in 0..count as u32 {
            let file = send(&mut ada, &bytes(LEN, seed), LEN).await;
            places.push(location(&make(&mut ada, file).await.unwrap()));
        }
        // They are there once nothing of them is here.
        while server.piece_count() > 0 {
            server.sweep(3600).await;
        }
        remote.hold(true);
        Self { server, remote, ada, places }
    }

    /// Asks for the first of the files; returns once so many requests wait for the remote store.
    async fn ask(&mut self, count: usize, held: usize) -> Vec<RequestId> {
        let get = |place: &enums::InputFileLocation<'static>| {
            functions::upload::GetFile::new(place.clone(), 0, LEN as i32)
        };
        let asked = self.places[..count].iter().map(|place| self.ada.queue(&get(place))).collect();
        self.ada.flush().await;
        self.held(held).await;
        asked
    }

    /// Returns once so many requests wait for the remote store.
    async fn held(&self, count: usize) {
        let held = async {
            while self.remote.held() < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, held).await.expect("they are made");
    }
}

/// `REMOTE_READS_MAX`: reads of a remote store that does not answer leave threads to what lies here.
#[tokio::test]
async fn a_remote_store_that_does_not_answer_holds_up_nothing_else() {
    let most = limits::REMOTE_READS_MAX;
    let count = most + 2;
    let mut away = Away::start(count, |config| config.media.cache_mib = 0).await;
    let asked = away.ask(count, most).await;
    let mut bob = away.server.person("Bob").await;
    let content = bytes(LEN, 99);
    let file = send(&mut bob, &content, LEN).await;
    let place = location(&make(&mut bob, file).await.unwrap());
    // It waits to be carried, and is served meanwhile.
    away.held(most + 1).await;
    assert!(fetch(&mut bob, &place, LEN).await == content);
    assert_eq!(away.remote.held_most(), most + 1);
    away.remote.hold(false);
    for (seed, request) in asked.into_iter().enumerate() {
        let answer = away.ada.answer(request).await.unwrap();
        assert!(answer.ends_with(&bytes(LEN, seed as u32)[LEN - 1000..]));
    }
}

/// `SEALED_TOGETHER_WAIT`: a large answer does not wait for another that is being prepared and does not come.
#[tokio::test]
async fn large_answers_wait_for_one_another_but_not_long() {
    const { assert!(limits::SEALED_TOGETHER_WAIT.as_millis() * 10 < PATIENCE.as_millis()) };
    let mut away = Away::start(1, |_| {}).await;
    let asked = away.ask(1, 1).await;
    let content = bytes(LEN, 99);
    let file = send(&mut away.ada, &content, LEN).await;
    let place = location(&make(&mut away.ada, file).await.unwrap());
    assert!(fetch(&mut away.ada, &place, LEN).await == content);
    away.remote.hold(false);
    for request in asked {
        away.ada.answer(request).await.unwrap();
    }
}

/// A store whose pieces of large files are not stored before that is allowed.
#[derive(Default)]
struct SlowDisk {
    pieces: MemoryPieces,
    /// Whether it is allowed, and how many pieces wait for that.
    state: Mutex<(bool, usize)>,
    changed: Condvar,
}

impl SlowDisk {
    async fn held(&self, count: usize) {
        let held = async {
            while self.state.lock().unwrap().1 < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, held).await.expect("they come");
    }

    fn release(&self) {
        self.state.lock().unwrap().0 = true;
        self.changed.notify_all();
    }
}

impl Pieces for SlowDisk {
    fn put(&self, key: &PieceKey, bytes: &[u8]) -> Result<(), storage::Error> {
        self.pieces.put(key, bytes)
    }

    fn put_large(&self, pieces: &[(PieceKey, Summed)]) -> Result<(), storage::Error> {
        let mut state = self.state.lock().unwrap();
        state.1 += pieces.len();
        let allowed = self.changed.wait_while(state, |(allowed, _)| !*allowed);
        drop(allowed.unwrap());
        self.pieces.put_large(pieces)
    }

    fn get(&self, key: &PieceKey) -> Result<Option<Bytes>, storage::Error> {
        self.pieces.get(key)
    }

    fn delete(&self, data: DataId) -> Result<(), storage::Error> {
        self.pieces.delete(data)
    }

    fn delete_piece(&self, key: &PieceKey) -> Result<(), storage::Error> {
        self.pieces.delete_piece(key)
    }

    fn keys(&self, from: &PieceKey, limit: usize) -> Result<Vec<PieceKey>, storage::Error> {
        self.pieces.keys(from, limit)
    }
}

/// `OPENED_TOGETHER_WAIT`: a large request waits for those that may come while another is being worked on, but not until that
/// one ends.
#[tokio::test]
async fn large_requests_wait_for_one_another_but_not_long() {
    const { assert!(limits::OPENED_TOGETHER_WAIT.as_millis() * 10 < PATIENCE.as_millis()) };
    let (data, disk) = (Arc::new(tempfile::tempdir().unwrap()), Arc::new(SlowDisk::default()));
    let stores = Stores { pieces: Arc::clone(&disk) as _, ..Stores::on(Arc::new(Memory::new())) };
    let server = TestServer::start_on(&data, stores, |config| config.shards = 1).await;
    let (mut ada, mut bob) = (server.person("Ada").await, server.person("Bob").await);
    let content = bytes(2 * LEN, 3);
    let mut asked = Vec::new();
    for (part, bytes) in (0..).zip(content.chunks(LEN)) {
        asked.push(ada.queue(&functions::upload::SaveBigFilePart::new(5, part, 2, bytes)));
        ada.flush().await;
    }
    disk.held(1).await;
    let other = bytes(LEN, 4);
    let file = send(&mut bob, &other, LEN).await;
    let place = location(&make(&mut bob, file).await.unwrap());
    assert!(fetch(&mut bob, &place, LEN).await == other);
    disk.release();
    for request in asked {
        ada.answer(request).await.unwrap();
    }
    let file = types::InputFileBig::new(5, 2, "x").into();
    let place = location(&make(&mut ada, file).await.unwrap());
    assert!(fetch(&mut ada, &place, LEN).await == content);
}

/// `drain_s`: a server that stops waits so long for what runs, and answers it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_runs_is_finished_at_the_end() {
    for (drain_s, is_answered) in [(3600, true), (1, false)] {
        let mut away = Away::start(1, |config| config.limits.drain_s = drain_s).await;
        let request = away.ask(1, 1).await.pop().unwrap();
        let stopping = tokio::spawn(away.server.stop());
        if is_answered {
            // The server is told to stop before the answer can be there, most of the time.
            tokio::time::sleep(Duration::from_millis(50)).await;
            away.remote.hold(false);
            let answer = away.ada.answer(request).await.expect("it is served");
            assert!(answer.ends_with(&bytes(LEN, 0)[LEN - 1000..]));
        }
        while away.ada.turn().await.is_ok() {}
        assert_eq!(away.remote.held(), usize::from(!is_answered));
        away.remote.hold(false);
        stopping.await.unwrap();
    }
}
