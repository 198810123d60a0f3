//! `contacts.*`: the contact list, the address book, who is blocked, and finding people.

mod block;
mod find;
mod import;
mod list;
mod top;

pub use block::{block, get_blocked, unblock};
pub use find::{get_sponsored_peers, resolve_phone, resolve_username, search};
pub use import::{delete_by_phones, get_saved, import_contacts, reset_saved};
pub use list::{
    accept_contact, add_contact, delete_contacts, get_birthdays, get_contact_ids, get_contacts,
    get_statuses,
};
pub use top::{get_top_peers, reset_top_peer_rating, toggle_top_peers};

/// The digits of a phone number.
pub(super) fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}
