//! The engine in memory: an ordered map whose rows keep their older versions while a snapshot may read them.
//!
//! It also plays a disk that fails: writes can be refused, power can go before or after a write reached the disk, and
//! [`Memory::restarted`] is what a restart finds then.
//!
//! A write costs one look-up a row under the write lock and copies no value; a snapshot costs one entry in a map.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering as Atomic};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::Error;

use super::{Batch, Durability, Engine, Order, Row, Snapshot, Visit};

/// What goes wrong at a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full: the write is refused, nothing changes, later ones succeed.
    Refused,
    /// The write succeeds, but an error is reported. Later ones succeed.
    Unheard,
    /// Power goes before the write reached the disk, or while it did: a restart drops the torn batch. All later writes
    /// fail.
    PowerBefore,
    /// Power goes after the write reached the disk: the batch is durable, but nobody hears of it. All later writes fail.
    PowerAfter,
}

/// An ordered map in memory. See the module's description.
#[derive(Default)]
pub struct Memory {
    state: RwLock<State>,
    reads_fail: AtomicBool,
    is_full: AtomicBool,
}

#[derive(Default)]
struct State {
    rows: BTreeMap<Box<[u8]>, Vec<Version>>,
    /// The number of the last write.
    last: u64,
    /// The last write that a loss of power does not undo.
    synced: u64,
    /// How many snapshots read as of which write.
    snapshots: BTreeMap<u64, usize>,
    /// Keys with versions that nobody needs once all snapshots and `synced` are at or beyond the given write.
    superseded: VecDeque<(u64, Row)>,
    writes: u64,
    fault: Option<(u64, Fault)>,
    without_power: bool,
}

/// What a key holds from write `since` on, until the next version.
struct Version {
    since: u64,
    row: Row,
}

impl Memory {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the `nth` write from now on (1 is the next one) meet `fault`.
    pub fn inject(&self, nth: u64, fault: Fault) {
        let mut state = self.state_mut();
        state.fault = Some((state.writes + nth, fault));
    }

    /// Whether writes can succeed.
    pub fn has_power(&self) -> bool {
        !self.state().without_power
    }

    /// How many writes were asked for.
    pub fn writes(&self) -> u64 {
        self.state().writes
    }

    /// Lets all reads fail, or no longer.
    pub fn fail_reads(&self, fail: bool) {
        self.reads_fail.store(fail, Atomic::Relaxed);
    }

    /// Lets all writes be refused for want of room, until [`Memory::make_room`].
    pub fn fill(&self) {
        self.is_full.store(true, Atomic::Relaxed);
    }

    /// Lets writes succeed again.
    pub fn make_room(&self) {
        self.is_full.store(false, Atomic::Relaxed);
    }

    /// What a restart finds after a loss of power: all that was synced, and the first `unsynced` writes after that.
    ///
    /// With `u64::MAX` it is what a restart finds after the process was killed.
    pub fn restarted(&self, unsynced: u64) -> Self {
        let state = self.state();
        let end = state.synced.saturating_add(unsynced).min(state.last);
        let rows = state.rows.iter().filter_map(|(key, versions)| {
            let row = visible(versions, end)?.clone();
            Some((key.clone(), vec![Version { since: end, row }]))
        });
        let state = State { rows: rows.collect(), last: end, synced: end, ..State::default() };
        Self { state: RwLock::new(state), ..Self::default() }
    }

    /// How many versions of rows are held, old ones and marks of deleted ones included.
    pub fn versions(&self) -> usize {
        self.state().rows.values().map(Vec::len).sum()
    }

    // A panic while the lock is held can only come from a visitor, which holds it for reading.
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for Memory {
    fn snapshot(&self) -> Box<dyn Snapshot + '_> {
        let mut state = self.state_mut();
        let at = state.last;
        *state.snapshots.entry(at).or_default() += 1;
        Box::new(MemorySnapshot { memory: self, at })
    }

