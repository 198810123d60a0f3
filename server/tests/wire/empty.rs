//! Methods whose answer is empty by design: each answers a value of its type, so that clients go on.

use tl::api::{enums, functions, types};
use tl::{Decode, Encode, Method};

use crate::common::{Person, TestServer};

use functions::{
    account, channels, contacts, help, langpack, messages, payments, photos, stories, upload, users,
};

/// Asks; the answer has to be one.
async fn call<M>(person: &mut Person, query: &M)
where
    M: Method + Encode,
    M::Answer<'static>: Decode<'static>,
{
    if let Err(error) = person.call(query).await {
        panic!("{}: {error:?}", M::NAME);
    }
}

/// Somebody to whom it may concern, and how that one is named.
async fn somebody() -> (TestServer, Person, enums::InputPeer, enums::InputUser) {
    let server = TestServer::start().await;
    let person = server.person("Alice").await;
    (server, person, enums::InputPeer::InputPeerSelf, enums::InputUser::InputUserSelf)
}

#[tokio::test]
async fn of_account() {
    let (_server, mut person, _, _) = somebody().await;
    let person = &mut person;
    let register = account::RegisterDevice::new(1, "token", true, &[], vec![]);
    assert_eq!(person.refused(&register).await, "TOKEN_INVALID", "there is nobody to push through");
    call(person, &account::UnregisterDevice::new(0, "", vec![])).await;
    call(person, &account::UpdateDeviceLocked::new(0)).await;
    call(person, &account::GetGlobalPrivacySettings::new()).await;
    call(person, &account::SetGlobalPrivacySettings::new(types::GlobalPrivacySettings::new()))
        .await;
    call(person, &account::GetAccountTTL::new()).await;
    call(person, &account::SetAccountTTL::new(types::AccountDaysTTL::new(730))).await;
    call(person, &account::SetAuthorizationTTL::new(366)).await;
    call(person, &account::GetWebAuthorizations::new()).await;
    call(person, &account::GetContactSignUpNotification::new()).await;
    call(person, &account::SetContactSignUpNotification::new(false)).await;
    call(person, &account::GetContentSettings::new()).await;
    call(person, &account::GetSavedMusicIds::new(0)).await;
    call(person, &account::GetReactionsNotifySettings::new()).await;
    call(person, &account::GetAutoDownloadSettings::new()).await;
    call(person, &account::GetWallPapers::new(0)).await;
    call(person, &account::GetThemes::new("", 0)).await;
    call(person, &account::GetChatThemes::new(0)).await;
    call(person, &account::GetSavedRingtones::new(0)).await;
    call(person, &account::GetDefaultEmojiStatuses::new(0)).await;
    call(person, &account::GetRecentEmojiStatuses::new(0)).await;
    call(person, &account::GetCollectibleEmojiStatuses::new(0)).await;
    call(person, &account::GetChannelDefaultEmojiStatuses::new(0)).await;
    call(person, &account::GetDefaultProfilePhotoEmojis::new(0)).await;
    call(person, &account::GetDefaultGroupPhotoEmojis::new(0)).await;
    call(person, &account::GetDefaultBackgroundEmojis::new(0)).await;
    call(person, &account::GetWebBrowserSettings::new(0)).await;
}

#[tokio::test]
async fn of_channels() {
    let (_server, mut person, _, _) = somebody().await;
    let person = &mut person;
    call(person, &channels::GetChannels::new(vec![])).await;
}

#[tokio::test]
async fn of_contacts() {
    let (_server, mut person, myself, _) = somebody().await;
    let person = &mut person;
    call(person, &contacts::GetTopPeers::new(0, 0, 0)).await;
    call(person, &contacts::ToggleTopPeers::new(true)).await;
    call(
        person,
        &contacts::ResetTopPeerRating::new(
            enums::TopPeerCategory::TopPeerCategoryCorrespondents,
            myself.clone(),
        ),
    )
    .await;
    call(person, &contacts::GetSaved::new()).await;
    call(person, &contacts::ResetSaved::new()).await;
    call(person, &contacts::GetBirthdays::new()).await;
    call(person, &contacts::GetSponsoredPeers::new("")).await;
}

#[tokio::test]
async fn of_help() {
    let (_server, mut person, myself, _) = somebody().await;
    let person = &mut person;
    call(person, &help::GetAppUpdate::new("")).await;
    call(person, &help::GetCdnConfig::new()).await;
    call(person, &help::GetTimezonesList::new(0)).await;
    call(person, &help::GetTermsOfServiceUpdate::new()).await;
    call(person, &help::AcceptTermsOfService::new(types::DataJSON::new("{}"))).await;
    call(person, &help::GetPromoData::new()).await;
    call(person, &help::HidePromoData::new(myself.clone())).await;
    call(person, &help::DismissSuggestion::new(myself.clone(), "")).await;
    call(person, &help::GetDeepLinkInfo::new("")).await;
    call(person, &help::GetPeerColors::new(0)).await;
    call(person, &help::GetPeerProfileColors::new(0)).await;
    call(person, &help::GetPremiumPromo::new()).await;
    call(person, &help::SaveAppLog::new(vec![])).await;
}

