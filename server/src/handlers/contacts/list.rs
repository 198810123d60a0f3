//! The contact list.

use mtproto::session::Reply;
use storage::UserId;
use tl::{
    api::{
        enums::contacts::Contacts,
        functions::contacts::{
            AcceptContact, AddContact, DeleteContacts, GetBirthdays, GetContactIDs, GetContacts,
            GetStatuses,
        },
        types::{self, contacts},
    },
    operations::functions::{accounts, contacts as operations},
    records::{
        enums::{PrivacyKey, PrivacyRule},
        types::RuleAllowUsers,
    },
};

use super::digits;
use crate::{
    convert::{
        messages, peers,
        users::{Loaded, Users},
    },
    limits::USER_COUNT_MAX,
    rpc::{Result, RpcError, UserCtx},
};

/// `contacts.getContacts`: the contact list, ordered by id.
///
/// Source: <https://core.telegram.org/method/contacts.getContacts>.
pub async fn get_contacts(ctx: &UserCtx, request: GetContacts) -> Result<Reply> {
    let list = ctx.call(ctx.user, &operations::List {}).await?.peers;
    let ids = list.iter().map(|contact| contact.peer);
    if request.hash != 0 && request.hash == list_hash(ids.clone()) {
        return Ok(ctx.answer(&request, Contacts::ContactsNotModified));
    }
    let users = Users::load(ctx.shared(), ctx.user, ids)?;
    let contacts = list
        .iter()
        .map(|contact| {
            let mutual = users.get(contact.peer).is_some_and(Loaded::is_mutual);
            types::Contact::new(contact.peer, mutual)
        })
        .collect();
    Ok(ctx.answer(&request, contacts::Contacts::new(contacts, 0, users.to_tl())))
}

/// `contacts.getContactIDs`: those ids of contacts that this old method's answer has room for.
///
/// Source: <https://core.telegram.org/method/contacts.getContactIDs>.
pub async fn get_contact_ids(ctx: &UserCtx, request: GetContactIDs) -> Result<Reply> {
    let list = ctx.call(ctx.user, &operations::List {}).await?.peers;
    let ids: Vec<i32> = list.iter().filter_map(|known| i32::try_from(known.peer).ok()).collect();
    Ok(ctx.answer(&request, ids))
}

/// `contacts.getStatuses`: when contacts were last online, as far as each allows.
///
/// Source: <https://core.telegram.org/method/contacts.getStatuses>.
pub async fn get_statuses(ctx: &UserCtx, request: GetStatuses) -> Result<Reply> {
    let list = ctx.call(ctx.user, &operations::List {}).await?.peers;
    let users = Users::load(ctx.shared(), ctx.user, list.iter().map(|known| known.peer))?;
    let statuses = list.iter().filter_map(|known| users.get(known.peer));
    let statuses: Vec<_> = statuses
        .filter_map(|user| Some(types::ContactStatus::new(user.id, user.status()?)))
        .collect();
    Ok(ctx.answer(&request, statuses))
}

/// `contacts.addContact`: makes a user a contact, or gives a contact other names.
///
/// Errors: `USER_ID_INVALID`, `CONTACT_ID_INVALID` for oneself, `CONTACT_NAME_EMPTY`.
///
/// Source: <https://core.telegram.org/method/contacts.addContact>.
pub async fn add_contact(ctx: &UserCtx, request: AddContact<'_>) -> Result<Reply> {
    let user = peers::user(ctx.shared(), ctx.user, &request.id)?;
    existing(ctx, user)?;
    let add = operations::Add {
        peer: user.0,
        phone: &digits(request.phone),
        first_name: request.first_name,
        last_name: request.last_name,
    };
    ctx.call(ctx.user, &add).await?;
    if request.add_phone_privacy_exception {
        show_phone_to(ctx, user).await?;
    }
    let users = Users::load(ctx.shared(), ctx.user, [user.0])?;
    Ok(ctx.answer(&request, changed(ctx, &users, &[user.0])))
}

