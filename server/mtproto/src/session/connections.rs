//! The connections that serve a session at the moment: first those that may be anybody's, then those that have brought something
//! new, each oldest first.
//!
//! A recorded packet opens on any connection. It is answered there, if at all; what is for nobody in particular goes to who has
//! shown to have the key by a message that was not known.

use core::time::Duration;

use crate::limits::{CONNECTION_COUNT_MAX, DISCONNECT_DELAY_S_MAX};
use crate::time::UnixTime;

/// A connection: a number that its owner chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

#[derive(Debug)]
struct Connection {
    id: ConnId,
    writable: bool,
    /// Whether it has brought something new.
    proven: bool,
    /// When `ping_delay_disconnect` ends it.
    close_at: Option<UnixTime>,
}

/// All of a session.
#[derive(Debug, Default)]
pub(super) struct Connections(Vec<Connection>);

impl Connections {
    /// Adds one; answers the one that had to go for it.
    pub(super) fn add(&mut self, id: ConnId) -> Option<ConnId> {
        if self.contains(id) {
            return None;
        }
        // One that may be anybody's, if there is such a one.
        let oldest = (self.0.len() >= CONNECTION_COUNT_MAX).then(|| self.0.remove(0).id);
        if self.0.is_empty() {
            // Hardly any session has more than one.
            self.0.reserve_exact(1);
        }
        let at = self.0.partition_point(|connection| !connection.proven);
        self.0.insert(at, Connection { id, writable: true, proven: false, close_at: None });
        oldest
    }

    /// A connection has brought something new.
    pub(super) fn prove(&mut self, id: ConnId) {
        let unproven = self.0.iter().position(|it| it.id == id && !it.proven);
        if let Some(at) = unproven {
            let connection = self.0.remove(at);
            self.0.push(Connection { proven: true, ..connection });
        }
    }

    /// Whether one has brought something new.
    pub(super) fn any_proven(&self) -> bool {
        self.0.last().is_some_and(|connection| connection.proven)
    }

    pub(super) fn remove(&mut self, id: ConnId) -> bool {
        let before = self.0.len();
        self.0.retain(|connection| connection.id != id);
        self.0.len() < before
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, id: ConnId) -> bool {
        self.0.iter().any(|connection| connection.id == id)
    }

    pub(super) fn latest(&self) -> Option<ConnId> {
        self.0.last().map(|connection| connection.id)
    }

    /// Latest first.
    pub(super) fn ids(&self) -> impl Iterator<Item = ConnId> {
        self.0.iter().rev().map(|connection| connection.id)
    }

    /// Those that can take a packet, latest first.
    pub(super) fn writable(&self) -> impl Iterator<Item = ConnId> {
        self.0.iter().rev().filter(|connection| connection.writable).map(|connection| connection.id)
    }

    /// The latest one that has brought something new and can take a packet.
    pub(super) fn main(&self) -> Option<ConnId> {
        let mut proven = self.0.iter().rev().take_while(|connection| connection.proven);
        proven.find(|connection| connection.writable).map(|connection| connection.id)
    }

    pub(super) fn set_writable(&mut self, id: ConnId, writable: bool) {
        if let Some(connection) = self.find(id) {
            connection.writable = writable;
        }
    }

    /// Ends a connection after `delay_s`, unless that is said again before.
    pub(super) fn disconnect_after(&mut self, now: UnixTime, id: ConnId, delay_s: i32) {
        let delay_s = delay_s.clamp(0, DISCONNECT_DELAY_S_MAX).unsigned_abs();
        if let Some(connection) = self.find(id) {
            connection.close_at = Some(now + Duration::from_secs(u64::from(delay_s)));
        }
    }

    /// One whose time has come; it is asked for once.
    pub(super) fn take_overdue(&mut self, now: UnixTime) -> Option<ConnId> {
        let overdue =
            self.0.iter_mut().find(|connection| connection.close_at.is_some_and(|at| at <= now))?;
        overdue.close_at = None;
        Some(overdue.id)
    }

    pub(super) fn poll_timeout(&self) -> Option<UnixTime> {
        self.0.iter().filter_map(|connection| connection.close_at).min()
    }

    /// Bytes of memory.
    pub(super) const fn memory_len(&self) -> usize {
        self.0.capacity() * size_of::<Connection>()
    }

    fn find(&mut self, id: ConnId) -> Option<&mut Connection> {
        self.0.iter_mut().find(|connection| connection.id == id)
    }
}
