//! What must hold of files: who has them, who is counted, and what lies under which number.

use std::collections::{BTreeMap, BTreeSet};

use services::mailbox::attachment;
use services::{files, tables};
use storage::{BlobId, FileId, Order, Owner, RECORD_LAYER, Read, limits::CHORE_LIST_COUNT};
use tl::operations::functions::chores;
use tl::operations::types::chores::Page;
use tl::records::enums::Chore;
use tl::{Decode, Encode};

use super::cluster::Cluster;
use super::media::{Crowd, contents, owner};
use super::people::messages;

impl Crowd {
    /// Whether whatever was there is there as long as somebody has it, however late deliveries are.
    pub(crate) fn check_step(&mut self, cluster: &Cluster) {
        let had: BTreeSet<i64> =
            self.people.iter().flat_map(|person| holds(cluster, person.user).into_keys()).collect();
        for id in had {
            let row = cluster.view(FileId(id).into(), |view| view.get(tables::FILE, &()).unwrap());
            let Some(row) = row else {
                assert!(!self.seen_files.contains(&id), "file {id} is gone, and somebody has it");
                continue;
            };
            self.seen_files.insert(id);
            for blob in row.blobs.iter().filter_map(|blob| BlobId::from_slice(blob)) {
                let (held, there) = cluster.view(blob.into(), |view| {
                    let held = view.contains(tables::HOLDERS, &id).unwrap();
                    (held, view.contains(tables::BLOB, &()).unwrap())
                });
                let seen = self.seen_blobs.contains(&(id, blob));
                assert!(there || !seen, "{blob:?} of file {id} is gone, and somebody has it");
                if held && there {
                    self.seen_blobs.insert((id, blob));
                }
            }
        }
    }

    /// When nothing is on its way: counts are those of the rows, and each number is accounted for once.
    pub(crate) fn check_quiet(&self, cluster: &Cluster) {
        let mut holders: BTreeMap<i64, BTreeMap<i64, i32>> = BTreeMap::new();
        for person in &self.people {
            for (file, count) in holds(cluster, person.user) {
                holders.entry(file).or_default().insert(person.user, count);
            }
        }
        let mut files_of: BTreeMap<BlobId, BTreeMap<i64, i32>> = BTreeMap::new();
        for id in &self.made {
            let expected = holders.remove(id).unwrap_or_default();
            assert_eq!(counted(cluster, FileId(*id).into()), expected, "who holds file {id}");
            let row = cluster.view(FileId(*id).into(), |view| view.get(tables::FILE, &()).unwrap());
            assert_eq!(row.is_some(), !expected.is_empty(), "file {id}");
            for blob in row.iter().flat_map(|row| &row.blobs) {
                files_of.entry(BlobId::from_slice(blob).unwrap()).or_default().insert(*id, 1);
            }
        }
        assert_eq!(holders, BTreeMap::new(), "files that nobody made");

        let mut numbers: BTreeMap<i64, usize> = BTreeMap::new();
        for bytes in contents() {
            let blob = Owner::Blob(bytes.blob());
            let expected = files_of.remove(&bytes.blob()).unwrap_or_default();
            assert_eq!(counted(cluster, blob.clone()), expected, "which files hold {blob:?}");
            let (row, hashes) = cluster.view(blob.clone(), |view| {
                let row = view.get(tables::BLOB, &()).unwrap();
                (row, view.contains(tables::BLOB_HASHES, &()).unwrap())
            });
            assert_eq!((row.is_some(), hashes), (!expected.is_empty(), row.is_some()), "{blob:?}");
            row.into_iter().for_each(|row| *numbers.entry(row.data).or_default() += 1);
        }
        assert_eq!(files_of, BTreeMap::new(), "blobs that nobody stored");
        for (_, _, _, chore) in all_chores(cluster) {
            match chore {
                Chore::ChoreData(chore) => *numbers.entry(chore.data).or_default() += 1,
                Chore::ChoreObject(chore) => *numbers.entry(chore.data).or_default() += 1,
                Chore::ChoreUser(_) | Chore::ChoreKey(_) | Chore::ChorePieces(_) => {}
            }
        }
        for person in &self.people {
            let uploads = cluster.view(owner(person.user), |view| {
                view.scan(tables::UPLOADS, .., Order::Forward, usize::MAX).unwrap()
            });
            for (_, upload) in uploads {
                if upload.photo.is_none() && upload.document.is_none() {
                    *numbers.entry(upload.data).or_default() += 1;
                }
            }
        }
        for data in &self.opened {
            let count = numbers.remove(data);
            assert_eq!(count, Some(1), "what lies under {data}");
        }
        for data in &self.moved {
            assert!(numbers.remove(data).is_none_or(|count| count == 1), "what lies under {data}");
        }
        assert_eq!(numbers, BTreeMap::new(), "numbers that nobody chose");
    }

