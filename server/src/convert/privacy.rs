//! Who may see or do what: privacy keys and rules.

use storage::UserId;
use tl::{
    api::{enums, types},
    records::{
        enums::{PrivacyKey, PrivacyRule},
        types as records,
    },
};

use super::peers;
use crate::{rpc::Result, shared::Shared};

macro_rules! keys {
    ($($stored:ident $input:ident $output:ident)*) => {
        /// What rules are about.
        #[must_use]
        pub fn key_from_tl(key: &enums::InputPrivacyKey) -> PrivacyKey {
            match key {
                $(enums::InputPrivacyKey::$input => PrivacyKey::$stored,)*
            }
        }

        /// What rules are about, for clients.
        #[must_use]
        pub fn key_to_tl(key: &PrivacyKey) -> enums::PrivacyKey {
            match key {
                $(PrivacyKey::$stored => enums::PrivacyKey::$output,)*
            }
        }

        #[cfg(test)]
        const KEYS: &[(enums::InputPrivacyKey, enums::PrivacyKey)] =
            &[$((enums::InputPrivacyKey::$input, enums::PrivacyKey::$output),)*];
    };
}

keys! {
    PrivacyStatus InputPrivacyKeyStatusTimestamp PrivacyKeyStatusTimestamp
    PrivacyChatInvite InputPrivacyKeyChatInvite PrivacyKeyChatInvite
    PrivacyCall InputPrivacyKeyPhoneCall PrivacyKeyPhoneCall
    PrivacyCallP2p InputPrivacyKeyPhoneP2P PrivacyKeyPhoneP2P
    PrivacyForwards InputPrivacyKeyForwards PrivacyKeyForwards
    PrivacyProfilePhoto InputPrivacyKeyProfilePhoto PrivacyKeyProfilePhoto
    PrivacyPhoneNumber InputPrivacyKeyPhoneNumber PrivacyKeyPhoneNumber
    PrivacyAddedByPhone InputPrivacyKeyAddedByPhone PrivacyKeyAddedByPhone
    PrivacyVoiceMessages InputPrivacyKeyVoiceMessages PrivacyKeyVoiceMessages
    PrivacyAbout InputPrivacyKeyAbout PrivacyKeyAbout
    PrivacyBirthday InputPrivacyKeyBirthday PrivacyKeyBirthday
    PrivacyGifts InputPrivacyKeyStarGiftsAutoSave PrivacyKeyStarGiftsAutoSave
    PrivacyNoPaidMessages InputPrivacyKeyNoPaidMessages PrivacyKeyNoPaidMessages
    PrivacySavedMusic InputPrivacyKeySavedMusic PrivacyKeySavedMusic
}

/// Whether every layer knows the key. An update about another cannot be told to old clients.
#[must_use]
pub fn is_known_everywhere(key: &PrivacyKey) -> bool {
    !matches!(
        key,
        PrivacyKey::PrivacyAbout
            | PrivacyKey::PrivacyBirthday
            | PrivacyKey::PrivacyGifts
            | PrivacyKey::PrivacyNoPaidMessages
            | PrivacyKey::PrivacySavedMusic
    )
}

