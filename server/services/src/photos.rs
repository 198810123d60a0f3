//! Photos of profiles: the present one first, and those before it; and one apart, for those who may not see them.

use std::ops::ControlFlow;

use storage::{Desc, Order, Read};
use tl::operations::{
    enums::Refusal,
    functions::{files::Receive, photos as functions},
    types::{EffectUserPhoto, photos::Page},
};
use tl::records::{
    enums::{File, PrivacyKey, Source},
    types::{FilePhoto, Photo, Relation},
};

use crate::accounts::{account, profile::audience, settings};
use crate::contacts::relation;
use crate::limits::{PAGE_COUNT_MAX, PROFILE_PHOTO_COUNT_MAX};
use crate::tables::{FALLBACK_PHOTO, PROFILE_PHOTOS};
use crate::{Done, Result, Txn, UnixTime, files};

/// `photos.add`
pub fn add(txn: &mut Txn<'_, '_>, _: UnixTime, op: functions::Add) -> Result<Photo> {
    let user = account(txn.rows())?.id;
    let photo = of_source(txn.rows(), &op.source)?;
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
    tell(txn, user, Some(&PrivacyKey::PrivacyProfilePhoto))?;
    Ok(photo)
}

/// `photos.setFallback`
pub fn set_fallback(
    txn: &mut Txn<'_, '_>,
    _: UnixTime,
    op: functions::SetFallback,
) -> Result<Page> {
    let user = account(txn.rows())?.id;
    let photo = match &op.source {
        Some(source) => Some(of_source(txn.rows(), source)?),
        None => None,
    };
    let before = fallback(txn.rows())?;
    if before != photo {
        match &photo {
            Some(photo) => {
                txn.put(FALLBACK_PHOTO, &(), photo);
                files::hold(txn, photo.id, vec![user])?;
            }
            None => txn.delete(FALLBACK_PHOTO, &()),
        }
        if let Some(before) = before {
            files::release(txn, before.id, 1)?;
        }
        tell(txn, user, None)?;
    }
    Ok(page(photo.into_iter().collect()))
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
    let mut gone: Vec<Photo> = gone.into_iter().map(|(_, photo)| photo).collect();
    // What was removed from the list may go on standing for it.
    let is_named =
        |it: &Photo| op.ids.contains(&it.id) && gone.iter().all(|other| other.id != it.id);
    if let Some(photo) = fallback(txn.rows())?.filter(is_named) {
        txn.delete(FALLBACK_PHOTO, &());
        files::release(txn, photo.id, 1)?;
        gone.push(photo);
        tell(txn, user, None)?;
    } else if left.first().map(|(_, photo)| photo.id) != present {
        tell(txn, user, Some(&PrivacyKey::PrivacyProfilePhoto))?;
    }
    Ok(page(gone))
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
    let sight = sight(txn.rows(), user, op.user, &relation(txn.rows(), op.user)?)?;
    let Some(photo) = find(txn.rows(), op.id, sight)? else {
        return Err(Refusal::FileReferenceExpired.into());
    };
    // Told before the owner can let go of the photo, and the same way as that.
    files::hold(txn, photo.id, vec![op.user])?;
    let file = FilePhoto { photo }.into();
    txn.deliver_to(op.user, &Receive { file, hold_s: op.hold_s })?;
    Ok(Done {})
}

/// Which photos of a profile somebody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sight {
    /// The present one and those before it.
    pub(crate) photos: bool,
    /// The one for those who may not see these.
    pub(crate) fallback: bool,
}

/// Which photos `user`, who is the owner, shows to `viewer`.
pub(crate) fn sight(
    rows: &impl Read,
    user: i64,
    viewer: i64,
    relation: &Relation,
) -> Result<Sight> {
    if viewer == user {
        return Ok(Sight { photos: true, fallback: true });
    }
    let key = PrivacyKey::PrivacyProfilePhoto;
    let allowed = settings::allows(rows, &key, user, viewer, relation.contact.is_some())?;
    let blocked = relation.blocked.is_some();
    Ok(Sight { photos: allowed && !blocked, fallback: !allowed && !blocked })
}

/// The owner's present photo.
pub(crate) fn present(rows: &impl Read) -> Result<Option<Photo>> {
    Ok(rows.first(PROFILE_PHOTOS, .., Order::Forward)?.map(|(_, photo)| photo))
}

/// The owner's photo for those who may not see the others.
pub(crate) fn fallback(rows: &impl Read) -> Result<Option<Photo>> {
    Ok(rows.get(FALLBACK_PHOTO, &())?)
}

/// A photo of the owner's profile by its id, among those that are seen.
pub(crate) fn find(rows: &impl Read, id: i64, sight: Sight) -> Result<Option<Photo>> {
    let mut found = None;
    if sight.photos {
        rows.visit(PROFILE_PHOTOS, .., Order::Forward, |_, photo| {
            if photo.id != id {
                return ControlFlow::Continue(());
            }
            found = Some(photo);
            ControlFlow::Break(())
        })?;
    }
    if found.is_none() && sight.fallback {
        found = fallback(rows)?.filter(|photo| photo.id == id);
    }
    Ok(found)
}

/// The photo that the owner has from `source`. Refuses: `photoIdInvalid`, `fileReferenceExpired`.
fn of_source(rows: &impl Read, source: &Source) -> Result<Photo> {
    let photo = files::of_source(rows, source)?.into_iter().find_map(|file| match file {
        File::FilePhoto(file) => Some(file.photo),
        File::FileDocument(_) => None,
    });
    photo.ok_or_else(|| Refusal::PhotoIdInvalid.into())
}

fn page(photos: Vec<Photo>) -> Page {
    Page { count: i32::try_from(photos.len()).unwrap_or(i32::MAX), photos }
}

fn all(rows: &impl Read) -> Result<Vec<(i64, Photo)>> {
    let rows = rows.scan(PROFILE_PHOTOS, .., Order::Forward, PROFILE_PHOTO_COUNT_MAX + 1)?;
    Ok(rows.into_iter().map(|(Desc(sequence), photo)| (sequence, photo)).collect())
}

/// Tells the owner's sessions, and of those who show the user whom `key` lets see it.
fn tell(txn: &mut Txn<'_, '_>, user: i64, key: Option<&PrivacyKey>) -> Result<()> {
    let audience = audience(txn.rows(), user, key)?;
    txn.tell(EffectUserPhoto { user, audience });
    Ok(())
}
