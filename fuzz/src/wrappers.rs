//! Body of `wrappers`: what is around a query comes off as it was put on, and whatever is packed is paid for as it grows.
//!
//! ```text
//! wrappers    | kind (1) | anything |                        kind % 4 == 0: a request
//!             | kind (1) | budget (1) | wrapper | …          otherwise, from the outermost one on
//!
//! wrapper     | which (1) | argument (1) |                   which: see `Wrapper`
//! ```
//!
//! What the model holds: the innermost layer and client count, those to wait for come in the order they are named, the first
//! wrapper that is wrong says what is wrong, and nothing grows beyond what was allowed by more than one step.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use mtproto::MsgId;
use mtproto::limits::{GZIP_STEP_LEN, PREDECESSOR_COUNT_MAX};
use server::limits::{CLIENT_TEXT_LEN_MAX, WRAPPER_DEPTH_MAX};
use server::rpc::RpcError;
use server::rpc::wrappers::{Unwrapped, unwrap};
use tl::api::{functions, types};
use tl::records::types::Client;
use tl::{Encode, Layer, Raw};

/// What no wrapper begins with.
const QUERY: [u8; 8] = [0x11, 0x22, 0x33, 0x44, 5, 6, 7, 8];

/// Any request.
pub fn wrappers(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    if kind.is_multiple_of(4) {
        let (grown, unwrapped) = run(&Bytes::copy_from_slice(rest), usize::MAX);
        assert!(unwrapped.is_err() || grown > 0 || rest.len() >= 4);
        return;
    }
    let Some((budget, rest)) = rest.split_first() else { return };
    let (pairs, _) = rest.as_chunks::<2>();
    let wrappers: Vec<_> =
        pairs.iter().take(12).map(|[which, by]| Wrapper::of(*which, *by)).collect();
    let body =
        wrappers.iter().rev().fold(Vec::from(QUERY), |inner, wrapper| wrapper.around(&inner));
    let (grown, unwrapped) = run(&body.clone().into(), usize::MAX);
    let expected = expected(&wrappers);
    match (&unwrapped, &expected) {
        (Ok(unwrapped), Ok(expected)) => check(unwrapped, expected),
        (unwrapped, expected) => {
            let (unwrapped, expected) = (unwrapped.as_ref().err(), expected.as_ref().err());
            assert_eq!(unwrapped, expected, "{wrappers:?}");
        }
    }
    let budget = usize::from(*budget) * 64;
    let (paid, unwrapped) = run(&body.into(), budget);
    assert!(paid <= budget + GZIP_STEP_LEN as usize);
    if grown > budget {
        assert_eq!(unwrapped.unwrap_err(), RpcError::flood_wait(7));
    } else {
        assert_eq!((paid, unwrapped.err()), (grown, expected.err()));
    }
}

/// Unwraps a request that may grow by so much: by how much it did, and what came of it.
fn run(body: &Bytes, budget: usize) -> (usize, Result<Unwrapped, RpcError>) {
    let mut grown = 0;
    let unwrapped = unwrap(body, |len| {
        grown += len;
        if grown <= budget { Ok(()) } else { Err(RpcError::flood_wait(7)) }
    });
    (grown, unwrapped)
}

/// What can be around a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrapper {
    Layer(i32),
    Client(usize),
    After(i64),
    AfterAll(usize),
    WithoutUpdates,
    Takeout,
    Range,
    Business,
    Integrity,
    Apns,
    ReCaptcha,
    Packed { gzip: bool },
}

impl Wrapper {
    fn of(which: u8, by: u8) -> Self {
        match which % 16 {
            0 => Self::Layer(100 + i32::from(by)),
            1 => Self::Client(usize::from(by)),
            2 | 3 => Self::After(by.into()),
            4 => Self::AfterAll(usize::from(by % 80)),
            5 => Self::WithoutUpdates,
            6 if by.is_multiple_of(8) => Self::Takeout,
            6 | 7 => Self::Range,
            8 => Self::Business,
            9 => Self::Integrity,
            10 => Self::Apns,
            11 => Self::ReCaptcha,
            _ => Self::Packed { gzip: by.is_multiple_of(2) },
        }
    }

