// Generated from the schema by `codegen`. Do not edit.

/// A struct for each constructor.
pub mod types {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// The newest shape of each.
    ///
    /// ```text
    /// photo#871faaa flags:# id:long caption:flags.0?string sizes:Vector<int> spoiler:flags.1?true = Photo;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Photo<'a> {
        /// `id`
        pub id: i64,
        /// `caption`
        pub caption: Option<&'a str>,
        /// `sizes`
        pub sizes: Vec<i32>,
        /// `spoiler`
        pub spoiler: bool,
    }

    impl<'a> Photo<'a> {
        /// The constructor id.
        pub const ID: u32 = 0x0871faaa;

        /// The value without anything optional.
        #[must_use]
        pub fn new(id: i64, sizes: Vec<i32>) -> Self {
            Self {
                id,
                caption: None,
                sizes,
                spoiler: false,
            }
        }
    }

    impl<'a> Photo<'a> {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            let caption = self.caption.as_ref();
            out.u32(u32::from(caption.is_some())
                | (u32::from(self.spoiler) << 1));
            self.id.encode(layer, out);
            if let Some(value) = caption {
                value.encode(layer, out);
            }
            self.sizes.encode(layer, out);
        }

        fn encode_0f463539<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(0x0f463539);
            let sizes = Some(&self.sizes);
            out.u32(u32::from(sizes.is_some()));
            self.id.encode(layer, out);
            self.caption.clone().unwrap_or("").encode(layer, out);
            if let Some(value) = sizes {
                value.encode(layer, out);
            }
        }

        fn encode_24cad615<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(0x24cad615);
            let caption = self.caption.as_ref();
            out.u32(u32::from(caption.is_some()));
            self.id.encode(layer, out);
            if let Some(value) = caption {
                value.encode(layer, out);
            }
            self.sizes.encode(layer, out);
        }
    }

    impl Encode for Photo<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            match layer.0 {
                ..=152 => self.encode_0f463539(layer, out),
                ..=158 => self.encode_24cad615(layer, out),
                _ => {
                    out.u32(Self::ID);
                    self.encode_bare(layer, out);
                }
            }
        }
    }

    impl<'a> Photo<'a> {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let flags = input.u32()?;
            Ok(Self {
                id: Decode::decode(input)?,
                caption: input.optional(flags, 0)?,
                sizes: Decode::decode(input)?,
                spoiler: flags & (1 << 1) != 0,
            })
        }
    }

    impl<'a> Photo<'a> {
        fn decode_0f463539(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let flags = input.u32()?;
            Ok(Self {
                id: Decode::decode(input)?,
                caption: Some(Decode::decode(input)?),
                sizes: input.optional(flags, 0)?.unwrap_or_default(),
                spoiler: false,
            })
        }

        fn decode_24cad615(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let flags = input.u32()?;
            let f_id = Decode::decode(input)?;
            let f_caption = input.optional(flags, 0)?;
            let _: Option<i32> = input.optional(flags, 3)?;
            Ok(Self {
                id: f_id,
                caption: f_caption,
                sizes: Decode::decode(input)?,
                spoiler: false,
            })
        }
    }

    impl<'a> Decode<'a> for Photo<'a> {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                0x0f463539 => Self::decode_0f463539(input),
                0x24cad615 => Self::decode_24cad615(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// ```text
    /// post#3833a3e3 photo:Photo target:Target = Post;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Post<'a> {
        /// `photo`
        pub photo: crate::superseded::types::Photo<'a>,
        /// `target`
        pub target: crate::superseded::enums::Target,
    }

    impl<'a> Post<'a> {
        /// The constructor id.
        pub const ID: u32 = 0x3833a3e3;

        /// The value without anything optional.
        #[must_use]
        pub fn new(photo: crate::superseded::types::Photo<'a>, target: crate::superseded::enums::Target) -> Self {
            Self {
                photo,
                target,
            }
        }
    }

    impl<'a> Post<'a> {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.photo.encode(layer, out);
            self.target.encode(layer, out);
        }
    }

    impl Encode for Post<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl<'a> Post<'a> {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            Ok(Self {
                photo: Decode::decode(input)?,
                target: Decode::decode(input)?,
            })
        }
    }

    impl<'a> Decode<'a> for Post<'a> {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// ```text
    /// reply#53f52308 flags:# to:flags.0?Target = Reply;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Reply {
        /// `to`
        pub to: Option<crate::superseded::enums::Target>,
    }

    impl Reply {
        /// The constructor id.
        pub const ID: u32 = 0x53f52308;

        /// The value without anything optional.
        #[must_use]
        pub fn new() -> Self {
            Self {
                to: None,
            }
        }
    }

    impl Reply {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            let to = self.to.as_ref().filter(|value| value.known_in(layer));
            out.u32(u32::from(to.is_some()));
            if let Some(value) = to {
                value.encode(layer, out);
            }
        }
    }

    impl Encode for Reply {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl Reply {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
            let flags = input.u32()?;
            Ok(Self {
                to: input.optional(flags, 0)?,
            })
        }
    }

    impl<'a> Decode<'a> for Reply {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// ```text
    /// targetMessage#4c48f7d4 id:int = Target;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct TargetMessage {
        /// `id`
        pub id: i32,
    }

    impl TargetMessage {
        /// The constructor id.
        pub const ID: u32 = 0x4c48f7d4;

        /// The value without anything optional.
        #[must_use]
        pub fn new(id: i32) -> Self {
            Self {
                id,
            }
        }
    }

    impl TargetMessage {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.id.encode(layer, out);
        }
    }

    impl Encode for TargetMessage {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl TargetMessage {
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

    impl<'a> Decode<'a> for TargetMessage {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// ```text
    /// targetStory#52330160 id:int = Target;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct TargetStory {
        /// `id`
        pub id: i32,
    }

    impl TargetStory {
        /// The constructor id.
        pub const ID: u32 = 0x52330160;

        /// The value without anything optional.
        #[must_use]
        pub fn new(id: i32) -> Self {
            Self {
                id,
            }
        }
    }

    impl TargetStory {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.id.encode(layer, out);
        }
    }

    impl Encode for TargetStory {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }

        fn known_in(&self, layer: Layer) -> bool {
            layer.0 >= 160
        }
    }

    impl TargetStory {
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

    impl<'a> Decode<'a> for TargetStory {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    /// ```text
    /// video#699e78a0 id:long duration:double = Video;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Video {
        /// `id`
        pub id: i64,
        /// `duration`
        pub duration: f64,
    }

    impl Video {
        /// The constructor id.
        pub const ID: u32 = 0x699e78a0;

        /// The value without anything optional.
        #[must_use]
        pub fn new(id: i64, duration: f64) -> Self {
            Self {
                id,
                duration,
            }
        }
    }

    impl Video {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.id.encode(layer, out);
            self.duration.encode(layer, out);
        }

        fn encode_25e6e07d<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(0x25e6e07d);
            self.id.encode(layer, out);
            crate::downgrade::video_duration(self, layer).encode(layer, out);
        }
    }

    impl Encode for Video {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            match layer.0 {
                ..=158 => self.encode_25e6e07d(layer, out),
                _ => {
                    out.u32(Self::ID);
                    self.encode_bare(layer, out);
                }
            }
        }
    }

    impl Video {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
            Ok(Self {
                id: Decode::decode(input)?,
                duration: Decode::decode(input)?,
            })
        }
    }

    impl<'a> Decode<'a> for Video {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                0x25e6e07d => Ok(crate::upgrade::video_25e6e07d(crate::superseded::superseded::Video25e6e07d::decode_bare(input)?)),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }
}

