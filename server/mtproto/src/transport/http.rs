//! The little HTTP that a WebSocket begins with.
//!
//! A request head is read up to its empty line, and answered with `101` or with a short error after which the
//! connection is closed. Nothing else of HTTP is served on this port.
//!
//! | request | answer |
//! |---|---|
//! | `GET` on a WebSocket path, complete upgrade | 101 |
//! | `GET` on a WebSocket path without upgrade, or another version than 13 | 426 |
//! | another method on such a path, `OPTIONS` included | 405 |
//! | another path, or WebSockets switched off | 404 |
//! | not HTTP/1.1, no valid key, sub-protocols without `binary` | 400 |
//! | a head beyond [`HTTP_HEAD_LEN_MAX`] | 431 |
//!
//! Source: RFC 6455, section 4; <https://core.telegram.org/mtproto/transports#websocket>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{BufMut, BytesMut};
use crypto::sha::sha1;

use crate::limits::HTTP_HEAD_LEN_MAX;

/// The paths that are WebSockets; they all lead to the same place.
pub(super) const PATHS: [&str; 4] =
    ["/apiws", "/apiws_test", "/apiws_premium", "/apiws_test_premium"];

/// The sub-protocol every client of MTProto asks for.
const SUBPROTOCOL: &str = "binary";

/// Appended to a key before hashing, by RFC 6455.
const ACCEPT_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const HEAD_END: &[u8] = b"\r\n\r\n";

/// Looks for the end of a head in `input`, of which `scanned` bytes are known not to contain it.
///
/// `Ok(Some(len))`: the head's length, its empty line included. `Ok(None)`: more is needed; `scanned` is moved.
/// `Err(status)`: it is too long.
pub(super) fn head_len(input: &[u8], scanned: &mut usize) -> Result<Option<usize>, u16> {
    let window = input.get(..input.len().min(HTTP_HEAD_LEN_MAX)).unwrap_or(input);
    let fresh = window.get(*scanned..).unwrap_or_default();
    if let Some(at) = fresh.windows(HEAD_END.len()).position(|bytes| bytes == HEAD_END) {
        return Ok(Some(*scanned + at + HEAD_END.len()));
    }
    if input.len() >= HTTP_HEAD_LEN_MAX {
        return Err(431);
    }
    *scanned = window.len().saturating_sub(HEAD_END.len() - 1);
    Ok(None)
}

/// What a request head amounts to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Upgrade {
    accept: String,
    /// The client named sub-protocols, `binary` among them.
    subprotocol: bool,
}

/// A refusal: the status, and whether the answer may have a body (that to `HEAD` may not).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    body: bool,
}

impl Refusal {
    pub(super) const fn new(status: u16) -> Self {
        Self { status, body: true }
    }
}

/// Reads a request head.
pub(super) fn parse(head: &[u8], websockets: bool) -> Result<Upgrade, Refusal> {
    let mut lines = str::from_utf8(head).map_err(|_| Refusal::new(400))?.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Refusal::new(400));
    };
    let refuse = |status| Err(Refusal { status, body: method != "HEAD" });
    let path = target.split('?').next().unwrap_or_default();
    if !websockets || !PATHS.contains(&path) {
        return refuse(404);
    }
    if method != "GET" {
        return refuse(405);
    }
    let Some(fields) = Fields::read(lines) else { return refuse(400) };
    if !fields.upgrade || !fields.connection || fields.version != Some("13") {
        return refuse(426);
    }
    let Some(accept) = fields.key.and_then(accept) else { return refuse(400) };
    if fields.protocols.is_some_and(|offers_binary| !offers_binary) {
        return refuse(400);
    }
    Ok(Upgrade { accept, subprotocol: fields.protocols.is_some() })
}

/// The header fields that matter.
#[derive(Default)]
struct Fields<'a> {
    upgrade: bool,
    connection: bool,
    version: Option<&'a str>,
    key: Option<&'a str>,
    /// Whether `binary` is among the sub-protocols, if there are any.
    protocols: Option<bool>,
}

impl<'a> Fields<'a> {
    fn read(lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut fields = Self::default();
        for line in lines.take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':')?;
            let value = value.trim_ascii();
            let lists = |token: &str| {
                value.split(',').any(|item| item.trim_ascii().eq_ignore_ascii_case(token))
            };
            match name.to_ascii_lowercase().as_str() {
                "upgrade" => fields.upgrade |= lists("websocket"),
                "connection" => fields.connection |= lists("upgrade"),
                "sec-websocket-version" => fields.version = Some(value),
                "sec-websocket-key" => fields.key = Some(value),
                "sec-websocket-protocol" => {
                    fields.protocols = Some(fields.protocols == Some(true) || lists(SUBPROTOCOL));
                }
                _ => {}
            }
        }
        Some(fields)
    }
}

/// The answer to a key; `None` for what is not the base64 of 16 bytes.
fn accept(key: &str) -> Option<String> {
    let decoded = BASE64.decode(key).ok()?;
    (decoded.len() == 16).then(|| BASE64.encode(sha1(&[key.as_bytes(), ACCEPT_GUID])))
}

/// Writes the answer that opens the WebSocket.
pub(super) fn write_switching(upgrade: &Upgrade, out: &mut BytesMut) {
    out.put_slice(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    );
    out.put_slice(b"Sec-WebSocket-Accept: ");
    out.put_slice(upgrade.accept.as_bytes());
    if upgrade.subprotocol {
        out.put_slice(b"\r\nSec-WebSocket-Protocol: ");
        out.put_slice(SUBPROTOCOL.as_bytes());
    }
    out.put_slice(HEAD_END);
}

