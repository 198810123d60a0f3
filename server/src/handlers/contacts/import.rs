//! The address book: phone numbers, some of which have accounts.

use mtproto::session::Reply;
use storage::{Owner, UserId};
use tl::{
    api::{
        functions::contacts::{DeleteByPhones, GetSaved, ImportContacts, ResetSaved},
        types::{self, contacts::ImportedContacts},
    },
    operations::functions::{accounts, contacts as operations, directory},
};

use super::digits;
use crate::{
    convert::users::Users,
    limits::IMPORT_COUNT_MAX,
    rpc::{Result, UserCtx},
};

/// `contacts.importContacts`: who has an account and lets be found by number becomes a contact; other numbers are remembered.
///
/// Beyond [`IMPORT_COUNT_MAX`] entries the rest is to be sent again. Entries without a name or number are ignored, and so is
/// the caller's own.
///
/// Errors: `FLOOD_WAIT_X`, as each entry costs what a call costs that writes.
///
/// Source: <https://core.telegram.org/method/contacts.importContacts>.
pub async fn import_contacts(ctx: &UserCtx, request: ImportContacts<'_>) -> Result<Reply> {
    // Who tries out all numbers there are is to be slow.
    ctx.spend_for(request.contacts.len().min(IMPORT_COUNT_MAX))?;
    let mut imported = Vec::new();
    let mut found = Vec::new();
    let mut retry = Vec::new();
    for (at, entry) in request.contacts.iter().enumerate() {
        if at >= IMPORT_COUNT_MAX {
            retry.push(entry.client_id);
            continue;
        }
        if let Some(user) = import(ctx, entry).await? {
            imported.push(types::ImportedContact::new(user.0, entry.client_id));
            found.push(user.0);
        }
    }
    let users = Users::load(ctx.shared(), ctx.user, found)?;
    let answer = ImportedContacts::new(imported, Vec::new(), retry, users.to_tl());
    Ok(ctx.answer(&request, answer))
}

/// Takes one entry; the account that it led to.
async fn import(ctx: &UserCtx, entry: &types::InputPhoneContact<'_>) -> Result<Option<UserId>> {
    let phone = digits(entry.phone);
    let (first_name, last_name) = match (entry.first_name.trim(), entry.last_name.trim()) {
        ("", last_name) => (last_name, ""),
        names => names,
    };
    if phone.is_empty() || first_name.is_empty() {
        return Ok(None);
    }
    match take(ctx, &phone, first_name, last_name).await {
        // One bad entry does not spoil the others.
        Err(error) if error.code == 400 => Ok(None),
        taken => taken,
    }
}

async fn take(
    ctx: &UserCtx,
    phone: &str,
    first_name: &str,
    last_name: &str,
) -> Result<Option<UserId>> {
    let Some(user) = ctx.call(Owner::phone(phone), &directory::Lookup {}).await?.user_id else {
        let remember = operations::Remember { phone, first_name, last_name };
        ctx.call(ctx.user, &remember).await?;
        return Ok(None);
    };
    let profile = ctx.call(UserId(user), &accounts::Get { viewer: ctx.user.0 }).await?;
    if user == ctx.user.0 || !profile.findable_by_phone {
        return Ok(None);
    }
    ctx.call(ctx.user, &operations::Add { peer: user, phone, first_name, last_name }).await?;
    Ok(Some(UserId(user)))
}

/// `contacts.deleteByPhones`: removes those contacts whose number, as the caller knows it, is among these.
///
/// Source: <https://core.telegram.org/method/contacts.deleteByPhones>.
pub async fn delete_by_phones(ctx: &UserCtx, request: DeleteByPhones<'_>) -> Result<Reply> {
    let phones: Vec<String> = request.phones.iter().map(|phone| digits(phone)).collect();
    let list = ctx.call(ctx.user, &operations::List {}).await?.peers;
    let known = list.into_iter().filter(|known| {
        let contact = known.relation.contact.as_ref();
        contact.is_some_and(|contact| phones.contains(&contact.phone))
    });
    let peers: Vec<i64> = known.map(|known| known.peer).collect();
    if !peers.is_empty() {
        ctx.call(ctx.user, &operations::Delete { peers }).await?;
    }
    Ok(ctx.answer(&request, true))
}

/// `contacts.getSaved`. Empty by design: remembered numbers are there for whoever signs up, not to be listed.
///
/// Source: <https://core.telegram.org/method/contacts.getSaved>.
pub async fn get_saved(ctx: &UserCtx, request: GetSaved) -> Result<Reply> {
    Ok(ctx.answer(&request, Vec::new()))
}

/// `contacts.resetSaved`. Does nothing by design: there is no list of saved numbers to forget.
///
/// Source: <https://core.telegram.org/method/contacts.resetSaved>.
pub async fn reset_saved(ctx: &UserCtx, request: ResetSaved) -> Result<Reply> {
    Ok(ctx.answer(&request, true))
}