/// An enum for each type that has several constructors.
pub mod enums {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// The type `Target`.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Target {
        /// ```text
        /// targetMessage#4c48f7d4 id:int = Target;
        /// ```
        TargetMessage(crate::superseded::types::TargetMessage),
        /// ```text
        /// targetStory#52330160 id:int = Target;
        /// ```
        TargetStory(crate::superseded::types::TargetStory),
    }

    impl From<crate::superseded::types::TargetMessage> for Target {
        fn from(value: crate::superseded::types::TargetMessage) -> Self {
            Self::TargetMessage(value)
        }
    }

    impl From<crate::superseded::types::TargetStory> for Target {
        fn from(value: crate::superseded::types::TargetStory) -> Self {
            Self::TargetStory(value)
        }
    }

    impl Encode for Target {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            if !self.known_in(layer) {
                return crate::downgrade::target(self, layer, out);
            }
            match self {
                Self::TargetMessage(value) => value.encode(layer, out),
                Self::TargetStory(value) => value.encode(layer, out),
            }
        }

        fn known_in(&self, layer: Layer) -> bool {
            match self {
                Self::TargetStory(_) => layer.0 >= 160,
                _ => true,
            }
        }
    }

    impl<'a> Decode<'a> for Target {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            match input.peek_id()? {
                0x4c48f7d4 => Decode::decode(input).map(Self::TargetMessage),
                0x52330160 => Decode::decode(input).map(Self::TargetStory),
                id => Err(DecodeError::Unexpected { id, position: input.position() }),
            }
        }
    }
}

