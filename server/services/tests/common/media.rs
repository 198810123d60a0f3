//! Files for tests: uploads with hashes of no bytes, and the records of what is made of them.

#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses a part of it")]

use storage::{
    BlobId, RECORD_LAYER,
    blobs::tree::{self, PieceHash},
};
use tl::Encode as _;
use tl::operations::{functions, types};
use tl::records::enums::{Attribute, File, Media, Source};
use tl::records::types::{
    Attachment, AttributeAudio, AttributeFilename, AttributeSticker, AttributeVideo, Content,
    Document, FileDocument, FilePhoto, MediaDocument, MediaPhoto, Photo, PictureSize, Pictures,
    SourceFile, SourceMessage, SourceProfile,
};

pub(crate) const KIB: i32 = 1024;

/// What a file of tests consists of: the lengths of its parts, and a number that stands for its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bytes {
    pub(crate) lens: Vec<i32>,
    pub(crate) seed: u64,
}

impl Bytes {
    pub(crate) fn new(lens: &[i32], seed: u64) -> Self {
        Self { lens: lens.to_vec(), seed }
    }

    pub(crate) fn hash(&self, part: usize) -> [u8; 32] {
        let mut hash = [0xa5; 32];
        hash[..8].copy_from_slice(&self.seed.to_le_bytes());
        hash[8..16].copy_from_slice(&(part as u64).to_le_bytes());
        hash
    }

    pub(crate) fn len(&self) -> i64 {
        self.lens.iter().map(|len| i64::from(*len)).sum()
    }

    pub(crate) fn blob(&self) -> BlobId {
        let hashes: Vec<_> = (0..self.lens.len()).map(|part| PieceHash(self.hash(part))).collect();
        let piece_len = self.lens[0].cast_unsigned().next_power_of_two().max(1024);
        tree::blob(self.len().cast_unsigned(), piece_len, &hashes).unwrap()
    }

    pub(crate) fn content(&self) -> Content {
        Content { blob: Vec::from(self.blob().0), len: self.len() }
    }

    /// The operation that tells of a part.
    pub(crate) fn store<'a>(
        &self,
        file_id: i64,
        data: i64,
        part: usize,
        hash: &'a [u8; 32],
    ) -> functions::uploads::Store<'a> {
        let number = i32::try_from(part).unwrap();
        functions::uploads::Store::new(file_id, data, number, self.lens[part], hash, 4000)
    }

    /// The upload of it as a part of a file.
    pub(crate) fn part(&self, file_id: i64) -> types::files::Part {
        types::files::Part { file_id, blob: Vec::from(self.blob().0) }
    }
}

pub(crate) fn photo(id: i64, bytes: &Bytes) -> Photo {
    let size = PictureSize::new("m".to_owned(), 320, 200, 0, 1000);
    Photo::new(id, 1, Pictures::new(bytes.content(), vec![size]))
}

pub(crate) fn document(id: i64, bytes: &Bytes, attributes: Vec<Attribute>) -> Document {
    Document::new(id, 1, "application/octet-stream".to_owned(), bytes.content(), attributes)
}

pub(crate) fn photo_file(id: i64, bytes: &Bytes) -> File {
    FilePhoto { photo: photo(id, bytes) }.into()
}

pub(crate) fn document_file(id: i64, bytes: &Bytes, attributes: Vec<Attribute>) -> File {
    FileDocument { document: document(id, bytes, attributes) }.into()
}

/// What a file looks like in a message.
pub(crate) fn media_of(file: &File, ttl_s: Option<i32>) -> Media {
    match file.clone() {
        File::FilePhoto(file) => MediaPhoto { ttl_s, ..MediaPhoto::new(file.photo) }.into(),
        File::FileDocument(file) => {
            MediaDocument { ttl_s, ..MediaDocument::new(file.document) }.into()
        }
    }
}

pub(crate) fn attached(media: Media) -> Vec<u8> {
    Attachment::new(media).to_vec(RECORD_LAYER)
}

pub(crate) fn own(id: i64) -> Source {
    SourceFile { id }.into()
}

pub(crate) fn of_message(id: i32) -> Source {
    SourceMessage { id }.into()
}

pub(crate) fn of_profile(id: i64) -> Source {
    SourceProfile { id }.into()
}

pub(crate) fn video(round: bool) -> Attribute {
    AttributeVideo { round, ..AttributeVideo::new(1.0, 1, 1) }.into()
}

pub(crate) fn audio(voice: bool) -> Attribute {
    AttributeAudio { voice, ..AttributeAudio::new(1) }.into()
}

pub(crate) fn named() -> Attribute {
    AttributeFilename { name: "a.bin".to_owned() }.into()
}

pub(crate) fn sticker() -> Attribute {
    AttributeSticker::new("x".to_owned()).into()
}
