//! Uploads, files, who holds them, where their bytes are, and what is to be done about it.

mod common;

use common::media::{Bytes, KIB, document_file, named, photo_file};
use common::{ALICE, BOB, CAROL, Cluster, START, user};
use services::limits::{MOVED_GRACE_S, OPEN_UPLOAD_COUNT_MAX, UPLOAD_LEN_MAX, UPLOAD_WAIT_S};
use services::tables;
use storage::{
    DataId, Engine as _, FileId, Order, Owner, Read as _, View, limits::CHORE_LIST_COUNT,
};
use tl::operations::enums::{Effect, Refusal};
use tl::operations::functions::{blobs, chores, files, holders, uploads};
use tl::operations::types::{FilePartMissing, FloodWait};
use tl::records::enums::{Chore, File};
use tl::records::types::{ChoreData, ChoreObject, ChoreUser, FileDocument};

/// How long uploads and own files live in these tests.
const LIFE_S: i32 = 1000;

fn open(cluster: &mut Cluster, owner: i64, file_id: i64, data: i64) -> Result<i64, Refusal> {
    let open = uploads::Open::new(file_id, data, LIFE_S);
    cluster.call(user(owner), &open).map(|opened| opened.data)
}

fn upload(cluster: &mut Cluster, owner: i64, file_id: i64, data: i64, bytes: &Bytes) {
    assert_eq!(open(cluster, owner, file_id, data), Ok(data));
    for part in 0..bytes.lens.len() {
        let hash = bytes.hash(part);
        cluster.call(user(owner), &bytes.store(file_id, data, part, &hash)).unwrap();
    }
}

fn make(
    cluster: &mut Cluster,
    owner: i64,
    file: File,
    parts: &[(i64, &Bytes)],
    used: Option<i64>,
) -> Result<(), Refusal> {
    let parts = parts.iter().map(|(file_id, bytes)| bytes.part(*file_id)).collect();
    let make = files::Make { used, ..files::Make::new(file, parts, LIFE_S) };
    cluster.call(user(owner), &make).map(drop)
}

