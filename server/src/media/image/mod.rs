//! Pictures are worked on, by threads of low priority with a bounded queue.
//!
//! What becomes of one is the business of the package `pictures`; a panic of a decoder costs the picture, not the thread.

mod pool;
#[cfg(test)]
mod tests;

pub use pictures::{Kind, Made};

pub use self::pool::{Bounds, Place, Pool};
use crate::{limits::IMAGE_RETRY_S, rpc::RpcError};

/// Why a picture was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The picture.
    #[error(transparent)]
    Picture(#[from] pictures::Error),
    /// Too many pictures wait.
    #[error("too many pictures wait")]
    Busy,
}

impl From<Error> for RpcError {
    fn from(error: Error) -> Self {
        use pictures::Error as Picture;

        match error {
            Error::Picture(Picture::Unsupported) => Self::PHOTO_EXT_INVALID,
            Error::Picture(Picture::Dimensions) => Self::PHOTO_INVALID_DIMENSIONS,
            Error::Picture(Picture::TooSmall) => Self::PHOTO_CROP_SIZE_SMALL,
            Error::Picture(Picture::TooLong | Picture::Broken | Picture::Overdue) => {
                Self::IMAGE_PROCESS_FAILED
            }
            Error::Busy => Self::flood_wait(IMAGE_RETRY_S),
        }
    }
}
