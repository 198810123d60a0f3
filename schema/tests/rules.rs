//! The rules written by hand, both ways: what older clients send becomes what they meant, and what they are sent says what it can.

use tl::{
    Decode, Encode, Layer, Sink as _,
    api::{enums, functions, types},
};

/// What `bytes` of an old shape decode into.
#[track_caller]
fn check_old<'a, T: Decode<'a> + Encode + PartialEq + core::fmt::Debug>(
    bytes: &'a [u8],
    expected: T,
) {
    assert_eq!(T::from_bytes(bytes), Ok(expected));
}

/// What a value is written as for `layer`.
#[track_caller]
fn check_sent(value: &impl Encode, layer: u16, expected: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = Vec::new();
    expected(&mut bytes);
    assert_eq!(value.to_vec(Layer(layer)), bytes, "layer {layer}");
}

fn int(out: &mut Vec<u8>, value: i32) {
    out.put(&value.to_le_bytes());
}

#[test]
fn replies_were_numbers() {
    let old = |flags: u32, ids: &[i32]| {
        let mut bytes = Vec::new();
        bytes.u32(0x1cc2_0387);
        bytes.u32(flags);
        bytes.u32(types_ids::INPUT_PEER_SELF);
        ids.iter().for_each(|id| int(&mut bytes, *id));
        bytes.bytes(b"hi");
        bytes.put(&(-7_i64).to_le_bytes());
        bytes
    };
    let new =
        |reply: Option<types::InputReplyToMessage<'static>>| functions::messages::SendMessage {
            reply_to: reply.map(Into::into),
            ..functions::messages::SendMessage::new(enums::InputPeer::InputPeerSelf, "hi", -7)
        };
    let reply = types::InputReplyToMessage::new;
    let topic = types::InputReplyToMessage { top_msg_id: Some(9), ..reply(8) };
    check_old(&old(0, &[]), new(None));
    check_old(&old(1, &[8]), new(Some(reply(8))));
    check_old(&old(1 | 1 << 9, &[8, 9]), new(Some(topic)));
    let topic = types::InputReplyToMessage { top_msg_id: Some(9), ..reply(9) };
    check_old(&old(1 << 9, &[9]), new(Some(topic)));
}

/// Ids of constructors without fields, which have no struct.
mod types_ids {
    pub(super) const INPUT_PEER_SELF: u32 = 0x7da0_7ec9;
}

#[test]
fn videos_had_whole_seconds() {
    let old = |duration: i32| {
        let mut bytes = Vec::new();
        bytes.u32(0x0ef0_2ce6);
        bytes.u32(1);
        [duration, 3, 4].iter().for_each(|value| int(&mut bytes, *value));
        bytes
    };
    let new = |duration| types::DocumentAttributeVideo {
        round_message: true,
        ..types::DocumentAttributeVideo::new(duration, 3, 4)
    };
    check_old(&old(7), new(7.0));
    for (duration, expected) in
        [(7.0, 7), (7.1, 8), (0.0, 0), (-1.0, 0), (1e12, i32::MAX), (f64::NAN, 0)]
    {
        check_sent(&new(duration), 152, |out| out.put(&old(expected)));
        check_sent(&new(duration), 158, |out| out.put(&old(expected)));
    }
}

#[test]
fn privacy_had_an_optional_bool() {
    let old = |value: Option<bool>| {
        let mut bytes = Vec::new();
        bytes.u32(0xbea2_f424);
        bytes.u32(u32::from(value.is_some()));
        if let Some(value) = value {
            value.encode(Layer::NEWEST, &mut bytes);
        }
        bytes
    };
    let new = |archive_and_mute_new_noncontact_peers| types::GlobalPrivacySettings {
        archive_and_mute_new_noncontact_peers,
        ..types::GlobalPrivacySettings::new()
    };
    check_old(&old(None), new(false));
    for value in [false, true] {
        check_old(&old(Some(value)), new(value));
        check_sent(&new(value), 158, |out| out.put(&old(Some(value))));
    }
}

#[test]
fn inline_buttons_were_buttons() {
    let button = |out: &mut Vec<u8>| {
        out.u32(0x48a3_0254);
        out.vector(1);
        out.u32(0x7760_8b83);
        out.vector(1);
        out.u32(0xa2fa_4880);
        out.bytes(b"press");
    };
    let mut old = Vec::new();
    button(&mut old);
    let disabled = enums::InlineButtonType::InlineButtonTypeDisabled;
    let new = types::ReplyInlineMarkup::new(vec![types::KeyboardInlineButtonRow::new(vec![
        types::KeyboardInlineButton::new("press", disabled),
    ])]);
    check_old(&old, new.clone());
    check_sent(&new, 152, button);
}

#[test]
fn parts_that_a_layer_lacks_are_left_out() {
    let entities: Vec<enums::MessageEntity<'_>> = vec![
        types::MessageEntityBold::new(0, 1).into(),
        types::MessageEntityFormattedDate::new(1, 2, 3).into(),
    ];
    check_sent(&entities, 158, |out| {
        out.vector(1);
        entities[0].encode(Layer::NEWEST, out);
    });
}

#[test]
fn settings_were_json() {
    let config = types::JsonObject::new(Vec::new());
    let answer =
        enums::help::AppConfig::from(types::help::AppConfig::new(5, config.clone().into()));
    check_sent(&answer, 152, |out| config.encode(Layer::NEWEST, out));
    check_sent(&enums::help::AppConfig::AppConfigNotModified, 152, |out| {
        config.encode(Layer::NEWEST, out);
    });
}
