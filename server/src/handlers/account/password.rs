//! The second password: no account has one yet.

use crypto::dh;
use mtproto::session::Reply;
use tl::api::{
    functions::account::GetPassword,
    types::{
        PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow as PasswordAlgo,
        SecurePasswordKdfAlgoPBKDF2HMACSHA512iter100000 as SecureAlgo, account::Password,
    },
};

use crate::rpc::{Ctx, Result};

/// Bytes of the first salt; the client appends its own.
const SALT1_LEN: usize = 8;
/// Bytes of the second salt.
const SALT2_LEN: usize = 16;
/// Bytes of randomness for the client.
const SECURE_RANDOM_LEN: usize = 256;

/// `account.getPassword`: no password is set; how one would be hashed.
///
/// The hashing of Passport data must be the PBKDF2 form, or TDLib refuses to go on.
///
/// Source: <https://core.telegram.org/method/account.getPassword>, <https://core.telegram.org/api/srp>.
pub async fn get_password(ctx: &Ctx, request: GetPassword) -> Result<Reply> {
    let salt1 = ctx.random::<SALT1_LEN>();
    let salt2 = ctx.random::<SALT2_LEN>();
    let secure_salt = ctx.random::<SALT1_LEN>();
    let secure_random = ctx.random::<SECURE_RANDOM_LEN>();
    let password = Password::new(
        PasswordAlgo::new(&salt1, &salt2, dh::G, &dh::PRIME).into(),
        SecureAlgo::new(&secure_salt).into(),
        &secure_random,
    );
    Ok(ctx.answer(&request, password))
}
