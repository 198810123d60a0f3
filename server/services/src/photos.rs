//! Photos of profiles: the present one first, and those before it.

use std::ops::ControlFlow;

use storage::{Desc, Order, Read};
use tl::operations::{
    enums::Refusal,
    functions::{files::Receive, photos as functions},
    types::{EffectUserPhoto, photos::Page},
};
use tl::records::{
    enums::{File, PrivacyKey},
    types::{FilePhoto, Photo, Relation},
};

use crate::accounts::{account, profile::audience, settings};
use crate::contacts::relation;
use crate::limits::{PAGE_COUNT_MAX, PROFILE_PHOTO_COUNT_MAX};
use crate::tables::PROFILE_PHOTOS;
use crate::{Done, Result, Txn, UnixTime, files};

/// `photos.add`
pub fn add(txn: &mut Txn<'_, '_>, _: UnixTime, op: functions::Add) -> Result<Photo> {
    let user = account(txn.rows())?.id;
    let File::FilePhoto(file) = files::of_source(txn.rows(), &op.source)? else {
        return Err(Refusal::PhotoIdInvalid.into());
    };
    let photo = file.photo;
    let photos = all(txn.rows())?;
    if photos.first().is_some_and(|(_, present)| present.id == photo.id) {
        return Ok(photo);
    }
    // Keys go down from the newest; one that was deleted since may be used again.
    let sequence = photos.first().map_or(0, |(sequence, _)| *sequence) + 1;
    txn.put(PROFILE_PHOTOS, &Desc(sequence), &photo);
    if let Some((before, _)) = photos.iter().find(|(_, before)| before.id == photo.id) {
        // It was among the former ones, and comes to the front.
        txn.delete(PROFILE_PHOTOS, &Desc(*before));
    } else {
        files::hold(txn, photo.id, vec![user])?;
        for (sequence, oldest) in photos.iter().skip(PROFILE_PHOTO_COUNT_MAX - 1) {
            txn.delete(PROFILE_PHOTOS, &Desc(*sequence));
            files::release(txn, oldest.id, 1)?;
        }
    }
    tell(txn, user)?;
    Ok(photo)
}

/// `photos.delete`
pub fn delete(txn: &mut Txn<'_, '_>, _: UnixTime, op: functions::Delete) -> Result<Page> {
    let user = account(txn.rows())?.id;
    let photos = all(txn.rows())?;
    let present = photos.first().map(|(_, photo)| photo.id);
    let (gone, left): (Vec<_>, Vec<_>) =
        photos.into_iter().partition(|(_, photo)| op.ids.contains(&photo.id));
    for (sequence, photo) in &gone {
        txn.delete(PROFILE_PHOTOS, &Desc(*sequence));
        files::release(txn, photo.id, 1)?;
    }
    if left.first().map(|(_, photo)| photo.id) != present {
        tell(txn, user)?;
    }
    let count = i32::try_from(gone.len()).unwrap_or(i32::MAX);
    Ok(Page { count, photos: gone.into_iter().map(|(_, photo)| photo).collect() })
}

/// `photos.list`
pub fn list(rows: &impl Read, _: UnixTime, op: functions::List) -> Result<Page> {
    let photos = all(rows)?;
    let count = i32::try_from(photos.len()).unwrap_or(i32::MAX);
    let start = match op.max_id {
        0 => Some(0),
        max_id => photos.iter().position(|(_, photo)| photo.id == max_id).map(|at| at + 1),
    };
    let skip = usize::try_from(op.offset).unwrap_or_default();
    let limit = usize::try_from(op.limit.clamp(0, PAGE_COUNT_MAX)).unwrap_or_default();
    let start = start.unwrap_or(photos.len()).saturating_add(skip);
    let photos = photos.into_iter().skip(start).take(limit).map(|(_, photo)| photo).collect();
    Ok(Page { count, photos })
}

/// `photos.lend`
pub fn lend(txn: &mut Txn<'_, '_>, _: UnixTime, op: functions::Lend) -> Result<Done> {
    let user = account(txn.rows())?.id;
    let visible = are_visible(txn.rows(), user, op.user, &relation(txn.rows(), op.user)?)?;
    let Some((_, photo)) = find(txn.rows(), op.id)?.filter(|_| visible) else {
        return Err(Refusal::FileReferenceExpired.into());
    };
    // Told before the owner can let go of the photo, and the same way as that.
    files::hold(txn, photo.id, vec![op.user])?;
    let file = FilePhoto { photo }.into();
    txn.deliver_to(op.user, &Receive { file, hold_s: op.hold_s })?;
    Ok(Done {})
}

/// Whether `user`, who is the owner, shows photos to `viewer`.
pub(crate) fn are_visible(
    rows: &impl Read,
    user: i64,
    viewer: i64,
    relation: &Relation,
) -> Result<bool> {
    let key = PrivacyKey::PrivacyProfilePhoto;
    let allowed = settings::allows(rows, &key, user, viewer, relation.contact.is_some())?;
    Ok(allowed && relation.blocked.is_none())
}

/// The owner's present photo.
pub(crate) fn present(rows: &impl Read) -> Result<Option<Photo>> {
    Ok(rows.first(PROFILE_PHOTOS, .., Order::Forward)?.map(|(_, photo)| photo))
}

/// A photo of the owner's profile by its id, with its place.
pub(crate) fn find(rows: &impl Read, id: i64) -> Result<Option<(i64, Photo)>> {
    let mut found = None;
    rows.visit(PROFILE_PHOTOS, .., Order::Forward, |Desc(sequence), photo| {
        if photo.id != id {
            return ControlFlow::Continue(());
        }
        found = Some((sequence, photo));
        ControlFlow::Break(())
    })?;
    Ok(found)
}

fn all(rows: &impl Read) -> Result<Vec<(i64, Photo)>> {
    let rows = rows.scan(PROFILE_PHOTOS, .., Order::Forward, PROFILE_PHOTO_COUNT_MAX + 1)?;
    Ok(rows.into_iter().map(|(Desc(sequence), photo)| (sequence, photo)).collect())
}

/// Tells the owner's sessions, and those who may see the photo.
fn tell(txn: &mut Txn<'_, '_>, user: i64) -> Result<()> {
    let audience = audience(txn.rows(), user, Some(&PrivacyKey::PrivacyProfilePhoto))?;
    txn.tell(EffectUserPhoto { user, audience });
    Ok(())
}
