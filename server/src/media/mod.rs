//! The media service: from parts that clients send to files that clients fetch.
//!
//! ```text
//! upload.saveFilePart ──► uploads ──► Pieces (bytes), then uploads.store (row)
//! sendMedia …         ──► intake  ──► image pool ──► Pieces, then files.make (row) ──► blobs, holders
//! upload.getFile      ──► access (who may see it) ──► reader ──► cache ──► Pieces | remote store
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`uploads`] | parts come in |
//! | [`intake`] | files are made of uploads: photos, documents, previews |
//! | [`image`] | pictures are decoded, scaled and written, on threads of their own |
//! | [`reference`] | file references: issued, checked |
//! | [`access`] | from a location to bytes that the asker may see |
//! | [`reader`] | ranges of blobs, through the cache |
//! | [`chores`] | what is over goes |
//! | [`mover`] | blobs move between here and a remote store |
//! | [`check`] | everything is looked at |
//! | [`fetch`] | files from addresses |

pub mod access;
pub mod check;
pub mod chores;
pub mod fetch;
pub mod image;
pub mod intake;
pub mod mover;
pub mod reader;
pub mod reference;
pub mod uploads;
