//! The tests that every store of pieces passes.

use super::{PieceKey, Pieces, tree};
use crate::ids::DataId;

/// Runs all of them on an empty store.
///
/// # Panics
///
/// If one fails.
pub fn run(pieces: &dyn Pieces) {
    put_get_delete(pieces);
}

fn put_get_delete(pieces: &dyn Pieces) {
    let bytes = vec![7_u8; 3000];
    let hash = tree::piece(0, &bytes).expect("a piece");
    let first = PieceKey::new(DataId(-5), 0, &hash);
    let second = PieceKey::new(DataId(-5), 1, &hash);
    let other = PieceKey::new(DataId(9), 0, &hash);
    assert_eq!(pieces.get(&first).expect("readable"), None);
    for key in [&first, &second, &other] {
        pieces.put(key, &bytes).expect("writable");
        assert_eq!(pieces.get(key).expect("readable").as_deref(), Some(&*bytes));
    }
    assert_eq!(pieces.keys(&first, 10).expect("readable"), [first, second, other]);
    assert_eq!(pieces.keys(&second, 1).expect("readable"), [second]);
    pieces.delete_piece(&first).expect("writable");
    assert_eq!(pieces.keys(&first, 10).expect("readable"), [second, other]);
    pieces.delete(DataId(-5)).expect("writable");
    pieces.delete(DataId(-5)).expect("writable");
    assert_eq!(pieces.keys(&first, 10).expect("readable"), [other]);
    pieces.delete(DataId(9)).expect("writable");
}
