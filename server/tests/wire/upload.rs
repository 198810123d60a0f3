//! Parts of files: sent in any order and over any connection, made into files, fetched by who may see them.

use server::limits::{
    ANSWERS_LEN_MAX, FILE_HASH_LEN, FILE_PART_ASKED_LEN_MAX, REQUESTS_LEN_MAX,
    UPLOAD_PART_COUNT_MAX, UPLOAD_PART_COUNT_MAX_LARGE,
};
use sha2::{Digest as _, Sha256};
use tl::api::{enums, functions, types};

use crate::common::{Person, TestServer};

use enums::{InputFileLocation as Location, MessageMedia};
use functions::{messages, upload as api};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Bytes that are the same nowhere else.
pub(super) fn bytes(len: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    };
    (0..len).map(next).collect()
}

/// Sends a part; the error, if it is refused.
async fn save(
    person: &mut Person,
    file_id: i64,
    part: i32,
    total: Option<i32>,
    bytes: &[u8],
) -> Result<(), String> {
    let saved = match total {
        None => person.call(&api::SaveFilePart::new(file_id, part, bytes)).await,
        Some(total) => person.call(&api::SaveBigFilePart::new(file_id, part, total, bytes)).await,
    };
    saved.map(|saved| assert!(saved)).map_err(|error| error.text)
}

/// Sends all parts of a file, in order.
pub(super) async fn send(
    person: &mut Person,
    content: &[u8],
    part_len: usize,
) -> enums::InputFile<'static> {
    let file_id = person.random_id();
    let mut count = 0;
    for (part, bytes) in (0..).zip(content.chunks(part_len)) {
        save(person, file_id, part, None, bytes).await.expect("a part is taken");
        count = part + 1;
    }
    types::InputFile::new(file_id, count, "file.bin", "").into()
}

fn as_document(file: enums::InputFile<'static>) -> enums::InputMedia<'static> {
    types::InputMediaUploadedDocument::new(file, "application/x-test", Vec::new()).into()
}

/// Has a document made of an upload, without sending it.
pub(super) async fn make(
    person: &mut Person,
    file: enums::InputFile<'static>,
) -> Result<types::Document<'static>, String> {
    let upload = messages::UploadMedia::new(enums::InputPeer::InputPeerSelf, as_document(file));
    person.call(&upload).await.map(document_of).map_err(|error| error.text)
}

fn document_of(media: MessageMedia<'static>) -> types::Document<'static> {
    match media {
        MessageMedia::MessageMediaDocument(media) => match media.document {
            Some(enums::Document::Document(document)) => document,
            other => panic!("no document: {other:?}"),
        },
        other => panic!("no document: {other:?}"),
    }
}

pub(super) fn location(document: &types::Document<'static>) -> Location<'static> {
    let (hash, reference) = (document.access_hash, document.file_reference);
    types::InputDocumentFileLocation::new(document.id, hash, reference, "").into()
}

fn file_of(answer: types::upload::File<'static>) -> types::upload::File<'static> {
    answer
}

/// Fetches a part of a file.
async fn get(
    person: &mut Person,
    location: &Location<'static>,
    offset: usize,
    limit: usize,
) -> Result<&'static [u8], String> {
    let (offset, limit) = (offset as i64, limit as i32);
    let get = api::GetFile::new(location.clone(), offset, limit);
    person.call(&get).await.map(|answer| file_of(answer).bytes).map_err(|error| error.text)
}

/// Fetches a file as clients do: until a part is short.
pub(super) async fn fetch(
    person: &mut Person,
    location: &Location<'static>,
    part_len: usize,
) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let part = get(person, location, content.len(), part_len).await.expect("it may be seen");
        content.extend_from_slice(part);
        if part.len() < part_len {
            return content;
        }
    }
}

/// How many pieces the server has stored.
fn pieces(server: &TestServer) -> usize {
    server.piece_count()
}

