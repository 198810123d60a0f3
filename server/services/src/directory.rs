//! Phone numbers: who has one, and the login codes sent to it.
//!
//! ```text
//! sendCode --> live --checkCode, right--> used up              (the number has an account)
//!               │                    └--> verified --claim--> used up   (it has none)
//!               └--too old, too many wrong entries, cancelCode--> gone
//! ```
//!
//! A code belongs to the auth key that asked for it. Codes and wrong entries are counted for the number, not the key, so
//! that whoever guesses cannot start afresh; a login clears the count.

use core::ops::ControlFlow;

use storage::{Order, Owner, Read};
use subtle::ConstantTimeEq;
use tl::operations::{
    enums::Refusal,
    functions::{contacts, directory as functions},
    types as answers,
};
use tl::records::types::{CodeCounts, Entry, LoginCode};

use crate::limits::{
    AWAITING_COUNT_MAX, CODE_ATTEMPT_COUNT_MAX, CODE_LIFETIME_S_MAX, CODE_LIVE_COUNT_MAX,
    CODE_RESEND_COUNT_MAX, CODE_SENT_COUNT_MAX, CODE_WINDOW_S, CODE_WRONG_COUNT_MAX,
};
use crate::tables::{AWAITED_BY, CODE_COUNTS, CODES, ENTRY};
use crate::{Done, Result, Txn, UnixTime};

/// `directory.sendCode`
pub fn send_code(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::SendCode<'_>,
) -> Result<answers::directory::CodeSent> {
    count_sent(txn, now)?;
    let mut live = txn.scan(CODES, .., Order::Forward, CODE_LIVE_COUNT_MAX + 1)?;
    live.sort_by_key(|(_, code)| code.sent);
    let excess = (live.len() + 1).saturating_sub(CODE_LIVE_COUNT_MAX);
    for (at, (hash, code)) in live.iter().enumerate() {
        if at < excess || code.expires_at <= now.0 {
            txn.delete(CODES, hash);
        }
    }
    let lifetime_s = op.lifetime_s.clamp(1, CODE_LIFETIME_S_MAX);
    let code = LoginCode {
        verified: false,
        code: op.code.to_owned(),
        auth_key_id: op.auth_key_id,
        sent: now.0,
        expires_at: now.0.saturating_add(lifetime_s),
        attempts: 0,
        resends: 0,
    };
    txn.put(CODES, &op.code_hash.to_owned(), &code);
    sent(txn, code)
}

/// `directory.resendCode`
pub fn resend_code(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::ResendCode<'_>,
) -> Result<answers::directory::CodeSent> {
    let hash = op.code_hash.to_owned();
    let mut code = live_code(txn.rows(), now, &hash, op.auth_key_id)?;
    if code.resends >= CODE_RESEND_COUNT_MAX {
        return Err(Refusal::SendCodeUnavailable.into());
    }
    count_sent(txn, now)?;
    code.resends += 1;
    txn.put(CODES, &hash, &code);
    sent(txn, code)
}

fn sent(txn: &Txn<'_, '_>, code: LoginCode) -> Result<answers::directory::CodeSent> {
    Ok(answers::directory::CodeSent {
        user_id: txn.get(ENTRY, &())?.map(|entry| entry.peer),
        code: code.code,
        expires_at: code.expires_at,
        resends: code.resends,
    })
}

/// `directory.cancelCode`
pub fn cancel_code(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::CancelCode<'_>,
) -> Result<Done> {
    let hash = op.code_hash.to_owned();
    live_code(txn.rows(), now, &hash, op.auth_key_id)?;
    txn.delete(CODES, &hash);
    Ok(Done {})
}

/// `directory.checkCode`
pub fn check_code(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::CheckCode<'_>,
) -> Result<answers::directory::Checked> {
    let hash = op.code_hash.to_owned();
    let mut code = live_code(txn.rows(), now, &hash, op.auth_key_id)?;
    let mut counts = counts(txn.rows(), now)?;
    if counts.wrong >= CODE_WRONG_COUNT_MAX {
        return Err(flood(&counts, now).into());
    }
    if !bool::from(code.code.as_bytes().ct_eq(op.code.as_bytes())) {
        counts.wrong += 1;
        txn.put(CODE_COUNTS, &(), &counts);
        code.attempts += 1;
        if code.attempts < CODE_ATTEMPT_COUNT_MAX {
            txn.put(CODES, &hash, &code);
        } else {
            txn.delete(CODES, &hash);
        }
        return Ok(answers::directory::Checked { valid: false, user_id: None });
    }
    txn.delete(CODE_COUNTS, &());
    let user_id = txn.get(ENTRY, &())?.map(|entry| entry.peer);
    if user_id.is_some() {
        txn.delete(CODES, &hash);
    } else if !code.verified {
        code.verified = true;
        txn.put(CODES, &hash, &code);
    }
    Ok(answers::directory::Checked { valid: true, user_id })
}

