//! Unpacking what clients sent compressed, within bounds.
//!
//! `gzip_packed` holds a gzip member (RFC 1952) from most clients, and a zlib stream (RFC 1950) from TDLib. The output grows as
//! it is really produced, never by an announced size, and stops at [`GZIP_OUTPUT_LEN_MAX`] or [`GZIP_RATIO_MAX`], or where the
//! caller says so: a kilobyte becomes a megabyte, in time and in memory that the peer does not have to spend.

use std::io::Read;

use bytes::Bytes;
use flate2::read::{GzDecoder, ZlibDecoder};
use tl::mtproto::types::GzipPacked;
use tl::{Cursor, Decode as _, DecodeError};

use crate::limits::{GZIP_OUTPUT_LEN_MAX, GZIP_RATIO_FREE_LEN, GZIP_RATIO_MAX, GZIP_STEP_LEN};

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
    unpack_while(object, |_| Ok(()))
}

/// As [`unpack`]; `grows` is told of each piece of at most [`GZIP_STEP_LEN`] bytes that came out, and may end it.
///
/// # Errors
///
/// Those of `grows`; [`Error`].
pub fn unpack_while<E: From<Error>>(
    object: &[u8],
    grows: impl FnMut(usize) -> Result<(), E>,
) -> Result<Bytes, E> {
    let packed = GzipPacked::decode(&mut Cursor::new(object)).map_err(Error::from)?.packed_data;
    let by_ratio = packed.len().saturating_mul(GZIP_RATIO_MAX).max(GZIP_RATIO_FREE_LEN);
    let len_max = by_ratio.min(GZIP_OUTPUT_LEN_MAX);
    let unpacked = match packed {
        [0x1f, 0x8b, ..] => read_all(GzDecoder::new(packed), len_max, grows),
        _ => read_all(ZlibDecoder::new(packed), len_max, grows),
    }?;
    if Cursor::new(&unpacked).peek_id() == Ok(ID) {
        return Err(Error::Nested.into());
    }
    Ok(Bytes::from(unpacked))
}

fn read_all<E: From<Error>>(
    mut decoder: impl Read,
    len_max: usize,
    mut grows: impl FnMut(usize) -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    let mut unpacked = Vec::new();
    loop {
        let mut step = decoder.by_ref().take(GZIP_STEP_LEN);
        let len = step.read_to_end(&mut unpacked).map_err(|_| Error::Broken)?;
        if len == 0 {
            return Ok(unpacked);
        }
        if unpacked.len() > len_max {
            return Err(Error::TooLarge { len_max }.into());
        }
        grows(len)?;
    }
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

    /// `GZIP_STEP_LEN`: whoever pays is asked often enough, and nothing more comes out once they do not.
    #[test]
    fn it_grows_only_as_long_as_it_may() {
        let step = usize::try_from(GZIP_STEP_LEN).unwrap();
        let object = packed(&gzip(&vec![0; 3 * step + 1]));
        let grown = |steps: usize| {
            let mut grown = Vec::new();
            let unpacked = unpack_while(&object, |len| {
                grown.push(len);
                if grown.len() < steps { Ok(()) } else { Err(Error::Broken) }
            });
            (unpacked.map(|all| all.len()), grown)
        };
        assert_eq!(grown(9), (Ok(3 * step + 1), vec![step, step, step, 1]));
        assert_eq!(grown(2), (Err(Error::Broken), vec![step, step]));
    }
}
