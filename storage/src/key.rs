//! Keys: values as bytes that compare like the values.
//!
//! | value | bytes |
//! |---|---|
//! | `u8` … `u64` | big-endian |
//! | `i32`, `i64` and the ids | big-endian, sign bit flipped |
//! | `bool` | 0, 1 |
//! | `[u8; N]` | as it is |
//! | `String`, `Vec<u8>` | its bytes, each `00` as `00 ff`, then `00 00` |
//! | [`Desc<T>`] | those of `T`, all bits flipped |
//! | tuples | one element after the other |
//!
//! No encoded key is the beginning of another of its type, so elements can follow each other, and a key followed by
//! `00` lies right behind it.

use std::fmt;
use std::ops::Deref;

use crate::ids::{AuthKeyId, DataId, FileId, MessageId, PartitionId, Pts, UserId};
use crate::limits::KEY_INLINE_LEN;

/// A value that can be (a part of) a row's key.
pub trait Key: Sized {
    /// Appends the value so that bytes compare like values.
    fn encode(&self, out: &mut KeyBuf);

    /// Reads what [`Key::encode`] wrote; `None` if it cannot have written that.
    fn decode(input: &mut KeyReader<'_>) -> Option<Self>;
}

/// A key whose encoding always has the same length.
pub trait FixedKey: Key {
    /// That length, in bytes.
    const LEN: usize;
}

/// What the keys of a range `K` can have in common: the first element of a pair, the first one or two of a triple …
pub trait Prefix<K> {
    /// Appends the elements in common.
    fn encode_prefix(&self, out: &mut KeyBuf);
}

/// What all keys of a table have in common: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole;

impl<K> Prefix<K> for Whole {
    fn encode_prefix(&self, _out: &mut KeyBuf) {}
}

/// The reverse order of `T`. Ids inverted so are found newest first by scanning forward, which engines do faster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Desc<T>(pub T);

/// Bytes of a key being built. Does not allocate up to [`KEY_INLINE_LEN`] bytes.
#[derive(Clone)]
pub struct KeyBuf {
    inline: [u8; KEY_INLINE_LEN],
    /// How much of `inline` is used, while `heap` is empty.
    len: usize,
    /// All of the key once it does not fit.
    heap: Vec<u8>,
}

impl KeyBuf {
    /// No bytes.
    pub const fn new() -> Self {
        Self { inline: [0; KEY_INLINE_LEN], len: 0, heap: Vec::new() }
    }

    /// Appends a byte.
    pub fn push(&mut self, byte: u8) {
        self.extend(&[byte]);
    }

    /// Appends bytes.
    pub fn extend(&mut self, bytes: &[u8]) {
        if self.heap.is_empty() {
            if let Some(free) = self.inline.get_mut(self.len..self.len + bytes.len()) {
                free.copy_from_slice(bytes);
                self.len += bytes.len();
                return;
            }
            self.heap.reserve(2 * KEY_INLINE_LEN + bytes.len());
            self.heap.extend_from_slice(&self.inline[..self.len]);
        }
        self.heap.extend_from_slice(bytes);
    }

    fn tail(&mut self, from: usize) -> &mut [u8] {
        if self.heap.is_empty() { &mut self.inline[from..self.len] } else { &mut self.heap[from..] }
    }
}

impl Default for KeyBuf {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for KeyBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        if self.heap.is_empty() { &self.inline[..self.len] } else { &self.heap }
    }
}

impl fmt::Debug for KeyBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// What is left of a key being read.
#[derive(Clone, Debug)]
pub struct KeyReader<'a> {
    rest: &'a [u8],
}

impl<'a> KeyReader<'a> {
    /// Reads from the start of `key`.
    pub const fn new(key: &'a [u8]) -> Self {
        Self { rest: key }
    }

    /// Whether all has been read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The bytes not yet read.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    /// The next byte string, still escaped.
    pub(crate) fn take_bytes(&mut self) -> Option<&'a [u8]> {
        let mut len = 0;
        loop {
            let zero = self.rest.get(len..)?.iter().position(|byte| *byte == 0)?;
            len += zero + 2;
            match self.rest.get(len - 1)? {
                0 => return self.take(len)?.strip_suffix(&[0, 0]),
                0xff => {}
                _ => return None,
            }
        }
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
}

macro_rules! integer_keys {
    ($($type:ty => $flip:expr),* $(,)?) => {$(
        impl Key for $type {
            fn encode(&self, out: &mut KeyBuf) {
                out.extend(&(self ^ $flip).to_be_bytes());
            }

            fn decode(input: &mut KeyReader<'_>) -> Option<Self> {
                Some(Self::from_be_bytes(input.array()?) ^ $flip)
            }
        }

        impl FixedKey for $type {
            const LEN: usize = size_of::<Self>();
        }
    )*};
}

