//! What a request can be answered instead of its result: a code and a published name.
//!
//! Every refusal of an operation becomes such an error here, so that all that clients can be told is on one screen. Codes: 400
//! the request is wrong, 401 not logged in, 403 not allowed, 406 as 403 but nothing is shown to the user, 420 wait, 500 our fault.
//!
//! Source: <https://core.telegram.org/api/errors>.

use std::borrow::Cow;

use tl::operations::enums::Refusal;

/// An `rpc_error`: its code and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcError {
    /// What kind of error it is.
    pub code: i32,
    /// Its name; numbers are part of it.
    pub text: Cow<'static, str>,
}

/// The outcome of a request.
pub type Result<T> = core::result::Result<T, RpcError>;

macro_rules! errors {
    ($($code:literal: $($name:ident)*;)*) => {
        #[expect(missing_docs, reason = "the name is all there is to say: see the source above")]
        impl RpcError {
            $($(pub const $name: Self =
                Self { code: $code, text: Cow::Borrowed(stringify!($name)) };)*)*

            /// All errors without a number in their name.
            pub const ALL: &'static [Self] = &[$($(Self::$name,)*)*];
        }
    };
}

errors! {
    400:
        ABOUT_TOO_LONG API_ID_INVALID AUTH_BYTES_INVALID BOT_INVALID BUSINESS_CONNECTION_INVALID CHANNEL_INVALID CHAT_ID_INVALID
        CHAT_NOT_MODIFIED CONNECTION_API_ID_INVALID CONNECTION_LAYER_INVALID CONNECTION_NOT_INITED
        CONTACT_ID_INVALID CONTACT_NAME_EMPTY DATA_INVALID DATE_EMPTY DC_ID_INVALID
        EFFECT_ID_INVALID EMOJI_MARKUP_INVALID ENCRYPTED_MESSAGE_INVALID ENTITIES_TOO_LONG ENTITY_BOUNDS_INVALID
        EXPIRES_AT_INVALID EXTERNAL_URL_INVALID FILE_ID_INVALID FILE_PARTS_INVALID FILE_PART_EMPTY
        FILE_PART_INVALID FILE_PART_SIZE_CHANGED FILE_PART_SIZE_INVALID FILE_PART_TOO_BIG
        FILE_REFERENCE_EMPTY FILE_REFERENCE_EXPIRED FILE_REFERENCE_INVALID FIRSTNAME_INVALID FOLDER_ID_INVALID HASH_INVALID
        IMAGE_PROCESS_FAILED INPUT_FETCH_ERROR INPUT_FETCH_FAIL INPUT_REQUEST_INVALID INPUT_REQUEST_TOO_LONG
        INPUT_USER_DEACTIVATED LANG_CODE_NOT_SUPPORTED LASTNAME_INVALID LIMIT_INVALID
        LOCATION_INVALID MD5_CHECKSUM_INVALID MEDIA_CAPTION_TOO_LONG MEDIA_EMPTY MEDIA_INVALID MEDIA_NEW_INVALID MEDIA_PREV_INVALID
        MESSAGE_EDIT_TIME_EXPIRED
        MESSAGE_EMPTY MESSAGE_ID_INVALID MESSAGE_NOT_MODIFIED MESSAGE_NOT_READ_YET
        MESSAGE_TOO_LONG MESSAGE_TOO_OLD MSG_ID_INVALID MSG_WAIT_FAILED MULTI_MEDIA_TOO_LONG OFFSET_INVALID
        OFFSET_PEER_ID_INVALID PASSWORD_HASH_INVALID PASSWORD_MISSING PEER_ID_INVALID
        PERSISTENT_TIMESTAMP_EMPTY PERSISTENT_TIMESTAMP_INVALID PHONE_CODE_EMPTY
        PHONE_CODE_EXPIRED PHONE_CODE_HASH_EMPTY PHONE_CODE_INVALID PHONE_NOT_OCCUPIED
        PHONE_NUMBER_FLOOD PHONE_NUMBER_INVALID PHONE_NUMBER_OCCUPIED PHONE_NUMBER_UNOCCUPIED
        PHOTO_CROP_SIZE_SMALL PHOTO_EXT_INVALID PHOTO_FILE_MISSING PHOTO_ID_INVALID PHOTO_INVALID
        PHOTO_INVALID_DIMENSIONS PHOTO_SAVE_FILE_INVALID PINNED_DIALOGS_TOO_MUCH PRIVACY_KEY_INVALID PRIVACY_TOO_LONG
        PRIVACY_VALUE_INVALID QUERY_TOO_SHORT RANDOM_ID_DUPLICATE RANDOM_ID_EMPTY
        RANDOM_ID_INVALID REPLY_MARKUP_INVALID REPLY_MESSAGE_ID_INVALID SCHEDULE_DATE_INVALID
        SCHEDULE_DATE_TOO_LATE SEARCH_QUERY_EMPTY SEND_AS_PEER_INVALID SETTINGS_INVALID SMS_CODE_CREATE_FAILED
        SHORTCUT_INVALID STICKERSET_INVALID STORY_ID_INVALID SUGGESTED_POST_PEER_INVALID
        TAKEOUT_INVALID TEMP_AUTH_KEY_ALREADY_BOUND TEMP_AUTH_KEY_EMPTY TOKEN_INVALID
        TTL_DAYS_INVALID TTL_MEDIA_INVALID USERNAME_INVALID USERNAME_NOT_MODIFIED USERNAME_NOT_OCCUPIED
        USERNAME_OCCUPIED USER_BOT_REQUIRED USER_ID_INVALID USER_IS_BLOCKED VIDEO_FILE_INVALID WEBPAGE_CURL_FAILED WEBPAGE_NOT_FOUND
        YOU_BLOCKED_USER;
    401: AUTH_KEY_INVALID AUTH_KEY_PERM_EMPTY AUTH_KEY_UNREGISTERED SESSION_PASSWORD_NEEDED;
    403: MESSAGE_AUTHOR_REQUIRED MESSAGE_DELETE_FORBIDDEN USER_PRIVACY_RESTRICTED;
    406: FRESH_RESET_AUTHORISATION_FORBIDDEN SEND_CODE_UNAVAILABLE;
    500: AUTH_RESTART INTERNAL STORAGE_FULL;
}

