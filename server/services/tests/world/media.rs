//! Users who upload, send, forward, edit and delete files, and the server that looks after what is over: who holds a file is
//! counted right, whatever is lost, repeated or late, and in the end nothing is left.
//!
//! What is asked of every step: a file and a blob that were there stay there as long as somebody has the file. What is asked
//! when all has come through: counts are those of the rows; each number under which bytes were stored is that of an upload, of
//! a blob, or of exactly one chore that removes it.

use std::collections::{BTreeSet, VecDeque};

use services::mailbox::attachment;
use services::{Origin, tables};
use storage::{BlobId, Order, Owner, RECORD_LAYER, Read, UserId};
use tl::operations::enums::Refusal;
use tl::operations::functions::files as file_functions;
use tl::operations::functions::{accounts, blobs, chores, mailbox, photos, uploads};
use tl::operations::types::mailbox::AlbumItem;
use tl::operations::types::uploads::Next;
use tl::records::enums::{Chore, File, Media, Source};
use tl::records::types::{ChoreUser, Message};
use tl::{Decode, Encode};

use super::Random;
use super::cluster::{Cluster, Outcome};
use super::holdings::{all_chores, profile};
use super::people::messages;
use super::records::{
    Bytes, KIB, attached, document_file, media_of, named, of_message, of_profile, own, photo_file,
};

/// How long uploads and own files live, in seconds; a step moves the time by a second at most.
const LIFE_S: i32 = 20;

/// What everybody uploads: few contents, so that they are equal often.
const CONTENT_COUNT: usize = 4;

/// A call that is repeated until there is an answer.
struct Call {
    owner: Owner,
    operation: Vec<u8>,
}

#[derive(Default)]
pub(crate) struct Person {
    pub(crate) user: i64,
    /// What is to be called, one after another. A refusal ends the rest.
    calls: VecDeque<Call>,
}

pub(crate) struct Crowd {
    pub(crate) people: Vec<Person>,
    /// What the server does for users whose time has come, with the chore that made it do so.
    server: VecDeque<Call>,
    /// Every number under which parts of uploads were stored.
    pub(crate) opened: BTreeSet<i64>,
    /// Every number under which blobs were moved.
    pub(crate) moved: BTreeSet<i64>,
    /// Files that were made, or tried to be.
    pub(crate) made: BTreeSet<i64>,
    pub(crate) seen_files: BTreeSet<i64>,
    pub(crate) seen_blobs: BTreeSet<(i64, BlobId)>,
}

pub(crate) fn owner(user: i64) -> Owner {
    Owner::User(UserId(user))
}

pub(crate) fn contents() -> impl Iterator<Item = Bytes> {
    (0..CONTENT_COUNT).map(|seed| Bytes::new(&[KIB, KIB, 7][seed % 3..], seed as u64))
}

fn fresh(random: &mut Random) -> i64 {
    (random.next() >> 1).cast_signed().max(1)
}

impl Crowd {
    pub(crate) fn new(cluster: &mut Cluster, random: &mut Random, count: i64) -> Self {
        let people: Vec<_> = (1..=count)
            .map(|at| Person { user: 1_000_000_000 + at, ..Person::default() })
            .collect();
        for person in &people {
            let phone = person.user.to_string();
            let create = accounts::Create { phone: &phone, first_name: "x", last_name: "" };
            let create = create.to_vec(RECORD_LAYER);
            let created = cluster.call(random, &owner(person.user), Origin::default(), &create);
            assert!(matches!(created, Outcome::Answered(_)));
        }
        Self {
            people,
            server: VecDeque::new(),
            opened: BTreeSet::new(),
            moved: BTreeSet::new(),
            made: BTreeSet::new(),
            seen_files: BTreeSet::new(),
            seen_blobs: BTreeSet::new(),
        }
    }

    pub(crate) fn busy(&self) -> bool {
        !self.server.is_empty() || self.people.iter().any(|person| !person.calls.is_empty())
    }

    /// Lets somebody do something, or go on trying.
    pub(crate) fn act(&mut self, cluster: &mut Cluster, random: &mut Random) {
        let at = random.below(self.people.len());
        if self.people[at].calls.is_empty() {
            let calls = self.choose(cluster, random, self.people[at].user);
            self.people[at].calls.extend(calls);
        }
        let given_up = attempt(cluster, random, &mut self.people[at].calls);
        self.never_opened(&given_up);
        if random.one_in(3) {
            self.look_after(cluster, random);
        }
    }

