//! Users as one viewer may see them.
//!
//! Names of contacts, the phone number, the status and the access hash depend on who looks. An answer loads the users that it
//! names, once; what was loaded stays in memory for the next one ([`super::acquaintances`]) until the rows change.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
    sync::Arc,
};

use storage::UserId;
use tl::{
    api::{enums, types},
    operations::{
        functions,
        types::{accounts::Profile, contacts},
    },
    records::types::{NotifySettings, Photo, Presence, Relation},
};

use super::{media::Handle, notify, read};
use crate::{
    media::reference::Origin,
    rpc::{Result, RpcError},
    service_user,
    shared::{AccessKind, Shared},
};

/// How long ago counts as "recently", in seconds.
const RECENTLY_S: i32 = 3 * 86_400;
/// How long ago counts as "within a week", in seconds.
const LAST_WEEK_S: i32 = 7 * 86_400;
/// How long ago counts as "within a month", in seconds.
const LAST_MONTH_S: i32 = 30 * 86_400;

/// The users that one answer names, by id.
#[derive(Clone, Debug, Default)]
pub struct Users(BTreeMap<i64, Loaded>);

/// One user, as one viewer may see it now.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its id.
    pub id: i64,
    known: Arc<Known>,
    viewer: UserId,
    dc_id: i32,
    now: i32,
}

/// What the rows say of a user and a viewer.
#[derive(Debug)]
pub struct Known {
    /// The account; `None` if there never was one.
    pub profile: Option<Profile>,
    /// How the viewer relates to it.
    pub relation: Relation,
    access_hash: i64,
}

impl Known {
    pub(super) const fn new(
        profile: Option<Profile>,
        relation: Relation,
        access_hash: i64,
    ) -> Self {
        Self { profile, relation, access_hash }
    }
}

impl Deref for Loaded {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.known
    }
}

impl Users {
    /// Loads users, each once. What is no user is left out.
    ///
    /// Cost: a look-up for each user; where something changed, a read, and one for the viewer's relations to these.
    ///
    /// # Errors
    ///
    /// `INTERNAL` if the rows cannot be read.
    pub fn load(
        shared: &Shared,
        viewer: UserId,
        ids: impl IntoIterator<Item = i64>,
    ) -> Result<Self> {
        let ids: BTreeSet<i64> = ids.into_iter().filter(|id| *id > 0).collect();
        let now = shared.clock.now().secs_i32();
        let dc_id = shared.config.dc.this;
        let mut users = BTreeMap::new();
        let mut unknown = Vec::new();
        for id in ids {
            match shared.acquaintances.get(viewer, UserId(id)) {
                Ok(known) => drop(users.insert(id, Loaded { id, known, viewer, dc_id, now })),
                Err(place) => unknown.push((id, place)),
            }
        }
        let mut relations: BTreeMap<i64, Relation> = BTreeMap::new();
        if unknown.iter().any(|(id, _)| *id != viewer.0) {
            let peers = unknown.iter().map(|(id, _)| *id).collect();
            let known: contacts::Peers = read(shared, viewer, &functions::contacts::Get { peers })?;
            relations.extend(known.peers.into_iter().map(|known| (known.peer, known.relation)));
        }
        for (id, place) in unknown {
            let get = functions::accounts::Get { viewer: viewer.0 };
            let profile = match read(shared, UserId(id), &get) {
                Ok(profile) => Some(profile),
                Err(error) if error == RpcError::USER_ID_INVALID => None,
                Err(error) => return Err(error),
            };
            let relation = relations.remove(&id).unwrap_or_else(Relation::new);
            let access_hash = shared.access_hash(viewer, AccessKind::User, id);
            let known = Arc::new(Known::new(profile, relation, access_hash));
            shared.acquaintances.keep(place, Arc::clone(&known));
            users.insert(id, Loaded { id, known, viewer, dc_id, now });
        }
        Ok(Self(users))
    }

    /// The user.
    #[must_use]
    pub fn get(&self, id: i64) -> Option<&Loaded> {
        self.0.get(&id)
    }

    /// All users, for a client.
    #[must_use]
    pub fn to_tl(&self) -> Vec<enums::User<'_>> {
        self.0.values().map(Loaded::to_tl).collect()
    }

    /// One user, for a client; `userEmpty` if it was not loaded.
    #[must_use]
    pub fn one(&self, id: i64) -> enums::User<'_> {
        self.0.get(&id).map_or_else(|| types::UserEmpty::new(id).into(), Loaded::to_tl)
    }
}