fn view<T>(cluster: &Cluster, owner: Owner, read: impl FnOnce(&View<'_>) -> T) -> T {
    read(&View::new(&*cluster.engine.snapshot(), owner))
}

/// Who holds a file, or which files hold a blob.
fn held(cluster: &Cluster, owner: impl Into<Owner>) -> Vec<(i64, i32)> {
    let rows = view(cluster, owner.into(), |view| {
        view.scan(tables::HOLDERS, .., Order::Forward, 100).unwrap()
    });
    rows.into_iter().map(|(holder, holds)| (holder, holds.count)).collect()
}

fn file_is_there(cluster: &Cluster, id: i64) -> bool {
    view(cluster, FileId(id).into(), |view| view.contains(tables::FILE, &()).unwrap())
}

fn lies_under(cluster: &mut Cluster, bytes: &Bytes) -> Option<DataId> {
    let layout = cluster.call(bytes.blob().into(), &blobs::Get {});
    layout.ok().map(|layout| DataId(layout.blob.data))
}

/// All chores up to `before`, by when they are due.
fn chores(cluster: &mut Cluster, before: i32) -> Vec<(i32, Chore)> {
    let mut all = Vec::new();
    for list in 0..CHORE_LIST_COUNT {
        let page = cluster.call(Owner::Chores(list), &chores::List { before, limit: 1000 });
        all.extend(page.unwrap().entries.into_iter().map(|entry| (entry.due, entry.chore)));
    }
    all.sort_by_key(|(due, chore)| (*due, format!("{chore:?}")));
    all
}

/// The data that is to be removed by now.
fn garbage(cluster: &mut Cluster) -> Vec<i64> {
    let all = chores(cluster, cluster.now);
    let mut data: Vec<_> = all
        .into_iter()
        .filter_map(|(_, chore)| match chore {
            Chore::ChoreData(chore) => Some(chore.data),
            _ => None,
        })
        .collect();
    data.sort_unstable();
    data
}

fn expire(cluster: &mut Cluster, owner: i64) -> i32 {
    cluster.call(user(owner), &uploads::Expire {}).unwrap().due
}

#[test]
fn file_is_held_by_its_maker_until_its_time_is_over() {
    let mut cluster = Cluster::new();
    let bytes = Bytes::new(&[KIB, KIB, 5], 1);
    upload(&mut cluster, ALICE, 77, 1000, &bytes);
    let state = cluster.call(user(ALICE), &uploads::Get { file_id: 77 }).unwrap();
    assert_eq!((state.upload.len, state.upload.part_count, state.parts.len()), (2053, 3, 3));
    let file = document_file(5, &bytes, vec![named()]);
    assert_eq!(make(&mut cluster, ALICE, file.clone(), &[(77, &bytes)], None), Ok(()));
    let told = cluster.effects(&bytes.blob().into());
    assert!(
        matches!(&told[..], [Effect::EffectBlobStored(stored)] if stored.blob == bytes.blob().0)
    );

    assert_eq!(held(&cluster, FileId(5)), [(ALICE, 1)]);
    assert_eq!(held(&cluster, bytes.blob()), [(5, 1)]);
    let layout = cluster.call(bytes.blob().into(), &blobs::Get {}).unwrap();
    assert_eq!((layout.blob.data, layout.blob.len, layout.blob.piece_len), (1000, 2053, KIB));
    assert_eq!(layout.hashes, [bytes.hash(0), bytes.hash(1), bytes.hash(2)].concat());
    assert_eq!(cluster.call(user(ALICE), &files::Get { id: 5 }).unwrap().file, file);
    // The upload names the file, and takes no more.
    let state = cluster.call(user(ALICE), &uploads::Get { file_id: 77 }).unwrap();
    assert_eq!((state.upload.document, state.parts.len()), (Some(5), 0));
    let hash = bytes.hash(0);
    let again = bytes.store(77, 1000, 0, &hash);
    assert_eq!(cluster.call(user(ALICE), &again), Err(Refusal::FileIdInvalid));
    // The same call again changes nothing.
    assert_eq!(make(&mut cluster, ALICE, file, &[(77, &bytes)], None), Ok(()));
    assert_eq!(held(&cluster, FileId(5)), [(ALICE, 1)]);

    assert_eq!(
        chores(&mut cluster, i32::MAX),
        [(START + LIFE_S, ChoreUser { user: ALICE }.into())]
    );
    cluster.now += LIFE_S;
    assert_eq!(expire(&mut cluster, ALICE), 0);
    assert!(!file_is_there(&cluster, 5));
    assert_eq!(
        cluster.call(user(ALICE), &files::Get { id: 5 }),
        Err(Refusal::FileReferenceExpired)
    );
    assert_eq!(lies_under(&mut cluster, &bytes), None);
    assert_eq!(garbage(&mut cluster), [1000]);
    assert!(held(&cluster, FileId(5)).is_empty() && held(&cluster, bytes.blob()).is_empty());
}

#[test]
fn same_bytes_are_stored_once() {
    let mut cluster = Cluster::new();
    let bytes = Bytes::new(&[7], 1);
    for (at, owner) in [(1, ALICE), (2, BOB)] {
        upload(&mut cluster, owner, 77, at * 1000, &bytes);
        make(&mut cluster, owner, photo_file(at, &bytes), &[(77, &bytes)], None).unwrap();
        cluster.now += LIFE_S / 2;
    }
    assert_eq!(lies_under(&mut cluster, &bytes), Some(DataId(1000)));
    assert_eq!(garbage(&mut cluster), [2000]);
    assert_eq!(held(&cluster, bytes.blob()), [(1, 1), (2, 1)]);
    expire(&mut cluster, ALICE);
    assert_eq!(held(&cluster, bytes.blob()), [(2, 1)]);
    cluster.now += LIFE_S / 2;
    expire(&mut cluster, BOB);
    assert_eq!(garbage(&mut cluster), [1000, 2000]);
}

#[test]
fn document_and_preview_are_two_blobs_unless_they_are_equal() {
    let mut cluster = Cluster::new();
    let (bytes, preview) = (Bytes::new(&[KIB, 7], 1), Bytes::new(&[9], 2));
    for (id, preview) in [(1, &preview), (2, &bytes)] {
        upload(&mut cluster, ALICE, id * 10, id * 1000, &bytes);
        upload(&mut cluster, ALICE, id * 10 + 1, id * 1000 + 1, preview);
        let FileDocument { mut document } = match document_file(id, &bytes, Vec::new()) {
            File::FileDocument(file) => file,
            File::FilePhoto(_) => unreachable!(),
        };
        document.thumbs = Some(common::media::photo(0, preview).pictures);
        let parts = [(id * 10, &bytes), (id * 10 + 1, preview)];
        make(&mut cluster, ALICE, FileDocument { document }.into(), &parts, None).unwrap();
    }
    assert_eq!(held(&cluster, bytes.blob()), [(1, 1), (2, 1)]);
    assert_eq!(held(&cluster, preview.blob()), [(1, 1)]);
    cluster.now += LIFE_S;
    expire(&mut cluster, ALICE);
    assert_eq!(garbage(&mut cluster), [1000, 1001, 2000, 2001]);
}

#[test]
fn what_a_photo_was_made_from_is_not_kept() {
    let mut cluster = Cluster::new();
    let (original, sizes) = (Bytes::new(&[KIB, 7], 1), Bytes::new(&[9], 2));
    upload(&mut cluster, ALICE, 77, 1000, &original);
    upload(&mut cluster, ALICE, 78, 1001, &sizes);
    make(&mut cluster, ALICE, photo_file(5, &sizes), &[(78, &sizes)], Some(77)).unwrap();
    assert_eq!(garbage(&mut cluster), [1000]);
    let state = cluster.call(user(ALICE), &uploads::Get { file_id: 77 }).unwrap();
    assert_eq!((state.upload.photo, state.parts.len()), (Some(5), 0));
    // All of what was under way is accounted for.
    let totals = view(&cluster, user(ALICE), |view| view.get(tables::UPLOAD_TOTALS, &()).unwrap());
    assert_eq!(totals.map(|totals| (totals.count, totals.len)), Some((0, 0)));
    cluster.now += LIFE_S;
    assert_eq!(expire(&mut cluster, ALICE), 0);
    assert_eq!(garbage(&mut cluster), [1000, 1001]);
}

#[test]
fn files_are_not_made_of_less_than_all() {
    let mut cluster = Cluster::new();
    let bytes = Bytes::new(&[KIB, KIB, 7], 1);
    let file = || photo_file(5, &bytes);
    let missing = |part| Err(Refusal::from(FilePartMissing { part }));
    let store = |cluster: &mut Cluster, part, hash: [u8; 32]| {
        let total = Some(3);
        let store = uploads::Store { total, ..bytes.store(77, 1000, part, &hash) };
        cluster.call(user(ALICE), &store).unwrap();
    };
    let attempt = |cluster: &mut Cluster| make(cluster, ALICE, file(), &[(77, &bytes)], None);
    assert_eq!(attempt(&mut cluster), Err(Refusal::FileIdInvalid));
    open(&mut cluster, ALICE, 77, 1000).unwrap();
    assert_eq!(attempt(&mut cluster), missing(0));
    store(&mut cluster, 1, bytes.hash(1));
    assert_eq!(attempt(&mut cluster), missing(0));
    store(&mut cluster, 0, bytes.hash(0));
    assert_eq!(attempt(&mut cluster), missing(2));
    // The last part came before the others told where it begins.
    store(&mut cluster, 2, [0; 32]);
    assert_eq!(attempt(&mut cluster), missing(2));
    store(&mut cluster, 2, [9; 32]);
    assert_eq!(attempt(&mut cluster), Err(Refusal::MediaInvalid));
    store(&mut cluster, 2, bytes.hash(2));
    // The record must speak of these bytes, and of no others.
    let other = Bytes::new(&[5], 9);
    let parts = [(77, &bytes)];
    assert_eq!(
        make(&mut cluster, ALICE, photo_file(5, &other), &parts, None),
        Err(Refusal::MediaInvalid)
    );
    let invalid = Err(Refusal::FilePartsInvalid);
    assert_eq!(make(&mut cluster, ALICE, file(), &[(77, &bytes), (77, &bytes)], None), invalid);
    assert_eq!(make(&mut cluster, ALICE, file(), &[], None), invalid);
    assert_eq!(make(&mut cluster, BOB, file(), &parts, None), Err(Refusal::FileIdInvalid));
    assert!(!file_is_there(&cluster, 5));
    assert_eq!(attempt(&mut cluster), Ok(()));
    assert_eq!(lies_under(&mut cluster, &bytes), Some(DataId(1000)));
}

#[test]
fn what_is_under_way_is_bounded() {
    let mut cluster = Cluster::new();
    let wait = Refusal::from(FloodWait { wait_s: UPLOAD_WAIT_S });
    for file_id in 0..i64::from(OPEN_UPLOAD_COUNT_MAX) {
        assert_eq!(open(&mut cluster, ALICE, file_id, file_id + 1), Ok(file_id + 1));
    }
    assert_eq!(open(&mut cluster, ALICE, -1, 1), Err(wait.clone()));
    // One that is there is answered as it began.
    assert_eq!(open(&mut cluster, ALICE, 3, 99), Ok(4));
    assert_eq!(open(&mut cluster, BOB, -1, 1), Ok(1));

    let whole = 512 * KIB;
    cluster.rows(&user(BOB), |txn| {
        let mut totals = txn.get(tables::UPLOAD_TOTALS, &()).unwrap().unwrap();
        totals.len = UPLOAD_LEN_MAX - i64::from(whole) - 1;
        txn.put(tables::UPLOAD_TOTALS, &(), &totals);
    });
    let bytes = Bytes::new(&[whole, whole], 1);
    let store = |cluster: &mut Cluster, part| {
        let hash = bytes.hash(part);
        cluster.call(user(BOB), &bytes.store(-1, 1, part, &hash)).map(drop)
    };
    assert_eq!(store(&mut cluster, 0), Ok(()));
    assert_eq!(store(&mut cluster, 1), Err(wait));
    // The same part again is no more than it was.
    assert_eq!(store(&mut cluster, 0), Ok(()));
}

#[test]
fn parts_are_refused() {
    let mut cluster = Cluster::new();
    open(&mut cluster, ALICE, 77, 1000).unwrap();
    let hash = [1; 32];
    let mut check = |store: uploads::Store<'_>, expected: Refusal| {
        assert_eq!(cluster.call(user(ALICE), &store), Err(expected), "{store:?}");
    };
    let store = |part, len| uploads::Store::new(77, 1000, part, len, &hash, 4000);
    check(uploads::Store { data: 1001, ..store(0, KIB) }, Refusal::FileIdInvalid);
    check(uploads::Store { file_id: 78, ..store(0, KIB) }, Refusal::FileIdInvalid);
    check(store(-1, KIB), Refusal::FilePartInvalid);
    check(store(4000, KIB), Refusal::FilePartInvalid);
    check(store(0, 0), Refusal::FilePartSizeInvalid);
    check(store(0, 512 * KIB + 1), Refusal::FilePartSizeInvalid);
    check(uploads::Store { hash: &hash[1..], ..store(0, KIB) }, Refusal::FilePartSizeInvalid);
    check(uploads::Store { total: Some(0), ..store(0, KIB) }, Refusal::FilePartsInvalid);
    check(uploads::Store { total: Some(4001), ..store(0, KIB) }, Refusal::FilePartsInvalid);
    check(uploads::Store { total: Some(2), ..store(2, KIB) }, Refusal::FilePartInvalid);
    // -1 stands for a number that is not known yet; one that was told stays.
    let known = |total, part| uploads::Store { total: Some(total), ..store(part, KIB) };
    for store in [known(-1, 0), known(5, 1), known(-1, 2), known(5, 2), store(3, KIB)] {
        cluster.call(user(ALICE), &store).unwrap();
    }
    assert_eq!(cluster.call(user(ALICE), &known(6, 4)), Err(Refusal::FilePartsInvalid));
    let open = uploads::Open { total: Some(8001), ..uploads::Open::new(79, 1, LIFE_S) };
    assert_eq!(cluster.call(user(ALICE), &open), Err(Refusal::FilePartsInvalid));
}

