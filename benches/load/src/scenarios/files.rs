//! One large file, sent and fetched by one account over one or several connections.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tl::Decode as _;
use tl::api::{enums, functions, types};

use crate::accounts::{Account, refused};
use crate::client::{Clients, bytes, checked, introduced};
use crate::clock;
use crate::error::{Error, Result};
use crate::measure::{Figures, Meter};
use crate::net::Id;
use crate::process::Process;
use crate::session::Event;

/// How long a part is, in bytes: as long as parts get.
pub(crate) const PART_LEN: usize = 512 * 1024;
/// Parts under way on all connections together: as much as the server works on, and half of that in sockets, so that neither
/// end waits for the other.
const WINDOW: usize = 48;
/// Parts that are made and sealed before they are due, on all connections together.
const AHEAD: usize = 16;
/// So many of them are sealed side by side.
const SEALED_TOGETHER: usize = 8;
/// How long nothing may come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A file that was sent to oneself.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    location: types::InputDocumentFileLocation<'static>,
    part_count: i32,
}

/// Connects an account several times.
pub(crate) fn connect(clients: &mut Clients, account: &Account, count: usize) -> Result<Vec<Id>> {
    let mut ids = Vec::with_capacity(count);
    for _ in 0..count {
        let id = clients.connect(None)?;
        clients.begin(id, account.key.key.clone(), account.key.salt);
        let answer = clients.ask(id, introduced(&functions::updates::GetState {}))?;
        refused("updates.getState", answer)?;
        ids.push(id);
    }
    Ok(ids)
}

/// How the parts of a file are asked for and taken.
trait Transfer {
    /// Makes the request for a part, if that is much work, to be sealed with others before it is due.
    fn prepare(&mut self, clients: &mut Clients, id: Id, part: i32);

    /// Sends the request for a part; those that were prepared go in the same order on a connection.
    fn ask(&mut self, clients: &mut Clients, id: Id, part: i32);

    /// Takes an answer.
    fn take(&mut self, part: i32, body: Bytes) -> Result<()>;
}

/// Parts that go over connections, a window under way.
fn transfer(
    clients: &mut Clients,
    ids: &[Id],
    part_count: i32,
    process: Option<&Process>,
    mut what: impl Transfer,
) -> Result<Figures> {
    let mut meter = Meter::start(process);
    let at = |part: i32| usize::try_from(part).unwrap_or_default();
    let mut asked: Vec<Option<Instant>> = vec![None; at(part_count)];
    let of = |count: usize| (count / ids.len()).max(1);
    let (window, ahead) = (of(WINDOW), of(AHEAD));
    // Of each connection: how many parts are under way, and which are to go next.
    let mut lanes: HashMap<Id, (usize, VecDeque<i32>)> =
        ids.iter().map(|id| (*id, <_>::default())).collect();
    let mut next = 0;
    let mut missing = part_count;
    let mut last = clock::instant();
    while missing > 0 {
        if clock::instant() - last > PATIENCE {
            return Err(Error::Timeout);
        }
        let mut prepared = 0;
        for id in ids {
            let Some((under_way, parts)) = lanes.get_mut(id) else { continue };
            while *under_way < window
                && let Some(part) = parts.pop_front()
            {
                asked[at(part)] = Some(clock::instant());
                what.ask(clients, *id, part);
                *under_way += 1;
            }
            while prepared < SEALED_TOGETHER && parts.len() < ahead && next < part_count {
                what.prepare(clients, *id, next);
                parts.push_back(next);
                next += 1;
                prepared += 1;
            }
        }
        clients.seal_ahead();
        let patience = if prepared > 0 { Duration::ZERO } else { Duration::from_millis(100) };
        clients.turn(Some(patience))?;
        while let Some((id, event)) = clients.poll_event() {
            match event {
                Event::Answer(tag, body) => {
                    let part = i32::try_from(tag).unwrap_or_default();
                    what.take(part, body)?;
                    last = clock::instant();
                    if let Some(asked) = asked[at(part)].take() {
                        meter.add(last - asked);
                        missing -= 1;
                        lanes.entry(id).and_modify(|(under_way, _)| *under_way -= 1);
                    }
                }
                Event::Again(tag) => {
                    let part = i32::try_from(tag).unwrap_or_default();
                    lanes.entry(id).and_modify(|(under_way, parts)| {
                        *under_way -= 1;
                        parts.push_back(part);
                    });
                    what.prepare(clients, id, part);
                }
                Event::Closed => return Err(Error::Closed),
                Event::TransportError(code) => return Err(Error::Transport(code)),
                Event::Refused(code) => return Err(Error::Protocol(format!("refused: {code}"))),
                Event::Update(_) | Event::Pong(_) | Event::KeyMade(_) => {}
            }
        }
    }
    Ok(meter.finish(0))
}

/// A part's bytes: the same for all parts but for a stamp, so that making them costs nothing.
struct Contents {
    bytes: Vec<u8>,
    file_id: i64,
}

