//! Contact lists and blocks.
//!
//! A row about a peer ([`crate::tables::RELATIONS`]) has both directions: what the user decided, and what the peer did,
//! which its partition delivers. So a look at the own rows tells whether a contact is mutual and whether sending is allowed.

use std::cmp::Reverse;
use std::ops::ControlFlow;

use storage::{Order, Owner, Read};
use tl::operations::{
    enums::Refusal,
    functions::{contacts as functions, directory},
    types::{self as answers, contacts::Peer},
};
use tl::records::types::{Awaited, Contact, Relation};

use crate::accounts::last_name;
use crate::limits::{
    CONTACT_COUNT_MAX, NAME_LEN_MAX, PAGE_COUNT_MAX, PHONE_LEN_MAX, QUERY_LEN_MAX,
};
use crate::tables::{AWAITED, RELATIONS};
use crate::{Done, Result, Txn, UnixTime, mailbox, user};

/// `contacts.add`
pub fn add(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::Add<'_>,
) -> Result<answers::contacts::Added> {
    let me = user(txn.rows())?.0;
    if op.peer == me || op.peer <= 0 {
        return Err(Refusal::ContactIdInvalid.into());
    }
    let (first_name, last_name) = names(op.first_name, op.last_name)?;
    enter(txn, now, op.peer, &digits(op.phone), first_name, last_name)
}

/// Puts a contact into the list.
fn enter(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    peer: i64,
    phone: &str,
    first_name: String,
    last_name: String,
) -> Result<answers::contacts::Added> {
    let mut relation = relation(txn.rows(), peer)?;
    let before = relation.contact.take();
    let phone = match &before {
        Some(contact) if phone.is_empty() => contact.phone.clone(),
        _ => phone.to_owned(),
    };
    let date = before.as_ref().map_or(now.0, |contact| contact.date);
    let contact = Contact { phone, first_name, last_name, date };
    let changed = before.as_ref() != Some(&contact);
    let new = before.is_none();
    relation.contact = Some(contact);
    let mutual = relation.knows_me;
    if changed {
        put(txn, peer, &relation);
        txn.tell(answers::EffectContact { peer });
    }
    if new {
        let from = user(txn.rows())?.0;
        txn.deliver_to(peer, &functions::PeerKnows { knows: true, from })?;
    }
    Ok(answers::contacts::Added { mutual, peer })
}

/// `contacts.remember`
pub fn remember(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    op: functions::Remember<'_>,
) -> Result<Done> {
    let user_id = user(txn.rows())?.0;
    let (first_name, last_name) = names(op.first_name, op.last_name)?;
    let phone = digits(op.phone);
    let known = txn.get(AWAITED, &phone)?;
    let awaited = Awaited { first_name, last_name };
    if known.as_ref() != Some(&awaited) {
        txn.put(AWAITED, &phone, &awaited);
    }
    if known.is_none() {
        txn.deliver(Owner::phone(&phone), &directory::AwaitedBy { user_id })?;
    }
    Ok(Done {})
}

/// `contacts.delete`
pub fn delete(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    op: functions::Delete,
) -> Result<answers::contacts::Peers> {
    let from = user(txn.rows())?.0;
    let mut peers = Vec::new();
    for peer in op.peers.into_iter().take(CONTACT_COUNT_MAX) {
        let mut relation = relation(txn.rows(), peer)?;
        if relation.contact.take().is_none() {
            continue;
        }
        put(txn, peer, &relation);
        txn.tell(answers::EffectContact { peer });
        txn.deliver_to(peer, &functions::PeerKnows { knows: false, from })?;
        peers.push(Peer { peer, relation });
    }
    Ok(answers::contacts::Peers { peers })
}

/// `contacts.list`
pub fn list(
    rows: &impl Read,
    _now: UnixTime,
    _op: functions::List,
) -> Result<answers::contacts::Peers> {
    select(rows, CONTACT_COUNT_MAX, |relation| relation.contact.is_some())
}

/// `contacts.get`
pub fn get(
    rows: &impl Read,
    _now: UnixTime,
    op: functions::Get,
) -> Result<answers::contacts::Peers> {
    let peers = op.peers.into_iter().take(CONTACT_COUNT_MAX);
    let peers = peers.map(|peer| Ok(Peer { peer, relation: relation(rows, peer)? }));
    Ok(answers::contacts::Peers { peers: peers.collect::<Result<_>>()? })
}

/// `contacts.search`
pub fn search(
    rows: &impl Read,
    _now: UnixTime,
    op: functions::Search<'_>,
) -> Result<answers::contacts::Peers> {
    let query = op.q.trim().to_lowercase();
    if query.is_empty() || query.len() > QUERY_LEN_MAX {
        return Err(Refusal::SearchQueryEmpty.into());
    }
    let limit = usize::try_from(op.limit.clamp(0, PAGE_COUNT_MAX)).unwrap_or_default();
    select(rows, limit, |relation| {
        let Some(contact) = &relation.contact else { return false };
        let name = format!("{} {}", contact.first_name, contact.last_name).to_lowercase();
        name.starts_with(&query) || name.split(' ').any(|part| part.starts_with(&query))
    })
}

