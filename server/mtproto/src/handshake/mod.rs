//! How two sides that share nothing get an authorization key.
//!
//! ```text
//! client                                server
//! req_pq_multi ------------------------>
//!              <------------------------ resPQ
//! req_DH_params ----------------------->                decrypts (RSA), computes g^a
//!              <------------------------ server_DH_params_ok
//! set_client_DH_params ---------------->                computes (g^b)^a, stores the key
//!              <------------------------ dh_gen_ok | dh_gen_retry | dh_gen_fail
//! ```
//!
//! Source: <https://core.telegram.org/mtproto/auth_key>.

pub mod client;
mod exchange;
pub mod server;
#[cfg(test)]
mod tests;