/// A user as it sees itself.
///
/// # Errors
///
/// As [`Users::load`].
pub fn own(shared: &Shared, user: UserId) -> Result<Users> {
    Users::load(shared, user, [user.0])
}

impl Loaded {
    /// Whether this is an account that is in use.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.profile.as_ref().is_some_and(|profile| !profile.account.deleted)
    }

    /// Whether this is the viewer.
    #[must_use]
    pub fn is_self(&self) -> bool {
        self.id == self.viewer.0
    }

    /// Whether the viewer has it as a contact.
    #[must_use]
    pub fn is_contact(&self) -> bool {
        self.relation.contact.is_some()
    }

    /// Whether each has the other as a contact. The other's own list says it: the viewer's rows learn of it a moment later.
    #[must_use]
    pub fn is_mutual(&self) -> bool {
        let knows_viewer = self.profile.as_ref().is_some_and(|profile| profile.viewer_is_contact);
        self.is_contact() && knows_viewer
    }

    /// First and last name: for a contact those that the viewer chose.
    #[must_use]
    pub fn names(&self) -> (&str, &str) {
        match (&self.relation.contact, &self.profile) {
            (Some(contact), _) => (&contact.first_name, &contact.last_name),
            (None, Some(profile)) => (&profile.account.first_name, &profile.account.last_name),
            (None, None) => ("", ""),
        }
    }

    /// The phone number, if the viewer may know it or knows it anyway.
    #[must_use]
    pub fn phone(&self) -> Option<&str> {
        let contact = self.relation.contact.as_ref().map(|contact| contact.phone.as_str());
        let profile = self.profile.as_ref();
        let shown = profile.filter(|profile| self.is_self() || profile.phone_visible);
        let service = profile.filter(|profile| profile.account.service);
        let account = shown.or(service).map(|profile| profile.account.phone.as_str());
        account.or(contact).filter(|phone| !phone.is_empty())
    }

    /// When the user was last online, as far as the viewer may know. The service user has no such time.
    #[must_use]
    pub fn status(&self) -> Option<enums::UserStatus> {
        let profile = self.profile.as_ref().filter(|profile| !profile.account.service)?;
        if self.is_self() {
            return Some(exact_status(&profile.presence, self.now));
        }
        if profile.blocks_viewer {
            return Some(enums::UserStatus::UserStatusEmpty);
        }
        Some(if profile.presence_visible {
            exact_status(&profile.presence, self.now)
        } else {
            vague_status(&profile.presence, self.now)
        })
    }

    /// Whether the viewer may see photos of the profile.
    #[must_use]
    pub fn shows_photos(&self) -> bool {
        let profile = self.profile.as_ref().filter(|profile| !profile.account.deleted);
        profile.is_some_and(|profile| self.is_self() || profile.photo_visible)
    }

    /// The present photo of the profile, if the viewer may see it.
    #[must_use]
    pub fn photo(&self) -> Option<&Photo> {
        let profile = self.profile.as_ref().filter(|_| self.shows_photos())?;
        profile.photo.as_ref()
    }

    /// The photo for those who may not see the others, if the viewer is one of them or the user itself.
    #[must_use]
    pub fn fallback_photo(&self) -> Option<&Photo> {
        let profile = self.profile.as_ref().filter(|profile| !profile.account.deleted)?;
        profile.fallback_photo.as_ref()
    }

    /// How the viewer names a photo of the profile.
    #[must_use]
    pub fn photo_handle(&self, shared: &Shared, photo: &Photo) -> Handle {
        Handle::new(shared, self.viewer, photo.id, Origin::Profile(UserId(self.id)))
    }

    /// The photo, as it stands beside the name.
    fn small_photo(&self) -> Option<enums::UserProfilePhoto<'_>> {
        let photo = self.photo().or_else(|| self.fallback_photo().filter(|_| !self.is_self()))?;
        let small = types::UserProfilePhoto {
            has_video: photo.video.is_some(),
            stripped_thumb: photo.pictures.stripped.as_deref(),
            ..types::UserProfilePhoto::new(photo.id, self.dc_id)
        };
        Some(small.into())
    }

    /// The user, for a client.
    #[must_use]
    pub fn to_tl(&self) -> enums::User<'_> {
        let Some(profile) = &self.profile else { return types::UserEmpty::new(self.id).into() };
        let account = &profile.account;
        if account.deleted {
            return types::User {
                deleted: true,
                access_hash: Some(self.access_hash),
                ..types::User::new(self.id)
            }
            .into();
        }
        let (first_name, last_name) = self.names();
        types::User {
            self_: self.is_self(),
            contact: self.is_contact(),
            mutual_contact: self.is_mutual(),
            verified: account.service,
            support: account.service,
            access_hash: Some(self.access_hash),
            first_name: Some(first_name),
            last_name: Some(last_name).filter(|name| !name.is_empty()),
            username: account.username.as_deref(),
            phone: self.phone(),
            photo: self.small_photo(),
            status: self.status(),
            ..types::User::new(self.id)
        }
        .into()
    }

    /// What the bar above the chat offers.
    #[must_use]
    pub fn settings(&self) -> types::PeerSettings<'static> {
        let stranger = !self.is_self() && !self.is_contact() && self.id != service_user::ID;
        let unblocked = self.relation.blocked.is_none();
        types::PeerSettings {
            add_contact: stranger && unblocked,
            block_contact: stranger && unblocked,
            share_contact: self.is_contact() && !self.is_mutual(),
            ..types::PeerSettings::new()
        }
    }

    /// All that a profile shows, but for its photos, which are shown with [`Loaded::photo_handle`].
    #[must_use]
    pub fn full<'a>(
        &'a self,
        notify_settings: &'a NotifySettings,
        pinned_msg_id: Option<i32>,
    ) -> types::UserFull<'a> {
        let profile = self.profile.as_ref();
        let about = profile.filter(|profile| self.is_self() || profile.about_visible);
        types::UserFull {
            blocked: self.relation.blocked.is_some(),
            can_pin_message: true,
            about: about.and_then(|profile| profile.account.about.as_deref()),
            pinned_msg_id,
            ..types::UserFull::new(self.id, self.settings(), notify::to_tl(notify_settings), 0)
        }
    }
}