    fn around(self, inner: &[u8]) -> Vec<u8> {
        let query = Raw(inner);
        match self {
            Self::Layer(layer) => vec_of(&functions::InvokeWithLayer::new(layer, query)),
            Self::Client(len) => {
                let text = "\u{e9}".repeat(len);
                let text = text.as_str();
                vec_of(&functions::InitConnection::new(1, text, text, "", "", "", text, query))
            }
            Self::After(id) => vec_of(&functions::InvokeAfterMsg::new(id, query)),
            Self::AfterAll(count) => {
                let ids = (0..count as i64).collect();
                vec_of(&functions::InvokeAfterMsgs::new(ids, query))
            }
            Self::WithoutUpdates => vec_of(&functions::InvokeWithoutUpdates::new(query)),
            Self::Takeout => vec_of(&functions::InvokeWithTakeout::new(1, query)),
            Self::Range => {
                let range = types::MessageRange::new(1, 2);
                vec_of(&functions::InvokeWithMessagesRange::new(range, query))
            }
            Self::Business => vec_of(&functions::InvokeWithBusinessConnection::new("x", query)),
            Self::Integrity => {
                vec_of(&functions::InvokeWithGooglePlayIntegrity::new("x", "y", query))
            }
            Self::Apns => vec_of(&functions::InvokeWithApnsSecret::new("x", "y", query)),
            Self::ReCaptcha => vec_of(&functions::InvokeWithReCaptcha::new("x", query)),
            Self::Packed { gzip } => {
                let packed = if gzip {
                    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                    encoder.write_all(inner).and_then(|()| encoder.finish())
                } else {
                    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                    encoder.write_all(inner).and_then(|()| encoder.finish())
                };
                let packed = packed.expect("a Vec takes everything");
                vec_of(&tl::mtproto::types::GzipPacked::new(&packed))
            }
        }
    }
}

fn vec_of(value: &impl Encode) -> Vec<u8> {
    value.to_vec(Layer::NEWEST)
}

/// What comes of wrappers, from the outermost one on.
fn expected(wrappers: &[Wrapper]) -> Result<Unwrapped, RpcError> {
    let mut expected = Unwrapped { query: Bytes::from_static(&QUERY), ..Unwrapped::default() };
    for (at, wrapper) in wrappers.iter().enumerate() {
        if at >= WRAPPER_DEPTH_MAX {
            return Err(RpcError::INPUT_REQUEST_INVALID);
        }
        match *wrapper {
            Wrapper::Layer(layer) if layer < i32::from(Layer::OLDEST.0) => {
                return Err(RpcError::CONNECTION_LAYER_INVALID);
            }
            Wrapper::Layer(layer) => expected.layer = Some(layer),
            Wrapper::Client(len) => {
                let mut text = "\u{e9}".repeat(len);
                text.truncate(CLIENT_TEXT_LEN_MAX);
                expected.client = Some(Client {
                    layer: 0,
                    api_id: 1,
                    device_model: text.clone(),
                    system_version: text.clone(),
                    app_version: String::new(),
                    system_lang_code: String::new(),
                    lang_pack: String::new(),
                    lang_code: text,
                });
            }
            Wrapper::After(id) => expected.after.push(MsgId(id)),
            Wrapper::AfterAll(count) if count > PREDECESSOR_COUNT_MAX => {
                return Err(RpcError::INPUT_REQUEST_TOO_LONG);
            }
            Wrapper::AfterAll(count) => expected.after.extend((0..count as i64).map(MsgId)),
            Wrapper::WithoutUpdates => expected.without_updates = true,
            Wrapper::Takeout => return Err(RpcError::TAKEOUT_INVALID),
            Wrapper::Packed { .. } => {
                if matches!(wrappers.get(at + 1), Some(Wrapper::Packed { .. })) {
                    return Err(RpcError::INPUT_REQUEST_INVALID);
                }
            }
            Wrapper::Range
            | Wrapper::Business
            | Wrapper::Integrity
            | Wrapper::Apns
            | Wrapper::ReCaptcha => {}
        }
    }
    // The query is looked at, too, whether it is one more.
    match wrappers.len() < WRAPPER_DEPTH_MAX {
        true => Ok(expected),
        false => Err(RpcError::INPUT_REQUEST_INVALID),
    }
}

fn check(unwrapped: &Unwrapped, expected: &Unwrapped) {
    assert_eq!(unwrapped.query, expected.query);
    assert_eq!(unwrapped.layer, expected.layer);
    assert_eq!(unwrapped.client, expected.client);
    assert_eq!(unwrapped.without_updates, expected.without_updates);
    assert_eq!(unwrapped.after, expected.after);
}
