//! The hash of a file from the hashes of its pieces, which come in any order.
//!
//! BLAKE3 is a binary tree over chunks of 1 KiB. A piece whose length is a power of two of KiB, at a multiple of that
//! length, is a subtree, and the last piece is the rest of the tree, however long. So each piece is hashed once when it comes,
//! and merging what was kept of them gives the same for every piece length.
//!
//! A blob's id is the hash of the tree's chaining value together with the length: the root of BLAKE3 itself would need the
//! bytes of a file of one piece again, because nobody knows that it is the only one when it comes.
//!
//! Source: the BLAKE3 paper, sections 2.1 and 2.4.

use blake3::{
    Hasher,
    hazmat::{HasherExt as _, Mode, merge_subtrees_non_root},
};

use crate::{
    ids::BlobId,
    limits::{PIECE_COUNT_MAX, PIECE_LEN_MAX},
};

/// The chaining value of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PieceHash(pub [u8; 32]);

impl PieceHash {
    /// Reads a hash out of stored bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// Whether pieces, but for the last one, can have this length: 1, 2, 4 … 512 KiB.
pub const fn is_piece_len(len: usize) -> bool {
    len >= 1024 && len.is_power_of_two() && len <= PIECE_LEN_MAX
}

/// Hashes the piece that begins at `offset` of its file. `offset` is a multiple of the length of pieces, see
/// [`is_piece_len`], and `bytes` no longer than that, nor empty.
///
/// `None` where that does not hold. Cost: one pass, 0.1 to 0.2 ns a byte.
pub fn piece(offset: u64, bytes: &[u8]) -> Option<PieceHash> {
    let fits = match offset {
        0 => true,
        // What begins here can be as long as the greatest power of two that divides the offset.
        offset => offset.is_multiple_of(1024) && bytes.len() as u64 <= 1 << offset.trailing_zeros(),
    };
    if !fits || bytes.is_empty() || bytes.len() > PIECE_LEN_MAX {
        return None;
    }
    Some(PieceHash(Hasher::new().set_input_offset(offset).update(bytes).finalize_non_root()))
}

/// The id of the blob with these pieces, `len` bytes in all.
///
/// `None` if no blob has such pieces: none, too many, or not as many as the length asks for.
pub fn blob(len: u64, piece_len: u32, pieces: &[PieceHash]) -> Option<BlobId> {
    let count = if pieces.len() == 1 { 1 } else { len.div_ceil(u64::from(piece_len.max(1))) };
    if pieces.is_empty() || pieces.len() > PIECE_COUNT_MAX || count != pieces.len() as u64 {
        return None;
    }
    let mut hasher = Hasher::new();
    hasher.update(&merge(pieces).0);
    hasher.update(&len.to_le_bytes());
    Some(BlobId(*hasher.finalize().as_bytes()))
}

/// The left side of each node is the greatest power of two of pieces that leaves something for the right.
fn merge(pieces: &[PieceHash]) -> PieceHash {
    if let [piece] = pieces {
        return *piece;
    }
    let (left, right) = pieces.split_at(pieces.len().next_power_of_two() / 2);
    PieceHash(merge_subtrees_non_root(&merge(left).0, &merge(right).0, Mode::Hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|index| (index % 251) as u8).collect()
    }

    fn cut(bytes: &[u8], piece_len: usize) -> Vec<PieceHash> {
        let at = |(index, part)| piece((index * piece_len) as u64, part).unwrap();
        bytes.chunks(piece_len).enumerate().map(at).collect()
    }

    /// The id does not depend on how a file was cut, so that it is stored once whatever client sent it.
    #[test]
    fn every_piece_len_gives_the_same_id() {
        for len in [1, 1023, 1024, 1025, 4096, 5000, 70_000, 524_288, 524_289, 1_500_000] {
            let content = bytes(len);
            let whole = blake3::hash(&content);
            let ids: Vec<_> = (10..=19)
                .map(|power| 1 << power)
                .map(|piece_len: usize| {
                    let hashes = cut(&content, piece_len);
                    if let [left @ .., right] = &*hashes
                        && !left.is_empty()
                    {
                        // The tree is BLAKE3's: its root is the hash that everybody computes.
                        let middle = hashes.len().next_power_of_two() / 2;
                        let _ = right;
                        let root = blake3::hazmat::merge_subtrees_root(
                            &merge(&hashes[..middle]).0,
                            &merge(&hashes[middle..]).0,
                            Mode::Hash,
                        );
                        assert_eq!(root, whole, "{len} {piece_len}");
                    }
                    blob(len as u64, piece_len as u32, &hashes).unwrap()
                })
                .collect();
            assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{len}");
        }
    }

    #[test]
    fn the_length_is_part_of_the_id() {
        let hash = piece(0, b"a").unwrap();
        assert_ne!(blob(1, 1024, &[hash]), blob(2, 1024, &[hash]));
    }

    #[test]
    fn what_is_no_piece_has_no_hash() {
        assert_eq!(piece(0, b""), None);
        assert_eq!(piece(1, b"a"), None);
        assert_eq!(piece(1024, &[0; 1025]), None);
        assert!(piece(2048, &[0; 2048]).is_some());
        assert_eq!(piece(0, &bytes(PIECE_LEN_MAX + 1)), None);
        assert_eq!(blob(0, 1024, &[]), None);
        let hash = piece(0, &[0; 1024]).unwrap();
        assert_eq!(blob(1024, 1024, &[hash; 2]), None);
        assert!(blob(2048, 1024, &[hash; 2]).is_some());
        for (count, fits) in [(PIECE_COUNT_MAX, true), (PIECE_COUNT_MAX + 1, false)] {
            let len = count as u64 * 1024;
            assert_eq!(blob(len, 1024, &vec![hash; count]).is_some(), fits, "{count}");
        }
    }
}
