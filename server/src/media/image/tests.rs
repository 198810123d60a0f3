//! The threads, and how failures are published.

use bytes::Bytes;
use image::{DynamicImage, ImageFormat, RgbImage};
use pictures::make;

use super::*;

/// A picture as a PNG.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let picture = DynamicImage::ImageRgb8(RgbImage::new(width, height));
    picture.write_to(&mut file, ImageFormat::Png).expect("it can be written");
    file.into_inner()
}

/// Runs with time that stands still while nothing is to be done.
#[track_caller]
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().build().expect("a runtime").block_on(future)
}

#[test]
fn makes_what_make_makes() {
    let pool = Pool::new(2, 2).expect("threads");
    let bytes = Bytes::from(png(300, 200));
    let made = block_on(pool.run(bytes.clone(), Kind::Message));
    assert_eq!(made, make(&bytes, Kind::Message, &|| false).map_err(Error::from));
    assert_eq!(
        block_on(pool.run(Bytes::new(), Kind::Message)),
        Err(pictures::Error::Unsupported.into())
    );
}

#[test]
fn more_than_there_are_places_wait() {
    let pool = Pool::new(1, 1).expect("threads");
    let bytes = Bytes::from(png(30, 20));
    block_on(async {
        let jobs = (0..20).map(|_| Box::pin(pool.run(bytes.clone(), Kind::Thumb)));
        for job in jobs.collect::<Vec<_>>() {
            assert!(job.await.is_ok());
        }
        let (one, two) = (pool.place().await, pool.place().await);
        let mut third = Box::pin(pool.place());
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(third.as_mut().poll(cx)));
        assert!(polled.await.is_pending());
        drop((one, two));
        assert!(third.await.is_ok());
    });
}

#[test]
fn errors_are_published() {
    use pictures::Error as Picture;

    for (error, expected) in [
        (Picture::Unsupported.into(), RpcError::PHOTO_EXT_INVALID),
        (Picture::Dimensions.into(), RpcError::PHOTO_INVALID_DIMENSIONS),
        (Picture::TooSmall.into(), RpcError::PHOTO_CROP_SIZE_SMALL),
        (Picture::TooLong.into(), RpcError::IMAGE_PROCESS_FAILED),
        (Picture::Broken.into(), RpcError::IMAGE_PROCESS_FAILED),
        (Picture::Overdue.into(), RpcError::IMAGE_PROCESS_FAILED),
        (Error::Busy, RpcError::flood_wait(IMAGE_RETRY_S)),
    ] {
        assert_eq!(RpcError::from(error), expected);
    }
}