impl RpcError {
    /// The same may be tried again in `wait_s` seconds.
    #[must_use]
    pub fn flood_wait(wait_s: i32) -> Self {
        Self { code: 420, text: format!("FLOOD_WAIT_{}", wait_s.max(1)).into() }
    }

    /// A part of an upload is missing.
    #[must_use]
    pub fn file_part_missing(part: i32) -> Self {
        Self { code: 400, text: format!("FILE_PART_{part}_MISSING").into() }
    }

    /// What is wrong with a file reference, said of the item of a list that has it.
    #[must_use]
    pub fn of_item(self, number: usize) -> Self {
        match self.text.strip_prefix("FILE_REFERENCE_") {
            Some(what) => {
                Self { code: self.code, text: format!("FILE_REFERENCE_{number}_{what}").into() }
            }
            None => self,
        }
    }

    /// No such method, or none of that layer.
    #[must_use]
    pub fn method_invalid(id: u32, layer: tl::Layer) -> Self {
        Self { code: 400, text: format!("INPUT_METHOD_INVALID_{id}_{}", layer.0).into() }
    }

    /// A constructor that does not belong where it stands.
    #[must_use]
    pub fn constructor_invalid(id: u32) -> Self {
        Self { code: 400, text: format!("INPUT_CONSTRUCTOR_INVALID_{id:x}").into() }
    }
}

/// Why the bytes of a request are none.
impl From<tl::DecodeError> for RpcError {
    fn from(error: tl::DecodeError) -> Self {
        match error {
            tl::DecodeError::Unexpected { id, .. } => Self::constructor_invalid(id),
            tl::DecodeError::Trailing { .. } => Self::INPUT_REQUEST_TOO_LONG,
            tl::DecodeError::Truncated { .. } => Self::INPUT_FETCH_FAIL,
            tl::DecodeError::NotUtf8 { .. } | tl::DecodeError::TooDeep { .. } => {
                Self::INPUT_FETCH_ERROR
            }
        }
    }
}

/// Why something packed is not unpacked.
impl From<mtproto::session::gzip::Error> for RpcError {
    fn from(_: mtproto::session::gzip::Error) -> Self {
        Self::INPUT_REQUEST_INVALID
    }
}