/// Writes an error that tells a human, or a monitoring tool, what this port is.
pub(super) fn write_refusal(refusal: &Refusal, out: &mut BytesMut) {
    let (reason, field, text) = match refusal.status {
        400 => ("Bad Request", "", "This is not a request for a WebSocket.\n"),
        404 => ("Not Found", "", "This is an MTProto server.\n"),
        405 => ("Method Not Allowed", "Allow: GET\r\n", "Only WebSockets are served here.\n"),
        426 => (
            "Upgrade Required",
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
            "Only WebSockets are served here.\n",
        ),
        _ => ("Request Header Fields Too Large", "", "The request is too long.\n"),
    };
    // A server that answers 426 has to name the upgrade in Connection as well.
    let connection = if refusal.status == 426 { "Upgrade, close" } else { "close" };
    let head = format!(
        "HTTP/1.1 {} {reason}\r\n{field}Connection: {connection}\r\nContent-Type: text/plain\r\n\
         Content-Length: {}\r\n\r\n",
        refusal.status,
        text.len(),
    );
    out.put_slice(head.as_bytes());
    if refusal.body {
        out.put_slice(text.as_bytes());
    }
}

/// Client: writes the request, with a random `key`.
pub(super) fn write_request(host: &str, path: &str, key: &str, out: &mut BytesMut) {
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n",
    );
    out.put_slice(head.as_bytes());
}

/// Client: the key in base64, and the answer that must come for it.
pub(super) fn client_key(random: &[u8; 16]) -> (String, String) {
    let key = BASE64.encode(random);
    let accept = BASE64.encode(sha1(&[key.as_bytes(), ACCEPT_GUID]));
    (key, accept)
}

/// Client: whether `head` opens the WebSocket.
pub(super) fn is_accepted(head: &[u8], accept: &str) -> bool {
    let Ok(head) = str::from_utf8(head) else { return false };
    let mut lines = head.split("\r\n");
    let fits = |line: &str| {
        line.split_once(':').is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim_ascii() == accept
        })
    };
    lines.next().is_some_and(|line| line.starts_with("HTTP/1.1 101 ")) && lines.any(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "GET /apiws HTTP/1.1\r\nHost: x\r\nupgrade: WebSocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, binary\r\n\r\n";

    #[track_caller]
    fn check(head: &str, expected: Result<(), u16>) {
        let parsed = parse(head.as_bytes(), true);
        assert_eq!(parsed.map(|_| ()).map_err(|refusal| refusal.status), expected, "{head}");
    }

    #[test]
    fn upgrades() {
        // The key and its answer are those of RFC 6455, section 1.3.
        let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned();
        assert_eq!(parse(GOOD.as_bytes(), true), Ok(Upgrade { accept, subprotocol: true }));
        assert_eq!(parse(GOOD.as_bytes(), false), Err(Refusal::new(404)));
        for path in PATHS {
            check(&GOOD.replace("/apiws", path), Ok(()));
        }
        check(&GOOD.replace("/apiws", "/apiws?a=b"), Ok(()));
        check(&GOOD.replace("Sec-WebSocket-Protocol: chat, binary\r\n", ""), Ok(()));
    }

    #[test]
    fn refusals() {
        check(&GOOD.replace("/apiws", "/"), Err(404));
        check(&GOOD.replace("/apiws", "/apiws/"), Err(404));
        check(&GOOD.replace("GET /apiws", "POST /api"), Err(404));
        for method in ["POST", "HEAD", "OPTIONS", "BREW"] {
            check(&GOOD.replace("GET", method), Err(405));
        }
        check(&GOOD.replace("WebSocket\r\n", "h2c\r\n"), Err(426));
        check(&GOOD.replace("keep-alive, Upgrade", "keep-alive"), Err(426));
        check(&GOOD.replace(": 13", ": 8"), Err(426));
        check(&GOOD.replace("Sec-WebSocket-Version: 13\r\n", ""), Err(426));
        check(&GOOD.replace("dGhl", "dGh"), Err(400));
        check(&GOOD.replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhl"), Err(400));
        check(&GOOD.replace("binary", "xmpp"), Err(400));
        check(&GOOD.replace("HTTP/1.1", "HTTP/2"), Err(400));
        check(&GOOD.replace("GET ", "GET  "), Err(400));
        check(&GOOD.replace("Host: x", "no colon"), Err(400));
        check("\r\n\r\n", Err(400));
    }

    #[test]
    fn heads_end() {
        #[track_caller]
        fn check(input: &[u8], expected: Result<Option<usize>, u16>) {
            assert_eq!(head_len(input, &mut 0), expected);
            // Byte by byte the same is found, at the first moment it can be.
            let mut scanned = 0;
            for len in 0..input.len() {
                let found = head_len(&input[..len], &mut scanned);
                if found != Ok(None) {
                    return assert_eq!(found, expected);
                }
            }
            assert_eq!(head_len(input, &mut scanned), expected);
        }
        check(b"", Ok(None));
        check(b"GET / HTTP/1.1\r\n\r\nrest", Ok(Some(18)));
        check(b"\r\n\r\r\n\r\n", Ok(Some(7)));
        check(&[b'a'; HTTP_HEAD_LEN_MAX - 1], Ok(None));
        check(&[b'a'; HTTP_HEAD_LEN_MAX], Err(431));
    }

    #[test]
    fn an_answer_to_head_has_no_body() {
        for (method, empty) in [("HEAD", true), ("OPTIONS", false)] {
            let refusal = parse(GOOD.replace("GET", method).as_bytes(), true).unwrap_err();
            let mut out = BytesMut::new();
            write_refusal(&refusal, &mut out);
            assert!(out.starts_with(b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\n"));
            assert_eq!(out.ends_with(HEAD_END), empty, "{method}");
        }
    }
}
