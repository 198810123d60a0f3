//! Names, about text, username and presence: what others see, and who is told when it changes.
//!
//! The change is stored under the user alone. Others look it up when they need it; those who probably show it (who has the
//! user as a contact, and whoever the user chats with) are named in the effect, so that their sessions learn of it at once.
//! That costs no rows: a user who is offline sees the new state at the next look.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use storage::{Order, Owner, Read};
use tl::operations::functions::usernames;
use tl::operations::{enums::Refusal, functions::accounts as functions, types as effects};
use tl::records::{
    enums::PrivacyKey,
    types::{Account, Presence},
};

use super::{about, account, first_name, last_name, settings};
use crate::limits::{AUDIENCE_COUNT_MAX, PRESENCE_ONLINE_S};
use crate::tables::{ACCOUNT, DIALOGS, PRESENCE, RELATIONS};
use crate::{Result, Txn, UnixTime};

/// `accounts.updateProfile`
pub fn update_profile(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    op: functions::UpdateProfile<'_>,
) -> Result<Account> {
    let before = account(txn.rows())?;
    let mut account = before.clone();
    if let Some(name) = op.first_name {
        account.first_name = first_name(name)?;
    }
    if let Some(name) = op.last_name {
        account.last_name = last_name(name)?;
    }
    if let Some(text) = op.about {
        account.about = about(text)?;
    }
    if account != before {
        txn.put(ACCOUNT, &(), &account);
    }
    if (&account.first_name, &account.last_name) != (&before.first_name, &before.last_name) {
        tell_names(txn, &account)?;
    }
    Ok(account)
}

/// `accounts.setUsername`
pub fn set_username(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    op: functions::SetUsername<'_>,
) -> Result<Account> {
    let mut account = account(txn.rows())?;
    let username = Some(op.username).filter(|name| !name.is_empty()).map(str::to_owned);
    if account.username == username {
        return Err(Refusal::UsernameNotModified.into());
    }
    if let Some(old) = &account.username {
        let kept = username.as_ref().is_some_and(|new| new.eq_ignore_ascii_case(old));
        if !kept {
            let peer = account.id;
            txn.deliver(Owner::username(old), &usernames::Release { peer })?;
        }
    }
    account.username = username;
    txn.put(ACCOUNT, &(), &account);
    tell_names(txn, &account)?;
    Ok(account)
}

/// `accounts.setPresence`
pub fn set_presence(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::SetPresence,
) -> Result<Presence> {
    let account = account(txn.rows())?;
    let before = txn.get(PRESENCE, &())?.unwrap_or_else(|| Presence::new(0, 0));
    let left_s = before.online_until.saturating_sub(now.0);
    let unchanged = if op.offline { left_s <= 0 } else { left_s > PRESENCE_ONLINE_S / 2 };
    if unchanged && before.was_online != 0 {
        return Ok(before);
    }
    let online_until = if op.offline { now.0 } else { now.0.saturating_add(PRESENCE_ONLINE_S) };
    let presence = Presence::new(online_until, now.0);
    txn.put(PRESENCE, &(), &presence);
    let audience = audience(txn.rows(), account.id, Some(&PrivacyKey::PrivacyStatus))?;
    txn.tell(effects::EffectPresence { user: account.id, presence: presence.clone(), audience });
    Ok(presence)
}

fn tell_names(txn: &mut Txn<'_, '_>, account: &Account) -> Result<()> {
    let audience = audience(txn.rows(), account.id, None)?;
    txn.tell(effects::EffectUserName {
        user: account.id,
        first_name: account.first_name.clone(),
        last_name: account.last_name.clone(),
        username: account.username.clone().unwrap_or_default(),
        audience,
    });
    Ok(())
}

/// Users who probably show this one: who have it as a contact, and whoever it chats with; not those it blocked.
pub(crate) fn audience(rows: &impl Read, user: i64, key: Option<&PrivacyKey>) -> Result<Vec<i64>> {
    let mut audience = BTreeSet::new();
    let mut hidden = BTreeSet::new();
    let mut contacts = BTreeSet::new();
    rows.visit(RELATIONS, .., Order::Forward, |peer, relation| {
        if relation.contact.is_some() {
            contacts.insert(peer);
        }
        if relation.blocked.is_some() {
            hidden.insert(peer);
        } else if relation.knows_me {
            audience.insert(peer);
        }
        if audience.len() < AUDIENCE_COUNT_MAX {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    rows.visit(DIALOGS, .., Order::Forward, |peer, _| {
        if peer > 0
            && peer != user
            && !hidden.contains(&peer)
            && audience.len() < AUDIENCE_COUNT_MAX
        {
            audience.insert(peer);
        }
        if audience.len() < AUDIENCE_COUNT_MAX {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    let Some(key) = key else { return Ok(audience.into_iter().collect()) };
    let rules = settings::rules(rows, key)?;
    let sees = |viewer: &i64| settings::permits(&rules, *viewer, contacts.contains(viewer));
    Ok(audience.into_iter().filter(sees).collect())
}