    /// Lets everybody who waits for an answer try once more.
    pub(crate) fn finish(&mut self, cluster: &mut Cluster, random: &mut Random) {
        for at in 0..self.people.len() {
            let given_up = attempt(cluster, random, &mut self.people[at].calls);
            self.never_opened(&given_up);
        }
        attempt(cluster, random, &mut self.server);
    }

    /// Forgets the uploads that calls which are not made would have opened.
    fn never_opened(&mut self, calls: &VecDeque<Call>) {
        let opens = calls.iter().filter_map(|call| uploads::Open::from_bytes(&call.operation).ok());
        opens.for_each(|open| {
            self.opened.remove(&open.data);
        });
    }

    /// Does the first chore about a user that is due, as the server does.
    fn look_after(&mut self, cluster: &mut Cluster, random: &mut Random) {
        if !self.server.is_empty() {
            attempt(cluster, random, &mut self.server);
            return;
        }
        let due =
            all_chores(cluster).into_iter().find_map(|(list, due, number, chore)| match chore {
                Chore::ChoreUser(ChoreUser { user }) if due <= cluster.now => {
                    Some((list, due, number, user))
                }
                _ => None,
            });
        let Some((list, due, number, user)) = due else { return };
        let expire = uploads::Expire {}.to_vec(RECORD_LAYER);
        let origin = Origin::default();
        // If nobody knows what came of it, the chore is still there.
        if let Outcome::Answered(next) = cluster.call(random, &owner(user), origin, &expire) {
            let next = Next::from_bytes(&next).unwrap();
            let again = chores::Add { due: next.due, number, chore: ChoreUser { user }.into() };
            let done = chores::Done { due, number };
            if next.due > 0 {
                let operation = again.to_vec(RECORD_LAYER);
                self.server.push_back(Call { owner: Owner::chores(number), operation });
            }
            if next.due != due {
                let operation = done.to_vec(RECORD_LAYER);
                self.server.push_back(Call { owner: Owner::Chores(list), operation });
            }
        }
    }

    fn choose(&mut self, cluster: &Cluster, random: &mut Random, user: i64) -> Vec<Call> {
        let to = self.people[random.below(self.people.len())].user;
        let peer = self.people[random.below(self.people.len())].user;
        let known = messages(cluster, user);
        let chat: Vec<_> = known.iter().filter(|message| message.peer == peer).collect();
        let some = |random: &mut Random| chat.get(random.below(chat.len().max(1))).copied();
        let one = |operation: Vec<u8>| vec![Call { owner: owner(user), operation }];
        match random.below(26) {
            0..=5 => self.upload(random, user),
            6..=9 => {
                let picked = pick(cluster, random, user, &known).filter(|_| !random.one_in(6));
                let Some((source, file)) = picked else {
                    // A text, which an edit may add a file to.
                    return one(mailbox::Send::new(to, fresh(random), "x").to_vec(RECORD_LAYER));
                };
                let ttl_s = random.one_in(4).then_some(5);
                let (media, beside) =
                    accompanied(cluster, random, user, &known, media_of(&file, ttl_s));
                let send = mailbox::Send {
                    media: Some(&media),
                    source: Some(source),
                    beside,
                    ..mailbox::Send::new(to, fresh(random), "")
                };
                one(send.to_vec(RECORD_LAYER))
            }
            10 => {
                let items = (0..3).filter_map(|_| {
                    let (source, file) = pick(cluster, random, user, &known)?;
                    let media = media_of(&file, None);
                    let (media, beside) = accompanied(cluster, random, user, &known, media);
                    let item = AlbumItem::new(fresh(random), String::new(), media);
                    Some(AlbumItem { source: Some(source), beside, ..item })
                });
                one(mailbox::SendAlbum::new(to, items.collect()).to_vec(RECORD_LAYER))
            }
            11 | 12 => {
                let ids: Vec<_> =
                    (0..3).filter_map(|_| some(random)).map(|message| message.id).collect();
                let random_ids = ids.iter().map(|_| fresh(random)).collect();
                one(mailbox::Forward::new(peer, ids, random_ids, to).to_vec(RECORD_LAYER))
            }
            13 | 14 => {
                let Some(message) = some(random).filter(|message| message.out) else {
                    return Vec::new();
                };
                let new = pick(cluster, random, user, &known).filter(|_| random.one_in(2));
                let new = new.map(|(source, file)| {
                    let media = media_of(&file, None);
                    let (media, beside) = accompanied(cluster, random, user, &known, media);
                    (source, media, beside)
                });
                let text = format!("caption {}", random.next());
                let edit = mailbox::Edit {
                    text: Some(&text),
                    media: new.as_ref().map(|(_, media, _)| &**media),
                    source: new.as_ref().map(|(source, ..)| source.clone()),
                    beside: new.as_ref().and_then(|(_, _, beside)| beside.clone()),
                    ..mailbox::Edit::new(peer, message.id)
                };
                one(edit.to_vec(RECORD_LAYER))
            }
            15..=17 => {
                let ids: Vec<_> =
                    (0..4).filter_map(|_| some(random)).map(|message| message.id).collect();
                let revoke = random.one_in(2);
                one(mailbox::Delete { revoke, ids }.to_vec(RECORD_LAYER))
            }
            18 if random.one_in(4) => {
                let revoke = random.one_in(2);
                let clear =
                    mailbox::DeleteHistory { revoke, ..mailbox::DeleteHistory::new(peer, 0) };
                one(clear.to_vec(RECORD_LAYER))
            }
            19 | 20 => {
                let ids = chat.iter().map(|message| message.id).take(5).collect();
                one(mailbox::ReadContents { ids }.to_vec(RECORD_LAYER))
            }
            21 => match pick(cluster, random, user, &known) {
                Some((source, _)) if random.one_in(3) => {
                    one(photos::SetFallback { source: Some(source) }.to_vec(RECORD_LAYER))
                }
                Some((source, _)) => one(photos::Add { source }.to_vec(RECORD_LAYER)),
                None => one(photos::SetFallback { source: None }.to_vec(RECORD_LAYER)),
            },
            22 => {
                let mut photos = profile(cluster, user);
                photos.truncate(random.below(3));
                one(photos::Delete { ids: photos }.to_vec(RECORD_LAYER))
            }
            23 => self.relocate(cluster, random),
            24 | 25 => {
                let photos = profile(cluster, peer);
                let Some(id) = photos.get(random.below(photos.len().max(1))) else {
                    return Vec::new();
                };
                let lend = photos::Lend { user, id: *id, hold_s: LIFE_S };
                vec![Call { owner: owner(peer), operation: lend.to_vec(RECORD_LAYER) }]
            }
            _ => Vec::new(),
        }
    }