/// `contacts.block`
pub fn block(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Block) -> Result<Done> {
    set_blocked(txn, op.peer, Some(now.0))
}

/// `contacts.unblock`
pub fn unblock(txn: &mut Txn<'_, '_>, _now: UnixTime, op: functions::Unblock) -> Result<Done> {
    set_blocked(txn, op.peer, None)
}

fn set_blocked(txn: &mut Txn<'_, '_>, peer: i64, date: Option<i32>) -> Result<Done> {
    let from = user(txn.rows())?.0;
    if peer == from || peer <= 0 {
        return Err(Refusal::PeerIdInvalid.into());
    }
    let mut relation = relation(txn.rows(), peer)?;
    let blocks = date.is_some();
    if relation.blocked.is_some() != blocks {
        relation.blocked = date;
        put(txn, peer, &relation);
        txn.tell(answers::EffectBlocked { blocked: blocks, peer });
        txn.deliver_to(peer, &functions::PeerBlocks { blocks, from })?;
    }
    Ok(Done {})
}

/// `contacts.getBlocked`
pub fn get_blocked(
    rows: &impl Read,
    _now: UnixTime,
    op: functions::GetBlocked,
) -> Result<answers::contacts::Blocked> {
    let (Ok(offset), Ok(limit)) = (usize::try_from(op.offset), usize::try_from(op.limit)) else {
        return Err(Refusal::LimitInvalid.into());
    };
    let mut peers = select(rows, CONTACT_COUNT_MAX, |relation| relation.blocked.is_some())?.peers;
    peers.sort_by_key(|peer| Reverse((peer.relation.blocked, peer.peer)));
    let count = i32::try_from(peers.len()).unwrap_or(i32::MAX);
    let peers = peers.into_iter().skip(offset).take(limit.min(PAGE_COUNT_MAX as usize)).collect();
    Ok(answers::contacts::Blocked { peers, count })
}

/// `contacts.peerKnows`
pub fn peer_knows(txn: &mut Txn<'_, '_>, _now: UnixTime, op: functions::PeerKnows) -> Result<Done> {
    let mut relation = relation(txn.rows(), op.from)?;
    if relation.knows_me != op.knows {
        relation.knows_me = op.knows;
        put(txn, op.from, &relation);
        if relation.contact.is_some() {
            txn.tell(answers::EffectContact { peer: op.from });
        }
    }
    Ok(Done {})
}

/// `contacts.peerBlocks`
pub fn peer_blocks(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    op: functions::PeerBlocks,
) -> Result<Done> {
    let mut relation = relation(txn.rows(), op.from)?;
    relation.blocks_me = op.blocks;
    put(txn, op.from, &relation);
    Ok(Done {})
}

/// `contacts.peerJoined`
pub fn peer_joined(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::PeerJoined<'_>,
) -> Result<Done> {
    let phone = digits(op.phone);
    let Some(awaited) = txn.get(AWAITED, &phone)? else { return Ok(Done {}) };
    txn.delete(AWAITED, &phone);
    enter(txn, now, op.from, &phone, awaited.first_name, awaited.last_name)?;
    mailbox::contact_signed_up(txn, now, op.from)?;
    Ok(Done {})
}

/// What the owner and `peer` are to each other.
pub(crate) fn relation(rows: &impl Read, peer: i64) -> Result<Relation> {
    Ok(rows.get(RELATIONS, &peer)?.unwrap_or_else(Relation::new))
}

/// Writes a row, or removes one that says nothing.
fn put(txn: &mut Txn<'_, '_>, peer: i64, relation: &Relation) {
    if *relation == Relation::new() {
        txn.delete(RELATIONS, &peer);
    } else {
        txn.put(RELATIONS, &peer, relation);
    }
}

fn select(
    rows: &impl Read,
    limit: usize,
    mut choose: impl FnMut(&Relation) -> bool,
) -> Result<answers::contacts::Peers> {
    let mut peers = Vec::new();
    rows.visit(RELATIONS, .., Order::Forward, |peer, relation| {
        if peers.len() >= limit {
            return ControlFlow::Break(());
        }
        if choose(&relation) {
            peers.push(Peer { peer, relation });
        }
        ControlFlow::Continue(())
    })?;
    Ok(answers::contacts::Peers { peers })
}

/// The names of an entry: the first may be missing if there is a last one, which then takes its place.
fn names(first: &str, last: &str) -> Result<(String, String)> {
    let (first, last) = if first.trim().is_empty() { (last, "") } else { (first, last) };
    let first = first.trim();
    if first.is_empty() {
        return Err(Refusal::ContactNameEmpty.into());
    }
    if first.chars().count() > NAME_LEN_MAX {
        return Err(Refusal::FirstnameInvalid.into());
    }
    Ok((first.to_owned(), last_name(last)?))
}

fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).take(PHONE_LEN_MAX).collect()
}
