//! What is not the peer's fault: a clock that is set, a disk that is full.

use std::sync::Arc;

use server::{Stores, limits};
use storage::Memory;
use storage::blobs::MemoryPieces;
use tl::api::{enums, functions, types};

use crate::common::person::texts;
use crate::common::{Client, Options, Person, TestServer};

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
    let stores = Stores {
        engine: Arc::clone(&memory) as _,
        pieces: Arc::new(MemoryPieces::default()),
        remote: None,
    };
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