    fn write(&self, batch: &Batch, durability: Durability) -> Result<(), Error> {
        let mut state = self.state_mut();
        state.writes += 1;
        if state.without_power {
            return Err(failed(NO_POWER));
        }
        if self.is_full.load(Atomic::Relaxed) {
            return Err(full());
        }
        let write = state.writes;
        match state.fault.take_if(|(nth, _)| *nth <= write) {
            None => state.apply(batch, durability),
            Some((_, Fault::Refused)) => return Err(full()),
            Some((_, Fault::Unheard)) => {
                state.apply(batch, durability);
                return Err(failed("injected"));
            }
            Some((_, Fault::PowerBefore)) => {
                state.without_power = true;
                return Err(failed(NO_POWER));
            }
            Some((_, Fault::PowerAfter)) => {
                state.apply(batch, Durability::Synced);
                state.without_power = true;
                return Err(failed(NO_POWER));
            }
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), Error> {
        let mut state = self.state_mut();
        if state.without_power {
            return Err(failed(NO_POWER));
        }
        state.synced = state.last;
        Ok(())
    }
}

const NO_POWER: &str = "power is gone (injected)";

fn full() -> Error {
    Error::DiskFull { doing: "write a batch", reason: "injected".into() }
}

fn failed(reason: &str) -> Error {
    Error::Engine { doing: "write a batch", reason: reason.into() }
}

impl State {
    fn apply(&mut self, batch: &Batch, durability: Durability) {
        self.last += 1;
        for (start, end) in &batch.cleared {
            let keys = self.rows.range::<[u8], _>(bounds(start, end)).map(|(key, _)| key.clone());
            for key in keys.collect::<Vec<_>>() {
                self.set(Row::deleted(&key));
            }
        }
        for row in &batch.rows {
            self.set(row.clone());
        }
        if durability == Durability::Synced {
            self.synced = self.last;
        }
        self.forget();
    }

    fn set(&mut self, row: Row) {
        let since = self.last;
        let Some(versions) = self.rows.get_mut(row.key()) else {
            if row.value().is_some() {
                self.rows.insert(row.key().into(), vec![Version { since, row }]);
            }
            return;
        };
        self.superseded.push_back((since, row.clone()));
        versions.retain(|version| version.since != since);
        versions.push(Version { since, row });
    }

    /// Drops the versions that neither a snapshot nor a restart can see any more.
    fn forget(&mut self) {
        let oldest = self.snapshots.keys().next().copied().unwrap_or(self.last).min(self.synced);
        while let Some((_, row)) = self.superseded.pop_front_if(|(since, _)| *since <= oldest) {
            let Some(versions) = self.rows.get_mut(row.key()) else { continue };
            let visible = versions.iter().rposition(|version| version.since <= oldest);
            versions.drain(..visible.unwrap_or(0));
            if let [version] = &versions[..]
                && version.row.value().is_none()
            {
                self.rows.remove(row.key());
            }
        }
    }
}

/// The row as of write `at`, unless there is none.
fn visible(versions: &[Version], at: u64) -> Option<&Row> {
    let version = versions.iter().rfind(|version| version.since <= at)?;
    version.row.value().map(|_| &version.row)
}

/// A range that is empty, rather than a panic, if it ends before it starts.
fn bounds<'a>(start: &'a [u8], end: &'a [u8]) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    (Bound::Included(start), Bound::Excluded(end.max(start)))
}

struct MemorySnapshot<'e> {
    memory: &'e Memory,
    at: u64,
}

impl MemorySnapshot<'_> {
    fn state(&self) -> Result<RwLockReadGuard<'_, State>, Error> {
        if self.memory.reads_fail.load(Atomic::Relaxed) {
            return Err(Error::Engine { doing: "read", reason: "injected".into() });
        }
        Ok(self.memory.state())
    }
}

