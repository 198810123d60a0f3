//! Privacy rules and notification settings.

use storage::{Order, Read};
use tl::operations::{functions::accounts as functions, types as effects};
use tl::records::{
    enums::{NotifyTarget, PrivacyKey, PrivacyRule},
    types::{NotifySettings, Privacy},
};

use crate::limits::{CHAT_COUNT_MAX, PRIVACY_RULE_COUNT_MAX, PRIVACY_USER_COUNT_MAX};
use crate::tables::{NOTIFY, PRIVACY};
use crate::{Done, Result, Txn, UnixTime};

/// `accounts.setNotify`
pub fn set_notify(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    op: functions::SetNotify,
) -> Result<NotifySettings> {
    let key = notify_key(&op.target);
    let before = txn.get(NOTIFY, &key)?.unwrap_or_else(NotifySettings::new);
    let new = op.settings;
    let settings = NotifySettings {
        show_previews: new.show_previews.or(before.show_previews),
        silent: new.silent.or(before.silent),
        mute_until: new.mute_until.or(before.mute_until),
        sound: new.sound.or(before.sound),
        stories_muted: new.stories_muted.or(before.stories_muted),
        stories_hide_sender: new.stories_hide_sender.or(before.stories_hide_sender),
    };
    txn.put(NOTIFY, &key, &settings);
    txn.tell(effects::EffectNotifySettings { target: op.target, settings: settings.clone() });
    Ok(settings)
}

/// `accounts.getNotify`
pub fn get_notify(
    rows: &impl Read,
    _now: UnixTime,
    op: functions::GetNotify,
) -> Result<NotifySettings> {
    Ok(rows.get(NOTIFY, &notify_key(&op.target))?.unwrap_or_else(NotifySettings::new))
}

/// `accounts.resetNotify`
pub fn reset_notify(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    _op: functions::ResetNotify,
) -> Result<Done> {
    for (key, _) in txn.scan(NOTIFY, .., Order::Forward, CHAT_COUNT_MAX)? {
        txn.delete(NOTIFY, &key);
    }
    Ok(Done {})
}

/// `accounts.notify`
pub fn notify(txn: &mut Txn<'_, '_>, _now: UnixTime, op: functions::Notify<'_>) -> Result<Done> {
    txn.tell(effects::EffectServiceNotification {
        popup: op.popup,
        type_: op.type_.to_owned(),
        text: op.text.to_owned(),
    });
    Ok(Done {})
}

/// `accounts.setPrivacy`
pub fn set_privacy(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    op: functions::SetPrivacy,
) -> Result<Privacy> {
    let mut rules = op.rules;
    rules.truncate(PRIVACY_RULE_COUNT_MAX);
    for rule in &mut rules {
        if let Some(named) = named(rule) {
            named.truncate(PRIVACY_USER_COUNT_MAX);
        }
    }
    let privacy = Privacy { rules };
    txn.put(PRIVACY, &number(&op.key), &privacy);
    txn.tell(effects::EffectPrivacy { key: op.key, rules: privacy.rules.clone() });
    Ok(privacy)
}

/// `accounts.getPrivacy`
pub fn get_privacy(rows: &impl Read, _now: UnixTime, op: functions::GetPrivacy) -> Result<Privacy> {
    Ok(Privacy { rules: rules(rows, &op.key)? })
}

/// The rules of a key: those set, or everyone; for the phone number contacts.
pub(crate) fn rules(rows: &impl Read, key: &PrivacyKey) -> Result<Vec<PrivacyRule>> {
    let stored = rows.get(PRIVACY, &number(key))?.map(|privacy| privacy.rules);
    Ok(stored.unwrap_or_else(|| match key {
        PrivacyKey::PrivacyPhoneNumber => {
            vec![PrivacyRule::RuleAllowContacts, PrivacyRule::RuleDisallowAll]
        }
        _ => vec![PrivacyRule::RuleAllowAll],
    }))
}

/// Whether `user`'s rules of a key let `viewer` see what it stands for. Users see all of themselves.
pub(crate) fn allows(
    rows: &impl Read,
    key: &PrivacyKey,
    user: i64,
    viewer: i64,
    contact: bool,
) -> Result<bool> {
    Ok(viewer == user || permits(&rules(rows, key)?, viewer, contact))
}

