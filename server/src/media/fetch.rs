//! Files from addresses, for `inputMediaPhotoExternal` and `inputMediaDocumentExternal`. Off unless configured.
//!
//! ```text
//! fetch ──► a thread for this one (bounded) ──► check ──► connect ──► head ──► body, as long as it is allowed to be
//!                                                 ▲                    │
//!                                                 └──── redirect ──────┘
//! ```
//!
//! Whoever may send a message chooses the address, so it must not lead to what only this machine can reach. Before each
//! connection, the first as well as those after redirects, the URL is checked, its name is resolved, and every address that
//! comes out is checked; the connection then goes to one of exactly these, so that a second answer of the name server changes
//! nothing. Clients are not told whether a name was refused or not found: they would learn names of the inner network.
//!
//! Proxies of the environment are not used: they would connect on their own, unchecked.

mod address;
#[cfg(test)]
mod tests;

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use tl::records::types::{AttributeFilename, Document, Photo};
use tokio::sync::{Semaphore, oneshot};
use ureq::http::Uri;
use ureq::http::header::CONTENT_TYPE;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, ResponseExt};

use super::intake;
use crate::convert::attributes::Description;
use crate::limits::{
    ATTRIBUTE_TEXT_LEN_MAX, FETCH_DOCUMENT_LEN_MAX, FETCH_HEAD_LEN_MAX, FETCH_JOBS_MAX,
    FETCH_PHOTO_LEN_MAX, FETCH_REDIRECT_COUNT_MAX, FETCH_RETRY_S, FETCH_TIME_MAX,
    FETCH_URL_LEN_MAX, MIME_TYPE_LEN_MAX,
};
use crate::rpc::{self, RpcError, UserCtx};

/// Whether addresses are fetched, and which.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// Whether any is.
    pub enabled: bool,
    /// Addresses that are fine although they are not public or have a port of their own. For tests; there is no setting.
    pub allowed: Vec<SocketAddr>,
    /// How long a fetch may take in all.
    pub time_max: Duration,
}

impl Default for FetchOptions {
    /// Nothing is.
    fn default() -> Self {
        Self { enabled: false, allowed: Vec::new(), time_max: FETCH_TIME_MAX }
    }
}

/// Fetches files.
pub struct Fetcher {
    options: Arc<FetchOptions>,
    places: Arc<Semaphore>,
}

/// A file as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Its bytes, at least one.
    pub bytes: Bytes,
    /// What the other side says it is: type and subtype alone; `application/octet-stream` if it says nothing of use.
    pub mime: String,
    /// The last part of the address it was found at; may be empty.
    pub name: String,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is fetched here.
    #[error("fetching is switched off")]
    Off,
    /// No URL, or not one that is fetched: other schemes, other ports, with a password.
    #[error("not an address that is fetched")]
    Url,
    /// It leads to where nobody may send this server.
    #[error("the address is not public")]
    Refused,
    /// More bytes than were asked for.
    #[error("too many bytes")]
    TooLong,
    /// The other side answered with this status.
    #[error("status {0}")]
    Status(u16),
    /// The other side could not be reached, was too slow, or was not understood.
    #[error("failed to fetch: {0}")]
    Failed(#[from] Box<ureq::Error>),
    /// Nothing came.
    #[error("no bytes")]
    Empty,
    /// Others are fetching.
    #[error("too many fetches")]
    Busy,
}

impl From<Error> for RpcError {
    fn from(error: Error) -> Self {
        match error {
            Error::Off | Error::Url => Self::EXTERNAL_URL_INVALID,
            Error::Refused
            | Error::TooLong
            | Error::Status(_)
            | Error::Failed(_)
            | Error::Empty => Self::WEBPAGE_CURL_FAILED,
            Error::Busy => Self::flood_wait(FETCH_RETRY_S),
        }
    }
}

impl Fetcher {
    /// Fetches as `options` say.
    #[must_use]
    pub fn new(options: FetchOptions) -> Self {
        Self { options: Arc::new(options), places: Arc::new(Semaphore::new(FETCH_JOBS_MAX)) }
    }

    /// Fetches what is at `url`, at most `len_max` bytes, within [`FetchOptions::time_max`].
    ///
    /// # Errors
    ///
    /// All of [`Error`].
    pub async fn fetch(&self, url: &str, len_max: u64) -> Result<Fetched, Error> {
        if !self.options.enabled {
            return Err(Error::Off);
        }
        let uri = parse(url)?;
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Error::Busy)?;
        let options = Arc::clone(&self.options);
        let (done, answer) = oneshot::channel();
        let job = move || {
            let _place = place;
            let fetched = get(&uri, len_max, options);
            if let Err(error) = &fetched {
                tracing::debug!(%error, "nothing fetched");
            }
            // Whoever asked may be gone.
            let _ = done.send(fetched);
        };
        // Fetches are rare, so their threads do not stay.
        let started = thread::Builder::new().name("fetch".to_owned()).spawn(job);
        started.map_err(|_| Error::Busy)?;
        answer.await.unwrap_or(Err(Error::Busy))
    }
}

/// Makes a photo of what is at an address.
///
/// # Errors
///
/// `EXTERNAL_URL_INVALID`, `WEBPAGE_CURL_FAILED`, those of [`intake::photo`].
pub async fn photo(ctx: &UserCtx, url: &str) -> rpc::Result<Photo> {
    let fetched = ctx.shared().media.fetcher.fetch(url, FETCH_PHOTO_LEN_MAX).await?;
    let upload = intake::stored(ctx, &fetched.name, fetched.bytes).await?;
    intake::photo(ctx, &upload, super::image::Kind::Message).await
}

