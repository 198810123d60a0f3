//! Takes off what is around a query: `invokeWithLayer`, `initConnection`, `invokeAfterMsg` and their kin.
//!
//! Source: <https://core.telegram.org/api/invoking>.

use bytes::Bytes;
use mtproto::{MsgId, limits::PREDECESSOR_COUNT_MAX, session::gzip};
use tl::{Cursor, Decode, Layer, Method, api::functions, records::types::Client};

use super::{Result, RpcError};
use crate::limits::{CLIENT_TEXT_LEN_MAX, WRAPPER_DEPTH_MAX};

/// A query and what its wrappers said.
#[derive(Debug, Default)]
pub struct Unwrapped {
    /// The query itself.
    pub query: Bytes,
    /// The layer that was announced.
    pub layer: Option<i32>,
    /// What the client told of itself; its layer is not set.
    pub client: Option<Client>,
    /// Whether the session does not want updates for this.
    pub without_updates: bool,
    /// The requests that must be finished before.
    pub after: Vec<MsgId>,
}

/// Takes the wrappers off `body`. What is packed grows; `grows` is told by how many bytes, step by step, and may end that.
///
/// # Errors
///
/// They do not decode; they are nested too deep; a layer is not spoken; a takeout that was never begun; those of `grows`.
pub fn unwrap(body: &Bytes, mut grows: impl FnMut(usize) -> Result<()>) -> Result<Unwrapped> {
    let mut unwrapped = Unwrapped { query: body.clone(), ..Unwrapped::default() };
    for _ in 0..WRAPPER_DEPTH_MAX {
        if !unwrapped.take_one(&mut grows)? {
            return Ok(unwrapped);
        }
    }
    Err(RpcError::INPUT_REQUEST_INVALID)
}

