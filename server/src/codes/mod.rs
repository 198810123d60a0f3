//! Login codes: what they are, and how they leave the server.
//!
//! ```text
//!                        ┌─ test number (99966XYYYY): nothing to send, the code is X five times
//! CodeSender::send ──────┼─ log: one line under the target `login_code`
//!                        └─ webhook: a bounded queue, posted by threads of its own
//! ```
//!
//! A code goes every way that is switched on. The log line is the one place where a phone number and a
//! code are logged; the operator asked for it. That a code is also sent to the account's other sessions
//! is up to whoever calls this.

mod webhook;

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use self::webhook::Handle;
use crate::config;

pub use self::webhook::{Error, SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// Digits of a code.
pub const CODE_DIGIT_COUNT: usize = 5;

/// What test numbers start with; one digit for the code and four free ones follow.
const TEST_PREFIX: &str = "99966";

/// A login code: five digits. It is compared in constant time, never printed, and cleared when dropped.
#[derive(Clone)]
pub struct Code(String);

/// What a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeKind {
    /// Logging in or signing up.
    Login,
}

/// A code on its way to a person.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The phone number, digits alone.
    pub phone: String,
    /// The code.
    pub code: Code,
    /// What it is for.
    pub kind: CodeKind,
    /// Unix time from which on it is worthless.
    pub expires_at: i64,
}

/// Why a code could not be sent. Nobody will receive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Only test numbers are switched on, and this is none.
    #[error("no way to deliver a code is switched on")]
    NoWay,
    /// The webhook does not keep up.
    #[error("too many codes wait for the webhook")]
    Busy,
}

/// Sends codes, as configured. Clones share one queue; it closes with the last of them.
#[derive(Clone)]
pub struct CodeSender {
    test_numbers: bool,
    log: bool,
    webhook: Option<Arc<Handle>>,
}

impl CodeSender {
    /// Starts what the configuration asks for: threads, if there is a webhook.
    ///
    /// # Errors
    ///
    /// The system gives no threads.
    pub fn start(codes: &config::Codes) -> Result<Self, Error> {
        let webhook = codes.webhook.as_ref().map(Handle::start).transpose()?;
        Ok(Self {
            test_numbers: codes.test_numbers,
            log: codes.log,
            webhook: webhook.map(Arc::new),
        })
    }

    /// The code for `phone` (digits alone): fixed for a test number, made of `random` for all others.
    ///
    /// `random` is uniform; that 2^64 is no multiple of 10^5 favours some codes by less than 1 in 10^14.
    pub fn code_for(&self, phone: &str, random: u64) -> Code {
        match test_digit(phone).filter(|_| self.test_numbers) {
            Some(digit) => Code(digit.to_string().repeat(CODE_DIGIT_COUNT)),
            None => Code(format!("{:05}", random % 100_000)),
        }
    }

    /// Sends a code on its way. Never blocks.
    ///
    /// # Errors
    ///
    /// The code reaches nobody. With a full queue that holds even where the log has it.
    pub fn send(&self, delivery: Delivery) -> Result<(), SendError> {
        if self.test_numbers && test_digit(&delivery.phone).is_some() {
            return Ok(());
        }
        if !self.log && self.webhook.is_none() {
            return Err(SendError::NoWay);
        }
        if self.log {
            let Delivery { phone, code, expires_at, .. } = &delivery;
            tracing::info!(target: "login_code", phone, code = code.as_str(), expires_at, "login code");
        }
        match &self.webhook {
            Some(webhook) => webhook.push(delivery),
            None => Ok(()),
        }
    }

    /// Takes no more codes; what waits is dropped, an attempt that is running ends by itself.
    pub fn shutdown(&self) {
        if let Some(webhook) = &self.webhook {
            webhook.close();
        }
    }
}

impl fmt::Debug for CodeSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeSender")
            .field("test_numbers", &self.test_numbers)
            .field("log", &self.log)
            .field("webhook", &self.webhook.is_some())
            .finish()
    }
}

impl Code {
    /// A code that was stored. Whatever text it is, it only ever equals itself.
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The digits, for those who deliver or store it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a client sent this code. Takes the same time for every wrong one of the same length.
    pub fn matches(&self, sent: &str) -> bool {
        self.0.as_bytes().ct_eq(sent.as_bytes()).into()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(*****)")
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl CodeKind {
    /// The word that the webhook is told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
        }
    }
}

/// The digit that a test number's code is made of.
fn test_digit(phone: &str) -> Option<char> {
    let rest = phone.strip_prefix(TEST_PREFIX)?;
    let fits = rest.len() == 5 && rest.bytes().all(|byte| byte.is_ascii_digit());
    rest.chars().next().filter(|_| fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(log: bool, test_numbers: bool) -> CodeSender {
        CodeSender { test_numbers, log, webhook: None }
    }

    #[track_caller]
    fn check(test_numbers: bool, phone: &str, random: u64, expected: &str) {
        let code = sender(true, test_numbers).code_for(phone, random);
        assert_eq!(code.as_str(), expected, "{phone}");
        assert!(code.matches(expected) && !code.matches("") && !code.matches("12x45"));
    }

    #[test]
    fn codes() {
        check(true, "9996621234", 7, "22222");
        check(true, "9996600000", 7, "00000");
        check(false, "9996621234", 7, "00007");
        check(true, "99966212345", 7, "00007");
        check(true, "999662123", 7, "00007");
        check(true, "99966x1234", 7, "00007");
        check(true, "15550100", 1_234_599_999, "99999");
        check(true, "15550100", u64::MAX, "51615");
    }

    #[test]
    fn ways() {
        let delivery = |phone: &str| Delivery {
            phone: phone.into(),
            code: Code("12345".into()),
            kind: CodeKind::Login,
            expires_at: 0,
        };
        let cases = [
            (true, true, "15550100", Ok(())),
            (false, true, "15550100", Err(SendError::NoWay)),
            (false, true, "9996621234", Ok(())),
            (false, false, "9996621234", Err(SendError::NoWay)),
        ];
        for (log, test_numbers, phone, expected) in cases {
            assert_eq!(sender(log, test_numbers).send(delivery(phone)), expected);
        }
    }

    #[test]
    fn codes_are_not_printed() {
        assert_eq!(format!("{:?}", Code("12345".into())), "Code(*****)");
    }
}
