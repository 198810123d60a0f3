//! What a document is: from what clients say of their uploads, and to what all clients are told.
//!
//! Clients are not believed: whatever they say goes to other people's clients, some of which take it as it is. So lengths and
//! numbers are bounded here, what contradicts itself goes, and there is one attribute of a kind.

use core::mem::discriminant;

use tl::{
    api::{enums, types},
    records::{enums::Attribute, types as records},
};

use crate::limits::{
    ATTRIBUTE_COUNT_MAX, ATTRIBUTE_TEXT_LEN_MAX, CODEC_LEN_MAX, MIME_TYPE_LEN_MAX,
    MOVING_STICKER_LEN_MAX, STICKER_ALT_LEN_MAX, STICKER_LEN_MAX, STICKER_SIDE_MAX,
    WAVEFORM_LEN_MAX,
};

/// The type of what is no known kind of file.
pub const MIME_TYPE_ANY: &str = "application/octet-stream";
/// The type of stickers that are packed drawings.
const MIME_TYPE_MOVING_STICKER: &str = "application/x-tgsticker";
/// The type of what was spoken, if its client does not say what kind of sound it is.
const MIME_TYPE_VOICE: &str = "audio/ogg";

/// A document as a client describes it.
#[derive(Clone, Copy, Debug)]
pub struct Described<'a> {
    /// The attributes as they came.
    pub attributes: &'a [enums::DocumentAttribute<'a>],
    /// The name of the upload, should no attribute have one.
    pub name: &'a str,
    /// The kind of file.
    pub mime_type: &'a str,
    /// The file is a file and nothing else, whatever is in it.
    pub force_file: bool,
}

/// A description that can be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// The kind of file: a type and a subtype.
    pub mime_type: String,
    /// At most one of each kind.
    pub attributes: Vec<Attribute>,
    /// The file is a file and nothing else, whatever is in it.
    pub force_file: bool,
}

impl Description {
    /// Whether it is worth while to look into the file: it is called a picture.
    #[must_use]
    pub fn is_picture(&self) -> bool {
        self.mime_type.starts_with("image/")
    }

    /// Whether clients show it as a sticker, without a preview.
    #[must_use]
    pub fn is_sticker(&self) -> bool {
        self.attributes.iter().any(|it| matches!(it, Attribute::AttributeSticker(_)))
    }

    /// Adds what was seen of a picture of `len` bytes: its width and height in pixels, and what it is by that.
    ///
    /// A GIF plays; a WebP of at most [`STICKER_SIDE_MAX`] is a sticker, as clients rely on that do not say so.
    pub fn add_seen(&mut self, len: u64, width: i32, height: i32) {
        self.attributes.retain(|it| !matches!(it, Attribute::AttributeImageSize(_)));
        self.attributes.push(records::AttributeImageSize::new(width, height).into());
        if self.force_file || self.attributes.iter().any(is_more_than_a_file) {
            return;
        }
        let is_small = width.max(height) <= STICKER_SIDE_MAX && len <= STICKER_LEN_MAX;
        match &*self.mime_type {
            "image/gif" => self.attributes.push(Attribute::AttributeAnimated),
            "image/webp" if is_small => {
                self.attributes.push(records::AttributeSticker::new(String::new()).into());
            }
            _ => {}
        }
    }

    /// Whether a file of `len` bytes is called a sticker that moves: pyrogram does not say that it is a sticker, kurigram not of
    /// which size.
    #[must_use]
    pub fn may_move(&self, len: u64) -> bool {
        self.mime_type == MIME_TYPE_MOVING_STICKER
            && len <= MOVING_STICKER_LEN_MAX
            && !self.force_file
            && (self.is_sticker() || !self.attributes.iter().any(is_more_than_a_file))
    }

    /// Adds that the file is a sticker that moves: all of them have one size.
    pub fn add_moving_sticker(&mut self) {
        self.attributes.retain(|it| !matches!(it, Attribute::AttributeImageSize(_)));
        let side = STICKER_SIDE_MAX;
        self.attributes.push(records::AttributeImageSize::new(side, side).into());
        if !self.is_sticker() {
            self.attributes.push(records::AttributeSticker::new(String::new()).into());
        }
    }
}

