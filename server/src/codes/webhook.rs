//! Login codes posted to the operator's URL.
//!
//! ```text
//! push ──► waiting, by due time (bounded) ──► worker: one attempt ──► 2xx: done
//!               ▲                                      │
//!               └── due later: 1, 2, 4, … s ◄──────────┴── no answer, 408, 429, 5xx; any other: given up
//! ```
//!
//! The post, as a receiver sees it:
//!
//! ```text
//! POST /path HTTP/1.1
//! Content-Type: application/json
//! X-Baudot-Timestamp: 1700000000
//! X-Baudot-Signature: sha256=<hex of HMAC-SHA256(secret, timestamp "." body)>
//!
//! {"code":"12345","expires_at":1700000300,"kind":"login","phone":"15550100"}
//! ```
//!
//! A code may arrive more than once (the answer to the first post was lost): the body is then the same,
//! the timestamp that of the attempt. Codes that wait when the server stops are lost; people ask again.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::{Delivery, SendError};
use crate::config::Webhook;

/// Header with the Unix time of the attempt, in seconds.
pub const TIMESTAMP_HEADER: &str = "X-Baudot-Timestamp";

/// Header with the signature of timestamp and body.
pub const SIGNATURE_HEADER: &str = "X-Baudot-Signature";

/// Codes that may wait.
const WAITING_COUNT_MAX: usize = 1024;

/// Attempts that run at once, so that a slow answer does not hold up the other codes.
const WORKER_COUNT: usize = 4;

/// Distance of the first repetition; each further one is twice as far, at most [`BACKOFF_MAX`].
const BACKOFF_FIRST: Duration = Duration::from_secs(1);

/// The longest distance between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// Why the webhook could not be set up. The system is at fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No thread was to be had.
    #[error("failed to start a thread for the webhook: {0}")]
    Thread(#[from] std::io::Error),
}

/// The senders' side. The workers end with it.
pub(super) struct Handle(Arc<Queue>);

/// What waits, and what the workers need.
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    config: Webhook,
    backoff_first: Duration,
    agent: Agent,
}

#[derive(Default)]
struct State {
    waiting: BinaryHeap<Job>,
    closed: bool,
}

/// A code to post, not before `due`.
struct Job {
    due: Instant,
    attempt: u32,
    delivery: Delivery,
}

/// What came of one attempt.
enum Outcome {
    Delivered,
    Repeat(String),
    GiveUp(String),
}

impl Handle {
    /// Starts the workers.
    pub(super) fn start(config: &Webhook) -> Result<Self, Error> {
        Self::start_with(config, BACKOFF_FIRST)
    }

    fn start_with(config: &Webhook, backoff_first: Duration) -> Result<Self, Error> {
        let queue = Arc::new(Queue {
            state: Mutex::default(),
            changed: Condvar::new(),
            config: config.clone(),
            backoff_first,
            agent: agent(Duration::from_secs(config.timeout_s)),
        });
        // From here on a failure closes the queue, which ends the workers that run already.
        let handle = Self(queue);
        for worker in 0..WORKER_COUNT {
            let queue = Arc::clone(&handle.0);
            thread::Builder::new().name(format!("webhook-{worker}")).spawn(move || queue.work())?;
        }
        Ok(handle)
    }

    /// Adds a code.
    pub(super) fn push(&self, delivery: Delivery) -> Result<(), SendError> {
        let mut state = self.0.lock();
        if state.closed || state.waiting.len() >= WAITING_COUNT_MAX {
            return Err(SendError::Busy);
        }
        state.waiting.push(Job { due: now(), attempt: 0, delivery });
        self.0.changed.notify_one();
        Ok(())
    }

    /// Ends the workers after what they are at.
    pub(super) fn close(&self) {
        let mut state = self.0.lock();
        state.closed = true;
        state.waiting.clear();
        self.0.changed.notify_all();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

impl Queue {
    fn work(&self) {
        while let Some(job) = self.next() {
            let attempt = job.attempt + 1;
            match self.post(&job.delivery) {
                Outcome::Delivered => tracing::debug!(attempt, "login code posted"),
                Outcome::Repeat(reason) => self.repeat(job, &reason),
                Outcome::GiveUp(reason) => {
                    tracing::warn!(attempt, reason, "webhook refused a login code");
                }
            }
        }
    }

    /// Waits for the next job that is due. `None` once the queue is closed.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let wait = state.waiting.peek().map(|job| job.due.saturating_duration_since(now()));
            state = match wait {
                Some(Duration::ZERO) => return state.waiting.pop(),
                Some(wait) => {
                    let waited = self.changed.wait_timeout(state, wait);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Puts a failed job back, unless its attempts or its code are used up.
    fn repeat(&self, job: Job, reason: &str) {
        let attempt = job.attempt + 1;
        let factor = 1_u32.checked_shl(job.attempt).unwrap_or(u32::MAX);
        let backoff = self.backoff_first.saturating_mul(factor).min(BACKOFF_MAX);
        let backoff_s = i64::try_from(backoff.as_secs()).unwrap_or(i64::MAX);
        let expired = unix_time().saturating_add(backoff_s) >= job.delivery.expires_at;
        if attempt > self.config.retry_count_max || expired {
            tracing::warn!(attempt, reason, "webhook not reached, login code dropped");
            return;
        }
        tracing::info!(attempt, reason, "webhook not reached, trying again");
        let mut state = self.lock();
        if !state.closed {
            state.waiting.push(Job { due: now() + backoff, attempt, delivery: job.delivery });
            self.changed.notify_one();
        }
    }

    /// One attempt.
    fn post(&self, delivery: &Delivery) -> Outcome {
        let body = body(delivery);
        let timestamp = unix_time().to_string();
        let signature = signature(self.config.secret.as_bytes(), &timestamp, &body);
        let sent = self
            .agent
            .post(&self.config.url)
            .header("Content-Type", "application/json")
            .header(TIMESTAMP_HEADER, &timestamp)
            .header(SIGNATURE_HEADER, &signature)
            .send(body.as_bytes());
        match sent.map(|response| response.status().as_u16()) {
            Ok(200..=299) => Outcome::Delivered,
            Ok(status @ (408 | 429 | 500..)) => Outcome::Repeat(format!("status {status}")),
            Ok(status) => Outcome::GiveUp(format!("status {status}")),
            Err(error) => Outcome::Repeat(error.to_string()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole at every point where a panic could leave it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client: no redirects, which would hand codes to somebody else; the system's root certificates.
fn agent(timeout: Duration) -> Agent {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(timeout))
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent(concat!("baudot/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// The JSON that is posted.
fn body(delivery: &Delivery) -> String {
    serde_json::json!({
        "phone": delivery.phone,
        "code": delivery.code.as_str(),
        "kind": delivery.kind.as_str(),
        "expires_at": delivery.expires_at,
    })
    .to_string()
}

/// `sha256=` and the HMAC of timestamp, a full stop and the body.
fn signature(secret: &[u8], timestamp: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[expect(clippy::disallowed_methods, reason = "these threads wait in real time, outside any state")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the receiver checks how old a post is")]
fn unix_time() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The earliest job is the greatest, as [`BinaryHeap`] wants it.
impl Ord for Job {
    fn cmp(&self, other: &Self) -> Ordering {
        other.due.cmp(&self.due)
    }
}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Job {}

#[cfg(test)]
mod tests;