impl Contents {
    fn new(file_id: i64) -> Self {
        let mut bytes = vec![0; PART_LEN];
        ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut bytes);
        Self { bytes, file_id }
    }

    fn part(&mut self, part: i32) -> &[u8] {
        self.bytes[..8].copy_from_slice(&self.file_id.to_le_bytes());
        self.bytes[8..12].copy_from_slice(&part.to_le_bytes());
        &self.bytes
    }
}

/// A file on its way to the server.
struct Upload {
    contents: Contents,
    part_count: i32,
}

impl Transfer for Upload {
    fn prepare(&mut self, clients: &mut Clients, id: Id, part: i32) {
        let (file_id, part_count) = (self.contents.file_id, self.part_count);
        let bytes = self.contents.part(part);
        let save = functions::upload::SaveBigFilePart::new(file_id, part, part_count, bytes);
        clients.prepare(id, part.cast_unsigned().into(), &save);
    }

    fn ask(&mut self, clients: &mut Clients, id: Id, _part: i32) {
        clients.send_ahead(id);
    }

    fn take(&mut self, _part: i32, body: Bytes) -> Result<()> {
        refused("upload.saveBigFilePart", checked(body)).map(drop)
    }
}

/// Sends a file of so many parts to oneself. Counted are parts, each until it is durable.
pub(crate) fn upload(
    clients: &mut Clients,
    ids: &[Id],
    part_count: i32,
    process: Option<&Process>,
) -> Result<(Figures, Sent)> {
    let file_id = clients.random_id();
    let what = Upload { contents: Contents::new(file_id), part_count };
    let figures = transfer(clients, ids, part_count, process, what)?;
    let file = types::InputFileBig::new(file_id, part_count, "load.bin");
    let media =
        types::InputMediaUploadedDocument::new(file.into(), "application/octet-stream", vec![]);
    let peer = enums::InputPeer::InputPeerSelf;
    let random_id = clients.random_id();
    let send = functions::messages::SendMedia::new(peer, media.into(), "", random_id);
    let body = refused("messages.sendMedia", clients.ask(ids[0], bytes(&send))?)?;
    let location = document(&body)
        .ok_or_else(|| Error::Protocol("no document in the answer to sendMedia".to_owned()))?;
    Ok((figures, Sent { location, part_count }))
}

/// A file on its way from the server.
struct Download<'s>(&'s Sent);

impl Transfer for Download<'_> {
    fn prepare(&mut self, _clients: &mut Clients, _id: Id, _part: i32) {}

    fn ask(&mut self, clients: &mut Clients, id: Id, part: i32) {
        let limit = i32::try_from(PART_LEN).unwrap_or(i32::MAX);
        let (location, offset) = (self.0.location.clone(), i64::from(part) * i64::from(limit));
        let get = functions::upload::GetFile::new(location.into(), offset, limit);
        clients.request(id, part.cast_unsigned().into(), bytes(&get));
    }

    fn take(&mut self, part: i32, body: Bytes) -> Result<()> {
        let body = refused("upload.getFile", checked(body))?;
        let file = types::upload::File::from_bytes(&body);
        let file = file.map_err(|error| Error::Protocol(error.to_string()))?;
        let stamp = file.bytes.get(8..12);
        if file.bytes.len() != PART_LEN || stamp != Some(&part.to_le_bytes()[..]) {
            return Err(Error::Protocol("other bytes than were sent".to_owned()));
        }
        Ok(())
    }
}

/// Fetches a file. Counted are parts.
pub(crate) fn download(
    clients: &mut Clients,
    ids: &[Id],
    sent: &Sent,
    process: Option<&Process>,
) -> Result<Figures> {
    transfer(clients, ids, sent.part_count, process, Download(sent))
}

/// Where to fetch the document that an answer tells of.
fn document(body: &[u8]) -> Option<types::InputDocumentFileLocation<'static>> {
    media(body, |media| {
        let enums::MessageMedia::MessageMediaDocument(media) = media else { return None };
        let Some(enums::Document::Document(document)) = &media.document else { return None };
        let reference: &'static [u8] = Vec::leak(document.file_reference.to_vec());
        let (id, access_hash) = (document.id, document.access_hash);
        Some(types::InputDocumentFileLocation::new(id, access_hash, reference, ""))
    })
}

/// Looks for something in the media of the messages that an answer tells of.
pub(crate) fn media<T>(
    body: &[u8],
    pick: impl Fn(&enums::MessageMedia<'_>) -> Option<T>,
) -> Option<T> {
    let Ok(enums::Updates::Updates(updates)) = enums::Updates::from_bytes(body) else {
        return None;
    };
    updates.updates.iter().find_map(|update| {
        let enums::Update::UpdateNewMessage(new) = update else { return None };
        let enums::Message::Message(message) = &new.message else { return None };
        pick(message.media.as_ref()?)
    })
}
