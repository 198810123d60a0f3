//! What is found in texts, as tables.

use super::*;

/// What is found in a text, as its pieces.
fn pieces(text: &str, given: Vec<Entity>) -> Vec<(EntityKind, String)> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let piece = |entity: Entity| {
        let start = usize::try_from(entity.offset).unwrap();
        let end = start + usize::try_from(entity.length).unwrap();
        (entity.kind, String::from_utf16(&units[start..end]).unwrap())
    };
    detect(text, given).into_iter().map(piece).collect()
}

fn check(text: &str, kind: &EntityKind, expected: &[&str]) {
    let expected: Vec<_> =
        expected.iter().map(|piece| (kind.clone(), (*piece).to_owned())).collect();
    assert_eq!(pieces(text, Vec::new()), expected, "{text:?}");
}

#[test]
fn urls_are_found() {
    let cases: &[(&str, &[&str])] = &[
        ("https://example.org", &["https://example.org"]),
        ("🙂 see HTTPS://example.org/a?b=c#d.", &["HTTPS://example.org/a?b=c#d"]),
        ("(http://localhost:8080/x), and", &["http://localhost:8080/x"]),
        ("tg://resolve?domain=someone", &["tg://resolve?domain=someone"]),
        ("http://example.com，и", &["http://example.com"]),
        ("http://example.com🙂", &["http://example.com"]),
        ("https://a.org/\u{a0}b", &["https://a.org/"]),
        ("https://x.org/@name/#tag", &["https://x.org/@name/#tag"]),
        ("example.com", &["example.com"]),
        ("Example.COM.", &["Example.COM"]),
        ("see example.com, and пример.рф!", &["example.com", "пример.рф"]),
        ("example.com:443/a_(b), c", &["example.com:443/a_(b)"]),
        ("(example.com/a)", &["example.com/a"]),
        ("example.com/?q=1&r=[2].", &["example.com/?q=1&r=[2]"]),
        ("t.me/name", &["t.me/name"]),
        ("192.168.0.1:80", &["192.168.0.1:80"]),
        ("example.com: yes", &["example.com"]),
        ("🙂example.com", &["example.com"]),
        // No addresses.
        ("ssh://example.com javascript://example.com", &[]),
        ("file.txt a.b.c 1.5 3.14.15 e.g. ... .com", &[]),
        ("the end.So it begins", &[]),
        ("a_b.com -a.com a-.com a..com", &[]),
        ("/etc/example.com \\\\host\\example.com", &[]),
        ("http:// https://🙂", &[]),
    ];
    for (text, expected) in cases {
        check(text, &EntityKind::EntityUrl, expected);
    }
}

#[test]
fn emails_are_found() {
    let cases: &[(&str, &[&str])] = &[
        ("a@b.com", &["a@b.com"]),
        ("<first.last+tag@mail.example.org>.", &["first.last+tag@mail.example.org"]),
        ("mailto:a@b.com", &["a@b.com"]),
        ("почта:a@b.com，да", &["a@b.com"]),
        ("#a@b.com", &["a@b.com"]),
        ("a@b a@ @", &[]),
    ];
    for (text, expected) in cases {
        check(text, &EntityKind::EntityEmail, expected);
    }
}

#[test]
fn signs_are_found() {
    use EntityKind as Kind;

    let long = |sign: &str, count| format!("{sign}{}", "a".repeat(count));
    let cases: &[(Kind, &str, &[&str])] = &[
        (Kind::EntityMention, "@durov, @a_1 (@abc)", &["@durov", "@a_1", "@abc"]),
        (Kind::EntityMention, "🙂@name", &["@name"]),
        (Kind::EntityMention, "@ab a@name @@name @имя @nameя @", &[]),
        (Kind::EntityMention, &long("@", 33), &[]),
        (Kind::EntityHashtag, "#a #тег_1, #日本語。", &["#a", "#тег_1", "#日本語"]),
        (Kind::EntityHashtag, "#1a #tag@channel", &["#1a", "#tag@channel"]),
        (Kind::EntityHashtag, "#123 a#b ##c #d#e #", &[]),
        (Kind::EntityHashtag, &long("#", 257), &[]),
        (Kind::EntityCashtag, "$USD, $TON.", &["$USD", "$TON"]),
        (Kind::EntityCashtag, "$usd $5 $ABCDEFGHI $USD1 a$USD $A$B $", &[]),
        (
            Kind::EntityBotCommand,
            "/start (/help@some_bot) /a1",
            &["/start", "/help@some_bot", "/a1"],
        ),
        (Kind::EntityBotCommand, "/start@b", &["/start"]),
        (Kind::EntityBotCommand, "a/b //c /d/e </f> /г 1/2 and/or /", &[]),
        (Kind::EntityBotCommand, &long("/", 65), &[]),
        (Kind::EntityPhone, "+12025550123, +4479460958", &["+12025550123", "+4479460958"]),
        (Kind::EntityPhone, "+1 1+2025550123 +123456 +1234567890123456 +1234567a +0123456789", &[]),
    ];
    for (kind, text, expected) in cases {
        check(text, kind, expected);
    }
}

