//! Auth keys: permanent ones, temporary ones bound to them, and who is logged in.
//!
//! ```text
//! permanent --login--> logged in --logout--> permanent          (destroy from anywhere)
//! temporary --bind--> acts for a permanent key --expires_at--> gone
//! permanent that nobody logs in with, or nobody any more --a week--> gone
//! ```
//!
//! A permanent key lists the temporary keys that act for it, so that they go when it goes. Clients open several sessions
//! with one temporary key each, so several are alive; the list is bounded.

use storage::{AuthKeyId, Order, Owner, Read, UserId};
use tl::operations::{
    enums::Refusal,
    functions::{accounts, keys as functions},
    types as answers,
};
use tl::records::types::{AuthKey, BoundKey, ChoreKey};

use crate::chores::later;
use crate::limits::{BIND_SLACK_S, BOUND_KEY_COUNT_MAX, UNUSED_KEY_LIFETIME_S};
use crate::tables::{AUTH_KEY, BOUND_KEYS};
use crate::{Done, Result, Txn, UnixTime};

/// `keys.create`
pub fn create(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Create<'_>) -> Result<AuthKey> {
    if txn.contains(AUTH_KEY, &())? {
        return Err(Refusal::AuthKeyInvalid.into());
    }
    let expires_at = op.expires_in.map(|seconds| now.0.saturating_add(seconds.max(0)));
    let key = AuthKey { expires_at, ..AuthKey::new(op.key.to_vec(), now.0, op.salt) };
    txn.put(AUTH_KEY, &(), &key);
    // Anybody may make keys, as many as they like.
    let due = expires_at.map_or_else(|| unused_until(now), UnixTime);
    let auth_key_id = id(txn.rows())?;
    later(txn, due, auth_key_id, ChoreKey { auth_key_id })?;
    Ok(key)
}

/// `keys.get`
pub fn get(rows: &impl Read, now: UnixTime, _op: functions::Get) -> Result<AuthKey> {
    key(rows, now)
}

/// `keys.bind`
pub fn bind(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Bind) -> Result<AuthKey> {
    let mut key = key(txn.rows(), now)?;
    let Some(own) = key.expires_at else { return Err(Refusal::TempAuthKeyEmpty.into()) };
    if key.bound_to.is_some_and(|bound| bound != op.perm_auth_key_id) {
        return Err(Refusal::TempAuthKeyAlreadyBound.into());
    }
    if op.expires_at <= now.0 || op.expires_at > own.saturating_add(BIND_SLACK_S) {
        return Err(Refusal::ExpiresAtInvalid.into());
    }
    if key.bound_to.is_none() {
        key.bound_to = Some(op.perm_auth_key_id);
        key.expires_at = Some(own.min(op.expires_at));
        txn.put(AUTH_KEY, &(), &key);
        let bound = functions::BoundBy {
            temp_auth_key_id: id(txn.rows())?,
            expires_at: own.min(op.expires_at),
        };
        txn.deliver(Owner::AuthKey(AuthKeyId(op.perm_auth_key_id)), &bound)?;
    }
    Ok(key)
}

/// `keys.boundBy`
pub fn bound_by(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::BoundBy) -> Result<Done> {
    if !txn.contains(AUTH_KEY, &())? {
        // The permanent key was destroyed meanwhile: who acts for it goes too.
        txn.deliver(Owner::AuthKey(AuthKeyId(op.temp_auth_key_id)), &functions::Destroy {})?;
        return Ok(Done {});
    }
    let mut bound = txn.scan(BOUND_KEYS, .., Order::Forward, BOUND_KEY_COUNT_MAX + 1)?;
    bound.retain(|(id, _)| *id != op.temp_auth_key_id);
    bound.sort_by_key(|(_, key)| key.expires_at);
    let excess = (bound.len() + 1).saturating_sub(BOUND_KEY_COUNT_MAX);
    for (at, (id, key)) in bound.iter().enumerate() {
        if at < excess || key.expires_at <= now.0 {
            txn.delete(BOUND_KEYS, id);
            txn.deliver(Owner::AuthKey(AuthKeyId(*id)), &functions::Destroy {})?;
        }
    }
    txn.put(BOUND_KEYS, &op.temp_auth_key_id, &BoundKey { expires_at: op.expires_at });
    Ok(Done {})
}

/// `keys.unboundBy`
pub fn unbound_by(txn: &mut Txn<'_, '_>, _now: UnixTime, op: functions::UnboundBy) -> Result<Done> {
    txn.delete(BOUND_KEYS, &op.temp_auth_key_id);
    Ok(Done {})
}

