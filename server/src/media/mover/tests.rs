//! How many blobs move at once, and what becomes of those that cannot.
//!
//! On paused time: it goes on when everything waits for it, so that what is waited for is known to the moment.

use storage::Fault;
use tokio::time::Instant;

use super::{super::stage::Stage, *};
use crate::{
    admin::report::Report,
    limits::{
        MOVE_AGAIN, MOVE_FAILURE_COUNT_MAX, MOVE_INTENT_S, MOVE_PAUSE, MOVE_PAUSE_MAX,
        MOVE_QUEUE_COUNT, MOVES_AT_ONCE, OWNER_PAGE_COUNT, REMOTE_RUN_LEN,
    },
    media::{chores, stage::until},
};

/// `MOVE_QUEUE_COUNT`: what does not fit is not kept, but it is known that something was missed.
#[test]
fn arrivals_are_bounded() {
    let arrivals = Arrivals::default();
    for _ in 0..MOVE_QUEUE_COUNT {
        arrivals.push(BlobId([1; 32]));
    }
    assert!(!arrivals.missed.load(Ordering::Acquire));
    arrivals.push(BlobId([2; 32]));
    assert_eq!(arrivals.len(), MOVE_QUEUE_COUNT);
    assert!(arrivals.missed.load(Ordering::Acquire));
}

/// How long the pauses of one blob are, one after another.
fn pauses() -> Vec<std::time::Duration> {
    let pauses = std::iter::successors(Some(MOVE_PAUSE), |pause| Some(2 * *pause));
    pauses.take_while(|pause| *pause <= MOVE_PAUSE_MAX).collect()
}

/// `MOVE_PAUSE`, `MOVE_PAUSE_MAX`: a blob is tried again after pauses that double, and put aside when the next would be too long.
#[tokio::test(start_paused = true)]
async fn a_blob_that_fails_is_put_aside() {
    let stage = Stage::new();
    let blob = stage.blob(1, 1000).await;
    stage.remote.fail(u64::MAX);
    let begun = Instant::now();
    assert!(!carry_with_patience(&stage.depot, blob, &stage.stop).await);
    assert_eq!(begun.elapsed(), pauses().iter().sum());
    assert_eq!(stage.remote.requests(), pauses().len() as u64 + 1);
    assert!(!stage.is_there(blob));
    // The store is back before the last try.
    stage.remote.fail(pauses().len() as u64);
    let begun = Instant::now();
    assert!(carry_with_patience(&stage.depot, blob, &stage.stop).await);
    assert_eq!(begun.elapsed(), pauses().iter().sum());
    assert!(stage.is_there(blob));
}

/// `MOVE_AGAIN`: so long after a blob was put aside it is found and carried.
#[tokio::test(start_paused = true)]
async fn what_was_put_aside_is_looked_at_again() {
    let stage = Arc::new(Stage::new());
    let blob = stage.blob(1, 1000).await;
    stage.remote.fail(pauses().len() as u64 + 1);
    let begun = Instant::now();
    let arrivals = Arc::new(Arrivals::default());
    let mover = tokio::spawn(run(Arc::clone(&stage.depot), arrivals, stage.stop.clone()));
    let looks = Arc::clone(&stage);
    until(move || looks.is_there(blob)).await;
    assert_eq!(begun.elapsed(), pauses().iter().sum::<std::time::Duration>() + MOVE_AGAIN);
    stage.stopper.stop();
    mover.await.expect("it ends");
}

/// `MOVES_AT_ONCE`: further blobs wait, and are carried; in a migration as well.
#[tokio::test]
async fn few_blobs_move_at_once() {
    let stage = Arc::new(Stage::new());
    let mut blobs = Vec::new();
    for number in 0..3 * MOVES_AT_ONCE as u8 {
        blobs.push(stage.blob(number, 1000).await);
    }
    for by_hand in [false, true] {
        let place = if by_hand { Place::Here } else { Place::There };
        stage.remote.hold(true);
        let (depot, stop) = (Arc::clone(&stage.depot), stage.stop.clone());
        let mover = tokio::spawn(async move {
            if by_hand {
                let (report, _listener) = Report::new();
                migrate(&depot, place, &report, &stop).await.expect("all goes well");
            } else {
                run(depot, Arc::default(), stop).await;
            }
        });
        let looks = Arc::clone(&stage);
        until(move || looks.remote.held() >= MOVES_AT_ONCE).await;
        stage.remote.hold(false);
        let (looks, all) = (Arc::clone(&stage), blobs.clone());
        until(move || all.iter().all(|blob| looks.is_there(*blob) != by_hand)).await;
        assert_eq!(stage.remote.held_most(), MOVES_AT_ONCE, "{place:?}");
        if by_hand {
            mover.await.expect("it ends");
        } else {
            mover.abort();
        }
    }
}

/// What a migration finds, and whether it came to its end.
async fn migration(stage: &Stage) -> (usize, Result<u64, Error>) {
    let (report, _listener) = Report::new();
    let done = migrate(&stage.depot, Place::There, &report, &stage.stop).await;
    (report.found(), done.map(|done| done.moved))
}