#[test]
fn abandoned_upload_goes_some_time_after_its_last_part() {
    let mut cluster = Cluster::new();
    let bytes = Bytes::new(&[KIB, KIB, 7], 1);
    open(&mut cluster, ALICE, 77, 1000).unwrap();
    cluster.now += LIFE_S / 2;
    let hash = bytes.hash(0);
    cluster.call(user(ALICE), &bytes.store(77, 1000, 0, &hash)).unwrap();
    open(&mut cluster, ALICE, 78, 1001).unwrap();
    cluster.now += LIFE_S / 2;
    assert_eq!(expire(&mut cluster, ALICE), START + LIFE_S / 2 + LIFE_S);
    assert!(cluster.call(user(ALICE), &uploads::Get { file_id: 77 }).is_ok());
    cluster.now += LIFE_S / 2;
    assert_eq!(expire(&mut cluster, ALICE), 0);
    assert_eq!(
        cluster.call(user(ALICE), &uploads::Get { file_id: 77 }),
        Err(Refusal::FileIdInvalid)
    );
    assert_eq!(garbage(&mut cluster), [1000, 1001]);
    // Nothing is left of it, and the next one begins anew.
    let rows = view(&cluster, user(ALICE), |view| {
        (
            view.scan(tables::UPLOADS, .., Order::Forward, 9).unwrap().len(),
            view.scan(tables::UPLOAD_PARTS, .., Order::Forward, 9).unwrap().len(),
            view.scan(tables::EXPIRIES, .., Order::Forward, 9).unwrap().len(),
            view.get(tables::UPLOAD_TOTALS, &()).unwrap(),
        )
    });
    assert_eq!(rows, (0, 0, 0, None));
    upload(&mut cluster, ALICE, 77, 1002, &bytes);
    let due = cluster.now + LIFE_S;
    assert!(chores(&mut cluster, due).contains(&(due, ChoreUser { user: ALICE }.into())));
}

