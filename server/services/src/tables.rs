//! The tables: which rows there are, under which keys, in which order.
//!
//! Each lies under its owner. Where keys are `Desc`, the newest row comes first. What every message needs is kept in memory by
//! its writer; what others may see of a user is watched, so that readers know when to look again.

use storage::{Desc, MessageId, Pts, Table};
use tl::records::enums::Chore;
use tl::records::types::{
    Account, AuthKey, Authorization, Awaited, Blob, BlobHashes, BoundKey, CodeCounts, Dialog,
    Draft, Entry, Event, Expiry, FileBlobs, Holds, LoginCode, Message, MessageRef, NotifySettings,
    OwnFile, Photo, PinnedDialogs, Presence, Privacy, Relation, Upload, UploadPart, UploadTotals,
};

/// Bytes of a message's id or a `pts` at the end of a key.
const ID_LEN: usize = 4;

/// The user's account: one row.
pub const ACCOUNT: Table<(), Account> = Table::new(1, "account").watched();
/// Whether the user is online: one row, apart from the account because it changes often.
pub const PRESENCE: Table<(), Presence> = Table::new(2, "presence").watched();
/// The user's devices, by permanent auth key.
pub const AUTHORIZATIONS: Table<i64, Authorization> = Table::new(3, "authorizations");
/// What the user and a peer are to each other: contact entries and blocks.
pub const RELATIONS: Table<i64, Relation> = Table::new(4, "relations").kept().watched();
/// Numbers of the user's address book without an account, by phone number.
pub const AWAITED: Table<String, Awaited> = Table::new(5, "awaited");
/// Notification settings, by kind of target and peer.
pub const NOTIFY: Table<(u8, i64), NotifySettings> = Table::new(6, "notify");
/// Privacy rules, by the number of their key.
pub const PRIVACY: Table<u8, Privacy> = Table::new(7, "privacy").watched();

/// The user's messages, chat by chat, newest first. The newest of a chat carries the chat's totals.
pub const MESSAGES: Table<(i64, Desc<MessageId>), Message> =
    Table::new(16, "messages").newest_kept(ID_LEN);
/// The user's update log, newest first. The newest row carries the state of the box.
///
/// A new message's event lies under the message's id, and so tells in which chat the message is. Such rows outlive the
/// rest of the log for as long as their message does.
pub const LOG: Table<Desc<Pts>, Event> = Table::new(17, "log").newest_kept(ID_LEN);
/// Which message was sent with a `random_id`. Kept as long as its event.
pub const RANDOM_IDS: Table<i64, MessageRef> = Table::new(18, "random_ids");
/// The user's chats, by peer: marks and corrections. Each chat that ever had a message has a row.
pub const DIALOGS: Table<i64, Dialog> = Table::new(19, "dialogs").kept();
/// Pinned messages, chat by chat, newest first.
pub const PINS: Table<(i64, Desc<MessageId>), MessageRef> = Table::new(20, "pins");
/// Drafts, by chat.
pub const DRAFTS: Table<i64, Draft> = Table::new(21, "drafts");
/// The pinned chats: one row.
pub const PINNED_DIALOGS: Table<(), PinnedDialogs> = Table::new(22, "pinned_dialogs");

/// The auth key: one row.
pub const AUTH_KEY: Table<(), AuthKey> = Table::new(32, "auth_key");
/// The temporary keys that act for this permanent one, by their id.
pub const BOUND_KEYS: Table<i64, BoundKey> = Table::new(33, "bound_keys");

/// Who has the phone number or username: one row.
pub const ENTRY: Table<(), Entry> = Table::new(48, "entry");
/// Login codes of the number, by hash.
pub const CODES: Table<String, LoginCode> = Table::new(49, "codes");
/// How many codes were sent and entered wrongly: one row.
pub const CODE_COUNTS: Table<(), CodeCounts> = Table::new(50, "code_counts");
/// The users who have the number in their address book and wait for its owner to sign up.
pub const AWAITED_BY: Table<i64, Entry> = Table::new(51, "awaited_by");

/// The user's uploads, by the id that the client chose.
pub const UPLOADS: Table<i64, Upload> = Table::new(64, "uploads");
/// The parts that came of uploads that are not finished, by upload and number.
pub const UPLOAD_PARTS: Table<(i64, i32), UploadPart> = Table::new(65, "upload_parts");
/// What the user has under way: one row.
pub const UPLOAD_TOTALS: Table<(), UploadTotals> = Table::new(66, "upload_totals");
/// Files that the user made or was lent lately, by their id.
pub const OWN_FILES: Table<i64, OwnFile> = Table::new(67, "own_files");
/// What goes when: its kind (see [`crate::uploads::expiry`]), the moment, its id.
pub const EXPIRIES: Table<(u8, i32, i64), Expiry> = Table::new(68, "expiries");
/// The photos of the user's profile, the present one first.
pub const PROFILE_PHOTOS: Table<Desc<i64>, Photo> = Table::new(69, "profile_photos").watched();
/// The photo of the user's profile for those who may not see the others: one row.
pub const FALLBACK_PHOTO: Table<(), Photo> = Table::new(70, "fallback_photo").watched();

/// The blobs of the file: one row, as long as somebody holds the file.
pub const FILE: Table<(), FileBlobs> = Table::new(80, "file");
/// Who holds the file, by user; or the blob, by file. Counts that are 0 have no row.
pub const HOLDERS: Table<i64, Holds> = Table::new(81, "holders");

/// Where the bytes of the blob are: one row, as long as a file holds the blob.
pub const BLOB: Table<(), Blob> = Table::new(96, "blob");
/// The hashes of the blob's pieces: one row, apart because it is large.
pub const BLOB_HASHES: Table<(), BlobHashes> = Table::new(97, "blob_hashes");

/// Things to be done, by the moment they are due and a number that tells those of the same moment apart.
pub const CHORES: Table<(i32, i64), Chore> = Table::new(112, "chores");