/// A struct for each function.
pub mod functions {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// ```text
    /// send#7727f8c photo:Photo video:Video reply:Reply = Post;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Send<'a> {
        /// `photo`
        pub photo: crate::superseded::types::Photo<'a>,
        /// `video`
        pub video: crate::superseded::types::Video,
        /// `reply`
        pub reply: crate::superseded::types::Reply,
    }

    impl<'a> Send<'a> {
        /// The constructor id.
        pub const ID: u32 = 0x07727f8c;

        /// The value without anything optional.
        #[must_use]
        pub fn new(photo: crate::superseded::types::Photo<'a>, video: crate::superseded::types::Video, reply: crate::superseded::types::Reply) -> Self {
            Self {
                photo,
                video,
                reply,
            }
        }
    }

    impl<'a> Send<'a> {
        /// Writes the fields, without the constructor id.
        pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {
            self.photo.encode(layer, out);
            self.video.encode(layer, out);
            self.reply.encode(layer, out);
        }
    }

    impl Encode for Send<'_> {
        fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {
            out.u32(Self::ID);
            self.encode_bare(layer, out);
        }
    }

    impl<'a> Send<'a> {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            Ok(Self {
                photo: Decode::decode(input)?,
                video: Decode::decode(input)?,
                reply: Decode::decode(input)?,
            })
        }
    }

    impl<'a> Decode<'a> for Send<'a> {
        fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
            let position = input.position();
            match input.u32()? {
                Self::ID => Self::decode_bare(input),
                id => Err(DecodeError::Unexpected { id, position }),
            }
        }
    }

    impl Method for Send<'_> {
        const ID: u32 = 0x07727f8c;
        const NAME: &'static str = "send";
        type Answer<'b> = crate::superseded::types::Post<'b>;
    }
}

/// Shapes of older layers that `crate::upgrade` reads.
pub mod superseded {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};

    /// Whole seconds, both ways.
    ///
    /// ```text
    /// video#25e6e07d id:long duration:int = Video;
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct Video25e6e07d {
        /// `id`
        pub id: i64,
        /// `duration`
        pub duration: i32,
    }

    impl Video25e6e07d {
        /// Reads the fields, without the constructor id.
        ///
        /// # Errors
        ///
        /// See [`DecodeError`].
        pub fn decode_bare(input: &mut Cursor<'_>) -> Result<Self, DecodeError> {
            Ok(Self {
                id: Decode::decode(input)?,
                duration: Decode::decode(input)?,
            })
        }
    }
}

/// Decoding and encoding by id, whatever the id names.
#[cfg(feature = "client")]
pub mod any {
    use crate::{Cursor, Decode, DecodeError, Encode, Layer};

    /// The ids of every function, newest and older.
    pub const REQUESTS: &[u32] = &[
        0x07727f8c,
    ];

    /// Decodes the request that `bytes` are, whichever it is, and encodes it for `layer`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    #[inline]
    pub fn request(bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {
        match Cursor::new(bytes).peek_id()? {
            0x07727f8c => crate::superseded::functions::Send::from_bytes(bytes).map(|value| value.to_vec(layer)),
            id => Err(DecodeError::Unexpected { id, position: 0 }),
        }
    }

    /// The ids of every constructor, newest and older.
    pub const VALUES: &[u32] = &[
        0x0871faaa,
        0x0f463539,
        0x24cad615,
        0x3833a3e3,
        0x53f52308,
        0x4c48f7d4,
        0x52330160,
        0x699e78a0,
        0x25e6e07d,
    ];

    /// Decodes the value that `bytes` are, whichever it is, and encodes it for `layer`.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    #[inline]
    pub fn value(bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {
        match Cursor::new(bytes).peek_id()? {
            0x0871faaa | 0x0f463539 | 0x24cad615 => crate::superseded::types::Photo::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x3833a3e3 => crate::superseded::types::Post::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x53f52308 => crate::superseded::types::Reply::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x4c48f7d4 | 0x52330160 => crate::superseded::enums::Target::from_bytes(bytes).map(|value| value.to_vec(layer)),
            0x699e78a0 | 0x25e6e07d => crate::superseded::types::Video::from_bytes(bytes).map(|value| value.to_vec(layer)),
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
            0x07727f8c => <crate::superseded::types::Post<'_>>::from_bytes(bytes).map(|value| value.to_vec(layer)),
            id => Err(DecodeError::Unexpected { id, position: 0 }),
        }
    }
}
