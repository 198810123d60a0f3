//! Contacts and places, as clients attach them: within bounds, or refused.

use tl::{
    api::{enums::InputGeoPoint, types as input},
    records::types as records,
};

use crate::{
    limits::{CARD_TEXT_LEN_MAX, GEO_ACCURACY_MAX, VCARD_LEN_MAX},
    rpc::{Result, RpcError},
};

/// A contact's name and number. Whose number it is, the number alone does not tell.
///
/// # Errors
///
/// `MEDIA_INVALID` if something is too long.
pub fn contact(given: &input::InputMediaContact<'_>) -> Result<records::MediaContact> {
    bounded(&[given.phone_number, given.first_name, given.last_name], CARD_TEXT_LEN_MAX)?;
    bounded(&[given.vcard], VCARD_LEN_MAX)?;
    Ok(records::MediaContact {
        phone: given.phone_number.to_owned(),
        first_name: given.first_name.to_owned(),
        last_name: given.last_name.to_owned(),
        vcard: given.vcard.to_owned(),
        user_id: 0,
    })
}

/// A place on earth.
///
/// # Errors
///
/// `MEDIA_EMPTY` for none, `MEDIA_INVALID` for one elsewhere.
pub fn geo(given: &InputGeoPoint) -> Result<records::MediaGeo> {
    let InputGeoPoint::InputGeoPoint(point) = given else { return Err(RpcError::MEDIA_EMPTY) };
    // No number is in no range.
    if !(-90.0..=90.0).contains(&point.lat) || !(-180.0..=180.0).contains(&point.long) {
        return Err(RpcError::MEDIA_INVALID);
    }
    let accuracy = point.accuracy_radius.filter(|radius| *radius > 0);
    Ok(records::MediaGeo {
        accuracy: accuracy.map(|radius| radius.min(GEO_ACCURACY_MAX)),
        ..records::MediaGeo::new(point.long, point.lat)
    })
}

/// A place with a name and an address.
///
/// # Errors
///
/// As [`geo`]; `MEDIA_INVALID` if something is too long.
pub fn venue(given: &input::InputMediaVenue<'_>) -> Result<records::MediaVenue> {
    let place = geo(&given.geo_point)?;
    let texts = [given.title, given.address, given.provider, given.venue_id, given.venue_type];
    bounded(&texts, CARD_TEXT_LEN_MAX)?;
    let [title, address, provider, venue_id, venue_type] = texts.map(str::to_owned);
    Ok(records::MediaVenue {
        long: place.long,
        lat: place.lat,
        accuracy: place.accuracy,
        title,
        address,
        provider,
        venue_id,
        venue_type,
    })
}

/// Refuses texts that are too long to be what they are said to be.
fn bounded(texts: &[&str], len_max: usize) -> Result<()> {
    if texts.iter().all(|text| text.len() <= len_max) {
        Ok(())
    } else {
        Err(RpcError::MEDIA_INVALID)
    }
}
