// Generated from the schema by `codegen`. Do not edit.

/// A struct for each constructor.
pub mod types {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// ```text
    /// answer#52749d9a row:flags.Row = Answer;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Answer {
        /// `row`
        pub row: crate::owned::types::flags::Row,
    }

    impl Answer {
        /// The constructor id.
        pub const ID: u32 = 0x52749d9a;

        /// The value without anything optional.
        #[must_use]
        pub fn new(row: crate::owned::types::flags::Row) -> Self {
            Self {
                row,
            }
        }
    }

    impl Answer {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.row.encode(layer, out);
        }
    }

    impl Encode for Answer {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl Answer {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
            Ok(Self {
                row: Decode::decode(input)?,
            })
        }
    }

    impl<'a> Decode<'a> for Answer {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }
}

/// A struct for each function.
pub mod functions {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// The namespace `rows`.
    pub mod rows {
        use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

        /// ```text
        /// rows.get#3eb87f4 name:string = Answer;
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        pub struct Get<'a> {
            /// `name`
            pub name: &'a str,
        }

        impl<'a> Get<'a> {
            /// The constructor id.
            pub const ID: u32 = 0x03eb87f4;

            /// The value without anything optional.
            #[must_use]
            pub fn new(name: &'a str) -> Self {
                Self {
                    name,
                }
            }
        }

        impl<'a> Get<'a> {
            /// Writes the fields, without the constructor id.
            pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
                self.name.encode(layer, out);
            }
        }

        impl Encode for Get<'_> {
            fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
                out.u32(Self::ID);
                self.encode_bare(layer, out);
            }
        }

        impl<'a> Get<'a> {
            /// Reads the fields, without the constructor id.
            ///
            /// # Errors
            ///
            /// See [`DecodeError`].
            pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
                Ok(Self {
                    name: Decode::decode(input)?,
                })
            }
        }

        impl<'a> Decode<'a> for Get<'a> {
            fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
                let position = input.position();
                match input.u32()? {
                    Self::ID => Self::decode_bare(input),
                    id => Err(DecodeError::Unexpected { id, position }),
                }
            }
        }

        impl Method for Get<'_> {
            const ID: u32 = 0x03eb87f4;
            const NAME: &'static str = "rows.get";
            type Answer<'b> = crate::imports::types::Answer;
        }

        /// ```text
        /// rows.list#ee0ca6ce limit:int = Vector<flags.Row>;
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        pub struct List {
            /// `limit`
            pub limit: i32,
        }

        impl List {
            /// The constructor id.
            pub const ID: u32 = 0xee0ca6ce;

            /// The value without anything optional.
            #[must_use]
            pub fn new(limit: i32) -> Self {
                Self {
                    limit,
                }
            }
        }

        impl List {
            /// Writes the fields, without the constructor id.
            pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
                self.limit.encode(layer, out);
            }
        }

        impl Encode for List {
            fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
                out.u32(Self::ID);
                self.encode_bare(layer, out);
            }
        }

        impl List {
            /// Reads the fields, without the constructor id.
            ///
            /// # Errors
            ///
            /// See [`DecodeError`].
            pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
                Ok(Self {
                    limit: Decode::decode(input)?,
                })
            }
        }

        impl<'a> Decode<'a> for List {
            fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
                let position = input.position();
                match input.u32()? {
                    Self::ID => Self::decode_bare(input),
                    id => Err(DecodeError::Unexpected { id, position }),
                }
            }
        }

        impl Method for List {
            const ID: u32 = 0xee0ca6ce;
            const NAME: &'static str = "rows.list";
            type Answer<'b> = Vec<crate::owned::types::flags::Row>;
        }
    }
}

/// Decoding and encoding by id, whatever the id names.
#[cfg(feature = "client")]
pub mod any {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer};

    /// The ids of every function, newest and older.
    pub const REQUESTS: &[u32] = &[
        0x03eb87f4,
        0xee0ca6ce,
    ];

    /// Decodes the request that `bytes` are, whichever it is, and encodes it for `layer`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    #[inline]
    pub fn request(bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {
        match Cursor::new(bytes).peek_id()? {
            0x03eb87f4 => crate::imports::functions::rows::Get::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0xee0ca6ce => crate::imports::functions::rows::List::from_bytes(bytes).map(|value| value.to_vec(layer)),
            id => Err(DecodeError::Unexpected { id, position: 0 }),
        }
    }

    /// The ids of every constructor, newest and older.
    pub const VALUES: &[u32] = &[
        0x52749d9a,
    ];

    /// Decodes the value that `bytes` are, whichever it is, and encodes it for `layer`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    #[inline]
    pub fn value(bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {
        match Cursor::new(bytes).peek_id()? {
            0x52749d9a => crate::imports::types::Answer::from_bytes(bytes).map(|value| value.to_vec(layer)),
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
            0x03eb87f4 => <crate::imports::types::Answer>::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0xee0ca6ce => <Vec<crate::owned::types::flags::Row>>::from_bytes(bytes).map(|value| value.to_vec(layer)),
            id => Err(DecodeError::Unexpected { id, position: 0 }),
        }
    }
}