/// `contacts.acceptContact`: makes a user a contact, under the user's own names.
///
/// Errors: `USER_ID_INVALID`, `CONTACT_ID_INVALID` for oneself.
///
/// Source: <https://core.telegram.org/method/contacts.acceptContact>.
pub async fn accept_contact(ctx: &UserCtx, request: AcceptContact) -> Result<Reply> {
    let user = peers::user(ctx.shared(), ctx.user, &request.id)?;
    let known = existing(ctx, user)?;
    let (first_name, last_name) = known.get(user.0).map_or(("", ""), |known| known.names());
    let add = operations::Add { peer: user.0, phone: "", first_name, last_name };
    ctx.call(ctx.user, &add).await?;
    let users = Users::load(ctx.shared(), ctx.user, [user.0])?;
    Ok(ctx.answer(&request, changed(ctx, &users, &[user.0])))
}

/// `contacts.deleteContacts`: removes contacts; who is none is ignored.
///
/// Errors: `USER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/contacts.deleteContacts>.
pub async fn delete_contacts(ctx: &UserCtx, request: DeleteContacts) -> Result<Reply> {
    if request.id.len() > USER_COUNT_MAX {
        return Err(RpcError::INPUT_REQUEST_TOO_LONG);
    }
    let ids = request.id.iter().map(|user| Ok(peers::user(ctx.shared(), ctx.user, user)?.0));
    let peers = ids.collect::<Result<Vec<i64>>>()?;
    let deleted = ctx.call(ctx.user, &operations::Delete { peers }).await?;
    let ids: Vec<i64> = deleted.peers.iter().map(|deleted| deleted.peer).collect();
    let users = Users::load(ctx.shared(), ctx.user, ids.iter().copied())?;
    Ok(ctx.answer(&request, changed(ctx, &users, &ids)))
}

/// `contacts.getBirthdays`. Empty by design: birthdays are not kept.
///
/// Source: <https://core.telegram.org/method/contacts.getBirthdays>.
pub async fn get_birthdays(ctx: &UserCtx, request: GetBirthdays) -> Result<Reply> {
    Ok(ctx.answer(&request, contacts::ContactBirthdays::new(Vec::new(), Vec::new())))
}

/// What a session is told of contacts that it changed.
fn changed<'a>(ctx: &UserCtx, users: &'a Users, ids: &[i64]) -> types::Updates<'a> {
    let settings = ids
        .iter()
        .filter_map(|id| users.get(*id))
        .map(|user| types::UpdatePeerSettings::new(peers::to_tl(user.id), user.settings()).into());
    messages::updates(settings.collect(), users, ctx.now())
}

/// The user, who has an account.
fn existing(ctx: &UserCtx, user: UserId) -> Result<Users> {
    let users = Users::load(ctx.shared(), ctx.user, [user.0])?;
    if users.get(user.0).is_some_and(|user| user.exists()) {
        Ok(users)
    } else {
        Err(RpcError::USER_ID_INVALID)
    }
}

/// Lets a user see the caller's phone number, whatever the other rules say.
async fn show_phone_to(ctx: &UserCtx, user: UserId) -> Result<()> {
    let key = PrivacyKey::PrivacyPhoneNumber;
    let mut rules = ctx.call(ctx.user, &accounts::GetPrivacy { key: key.clone() }).await?.rules;
    let allowed = rules.iter_mut().find_map(|rule| match rule {
        PrivacyRule::RuleAllowUsers(rule) => Some(&mut rule.users),
        _ => None,
    });
    match allowed {
        Some(users) if users.contains(&user.0) => return Ok(()),
        Some(users) => users.push(user.0),
        None => rules.insert(0, RuleAllowUsers::new(vec![user.0]).into()),
    }
    ctx.call(ctx.user, &accounts::SetPrivacy { key, rules }).await?;
    Ok(())
}

/// The hash by which clients ask whether a list of ids is still the same.
///
/// Source: <https://core.telegram.org/api/offsets#hash-generation>.
fn list_hash(ids: impl IntoIterator<Item = i64>) -> i64 {
    let mut hash = 0_u64;
    for id in ids {
        hash ^= hash >> 21;
        hash ^= hash << 35;
        hash ^= hash >> 4;
        hash = hash.wrapping_add(id.cast_unsigned());
    }
    hash.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_depends_on_the_order() {
        assert_eq!(list_hash([]), 0);
        assert_eq!(list_hash([5]), 5);
        assert_ne!(list_hash([1, 2]), list_hash([2, 1]));
    }
}
