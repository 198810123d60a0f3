//! Small photos, each of them another, sent to oneself and fetched, while something else is measured.

use std::time::{Duration, Instant};

use bytes::Bytes;
use jpeg_encoder::{ColorType, Encoder};
use tl::Decode as _;
use tl::api::{enums, functions, types};

use super::files::media;
use crate::accounts::{self, Account, refused};
use crate::client::{Clients, bytes, checked};
use crate::clock;
use crate::error::{Error, Result};
use crate::measure::Figures;
use crate::net::Id;
use crate::session::Event;

/// How large a photo is, in pixels.
const SIDES: (u16, u16) = (320, 240);

/// What an account does with its photo now.
#[derive(Clone, Copy, Debug)]
enum Step {
    Saving { file_id: i64 },
    Sending,
    Fetching,
}

/// Accounts that send and fetch one photo after the other.
pub(crate) struct Photos {
    workers: Vec<(Id, Step, Instant)>,
    /// Those not sent yet.
    waiting: Vec<Bytes>,
    /// Those that made the whole way, and how long each took, in nanoseconds.
    pub(crate) took: hdrhistogram::Histogram<u64>,
    begun: Instant,
}

/// So many photos, no two alike.
pub(crate) fn draw(count: usize) -> Result<Vec<Bytes>> {
    let (width, height) = SIDES;
    let pixel_count = usize::from(width) * usize::from(height);
    let mut photos = Vec::with_capacity(count);
    for number in 0..count {
        let mut pixels = Vec::with_capacity(3 * pixel_count);
        for at in 0..pixel_count {
            let (x, y) = (at % usize::from(width), at / usize::from(width));
            let wave = (x * x / 97 + y * y / 53 + number * 7) % 256;
            pixels.extend([wave as u8, (x + number) as u8, (y + number / 256) as u8]);
        }
        let mut jpeg = Vec::new();
        Encoder::new(&mut jpeg, 75)
            .encode(&pixels, width, height, ColorType::Rgb)
            .map_err(|error| Error::setup("photo", error))?;
        photos.push(jpeg.into());
    }
    Ok(photos)
}

impl Photos {
    /// Begins, one photo under way for each account.
    pub(crate) fn start(
        clients: &mut Clients,
        accounts: &[Account],
        photos: Vec<Bytes>,
    ) -> Result<Self> {
        let ids = accounts::go_online(clients, accounts)?;
        let begun = clock::instant();
        let step = Step::Saving { file_id: 0 };
        let mut all = Self {
            workers: ids.into_iter().map(|id| (id, step, begun)).collect(),
            waiting: photos,
            took: crate::measure::histogram(),
            begun,
        };
        for at in 0..all.workers.len() {
            all.next(clients, at);
        }
        Ok(all)
    }

    /// Whether all photos have made their way.
    pub(crate) fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.workers.is_empty()
    }

    /// What was measured so far, without the cost.
    pub(crate) fn figures(&self) -> Figures {
        Figures {
            count: self.took.len(),
            elapsed: clock::instant() - self.begun,
            latency: self.took.clone(),
            cpu_ns: 0,
            resident: 0,
            load_cpu_ns: 0,
            lost: 0,
        }
    }

    /// Ends it.
    pub(crate) fn stop(self, clients: &mut Clients) {
        for (id, ..) in self.workers {
            clients.close(id);
        }
    }

    fn next(&mut self, clients: &mut Clients, at: usize) {
        let Some(photo) = self.waiting.pop() else {
            let (id, ..) = self.workers.swap_remove(at);
            clients.close(id);
            return;
        };
        let file_id = clients.random_id();
        let save = functions::upload::SaveFilePart::new(file_id, 0, &photo);
        let worker = &mut self.workers[at];
        clients.request(worker.0, 0, bytes(&save));
        (worker.1, worker.2) = (Step::Saving { file_id }, clock::instant());
    }

    /// Takes an event that may be one of its own.
    pub(crate) fn handle(&mut self, clients: &mut Clients, id: Id, event: &Event) -> Result<bool> {
        let Some(at) = self.workers.iter().position(|(own, ..)| *own == id) else {
            return Ok(false);
        };
        let body = match event {
            Event::Answer(_, body) => checked(body.clone()),
            Event::Closed => return Err(Error::Closed),
            Event::TransportError(code) => return Err(Error::Transport(*code)),
            _ => return Ok(true),
        };
        let (_, step, begun) = self.workers[at];
        match step {
            Step::Saving { file_id } => {
                refused("upload.saveFilePart", body)?;
                let file = types::InputFile::new(file_id, 1, "photo.jpg", "");
                let media = types::InputMediaUploadedPhoto::new(file.into());
                let peer = enums::InputPeer::InputPeerSelf;
                let random_id = clients.random_id();
                let send = functions::messages::SendMedia::new(peer, media.into(), "", random_id);
                clients.request(id, 0, bytes(&send));
                self.workers[at].1 = Step::Sending;
            }
            Step::Sending => {
                let body = refused("messages.sendMedia", body)?;
                let get = media(&body, fetch)
                    .ok_or_else(|| Error::Protocol("no photo in the answer".to_owned()))?;
                clients.request(id, 0, get);
                self.workers[at].1 = Step::Fetching;
            }
            Step::Fetching => {
                let body = refused("upload.getFile", body)?;
                let file = types::upload::File::from_bytes(&body);
                if !matches!(&file, Ok(file) if !file.bytes.is_empty()) {
                    return Err(Error::Protocol("no bytes of a photo".to_owned()));
                }
                let took: Duration = clock::instant() - begun;
                self.took.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
                self.next(clients, at);
            }
        }
        Ok(true)
    }
}

/// The query for the largest size of a photo.
fn fetch(media: &enums::MessageMedia<'_>) -> Option<Bytes> {
    let enums::MessageMedia::MessageMediaPhoto(media) = media else { return None };
    let Some(enums::Photo::Photo(photo)) = &media.photo else { return None };
    let size = photo.sizes.iter().rev().find_map(|size| match size {
        enums::PhotoSize::PhotoSize(size) => Some(size.type_),
        enums::PhotoSize::PhotoSizeProgressive(size) => Some(size.type_),
        _ => None,
    })?;
    let location =
        types::InputPhotoFileLocation::new(photo.id, photo.access_hash, photo.file_reference, size);
    Some(bytes(&functions::upload::GetFile::new(location.into(), 0, 512 * 1024)))
}