#[test]
fn much_that_is_over_goes_batch_by_batch() {
    let mut cluster = Cluster::new();
    for file_id in 0..250 {
        open(&mut cluster, ALICE, file_id, 1000 + file_id).unwrap();
    }
    cluster.now += LIFE_S;
    let rounds = (1..).find(|_| expire(&mut cluster, ALICE) == 0);
    assert_eq!(rounds, Some(3));
    assert_eq!(garbage(&mut cluster).len(), 250);
}

#[test]
fn blob_of_many_pieces_is_delivered_at_once() {
    let mut cluster = Cluster::new();
    let bytes = Bytes::new(&[512 * KIB; 8000], 1);
    open(&mut cluster, ALICE, 77, 1000).unwrap();
    for part in 0..8000 {
        let hash = bytes.hash(part);
        let store = uploads::Store { part_count_max: 8000, ..bytes.store(77, 1000, part, &hash) };
        cluster.call(user(ALICE), &store).unwrap();
    }
    make(&mut cluster, ALICE, document_file(5, &bytes, Vec::new()), &[(77, &bytes)], None).unwrap();
    let layout = cluster.call(bytes.blob().into(), &blobs::Get {}).unwrap();
    assert_eq!((layout.blob.len, layout.hashes.len()), (8000 * 512 * 1024, 8000 * 32));
}

