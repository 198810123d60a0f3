//! The devices a user is logged in on.
//!
//! The row here is what the user sees and ends; the row under the auth key ([`crate::keys`]) is what lets requests in.
//! Logging in writes this one first, then the other; ending takes this one away and tells the other by delivery, and the
//! effect makes the gateway forget the user at once.

use std::cmp::Reverse;

use storage::{AuthKeyId, Order, Owner, Read};
use tl::operations::{enums::Refusal, functions, types as answers};
use tl::records::types::{Authorization, Client};

use super::account;
use crate::limits::{AUTHORIZATION_COUNT_MAX, AUTHORIZATION_TOUCH_S};
use crate::tables::AUTHORIZATIONS;
use crate::{Done, Result, Txn, UnixTime, user};

/// `accounts.authorize`
pub fn authorize(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::accounts::Authorize<'_>,
) -> Result<Authorization> {
    account(txn.rows())?;
    let known = txn.get(AUTHORIZATIONS, &op.auth_key_id)?;
    let mut others = all(txn.rows())?;
    others.retain(|other| other.auth_key_id != op.auth_key_id);
    if others.len() >= AUTHORIZATION_COUNT_MAX {
        let excess = others.split_off(AUTHORIZATION_COUNT_MAX - 1);
        end(txn, &excess)?;
    }
    let mut authorization = describe(op.client, op.hash, op.auth_key_id, op.ip, now);
    if let Some(known) = &known {
        authorization.hash = known.hash;
    }
    txn.put(AUTHORIZATIONS, &op.auth_key_id, &authorization);
    if known.is_none() {
        txn.tell(answers::EffectNewAuthorization { authorization: authorization.clone() });
    }
    Ok(authorization)
}

/// `accounts.touch`
pub fn touch(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::accounts::Touch<'_>,
) -> Result<Done> {
    let Some(before) = txn.get(AUTHORIZATIONS, &op.auth_key_id)? else {
        return Err(Refusal::AuthKeyUnregistered.into());
    };
    let mut after = describe(op.client, before.hash, before.auth_key_id, op.ip, now);
    after.created = before.created;
    let fresh = now.0.saturating_sub(before.active) < AUTHORIZATION_TOUCH_S;
    let unchanged = Authorization { active: before.active, ..after.clone() } == before;
    if !(fresh && unchanged) {
        txn.put(AUTHORIZATIONS, &op.auth_key_id, &after);
    }
    Ok(Done {})
}

/// `accounts.getAuthorizations`
pub fn get_authorizations(
    rows: &impl Read,
    _now: UnixTime,
    _op: functions::accounts::GetAuthorizations,
) -> Result<answers::accounts::Authorizations> {
    Ok(answers::accounts::Authorizations { authorizations: all(rows)? })
}

/// `accounts.logOut`
pub fn log_out(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    op: functions::accounts::LogOut,
) -> Result<answers::accounts::Ended> {
    let ended: Vec<_> = txn.get(AUTHORIZATIONS, &op.auth_key_id)?.into_iter().collect();
    end(txn, &ended)
}

/// `accounts.endAuthorization`
pub fn end_authorization(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    op: functions::accounts::EndAuthorization,
) -> Result<answers::accounts::Ended> {
    let mut ended = all(txn.rows())?;
    ended.retain(|authorization| authorization.hash == op.hash);
    if ended.is_empty() {
        return Err(Refusal::HashInvalid.into());
    }
    end(txn, &ended)
}

/// `accounts.endOtherAuthorizations`
pub fn end_other_authorizations(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    op: functions::accounts::EndOtherAuthorizations,
) -> Result<answers::accounts::Ended> {
    let mut ended = all(txn.rows())?;
    ended.retain(|authorization| authorization.auth_key_id != op.auth_key_id);
    end(txn, &ended)
}

/// `accounts.keyDestroyed`
pub fn key_destroyed(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    op: functions::accounts::KeyDestroyed,
) -> Result<Done> {
    // Nobody is told: the key's connections ended with it, or have another user by now.
    txn.delete(AUTHORIZATIONS, &op.auth_key_id);
    Ok(Done {})
}

/// All devices, the latest used first.
fn all(rows: &impl Read) -> Result<Vec<Authorization>> {
    let found = rows.scan(AUTHORIZATIONS, .., Order::Forward, AUTHORIZATION_COUNT_MAX + 1)?;
    let mut all: Vec<_> = found.into_iter().map(|(_, authorization)| authorization).collect();
    all.sort_by_key(|authorization| Reverse((authorization.active, authorization.created)));
    Ok(all)
}

fn end(txn: &mut Txn<'_, '_>, ended: &[Authorization]) -> Result<answers::accounts::Ended> {
    let user_id = user(txn.rows())?.0;
    let auth_key_ids: Vec<i64> =
        ended.iter().map(|authorization| authorization.auth_key_id).collect();
    for auth_key_id in &auth_key_ids {
        txn.delete(AUTHORIZATIONS, auth_key_id);
        let key = Owner::AuthKey(AuthKeyId(*auth_key_id));
        txn.deliver(key, &functions::keys::Logout { user_id })?;
    }
    if !auth_key_ids.is_empty() {
        txn.tell(answers::EffectAuthorizationsEnded { auth_key_ids: auth_key_ids.clone() });
    }
    Ok(answers::accounts::Ended { auth_key_ids })
}

fn describe(client: Client, hash: i64, auth_key_id: i64, ip: &str, now: UnixTime) -> Authorization {
    Authorization {
        hash,
        auth_key_id,
        api_id: client.api_id,
        device_model: client.device_model,
        system_version: client.system_version,
        app_version: client.app_version,
        system_lang_code: client.system_lang_code,
        lang_pack: client.lang_pack,
        lang_code: client.lang_code,
        ip: ip.to_owned(),
        layer: client.layer,
        created: now.0,
        active: now.0,
    }
}
