//! Which store, as whom, and how patient to be with it.

use std::{env, fmt, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, Checksum},
};

use super::failed;
use crate::Error;

/// The longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Which store, and how patient to be with it.
#[derive(Clone, Debug)]
pub struct S3Options {
    /// The bucket; it must exist.
    pub bucket: String,
    /// URL of the store; `None` for that of Amazon in the region.
    pub endpoint: Option<String>,
    /// The region; most other stores take any.
    pub region: String,
    /// What names of objects begin with, such as `baudot/`.
    pub prefix: String,
    /// Whether the bucket is part of the host's name, not of the path.
    pub virtual_hosted: bool,
    /// Whether an endpoint without TLS will do.
    pub allow_http: bool,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long one request may take.
    pub timeout: Duration,
    /// How often a failed request is repeated.
    pub retries: usize,
}

impl Default for S3Options {
    fn default() -> Self {
        Self {
            bucket: String::new(),
            endpoint: None,
            region: "us-east-1".into(),
            prefix: String::new(),
            virtual_hosted: false,
            allow_http: false,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            retries: 4,
        }
    }
}

impl S3Options {
    /// After how long a call fails, whatever the store does.
    pub(super) fn deadline(&self) -> Duration {
        let attempts = u32::try_from(self.retries).unwrap_or(u32::MAX).saturating_add(1);
        self.timeout.saturating_add(PAUSE_MAX).saturating_mul(attempts)
    }
}

/// Who the store thinks we are.
#[derive(Clone)]
pub struct Credentials {
    /// The id of the key.
    pub key_id: String,
    /// The key.
    pub secret: String,
    /// What goes with a key that is good for a while only.
    pub token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// Those of `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, if the first two are set.
    pub fn from_env() -> Option<Self> {
        let var = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Some(Self {
            key_id: var("AWS_ACCESS_KEY_ID")?,
            secret: var("AWS_SECRET_ACCESS_KEY")?,
            token: var("AWS_SESSION_TOKEN"),
        })
    }
}

/// What talks to the store; no request is made.
pub(super) fn store(
    options: &S3Options,
    credentials: Option<&Credentials>,
) -> Result<Arc<dyn ObjectStore>, Error> {
    let client = ClientOptions::new()
        .with_allow_http(options.allow_http)
        .with_connect_timeout(options.connect_timeout)
        .with_timeout(options.timeout);
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: PAUSE_MAX,
            base: 2.0,
        },
        max_retries: options.retries,
        retry_timeout: options.deadline(),
    };
    let mut builder = match credentials {
        Some(credentials) => AmazonS3Builder::new()
            .with_access_key_id(&credentials.key_id)
            .with_secret_access_key(&credentials.secret),
        None => AmazonS3Builder::from_env(),
    };
    if let Some(token) = credentials.and_then(|credentials| credentials.token.as_ref()) {
        builder = builder.with_token(token);
    }
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    let store = builder
        .with_bucket_name(&options.bucket)
        .with_region(&options.region)
        .with_virtual_hosted_style_request(options.virtual_hosted)
        .with_allow_http(options.allow_http)
        .with_checksum_algorithm(Checksum::SHA256)
        // One at a time are deleted, by the request that every store knows.
        .with_disable_bulk_delete(true)
        .with_client_options(client)
        .with_retry(retry)
        .build()
        .map_err(|error| failed("set up", &options.bucket, &error))?;
    Ok(Arc::new(store))
}