    /// An upload with its parts in any order, and mostly a file made of it.
    fn upload(&mut self, random: &mut Random, user: i64) -> Vec<Call> {
        let mut calls = Vec::new();
        let mut call = |operation| calls.push(Call { owner: owner(user), operation });
        let pool: Vec<_> = contents().collect();
        let id = fresh(random);
        let mut parts = Vec::new();
        for _ in 0..1 + random.below(2) {
            let bytes = pool[random.below(pool.len())].clone();
            let (file_id, data) = (fresh(random), fresh(random));
            self.opened.insert(data);
            call(uploads::Open::new(file_id, data, LIFE_S).to_vec(RECORD_LAYER));
            let count = bytes.lens.len();
            let first = random.below(count);
            for part in (0..count).map(|at| (first + at) % count) {
                if random.one_in(12) {
                    continue;
                }
                let hash = bytes.hash(part);
                if random.one_in(4) {
                    call(bytes.store(file_id, data, part, &[0; 32]).to_vec(RECORD_LAYER));
                }
                call(bytes.store(file_id, data, part, &hash).to_vec(RECORD_LAYER));
            }
            parts.push((file_id, bytes));
        }
        if random.one_in(6) {
            return calls;
        }
        let (main, bytes) = &parts[0];
        let mut used = None;
        let mut made = vec![bytes.part(*main)];
        let file = match parts.get(1) {
            None => photo_file(id, bytes),
            // What the other one was is not kept, or it is the preview.
            Some((other, _)) if random.one_in(2) => {
                used = Some(*other);
                photo_file(id, bytes)
            }
            Some((other, preview)) => {
                made.push(preview.part(*other));
                let File::FileDocument(mut file) = document_file(id, bytes, vec![named()]) else {
                    unreachable!()
                };
                file.document.thumbs = Some(super::records::photo(0, preview).pictures);
                file.into()
            }
        };
        self.made.insert(id);
        let make = file_functions::Make { used, ..file_functions::Make::new(file, made, LIFE_S) };
        call(make.to_vec(RECORD_LAYER));
        calls
    }

    /// Moves a blob to the remote store, or back.
    fn relocate(&mut self, cluster: &Cluster, random: &mut Random) -> Vec<Call> {
        let pool: Vec<_> = contents().collect();
        let blob = Owner::Blob(pool[random.below(pool.len())].blob());
        let row = cluster.view(blob.clone(), |view| view.get(tables::BLOB, &()).unwrap());
        let Some(row) = row else { return Vec::new() };
        let data = fresh(random);
        self.moved.insert(data);
        let relocate = blobs::Relocate { remote: !row.remote, from: row.data, data };
        vec![Call { owner: blob, operation: relocate.to_vec(RECORD_LAYER) }]
    }

