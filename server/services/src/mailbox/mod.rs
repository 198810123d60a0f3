//! Mailboxes: a user's private chats, Saved Messages included, and the log of what happened to them.
//!
//! Both sides of a chat have a box with their own copies and their own ids. A change is made in the box of who makes it; a
//! delivery brings it to the other.
//!
//! ```text
//! sender's box                                              recipient's box
//!   send ── message, event, random id ── ReceiveMessage ──► receive_message ── message, event
//!   edit ── message, event ───────────── ReceiveEdit ─────► receive_edit
//!   receive_read ◄────────────────────── ReceiveRead ────── read_history
//! ```
//!
//! # What a message costs
//!
//! A put costs the engine more than all computation of a send, so there are few: the message, its event and its random id
//! in the sender's box, the message and its event in the recipient's, and the delivery between them. No row is kept for
//! what another row can carry along:
//!
//! - The state of the box (`pts`, date, unread count) is in the newest row of its log (`log`).
//! - The totals of a chat (count, unread count) are in its newest message, and the way from a copy to its counterpart is a
//!   search in the chat, which is in the order of both sides' ids (`chat`). A row per chat has marks and corrections; it is
//!   written when something is read or deleted, not when something is sent.
//! - A message's id *is* the `pts` of its event, so the event tells in which chat an id is.
//! - The chat list is computed when asked for: a seek a chat. Asking is rare, sending is not.
//!
//! Ids therefore grow along a box but are not dense, and are never used again.
//!
//! A message with a file costs a delivery more, to the file: the sender says there that both sides hold it ([`crate::holders`]).
//! So whatever is delivered with a file in it is held for its receiver already. Each box lets go by itself, in one place for
//! messages that go (`chat`) and one for what is edited (`edit`).
//!
//! | module | operations |
//! |---|---|
//! | [`mod@send`], [`mod@album`], [`mod@forward`] | messages come into being |
//! | [`mod@ttl`] | media that go after they were opened |
//! | [`attachment`] | what is attached to messages |
//! | [`mod@edit`], [`mod@delete`], [`mod@pin`] | messages change and go |
//! | [`mod@read`] | read marks, typing |
//! | [`mod@drafts`] | texts not yet sent |
//! | [`mod@history`], [`mod@search`], [`mod@dialogs`] | looking at messages and chats |
//! | [`mod@difference`] | the state of the box, and what happened since another one |

pub mod album;
pub mod attachment;
pub(crate) mod chat;
mod content;
pub mod delete;
pub mod dialogs;
pub mod difference;
pub mod drafts;
pub mod edit;
pub mod forward;
pub mod history;
pub(crate) mod log;
pub mod pin;
pub mod read;
pub mod search;
pub mod send;
pub mod ttl;

pub use album::send_album;
pub use delete::{delete, delete_history, receive_delete, receive_delete_history};
pub use dialogs::{get_chats, get_dialogs, get_pinned, mark_unread, pin_dialog, reorder_pinned};
pub use difference::{get_difference, get_state};
pub use drafts::{clear_drafts, get_drafts, save_draft};
pub use edit::{edit, receive_edit};
pub use forward::forward;
pub use history::{history, messages};
pub use pin::{pin, receive_pin, unpin_all};
pub use read::{read_contents, read_history, receive_read, receive_read_contents, typing};
pub use search::{search, search_counts};
pub use send::{notice, receive, receive_message, send};
pub use ttl::expire_media;

pub(crate) use send::contact_signed_up;
