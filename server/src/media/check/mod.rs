//! Looks at everything: whether all bytes are there and right, whether what is counted is what there is, and whether
//! something is left that nobody needs.
//!
//! | module | what it compares |
//! |---|---|
//! | `contents` | the bytes of every blob with its hashes |
//! | `references` | messages, photos and files with the counts of their holders |
//! | `orphans` | what the stores hold with the rows that name it |
//!
//! It runs while the server does. Rows are read as of one moment, together with the deliveries that were on their way at
//! that moment: what they will do is added to what the rows say, so that nothing seems wrong that is only under way. The
//! stores are listed before that moment: whatever lies in them was named by a row before it was written, and what no row names
//! any more will never be named again.

mod contents;
mod orphans;
mod references;

use std::ops::ControlFlow;

use storage::{Delivery, Outbox, Owner, OwnerKind, Read, Snapshot, View, owners};

use super::depot::{Depot, Error};
use crate::{admin::report::Report, limits, stop::Stop};

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Blobs.
    pub(crate) blobs: u64,
    /// Their bytes.
    pub(crate) len: u64,
    /// Files.
    pub(crate) files: u64,
    /// What holds files: messages, photos of profiles, files made lately.
    pub(crate) references: u64,
    /// What lies in the stores and belongs to nothing.
    pub(crate) orphans: u64,
    /// How much of that was removed.
    pub(crate) removed: u64,
}

/// Looks at everything and tells what is wrong; with `repair`, removes what belongs to nothing. Blocks.
///
/// # Errors
///
/// The rows or the stores cannot be read at all.
pub(crate) fn run(
    depot: &Depot,
    repair: bool,
    report: &Report,
    stop: &Stop,
) -> Result<Checked, Error> {
    let work = Work { depot, report, stop };
    let listed = orphans::list(&work)?;
    let snapshot = depot.engine.snapshot();
    let snapshot = &*snapshot;
    let pending = pending(depot, snapshot)?;
    let mut checked = Checked::default();
    orphans::check(&work, snapshot, &pending, listed, repair, &mut checked)?;
    references::check(&work, snapshot, &pending, &mut checked)?;
    contents::check(&work, snapshot, repair, &mut checked)?;
    Ok(checked)
}

/// What all parts of a check work with.
struct Work<'a> {
    depot: &'a Depot,
    report: &'a Report,
    stop: &'a Stop,
}

impl Work<'_> {
    /// Fails once nobody wants the check any more.
    fn go_on(&self) -> Result<(), Error> {
        if self.report.is_unwanted() || self.stop.is_set() { Err(Error::Stopped) } else { Ok(()) }
    }

    /// Hands the rows of each owner of a kind to `visit`.
    fn each(
        &self,
        snapshot: &dyn Snapshot,
        kind: OwnerKind,
        mut visit: impl FnMut(&View<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut last: Option<Owner> = None;
        loop {
            let page = owners(snapshot, kind, last.as_ref(), limits::OWNER_PAGE_COUNT)?;
            for owner in &page {
                self.go_on()?;
                visit(&View::new(snapshot, owner.clone()))?;
            }
            if page.len() < limits::OWNER_PAGE_COUNT {
                return Ok(());
            }
            last = page.last().cloned();
        }
    }
}

/// Hands each row of a table to `visit`, which may fail.
fn rows<K: storage::Key, V: storage::Record>(
    view: &View<'_>,
    table: storage::Table<K, V>,
    mut visit: impl FnMut(K, V),
) -> Result<(), Error> {
    view.visit(table, .., storage::Order::Forward, |key, row| {
        visit(key, row);
        ControlFlow::Continue(())
    })?;
    Ok(())
}

/// The deliveries that were on their way.
fn pending(depot: &Depot, snapshot: &dyn Snapshot) -> Result<Vec<Delivery>, Error> {
    let mut outboxes = Vec::new();
    for partition in depot.partitions.iter() {
        outboxes.push(Outbox::load(snapshot, partition, depot.partitions)?);
    }
    let mut found = Vec::new();
    for outbox in &outboxes {
        for (to, _) in outbox.waiting() {
            let mut after =
                outboxes.get(usize::from(to.0)).map_or(0, |o| o.received(outbox.partition()));
            loop {
                let limit = limits::DELIVERIES_IN_FLIGHT_MAX;
                let page = outbox.pending(snapshot, to, after, limit)?;
                let is_last = page.len() < limit;
                after = page.last().map_or(after, |delivery| delivery.number);
                found.extend(page);
                if is_last {
                    break;
                }
            }
        }
    }
    Ok(found)
}