/// What the first rule that names `viewer` says; rules that name people count before those about kinds of people.
pub(crate) fn permits(rules: &[PrivacyRule], viewer: i64, contact: bool) -> bool {
    let one = rules.iter().find_map(|rule| match rule {
        PrivacyRule::RuleAllowUsers(rule) if rule.users.contains(&viewer) => Some(true),
        PrivacyRule::RuleDisallowUsers(rule) if rule.users.contains(&viewer) => Some(false),
        _ => None,
    });
    let kind = || {
        rules.iter().find_map(|rule| match rule {
            PrivacyRule::RuleAllowAll => Some(true),
            PrivacyRule::RuleDisallowAll => Some(false),
            PrivacyRule::RuleAllowContacts if contact => Some(true),
            PrivacyRule::RuleDisallowContacts if contact => Some(false),
            _ => None,
        })
    };
    one.or_else(kind).unwrap_or(false)
}

fn named(rule: &mut PrivacyRule) -> Option<&mut Vec<i64>> {
    match rule {
        PrivacyRule::RuleAllowUsers(rule) => Some(&mut rule.users),
        PrivacyRule::RuleDisallowUsers(rule) => Some(&mut rule.users),
        PrivacyRule::RuleAllowChats(rule) => Some(&mut rule.chats),
        PrivacyRule::RuleDisallowChats(rule) => Some(&mut rule.chats),
        _ => None,
    }
}

/// Under which key the settings of a target lie. The numbers are stored.
pub(crate) const fn notify_key(target: &NotifyTarget) -> (u8, i64) {
    match target {
        NotifyTarget::NotifyPeer(peer) => (0, peer.peer),
        NotifyTarget::NotifyUsers => (1, 0),
        NotifyTarget::NotifyChats => (2, 0),
        NotifyTarget::NotifyBroadcasts => (3, 0),
    }
}

/// Under which key the rules of a privacy key lie. The numbers are stored.
const fn number(key: &PrivacyKey) -> u8 {
    match key {
        PrivacyKey::PrivacyStatus => 0,
        PrivacyKey::PrivacyChatInvite => 1,
        PrivacyKey::PrivacyCall => 2,
        PrivacyKey::PrivacyCallP2p => 3,
        PrivacyKey::PrivacyForwards => 4,
        PrivacyKey::PrivacyProfilePhoto => 5,
        PrivacyKey::PrivacyPhoneNumber => 6,
        PrivacyKey::PrivacyAddedByPhone => 7,
        PrivacyKey::PrivacyVoiceMessages => 8,
        PrivacyKey::PrivacyAbout => 9,
        PrivacyKey::PrivacyBirthday => 10,
        PrivacyKey::PrivacyGifts => 11,
        PrivacyKey::PrivacyNoPaidMessages => 12,
        PrivacyKey::PrivacySavedMusic => 13,
    }
}

#[cfg(test)]
mod tests {
    use tl::records::types::{RuleAllowUsers, RuleDisallowUsers};

    use super::*;

    /// What rules say to a stranger (1), a contact (2) and a named user (3).
    #[track_caller]
    fn check(rules: &[PrivacyRule], expected: [bool; 3]) {
        let answers = [permits(rules, 1, false), permits(rules, 2, true), permits(rules, 3, false)];
        assert_eq!(answers, expected, "{rules:?}");
    }

    #[test]
    fn first_rule_that_fits_decides_and_people_come_before_kinds() {
        use PrivacyRule::{RuleAllowAll, RuleAllowContacts, RuleDisallowAll, RuleDisallowContacts};
        let allow_3 = || PrivacyRule::from(RuleAllowUsers { users: vec![3] });
        let deny_3 = || PrivacyRule::from(RuleDisallowUsers { users: vec![3] });
        check(&[], [false, false, false]);
        check(&[RuleAllowAll], [true, true, true]);
        check(&[RuleAllowContacts, RuleDisallowAll], [false, true, false]);
        check(&[RuleDisallowContacts, RuleAllowAll], [true, false, true]);
        check(&[RuleDisallowAll, allow_3()], [false, false, true]);
        check(&[RuleAllowAll, deny_3()], [true, true, false]);
        check(&[deny_3(), RuleAllowContacts], [false, true, false]);
    }
}
