// Generated from the schema by `codegen`. Do not edit.

/// A struct for each constructor.
pub mod types {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// A type without data that is alone.
    ///
    /// ```text
    /// nothing#57665865 = Nothing;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Nothing {
    }

    impl Nothing {
        /// The constructor id.
        pub const ID: u32 = 0x57665865;

        /// The value without anything optional.
        #[must_use]
        pub fn new() -> Self {
            Self {
            }
        }
    }

    impl Nothing {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
        }
    }

    impl Encode for Nothing {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl Nothing {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
            Ok(Self {
            })
        }
    }

    impl<'a> Decode<'a> for Nothing {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// Somebody.
    ///
    /// ```text
    /// peerUser#59511722 user_id:long = Peer;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct PeerUser {
        /// `user_id`
        pub user_id: i64,
    }

    impl PeerUser {
        /// The constructor id.
        pub const ID: u32 = 0x59511722;

        /// The value without anything optional.
        #[must_use]
        pub fn new(user_id: i64) -> Self {
            Self {
                user_id,
            }
        }
    }

    impl PeerUser {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.user_id.encode(layer, out);
        }
    }

    impl Encode for PeerUser {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl PeerUser {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
            Ok(Self {
                user_id: Decode::decode(input)?,
            })
        }
    }

    impl<'a> Decode<'a> for PeerUser {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// The namespace `chats`.
    pub mod chats {
        use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

        /// Names in a namespace, and one that is a word of Rust.
        ///
        /// ```text
        /// chats.match#6ad3db3c peer:Peer type:Nothing = chats.Match;
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        pub struct Match {
            /// `peer`
            pub peer: crate::enums::enums::Peer,
            /// `type`
            pub type_: crate::enums::types::Nothing,
        }

        impl Match {
            /// The constructor id.
            pub const ID: u32 = 0x6ad3db3c;

            /// The value without anything optional.
            #[must_use]
            pub fn new(peer: crate::enums::enums::Peer, type_: crate::enums::types::Nothing) -> Self {
                Self {
                    peer,
                    type_,
                }
            }
        }

        impl Match {
            /// Writes the fields, without the constructor id.
            pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
                self.peer.encode(layer, out);
                self.type_.encode(layer, out);
            }
        }

        impl Encode for Match {
            fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
                out.u32(Self::ID);
                self.encode_bare(layer, out);
            }
        }

        impl Match {
            /// Reads the fields, without the constructor id.
            ///
            /// # Errors
            ///
            /// See [`DecodeError`].
            pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
                Ok(Self {
                    peer: Decode::decode(input)?,
                    type_: Decode::decode(input)?,
                })
            }
        }

        impl<'a> Decode<'a> for Match {
            fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
                let position = input.position();
                match input.u32()? {
                    Self::ID => Self::decode_bare(input),
                    id => Err(DecodeError::Unexpected { id, position }),
                }
            }
        }
    }
}

/// An enum for each type that has several constructors.
pub mod enums {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// The type `Peer`.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Peer {
        /// Nobody.
        ///
        /// ```text
        /// peerNobody#869a2cda = Peer;
        /// ```
        PeerNobody,
        /// Somebody.
        ///
        /// ```text
        /// peerUser#59511722 user_id:long = Peer;
        /// ```
        PeerUser(crate::enums::types::PeerUser),
    }

    impl From<crate::enums::types::PeerUser> for Peer {
        fn from(value: crate::enums::types::PeerUser) -> Self {
            Self::PeerUser(value)
        }
    }

    impl Encode for Peer {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            match self {
                Self::PeerNobody => out.u32(0x869a2cda),
                Self::PeerUser(value) => value.encode(layer, out),
            }
        }
    }

    impl<'a> Decode<'a> for Peer {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            match input.peek_id()? {
                0x869a2cda => input.u32().map(|_| Self::PeerNobody),
                0x59511722 => Decode::decode(input).map(Self::PeerUser),
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
        0x57665865,
        0x869a2cda,
        0x59511722,
        0x6ad3db3c,
    ];

    /// Decodes the value that `bytes` are, whichever it is, and encodes it for `layer`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    #[inline]
    pub fn value(bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {
        match Cursor::new(bytes).peek_id()? {
            0x57665865 => crate::enums::types::Nothing::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x869a2cda | 0x59511722 => crate::enums::enums::Peer::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x6ad3db3c => crate::enums::types::chats::Match::from_bytes(bytes).map(|value| value.to_vec(layer)),
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