impl Snapshot for MemorySnapshot<'_> {
    fn get(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
        let state = self.state()?;
        let row = state.rows.get(key).and_then(|versions| visible(versions, self.at));
        let value = row.and_then(Row::value);
        value.map(visit).map_or(Ok(false), |()| Ok(true))
    }

    fn scan(
        &self,
        start: &[u8],
        end: &[u8],
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<(), Error> {
        let state = self.state()?;
        let mut rows = state.rows.range::<[u8], _>(bounds(start, end));
        let next = || match order {
            Order::Forward => rows.next(),
            Order::Backward => rows.next_back(),
        };
        for (key, versions) in std::iter::from_fn(next) {
            if let Some(value) = visible(versions, self.at).and_then(Row::value)
                && visit(key, value).is_break()
            {
                break;
            }
        }
        Ok(())
    }
}

impl Drop for MemorySnapshot<'_> {
    fn drop(&mut self) {
        let mut state = self.memory.state_mut();
        if let Some(count) = state.snapshots.get_mut(&self.at) {
            *count -= 1;
            if *count == 0 {
                state.snapshots.remove(&self.at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::suite;

    #[test]
    fn passes_the_suite() {
        suite::run(&mut Memory::new);
    }

    fn put(key: &[u8], value: &[u8]) -> Batch {
        let row = Row::put(&[key, value].concat(), key.len());
        Batch { rows: vec![row], ..Batch::default() }
    }

    fn value(memory: &Memory, key: &[u8]) -> Option<Vec<u8>> {
        let mut found = None;
        memory.snapshot().get(key, &mut |value| found = Some(value.to_vec())).unwrap();
        found
    }

    #[test]
    fn power_loss_keeps_what_was_synced() {
        let memory = Memory::new();
        memory.write(&put(b"a", b"1"), Durability::Buffered).unwrap();
        memory.write(&put(b"b", b"1"), Durability::Synced).unwrap();
        memory.write(&put(b"a", b"2"), Durability::Buffered).unwrap();
        memory.write(&put(b"b", b"2"), Durability::Buffered).unwrap();
        for (unsynced, a, b) in [(0, b"1", b"1"), (1, b"2", b"1"), (2, b"2", b"2")] {
            let memory = memory.restarted(unsynced);
            assert_eq!(value(&memory, b"a").unwrap(), a, "{unsynced}");
            assert_eq!(value(&memory, b"b").unwrap(), b, "{unsynced}");
        }
    }

    #[test]
    fn faults() {
        for (fault, later, kept) in [
            (Fault::Refused, true, false),
            (Fault::Unheard, true, true),
            (Fault::PowerBefore, false, false),
            (Fault::PowerAfter, false, true),
        ] {
            let memory = Memory::new();
            memory.inject(2, fault);
            memory.write(&put(b"a", b""), Durability::Synced).unwrap();
            let error = memory.write(&put(b"b", b""), Durability::Synced).unwrap_err();
            assert_eq!(error.is_disk_full(), fault == Fault::Refused);
            assert_eq!(memory.has_power(), later);
            assert_eq!(memory.write(&put(b"c", b""), Durability::Synced).is_ok(), later);
            let restarted = memory.restarted(u64::MAX);
            assert!(value(&restarted, b"a").is_some(), "{fault:?}");
            assert_eq!(value(&restarted, b"b").is_some(), kept, "{fault:?}");
            assert_eq!(value(&restarted, b"c").is_some(), later, "{fault:?}");
        }
    }

    #[test]
    fn old_versions_are_dropped() {
        let memory = Memory::new();
        memory.write(&put(b"a", b"0"), Durability::Synced).unwrap();
        let snapshot = memory.snapshot();
        for _ in 0..10 {
            memory.write(&put(b"a", b"1"), Durability::Synced).unwrap();
        }
        assert!(memory.versions() > 1);
        drop(snapshot);
        memory.write(&put(b"b", b"1"), Durability::Synced).unwrap();
        assert_eq!(memory.versions(), 2);
        let deleted = Batch { rows: vec![Row::deleted(b"a")], ..Batch::default() };
        memory.write(&deleted, Durability::Synced).unwrap();
        assert_eq!(memory.versions(), 1);
    }
}