/// The status, to the second.
#[must_use]
pub fn exact_status(presence: &Presence, now: i32) -> enums::UserStatus {
    if presence.online_until > now {
        return types::UserStatusOnline::new(presence.online_until).into();
    }
    match presence.was_online.max(presence.online_until) {
        0 => enums::UserStatus::UserStatusEmpty,
        was_online => types::UserStatusOffline::new(was_online).into(),
    }
}

/// The status for those who may not know it to the second.
fn vague_status(presence: &Presence, now: i32) -> enums::UserStatus {
    let last = presence.was_online.max(presence.online_until.min(now));
    let ago_s = now.saturating_sub(last);
    if last == 0 || ago_s > LAST_MONTH_S {
        enums::UserStatus::UserStatusEmpty
    } else if ago_s > LAST_WEEK_S {
        types::UserStatusLastMonth::new().into()
    } else if ago_s > RECENTLY_S {
        types::UserStatusLastWeek::new().into()
    } else {
        types::UserStatusRecently::new().into()
    }
}

#[cfg(test)]
mod tests {
    use tl::records::types::{Account, Contact, Content, Pictures};

    use super::*;

    const NOW: i32 = 1_700_000_000;
    const VIEWER: UserId = UserId(2_000_000_000);

    /// What is known of a user that was just loaded.
    fn known_mut(loaded: &mut Loaded) -> &mut Known {
        Arc::get_mut(&mut loaded.known).unwrap()
    }

    fn loaded(id: i64) -> Loaded {
        let account = Account::new(id, "15550001".to_owned(), "Ada".to_owned(), "L".to_owned(), 0);
        let profile = Profile::new(account, Presence::new(NOW + 10, NOW - 20));
        let known = Known::new(Some(profile), Relation::new(), 7);
        Loaded { id, known: Arc::new(known), viewer: VIEWER, dc_id: 2, now: NOW }
    }