/// `directory.maySignUp`
pub fn may_sign_up(rows: &impl Read, now: UnixTime, op: functions::MaySignUp<'_>) -> Result<Done> {
    verified(rows, now, &op.code_hash.to_owned(), op.auth_key_id)?;
    Ok(Done {})
}

/// `directory.claim`
pub fn claim(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Claim<'_>) -> Result<Done> {
    if txn.get(ENTRY, &())?.is_some_and(|entry| entry.peer == op.user_id) {
        return Ok(Done {});
    }
    let hash = op.code_hash.to_owned();
    verified(txn.rows(), now, &hash, op.auth_key_id)?;
    txn.delete(CODES, &hash);
    give(txn, op.user_id)
}

/// `directory.reserve`
pub fn reserve(txn: &mut Txn<'_, '_>, _now: UnixTime, op: functions::Reserve) -> Result<Done> {
    match txn.get(ENTRY, &())? {
        Some(entry) if entry.peer == op.user_id => Ok(Done {}),
        Some(_) => Err(Refusal::PhoneNumberOccupied.into()),
        None => give(txn, op.user_id),
    }
}

/// `directory.lookup`
pub fn lookup(
    rows: &impl Read,
    _now: UnixTime,
    _op: functions::Lookup,
) -> Result<answers::directory::Owner> {
    Ok(answers::directory::Owner { user_id: rows.get(ENTRY, &())?.map(|entry| entry.peer) })
}

/// `directory.awaitedBy`
pub fn awaited_by(txn: &mut Txn<'_, '_>, _now: UnixTime, op: functions::AwaitedBy) -> Result<Done> {
    if let Some(entry) = txn.get(ENTRY, &())? {
        return joined(txn, entry.peer, op.user_id);
    }
    let mut count = 0;
    txn.visit(AWAITED_BY, .., Order::Forward, |_, _| {
        count += 1;
        if count < AWAITING_COUNT_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if count < AWAITING_COUNT_MAX {
        txn.put(AWAITED_BY, &op.user_id, &Entry { peer: op.user_id });
    }
    Ok(Done {})
}

/// Gives the number to a user and tells those who wait for that.
fn give(txn: &mut Txn<'_, '_>, user_id: i64) -> Result<Done> {
    txn.put(ENTRY, &(), &Entry { peer: user_id });
    for (waiting, _) in txn.scan(AWAITED_BY, .., Order::Forward, AWAITING_COUNT_MAX)? {
        txn.delete(AWAITED_BY, &waiting);
        joined(txn, user_id, waiting)?;
    }
    Ok(Done {})
}

fn joined(txn: &mut Txn<'_, '_>, user_id: i64, waiting: i64) -> Result<Done> {
    let Owner::Phone(phone) = txn.owner().clone() else { return Err(Refusal::Internal.into()) };
    txn.deliver_to(waiting, &contacts::PeerJoined { from: user_id, phone: &phone })?;
    Ok(Done {})
}

/// The code of that hash, if it is alive and this key's.
fn live_code(
    rows: &impl Read,
    now: UnixTime,
    hash: &String,
    auth_key_id: i64,
) -> Result<LoginCode> {
    match rows.get(CODES, hash)? {
        Some(code) if code.expires_at > now.0 && code.auth_key_id == auth_key_id => Ok(code),
        _ => Err(Refusal::PhoneCodeExpired.into()),
    }
}

fn verified(rows: &impl Read, now: UnixTime, hash: &String, auth_key_id: i64) -> Result<()> {
    if rows.contains(ENTRY, &())? {
        return Err(Refusal::PhoneNumberOccupied.into());
    }
    if live_code(rows, now, hash, auth_key_id)?.verified {
        Ok(())
    } else {
        Err(Refusal::PhoneCodeInvalid.into())
    }
}

/// What was counted in the window that `now` lies in.
fn counts(rows: &impl Read, now: UnixTime) -> Result<CodeCounts> {
    let counts = rows.get(CODE_COUNTS, &())?;
    let open = counts.filter(|counts| now.0.saturating_sub(counts.since) < CODE_WINDOW_S);
    Ok(open.unwrap_or_else(|| CodeCounts::new(now.0, 0, 0)))
}

fn count_sent(txn: &mut Txn<'_, '_>, now: UnixTime) -> Result<()> {
    let mut counts = counts(txn.rows(), now)?;
    if counts.sent >= CODE_SENT_COUNT_MAX || counts.wrong >= CODE_WRONG_COUNT_MAX {
        return Err(flood(&counts, now).into());
    }
    counts.sent += 1;
    txn.put(CODE_COUNTS, &(), &counts);
    Ok(())
}

fn flood(counts: &CodeCounts, now: UnixTime) -> Refusal {
    let wait_s = counts.since.saturating_add(CODE_WINDOW_S).saturating_sub(now.0);
    answers::FloodWait { wait_s: wait_s.clamp(1, CODE_WINDOW_S) }.into()
}
