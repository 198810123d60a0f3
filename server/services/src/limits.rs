//! Every bound of the services, with its unit.

/// The least id given to people: below are reserved ones.
pub const USER_ID_MIN: i64 = 1_000_000_000;
/// The greatest: clients keep ids below 2^40.
pub const USER_ID_MAX: i64 = (1 << 40) - 1;
/// The user who writes the server's own messages. Clients know this id.
pub const SERVICE_USER_ID: i64 = 777_000;
/// The phone number of [`SERVICE_USER_ID`].
pub const SERVICE_PHONE: &str = "42777";

/// Characters of a first or last name.
pub const NAME_LEN_MAX: usize = 64;
/// Characters of the text about oneself.
pub const ABOUT_LEN_MAX: usize = 70;
/// Characters of a username.
pub const USERNAME_LEN_MIN: usize = 5;
/// Characters of a username.
pub const USERNAME_LEN_MAX: usize = 32;
/// Digits of a phone number that a contact entry keeps; the rest is cut off.
pub const PHONE_LEN_MAX: usize = 15;

/// How long a client that says it is online counts as such, in seconds.
pub const PRESENCE_ONLINE_S: i32 = 300;
/// Users told of a change of presence or name, at most.
pub const AUDIENCE_COUNT_MAX: usize = 1_000;

/// Devices of a user.
pub const AUTHORIZATION_COUNT_MAX: usize = 100;
/// How often a device's last use is noted, in seconds.
pub const AUTHORIZATION_TOUCH_S: i32 = 300;
/// Temporary keys that act for a permanent key; the one that expires first gives way.
pub const BOUND_KEY_COUNT_MAX: usize = 64;
/// How much longer than it lives itself a temporary key may be bound, in seconds: clients' clocks differ.
pub const BIND_SLACK_S: i32 = 60;
/// How long a permanent key is kept that nobody is logged in with, in seconds.
pub const UNUSED_KEY_LIFETIME_S: i32 = 7 * 24 * 3_600;

/// Rules of one privacy key.
pub const PRIVACY_RULE_COUNT_MAX: usize = 10;
/// Users named in one rule.
pub const PRIVACY_USER_COUNT_MAX: usize = 1_000;

/// Entries of a contact list that an answer holds.
pub const CONTACT_COUNT_MAX: usize = 10_000;
/// Bytes of a search query that count.
pub const QUERY_LEN_MAX: usize = 256;

/// Wrong entries of one login code.
pub const CODE_ATTEMPT_COUNT_MAX: i32 = 5;
/// How often one code is sent again.
pub const CODE_RESEND_COUNT_MAX: i32 = 3;
/// Login codes of one number that are valid at the same time.
pub const CODE_LIVE_COUNT_MAX: usize = 5;
/// Codes sent to one number within [`CODE_WINDOW_S`] without a login.
pub const CODE_SENT_COUNT_MAX: i32 = 10;
/// Wrong entries for one number within [`CODE_WINDOW_S`] without a login.
pub const CODE_WRONG_COUNT_MAX: i32 = 20;
/// The time in which codes and wrong entries are counted, in seconds.
pub const CODE_WINDOW_S: i32 = 3_600;
/// How long a code may live, in seconds, whatever the caller asks for.
pub const CODE_LIFETIME_S_MAX: i32 = 3_600;
/// Users who are told when a number signs up.
pub const AWAITING_COUNT_MAX: usize = 1_000;