/// Makes a document of what is at an address.
///
/// # Errors
///
/// `EXTERNAL_URL_INVALID`, `WEBPAGE_CURL_FAILED`, those of [`intake::document`].
pub async fn document(ctx: &UserCtx, url: &str) -> rpc::Result<Document> {
    let fetched = ctx.shared().media.fetcher.fetch(url, FETCH_DOCUMENT_LEN_MAX).await?;
    let upload = intake::stored(ctx, &fetched.name, fetched.bytes).await?;
    let mut attributes = Vec::new();
    if !upload.name.is_empty() {
        attributes.push(AttributeFilename::new(upload.name.clone()).into());
    }
    let description = Description { mime_type: fetched.mime, attributes, force_file: false };
    intake::document(ctx, &upload, None, description).await
}

/// A URL that may be fetched, judging by itself.
fn parse(url: &str) -> Result<Uri, Error> {
    if url.len() > FETCH_URL_LEN_MAX {
        return Err(Error::Url);
    }
    let uri: Uri = url.parse().map_err(|_| Error::Url)?;
    if port_of(&uri).is_none() { Err(Error::Url) } else { Ok(uri) }
}

/// The port that the scheme has by itself. `None` for what is never fetched: other schemes, and passwords.
fn port_of(uri: &Uri) -> Option<u16> {
    let authority = uri.authority()?;
    if authority.host().is_empty() || authority.as_str().contains('@') {
        return None;
    }
    match uri.scheme_str()? {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

fn get(uri: &Uri, len_max: u64, options: Arc<FetchOptions>) -> Result<Fetched, Error> {
    let mut response = agent(options).get(uri).call().map_err(failed)?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(Error::Status(status));
    }
    let mime = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mime = mime_of(mime.unwrap_or_default());
    let name = name_of(response.get_uri().path());
    if response.body().content_length().is_some_and(|len| len > len_max) {
        return Err(Error::TooLong);
    }
    let mut bytes = Vec::new();
    // One byte more tells that there is more; what was announced is not believed.
    let reader = response.body_mut().as_reader();
    let read = reader.take(len_max.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| Error::Failed(Box::new(error.into())))?;
    match bytes.len() as u64 {
        0 => Err(Error::Empty),
        len if len > len_max => Err(Error::TooLong),
        _ => Ok(Fetched { bytes: bytes.into(), mime, name }),
    }
}

/// A client for one fetch, which shares no connection with any other.
fn agent(options: Arc<FetchOptions>) -> Agent {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .timeout_global(Some(options.time_max))
        .max_redirects(FETCH_REDIRECT_COUNT_MAX)
        .max_response_header_size(FETCH_HEAD_LEN_MAX)
        .max_idle_connections(0)
        .http_status_as_error(false)
        .user_agent(concat!("baudot/", env!("CARGO_PKG_VERSION")))
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Checked { options })
}

/// Resolves names to addresses that may be connected to; asked before each connection.
#[derive(Debug)]
struct Checked {
    options: Arc<FetchOptions>,
}

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let refused = || ureq::Error::Other(Box::new(Error::Refused));
        let port = port_of(uri).ok_or_else(refused)?;
        let addresses = DefaultResolver::default().resolve(uri, config, timeout)?;
        // One that is refused spoils the name: it is not by chance among the others.
        let fine = |address: &SocketAddr| {
            self.options.allowed.contains(address)
                || address.port() == port && address::is_public(address.ip())
        };
        if addresses.iter().all(fine) { Ok(addresses) } else { Err(refused()) }
    }
}

fn failed(error: ureq::Error) -> Error {
    match error {
        ureq::Error::Other(other) => match other.downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => Error::Failed(Box::new(ureq::Error::Other(other))),
        },
        ureq::Error::BadUri(_) => Error::Url,
        error => Error::Failed(Box::new(error)),
    }
}

/// Type and subtype, as far as they are such.
fn mime_of(value: &str) -> String {
    let mime = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
    let parts: Vec<_> = mime.split('/').collect();
    let fine = parts.len() == 2
        && parts.iter().all(|part| !part.is_empty() && part.bytes().all(plain))
        && mime.len() <= MIME_TYPE_LEN_MAX;
    if fine { mime } else { "application/octet-stream".to_owned() }
}

/// The last part of a path, with what was written as `%xx`.
fn name_of(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or_default().as_bytes();
    let (mut name, mut at) = (Vec::with_capacity(last.len()), 0);
    while let Some(byte) = last.get(at) {
        let hex = last.get(at + 1..at + 3).and_then(|hex| hex::decode(hex).ok());
        match (byte, hex.as_deref()) {
            (b'%', Some(&[decoded])) => {
                name.push(decoded);
                at += 3;
            }
            _ => {
                name.push(*byte);
                at += 1;
            }
        }
    }
    let name = String::from_utf8_lossy(&name);
    // What was written as %2f divides nothing, and what cannot be seen is not part of a name.
    let seen = |char: &char| !char.is_control() && !matches!(char, '/' | '\\');
    let mut name: String = name.chars().filter(seen).collect();
    name.truncate(name.floor_char_boundary(ATTRIBUTE_TEXT_LEN_MAX));
    name
}
