//! `auth.*`: logging in and out, temporary keys, other data centres.
//!
//! A login belongs to the permanent auth key. It is noted twice: with the user, whose list of devices it is in, and with the
//! key, which requests come under.

mod code;
mod keys;
mod login;
mod transfer;

pub use code::{cancel_code, resend_code, send_code};
pub use keys::{bind_temp_auth_key, drop_temp_auth_keys};
pub use login::{log_out, reset_authorizations, sign_in, sign_up};
pub use transfer::{export_authorization, import_authorization};

use storage::AuthKeyId;

use crate::{
    rpc::{Ctx, Result, RpcError},
    service_user,
};

/// Digits of a phone number.
const PHONE_LEN_MIN: usize = 5;
/// Digits of a phone number.
const PHONE_LEN_MAX: usize = 15;

/// The digits of a phone number that somebody may log in with.
///
/// # Errors
///
/// `PHONE_NUMBER_INVALID` if there are too few or too many, or they are the service user's.
fn phone(number: &str) -> Result<String> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if (PHONE_LEN_MIN..=PHONE_LEN_MAX).contains(&digits.len()) && digits != service_user::PHONE {
        Ok(digits)
    } else {
        Err(RpcError::PHONE_NUMBER_INVALID)
    }
}

/// The permanent key that a login would belong to.
///
/// # Errors
///
/// `AUTH_KEY_PERM_EMPTY` under a temporary key that is not bound.
fn perm_key(ctx: &Ctx) -> Result<AuthKeyId> {
    ctx.perm_key_id().ok_or(RpcError::AUTH_KEY_PERM_EMPTY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_a_number_count() {
        let cases = [
            ("9996610001", Some("9996610001")),
            ("+999 (66) 1-0001", Some("9996610001")),
            ("1234", None),
            ("1234567890123456", None),
            ("+42777", None),
            ("", None),
        ];
        for (number, expected) in cases {
            assert_eq!(phone(number).ok().as_deref(), expected, "{number}");
        }
    }
}
