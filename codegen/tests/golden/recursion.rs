// Generated from the schema by `codegen`. Do not edit.

/// A struct for each constructor.
pub mod types {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// By way of another type.
    ///
    /// ```text
    /// chest#139941dc flags:# inner:flags.0?Lid = Chest;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Chest {
        /// `inner`
        pub inner: Option<Box<crate::recursion::types::Lid>>,
    }

    impl Chest {
        /// The constructor id.
        pub const ID: u32 = 0x139941dc;

        /// The value without anything optional.
        #[must_use]
        pub fn new() -> Self {
            Self {
                inner: None,
            }
        }
    }

    impl Chest {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            let inner = self.inner.as_ref();
            out.u32(u32::from(inner.is_some()));
            if let Some(value) = inner {
                value.encode(layer, out);
            }
        }
    }

    impl Encode for Chest {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl Chest {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
            let flags = input.u32()?;
            Ok(Self {
                inner: input.optional(flags, 0)?,
            })
        }
    }

    impl<'a> Decode<'a> for Chest {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => input.nested(Self::decode_bare),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// ```text
    /// lid#cc2c6355 chest:Chest = Lid;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Lid {
        /// `chest`
        pub chest: Box<crate::recursion::types::Chest>,
    }

    impl Lid {
        /// The constructor id.
        pub const ID: u32 = 0xcc2c6355;

        /// The value without anything optional.
        #[must_use]
        pub fn new(chest: Box<crate::recursion::types::Chest>) -> Self {
            Self {
                chest,
            }
        }
    }

    impl Lid {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.chest.encode(layer, out);
        }
    }

    impl Encode for Lid {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl Lid {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
            Ok(Self {
                chest: Decode::decode(input)?,
            })
        }
    }

    impl<'a> Decode<'a> for Lid {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => input.nested(Self::decode_bare),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// ```text
    /// textPlain#fc8417a7 text:string = Text;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct TextPlain<'a> {
        /// `text`
        pub text: &'a str,
    }

    impl<'a> TextPlain<'a> {
        /// The constructor id.
        pub const ID: u32 = 0xfc8417a7;

        /// The value without anything optional.
        #[must_use]
        pub fn new(text: &'a str) -> Self {
            Self {
                text,
            }
        }
    }

    impl<'a> TextPlain<'a> {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.text.encode(layer, out);
        }
    }

    impl Encode for TextPlain<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl<'a> TextPlain<'a> {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            Ok(Self {
                text: Decode::decode(input)?,
            })
        }
    }

    impl<'a> Decode<'a> for TextPlain<'a> {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => input.nested(Self::decode_bare),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// ```text
    /// textBold#7d31b181 text:Text = Text;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct TextBold<'a> {
        /// `text`
        pub text: Box<crate::recursion::enums::Text<'a>>,
    }

    impl<'a> TextBold<'a> {
        /// The constructor id.
        pub const ID: u32 = 0x7d31b181;

        /// The value without anything optional.
        #[must_use]
        pub fn new(text: Box<crate::recursion::enums::Text<'a>>) -> Self {
            Self {
                text,
            }
        }
    }

    impl<'a> TextBold<'a> {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.text.encode(layer, out);
        }
    }

    impl Encode for TextBold<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl<'a> TextBold<'a> {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            Ok(Self {
                text: Decode::decode(input)?,
            })
        }
    }

    impl<'a> Decode<'a> for TextBold<'a> {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => input.nested(Self::decode_bare),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// ```text
    /// textList#d912d75f items:Vector<Text> = Text;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct TextList<'a> {
        /// `items`
        pub items: Vec<crate::recursion::enums::Text<'a>>,
    }

    impl<'a> TextList<'a> {
        /// The constructor id.
        pub const ID: u32 = 0xd912d75f;

        /// The value without anything optional.
        #[must_use]
        pub fn new(items: Vec<crate::recursion::enums::Text<'a>>) -> Self {
            Self {
                items,
            }
        }
    }

    impl<'a> TextList<'a> {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.items.encode(layer, out);
        }
    }

    impl Encode for TextList<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl<'a> TextList<'a> {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            Ok(Self {
                items: Decode::decode(input)?,
            })
        }
    }

    impl<'a> Decode<'a> for TextList<'a> {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => input.nested(Self::decode_bare),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }
}

/// An enum for each type that has several constructors.
pub mod enums {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// The type `Text`.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Text<'a> {
        /// ```text
        /// textPlain#fc8417a7 text:string = Text;
        /// ```
        TextPlain(crate::recursion::types::TextPlain<'a>),
        /// ```text
        /// textBold#7d31b181 text:Text = Text;
        /// ```
        TextBold(crate::recursion::types::TextBold<'a>),
        /// ```text
        /// textList#d912d75f items:Vector<Text> = Text;
        /// ```
        TextList(crate::recursion::types::TextList<'a>),
    }

    impl<'a> From<crate::recursion::types::TextPlain<'a>> for Text<'a> {
        fn from(value: crate::recursion::types::TextPlain<'a>) -> Self {
            Self::TextPlain(value)
        }
    }

    impl<'a> From<crate::recursion::types::TextBold<'a>> for Text<'a> {
        fn from(value: crate::recursion::types::TextBold<'a>) -> Self {
            Self::TextBold(value)
        }
    }

    impl<'a> From<crate::recursion::types::TextList<'a>> for Text<'a> {
        fn from(value: crate::recursion::types::TextList<'a>) -> Self {
            Self::TextList(value)
        }
    }

    impl Encode for Text<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            match self {
                Self::TextPlain(value) => value.encode(layer, out),
                Self::TextBold(value) => value.encode(layer, out),
                Self::TextList(value) => value.encode(layer, out),
            }
        }
    }

    impl<'a> Decode<'a> for Text<'a> {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            match input.peek_id()? {
                0xfc8417a7 => Decode::decode(input).map(Self::TextPlain),
                0x7d31b181 => Decode::decode(input).map(Self::TextBold),
                0xd912d75f => Decode::decode(input).map(Self::TextList),
                id => Err(DecodeError::Unexpected { id, position: input.position() }),
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
        0x139941dc,
        0xcc2c6355,
        0xfc8417a7,
        0x7d31b181,
        0xd912d75f,
    ];

    /// Decodes the value that `bytes` are, whichever it is, and encodes it for `layer`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    #[inline]
    pub fn value(bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {
        match Cursor::new(bytes).peek_id()? {
            0x139941dc => crate::recursion::types::Chest::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0xcc2c6355 => crate::recursion::types::Lid::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0xfc8417a7 | 0x7d31b181 | 0xd912d75f => crate::recursion::enums::Text::from_bytes(bytes).map(|value| value.to_vec(layer)),
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
