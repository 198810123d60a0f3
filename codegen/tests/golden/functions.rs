// Generated from the schema by `codegen`. Do not edit.

/// A struct for each constructor.
pub mod types {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// ```text
    /// answer#4f841cb3 ok:Bool = Answer;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Answer {
        /// `ok`
        pub ok: bool,
    }

    impl Answer {
        /// The constructor id.
        pub const ID: u32 = 0x4f841cb3;

        /// The value without anything optional.
        #[must_use]
        pub fn new(ok: bool) -> Self {
            Self {
                ok,
            }
        }
    }

    impl Answer {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.ok.encode(layer, out);
        }
    }

    impl Encode for Answer {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    #[cfg(feature = "client")]
    impl Answer {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
            Ok(Self {
                ok: Decode::decode(input)?,
            })
        }
    }

    #[cfg(feature = "client")]
    impl<'a> Decode<'a> for Answer {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// ```text
    /// user#338da493 id:long name:string = User;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct User<'a> {
        /// `id`
        pub id: i64,
        /// `name`
        pub name: &'a str,
    }

    impl<'a> User<'a> {
        /// The constructor id.
        pub const ID: u32 = 0x338da493;

        /// The value without anything optional.
        #[must_use]
        pub fn new(id: i64, name: &'a str) -> Self {
            Self {
                id,
                name,
            }
        }
    }

    impl<'a> User<'a> {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.id.encode(layer, out);
            self.name.encode(layer, out);
        }
    }

    impl Encode for User<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    #[cfg(feature = "client")]
    impl<'a> User<'a> {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            Ok(Self {
                id: Decode::decode(input)?,
                name: Decode::decode(input)?,
            })
        }
    }

    #[cfg(feature = "client")]
    impl<'a> Decode<'a> for User<'a> {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// ```text
    /// userEmpty#d3bc4b7a id:long = User;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct UserEmpty {
        /// `id`
        pub id: i64,
    }

    impl UserEmpty {
        /// The constructor id.
        pub const ID: u32 = 0xd3bc4b7a;

        /// The value without anything optional.
        #[must_use]
        pub fn new(id: i64) -> Self {
            Self {
                id,
            }
        }
    }

    impl UserEmpty {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.id.encode(layer, out);
        }
    }

    impl Encode for UserEmpty {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    #[cfg(feature = "client")]
    impl UserEmpty {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
            Ok(Self {
                id: Decode::decode(input)?,
            })
        }
    }

    #[cfg(feature = "client")]
    impl<'a> Decode<'a> for UserEmpty {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }
}

/// An enum for each type that has several constructors.
pub mod enums {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// The type `User`.
    #[derive(Clone, Debug, PartialEq)]
    pub enum User<'a> {
        /// ```text
        /// user#338da493 id:long name:string = User;
        /// ```
        User(crate::functions::types::User<'a>),
        /// ```text
        /// userEmpty#d3bc4b7a id:long = User;
        /// ```
        UserEmpty(crate::functions::types::UserEmpty),
    }

    impl<'a> From<crate::functions::types::User<'a>> for User<'a> {
        fn from(value: crate::functions::types::User<'a>) -> Self {
            Self::User(value)
        }
    }

    impl<'a> From<crate::functions::types::UserEmpty> for User<'a> {
        fn from(value: crate::functions::types::UserEmpty) -> Self {
            Self::UserEmpty(value)
        }
    }

    impl Encode for User<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            match self {
                Self::User(value) => value.encode(layer, out),
                Self::UserEmpty(value) => value.encode(layer, out),
            }
        }
    }

    #[cfg(feature = "client")]
    impl<'a> Decode<'a> for User<'a> {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            match input.peek_id()? {
                0x338da493 => Decode::decode(input).map(Self::User),
                0xd3bc4b7a => Decode::decode(input).map(Self::UserEmpty),
                id => Err(DecodeError::Unexpected { id, position: input.position() }),
            }
        }
    }
}

