//! Unpacking what clients sent compressed, within bounds.
//!
//! `gzip_packed` holds a gzip member (RFC 1952) from most clients, and a zlib stream (RFC 1950) from TDLib. The output grows as
//! it is really produced, never by an announced size, and stops at [`GZIP_OUTPUT_LEN_MAX`] or [`GZIP_RATIO_MAX`].

use std::io::Read;

use bytes::Bytes;
use flate2::read::{GzDecoder, ZlibDecoder};
use tl::mtproto::types::GzipPacked;
use tl::{Cursor, Decode as _, DecodeError};

use crate::limits::{GZIP_OUTPUT_LEN_MAX, GZIP_RATIO_FREE_LEN, GZIP_RATIO_MAX};

/// The constructor id of `gzip_packed`.
pub const ID: u32 = GzipPacked::ID;

/// Why something cannot be unpacked. The peer is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not a `gzip_packed`.
    #[error("no gzip_packed: {0}")]
    Malformed(#[from] DecodeError),
    /// The compressed data is neither gzip nor zlib, broken, or cut off.
    #[error("compressed data is broken")]
    Broken,
    /// It grows beyond a bound.
    #[error("more than {len_max} bytes unpacked")]
    TooLarge {
        /// The bound.
        len_max: usize,
    },
    /// There is another `gzip_packed` inside.
    #[error("gzip_packed inside gzip_packed")]
    Nested,
}

/// Unpacks a `gzip_packed`, its constructor id included.
///
/// # Errors
///
/// See [`Error`].
pub fn unpack(object: &[u8]) -> Result<Bytes, Error> {
    let packed = GzipPacked::decode(&mut Cursor::new(object))?.packed_data;
    let by_ratio = packed.len().saturating_mul(GZIP_RATIO_MAX).max(GZIP_RATIO_FREE_LEN);
    let len_max = by_ratio.min(GZIP_OUTPUT_LEN_MAX);
    let unpacked = match packed {
        [0x1f, 0x8b, ..] => read_all(GzDecoder::new(packed), len_max),
        _ => read_all(ZlibDecoder::new(packed), len_max),
    }?;
    if Cursor::new(&unpacked).peek_id() == Ok(ID) {
        return Err(Error::Nested);
    }
    Ok(Bytes::from(unpacked))
}

fn read_all(decoder: impl Read, len_max: usize) -> Result<Vec<u8>, Error> {
    let mut unpacked = Vec::new();
    // One byte more than allowed shows that there is more.
    let len = decoder
        .take((len_max as u64).saturating_add(1))
        .read_to_end(&mut unpacked)
        .map_err(|_| Error::Broken)?;
    if len > len_max { Err(Error::TooLarge { len_max }) } else { Ok(unpacked) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    use tl::{Encode as _, Layer};

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(plain: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn packed(data: &[u8]) -> Vec<u8> {
        GzipPacked::new(data).to_vec(Layer::NEWEST)
    }

    #[track_caller]
    fn check(object: &[u8], expected: Result<&[u8], Error>) {
        assert_eq!(unpack(object).as_deref(), expected.as_deref());
    }

    #[test]
    fn both_formats_are_understood() {
        check(&packed(&gzip(b"some text")), Ok(b"some text"));
        check(&packed(&zlib(b"some text")), Ok(b"some text"));
        check(&packed(&gzip(b"")), Ok(b""));
    }

    #[test]
    fn broken_data_is_refused() {
        check(&packed(b""), Err(Error::Broken));
        check(&packed(b"neither"), Err(Error::Broken));
        let whole = gzip(b"some text");
        check(&packed(&whole[..whole.len() - 9]), Err(Error::Broken));
        assert!(matches!(unpack(&[1, 2, 3]), Err(Error::Malformed(_))));
    }

    #[test]
    fn bombs_are_refused() {
        let bomb = packed(&gzip(&vec![0; 64 << 20]));
        check(&bomb, Err(Error::TooLarge { len_max: GZIP_OUTPUT_LEN_MAX }));
        // Many times its length is fine as long as it is little.
        let little = vec![0; GZIP_RATIO_FREE_LEN];
        check(&packed(&zlib(&little)), Ok(&little));
        // By half more zeros than that, the most that deflate packs is beyond the ratio.
        let small_bomb = zlib(&vec![0; 1 << 20]);
        let len_max = small_bomb.len() * GZIP_RATIO_MAX;
        assert!((GZIP_RATIO_FREE_LEN..1 << 20).contains(&len_max), "{len_max}");
        check(&packed(&small_bomb), Err(Error::TooLarge { len_max }));
        check(&packed(&gzip(&packed(&gzip(b"twice")))), Err(Error::Nested));
    }
}
