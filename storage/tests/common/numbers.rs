//! A record for tests.

use tl::{Cursor, Decode, DecodeError, Encode, Layer, Sink};

/// A record, and an operation: a few numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numbers(pub(crate) Vec<u64>);

const NUMBERS_ID: u32 = 0x6e75_6d62;

impl Encode for Numbers {
    fn encode<S: Sink>(&self, _layer: Layer, out: &mut S) {
        out.u32(NUMBERS_ID);
        self.0.iter().for_each(|number| out.put(&number.to_le_bytes()));
    }
}

impl<'a> Decode<'a> for Numbers {
    fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
        let position = input.position();
        let id = input.u32()?;
        if id != NUMBERS_ID {
            return Err(DecodeError::Unexpected { id, position });
        }
        let mut numbers = Vec::new();
        while input.remaining() > 0 {
            numbers.push(u64::from_le_bytes(input.array()?));
        }
        Ok(Self(numbers))
    }
}
