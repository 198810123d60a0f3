//! What is measured, one file each; what is only a loop over a carrier needs none.

pub(crate) mod catch_up;
pub(crate) mod cryptography;
pub(crate) mod files;
pub(crate) mod handshakes;
pub(crate) mod idle;
pub(crate) mod photos;
pub(crate) mod storm;