/// A part that comes, and what is said to it.
type Sent = (i32, Option<i32>, usize, Result<(), &'static str>);

/// The published rules; nothing of what is refused stays.
#[tokio::test]
async fn rules_of_parts() {
    let server = TestServer::start().await;
    let mut person = server.person("Ada").await;
    let table: &[&[Sent]] = &[
        &[(0, None, 0, Err("FILE_PART_EMPTY"))],
        &[(0, None, 512 * KIB + 1, Err("FILE_PART_TOO_BIG"))],
        &[(-1, None, KIB, Err("FILE_PART_INVALID"))],
        &[(UPLOAD_PART_COUNT_MAX, None, KIB, Err("FILE_PART_INVALID"))],
        &[(0, Some(0), KIB, Err("FILE_PARTS_INVALID"))],
        &[(0, Some(UPLOAD_PART_COUNT_MAX + 1), KIB, Err("FILE_PARTS_INVALID"))],
        &[(3, Some(3), KIB, Err("FILE_PART_INVALID"))],
        &[(0, Some(2), 1000, Err("FILE_PART_SIZE_INVALID"))],
        &[(0, Some(2), 3 * KIB, Err("FILE_PART_SIZE_INVALID"))],
        &[(0, None, KIB, Ok(())), (1, None, 2 * KIB, Err("FILE_PART_SIZE_CHANGED"))],
        &[
            (0, None, 2 * KIB, Ok(())),
            (2, None, 2 * KIB, Ok(())),
            (1, None, KIB, Err("FILE_PART_SIZE_CHANGED")),
            (1, None, 1000, Err("FILE_PART_SIZE_INVALID")),
        ],
        &[(0, Some(5), KIB, Ok(())), (1, Some(6), KIB, Err("FILE_PARTS_INVALID"))],
        &[(0, Some(-1), KIB, Ok(())), (1, Some(2), 5, Ok(())), (0, Some(-1), KIB, Ok(()))],
        &[(UPLOAD_PART_COUNT_MAX - 1, Some(UPLOAD_PART_COUNT_MAX), 1, Ok(()))],
    ];
    for parts in table {
        let file_id = person.random_id();
        let before = pieces(&server);
        let mut taken = std::collections::HashSet::new();
        for (part, total, len, expected) in *parts {
            let content = bytes(*len, *part as u32);
            let saved = save(&mut person, file_id, *part, *total, &content).await;
            assert_eq!(saved, expected.map_err(str::to_owned), "{part} of {total:?}, {len}");
            if saved.is_ok() {
                taken.insert(*part);
            }
        }
        assert_eq!(pieces(&server) - before, taken.len(), "{parts:?}");
    }
}

#[tokio::test]
async fn more_parts_where_that_is_allowed() {
    let server = TestServer::start_with(|config| config.media.large_uploads = true).await;
    let mut person = server.person("Ada").await;
    let file_id = person.random_id();
    assert_eq!(
        save(
            &mut person,
            file_id,
            UPLOAD_PART_COUNT_MAX,
            Some(UPLOAD_PART_COUNT_MAX_LARGE),
            &[0; KIB]
        )
        .await,
        Ok(())
    );
    let beyond = save(
        &mut person,
        file_id,
        UPLOAD_PART_COUNT_MAX_LARGE,
        Some(UPLOAD_PART_COUNT_MAX_LARGE + 1),
        &[0; KIB],
    )
    .await;
    assert_eq!(beyond, Err("FILE_PART_INVALID".to_owned()));
}

/// Any order, two devices, some parts twice: what comes back is what was sent, and its hashes say so.
#[tokio::test]
async fn parts_come_in_any_order_from_anywhere() {
    let server = TestServer::start().await;
    let mut person = server.person("Ada").await;
    let mut other = server.device_of(&person).await;
    let orders: [&[i32]; 4] =
        [&[0, 1, 2, 3, 4], &[4, 3, 2, 1, 0], &[2, 4, 4, 0, 3, 0, 1], &[4, 0, 4, 1, 2, 3]];
    for (seed, order) in (0..).zip(orders) {
        // The length of the last part tells nothing, or misleads.
        for last_len in [100, 4 * KIB, 32 * KIB] {
            let content = bytes(4 * 32 * KIB + last_len, seed + last_len as u32);
            let parts: Vec<&[u8]> = content.chunks(32 * KIB).collect();
            let file_id = person.random_id();
            for (at, part) in order.iter().enumerate() {
                let sender = if at % 2 == 0 { &mut person } else { &mut other };
                save(sender, file_id, *part, Some(-1), parts[*part as usize]).await.unwrap();
            }
            let before = pieces(&server);
            let file = types::InputFileBig::new(file_id, 5, "any").into();
            let document = make(&mut other, file).await.expect("it is complete");
            assert_eq!(pieces(&server), before, "nothing was copied");
            assert_eq!(document.size, content.len() as i64);
            let place = location(&document);
            for part_len in [4 * KIB, 128 * KIB, MIB] {
                assert!(fetch(&mut other, &place, part_len).await == content, "{order:?}");
            }
            let hashes = other.ask(&api::GetFileHashes::new(place, 0)).await;
            let expected: Vec<_> = content.chunks(128 * KIB).map(Sha256::digest).collect();
            assert_eq!(hashes.len(), expected.len());
            for (at, (hash, expected)) in hashes.iter().zip(expected).enumerate() {
                assert_eq!(hash.offset, (at * 128 * KIB) as i64);
                assert_eq!(hash.hash, expected.as_slice());
            }
        }
    }
}

/// A part that is sent again with other bytes replaces what came before, and leaves nothing.
#[tokio::test]
async fn parts_are_replaced() {
    let server = TestServer::start().await;
    let mut person = server.person("Ada").await;
    let content = bytes(3 * KIB, 1);
    let file_id = person.random_id();
    let before = pieces(&server);
    for (part, bytes) in (0..).zip(content.chunks(KIB)) {
        for attempt in [&[7; KIB][..], &[8; KIB], bytes] {
            save(&mut person, file_id, part, None, attempt).await.unwrap();
        }
    }
    assert_eq!(pieces(&server) - before, 3);
    let file = types::InputFile::new(file_id, 3, "x", "").into();
    let document = make(&mut person, file).await.unwrap();
    assert_eq!(fetch(&mut person, &location(&document), 4 * KIB).await, content);
    // The upload is over.
    let late = save(&mut person, file_id, 0, None, &[9; KIB]).await;
    assert_eq!(late, Err("FILE_ID_INVALID".to_owned()));
    assert_eq!(pieces(&server) - before, 3);
}

#[tokio::test]
async fn uploads_go_on_after_a_cut_connection() {
    let server = TestServer::start().await;
    let mut person = server.person("Ada").await;
    let content = bytes(10 * 16 * KIB + 5, 3);
    let file_id = person.random_id();
    for (part, bytes) in (0..).zip(content.chunks(16 * KIB)) {
        if part % 4 == 3 {
            person.disconnect().await;
            person.reconnect().await;
        }
        save(&mut person, file_id, part, Some(11), bytes).await.unwrap();
    }
    let file = types::InputFileBig::new(file_id, 11, "x").into();
    let document = make(&mut person, file).await.unwrap();
    assert_eq!(fetch(&mut person, &location(&document), 64 * KIB).await, content);
}

/// More than a connection may have worked on at once is sent without waiting; all of it arrives.
#[tokio::test]
async fn parts_are_sent_without_waiting() {
    let server = TestServer::start().await;
    let mut person = server.person("Ada").await;
    let content = bytes(24 * MIB, 4);
    // What is asked, and what is answered: beyond what is worked on, and promised, at once.
    const { assert!(24 * MIB > REQUESTS_LEN_MAX && 24 * MIB > ANSWERS_LEN_MAX) };
    let file_id = person.random_id();
    let mut requests = Vec::new();
    for (part, bytes) in (0..).zip(content.chunks(512 * KIB)) {
        requests.push(person.queue(&api::SaveBigFilePart::new(file_id, part, 48, bytes)));
        // Each in a packet of its own.
        person.flush().await;
    }
    for request in requests {
        person.answer(request).await.expect("every part is taken");
    }
    let file = types::InputFileBig::new(file_id, 48, "x").into();
    let document = make(&mut person, file).await.unwrap();
    // All are asked for before any is read: more than any session may have waiting.
    let place = location(&document);
    let requests: Vec<_> = (0..24)
        .map(|at| person.queue(&api::GetFile::new(place.clone(), (at * MIB) as i64, MIB as i32)))
        .collect();
    person.flush().await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    for (request, expected) in requests.into_iter().zip(content.chunks(MIB)) {
        let answer = person.answer(request).await.expect("every part is given");
        // Constructor, kind, date, length.
        assert!(&answer[16..] == expected);
    }
}

#[tokio::test]
async fn incomplete_uploads_are_no_files() {
    let server = TestServer::start().await;
    let mut person = server.person("Ada").await;
    let content = bytes(3 * KIB, 5);
    let sum = "0123456789abcdef0123456789abcdef";
    let right = {
        use md5::{Digest as _, Md5};
        hex(&Md5::digest(&content))
    };
    let upper: &'static str = right.to_uppercase().leak();
    let right: &'static str = right.leak();
    for (skipped, parts, md5, expected) in [
        (Some(0), 3, "", Err("FILE_PART_0_MISSING")),
        (Some(1), 3, "", Err("FILE_PART_1_MISSING")),
        (Some(2), 3, "", Err("FILE_PART_2_MISSING")),
        (None, 4, "", Err("FILE_PART_3_MISSING")),
        (None, 2, "", Err("FILE_PARTS_INVALID")),
        (None, 0, "", Err("FILE_PART_0_MISSING")),
        (None, -1, "", Err("FILE_PARTS_INVALID")),
        (None, 4001, "", Err("FILE_PARTS_INVALID")),
        (None, 3, sum, Err("MD5_CHECKSUM_INVALID")),
        (None, 3, "0", Err("MD5_CHECKSUM_INVALID")),
        (None, 3, right, Ok(())),
        (None, 3, upper, Ok(())),
    ] {
        let file_id = person.random_id();
        for (part, bytes) in (0..).zip(content.chunks(KIB)) {
            if Some(part) != skipped {
                save(&mut person, file_id, part, None, bytes).await.unwrap();
            }
        }
        let file = types::InputFile::new(file_id, parts, "x", md5).into();
        let made = make(&mut person, file).await.map(drop);
        assert_eq!(made, expected.map_err(str::to_owned), "{skipped:?} {parts} {md5}");
    }
    let nothing = types::InputFile::new(person.random_id(), 1, "x", "").into();
    assert_eq!(make(&mut person, nothing).await.unwrap_err(), "FILE_PART_0_MISSING");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A client that missed the answer asks again: it is the same file, and another upload of the same bytes is stored once.
#[tokio::test]
async fn the_same_upload_is_the_same_file() {
    let server = TestServer::start().await;
    let mut person = server.person("Ada").await;
    let content = bytes(5000, 6);
    let file = send(&mut person, &content, 4 * KIB).await;
    let first = make(&mut person, file.clone()).await.unwrap();
    let again = make(&mut person, file).await.unwrap();
    assert_eq!(first.id, again.id);
    // Somebody else's upload of the same bytes is another file.
    let mut other = server.person("Bob").await;
    let file = send(&mut other, &content, 8 * KIB).await;
    let other_document = make(&mut other, file).await.unwrap();
    assert_ne!(other_document.id, first.id);
    assert_eq!(fetch(&mut other, &location(&other_document), 8 * KIB).await, content);
    // An upload belongs to who sent it.
    let file = send(&mut other, &content, 8 * KIB).await;
    assert_eq!(make(&mut person, file).await.unwrap_err(), "FILE_PART_0_MISSING");
}

/// The table of ranges.
#[tokio::test]
async fn ranges_that_are_answered() {
    for cache_mib in [16, 0] {
        ranges(cache_mib).await;
    }
}

async fn ranges(cache_mib: usize) {
    let server = TestServer::start_with(|config| config.media.cache_mib = cache_mib).await;
    let mut person = server.person("Ada").await;
    let content = bytes(3 * MIB / 2 + 100, 7);
    let len = content.len();
    let file = send(&mut person, &content, 512 * KIB).await;
    let document = make(&mut person, file).await.unwrap();
    let place = location(&document);
    for (precise, offset, limit, expected) in [
        (false, 0, MIB, Ok(0..MIB)),
        (false, MIB, MIB, Ok(MIB..len)),
        (false, MIB + 512 * KIB, 512 * KIB, Ok(MIB + 512 * KIB..len)),
        (false, 2 * MIB, MIB, Ok(len..len)),
        (false, 1 << 40, 4 * KIB, Ok(len..len)),
        (false, 508 * KIB, 4 * KIB, Ok(508 * KIB..512 * KIB)),
        (false, KIB, 4 * KIB, Err("OFFSET_INVALID")),
        (false, 0, KIB, Err("LIMIT_INVALID")),
        (false, 0, 12 * KIB, Err("LIMIT_INVALID")),
        (false, 512 * KIB, MIB, Err("LIMIT_INVALID")),
        (false, 0, FILE_PART_ASKED_LEN_MAX, Ok(0..FILE_PART_ASKED_LEN_MAX)),
        (false, 0, 2 * FILE_PART_ASKED_LEN_MAX, Err("LIMIT_INVALID")),
        (false, 0, 0, Err("LIMIT_INVALID")),
        (true, KIB, 3 * KIB, Ok(KIB..4 * KIB)),
        (true, 511 * KIB, 2 * KIB, Ok(511 * KIB..513 * KIB)),
        (true, 0, MIB, Ok(0..MIB)),
        (true, 100, KIB, Err("OFFSET_INVALID")),
        (true, 0, 100, Err("LIMIT_INVALID")),
        (true, KIB, MIB, Err("LIMIT_INVALID")),
    ] {
        let get = api::GetFile {
            precise,
            ..api::GetFile::new(place.clone(), offset as i64, limit as i32)
        };
        let answer = person.call(&get).await.map_err(|error| error.text);
        match (answer, expected) {
            (Ok(answer), Ok(range)) => {
                assert!(file_of(answer).bytes == &content[range], "{precise} {offset} {limit}");
            }
            (Err(error), Err(expected)) => assert_eq!(error, expected, "{offset} {limit}"),
            (answer, expected) => panic!("{answer:?}, but {expected:?}"),
        }
    }
    let negative = api::GetFile::new(place.clone(), -4096, 4096);
    assert_eq!(person.refused(&negative).await, "OFFSET_INVALID");
    let hashes = person.ask(&api::GetFileHashes::new(place.clone(), MIB as i64)).await;
    assert_eq!(hashes.len(), (len - MIB).div_ceil(FILE_HASH_LEN));
    let all = person.ask(&api::GetFileHashes::new(place.clone(), 0)).await;
    assert_eq!(all.len(), FILE_PART_ASKED_LEN_MAX / FILE_HASH_LEN, "no more at once");
    let none = person.ask(&api::GetFileHashes::new(place.clone(), 4 * MIB as i64)).await;
    assert_eq!(none.len(), 0);
    assert_eq!(
        person.refused(&api::GetFileHashes::new(place, FILE_HASH_LEN as i64 / 2)).await,
        "OFFSET_INVALID"
    );
}

/// A file is for who has an access hash, a reference, and still sees where it came from.
#[tokio::test]
async fn locations_are_checked() {
    let server = TestServer::start().await;
    let mut person = server.person("Ada").await;
    let mut stranger = server.person("Eve").await;
    let file = send(&mut person, &bytes(5000, 8), 4 * KIB).await;
    let document = make(&mut person, file).await.unwrap();
    let (id, hash) = (document.id, document.access_hash);
    let reference = document.file_reference;
    assert!(reference.len() <= 60);
    let tampered: &'static [u8] = {
        let mut bytes = reference.to_vec();
        bytes[3] ^= 1;
        bytes.leak()
    };
    let at = |id, hash, reference, size| {
        types::InputDocumentFileLocation::new(id, hash, reference, size).into()
    };
    let unknown = "LOCATION_INVALID";
    let legacy = types::InputPhotoLegacyFileLocation::new(1, 2, reference, 3, 4, 5);
    for (location, expected) in [
        (at(id, hash, reference, ""), Ok(())),
        (at(id, hash, &[], ""), Err("FILE_REFERENCE_EMPTY")),
        (at(id, hash, tampered, ""), Err("FILE_REFERENCE_INVALID")),
        (at(id, hash, &reference[..10], ""), Err("FILE_REFERENCE_INVALID")),
        (at(id, hash ^ 1, reference, ""), Err("FILE_ID_INVALID")),
        (at(id ^ 1, hash, reference, ""), Err("FILE_ID_INVALID")),
        (at(id, hash, reference, "m"), Err(unknown)),
        (types::InputPhotoFileLocation::new(id, hash, reference, "m").into(), Err(unknown)),
        (types::InputFileLocation::new(1, 2, 3, reference).into(), Err(unknown)),
        (types::InputEncryptedFileLocation::new(1, 2).into(), Err(unknown)),
        (types::InputSecureFileLocation::new(1, 2).into(), Err(unknown)),
        (Location::InputTakeoutFileLocation, Err(unknown)),
        (legacy.into(), Err(unknown)),
    ] {
        let got: Result<_, String> = get(&mut person, &location, 0, 4 * KIB).await.map(drop);
        assert_eq!(got, expected.map_err(str::to_owned), "{location:?}");
        assert!(get(&mut stranger, &location, 0, 4 * KIB).await.is_err(), "{location:?}");
        assert!(
            stranger.call(&api::GetFileHashes::new(location, 0)).await.is_err(),
            "a stranger learns nothing"
        );
    }
}

#[tokio::test]
async fn references_expire() {
    let server = TestServer::start_with(|config| config.media.reference_s = 1).await;
    let mut person = server.person("Ada").await;
    let file = send(&mut person, &bytes(5000, 9), 4 * KIB).await;
    let document = make(&mut person, file.clone()).await.unwrap();
    let place = location(&document);
    let expired = loop {
        if let Err(error) = get(&mut person, &place, 0, 4 * KIB).await {
            break error;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    assert_eq!(expired, "FILE_REFERENCE_EXPIRED");
    // Where it came from has a new one.
    let again = make(&mut person, file).await.unwrap();
    assert_eq!(again.id, document.id);
    get(&mut person, &location(&again), 0, 4 * KIB).await.expect("it is good for a second");
}

/// Sends a document to `peer`; as the sender sees it.
async fn send_to(
    person: &mut Person,
    peer: &enums::InputPeer,
    content: &[u8],
) -> (i32, types::Document<'static>) {
    let file = send(person, content, 512 * KIB).await;
    let random_id = person.random_id();
    let send = messages::SendMedia::new(peer.clone(), as_document(file), "", random_id);
    person.ask(&send).await;
    let message = newest(person, peer).await;
    (message.id, document_of(message.media.expect("a document")))
}

async fn newest(person: &mut Person, peer: &enums::InputPeer) -> types::Message<'static> {
    match person.history(peer).await.swap_remove(0) {
        enums::Message::Message(message) => message,
        other => panic!("no message: {other:?}"),
    }
}

/// Both sides of a chat have the file, each by what they were given themselves, until they lose the message.
#[tokio::test]
async fn whoever_loses_the_message_loses_the_file() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.person("Ada").await, server.person("Bob").await);
    let (to_bob, to_ada) = (ada.peer(&bob).await, bob.peer(&ada).await);
    let content = bytes(700 * KIB, 10);
    let (id, of_ada) = send_to(&mut ada, &to_bob, &content).await;
    let received = newest(&mut bob, &to_ada).await;
    let of_bob = document_of(received.media.expect("a document"));
    assert_eq!(of_ada.id, of_bob.id);
    let (for_ada, for_bob) = (location(&of_ada), location(&of_bob));
    assert!(fetch(&mut ada, &for_ada, 128 * KIB).await == content);
    assert!(fetch(&mut bob, &for_bob, 128 * KIB).await == content);
    // What one was given is nothing to the other.
    assert!(get(&mut bob, &for_ada, 0, 4 * KIB).await.is_err());
    assert!(get(&mut ada, &for_bob, 0, 4 * KIB).await.is_err());
    let foreign = types::InputDocumentFileLocation::new(
        of_bob.id,
        of_bob.access_hash,
        of_ada.file_reference,
        "",
    );
    let refused = get(&mut bob, &foreign.into(), 0, 4 * KIB).await;
    assert_eq!(refused.unwrap_err(), "FILE_REFERENCE_INVALID");

    ada.ask(&messages::DeleteMessages::new(vec![id])).await;
    let gone = get(&mut ada, &for_ada, 0, 4 * KIB).await;
    assert_eq!(gone.unwrap_err(), "FILE_REFERENCE_EXPIRED");
    assert!(fetch(&mut bob, &for_bob, 128 * KIB).await == content);
}