/// `keys.getBound`
pub fn get_bound(
    rows: &impl Read,
    now: UnixTime,
    _op: functions::GetBound,
) -> Result<answers::keys::Bound> {
    let bound = rows.scan(BOUND_KEYS, .., Order::Forward, BOUND_KEY_COUNT_MAX)?;
    let alive = bound.into_iter().filter(|(_, key)| key.expires_at > now.0);
    Ok(answers::keys::Bound { auth_key_ids: alive.map(|(id, _)| id).collect() })
}

/// `keys.setClient`
pub fn set_client(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::SetClient) -> Result<Done> {
    let mut key = key(txn.rows(), now)?;
    if key.client.as_ref() != Some(&op.client) {
        key.client = Some(op.client);
        txn.put(AUTH_KEY, &(), &key);
    }
    Ok(Done {})
}

/// `keys.login`
pub fn login(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Login) -> Result<Done> {
    let mut key = key(txn.rows(), now)?;
    if key.expires_at.is_some() {
        return Err(Refusal::AuthKeyInvalid.into());
    }
    let before = key.user_id.replace(op.user_id);
    if before != Some(op.user_id) {
        txn.put(AUTH_KEY, &(), &key);
        if let Some(other) = before {
            let auth_key_id = id(txn.rows())?;
            txn.deliver(Owner::User(UserId(other)), &accounts::KeyDestroyed { auth_key_id })?;
        }
    }
    Ok(Done {})
}

/// `keys.logout`
pub fn logout(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Logout) -> Result<Done> {
    if let Some(mut key) = txn.get(AUTH_KEY, &())?
        && key.user_id == Some(op.user_id)
    {
        key.user_id = None;
        txn.put(AUTH_KEY, &(), &key);
        // Whoever was told that the login ended before it began has let it in since.
        let auth_key_id = id(txn.rows())?;
        txn.tell(answers::EffectKeyLoggedOut { auth_key_id });
        later(txn, unused_until(now), auth_key_id, ChoreKey { auth_key_id })?;
    }
    Ok(Done {})
}

/// `keys.destroy`
pub fn destroy(txn: &mut Txn<'_, '_>, _now: UnixTime, _op: functions::Destroy) -> Result<Done> {
    let Some(key) = txn.get(AUTH_KEY, &())? else { return Ok(Done {}) };
    let auth_key_id = id(txn.rows())?;
    txn.delete(AUTH_KEY, &());
    for (temp, _) in txn.scan(BOUND_KEYS, .., Order::Forward, BOUND_KEY_COUNT_MAX + 1)? {
        txn.delete(BOUND_KEYS, &temp);
        txn.deliver(Owner::AuthKey(AuthKeyId(temp)), &functions::Destroy {})?;
    }
    if let Some(perm) = key.bound_to {
        let unbound = functions::UnboundBy { temp_auth_key_id: auth_key_id };
        txn.deliver(Owner::AuthKey(AuthKeyId(perm)), &unbound)?;
    }
    if let Some(user_id) = key.user_id {
        txn.deliver(Owner::User(UserId(user_id)), &accounts::KeyDestroyed { auth_key_id })?;
    }
    txn.tell(answers::EffectKeysDestroyed { auth_key_ids: vec![auth_key_id] });
    Ok(Done {})
}

/// `keys.expire`
pub fn expire(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    _op: functions::Expire,
) -> Result<answers::uploads::Next> {
    let nothing = answers::uploads::Next { due: 0 };
    let Some(key) = txn.get(AUTH_KEY, &())? else { return Ok(nothing) };
    let again = match key.expires_at {
        Some(expires_at) => Some(expires_at).filter(|expires_at| *expires_at > now.0),
        // The end of the login has it looked at again.
        None if key.user_id.is_some() => return Ok(nothing),
        None => {
            let bound = txn.scan(BOUND_KEYS, .., Order::Forward, BOUND_KEY_COUNT_MAX + 1)?;
            let is_used = bound.iter().any(|(_, bound)| bound.expires_at > now.0);
            is_used.then_some(unused_until(now).0)
        }
    };
    if let Some(due) = again {
        return Ok(answers::uploads::Next { due });
    }
    destroy(txn, now, functions::Destroy {})?;
    Ok(nothing)
}

/// When a permanent key goes that nobody logs in with.
const fn unused_until(now: UnixTime) -> UnixTime {
    UnixTime(now.0.saturating_add(UNUSED_KEY_LIFETIME_S))
}

/// The key, unless it expired.
fn key(rows: &impl Read, now: UnixTime) -> Result<AuthKey> {
    match rows.get(AUTH_KEY, &())? {
        Some(key) if key.expires_at.is_none_or(|expires_at| expires_at > now.0) => Ok(key),
        _ => Err(Refusal::AuthKeyInvalid.into()),
    }
}

fn id(rows: &impl Read) -> Result<i64> {
    match rows.owner() {
        Owner::AuthKey(id) => Ok(id.0),
        _ => Err(Refusal::AuthKeyInvalid.into()),
    }
}
