//! The threads, and how failures are published.

use bytes::Bytes;
use image::{DynamicImage, ImageFormat, RgbImage};
use pictures::make;

use super::*;
use crate::limits::{IMAGE_PRIORITY, IMAGE_QUEUE_COUNT, IMAGE_WAIT_MAX, IMAGE_WORK_MAX};

/// A picture as a PNG.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let picture = DynamicImage::ImageRgb8(RgbImage::new(width, height));
    picture.write_to(&mut file, ImageFormat::Png).expect("it can be written");
    file.into_inner()
}

/// Bounds with so many places in the queue.
fn queue(queue_count: usize) -> Bounds {
    Bounds { queue_count, ..Bounds::SERVER }
}

/// Runs with a clock.
#[track_caller]
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().build().expect("a runtime").block_on(future)
}

#[test]
fn makes_what_make_makes() {
    let pool = Pool::new(2, queue(2)).expect("threads");
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
    let pool = Pool::new(1, queue(1)).expect("threads");
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

/// The bounds of a server are those of the limits; with short ones the same is to be seen sooner.
#[test]
fn nobody_waits_or_works_for_ever() {
    use std::time::Duration;

    let Bounds { queue_count, wait_max, work_max } = Bounds::SERVER;
    assert_eq!(
        (queue_count, wait_max, work_max),
        (IMAGE_QUEUE_COUNT, IMAGE_WAIT_MAX, IMAGE_WORK_MAX)
    );
    let soon = Bounds { wait_max: Duration::from_millis(1), ..Bounds::SERVER };
    let pool = Pool::new(1, soon).expect("threads");
    block_on(async {
        let mut places = Vec::new();
        for _ in 0..1 + IMAGE_QUEUE_COUNT {
            places.push(pool.place().await.expect("a place"));
        }
        assert!(matches!(pool.place().await, Err(Error::Busy)));
        places.pop();
        assert!(pool.place().await.is_ok());
    });
    let at_once = Bounds { work_max: Duration::ZERO, ..Bounds::SERVER };
    let pool = Pool::new(1, at_once).expect("threads");
    let made = block_on(pool.run(Bytes::from(png(3000, 2000)), Kind::Message));
    assert_eq!(made, Err(pictures::Error::Overdue.into()));
}

/// `IMAGE_PRIORITY`: as its doc tells, nice 10.
#[cfg(target_os = "linux")]
#[test]
fn the_threads_give_way() {
    let pool = Pool::new(1, Bounds::SERVER).expect("threads");
    // Once a picture is made, the thread has set its priority.
    block_on(pool.run(Bytes::from(png(30, 20)), Kind::Thumb)).expect("a picture");
    let tasks = std::fs::read_dir("/proc/self/task").expect("there are threads");
    let nices: Vec<i64> = tasks
        .filter_map(|task| {
            let stat = std::fs::read_to_string(task.ok()?.path().join("stat")).ok()?;
            let (name, fields) = stat.rsplit_once(") ")?;
            let is_own = name.ends_with("(image-0");
            // The nineteenth field of all, the first two being the number and the name.
            is_own.then(|| fields.split(' ').nth(16)?.parse().ok()).flatten()
        })
        .collect();
    assert!(!nices.is_empty() && nices.iter().all(|nice| *nice >= 10), "{nices:?}");
    const { assert!(IMAGE_PRIORITY < 48, "others have more") };
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