/// A struct for each function.
pub mod functions {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// Runs `query` for a layer.
    ///
    /// ```text
    /// invokeWithLayer#da9b0d0d {X:Type} layer:int query:!X = X;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct InvokeWithLayer<'a> {
        /// `layer`
        pub layer: i32,
        /// `query`
        pub query: crate::Raw<'a>,
    }

    impl<'a> InvokeWithLayer<'a> {
        /// The constructor id.
        pub const ID: u32 = 0xda9b0d0d;

        /// The value without anything optional.
        #[must_use]
        pub fn new(layer: i32, query: crate::Raw<'a>) -> Self {
            Self {
                layer,
                query,
            }
        }
    }

    #[cfg(feature = "client")]
    impl<'a> InvokeWithLayer<'a> {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.layer.encode(layer, out);
            self.query.encode(layer, out);
        }
    }

    #[cfg(feature = "client")]
    impl Encode for InvokeWithLayer<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl<'a> InvokeWithLayer<'a> {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            Ok(Self {
                layer: Decode::decode(input)?,
                query: Decode::decode(input)?,
            })
        }
    }

    impl<'a> Decode<'a> for InvokeWithLayer<'a> {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    impl Method for InvokeWithLayer<'_> {
        const ID: u32 = 0xda9b0d0d;
        const NAME: &'static str = "invokeWithLayer";
        type Answer<'b> = crate::Raw<'b>;
    }

    /// ```text
    /// ping#e670031 ping_id:long = Bool;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Ping {
        /// `ping_id`
        pub ping_id: i64,
    }

    impl Ping {
        /// The constructor id.
        pub const ID: u32 = 0x0e670031;

        /// The value without anything optional.
        #[must_use]
        pub fn new(ping_id: i64) -> Self {
            Self {
                ping_id,
            }
        }
    }

    #[cfg(feature = "client")]
    impl Ping {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.ping_id.encode(layer, out);
        }
    }

    #[cfg(feature = "client")]
    impl Encode for Ping {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl Ping {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
            Ok(Self {
                ping_id: Decode::decode(input)?,
            })
        }
    }

    impl<'a> Decode<'a> for Ping {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    impl Method for Ping {
        const ID: u32 = 0x0e670031;
        const NAME: &'static str = "ping";
        type Answer<'b> = bool;
    }

    /// The namespace `messages`.
    pub mod messages {
        use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

        /// Says something.
        ///
        /// ```text
        /// messages.sendMessage#78095ec0 flags:# silent:flags.0?true text:string = Answer;
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        pub struct SendMessage<'a> {
            /// `silent`
            pub silent: bool,
            /// `text`
            pub text: &'a str,
        }

        impl<'a> SendMessage<'a> {
            /// The constructor id.
            pub const ID: u32 = 0x78095ec0;

            /// The value without anything optional.
            #[must_use]
            pub fn new(text: &'a str) -> Self {
                Self {
                    silent: false,
                    text,
                }
            }
        }

        #[cfg(feature = "client")]
        impl<'a> SendMessage<'a> {
            /// Writes the fields, without the constructor id.
            pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
                out.u32(u32::from(self.silent));
                self.text.encode(layer, out);
            }
        }

        #[cfg(feature = "client")]
        impl Encode for SendMessage<'_> {
            fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
                out.u32(Self::ID);
                self.encode_bare(layer, out);
            }
        }

        impl<'a> SendMessage<'a> {
            /// Reads the fields, without the constructor id.
            ///
            /// # Errors
            ///
            /// See [`DecodeError`].
            pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
                let flags = input.u32()?;
                Ok(Self {
                    silent: flags & 1 != 0,
                    text: Decode::decode(input)?,
                })
            }
        }

        impl<'a> SendMessage<'a> {
            fn decode_6174674a(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
                Ok(Self {
                    text: Decode::decode(input)?,
                    silent: false,
                })
            }
        }

        impl<'a> Decode<'a> for SendMessage<'a> {
            fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
                let position = input.position();
                match input.u32()? {
                    Self::ID => Self::decode_bare(input),
                    0x6174674a => Self::decode_6174674a(input),
                    id => Err(DecodeError::Unexpected { id, position }),
                }
            }
        }

        impl Method for SendMessage<'_> {
            const ID: u32 = 0x78095ec0;
            const NAME: &'static str = "messages.sendMessage";
            type Answer<'b> = crate::functions::types::Answer;
        }
    }

    /// The namespace `users`.
    pub mod users {
        use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

        /// Asks for users.
        ///
        /// ```text
        /// users.getUsers#60f5fd2d id:Vector<long> = Vector<User>;
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        pub struct GetUsers {
            /// `id`
            pub id: Vec<i64>,
        }

        impl GetUsers {
            /// The constructor id.
            pub const ID: u32 = 0x60f5fd2d;

            /// The value without anything optional.
            #[must_use]
            pub fn new(id: Vec<i64>) -> Self {
                Self {
                    id,
                }
            }
        }

        #[cfg(feature = "client")]
        impl GetUsers {
            /// Writes the fields, without the constructor id.
            pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
                self.id.encode(layer, out);
            }
        }

        #[cfg(feature = "client")]
        impl Encode for GetUsers {
            fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
                out.u32(Self::ID);
                self.encode_bare(layer, out);
            }
        }

        impl GetUsers {
            /// Reads the fields, without the constructor id.
            ///
            /// # Errors
            ///
            /// See [`DecodeError`].
            pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
                Ok(Self {
                    id: Decode::decode(input)?,
                })
            }
        }

        impl<'a> Decode<'a> for GetUsers {
            fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
                let position = input.position();
                match input.u32()? {
                    Self::ID => Self::decode_bare(input),
                    id => Err(DecodeError::Unexpected { id, position }),
                }
            }
        }

        impl Method for GetUsers {
            const ID: u32 = 0x60f5fd2d;
            const NAME: &'static str = "users.getUsers";
            type Answer<'b> = Vec<crate::functions::enums::User<'b>>;
        }
    }
}

