"""Each method that has an empty answer by design: it is well-formed in every layer that has the method.

What a field needs is filled in by its type, so that the table below only has what this cannot guess.
"""

import random

import pytest

from mini import RpcError
from test_layers import LAYERS, speak
from tltext import schema_folder

pytestmark = pytest.mark.skipif(not schema_folder().is_dir(), reason="no schema files beside the checkout")

PEER = {"_": "inputPeerSelf"}
# By the type of a field.
FILL = {
    "int": 0,
    "long": 0,
    "double": 0.0,
    "string": "en",
    "bytes": b"",
    "Bool": False,
    "InputPeer": PEER,
    "InputUser": {"_": "inputUserSelf"},
    "InputDialogPeer": {"_": "inputDialogPeer", "peer": PEER},
    "InputStickerSet": {"_": "inputStickerSetShortName", "short_name": "none"},
    "InputChannel": {"_": "inputChannel", "channel_id": 1, "access_hash": 1},
    "TopPeerCategory": {"_": "topPeerCategoryCorrespondents"},
    "InputFileLocation": {"_": "inputTakeoutFileLocation"},
    "GlobalPrivacySettings": {"_": "globalPrivacySettings"},
    "AccountDaysTTL": {"_": "accountDaysTTL", "days": 365},
    "DataJSON": {"_": "dataJSON", "data": "{}"},
}
METHODS = """
account.getAutoDownloadSettings account.getChannelDefaultEmojiStatuses account.getCollectibleEmojiStatuses
account.getDefaultBackgroundEmojis account.getDefaultGroupPhotoEmojis account.getDefaultProfilePhotoEmojis
account.getRecentEmojiStatuses account.getSavedRingtones account.getWallPapers account.getWebBrowserSettings
account.registerDevice account.setAccountTTL account.setAuthorizationTTL account.setContactSignUpNotification
account.setGlobalPrivacySettings account.unregisterDevice account.updateDeviceLocked
channels.getChannels contacts.deleteByPhones contacts.getBirthdays contacts.getSaved contacts.getSponsoredPeers
contacts.resetSaved contacts.resetTopPeerRating contacts.toggleTopPeers
help.acceptTermsOfService help.dismissSuggestion help.getAppUpdate help.getCdnConfig help.getDeepLinkInfo
help.hidePromoData help.getInviteText help.getSupport help.getSupportName
messages.getCommonChats messages.getCustomEmojiDocuments messages.getDefaultHistoryTTL
messages.getDefaultTagReactions messages.getEmojiKeywords messages.getEmojiKeywordsDifference
messages.getEmojiKeywordsLanguages messages.getEmojiProfilePhotoGroups messages.getEmojiStatusGroups
messages.getEmojiStickerGroups messages.getEmojiStickers messages.getFavedStickers
messages.getFeaturedEmojiStickers messages.getFeaturedStickers messages.getMaskStickers messages.getMessagesViews
messages.getOnlines messages.getPaidReactionPrivacy messages.getPinnedSavedDialogs messages.getQuickReplies
messages.getRecentStickers messages.getSavedDialogs messages.getSavedReactionTags messages.getSponsoredMessages
messages.getStickerSet messages.getSuggestedDialogFilters messages.getUnreadMentions messages.getUnreadReactions
messages.hidePeerSettingsBar messages.readMentions messages.readReactions messages.getAllStickers
messages.getAvailableReactions messages.getAttachMenuBots messages.getDialogFilters messages.getRecentReactions
messages.getTopReactions messages.getAvailableEffects messages.getEmojiGroups messages.getStickers
payments.getStarsStatus photos.getUserPhotos stories.getAllReadPeerStories stories.getPeerMaxIDs stories.getPeerStories
stories.getAllStories upload.getFile account.getThemes account.getChatThemes account.getContentSettings
account.getGlobalPrivacySettings account.getReactionsNotifySettings account.getDefaultEmojiStatuses
account.getContactSignUpNotification account.getAccountTTL account.getWebAuthorizations
help.getPremiumPromo help.getPeerColors help.getPeerProfileColors help.getTimezonesList help.getPromoData
help.getCountriesList help.getAppConfig help.getTermsOfServiceUpdate users.getRequirementsToContact
messages.getPeerSettings messages.getScheduledHistory contacts.getTopPeers updates.getState
""".split()


def values(schema, function):
    """Something for each field that must be there."""
    filled = {}
    for field, flags, _, kind in schema.by_name[function][2]:
        if flags is None and kind != "#":
            filled[field] = [] if kind.lower().startswith("vector") else FILL[kind]
    return filled


@pytest.mark.parametrize("layer", LAYERS)
def test_every_empty_answer_is_readable(server, layer):
    ada = speak(server, layer)
    for function in METHODS:
        if function not in ada.schema.by_name:
            continue
        try:
            ada.call(function, **values(ada.schema, function))
        except RpcError as error:
            assert error.code in (400, 403, 406), f"{function}: {error}"
        except AssertionError as error:
            raise AssertionError(f"{function}: {error}") from error
    ada.close()


def mutated(random_, body):
    """`body` with a few of its bits, words or its end made wrong."""
    body = bytearray(body)
    for _ in range(random_.randrange(1, 4)):
        at = random_.randrange(len(body)) // 4 * 4
        match random_.randrange(4):
            case 0:
                body[at + random_.randrange(4)] ^= 1 << random_.randrange(8)
            case 1:
                body[at : at + 4] = random_.choice([b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4), b"\1\0\0\0"])
            case 2:
                del body[max(at, 4) :]
            case 3:
                body[at:at] = random_.randbytes(4)
    return bytes(body)


def test_a_method_whose_bytes_are_wrong_never_breaks_the_server(server):
    random_ = random.Random(7)
    ada = speak(server, 230)
    bodies = [ada.schema.write(function, **values(ada.schema, function)) for function in METHODS]
    bodies.append(ada.schema.write("messages.sendMessage", peer=PEER, message="hello", random_id=1))
    for _ in range(1500):
        body = mutated(random_, random_.choice(bodies))
        try:
            ada.mini.result(ada.mini.send(body))
        except RpcError as error:
            assert error.code in (400, 401, 403, 406, 420), f"{error} to {body.hex()}"
    ada.close()
