//! The account that service messages come from: login codes, notices of new logins. Clients know it by its id.

/// Its id, which clients have built in.
pub const ID: i64 = services::limits::SERVICE_USER_ID;
/// Its phone number, which clients show without asking for it.
pub const PHONE: &str = services::limits::SERVICE_PHONE;
/// Its name.
pub const FIRST_NAME: &str = "Baudot";
