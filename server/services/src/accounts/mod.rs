//! Accounts: who a user is, what others may see of it, and where it is logged in.
//!
//! | module | operations |
//! |---|---|
//! | here | creating and looking at accounts |
//! | [`profile`] | names, about text, username, presence |
//! | [`authorizations`] | logged-in devices |
//! | [`settings`] | privacy rules, notification settings |
//!
//! All lie under the user. What another user may see is decided here, under the one who is looked at, because the privacy
//! rules and the contact list are here; what the viewer calls that user is decided under the viewer, in [`crate::contacts`].

pub mod authorizations;
pub mod profile;
pub mod settings;

use storage::Read;
use tl::operations::{enums::Refusal, functions::accounts as functions, types as answers};
use tl::records::{
    enums::PrivacyKey,
    types::{Account, Presence, Relation},
};

use crate::limits::{ABOUT_LEN_MAX, NAME_LEN_MAX, SERVICE_USER_ID, USER_ID_MAX, USER_ID_MIN};
use crate::tables::{ACCOUNT, AUTHORIZATIONS, PRESENCE, RELATIONS};
use crate::{Done, Result, Txn, UnixTime, photos, user};

pub use authorizations::{
    authorize, end_authorization, end_other_authorizations, get_authorizations, key_destroyed,
    log_out, touch,
};
pub use profile::{set_presence, set_username, update_profile};
pub use settings::{get_notify, get_privacy, notify, reset_notify, set_notify, set_privacy};

/// `accounts.create`
pub fn create(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Create<'_>) -> Result<Account> {
    let id = user(txn.rows())?.0;
    if !(USER_ID_MIN..=USER_ID_MAX).contains(&id) {
        return Err(Refusal::UserIdInvalid.into());
    }
    if let Some(account) = txn.get(ACCOUNT, &())? {
        let same = account.phone == op.phone && !account.deleted;
        return if same { Ok(account) } else { Err(Refusal::UserIdInvalid.into()) };
    }
    let first_name = first_name(op.first_name)?;
    let last_name = last_name(op.last_name)?;
    let account = Account::new(id, op.phone.to_owned(), first_name, last_name, now.0);
    txn.put(ACCOUNT, &(), &account);
    Ok(account)
}

/// `accounts.bootstrap`
pub fn bootstrap(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::Bootstrap<'_>,
) -> Result<Account> {
    let id = user(txn.rows())?.0;
    if id != SERVICE_USER_ID {
        return Err(Refusal::UserIdInvalid.into());
    }
    if let Some(account) = txn.get(ACCOUNT, &())? {
        return Ok(account);
    }
    let name = first_name(op.first_name)?;
    let account = Account {
        service: true,
        ..Account::new(id, op.phone.to_owned(), name, String::new(), now.0)
    };
    txn.put(ACCOUNT, &(), &account);
    Ok(account)
}

/// `accounts.abandon`
pub fn abandon(txn: &mut Txn<'_, '_>, _now: UnixTime, _op: functions::Abandon) -> Result<Done> {
    let used = txn.first(AUTHORIZATIONS, .., storage::Order::Forward)?.is_some();
    if let Some(account) = txn.get(ACCOUNT, &())?
        && !used
        && !account.service
    {
        txn.delete(ACCOUNT, &());
    }
    Ok(Done {})
}

/// `accounts.get`
pub fn get(
    rows: &impl Read,
    _now: UnixTime,
    op: functions::Get,
) -> Result<answers::accounts::Profile> {
    let account = account(rows)?;
    let relation = rows.get(RELATIONS, &op.viewer)?.unwrap_or_else(Relation::new);
    let presence = rows.get(PRESENCE, &())?.unwrap_or_else(|| Presence::new(0, 0));
    let may = |key| settings::allows(rows, &key, account.id, op.viewer, relation.contact.is_some());
    let blocks_viewer = relation.blocked.is_some();
    let sight = photos::sight(rows, account.id, op.viewer, &relation)?;
    Ok(answers::accounts::Profile {
        phone_visible: may(PrivacyKey::PrivacyPhoneNumber)?,
        presence_visible: may(PrivacyKey::PrivacyStatus)? && !blocks_viewer,
        about_visible: may(PrivacyKey::PrivacyAbout)? && !blocks_viewer,
        photo_visible: sight.photos,
        photo: if sight.photos { photos::present(rows)? } else { None },
        fallback_photo: if sight.fallback { photos::fallback(rows)? } else { None },
        findable_by_phone: may(PrivacyKey::PrivacyAddedByPhone)?,
        named_in_forwards: may(PrivacyKey::PrivacyForwards)?,
        viewer_is_contact: relation.contact.is_some(),
        blocks_viewer,
        ..answers::accounts::Profile::new(account, presence)
    })
}

/// The account, or `userIdInvalid`.
pub(crate) fn account(rows: &impl Read) -> Result<Account> {
    match rows.get(ACCOUNT, &())? {
        Some(account) if !account.deleted => Ok(account),
        _ => Err(Refusal::UserIdInvalid.into()),
    }
}

/// A first name without blanks around it, or `firstnameInvalid`.
pub(crate) fn first_name(name: &str) -> Result<String> {
    let name = name.trim();
    let fits = (1..=NAME_LEN_MAX).contains(&name.chars().count());
    if fits { Ok(name.to_owned()) } else { Err(Refusal::FirstnameInvalid.into()) }
}

/// A last name without blanks around it, or `lastnameInvalid`.
pub(crate) fn last_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.chars().count() <= NAME_LEN_MAX {
        Ok(name.to_owned())
    } else {
        Err(Refusal::LastnameInvalid.into())
    }
}

/// A text about oneself, or `aboutTooLong`.
fn about(text: &str) -> Result<Option<String>> {
    let text = text.trim();
    if text.chars().count() > ABOUT_LEN_MAX {
        return Err(Refusal::AboutTooLong.into());
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