/// Takes over of a client's description what can be believed.
#[must_use]
pub fn from_tl(given: &Described<'_>) -> Description {
    let mut mime_type = mime_type(given.mime_type);
    let mut attributes: Vec<Attribute> = Vec::new();
    for attribute in given.attributes.iter().take(ATTRIBUTE_COUNT_MAX) {
        let Some(attribute) = attribute_from_tl(attribute) else { continue };
        if given.force_file && is_more_than_a_file(&attribute) {
            continue;
        }
        let kind = discriminant(&attribute);
        if attributes.iter().all(|known| discriminant(known) != kind) {
            attributes.push(attribute);
        }
    }
    // GramJS calls round videos voice notes as well. What is to be seen is a video, unless it says that it is sound alone.
    let is_sound = mime_type.starts_with("audio/");
    if attributes.iter().any(|it| matches!(it, Attribute::AttributeVideo(_))) {
        attributes.retain(|it| match it {
            Attribute::AttributeVideo(_) => !is_sound,
            Attribute::AttributeAudio(_) => is_sound,
            _ => true,
        });
    }
    let kind = Kind::of(&attributes);
    if kind.voice && !mime_type.starts_with("audio/") {
        mime_type = MIME_TYPE_VOICE.to_owned();
    }
    if !(mime_type.starts_with("video/") || mime_type == "image/gif") {
        attributes.retain(|attribute| !matches!(attribute, Attribute::AttributeAnimated));
    }
    let is_named = attributes.iter().any(|it| matches!(it, Attribute::AttributeFilename(_)));
    if !is_named && !kind.voice && !kind.round {
        attributes.extend(file_name(given.name));
    }
    Description { mime_type, attributes, force_file: given.force_file }
}

/// What messages say of a document beside its attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// A video, be it a round one; no animation.
    pub video: bool,
    /// A round video.
    pub round: bool,
    /// A voice note.
    pub voice: bool,
}

impl Kind {
    /// What these attributes make of a document.
    #[must_use]
    pub fn of(attributes: &[Attribute]) -> Self {
        let animated = attributes.iter().any(|it| matches!(it, Attribute::AttributeAnimated));
        attributes.iter().fold(Self::default(), |kind, attribute| match attribute {
            Attribute::AttributeVideo(video) => {
                Self { video: !animated, round: video.round, ..kind }
            }
            Attribute::AttributeAudio(audio) => Self { voice: audio.voice, ..kind },
            _ => kind,
        })
    }
}

/// Attributes for clients.
#[must_use]
pub fn to_tl(attributes: &[Attribute]) -> Vec<enums::DocumentAttribute<'_>> {
    attributes.iter().map(attribute_to_tl).collect()
}

/// The type and subtype of a file, in small letters and without parameters; [`MIME_TYPE_ANY`] for what is none.
#[must_use]
pub fn mime_type(given: &str) -> String {
    let named = given.split(';').next().unwrap_or_default().trim();
    let is_token = |token: &str| {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        !token.is_empty() && token.bytes().all(legal)
    };
    match named.split_once('/') {
        Some((kind, subtype))
            if named.len() <= MIME_TYPE_LEN_MAX && is_token(kind) && is_token(subtype) =>
        {
            named.to_ascii_lowercase()
        }
        _ => MIME_TYPE_ANY.to_owned(),
    }
}

/// Attributes that make clients show a file as something else.
fn is_more_than_a_file(attribute: &Attribute) -> bool {
    match attribute {
        Attribute::AttributeAnimated
        | Attribute::AttributeVideo(_)
        | Attribute::AttributeAudio(_)
        | Attribute::AttributeSticker(_) => true,
        Attribute::AttributeImageSize(_)
        | Attribute::AttributeFilename(_)
        | Attribute::AttributeHasStickers => false,
    }
}