/// Refusals of operations, under their published names.
impl From<Refusal> for RpcError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::AboutTooLong => Self::ABOUT_TOO_LONG,
            Refusal::AuthKeyInvalid => Self::AUTH_KEY_INVALID,
            Refusal::AuthKeyUnregistered => Self::AUTH_KEY_UNREGISTERED,
            Refusal::ContactNameEmpty => Self::CONTACT_NAME_EMPTY,
            Refusal::ContactIdInvalid => Self::CONTACT_ID_INVALID,
            Refusal::EncryptedMessageInvalid => Self::ENCRYPTED_MESSAGE_INVALID,
            Refusal::EntityBoundsInvalid => Self::ENTITY_BOUNDS_INVALID,
            Refusal::EntitiesTooLong => Self::ENTITIES_TOO_LONG,
            Refusal::ExpiresAtInvalid => Self::EXPIRES_AT_INVALID,
            Refusal::FileReferenceExpired => Self::FILE_REFERENCE_EXPIRED,
            Refusal::FilePartsInvalid => Self::FILE_PARTS_INVALID,
            Refusal::FilePartMissing(missing) => Self::file_part_missing(missing.part),
            Refusal::FilePartInvalid => Self::FILE_PART_INVALID,
            Refusal::FilePartSizeInvalid => Self::FILE_PART_SIZE_INVALID,
            Refusal::FilePartSizeChanged => Self::FILE_PART_SIZE_CHANGED,
            Refusal::FileIdInvalid => Self::FILE_ID_INVALID,
            Refusal::FirstnameInvalid => Self::FIRSTNAME_INVALID,
            Refusal::FloodWait(wait) => Self::flood_wait(wait.wait_s),
            Refusal::HashInvalid => Self::HASH_INVALID,
            Refusal::InputUserDeactivated => Self::INPUT_USER_DEACTIVATED,
            Refusal::LastnameInvalid => Self::LASTNAME_INVALID,
            Refusal::LimitInvalid => Self::LIMIT_INVALID,
            Refusal::MediaInvalid => Self::MEDIA_INVALID,
            Refusal::MessageAuthorRequired => Self::MESSAGE_AUTHOR_REQUIRED,
            Refusal::MessageEditTimeExpired => Self::MESSAGE_EDIT_TIME_EXPIRED,
            Refusal::MessageEmpty => Self::MESSAGE_EMPTY,
            Refusal::MessageIdInvalid => Self::MESSAGE_ID_INVALID,
            Refusal::MessageNotModified => Self::MESSAGE_NOT_MODIFIED,
            Refusal::MessageTooLong => Self::MESSAGE_TOO_LONG,
            Refusal::PeerIdInvalid => Self::PEER_ID_INVALID,
            Refusal::PersistentTimestampEmpty => Self::PERSISTENT_TIMESTAMP_EMPTY,
            Refusal::PersistentTimestampInvalid => Self::PERSISTENT_TIMESTAMP_INVALID,
            Refusal::PhoneCodeInvalid => Self::PHONE_CODE_INVALID,
            Refusal::PhoneCodeExpired => Self::PHONE_CODE_EXPIRED,
            Refusal::PhoneNumberFlood => Self::PHONE_NUMBER_FLOOD,
            Refusal::PhoneNumberOccupied => Self::PHONE_NUMBER_OCCUPIED,
            Refusal::PhoneNumberUnoccupied => Self::PHONE_NUMBER_UNOCCUPIED,
            Refusal::PhotoIdInvalid => Self::PHOTO_ID_INVALID,
            Refusal::PinnedDialogsTooMuch => Self::PINNED_DIALOGS_TOO_MUCH,
            Refusal::RandomIdDuplicate => Self::RANDOM_ID_DUPLICATE,
            Refusal::RandomIdInvalid => Self::RANDOM_ID_INVALID,
            Refusal::ReplyMessageIdInvalid => Self::REPLY_MESSAGE_ID_INVALID,
            Refusal::SearchQueryEmpty => Self::SEARCH_QUERY_EMPTY,
            Refusal::SendCodeUnavailable => Self::SEND_CODE_UNAVAILABLE,
            Refusal::TempAuthKeyAlreadyBound => Self::TEMP_AUTH_KEY_ALREADY_BOUND,
            Refusal::TempAuthKeyEmpty => Self::TEMP_AUTH_KEY_EMPTY,
            Refusal::UserIdInvalid => Self::USER_ID_INVALID,
            Refusal::UserIsBlocked => Self::USER_IS_BLOCKED,
            Refusal::UsernameInvalid => Self::USERNAME_INVALID,
            Refusal::UsernameNotModified => Self::USERNAME_NOT_MODIFIED,
            Refusal::UsernameNotOccupied => Self::USERNAME_NOT_OCCUPIED,
            Refusal::UsernameOccupied => Self::USERNAME_OCCUPIED,
            Refusal::YouBlockedUser => Self::YOU_BLOCKED_USER,
            Refusal::Internal => Self::INTERNAL,
        }
    }
}

/// Why rows or contents cannot be had. It is to be logged where it is met.
impl From<&storage::Error> for RpcError {
    fn from(error: &storage::Error) -> Self {
        if error.is_disk_full() { Self::STORAGE_FULL } else { Self::INTERNAL }
    }
}

/// Why an operation has no answer.
impl From<crate::router::CallError> for RpcError {
    fn from(error: crate::router::CallError) -> Self {
        match error {
            crate::router::CallError::Refused(refusal) => refusal.into(),
            crate::router::CallError::DiskFull => Self::STORAGE_FULL,
            // What happened is in the log already.
            crate::router::CallError::Failed => Self::INTERNAL,
        }
    }
}