/// Rules as clients send them.
///
/// # Errors
///
/// `USER_ID_INVALID` if somebody is named with a wrong access hash.
pub fn rules_from_tl(
    shared: &Shared,
    viewer: UserId,
    rules: &[enums::InputPrivacyRule],
) -> Result<Vec<PrivacyRule>> {
    use enums::InputPrivacyRule as Input;

    let users = |users: &[enums::InputUser]| -> Result<Vec<i64>> {
        users.iter().map(|user| Ok(peers::user(shared, viewer, user)?.0)).collect()
    };
    rules
        .iter()
        .map(|rule| {
            Ok(match rule {
                Input::InputPrivacyValueAllowAll => PrivacyRule::RuleAllowAll,
                Input::InputPrivacyValueAllowContacts => PrivacyRule::RuleAllowContacts,
                Input::InputPrivacyValueAllowCloseFriends => PrivacyRule::RuleAllowCloseFriends,
                Input::InputPrivacyValueAllowPremium => PrivacyRule::RuleAllowPremium,
                Input::InputPrivacyValueAllowBots => PrivacyRule::RuleAllowBots,
                Input::InputPrivacyValueAllowUsers(rule) => {
                    records::RuleAllowUsers::new(users(&rule.users)?).into()
                }
                Input::InputPrivacyValueAllowChatParticipants(rule) => {
                    records::RuleAllowChats::new(rule.chats.clone()).into()
                }
                Input::InputPrivacyValueDisallowAll => PrivacyRule::RuleDisallowAll,
                Input::InputPrivacyValueDisallowContacts => PrivacyRule::RuleDisallowContacts,
                Input::InputPrivacyValueDisallowBots => PrivacyRule::RuleDisallowBots,
                Input::InputPrivacyValueDisallowUsers(rule) => {
                    records::RuleDisallowUsers::new(users(&rule.users)?).into()
                }
                Input::InputPrivacyValueDisallowChatParticipants(rule) => {
                    records::RuleDisallowChats::new(rule.chats.clone()).into()
                }
            })
        })
        .collect()
}

/// Rules for clients.
#[must_use]
pub fn rules_to_tl(rules: &[PrivacyRule]) -> Vec<enums::PrivacyRule> {
    use enums::PrivacyRule as Output;

    let one = |rule: &PrivacyRule| match rule {
        PrivacyRule::RuleAllowAll => Output::PrivacyValueAllowAll,
        PrivacyRule::RuleAllowContacts => Output::PrivacyValueAllowContacts,
        PrivacyRule::RuleAllowCloseFriends => Output::PrivacyValueAllowCloseFriends,
        PrivacyRule::RuleAllowPremium => Output::PrivacyValueAllowPremium,
        PrivacyRule::RuleAllowBots => Output::PrivacyValueAllowBots,
        PrivacyRule::RuleAllowUsers(rule) => {
            types::PrivacyValueAllowUsers::new(rule.users.clone()).into()
        }
        PrivacyRule::RuleAllowChats(rule) => {
            types::PrivacyValueAllowChatParticipants::new(rule.chats.clone()).into()
        }
        PrivacyRule::RuleDisallowAll => Output::PrivacyValueDisallowAll,
        PrivacyRule::RuleDisallowContacts => Output::PrivacyValueDisallowContacts,
        PrivacyRule::RuleDisallowBots => Output::PrivacyValueDisallowBots,
        PrivacyRule::RuleDisallowUsers(rule) => {
            types::PrivacyValueDisallowUsers::new(rule.users.clone()).into()
        }
        PrivacyRule::RuleDisallowChats(rule) => {
            types::PrivacyValueDisallowChatParticipants::new(rule.chats.clone()).into()
        }
    };
    rules.iter().map(one).collect()
}

/// The users that rules name.
pub fn rules_users(rules: &[PrivacyRule]) -> impl Iterator<Item = i64> {
    rules
        .iter()
        .flat_map(|rule| match rule {
            PrivacyRule::RuleAllowUsers(rule) => rule.users.as_slice(),
            PrivacyRule::RuleDisallowUsers(rule) => rule.users.as_slice(),
            _ => &[],
        })
        .copied()
}

#[cfg(test)]
mod tests {
    use tl::{Encode as _, Layer};

    use super::*;

    #[test]
    fn keys_come_back_as_they_were_sent() {
        for (input, output) in KEYS {
            assert_eq!(&key_to_tl(&key_from_tl(input)), output);
        }
    }

    #[test]
    fn keys_known_everywhere_are_written_in_the_oldest_layer() {
        for (input, output) in KEYS {
            if is_known_everywhere(&key_from_tl(input)) {
                assert_eq!(output.to_vec(Layer::OLDEST), output.to_vec(Layer::NEWEST));
            }
        }
    }
}
