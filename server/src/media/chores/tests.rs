//! How many chores are done at once, and when those are that cannot be.

use services::limits::{EXPIRE_BATCH, UNUSED_KEY_LIFETIME_S};
use tl::{
    operations::functions::{keys, uploads::Open},
    records::types::{ChoreData, ChoreObject},
};

use super::{super::stage::Stage, *};
use crate::limits::{
    CHORE_BATCH_COUNT, CHORE_BATCHES_PER_SWEEP, CHORE_RETRY_S, EXPIRE_BATCH_COUNT_MAX,
};

/// `CHORE_BATCH_COUNT`, `CHORE_BATCHES_PER_SWEEP`: so many of one list are done in a sweep, the others in the next.
#[tokio::test]
async fn a_sweep_leaves_what_is_too_much() {
    let stage = Stage::new();
    let most = CHORE_BATCHES_PER_SWEEP * CHORE_BATCH_COUNT as usize;
    let now = stage.depot.now();
    let mut adding = tokio::task::JoinSet::new();
    for number in 0..=most as i64 {
        let depot = Arc::clone(&stage.depot);
        // All on one list, and one on another.
        let number = number * i64::from(CHORE_LIST_COUNT) + i64::from(number == 0);
        let listed = Listed { due: now, number };
        adding.spawn(async move {
            depot.add_numbered(listed, ChoreData { data: number }.into()).await.expect("added");
        });
    }
    adding.join_all().await;
    let one_more = Listed { due: now, number: -i64::from(CHORE_LIST_COUNT) };
    stage.depot.add_numbered(one_more, ChoreData { data: 1 }.into()).await.expect("added");
    assert_eq!(stage.chores(now), most + 2);
    sweep(&stage.depot, now, &stage.stop).await;
    assert_eq!(stage.chores(now), 1);
    sweep(&stage.depot, now, &stage.stop).await;
    assert_eq!(stage.chores(now), 0);
}

/// `CHORE_RETRY_S`: a chore that fails is on its list for then, and is done then; so is one that must wait for a move.
#[tokio::test]
async fn what_fails_is_done_later() {
    let stage = Stage::new();
    let now = stage.depot.now();
    let again = now + CHORE_RETRY_S;
    let moving = stage.depot.begin_move();
    for (data, must_wait) in [(DataId(5), false), (moving.data(), true)] {
        let chore = ChoreObject { blob: vec![1; 32], data: data.0 };
        stage.depot.add_chore(now, chore.into()).await.expect("added");
        stage.remote.fail(u64::from(!must_wait));
        sweep(&stage.depot, now, &stage.stop).await;
        assert_eq!(stage.chores(again - 1), 0);
        assert_eq!(stage.chores(again), 1);
        // Before that, nobody asks for it.
        let before = stage.remote.requests();
        sweep(&stage.depot, again - 1, &stage.stop).await;
        assert_eq!(stage.remote.requests(), before);
        if must_wait {
            break;
        }
        sweep(&stage.depot, again, &stage.stop).await;
        assert_eq!(stage.remote.requests(), before + 1);
        assert_eq!(stage.chores(i32::MAX), 0);
    }
    drop(moving);
    sweep(&stage.depot, again, &stage.stop).await;
    assert_eq!(stage.chores(i32::MAX), 0);
}

/// `EXPIRE_BATCH_COUNT_MAX`, in small: what is left of a user's is due a second later.
#[tokio::test]
async fn a_user_has_only_so_many_batches() {
    const { assert!(EXPIRE_BATCH_COUNT_MAX > 2) };
    let stage = Stage::new();
    let user = UserId(1_000_000_001);
    for file_id in 0..=2 * EXPIRE_BATCH as i64 {
        let open = Open { big: false, file_id, data: file_id, total: None, lifetime_s: 1 };
        let owner = Owner::User(user);
        stage.depot.router.call(&owner, Origin::default(), &open).await.expect("it is open");
    }
    stage.depot.clock.advance(Duration::from_secs(10));
    let soon = Next::At(stage.depot.now() + 1);
    assert_eq!(expire(&stage.depot, user, 2).await.expect("writable"), soon);
    assert_eq!(expire(&stage.depot, user, 1).await.expect("writable"), Next::Nothing);
}

/// A key that nobody has logged in with goes when its time is over; one that somebody has stays.
#[tokio::test]
async fn keys_of_use_to_nobody_go() {
    let stage = Stage::new();
    let router = &stage.depot.router;
    let owner = |id| Owner::AuthKey(AuthKeyId(id));
    let is_there = |id| router.read_now(&owner(id), &keys::Get {}).is_ok();
    for id in [1, 2] {
        let create = keys::Create { key: &[7; 256], salt: 5, expires_in: None };
        router.call(&owner(id), Origin::default(), &create).await.expect("it is new");
    }
    let login = keys::Login { user_id: 1_000_000_001 };
    router.call(&owner(2), Origin::default(), &login).await.expect("it is permanent");
    let due = stage.depot.now() + UNUSED_KEY_LIFETIME_S;
    sweep(&stage.depot, due - 1, &stage.stop).await;
    assert!(is_there(1) && stage.chores(due) == 2, "too early");
    stage.depot.clock.advance(Duration::from_secs(UNUSED_KEY_LIFETIME_S as u64));
    sweep(&stage.depot, due, &stage.stop).await;
    assert!(!is_there(1) && is_there(2));
    assert_eq!(stage.chores(i32::MAX), 0, "no more is to be done");
}