impl Unwrapped {
    /// Takes the outermost wrapper off; whether there was one.
    fn take_one(&mut self, grows: &mut impl FnMut(usize) -> Result<()>) -> Result<bool> {
        let body = self.query.clone();
        let id = Cursor::new(&body).peek_id()?;
        let query = match id {
            functions::InvokeWithLayer::ID => {
                let wrapper = functions::InvokeWithLayer::from_bytes(&body)?;
                if wrapper.layer < i32::from(Layer::OLDEST.0) {
                    return Err(RpcError::CONNECTION_LAYER_INVALID);
                }
                self.layer = Some(wrapper.layer);
                wrapper.query
            }
            functions::InitConnection::ID => {
                let wrapper = functions::InitConnection::from_bytes(&body)?;
                self.client = Some(Client {
                    layer: 0,
                    api_id: wrapper.api_id,
                    device_model: kept(wrapper.device_model),
                    system_version: kept(wrapper.system_version),
                    app_version: kept(wrapper.app_version),
                    system_lang_code: kept(wrapper.system_lang_code),
                    lang_pack: kept(wrapper.lang_pack),
                    lang_code: kept(wrapper.lang_code),
                });
                wrapper.query
            }
            functions::InvokeAfterMsg::ID => {
                let wrapper = functions::InvokeAfterMsg::from_bytes(&body)?;
                self.after.push(MsgId(wrapper.msg_id));
                wrapper.query
            }
            functions::InvokeAfterMsgs::ID => {
                let wrapper = functions::InvokeAfterMsgs::from_bytes(&body)?;
                if wrapper.msg_ids.len() > PREDECESSOR_COUNT_MAX {
                    return Err(RpcError::INPUT_REQUEST_TOO_LONG);
                }
                self.after.extend(wrapper.msg_ids.iter().copied().map(MsgId));
                wrapper.query
            }
            functions::InvokeWithoutUpdates::ID => {
                self.without_updates = true;
                functions::InvokeWithoutUpdates::from_bytes(&body)?.query
            }
            // No takeout can be begun here, so that none can be continued.
            functions::InvokeWithTakeout::ID => return Err(RpcError::TAKEOUT_INVALID),
            // What these add is of no use here: the query inside is run.
            functions::InvokeWithMessagesRange::ID => {
                functions::InvokeWithMessagesRange::from_bytes(&body)?.query
            }
            functions::InvokeWithBusinessConnection::ID => {
                functions::InvokeWithBusinessConnection::from_bytes(&body)?.query
            }
            functions::InvokeWithGooglePlayIntegrity::ID => {
                functions::InvokeWithGooglePlayIntegrity::from_bytes(&body)?.query
            }
            functions::InvokeWithApnsSecret::ID => {
                functions::InvokeWithApnsSecret::from_bytes(&body)?.query
            }
            functions::InvokeWithReCaptcha::ID => {
                functions::InvokeWithReCaptcha::from_bytes(&body)?.query
            }
            gzip::ID => {
                self.query = gzip::unpack_while(&body, grows)?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        self.query = body.slice_ref(query.0);
        Ok(true)
    }
}

/// As much of a text as is kept.
fn kept(text: &str) -> String {
    text.get(..text.floor_char_boundary(CLIENT_TEXT_LEN_MAX)).unwrap_or_default().to_owned()
}

/// Whether a query may come before any `initConnection`: what clients send to get that far.
pub(crate) fn is_allowed_early(query: &[u8]) -> bool {
    let id = Cursor::new(query).peek_id();
    id.is_ok_and(|id| id == <functions::auth::BindTempAuthKey<'_> as Method>::ID)
}

/// Whether a query carries parts of files, or only opens a session: clients have sessions for nothing else, beside the one
/// that they take updates in.
pub(crate) fn is_of_file_session(query: &[u8]) -> bool {
    use functions::{help, upload};
    const IDS: [u32; 5] = [
        <upload::SaveFilePart<'_> as Method>::ID,
        <upload::SaveBigFilePart<'_> as Method>::ID,
        <upload::GetFile<'_> as Method>::ID,
        <upload::GetFileHashes<'_> as Method>::ID,
        <help::GetConfig as Method>::ID,
    ];
    Cursor::new(query).peek_id().is_ok_and(|id| IDS.contains(&id))
}

#[cfg(test)]
mod tests {
    use tl::{Encode, Raw};

    use super::*;

    fn check(body: &[u8], expected: core::result::Result<&[u8], RpcError>) -> Option<Unwrapped> {
        let unwrapped = unwrap(&Bytes::copy_from_slice(body), |_| Ok(()));
        match (unwrapped, expected) {
            (Ok(unwrapped), Ok(query)) => {
                assert_eq!(unwrapped.query, query);
                Some(unwrapped)
            }
            (Err(error), Err(expected)) => {
                assert_eq!(error, expected);
                None
            }
            (unwrapped, expected) => panic!("{unwrapped:?}, but {expected:?}"),
        }
    }

    #[test]
    fn a_query_without_wrappers_is_itself() {
        check(&[1, 2, 3, 4, 5], Ok(&[1, 2, 3, 4, 5]));
    }

    #[test]
    fn layers_that_are_not_spoken_are_refused() {
        let with =
            |layer| functions::InvokeWithLayer::new(layer, Raw(&[9; 4])).to_vec(Layer::NEWEST);
        check(&with(151), Err(RpcError::CONNECTION_LAYER_INVALID));
        assert_eq!(check(&with(152), Ok(&[9; 4])).unwrap().layer, Some(152));
        assert_eq!(check(&with(1000), Ok(&[9; 4])).unwrap().layer, Some(1000));
    }

    #[test]
    fn texts_of_clients_are_cut() {
        let long = "\u{e9}".repeat(CLIENT_TEXT_LEN_MAX);
        let query = [9; 4];
        let init = functions::InitConnection::new(
            1,
            &long,
            &long,
            &long,
            &long,
            &long,
            &long,
            Raw(&query),
        );
        let client = check(&init.to_vec(Layer::NEWEST), Ok(&query)).unwrap().client.unwrap();
        let kept = &long[..CLIENT_TEXT_LEN_MAX];
        let texts = [&client.device_model, &client.system_version, &client.app_version];
        assert_eq!(texts, [kept; 3]);
        let texts = [&client.system_lang_code, &client.lang_pack, &client.lang_code];
        assert_eq!(texts, [kept; 3]);
    }

    #[test]
    fn depth_is_bounded() {
        let mut body = vec![9; 4];
        for _ in 0..WRAPPER_DEPTH_MAX - 1 {
            body = functions::InvokeWithoutUpdates::new(Raw(&body)).to_vec(Layer::NEWEST);
        }
        check(&body, Ok(&[9; 4]));
        body = functions::InvokeWithoutUpdates::new(Raw(&body)).to_vec(Layer::NEWEST);
        check(&body, Err(RpcError::INPUT_REQUEST_INVALID));
    }
}