/// `MOVE_FAILURE_COUNT_MAX`: a migration ends when so many moves in a row failed; one less, and it tells of them and goes on.
#[tokio::test]
async fn a_migration_ends_when_nothing_can_be_moved() {
    let most = MOVE_FAILURE_COUNT_MAX as usize;
    // Each with a store of its own: what was under way at the end of a migration may fail still.
    for (failing, told) in [(2 * most, most - 1), (most - 1, most - 1), (0, 0)] {
        let stage = Stage::new();
        for number in 0..2 * most {
            stage.blob(number as u8, 1000).await;
        }
        stage.remote.fail(failing as u64);
        let (found, done) = migration(&stage).await;
        assert_eq!(found, told, "{failing}: {done:?}");
        match done {
            Ok(moved) => assert_eq!(moved as usize, 2 * most - failing),
            Err(error) => {
                assert!(failing >= most && matches!(error, Error::Storage(_)), "{error:?}");
            }
        }
    }
}

/// Blobs that are damaged do not end a migration, however many there are, nor do they count with one that fails after them.
#[tokio::test]
async fn a_migration_goes_on_behind_damaged_blobs() {
    let damaged = MOVE_FAILURE_COUNT_MAX as usize + MOVES_AT_ONCE;
    let stage = Stage::new();
    for number in 0..damaged as u8 + 2 {
        stage.blob(number, 1000).await;
    }
    let mut scan = Scan::default();
    for _ in 0..damaged {
        let blob = scan.next(&stage.depot).await.expect("readable").expect("there are more");
        let layout = stage.depot.layout(blob).expect("readable").expect("there is one");
        stage.depot.pieces.delete(DataId(layout.blob.data)).expect("writable");
    }
    stage.remote.fail(1);
    let (found, done) = migration(&stage).await;
    assert!(found == damaged + 1 && matches!(done, Ok(1)), "{found} {done:?}");
}

/// `MOVE_INTENT_S`: what a move brought that nobody heard of is removed after that time, and not before.
#[tokio::test]
async fn what_a_move_left_is_removed_later() {
    let stage = Stage::new();
    let blob = stage.blob(1, 1000).await;
    // The intent is written, that the blob lies there now is not.
    stage.memory.inject(2, Fault::Refused);
    carry(&stage.depot, blob, Place::There, &stage.stop).await.expect_err("the disk is full");
    let count = async || {
        let remote = Arc::clone(&stage.remote);
        block(move || Ok(remote.list(blob.0[0])?.len())).await.expect("listed")
    };
    let due = stage.depot.now() + MOVE_INTENT_S;
    for (before, left) in [(due - 1, 1), (due, 0)] {
        assert_eq!(stage.chores(before), usize::from(before == due));
        chores::sweep(&stage.depot, before, &stage.stop).await;
        assert_eq!(count().await, left, "{} s later", before - stage.depot.now());
    }
    assert_eq!(stage.chores(i32::MAX), 0);
}

/// `REMOTE_RUN_LEN`: so much is asked of the remote store at once, and the last request is about the rest.
#[tokio::test]
async fn long_blobs_are_read_in_runs() {
    let stage = Stage::new();
    for (number, (len, runs)) in
        [(REMOTE_RUN_LEN, 1), (REMOTE_RUN_LEN + 1, 2), (2 * REMOTE_RUN_LEN + 1, 3)]
            .into_iter()
            .enumerate()
    {
        let blob = stage.blob(number as u8, len as usize).await;
        let moves = async |place| {
            let moved = carry(&stage.depot, blob, place, &stage.stop).await;
            assert_eq!(moved.expect("it moves"), Some(len));
        };
        moves(Place::There).await;
        let before = stage.remote.requests();
        moves(Place::Here).await;
        assert_eq!(stage.remote.requests() - before, runs, "{len}");
    }
}

/// `OWNER_PAGE_COUNT`: each blob is met once, and counted, wherever pages end.
#[tokio::test]
async fn scans_go_from_page_to_page() {
    let stage = Stage::new();
    let mut blobs = std::collections::BTreeSet::new();
    for count in
        [OWNER_PAGE_COUNT - 1, OWNER_PAGE_COUNT, OWNER_PAGE_COUNT + 1, 2 * OWNER_PAGE_COUNT]
    {
        while blobs.len() < count {
            let mut id = [7; 32];
            id[..8].copy_from_slice(&(blobs.len() as u64).to_be_bytes());
            stage.adopt(BlobId(id), DataId(1), 10, &[7; 32]).await;
            blobs.insert(BlobId(id));
        }
        let (mut scan, mut met) = (Scan::default(), Vec::new());
        while let Some(blob) = scan.next(&stage.depot).await.expect("readable") {
            met.push(blob);
        }
        assert_eq!(met.len(), count);
        assert_eq!(met.into_iter().collect::<std::collections::BTreeSet<_>>(), blobs);
        let counted = super::count(&stage.depot).expect("readable");
        assert_eq!((counted.here, counted.here_len), (count as u64, 10 * count as u64));
    }
}