/// Decoding and encoding by id, whatever the id names.
#[cfg(feature = "client")]
pub mod any {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer};

    /// The ids of every function, newest and older.
    pub const REQUESTS: &[u32] = &[
        0xda9b0d0d,
        0x0e670031,
        0x78095ec0,
        0x6174674a,
        0x60f5fd2d,
    ];

    /// Decodes the request that `bytes` are, whichever it is, and encodes it for `layer`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    #[inline]
    pub fn request(bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {
        match Cursor::new(bytes).peek_id()? {
            0xda9b0d0d => crate::functions::functions::InvokeWithLayer::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x0e670031 => crate::functions::functions::Ping::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x78095ec0 | 0x6174674a => crate::functions::functions::messages::SendMessage::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x60f5fd2d => crate::functions::functions::users::GetUsers::from_bytes(bytes).map(|value| value.to_vec(layer)),
            id => Err(DecodeError::Unexpected { id, position: 0 }),
        }
    }

    /// The ids of every constructor, newest and older.
    pub const VALUES: &[u32] = &[
        0x4f841cb3,
        0x338da493,
        0xd3bc4b7a,
    ];

    /// Decodes the value that `bytes` are, whichever it is, and encodes it for `layer`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    #[inline]
    pub fn value(bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {
        match Cursor::new(bytes).peek_id()? {
            0x4f841cb3 => crate::functions::types::Answer::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x338da493 | 0xd3bc4b7a => crate::functions::enums::User::from_bytes(bytes).map(|value| value.to_vec(layer)),
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
            0xda9b0d0d => <crate::Raw<'_>>::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x0e670031 => <bool>::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x78095ec0 | 0x6174674a => <crate::functions::types::Answer>::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x60f5fd2d => <Vec<crate::functions::enums::User<'_>>>::from_bytes(bytes).map(|value| value.to_vec(layer)),
            id => Err(DecodeError::Unexpected { id, position: 0 }),
        }
    }
}
