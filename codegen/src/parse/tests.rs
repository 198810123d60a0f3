//! Every form of TL, ids, and what errors say.

use super::*;

#[track_caller]
fn check_error(text: &str, expected: &str) {
    let error = parse("test.tl", text).unwrap_err().to_string();
    assert_eq!(error, expected);
}

#[test]
fn every_form_of_the_language() {
    let text = "
// A vector.
//
// Source: somewhere.
// @since 5  @rule a b
vector#1cb5c415 {t:Type} # [ t ] = Vector t;

// Not part of the next comment.

int128 4*[ int ] = Int128;
user flags:# self:flags.10?true flags2:# id:long names:flags2.3?Vector<string> = User;
---functions---
invokeWithLayer#da9b0d0d {X:Type} layer:int query:!X = X;
";
    let definitions = parse_unchecked("test.tl", text).unwrap();
    let [vector, int128, user, invoke] = definitions.as_slice() else { panic!("{definitions:#?}") };
    assert_eq!(vector.docs, ["A vector.", "", "Source: somewhere."]);
    assert_eq!(vector.annotation("since"), Some("5"));
    assert_eq!(vector.annotation("rule"), Some("a b"));
    assert_eq!(vector.line, 6);
    assert_eq!(vector.result.to_string(), "Vector<t>");
    assert_eq!(int128.docs, [""; 0]);
    assert_eq!(int128.fields[0].repetition.as_deref(), Some("4*[ int ]"));
    assert_eq!(user.fields[1].condition, Some(Condition { flags: "flags".into(), bit: 10 }));
    assert_eq!(user.fields[4].ty.to_string(), "Vector<string>");
    assert_eq!(invoke.kind, Kind::Function);
    assert_eq!(invoke.generics, ["X"]);
    assert!(invoke.fields[1].ty.bang);
}

#[test]
fn ids_are_the_crc32_of_the_line() {
    parse("t", "boolTrue#997275b5 = Bool;").unwrap();
    parse("t", "user#b1b8cc84 = User;").unwrap_err();
    parse("t", "// @id-of boolTrue = Bool\nother#997275b5 = Bool;").unwrap();
    check_error(
        "\nboolTrue#1 = Bool;",
        "test.tl:2:1: the id of `boolTrue` is 1, but the CRC32 of its line is 997275b5",
    );
}

#[test]
fn errors_say_where_and_what_was_expected() {
    check_error("user#xyz = User;", "test.tl:1:9: id `xyz` is no 32-bit hexadecimal");
    check_error("user id:long\n= User", "test.tl:2:7: expected `;`, found the end of the file");
    check_error("user id = User;", "test.tl:1:9: expected `:` and a type, found `=`");
    check_error(
        "user a:flags.32?true = User;",
        "test.tl:1:17: `flags.32?`: expected `flags.N?` with N from 0 to 31",
    );
    check_error("user a:Vector<int = User;", "test.tl:1:19: expected `>`, found `=`");
    check_error("---things---\n", "test.tl:1:13: unknown section ---things---");
    let deep = format!("user a:{}int{} = User;", "Vector<".repeat(40), ">".repeat(40));
    assert!(parse("t", &deep).unwrap_err().message.contains("nested deeper"));
}