integer_keys!(u8 => 0, u16 => 0, u32 => 0, u64 => 0, i32 => i32::MIN, i64 => i64::MIN);

macro_rules! id_keys {
    ($($id:ident($inner:ty)),* $(,)?) => {$(
        impl Key for $id {
            fn encode(&self, out: &mut KeyBuf) {
                self.0.encode(out);
            }

            fn decode(input: &mut KeyReader<'_>) -> Option<Self> {
                <$inner>::decode(input).map(Self)
            }
        }

        impl FixedKey for $id {
            const LEN: usize = <$inner>::LEN;
        }
    )*};
}

id_keys!(
    UserId(i64),
    MessageId(i32),
    Pts(i32),
    AuthKeyId(i64),
    PartitionId(u16),
    FileId(i64),
    DataId(i64)
);

impl Key for bool {
    fn encode(&self, out: &mut KeyBuf) {
        out.push(u8::from(*self));
    }

    fn decode(input: &mut KeyReader<'_>) -> Option<Self> {
        match u8::decode(input)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl FixedKey for bool {
    const LEN: usize = 1;
}

impl<const N: usize> Key for [u8; N] {
    fn encode(&self, out: &mut KeyBuf) {
        out.extend(self);
    }

    fn decode(input: &mut KeyReader<'_>) -> Option<Self> {
        input.array()
    }
}

impl<const N: usize> FixedKey for [u8; N] {
    const LEN: usize = N;
}

impl Key for Vec<u8> {
    fn encode(&self, out: &mut KeyBuf) {
        encode_bytes(self, out);
    }

    fn decode(input: &mut KeyReader<'_>) -> Option<Self> {
        let mut escaped = false;
        let escapes = |byte: &u8| !std::mem::replace(&mut escaped, *byte == 0);
        Some(input.take_bytes()?.iter().copied().filter(escapes).collect())
    }
}

impl Key for String {
    fn encode(&self, out: &mut KeyBuf) {
        encode_bytes(self.as_bytes(), out);
    }

    fn decode(input: &mut KeyReader<'_>) -> Option<Self> {
        Self::from_utf8(Vec::decode(input)?).ok()
    }
}

fn encode_bytes(bytes: &[u8], out: &mut KeyBuf) {
    for (at, part) in bytes.split(|byte| *byte == 0).enumerate() {
        if at > 0 {
            out.extend(&[0, 0xff]);
        }
        out.extend(part);
    }
    out.extend(&[0, 0]);
}

impl<T: FixedKey> Key for Desc<T> {
    fn encode(&self, out: &mut KeyBuf) {
        let start = out.len();
        self.0.encode(out);
        out.tail(start).iter_mut().for_each(|byte| *byte = !*byte);
    }

    fn decode(input: &mut KeyReader<'_>) -> Option<Self> {
        let mut inverted = KeyBuf::new();
        inverted.extend(input.take(T::LEN)?);
        inverted.tail(0).iter_mut().for_each(|byte| *byte = !*byte);
        T::decode(&mut KeyReader::new(&inverted)).map(Self)
    }
}

impl<T: FixedKey> FixedKey for Desc<T> {
    const LEN: usize = T::LEN;
}

macro_rules! tuple_keys {
    ($($name:ident . $index:tt),*) => {
        impl<$($name: Key),*> Key for ($($name,)*) {
            fn encode(&self, out: &mut KeyBuf) {
                $(self.$index.encode(out);)*
            }

            fn decode(input: &mut KeyReader<'_>) -> Option<Self> {
                Some(($($name::decode(input)?,)*))
            }
        }

        impl<$($name: FixedKey),*> FixedKey for ($($name,)*) {
            const LEN: usize = 0 $(+ $name::LEN)*;
        }
    };
}

/// The key of a table that has one row an owner.
impl Key for () {
    fn encode(&self, _out: &mut KeyBuf) {}

    fn decode(_input: &mut KeyReader<'_>) -> Option<Self> {
        Some(())
    }
}

tuple_keys!(A.0, B.1);
tuple_keys!(A.0, B.1, C.2);
tuple_keys!(A.0, B.1, C.2, D.3);

macro_rules! prefixes {
    ($(<$($name:ident),*> $prefix:ty => $key:ty),* $(,)?) => {$(
        impl<$($name: Key),*> Prefix<$key> for $prefix {
            fn encode_prefix(&self, out: &mut KeyBuf) {
                self.encode(out);
            }
        }
    )*};
}

prefixes!(
    <A, B> A => (A, B),
    <A, B, C> A => (A, B, C),
    <A, B, C> (A, B) => (A, B, C),
    <A, B, C, D> A => (A, B, C, D),
    <A, B, C, D> (A, B) => (A, B, C, D),
    <A, B, C, D> (A, B, C) => (A, B, C, D),
);

#[cfg(test)]
mod tests {
    use super::*;

    /// `KEY_INLINE_LEN`: up to it a key allocates nothing; beyond, it is the same bytes.
    #[test]
    fn short_keys_allocate_nothing() {
        for len in [0, KEY_INLINE_LEN - 1, KEY_INLINE_LEN, KEY_INLINE_LEN + 1, 5 * KEY_INLINE_LEN] {
            let bytes: Vec<u8> = (0..len).map(|at| at as u8).collect();
            for cut in [0, 1, len / 2, len] {
                let mut key = KeyBuf::new();
                let (start, end) = bytes.split_at(cut.min(len));
                key.extend(start);
                end.iter().for_each(|byte| key.push(*byte));
                assert_eq!(*key, *bytes, "{len} {cut}");
                assert_eq!(key.heap.capacity() == 0, len <= KEY_INLINE_LEN, "{len} {cut}");
            }
        }
    }

    /// `keys` are in order; so must their bytes be, they must decode, and none may begin with another.
    #[track_caller]
    fn check<K: Key + PartialEq + fmt::Debug>(keys: &[K]) {
        let encoded: Vec<KeyBuf> = keys
            .iter()
            .map(|key| {
                let mut out = KeyBuf::new();
                key.encode(&mut out);
                let mut reader = KeyReader::new(&out);
                assert_eq!(K::decode(&mut reader).as_ref(), Some(key));
                assert!(reader.is_empty(), "{key:?}");
                for len in 0..out.len() {
                    assert_eq!(K::decode(&mut KeyReader::new(&out[..len])), None, "{key:?}");
                }
                out
            })
            .collect();
        for (at, pair) in encoded.windows(2).enumerate() {
            assert!(*pair[0] < *pair[1], "{:?} {:?}", keys[at], keys[at + 1]);
            assert!(!pair[1].starts_with(&pair[0]), "{:?} {:?}", keys[at], keys[at + 1]);
        }
    }

    #[test]
    fn integers() {
        check(&[0_u8, 1, 127, 128, 255]);
        check(&[0_u16, 1, 255, 256, u16::MAX]);
        check(&[0_u64, 1, 256, u64::MAX]);
        check(&[i32::MIN, -256, -1, 0, 1, 256, i32::MAX]);
        check(&[i64::MIN, -256, -1, 0, 1, 256, i64::MAX]);
        check(&[false, true]);
        check(&[[0_u8, 0], [0, 1], [1, 0]]);
        check(&[UserId(-1), UserId(0), UserId(1)]);
    }

    #[test]
    fn reverse_order() {
        check(&[Desc(3_i32), Desc(2), Desc(0), Desc(-1)]);
        check(&[Desc((2_u8, 1_u8)), Desc((1, 2)), Desc((1, 1))]);
    }

    #[test]
    fn strings() {
        let keys = ["", "\0", "\0\0", "\0\u{1}", "\0a", "\u{1}", "a", "a\0", "a\0b", "aa", "b"];
        check(&keys.map(String::from));
        check(&[vec![], vec![0], vec![0, 0xff], vec![0xff], vec![0xff, 0], vec![0xff, 0xff]]);
        check(&["a".repeat(47), "a".repeat(48), "a".repeat(500)]);
    }

    #[test]
    fn tuples() {
        check(&[()]);
        check(&[(1_u8, Desc(2_i32)), (1, Desc(1)), (2, Desc(9))]);
        check(&[(String::new(), 9_u8), ("\0".into(), 0), ("a".into(), 2), ("a\0".into(), 1)]);
        check(&[(1_u8, 1_u8, 2_u8, 1_u8), (1, 2, 0, 0), (1, 2, 0, 1)]);
        check(&[(1_u8, 1_u8, 2_u8), (1, 2, 0)]);
    }

    #[test]
    fn what_no_key_encodes_to_is_refused() {
        assert_eq!(bool::decode(&mut KeyReader::new(&[2])), None);
        assert_eq!(Vec::decode(&mut KeyReader::new(&[0, 1])), None);
        assert_eq!(String::decode(&mut KeyReader::new(&[0xff, 0, 0])), None);
    }
}