#[test]
fn holds_may_come_after_their_release() {
    let mut cluster = Cluster::new();
    let bytes = Bytes::new(&[7], 1);
    let file: Owner = FileId(5).into();
    let release = |user, count| holders::Release { user, count };
    let adopt = |file, data| blobs::Adopt { file, data, len: 7, piece_len: KIB, hashes: &[1; 32] };
    // Bob got rid of it before anybody said that he has it.
    cluster.call(file.clone(), &release(BOB, 1)).unwrap();
    let blobs = vec![bytes.blob().0.to_vec()];
    cluster.call(file.clone(), &holders::Create { user: ALICE, blobs }).unwrap();
    cluster.call(file.clone(), &release(ALICE, 1)).unwrap();
    assert_eq!(held(&cluster, FileId(5)), [(BOB, -1)]);
    assert!(file_is_there(&cluster, 5), "a hold is on its way");
    cluster.call(file.clone(), &holders::Hold { users: vec![CAROL, BOB] }).unwrap();
    assert_eq!(held(&cluster, FileId(5)), [(CAROL, 1)]);
    // The file goes before its blob is known.
    cluster.call(file, &release(CAROL, 1)).unwrap();
    assert!(!file_is_there(&cluster, 5));
    assert_eq!(held(&cluster, bytes.blob()), [(5, -1)]);
    let blob: Owner = bytes.blob().into();
    cluster.call(blob.clone(), &adopt(5, 1000)).unwrap();
    assert_eq!(lies_under(&mut cluster, &bytes), None);
    assert!(held(&cluster, bytes.blob()).is_empty());
    assert_eq!(garbage(&mut cluster), [1000]);
    // The same while another file has it.
    cluster.call(blob.clone(), &adopt(6, 1001)).unwrap();
    cluster.call(blob.clone(), &blobs::Release { file: 7 }).unwrap();
    cluster.call(blob.clone(), &blobs::Release { file: 6 }).unwrap();
    assert_eq!(lies_under(&mut cluster, &bytes), Some(DataId(1001)));
    cluster.call(blob, &adopt(7, 1002)).unwrap();
    assert_eq!(lies_under(&mut cluster, &bytes), None);
    assert_eq!(garbage(&mut cluster), [1000, 1001, 1002]);
}

