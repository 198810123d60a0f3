// Generated from the schema by `codegen`. Do not edit.

/// A struct for each constructor.
pub mod types {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// A value stands between two fields of flags.
    ///
    /// ```text
    /// late#5aa00c09 flags:# first:flags.0?long id:int flags2:# second:flags2.0?long = Late;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Late {
        /// `first`
        pub first: Option<i64>,
        /// `id`
        pub id: i32,
        /// `second`
        pub second: Option<i64>,
    }

    impl Late {
        /// The constructor id.
        pub const ID: u32 = 0x5aa00c09;

        /// The value without anything optional.
        #[must_use]
        pub fn new(id: i32) -> Self {
            Self {
                first: None,
                id,
                second: None,
            }
        }
    }

    impl Late {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            let first = self.first.as_ref();
            let second = self.second.as_ref();
            out.u32(u32::from(first.is_some()));
            if let Some(value) = first {
                value.encode(layer, out);
            }
            self.id.encode(layer, out);
            out.u32(u32::from(second.is_some()));
            if let Some(value) = second {
                value.encode(layer, out);
            }
        }
    }

    impl Encode for Late {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl Late {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
            let flags = input.u32()?;
            let f_first = input.optional(flags, 0)?;
            let f_id = Decode::decode(input)?;
            let flags2 = input.u32()?;
            Ok(Self {
                first: f_first,
                id: f_id,
                second: input.optional(flags2, 0)?,
            })
        }
    }

    impl<'a> Decode<'a> for Late {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// Everything that a bit can govern.
    ///
    /// Source: <https://core.telegram.org/mtproto/TL-combinators>
    ///
    /// ```text
    /// profile#6aa89316 flags:# self:flags.10?true type:flags.0?string flags2:# id:long muted:flags2.3?Bool seen:flags2.31?int = Profile;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Profile<'a> {
        /// `self`
        pub self_: bool,
        /// `type`
        pub type_: Option<&'a str>,
        /// `id`
        pub id: i64,
        /// `muted`
        pub muted: Option<bool>,
        /// `seen`
        pub seen: Option<i32>,
    }

    impl<'a> Profile<'a> {
        /// The constructor id.
        pub const ID: u32 = 0x6aa89316;

        /// The value without anything optional.
        #[must_use]
        pub fn new(id: i64) -> Self {
            Self {
                self_: false,
                type_: None,
                id,
                muted: None,
                seen: None,
            }
        }
    }

    impl<'a> Profile<'a> {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            let type_ = self.type_.as_ref();
            let muted = self.muted.as_ref();
            let seen = self.seen.as_ref();
            out.u32((u32::from(self.self_) << 10)
                | u32::from(type_.is_some()));
            if let Some(value) = type_ {
                value.encode(layer, out);
            }
            out.u32((u32::from(muted.is_some()) << 3)
                | (u32::from(seen.is_some()) << 31));
            self.id.encode(layer, out);
            if let Some(value) = muted {
                value.encode(layer, out);
            }
            if let Some(value) = seen {
                value.encode(layer, out);
            }
        }
    }

    impl Encode for Profile<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl<'a> Profile<'a> {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let flags = input.u32()?;
            let f_type = input.optional(flags, 0)?;
            let flags2 = input.u32()?;
            Ok(Self {
                self_: flags & (1 << 10) != 0,
                type_: f_type,
                id: Decode::decode(input)?,
                muted: input.optional(flags2, 3)?,
                seen: input.optional(flags2, 31)?,
            })
        }
    }

    impl<'a> Decode<'a> for Profile<'a> {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// A bit with a bare flag and a value, and two values of one bit: they come together or not at all.
    ///
    /// ```text
    /// shared#d8026036 flags:# silent:flags.1?true sound:flags.1?string begin:flags.2?int end:flags.2?int = Shared;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Shared<'a> {
        /// `silent`
        pub silent: bool,
        /// `sound`
        pub sound: Option<&'a str>,
        /// `begin`
        pub begin: Option<i32>,
        /// `end`
        pub end: Option<i32>,
    }

    impl<'a> Shared<'a> {
        /// The constructor id.
        pub const ID: u32 = 0xd8026036;

        /// The value without anything optional.
        #[must_use]
        pub fn new() -> Self {
            Self {
                silent: false,
                sound: None,
                begin: None,
                end: None,
            }
        }
    }

    impl<'a> Shared<'a> {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            let sound = self.sound.as_ref();
            let begin = self.begin.as_ref();
            let end = self.end.as_ref();
            out.u32((u32::from(sound.is_some()) << 1)
                | (u32::from(begin.is_some() && end.is_some()) << 2));
            if let Some(value) = sound {
                value.encode(layer, out);
            }
            if let Some(value) = begin && begin.is_some() && end.is_some() {
                value.encode(layer, out);
            }
            if let Some(value) = end && begin.is_some() && end.is_some() {
                value.encode(layer, out);
            }
        }
    }

    impl Encode for Shared<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl<'a> Shared<'a> {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let flags = input.u32()?;
            Ok(Self {
                silent: flags & (1 << 1) != 0,
                sound: input.optional(flags, 1)?,
                begin: input.optional(flags, 2)?,
                end: input.optional(flags, 2)?,
            })
        }
    }

    impl<'a> Decode<'a> for Shared<'a> {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }
}

/// Decoding and encoding by id, whatever the id names.
#[cfg(feature = "client")]
pub mod any {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer};

    /// The ids of every function, newest and older.
    pub const REQUESTS: &[u32] = &[
    ];

    /// Decodes the request that `bytes` are, whichever it is, and encodes it for `layer`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    #[inline]
    pub fn request(bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {
        match Cursor::new(bytes).peek_id()? {
            id => Err(DecodeError::Unexpected { id, position: 0 }),
        }
    }

    /// The ids of every constructor, newest and older.
    pub const VALUES: &[u32] = &[
        0x5aa00c09,
        0x6aa89316,
        0xd8026036,
    ];

    /// Decodes the value that `bytes` are, whichever it is, and encodes it for `layer`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    #[inline]
    pub fn value(bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {
        match Cursor::new(bytes).peek_id()? {
            0x5aa00c09 => crate::flags::types::Late::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x6aa89316 => crate::flags::types::Profile::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0xd8026036 => crate::flags::types::Shared::from_bytes(bytes).map(|value| value.to_vec(layer)),
            id => Err(DecodeError::Unexpected { id, position: 0 }),
        }
    }

    /// Decodes what the function with the id `method` answers, and encodes it for `layer`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`]; `Unexpected` for a `method` that there is not.
    #[inline]
    pub fn answer(method: u32, bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {
        match method {
            id => Err(DecodeError::Unexpected { id, position: 0 }),
        }
    }
}