/// A picture that anybody can draw.
fn picture() -> Vec<u8> {
    use image::{DynamicImage, ImageFormat, RgbImage};
    let pixels = RgbImage::from_fn(700, 700, |x, y| {
        image::Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 99])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = DynamicImage::ImageRgb8(pixels);
    image.write_to(&mut bytes, ImageFormat::Png).expect("pictures can be written");
    bytes.into_inner()
}

/// Each size of a photo is where it says, and what it says.
#[tokio::test]
async fn sizes_of_photos() {
    let server = TestServer::start().await;
    let mut person = server.person("Ada").await;
    let file = send(&mut person, &picture(), 512 * KIB).await;
    let media = types::InputMediaUploadedPhoto::new(file).into();
    let upload = messages::UploadMedia::new(enums::InputPeer::InputPeerSelf, media);
    let photo = match person.ask(&upload).await {
        MessageMedia::MessageMediaPhoto(media) => match media.photo {
            Some(enums::Photo::Photo(photo)) => photo,
            other => panic!("no photo: {other:?}"),
        },
        other => panic!("no photo: {other:?}"),
    };
    let mut seen = 0;
    for size in &photo.sizes {
        let (letter, width, height, len) = match size {
            enums::PhotoSize::PhotoSize(size) => (size.type_, size.w, size.h, Some(size.size)),
            enums::PhotoSize::PhotoSizeProgressive(size) => {
                (size.type_, size.w, size.h, size.sizes.last().copied())
            }
            _ => continue,
        };
        let (id, hash, reference) = (photo.id, photo.access_hash, photo.file_reference);
        let place = types::InputPhotoFileLocation::new(id, hash, reference, letter).into();
        let bytes = fetch(&mut person, &place, 4 * KIB).await;
        assert_eq!(Some(bytes.len() as i32), len);
        let decoded = image::load_from_memory(&bytes).expect("each is a picture");
        assert_eq!((decoded.width() as i32, decoded.height() as i32), (width, height));
        let get = api::GetFile::new(place, 0, MIB as i32);
        let file = file_of(person.ask(&get).await);
        assert_eq!(file.type_, enums::storage::FileType::FileJpeg);
        seen += 1;
    }
    assert!(seen >= 2, "{:?}", photo.sizes);
}

