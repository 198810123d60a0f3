//! What the fuzz targets do with their bytes, a file a package, so that plain tests replay the corpora through the same
//! code.
//!
//! A body is a function from bytes to nothing that panics when something does not hold. The tests include its file by
//! path: it uses the package under test and what that one depends on.

pub mod convert;
pub mod image;
pub mod mtproto;
pub mod operations;
pub mod session;
pub mod tl;
pub mod transport;
pub mod wrappers;