fn attribute_from_tl(attribute: &enums::DocumentAttribute<'_>) -> Option<Attribute> {
    Some(match attribute {
        enums::DocumentAttribute::DocumentAttributeImageSize(size) => {
            records::AttributeImageSize::new(size.w.max(0), size.h.max(0)).into()
        }
        enums::DocumentAttribute::DocumentAttributeAnimated => Attribute::AttributeAnimated,
        enums::DocumentAttribute::DocumentAttributeHasStickers => Attribute::AttributeHasStickers,
        enums::DocumentAttribute::DocumentAttributeVideo(video) => records::AttributeVideo {
            round: video.round_message,
            supports_streaming: video.supports_streaming,
            nosound: video.nosound,
            preload_len: video.preload_prefix_size.filter(|len| *len > 0),
            start_ts: video.video_start_ts.filter(|at| at.is_finite() && *at >= 0.0),
            codec: video.video_codec.map(|codec| cut(codec, CODEC_LEN_MAX).to_owned()),
            ..records::AttributeVideo::new(seconds(video.duration), video.w.max(0), video.h.max(0))
        }
        .into(),
        enums::DocumentAttribute::DocumentAttributeAudio(audio) => {
            let text =
                |text: Option<&str>| text.map(|text| cut(text, ATTRIBUTE_TEXT_LEN_MAX).to_owned());
            let waveform = audio.waveform.map(|wave| wave.get(..WAVEFORM_LEN_MAX).unwrap_or(wave));
            records::AttributeAudio {
                voice: audio.voice,
                title: text(audio.title),
                performer: text(audio.performer),
                waveform: waveform.map(<[u8]>::to_vec),
                ..records::AttributeAudio::new(audio.duration.max(0))
            }
            .into()
        }
        enums::DocumentAttribute::DocumentAttributeFilename(name) => {
            return file_name(name.file_name);
        }
        enums::DocumentAttribute::DocumentAttributeSticker(sticker) => records::AttributeSticker {
            mask: sticker.mask,
            ..records::AttributeSticker::new(cut(sticker.alt, STICKER_ALT_LEN_MAX).to_owned())
        }
        .into(),
        // One belongs to a set, and there are none.
        enums::DocumentAttribute::DocumentAttributeCustomEmoji(_) => return None,
    })
}

fn attribute_to_tl(attribute: &Attribute) -> enums::DocumentAttribute<'_> {
    match attribute {
        Attribute::AttributeImageSize(size) => {
            types::DocumentAttributeImageSize::new(size.width, size.height).into()
        }
        Attribute::AttributeAnimated => enums::DocumentAttribute::DocumentAttributeAnimated,
        Attribute::AttributeHasStickers => enums::DocumentAttribute::DocumentAttributeHasStickers,
        Attribute::AttributeVideo(video) => types::DocumentAttributeVideo {
            round_message: video.round,
            supports_streaming: video.supports_streaming,
            nosound: video.nosound,
            preload_prefix_size: video.preload_len,
            video_start_ts: video.start_ts,
            video_codec: video.codec.as_deref(),
            ..types::DocumentAttributeVideo::new(video.duration, video.width, video.height)
        }
        .into(),
        Attribute::AttributeAudio(audio) => types::DocumentAttributeAudio {
            voice: audio.voice,
            title: audio.title.as_deref(),
            performer: audio.performer.as_deref(),
            waveform: audio.waveform.as_deref(),
            ..types::DocumentAttributeAudio::new(audio.duration)
        }
        .into(),
        Attribute::AttributeFilename(name) => {
            types::DocumentAttributeFilename::new(&name.name).into()
        }
        Attribute::AttributeSticker(sticker) => types::DocumentAttributeSticker {
            mask: sticker.mask,
            ..types::DocumentAttributeSticker::new(
                &sticker.alt,
                enums::InputStickerSet::InputStickerSetEmpty,
            )
        }
        .into(),
    }
}

/// The last part of a path, without characters that are not shown: those that turn the direction of what follows make
/// `exe.txt` of `txt.exe`.
fn file_name(path: &str) -> Option<Attribute> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_turn = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let name: String = name.chars().filter(|c| !c.is_control() && !is_turn(*c)).collect();
    let name = cut(name.trim(), ATTRIBUTE_TEXT_LEN_MAX);
    (!name.is_empty()).then(|| records::AttributeFilename::new(name.to_owned()).into())
}

/// A duration that clients can show.
fn seconds(duration: f64) -> f64 {
    if duration.is_finite() { duration.clamp(0.0, f64::from(i32::MAX)) } else { 0.0 }
}

