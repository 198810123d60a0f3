// Generated from the schema by `codegen`. Do not edit.

/// A struct for each constructor.
pub mod types {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// One value without its id, by the constructor's name and by the type's.
    ///
    /// ```text
    /// holder#de326ab0 one:item two:%Item hash:int128 key:int256 = Holder;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Holder<'a> {
        /// `one`
        pub one: crate::vectors::types::Item<'a>,
        /// `two`
        pub two: crate::vectors::types::Item<'a>,
        /// `hash`
        pub hash: [u8; 16],
        /// `key`
        pub key: [u8; 32],
    }

    impl<'a> Holder<'a> {
        /// The constructor id.
        pub const ID: u32 = 0xde326ab0;

        /// The value without anything optional.
        #[must_use]
        pub fn new(one: crate::vectors::types::Item<'a>, two: crate::vectors::types::Item<'a>, hash: [u8; 16], key: [u8; 32]) -> Self {
            Self {
                one,
                two,
                hash,
                key,
            }
        }
    }

    impl<'a> Holder<'a> {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.one.encode_bare(layer, out);
            self.two.encode_bare(layer, out);
            self.hash.encode(layer, out);
            self.key.encode(layer, out);
        }
    }

    impl Encode for Holder<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl<'a> Holder<'a> {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            Ok(Self {
                one: crate::vectors::types::Item::decode_bare(input)?,
                two: crate::vectors::types::Item::decode_bare(input)?,
                hash: Decode::decode(input)?,
                key: Decode::decode(input)?,
            })
        }
    }

    impl<'a> Decode<'a> for Holder<'a> {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// ```text
    /// item#8ac9453c id:long text:string = Item;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Item<'a> {
        /// `id`
        pub id: i64,
        /// `text`
        pub text: &'a str,
    }

    impl<'a> Item<'a> {
        /// The constructor id.
        pub const ID: u32 = 0x8ac9453c;

        /// The value without anything optional.
        #[must_use]
        pub fn new(id: i64, text: &'a str) -> Self {
            Self {
                id,
                text,
            }
        }
    }

    impl<'a> Item<'a> {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.id.encode(layer, out);
            self.text.encode(layer, out);
        }
    }

    impl Encode for Item<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl<'a> Item<'a> {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            Ok(Self {
                id: Decode::decode(input)?,
                text: Decode::decode(input)?,
            })
        }
    }

    impl<'a> Decode<'a> for Item<'a> {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// ```text
    /// vectors#b110ca36 flags:# numbers:Vector<int> nested:Vector<Vector<string>> bare:vector<int> items:Vector<Item> bare_items:vector<item> boxed_of_bare:Vector<item> optional:flags.0?Vector<Item> optional_bare:flags.1?vector<item> = Vectors;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Vectors<'a> {
        /// `numbers`
        pub numbers: Vec<i32>,
        /// `nested`
        pub nested: Vec<Vec<&'a str>>,
        /// `bare`
        pub bare: Vec<i32>,
        /// `items`
        pub items: Vec<crate::vectors::types::Item<'a>>,
        /// `bare_items`
        pub bare_items: Vec<crate::vectors::types::Item<'a>>,
        /// `boxed_of_bare`
        pub boxed_of_bare: Vec<crate::vectors::types::Item<'a>>,
        /// `optional`
        pub optional: Option<Vec<crate::vectors::types::Item<'a>>>,
        /// `optional_bare`
        pub optional_bare: Option<Vec<crate::vectors::types::Item<'a>>>,
    }

    impl<'a> Vectors<'a> {
        /// The constructor id.
        pub const ID: u32 = 0xb110ca36;

        /// The value without anything optional.
        #[must_use]
        pub fn new(numbers: Vec<i32>, nested: Vec<Vec<&'a str>>, bare: Vec<i32>, items: Vec<crate::vectors::types::Item<'a>>, bare_items: Vec<crate::vectors::types::Item<'a>>, boxed_of_bare: Vec<crate::vectors::types::Item<'a>>) -> Self {
            Self {
                numbers,
                nested,
                bare,
                items,
                bare_items,
                boxed_of_bare,
                optional: None,
                optional_bare: None,
            }
        }
    }

    impl<'a> Vectors<'a> {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            let optional = self.optional.as_ref();
            let optional_bare = self.optional_bare.as_ref();
            out.u32(u32::from(optional.is_some())
                | (u32::from(optional_bare.is_some()) << 1));
            self.numbers.encode(layer, out);
            self.nested.encode(layer, out);
            out.count(self.bare.len());
            for element in self.bare.iter() {
                element.encode(layer, out);
            }
            self.items.encode(layer, out);
            out.count(self.bare_items.len());
            for element in self.bare_items.iter() {
                element.encode_bare(layer, out);
            }
            out.vector(self.boxed_of_bare.len());
            for element in self.boxed_of_bare.iter() {
                element.encode_bare(layer, out);
            }
            if let Some(value) = optional {
                value.encode(layer, out);
            }
            if let Some(value) = optional_bare {
                out.count(value.len());
                for element in value.iter() {
                    element.encode_bare(layer, out);
                }
            }
        }
    }

    impl Encode for Vectors<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl<'a> Vectors<'a> {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let flags = input.u32()?;
            Ok(Self {
                numbers: Decode::decode(input)?,
                nested: Decode::decode(input)?,
                bare: input.bare_vector_len().and_then(|count| input.elements(count, Decode::decode))?,
                items: Decode::decode(input)?,
                bare_items: input.bare_vector_len().and_then(|count| input.elements(count, crate::vectors::types::Item::decode_bare))?,
                boxed_of_bare: input.vector_len().and_then(|count| input.elements(count, crate::vectors::types::Item::decode_bare))?,
                optional: input.optional(flags, 0)?,
                optional_bare: if flags & (1 << 1) == 0 { None } else { Some(input.bare_vector_len().and_then(|count| input.elements(count, crate::vectors::types::Item::decode_bare))?) },
            })
        }
    }

    impl<'a> Decode<'a> for Vectors<'a> {
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
        0xde326ab0,
        0x8ac9453c,
        0xb110ca36,
    ];

    /// Decodes the value that `bytes` are, whichever it is, and encodes it for `layer`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    #[inline]
    pub fn value(bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {
        match Cursor::new(bytes).peek_id()? {
            0xde326ab0 => crate::vectors::types::Holder::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x8ac9453c => crate::vectors::types::Item::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0xb110ca36 => crate::vectors::types::Vectors::from_bytes(bytes).map(|value| value.to_vec(layer)),
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