#[test]
fn what_was_given_comes_first() {
    use EntityKind as Kind;

    let text = "#tag 🙂 example.com";
    let tag = || (Kind::EntityHashtag, "#tag".to_owned());
    let url = || (Kind::EntityUrl, "example.com".to_owned());
    let given = |kind, at, len, piece: &str| (Entity::new(kind, at, len), piece.to_owned());
    let cases = [
        (given(Kind::EntityBold, 0, 9, "#tag 🙂 e"), vec![tag(), url()]),
        (given(Kind::EntityCode, 8, 1, "e"), vec![tag()]),
        (given(Kind::EntityPre, 0, 19, text), vec![]),
        (given(Kind::EntityTextUrl, 3, 2, "g "), vec![url()]),
        (given(Kind::EntityMentionName, 4, 4, " 🙂 "), vec![tag(), url()]),
        (given(Kind::EntityUrl, 8, 11, "example.com"), vec![tag()]),
    ];
    for ((entity, piece), found) in cases {
        let mut expected = found;
        expected.push((entity.kind.clone(), piece));
        let mut all = pieces(text, vec![entity]);
        all.sort_by_key(|(kind, piece)| (format!("{kind:?}"), piece.clone()));
        expected.sort_by_key(|(kind, piece)| (format!("{kind:?}"), piece.clone()));
        assert_eq!(all, expected);
    }
    // Those inside others are no obstacle to seeing the outer one.
    let nested = vec![Entity::new(Kind::EntityPre, 0, 19), Entity::new(Kind::EntityUrl, 1, 1)];
    assert_eq!(detect(text, nested.clone()), nested);
}

#[test]
fn spans_are_in_order_and_bounded() {
    use EntityKind as Kind;

    let bold = |at, len| Entity::new(Kind::EntityBold, at, len);
    let hashtag = Entity::new(Kind::EntityHashtag, 2, 2);
    let sorted = vec![bold(0, 5), bold(0, 1), hashtag, bold(4, 1)];
    assert_eq!(detect("a #b c", vec![bold(4, 1), bold(0, 1), bold(0, 5)]), sorted);
    assert_eq!(detect("a #b c", sorted.clone()), sorted);

    let tags = "#a ".repeat(ENTITY_COUNT_MAX + 1);
    assert_eq!(detect(&tags, Vec::new()).len(), ENTITY_COUNT_MAX);
    assert_eq!(detect(&tags, vec![bold(0, 1)]).len(), ENTITY_COUNT_MAX);
    assert_eq!(detect(&tags, vec![bold(0, 1); ENTITY_COUNT_MAX + 1]).len(), ENTITY_COUNT_MAX + 1);
    // Refused anyway.
    assert_eq!(detect(&"#a ".repeat(MESSAGE_LEN_MAX + 1), Vec::new()), []);
    for outside in [bold(-1, 2), bold(i32::MAX, i32::MAX), Entity::new(Kind::EntityCode, -5, -5)] {
        assert!(detect("a #b c", vec![outside.clone()]).contains(&outside));
    }
}

/// Were the scanners not linear, these would take minutes.
#[test]
fn texts_made_to_be_slow_are_bounded() {
    let parts = [
        "a.a:",
        "a@",
        "a.",
        "#",
        "#a",
        "@abc",
        "/a",
        "a://",
        "http://",
        "a.co/(",
        "a.co/)",
        "a@a.co",
        "-.",
        "http://a:",
        "a.co:1",
        "$A",
        "+1",
        "é.é",
        "+1234567",
        "(",
        "a@a.",
        "://",
        "'a.co",
        "a.co?a@a.a_",
    ];
    for part in parts {
        for fill in ["", " ", "é"] {
            let piece = format!("{part}{fill}");
            let text = piece.repeat(3 * MESSAGE_LEN_MAX / piece.len());
            let found = detect(&text, Vec::new());
            assert!(found.len() <= ENTITY_COUNT_MAX, "{piece:?}");
            assert!(found.is_sorted_by_key(|entity| entity.offset), "{piece:?}");
        }
    }
}
