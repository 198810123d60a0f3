//! Usernames: who has one. The owner is the name itself, in lower case, so two people cannot claim it at once.

use storage::{Owner, Read};
use tl::operations::{enums::Refusal, functions::usernames as functions, types as answers};
use tl::records::types::Entry;

use crate::limits::{USERNAME_LEN_MAX, USERNAME_LEN_MIN};
use crate::tables::ENTRY;
use crate::{Done, Result, Txn, UnixTime};

/// `usernames.claim`
pub fn claim(txn: &mut Txn<'_, '_>, _now: UnixTime, op: functions::Claim) -> Result<Done> {
    check(txn.rows())?;
    match txn.get(ENTRY, &())? {
        Some(entry) if entry.peer != op.peer => Err(Refusal::UsernameOccupied.into()),
        Some(_) => Ok(Done {}),
        None => {
            txn.put(ENTRY, &(), &Entry { peer: op.peer });
            Ok(Done {})
        }
    }
}

/// `usernames.release`
pub fn release(txn: &mut Txn<'_, '_>, _now: UnixTime, op: functions::Release) -> Result<Done> {
    if txn.get(ENTRY, &())?.is_some_and(|entry| entry.peer == op.peer) {
        txn.delete(ENTRY, &());
    }
    Ok(Done {})
}

/// `usernames.lookup`
pub fn lookup(
    rows: &impl Read,
    _now: UnixTime,
    _op: functions::Lookup,
) -> Result<answers::usernames::Owner> {
    check(rows)?;
    Ok(answers::usernames::Owner { peer: rows.get(ENTRY, &())?.map(|entry| entry.peer) })
}

fn check(rows: &impl Read) -> Result<()> {
    match rows.owner() {
        Owner::Username(name) if is_username(name) => Ok(()),
        _ => Err(Refusal::UsernameInvalid.into()),
    }
}

/// Whether `name` is well formed: letters, digits and `_`, a letter first, none of `_` last or doubled.
pub fn is_username(name: &str) -> bool {
    (USERNAME_LEN_MIN..=USERNAME_LEN_MAX).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
        && !name.ends_with('_')
        && !name.contains("__")
}

#[cfg(test)]
mod tests {
    use super::is_username;

    #[test]
    fn well_formed_names() {
        for (name, expected) in [
            ("alice", true),
            ("Alice_1", true),
            ("a1234", true),
            ("abcd", false),
            ("1alice", false),
            ("_alice", false),
            ("alice_", false),
            ("al__ice", false),
            ("alïce", false),
            ("al ice", false),
            ("abcdefghijklmnopqrstuvwxyz012345", true),
            ("abcdefghijklmnopqrstuvwxyz0123456", false),
        ] {
            assert_eq!(is_username(name), expected, "{name}");
        }
    }
}