/// UTF-16 code units of a message.
pub const MESSAGE_LEN_MAX: usize = 4_096;
/// UTF-16 code units of the text of a message with a medium.
pub const CAPTION_LEN_MAX: usize = 1_024;
/// Messages of an album.
pub const ALBUM_COUNT_MAX: usize = 10;
/// Bytes of a message's encoded medium.
pub const MEDIA_LEN_MAX: usize = 64 * 1024;
/// Spans of a text; those of the API are dropped beyond 100 without an error.
pub const ENTITY_COUNT_MAX: usize = 1_000;
/// UTF-16 code units of a quote.
pub const QUOTE_LEN_MAX: usize = 1_024;
/// Bytes of what a client says about its typing.
pub const TYPING_LEN_MAX: usize = 1_024;
/// Messages forwarded in one call.
pub const FORWARD_COUNT_MAX: usize = 100;
/// How long a message can be edited, in seconds; in Saved Messages for ever.
pub const EDIT_TIME_S: i32 = 48 * 3_600;
/// Messages deleted in one call.
pub const DELETE_COUNT_MAX: usize = 1_000;
/// Messages of a history deleted by one operation; the caller repeats it.
pub const HISTORY_DELETE_BATCH: usize = 100;
/// Pins ended by one operation; the caller repeats it.
pub const PIN_BATCH: usize = 100;
/// Drafts removed by one operation.
pub const DRAFT_BATCH: usize = 1_000;
/// Messages or chats of a page.
pub const PAGE_COUNT_MAX: i32 = 100;
/// Messages that a page may leave out before it begins.
pub const PAGE_SKIP_COUNT_MAX: i32 = 100_000;
/// Filters for which messages are counted by one operation.
pub const FILTER_COUNT_MAX: usize = 32;
/// Messages that a search looks at.
pub const SEARCH_SCAN_COUNT_MAX: usize = 100_000;
/// Chats that are pinned in the list.
pub const PINNED_CHAT_COUNT_MAX: usize = 100;
/// Chats that a list holds.
pub const CHAT_COUNT_MAX: usize = 50_000;

/// The `pts` of an empty box; clients take 0 for "unknown".
pub const PTS_START: i32 = 1;
/// Events that the log of a box keeps, measured in `pts`. Below it: `differenceTooLong`.
pub const LOG_LEN_MAX: i32 = 100_000;
/// Events that are dropped at once when the log is too long.
pub const LOG_TRIM_BATCH: i32 = 64;
/// Events of one answer.
pub const DIFFERENCE_EVENT_COUNT_MAX: i32 = 1_000;
/// Events of one answer if the caller does not say.
pub const DIFFERENCE_EVENT_COUNT: i32 = 100;
/// The newest messages of a chat among which a copy is looked for before bisecting.
pub const LINK_SCAN_COUNT: usize = 32;

/// Uploads of a user that are not finished.
pub const OPEN_UPLOAD_COUNT_MAX: i32 = 256;
/// Bytes of a user's uploads that are not finished.
pub const UPLOAD_LEN_MAX: i64 = 8 << 30;
/// How long a user with too much under way is asked to wait, in seconds.
pub const UPLOAD_WAIT_S: i32 = 60;
/// How long an upload may be left alone, in seconds, whatever the caller asks for.
pub const UPLOAD_LIFETIME_S_MAX: i32 = 7 * 24 * 3_600;
/// How long a file may be held for its maker alone, in seconds, whatever the caller asks for.
pub const OWN_FILE_S_MAX: i32 = 30 * 24 * 3_600;
/// Uploads of which one file is made: of its content and of its preview, and some more.
pub const FILE_PART_COUNT_MAX: usize = 8;
/// Things of a user that are over and dropped by one operation; the caller repeats it.
pub const EXPIRE_BATCH: usize = 100;
/// The time to live of a medium that goes as soon as it was opened.
pub const TTL_ONCE: i32 = i32::MAX;
/// Photos of a profile.
pub const PROFILE_PHOTO_COUNT_MAX: usize = 100;
/// How long bytes are kept after they moved, in seconds, for those who read them at the moment.
pub const MOVED_GRACE_S: i32 = 60;
/// Chores of one answer.
pub const CHORE_COUNT_MAX: i32 = 1_000;

const _: () = assert!(USER_ID_MIN > SERVICE_USER_ID && USER_ID_MAX < 1 << 40);
const _: () = assert!(LOG_TRIM_BATCH < LOG_LEN_MAX);