/// The beginning of a text, of at most `len_max` bytes.
fn cut(text: &str, len_max: usize) -> &str {
    let mut end = text.len().min(len_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    use types::{
        DocumentAttributeAudio as Audio, DocumentAttributeFilename as Filename,
        DocumentAttributeImageSize as ImageSize, DocumentAttributeVideo as Video,
    };

    fn described<'a>(
        mime_type: &'a str,
        attributes: &'a [enums::DocumentAttribute<'a>],
    ) -> Described<'a> {
        Described { attributes, name: "", mime_type, force_file: false }
    }

    #[track_caller]
    fn check(given: &Described<'_>, mime_type: &str, expected: &[Attribute]) {
        let description = from_tl(given);
        assert_eq!(description.attributes, expected, "{given:?}");
        assert_eq!(description.mime_type, mime_type, "{given:?}");
    }

    #[test]
    fn types_are_checked() {
        let long = format!("application/{}", "x".repeat(MIME_TYPE_LEN_MAX));
        let cases = [
            ("image/PNG", "image/png"),
            ("text/html; charset=utf-8", "text/html"),
            ("application/vnd.api+json", "application/vnd.api+json"),
            ("", MIME_TYPE_ANY),
            ("video", MIME_TYPE_ANY),
            ("a/b/c", MIME_TYPE_ANY),
            ("a /b", MIME_TYPE_ANY),
            ("image/\u{e9}", MIME_TYPE_ANY),
            (&long, MIME_TYPE_ANY),
        ];
        for (given, expected) in cases {
            assert_eq!(mime_type(given), expected, "{given}");
        }
    }

    #[test]
    fn names_are_those_of_files() {
        let long = "é".repeat(200);
        let cases = [
            ("a.txt", Some("a.txt")),
            ("/etc/passwd", Some("passwd")),
            ("C:\\Users\\me\\a b.doc", Some("a b.doc")),
            ("two\nlines\0", Some("twolines")),
            ("a\u{202e}txt.exe\u{2066}", Some("atxt.exe")),
            ("folder/", None),
            (" ", None),
            (&long, Some(&long[..254])),
        ];
        for (given, expected) in cases {
            let expected = expected.map(|it| records::AttributeFilename::new(it.to_owned()).into());
            assert_eq!(file_name(given), expected, "{given}");
            let plain = Described { name: given, ..described("text/plain", &[]) };
            check(&plain, "text/plain", expected.as_slice());
        }
    }

    #[test]
    fn numbers_are_those_of_pictures_and_sounds() {
        let video = [Video {
            preload_prefix_size: Some(-5),
            video_start_ts: Some(f64::NAN),
            ..Video::new(f64::INFINITY, -1, 7)
        }
        .into()];
        let expected = records::AttributeVideo::new(0.0, 0, 7);
        check(&described("video/mp4", &video), "video/mp4", &[expected.into()]);
        let wave = [7; 2 * WAVEFORM_LEN_MAX];
        let audio = [Audio { waveform: Some(&wave), voice: true, ..Audio::new(-3) }.into()];
        let expected = records::AttributeAudio {
            voice: true,
            waveform: Some(wave[..WAVEFORM_LEN_MAX].to_vec()),
            ..records::AttributeAudio::new(0)
        };
        check(&described("application/ogg", &audio), MIME_TYPE_VOICE, &[expected.into()]);
    }

    #[test]
    fn texts_are_cut() {
        let long = "x".repeat(2 * ATTRIBUTE_TEXT_LEN_MAX);
        let set = enums::InputStickerSet::InputStickerSetEmpty;
        let given = [
            Video { video_codec: Some(&long), ..Video::new(1.0, 1, 1) }.into(),
            Audio { title: Some(&long), performer: Some(&long), ..Audio::new(1) }.into(),
            types::DocumentAttributeSticker::new(&long, set).into(),
        ];
        let kept = |len_max: usize| long[..len_max].to_owned();
        let text = || Some(kept(ATTRIBUTE_TEXT_LEN_MAX));
        let codec = Some(kept(CODEC_LEN_MAX));
        let expected: [Attribute; 3] = [
            records::AttributeVideo { codec, ..records::AttributeVideo::new(1.0, 1, 1) }.into(),
            records::AttributeAudio {
                title: text(),
                performer: text(),
                ..records::AttributeAudio::new(1)
            }
            .into(),
            records::AttributeSticker::new(kept(STICKER_ALT_LEN_MAX)).into(),
        ];
        let converted = given.iter().map(|given| attribute_from_tl(given).unwrap());
        assert_eq!(converted.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn there_is_one_of_a_kind_and_no_contradiction() {
        let twice = [
            ImageSize::new(1, 2).into(),
            ImageSize::new(3, 4).into(),
            enums::DocumentAttribute::DocumentAttributeAnimated,
        ];
        let size = || Attribute::from(records::AttributeImageSize::new(1, 2));
        check(&described("image/png", &twice), "image/png", &[size()]);
        let gif = [size(), Attribute::AttributeAnimated];
        check(&described("image/gif", &twice), "image/gif", &gif);
        let many = vec![Filename::new("a").into(); 10 * ATTRIBUTE_COUNT_MAX];
        let name = records::AttributeFilename::new("a".to_owned());
        check(&described("text/plain", &many), "text/plain", &[name.into()]);
        let forced = [Video::new(1.0, 1, 2).into(), ImageSize::new(1, 2).into()];
        let forced = Described { force_file: true, ..described("video/mp4", &forced) };
        check(&forced, "video/mp4", &[size()]);
    }

    /// A round video that is called a voice note, too, remains one.
    #[test]
    fn what_is_seen_is_no_sound() {
        let voice = Audio { voice: true, ..Audio::new(0) };
        let round = Video { round_message: true, ..Video::new(1.0, 2, 2) };
        let both = [round.into(), voice.into()];
        let video =
            records::AttributeVideo { round: true, ..records::AttributeVideo::new(1.0, 2, 2) };
        check(&described("video/mp4", &both), "video/mp4", &[video.into()]);
        let audio = records::AttributeAudio { voice: true, ..records::AttributeAudio::new(0) };
        check(&described("audio/ogg", &both), "audio/ogg", &[audio.into()]);
    }

    #[test]
    fn pictures_are_what_is_seen() {
        let size = |width, height| Attribute::from(records::AttributeImageSize::new(width, height));
        let sticker = || Attribute::from(records::AttributeSticker::new(String::new()));
        let (side, len) = (STICKER_SIDE_MAX, STICKER_LEN_MAX);
        for (mime_type, len, (width, height), more) in [
            ("image/jpeg", 1, (30, 20), None),
            ("image/gif", 1, (30, 20), Some(Attribute::AttributeAnimated)),
            ("image/webp", len, (side, 20), Some(sticker())),
            ("image/webp", 1, (20, side), Some(sticker())),
            ("image/webp", len + 1, (side, side), None),
            ("image/webp", 1, (side + 1, 20), None),
            ("image/webp", 1, (20, side + 1), None),
        ] {
            for force_file in [false, true] {
                let claimed = [ImageSize::new(1, 2).into()];
                let given = Described { force_file, ..described(mime_type, &claimed) };
                let mut seen = from_tl(&given);
                assert!(seen.is_picture());
                seen.add_seen(len, width, height);
                let more = more.clone().filter(|_| !force_file);
                let expected: Vec<_> = [size(width, height)].into_iter().chain(more).collect();
                assert_eq!(seen.attributes, expected, "{mime_type} {force_file}");
            }
        }
        // Who says what it is knows better.
        let set = enums::InputStickerSet::InputStickerSetEmpty;
        let named = [types::DocumentAttributeSticker::new("a", set).into()];
        let mut seen = from_tl(&described("image/webp", &named));
        seen.add_seen(1, 30, 20);
        let named = records::AttributeSticker::new("a".to_owned());
        assert_eq!(seen.attributes, [named.into(), size(30, 20)]);
        assert!(!from_tl(&described("text/plain", &[])).is_picture());
    }

    /// What becomes sound because it was spoken does not play by itself.
    #[test]
    fn voice_notes_are_not_animated() {
        let voice = Audio { voice: true, ..Audio::new(1) };
        let attributes =
            [enums::DocumentAttribute::DocumentAttributeAnimated, voice.clone().into()];
        let expected = records::AttributeAudio { voice: true, ..records::AttributeAudio::new(1) };
        check(&described("video/mp4", &attributes), "audio/ogg", &[expected.into()]);
    }

    #[test]
    fn kinds_follow_from_attributes() {
        let video =
            |round| records::AttributeVideo { round, ..records::AttributeVideo::new(1.0, 2, 3) };
        let voice = records::AttributeAudio { voice: true, ..records::AttributeAudio::new(1) };
        let kind = |video, round, voice| Kind { video, round, voice };
        let cases: [(Vec<Attribute>, Kind); 5] = [
            (vec![], kind(false, false, false)),
            (vec![video(false).into()], kind(true, false, false)),
            (vec![video(true).into()], kind(true, true, false)),
            (vec![video(false).into(), Attribute::AttributeAnimated], kind(false, false, false)),
            (vec![voice.into()], kind(false, false, true)),
        ];
        for (attributes, expected) in cases {
            assert_eq!(Kind::of(&attributes), expected, "{attributes:?}");
        }
    }

    #[test]
    fn what_is_kept_is_told() {
        let seen = Video { nosound: true, ..Video::new(1.5, 2, 3) };
        let heard = Audio { title: Some("title"), waveform: Some(b"wave"), ..Audio::new(4) };
        for (mime_type, first) in [("video/mp4", seen.into()), ("audio/mpeg", heard.into())] {
            let given = [
                first,
                Filename::new("name").into(),
                enums::DocumentAttribute::DocumentAttributeHasStickers,
            ];
            let kept = from_tl(&described(mime_type, &given));
            assert_eq!(to_tl(&kept.attributes), given);
        }
    }
}
