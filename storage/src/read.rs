//! Reading the rows of one owner, by key or in order.

use std::ops::{ControlFlow, RangeBounds};

use crate::engine::{Order, Snapshot, Visit};
use crate::key::{Key, KeyBuf, Prefix};
use crate::table::{Keep, Record, Space, Table};
use crate::{Error, Owner};

/// An owner's rows as bytes: what [`Read`] is made from.
pub trait Rows {
    /// Whose rows they are, and where.
    #[doc(hidden)]
    fn space(&self) -> &Space;

    /// Like [`Snapshot::get`], for a row that may be kept in memory as `keep` says.
    #[doc(hidden)]
    fn get_row(&self, key: &[u8], keep: Keep, visit: &mut dyn FnMut(&[u8])) -> Result<bool, Error>;

    /// Hands the first row of a range to `visit`, which breaks. The range is what its start is a prefix of.
    #[doc(hidden)]
    fn newest_row(
        &self,
        (start, end): (&[u8], &[u8]),
        _keep: Keep,
        visit: &mut Visit<'_>,
    ) -> Result<(), Error> {
        self.scan_rows(start, end, Order::Forward, visit)
    }

    /// Like [`Snapshot::scan`].
    #[doc(hidden)]
    fn scan_rows(
        &self,
        start: &[u8],
        end: &[u8],
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<(), Error>;
}

/// Reads the rows of one owner: [`View`] as of a snapshot, [`crate::Txn`] with what was written since.
///
/// All methods fail with [`Error::Corrupt`] if a row is not what its table holds, and with [`Error::Engine`]. Records are
/// decoded from the engine's own bytes; keys of usual size are built without allocating.
pub trait Read: Rows {
    /// Whose rows they are.
    fn owner(&self) -> &Owner {
        &self.space().owner
    }

    /// The record under `key`.
    fn get<K: Key, V: Record>(&self, table: Table<K, V>, key: &K) -> Result<Option<V>, Error> {
        let row = self.space().row(table, key);
        let mut found = None;
        let mut visit = |value: &[u8]| found = Some(table.record(self.space(), &row, value));
        self.get_row(&row, table.keep, &mut visit)?;
        found.transpose()
    }

    /// Whether there is a record under `key`. Does not decode it.
    fn contains<K: Key, V: Record>(&self, table: Table<K, V>, key: &K) -> Result<bool, Error> {
        self.get_row(&self.space().row(table, key), table.keep, &mut |_| ())
    }

    /// The first `limit` rows in `range`, from its start or from its end.
    ///
    /// The range is in the order of keys: that of `Desc(100)..` begins with 100, then comes 99.
    fn scan<K: Key, V: Record>(
        &self,
        table: Table<K, V>,
        range: impl RangeBounds<K>,
        order: Order,
        limit: usize,
    ) -> Result<Vec<(K, V)>, Error> {
        collect(self, table, self.space().range(table, &range), order, limit)
    }

    /// The first `limit` rows whose keys begin with `prefix`.
    fn scan_prefix<K: Key, V: Record>(
        &self,
        table: Table<K, V>,
        prefix: &impl Prefix<K>,
        order: Order,
        limit: usize,
    ) -> Result<Vec<(K, V)>, Error> {
        collect(self, table, self.space().prefix_range(table, prefix), order, limit)
    }

    /// The first row in `range`, from its start or from its end.
    fn first<K: Key, V: Record>(
        &self,
        table: Table<K, V>,
        range: impl RangeBounds<K>,
        order: Order,
    ) -> Result<Option<(K, V)>, Error> {
        Ok(self.scan(table, range, order, 1)?.pop())
    }

    /// The first row whose key begins with `prefix`, as `first` finds it. A writer remembers it if the table says so
    /// ([`Table::newest_kept`]).
    fn newest<K: Key, V: Record>(
        &self,
        table: Table<K, V>,
        prefix: &impl Prefix<K>,
    ) -> Result<Option<(K, V)>, Error> {
        let space = self.space();
        let (start, end) = space.prefix_range(table, prefix);
        let mut found = None;
        self.newest_row((&start, &end), table.keep, &mut |key, value| {
            let row = table.key(space, key).and_then(|k| Ok((k, table.record(space, key, value)?)));
            found = Some(row);
            ControlFlow::Break(())
        })?;
        found.transpose()
    }

    /// Hands the rows in `range` to `visit` until it breaks.
    fn visit<K: Key, V: Record>(
        &self,
        table: Table<K, V>,
        range: impl RangeBounds<K>,
        order: Order,
        mut visit: impl FnMut(K, V) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        each(self, table, &self.space().range(table, &range), order, &mut visit)
    }
}

fn collect<K: Key, V: Record>(
    rows: &(impl Rows + ?Sized),
    table: Table<K, V>,
    range: (KeyBuf, KeyBuf),
    order: Order,
    limit: usize,
) -> Result<Vec<(K, V)>, Error> {
    let mut found = Vec::new();
    if limit == 0 {
        return Ok(found);
    }
    each(rows, table, &range, order, &mut |key, record| {
        found.push((key, record));
        if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(found)
}

fn each<K: Key, V: Record>(
    rows: &(impl Rows + ?Sized),
    table: Table<K, V>,
    (start, end): &(KeyBuf, KeyBuf),
    order: Order,
    visit: &mut dyn FnMut(K, V) -> ControlFlow<()>,
) -> Result<(), Error> {
    let space = rows.space();
    let mut failure = Ok(());
    rows.scan_rows(start, end, order, &mut |key, value| {
        let row = table.key(space, key).and_then(|k| Ok((k, table.record(space, key, value)?)));
        match row {
            Ok((key, record)) => visit(key, record),
            Err(error) => {
                failure = Err(error);
                ControlFlow::Break(())
            }
        }
    })?;
    failure
}

/// The rows of one owner as of a snapshot. Reads run on it on any thread.
pub struct View<'s> {
    snapshot: &'s dyn Snapshot,
    space: Space,
}

impl<'s> View<'s> {
    /// The rows of `owner` in `snapshot`.
    pub fn new(snapshot: &'s dyn Snapshot, owner: Owner) -> Self {
        Self { snapshot, space: Space::new(owner) }
    }
}

impl Rows for View<'_> {
    fn space(&self) -> &Space {
        &self.space
    }

    fn get_row(
        &self,
        key: &[u8],
        _keep: Keep,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, Error> {
        self.snapshot.get(key, visit)
    }

    fn scan_rows(
        &self,
        start: &[u8],
        end: &[u8],
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<(), Error> {
        self.snapshot.scan(start, end, order, visit)
    }
}

impl Read for View<'_> {}
