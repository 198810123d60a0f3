//! The whole TL language, as the published schemas use it: every layer file that lies beside the checkout parses, and
//! every id is the CRC32 of its line but for the exceptions that are known by name.

use std::path::{Path, PathBuf};

use codegen::parse;

/// Definitions whose ids were made from another text than the line that is published.
const EXCEPTIONS: &[&str] = &[
    "inputPeerPhotoFileLocationLegacy",
    "inputStickerSetThumbLegacy",
    "msg_container",
    "accessPointRule",
    "help.configSimple",
    "ipPortSecret",
    "decryptedMessageMediaDocument",
];

fn reference() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/tl");
    folder.is_dir().then_some(folder)
}

fn schemas(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = [folder.to_owned(), folder.join("extra")]
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "tl"))
        .collect();
    files.sort();
    files
}

#[test]
fn published_schemas_parse_and_their_ids_are_right() {
    let Some(folder) = reference() else {
        eprintln!("no published schemas beside the checkout: nothing to compare with");
        return;
    };
    let files = schemas(&folder);
    assert!(files.iter().filter(|file| file.to_string_lossy().contains("layer-")).count() >= 26);
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let definitions = parse::parse_unchecked(&name, &text).unwrap_or_else(|e| panic!("{e}"));
        assert!(definitions.len() > 50, "{name}: {} definitions", definitions.len());
        for definition in definitions {
            // `decryptedMessage8` and its kin carry the id of the name without the digits.
            let secret_layer = name == "secret.tl"
                && definition.name.ident.ends_with(|c: char| c.is_ascii_digit());
            let excepted = EXCEPTIONS.contains(&definition.name.to_string().as_str());
            if !excepted && !secret_layer {
                parse::check_id(&definition).unwrap_or_else(|e| panic!("{e}"));
            }
        }
    }
}