/// The photo of a profile, named by its user.
#[tokio::test]
async fn photos_of_profiles() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.person("Ada").await, server.person("Bob").await);
    let file = send(&mut ada, &picture(), 512 * KIB).await;
    let put = functions::photos::UploadProfilePhoto {
        file: Some(file),
        ..functions::photos::UploadProfilePhoto::new()
    };
    let photo = match ada.ask(&put).await.photo {
        enums::Photo::Photo(photo) => photo,
        other => panic!("no photo: {other:?}"),
    };
    let peer = bob.peer(&ada).await;
    for (big, side) in [(false, 160), (true, 640)] {
        let place: Location<'static> = types::InputPeerPhotoFileLocation {
            big,
            ..types::InputPeerPhotoFileLocation::new(peer.clone(), photo.id)
        }
        .into();
        let bytes = fetch(&mut bob, &place, 512 * KIB).await;
        let decoded = image::load_from_memory(&bytes).expect("a picture");
        assert_eq!((decoded.width(), decoded.height()), (side, side));
        let other = types::InputPeerPhotoFileLocation::new(peer.clone(), photo.id ^ 1).into();
        assert_eq!(get(&mut bob, &other, 0, 4 * KIB).await.unwrap_err(), "LOCATION_INVALID");
    }
    // Nobody may see it any more.
    let key = enums::InputPrivacyKey::InputPrivacyKeyProfilePhoto;
    let rules = vec![enums::InputPrivacyRule::InputPrivacyValueDisallowAll];
    ada.ask(&functions::account::SetPrivacy::new(key, rules)).await;
    let place = types::InputPeerPhotoFileLocation::new(peer, photo.id).into();
    assert_eq!(get(&mut bob, &place, 0, 4 * KIB).await.unwrap_err(), "LOCATION_INVALID");
}
