//! The threads.

use bytes::Bytes;

use super::*;

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
    assert_eq!(made, make(&bytes, Kind::Message, &|| false));
    assert_eq!(block_on(pool.run(Bytes::new(), Kind::Message)), Err(Error::Unsupported));
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
fn given_up_work_ends() {
    let asked = std::cell::Cell::new(0);
    let overdue = || {
        asked.set(asked.get() + 1);
        asked.get() > 2
    };
    assert_eq!(make(&png(900, 900), Kind::Message, &overdue), Err(Error::Overdue));
    assert_eq!(asked.get(), 3);
}