    /// Whether no row is left of all that was.
    pub(crate) fn check_empty(&self, cluster: &Cluster) {
        for person in &self.people {
            cluster.view(owner(person.user), |view| {
                let order = Order::Forward;
                assert!(view.first(tables::UPLOADS, .., order).unwrap().is_none());
                assert!(view.first(tables::UPLOAD_PARTS, .., order).unwrap().is_none());
                assert!(view.first(tables::OWN_FILES, .., order).unwrap().is_none());
                assert!(view.first(tables::EXPIRIES, .., order).unwrap().is_none());
                assert_eq!(view.get(tables::UPLOAD_TOTALS, &()).unwrap(), None);
            });
            assert_eq!(holds(cluster, person.user), BTreeMap::new());
        }
        for bytes in contents() {
            let blob = Owner::Blob(bytes.blob());
            assert!(!cluster.view(blob, |view| view.contains(tables::BLOB, &()).unwrap()));
        }
    }
}

pub(crate) fn profile(cluster: &Cluster, user: i64) -> Vec<i64> {
    let photos = cluster.view(owner(user), |view| {
        view.scan(tables::PROFILE_PHOTOS, .., Order::Forward, usize::MAX).unwrap()
    });
    photos.into_iter().map(|(_, photo)| photo.id).collect()
}

/// How often a user has each file: in messages, made lately, in the profile.
pub(crate) fn holds(cluster: &Cluster, user: i64) -> BTreeMap<i64, i32> {
    let mut holds = BTreeMap::new();
    let own_files = cluster.view(owner(user), |view| {
        view.scan(tables::OWN_FILES, .., Order::Forward, usize::MAX).unwrap()
    });
    let own_files = own_files.into_iter().map(|(_, row)| files::id(&row.file));
    let sent = messages(cluster, user).into_iter().flat_map(|message| {
        let attachment = attachment::of(&message);
        attachment.iter().flat_map(|it| attachment::file_ids(&it.media)).collect::<Vec<_>>()
    });
    let fallback = cluster.view(owner(user), |view| view.get(tables::FALLBACK_PHOTO, &()).unwrap());
    let shown = profile(cluster, user).into_iter().chain(fallback.map(|photo| photo.id));
    for file in own_files.chain(sent).chain(shown) {
        *holds.entry(file).or_default() += 1;
    }
    holds
}

/// Who holds a file, or which files hold a blob, as it is counted.
pub(crate) fn counted(cluster: &Cluster, owner: Owner) -> BTreeMap<i64, i32> {
    let rows = cluster
        .view(owner, |view| view.scan(tables::HOLDERS, .., Order::Forward, usize::MAX).unwrap());
    rows.into_iter().map(|(holder, holds)| (holder, holds.count)).collect()
}

/// All chores: list, moment, number, chore.
pub(crate) fn all_chores(cluster: &Cluster) -> Vec<(u8, i32, i64, Chore)> {
    let mut all = Vec::new();
    for list in 0..CHORE_LIST_COUNT {
        let ask = chores::List { before: i32::MAX, limit: 1000 }.to_vec(RECORD_LAYER);
        let page = cluster.read(Owner::Chores(list), &ask);
        let entries = Page::from_bytes(&page).unwrap().entries;
        assert!(entries.len() < 1000, "all fit into a page");
        all.extend(entries.into_iter().map(|entry| (list, entry.due, entry.number, entry.chore)));
    }
    all
}
