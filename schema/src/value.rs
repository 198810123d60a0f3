//! Codecs of the built-in types: numbers, strings, `Bool`, vectors, and the rest of the input.

use crate::{BOOL_FALSE_ID, BOOL_TRUE_ID, Cursor, Decode, DecodeError, Encode, Layer, Sink};

/// Everything up to the end of the input, undecoded: TL's `Object` and `!X`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a>(pub &'a [u8]);

impl Encode for Raw<'_> {
    fn encode<S: Sink>(&self, _: Layer, out: &mut S) {
        out.put(self.0);
    }
}

impl<'a> Decode<'a> for Raw<'a> {
    fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
        Ok(Self(input.rest()))
    }
}

macro_rules! fixed {
    ($($type:ty),*) => {$(
        impl Encode for $type {
            fn encode<S: Sink>(&self, _: Layer, out: &mut S) {
                out.put(&self.to_le_bytes());
            }
        }

        impl Decode<'_> for $type {
            fn decode(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
                input.array().map(Self::from_le_bytes)
            }
        }
    )*};
}

fixed!(i32, i64, f64);

impl<const N: usize> Encode for [u8; N] {
    fn encode<S: Sink>(&self, _: Layer, out: &mut S) {
        out.put(self);
    }
}

impl<const N: usize> Decode<'_> for [u8; N] {
    fn decode(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
        input.array()
    }
}

impl Encode for bool {
    fn encode<S: Sink>(&self, _: Layer, out: &mut S) {
        out.u32(if *self { BOOL_TRUE_ID } else { BOOL_FALSE_ID });
    }
}

impl Decode<'_> for bool {
    fn decode(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
        let position = input.position();
        match input.u32()? {
            BOOL_TRUE_ID => Ok(true),
            BOOL_FALSE_ID => Ok(false),
            id => Err(DecodeError::Unexpected { id, position }),
        }
    }
}

impl Encode for &str {
    fn encode<S: Sink>(&self, _: Layer, out: &mut S) {
        out.bytes(self.as_bytes());
    }
}

impl<'a> Decode<'a> for &'a str {
    fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
        input.str()
    }
}

impl Encode for &[u8] {
    fn encode<S: Sink>(&self, _: Layer, out: &mut S) {
        out.bytes(self);
    }
}

impl<'a> Decode<'a> for &'a [u8] {
    fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
        input.bytes()
    }
}

impl Encode for String {
    fn encode<S: Sink>(&self, _: Layer, out: &mut S) {
        out.bytes(self.as_bytes());
    }
}

impl Decode<'_> for String {
    fn decode(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
        input.str().map(ToOwned::to_owned)
    }
}

impl Encode for Vec<u8> {
    fn encode<S: Sink>(&self, _: Layer, out: &mut S) {
        out.bytes(self);
    }
}

impl Decode<'_> for Vec<u8> {
    fn decode(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
        input.bytes().map(ToOwned::to_owned)
    }
}

impl<T: Encode> Encode for Vec<T> {
    /// Elements that `layer` does not know are left out.
    fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
        if self.iter().all(|element| element.known_in(layer)) {
            out.vector(self.len());
            for element in self {
                element.encode(layer, out);
            }
        } else {
            out.vector(self.iter().filter(|element| element.known_in(layer)).count());
            for element in self.iter().filter(|element| element.known_in(layer)) {
                element.encode(layer, out);
            }
        }
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Vec<T> {
    fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
        let count = input.vector_len()?;
        input.elements(count, T::decode)
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
        T::encode(self, layer, out);
    }

    fn known_in(&self, layer: Layer) -> bool {
        T::known_in(self, layer)
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Box<T> {
    fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
        T::decode(input).map(Self::new)
    }
}