    /// Deletes all that people have.
    pub(crate) fn leave(&mut self, cluster: &Cluster) {
        for person in &mut self.people {
            let ids = messages(cluster, person.user).iter().map(|message| message.id).collect();
            let delete = mailbox::Delete { revoke: false, ids }.to_vec(RECORD_LAYER);
            let photos = photos::Delete { ids: profile(cluster, person.user) };
            let fallback = photos::SetFallback { source: None }.to_vec(RECORD_LAYER);
            for operation in [delete, photos.to_vec(RECORD_LAYER), fallback] {
                person.calls.push_back(Call { owner: owner(person.user), operation });
            }
        }
    }

    /// Does all chores about users up to now. Whether there were any.
    pub(crate) fn wait(&mut self, cluster: &mut Cluster, random: &mut Random) -> bool {
        self.look_after(cluster, random);
        !self.server.is_empty()
    }
}

/// Makes the first of several calls, until there is an answer to it. Answers those that are not made because it was refused.
fn attempt(
    cluster: &mut Cluster,
    random: &mut Random,
    calls: &mut VecDeque<Call>,
) -> VecDeque<Call> {
    let Some(call) = calls.front() else { return VecDeque::new() };
    match cluster.call(random, &call.owner, Origin::default(), &call.operation) {
        Outcome::Unknown => {}
        Outcome::Answered(answer) => {
            let more = mailbox::DeleteHistory::from_bytes(&call.operation).is_ok()
                && tl::operations::types::mailbox::AffectedHistory::from_bytes(&answer)
                    .is_ok_and(|affected| affected.offset > 0);
            if !more {
                calls.pop_front();
            }
        }
        Outcome::Refused(services::Error::Refused(refusal)) => {
            let expected = matches!(
                refusal,
                Refusal::FileReferenceExpired
                    | Refusal::FileIdInvalid
                    | Refusal::FilePartMissing(_)
                    | Refusal::FilePartSizeChanged
                    | Refusal::FilePartSizeInvalid
                    | Refusal::MediaInvalid
                    | Refusal::MessageAuthorRequired
                    | Refusal::MessageIdInvalid
                    | Refusal::MessageNotModified
                    | Refusal::PhotoIdInvalid
                    | Refusal::RandomIdDuplicate
            );
            assert!(expected, "{refusal:?}");
            calls.pop_front();
            return std::mem::take(calls);
        }
        Outcome::Refused(error) => panic!("{error}"),
    }
    VecDeque::new()
}

/// A medium as it stands in a message, now and then with a file beside it, and from where the user has that.
fn accompanied(
    cluster: &Cluster,
    random: &mut Random,
    user: i64,
    known: &[Message],
    mut media: Media,
) -> (Vec<u8>, Option<Source>) {
    let picked = pick(cluster, random, user, known).filter(|_| random.one_in(2));
    let beside = match (&mut media, picked) {
        (Media::MediaDocument(media), Some((source, File::FilePhoto(file)))) => {
            media.video_cover = Some(file.photo);
            Some(source)
        }
        (Media::MediaPhoto(media), Some((source, File::FileDocument(file)))) => {
            media.video = Some(file.document);
            Some(source)
        }
        _ => None,
    };
    (attached(media), beside)
}

/// A file that the user has, and from where.
fn pick(
    cluster: &Cluster,
    random: &mut Random,
    user: i64,
    known: &[Message],
) -> Option<(Source, File)> {
    let mut all: Vec<(Source, File)> = cluster.view(owner(user), |view| {
        let own_files = view.scan(tables::OWN_FILES, .., Order::Forward, 100).unwrap();
        let photos = view.scan(tables::PROFILE_PHOTOS, .., Order::Forward, 100).unwrap();
        let own_files = own_files.into_iter().map(|(id, row)| (own(id), row.file));
        let photos = photos.into_iter().map(|(_, photo)| {
            (of_profile(photo.id), tl::records::types::FilePhoto { photo }.into())
        });
        own_files.chain(photos).collect()
    });
    all.extend(known.iter().flat_map(|message| {
        let attachment = attachment::of(message).into_iter();
        let files = attachment.flat_map(|attachment| attachment::files(attachment.media));
        files.map(|file| (of_message(message.id), file)).collect::<Vec<_>>()
    }));
    (!all.is_empty()).then(|| all.swap_remove(random.below(all.len())))
}
