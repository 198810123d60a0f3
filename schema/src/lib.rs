//! Baudot's schema and the code generated from it.
//!
//! | module | made from | what it is |
//! |---|---|---|
//! | [`mtproto`] | `mtproto.tl` | handshake and service messages |
//! | [`api`] | `api/*.tl`, `superseded.tl` | what clients may ask and what they get |
//! | [`records`] | `records.tl` | what is stored; owns its strings |
//! | [`operations`] | `operations.tl` | what partitions execute |
//!
//! Each has three modules: `types` (a struct a constructor), `enums` (an enum a type that has several), `functions` (a struct a
//! function). Decoding borrows from the input and needs no [`Layer`]: a constructor id says which shape follows, and
//! shapes of older layers become the newest struct. Encoding takes the layer of the session.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)
)]

mod cursor;
pub mod downgrade;
pub mod upgrade;
mod value;
mod write;

pub use cursor::{Cursor, DEPTH_MAX};
pub use value::Raw;
pub use write::{Counter, Sink};

macro_rules! generated {
    ($(#[$docs:meta] $module:ident),*) => {$(
        #[$docs]
        #[allow(
            clippy::all,
            clippy::use_self,
            clippy::or_fun_call,
            unused_imports,
            unused_qualifications,
            unused_variables,
            elided_lifetimes_in_paths,
            clippy::allow_attributes,
            reason = "generated code is plain rather than terse"
        )]
        pub mod $module {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($module), ".rs"));
        }
    )*};
}

generated! {
    /// Handshake and service messages.
    mtproto,
    /// What clients may ask and what they get.
    api,
    /// What is stored.
    records,
    /// What partitions execute.
    operations
}

/// The id of a boxed `Vector t`.
pub const VECTOR_ID: u32 = 0x1cb5_c415;
/// The id of `boolTrue`.
pub const BOOL_TRUE_ID: u32 = 0x9972_75b5;
/// The id of `boolFalse`.
pub const BOOL_FALSE_ID: u32 = 0xbc79_9737;

/// The number of a published schema of the API: what a session's client understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layer(pub u16);

impl Layer {
    /// The layer that handlers know, and the newest one spoken.
    pub const NEWEST: Self = Self(230);
    /// The oldest layer spoken.
    pub const OLDEST: Self = Self(152);
}

/// Why bytes are not the value that they should be. The peer is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The input ends inside a value, or a length points beyond it.
    #[error("input ends inside the value at byte {position}")]
    Truncated {
        /// Where the value starts.
        position: usize,
    },
    /// A constructor id that does not belong to the type that is due, or is not in the schema.
    #[error("unexpected constructor {id:#010x} at byte {position}")]
    Unexpected {
        /// The id.
        id: u32,
        /// Where it stands.
        position: usize,
    },
    /// A string is not UTF-8.
    #[error("string at byte {position} is not UTF-8")]
    NotUtf8 {
        /// Where the string starts.
        position: usize,
    },
    /// Values are nested deeper than [`DEPTH_MAX`].
    #[error("values are nested too deep at byte {position}")]
    TooDeep {
        /// Where the bound was reached.
        position: usize,
    },
    /// Bytes are left after the value.
    #[error("{len} bytes are left at byte {position}")]
    Trailing {
        /// Where the value ended.
        position: usize,
        /// How many bytes follow.
        len: usize,
    },
}

/// A value that can be written.
pub trait Encode {
    /// Writes the value for a session of `layer`, constructor id first.
    fn encode<S: Sink>(&self, layer: Layer, out: &mut S);

    /// Whether `layer` has a constructor for the value. Optional fields and elements of vectors that it does not know are
    /// left out.
    fn known_in(&self, _layer: Layer) -> bool {
        true
    }

    /// How many bytes [`Encode::encode`] writes.
    fn encoded_len(&self, layer: Layer) -> usize {
        let mut counter = Counter::default();
        self.encode(layer, &mut counter);
        counter.0
    }

    /// The value as bytes of its own.
    fn to_vec(&self, layer: Layer) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len(layer));
        self.encode(layer, &mut bytes);
        bytes
    }
}

/// A value that can be read, borrowing strings and bytes from the input.
pub trait Decode<'a>: Sized {
    /// Reads the value, constructor id first.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`]; how much of `input` was read is then unspecified.
    fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError>;

    /// Reads a value that is all of `bytes`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    fn from_bytes(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut input = Cursor::new(bytes);
        let value = Self::decode(&mut input)?;
        input.finish()?;
        Ok(value)
    }
}

/// A function of the schema.
pub trait Method {
    /// Its constructor id.
    const ID: u32;
    /// Its name as in the schema, such as `messages.sendMessage`.
    const NAME: &'static str;
    /// What it answers.
    type Answer<'a>: Encode;
}