#[tokio::test]
async fn of_langpack() {
    let (_server, mut person, _, _) = somebody().await;
    let person = &mut person;
    call(person, &langpack::GetLangPack::new("", "")).await;
    call(person, &langpack::GetStrings::new("", "", vec![])).await;
    call(person, &langpack::GetDifference::new("", "", 0)).await;
}

#[tokio::test]
async fn of_messages() {
    let (_server, mut person, myself, me) = somebody().await;
    let person = &mut person;
    call(person, &messages::ReceivedMessages::new(0)).await;
    call(person, &messages::GetMessagesViews::new(myself.clone(), vec![], true)).await;
    call(person, &messages::GetUnreadMentions::new(myself.clone(), 0, 0, 0, 0, 0)).await;
    call(person, &messages::ReadMentions::new(myself.clone())).await;
    call(person, &messages::GetScheduledHistory::new(myself.clone(), 0)).await;
    call(person, &messages::GetCommonChats::new(me.clone(), 0, 0)).await;
    let onlines = messages::GetOnlines::new(myself.clone());
    assert_eq!(person.refused(&onlines).await, "PEER_ID_INVALID", "there are no groups");
    call(person, &messages::HidePeerSettingsBar::new(myself.clone())).await;
    call(person, &messages::GetDialogFilters::new()).await;
    call(person, &messages::GetSuggestedDialogFilters::new()).await;
    call(person, &messages::GetSavedDialogs::new(0, 0, myself.clone(), 0, 0)).await;
    call(person, &messages::GetPinnedSavedDialogs::new()).await;
    call(person, &messages::GetDefaultHistoryTTL::new()).await;
    call(person, &messages::GetQuickReplies::new(0)).await;
    call(person, &messages::GetSponsoredMessages::new(myself.clone())).await;
    call(person, &messages::GetStickers::new("", 0)).await;
    call(person, &messages::GetAllStickers::new(0)).await;
    call(person, &messages::GetMaskStickers::new(0)).await;
    call(person, &messages::GetEmojiStickers::new(0)).await;
    call(person, &messages::GetRecentStickers::new(0)).await;
    call(person, &messages::GetFavedStickers::new(0)).await;
    call(person, &messages::GetFeaturedStickers::new(0)).await;
    call(person, &messages::GetFeaturedEmojiStickers::new(0)).await;
    call(person, &messages::GetSavedGifs::new(0)).await;
    call(person, &messages::GetAttachMenuBots::new(0)).await;
    call(person, &messages::GetEmojiKeywords::new("")).await;
    call(person, &messages::GetEmojiKeywordsDifference::new("", 0)).await;
    call(person, &messages::GetEmojiKeywordsLanguages::new(vec![])).await;
    call(person, &messages::GetEmojiGroups::new(0)).await;
    call(person, &messages::GetEmojiStatusGroups::new(0)).await;
    call(person, &messages::GetEmojiProfilePhotoGroups::new(0)).await;
    call(person, &messages::GetEmojiStickerGroups::new(0)).await;
    call(person, &messages::GetCustomEmojiDocuments::new(vec![])).await;
    call(person, &messages::GetAvailableReactions::new(0)).await;
    call(person, &messages::GetTopReactions::new(0, 0)).await;
    call(person, &messages::GetRecentReactions::new(0, 0)).await;
    call(person, &messages::GetDefaultTagReactions::new(0)).await;
    call(person, &messages::GetSavedReactionTags::new(0)).await;
    call(person, &messages::GetUnreadReactions::new(myself.clone(), 0, 0, 0, 0, 0)).await;
    call(person, &messages::ReadReactions::new(myself.clone())).await;
    call(person, &messages::GetAvailableEffects::new(0)).await;
    call(person, &messages::GetPaidReactionPrivacy::new()).await;
}

#[tokio::test]
async fn of_payments() {
    let (_server, mut person, myself, _) = somebody().await;
    let person = &mut person;
    call(person, &payments::GetStarsStatus::new(myself.clone())).await;
}

#[tokio::test]
async fn of_photos() {
    let (_server, mut person, _, me) = somebody().await;
    let person = &mut person;
    call(person, &photos::GetUserPhotos::new(me.clone(), 0, 0, 0)).await;
}

#[tokio::test]
async fn of_stories() {
    let (_server, mut person, myself, _) = somebody().await;
    let person = &mut person;
    call(person, &stories::GetAllStories::new()).await;
    call(person, &stories::GetPeerMaxIDs::new(vec![])).await;
    call(person, &stories::GetPeerStories::new(myself.clone())).await;
    call(person, &stories::GetAllReadPeerStories::new()).await;
}

/// `messages.getStickerSet`, `upload.getFile`: what does not exist is refused by name.
#[tokio::test]
async fn what_does_not_exist() {
    let (_server, mut person, ..) = somebody().await;
    let set = types::InputStickerSetShortName::new("no_such_set").into();
    let get = messages::GetStickerSet::new(set, 0);
    assert_eq!(person.refused(&get).await, "STICKERSET_INVALID");
    let file = types::InputDocumentFileLocation::new(1, 2, &[], "").into();
    let get = upload::GetFile::new(file, 0, 4096);
    assert_eq!(person.refused(&get).await, "FILE_ID_INVALID");
}

#[tokio::test]
async fn of_users() {
    let (_server, mut person, _, me) = somebody().await;
    let person = &mut person;
    call(person, &users::GetSavedMusic::new(me, 0, 10, 0)).await;
}
