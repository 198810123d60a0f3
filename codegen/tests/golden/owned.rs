// Generated from the schema by `codegen`. Do not edit.

/// A struct for each constructor.
pub mod types {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// The namespace `flags`.
    pub mod flags {
        use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

        /// ```text
        /// flags.row#24b0e6e9 flags:# name:string data:bytes tags:Vector<string> note:flags.0?string = flags.Row;
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        pub struct Row {
            /// `name`
            pub name: String,
            /// `data`
            pub data: Vec<u8>,
            /// `tags`
            pub tags: Vec<String>,
            /// `note`
            pub note: Option<String>,
        }

        impl Row {
            /// The constructor id.
            pub const ID: u32 = 0x24b0e6e9;

            /// The value without anything optional.
            #[must_use]
            pub fn new(name: String, data: Vec<u8>, tags: Vec<String>) -> Self {
                Self {
                    name,
                    data,
                    tags,
                    note: None,
                }
            }
        }

        impl Row {
            /// Writes the fields, without the constructor id.
            pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
                let note = self.note.as_ref();
                out.u32(u32::from(note.is_some()));
                self.name.encode(layer, out);
                self.data.encode(layer, out);
                self.tags.encode(layer, out);
                if let Some(value) = note {
                    value.encode(layer, out);
                }
            }
        }

        impl Encode for Row {
            fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
                out.u32(Self::ID);
                self.encode_bare(layer, out);
            }
        }

        impl Row {
            /// Reads the fields, without the constructor id.
            ///
            /// # Errors
            ///
            /// See [`DecodeError`].
            pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
                let flags = input.u32()?;
                Ok(Self {
                    name: Decode::decode(input)?,
                    data: Decode::decode(input)?,
                    tags: Decode::decode(input)?,
                    note: input.optional(flags, 0)?,
                })
            }
        }

        impl Row {
            fn decode_aa35ab41(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
                Ok(Self {
                    name: Decode::decode(input)?,
                    data: Vec::new(),
                    tags: Vec::new(),
                    note: None,
                })
            }
        }

        impl<'a> Decode<'a> for Row {
            fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
                let position = input.position();
                match input.u32()? {
                    Self::ID => Self::decode_bare(input),
                    0xaa35ab41 => Self::decode_aa35ab41(input),
                    id => Err(DecodeError::Unexpected { id, position }),
                }
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
        /// rows.put#1ff86362 row:flags.Row name:string tags:Vector<string> = Bool;
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        pub struct Put<'a> {
            /// `row`
            pub row: crate::owned::types::flags::Row,
            /// `name`
            pub name: &'a str,
            /// `tags`
            pub tags: Vec<String>,
        }

        impl<'a> Put<'a> {
            /// The constructor id.
            pub const ID: u32 = 0x1ff86362;

            /// The value without anything optional.
            #[must_use]
            pub fn new(row: crate::owned::types::flags::Row, name: &'a str, tags: Vec<String>) -> Self {
                Self {
                    row,
                    name,
                    tags,
                }
            }
        }

        impl<'a> Put<'a> {
            /// Writes the fields, without the constructor id.
            pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
                self.row.encode(layer, out);
                self.name.encode(layer, out);
                self.tags.encode(layer, out);
            }
        }

        impl Encode for Put<'_> {
            fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
                out.u32(Self::ID);
                self.encode_bare(layer, out);
            }
        }

        impl<'a> Put<'a> {
            /// Reads the fields, without the constructor id.
            ///
            /// # Errors
            ///
            /// See [`DecodeError`].
            pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
                Ok(Self {
                    row: Decode::decode(input)?,
                    name: Decode::decode(input)?,
                    tags: Decode::decode(input)?,
                })
            }
        }

        impl<'a> Put<'a> {
            fn decode_dc3de9b0(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
                Ok(Self {
                    row: Decode::decode(input)?,
                    name: Decode::decode(input)?,
                    tags: Vec::new(),
                })
            }
        }

        impl<'a> Decode<'a> for Put<'a> {
            fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
                let position = input.position();
                match input.u32()? {
                    Self::ID => Self::decode_bare(input),
                    0xdc3de9b0 => Self::decode_dc3de9b0(input),
                    id => Err(DecodeError::Unexpected { id, position }),
                }
            }
        }

        impl Method for Put<'_> {
            const ID: u32 = 0x1ff86362;
            const NAME: &'static str = "rows.put";
            type Answer<'b> = bool;
        }
    }
}

/// Decoding and encoding by id, whatever the id names.
#[cfg(feature = "client")]
pub mod any {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer};

    /// The ids of every function, newest and older.
    pub const REQUESTS: &[u32] = &[
        0x1ff86362,
        0xdc3de9b0,
    ];

    /// Decodes the request that `bytes` are, whichever it is, and encodes it for `layer`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    #[inline]
    pub fn request(bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {
        match Cursor::new(bytes).peek_id()? {
            0x1ff86362 | 0xdc3de9b0 => crate::owned::functions::rows::Put::from_bytes(bytes).map(|value| value.to_vec(layer)),
            id => Err(DecodeError::Unexpected { id, position: 0 }),
        }
    }

    /// The ids of every constructor, newest and older.
    pub const VALUES: &[u32] = &[
        0x24b0e6e9,
        0xaa35ab41,
    ];

    /// Decodes the value that `bytes` are, whichever it is, and encodes it for `layer`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    #[inline]
    pub fn value(bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {
        match Cursor::new(bytes).peek_id()? {
            0x24b0e6e9 | 0xaa35ab41 => crate::owned::types::flags::Row::from_bytes(bytes).map(|value| value.to_vec(layer)),
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
            0x1ff86362 | 0xdc3de9b0 => <bool>::from_bytes(bytes).map(|value| value.to_vec(layer)),
            id => Err(DecodeError::Unexpected { id, position: 0 }),
        }
    }
}