#[test]
fn blob_moves_between_here_and_there() {
    let mut cluster = Cluster::new();
    let bytes = Bytes::new(&[7], 1);
    let blob: Owner = bytes.blob().into();
    let relocate = |remote, from, data| blobs::Relocate { remote, from, data };
    let expired = Err(Refusal::FileReferenceExpired);
    let call = |cluster: &mut Cluster, remote, from, data| {
        cluster.call(blob.clone(), &relocate(remote, from, data)).map(drop)
    };
    assert_eq!(call(&mut cluster, true, 1000, 1001), expired);
    let adopt = blobs::Adopt { file: 5, data: 1000, len: 7, piece_len: KIB, hashes: &[1; 32] };
    cluster.call(blob.clone(), &adopt).unwrap();
    assert_eq!(call(&mut cluster, true, 999, 1001), expired);
    assert_eq!(call(&mut cluster, false, 1000, 1001), expired);
    assert_eq!(call(&mut cluster, true, 1000, 1001), Ok(()));
    assert_eq!(call(&mut cluster, true, 1000, 1001), Ok(()));
    let layout = cluster.call(blob.clone(), &blobs::Get {}).unwrap();
    assert_eq!((layout.blob.remote, layout.blob.data), (true, 1001));
    let due = cluster.now + MOVED_GRACE_S;
    assert_eq!(chores(&mut cluster, due), [(due, ChoreData { data: 1000 }.into())]);
    assert!(garbage(&mut cluster).is_empty());

    assert_eq!(call(&mut cluster, false, 1001, 1002), Ok(()));
    let object = |data| ChoreObject { blob: bytes.blob().0.to_vec(), data };
    assert!(chores(&mut cluster, due).contains(&(due, object(1001).into())));
    assert_eq!(call(&mut cluster, true, 1002, 1003), Ok(()));
    cluster.call(blob, &blobs::Release { file: 5 }).unwrap();
    assert_eq!(chores(&mut cluster, START), [(START, object(1003).into())]);
}

#[test]
fn chores_are_listed_in_their_order_until_done() {
    let mut cluster = Cluster::new();
    let list = Owner::chores(3);
    let chore = |data| Chore::from(ChoreData { data });
    for (due, number, data) in [(20, 3, 1), (10, 19, 2), (10, 3, 3), (10, 3, 3), (10, 3, 4)] {
        let add = chores::Add { due, number, chore: chore(data) };
        cluster.call(list.clone(), &add).unwrap();
    }
    let check = |cluster: &mut Cluster, before, limit, expected: &[(i32, i64, i64)]| {
        let page = cluster.call(list.clone(), &chores::List { before, limit }).unwrap();
        let found: Vec<_> =
            page.entries.into_iter().map(|entry| (entry.due, entry.number, entry.chore)).collect();
        let expected: Vec<_> =
            expected.iter().map(|(due, number, data)| (*due, *number, chore(*data))).collect();
        assert_eq!(found, expected);
    };
    // Two different ones of one moment and number are both kept, in the same list.
    check(&mut cluster, 20, 9, &[(10, 3, 3), (10, 19, 2), (10, 35, 4), (20, 3, 1)]);
    check(&mut cluster, 19, 2, &[(10, 3, 3), (10, 19, 2)]);
    check(&mut cluster, 9, 9, &[]);
    check(&mut cluster, 20, 0, &[]);
    check(&mut cluster, 20, -1, &[]);
    cluster.call(list.clone(), &chores::Done { due: 10, number: 3 }).unwrap();
    check(&mut cluster, 10, 9, &[(10, 19, 2), (10, 35, 4)]);
}