    fn user(loaded: &Loaded) -> types::User<'_> {
        match loaded.to_tl() {
            enums::User::User(user) => user,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn strangers_see_neither_phone_nor_time() {
        let stranger = loaded(2_000_000_001);
        let user = user(&stranger);
        assert_eq!((user.first_name, user.phone), (Some("Ada"), None));
        assert_eq!(user.status, Some(types::UserStatusRecently::new().into()));
        assert!(!user.self_ && !user.contact && !user.mutual_contact);
    }

    #[test]
    fn one_sees_oneself() {
        let own = loaded(VIEWER.0);
        let user = user(&own);
        assert!(user.self_);
        assert_eq!(user.phone, Some("15550001"));
        assert_eq!(user.status, Some(types::UserStatusOnline::new(NOW + 10).into()));
    }

    #[test]
    fn contacts_have_the_names_and_the_number_that_the_viewer_knows() {
        let contact = Contact::new("1555".to_owned(), "Mum".to_owned(), String::new(), 0);
        let mut known = loaded(2_000_000_001);
        known_mut(&mut known).relation = Relation { contact: Some(contact), ..Relation::new() };
        let one_sided = user(&known);
        assert_eq!((one_sided.first_name, one_sided.last_name), (Some("Mum"), None));
        assert_eq!(one_sided.phone, Some("1555"));
        assert!(one_sided.contact && !one_sided.mutual_contact);
        known_mut(&mut known).profile.as_mut().unwrap().viewer_is_contact = true;
        assert!(user(&known).mutual_contact);
    }

    #[test]
    fn photos_are_seen_by_those_who_may() {
        let mut other = loaded(2_000_000_001);
        let pictures = Pictures {
            stripped: Some(vec![1, 2, 3]),
            ..Pictures::new(Content::new(vec![0; 32], 9), Vec::new())
        };
        let profile = known_mut(&mut other).profile.as_mut().unwrap();
        profile.photo = Some(Photo::new(77, NOW, pictures));
        assert_eq!(user(&other).photo, None);
        known_mut(&mut other).profile.as_mut().unwrap().photo_visible = true;
        let seen = types::UserProfilePhoto {
            stripped_thumb: Some(&[1, 2, 3]),
            ..types::UserProfilePhoto::new(77, 2)
        };
        assert_eq!(user(&other).photo, Some(seen.into()));
        known_mut(&mut other).profile.as_mut().unwrap().account.deleted = true;
        assert_eq!(user(&other).photo, None);
    }

    #[test]
    fn nobody_and_deleted_users_have_nothing() {
        let mut gone = loaded(5);
        known_mut(&mut gone).profile.as_mut().unwrap().account.deleted = true;
        let deleted = user(&gone);
        assert!(deleted.deleted && deleted.first_name.is_none() && deleted.phone.is_none());
        known_mut(&mut gone).profile = None;
        assert_eq!(gone.to_tl(), types::UserEmpty::new(5).into());
    }

    #[test]
    fn those_who_block_look_long_gone() {
        let mut blocking = loaded(2_000_000_001);
        let profile = known_mut(&mut blocking).profile.as_mut().unwrap();
        profile.presence_visible = true;
        profile.blocks_viewer = true;
        assert_eq!(user(&blocking).status, Some(enums::UserStatus::UserStatusEmpty));
    }

    #[test]
    fn the_service_user_is_verified_and_has_its_number() {
        let mut service = loaded(service_user::ID);
        known_mut(&mut service).profile.as_mut().unwrap().account.service = true;
        let user = user(&service);
        assert!(user.verified && user.support && user.status.is_none());
        assert_eq!(user.phone, Some("15550001"));
    }

    #[test]
    fn the_longer_ago_the_vaguer() {
        let empty = enums::UserStatus::UserStatusEmpty;
        let cases: [(i32, enums::UserStatus); 5] = [
            (NOW - 10, types::UserStatusRecently::new().into()),
            (NOW - RECENTLY_S - 1, types::UserStatusLastWeek::new().into()),
            (NOW - LAST_WEEK_S - 1, types::UserStatusLastMonth::new().into()),
            (NOW - LAST_MONTH_S - 1, empty.clone()),
            (0, empty),
        ];
        for (was_online, vague) in cases {
            let presence = Presence::new(was_online.min(NOW - 10), was_online);
            assert_eq!(vague_status(&presence, NOW), vague, "{was_online}");
            let exact = match was_online {
                0 => enums::UserStatus::UserStatusEmpty,
                _ => types::UserStatusOffline::new(was_online).into(),
            };
            if was_online == 0 {
                assert_eq!(exact_status(&Presence::new(0, 0), NOW), exact);
            } else {
                assert_eq!(exact_status(&presence, NOW), exact);
            }
        }
    }
}
