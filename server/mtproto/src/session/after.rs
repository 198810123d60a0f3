//! Requests that wait for others: `invokeAfterMsg` and `invokeAfterMsgs`.
//!
//! Who unwraps requests finds the wrapper and gives the whole request to [`Session::hold`]; it comes back once its
//! predecessors are finished.
//!
//! Source: <https://core.telegram.org/api/invoking#sequential-execution>.

use crate::buffer::Buffer;
use crate::limits::{PREDECESSOR_COUNT_MAX, RUNNING_PREDECESSOR_WAIT, UNKNOWN_PREDECESSOR_WAIT};
use crate::msg_id::MsgId;
use crate::time::UnixTime;

use super::received::{Fate, Known};
use super::requests::Held;
use super::{Event, Predecessors, Request, Session};

impl Session {
    /// Lets a request wait until others are finished.
    ///
    /// It is emitted again once they are, or answered with an error if one failed or is not known after a while.
    pub fn hold(&mut self, now: UnixTime, request: Request, after: &[MsgId]) {
        let msg_id = request.msg_id;
        if !self.requests.contains(msg_id) {
            return;
        }
        // A request cannot wait for itself.
        if after.len() > PREDECESSOR_COUNT_MAX || after.contains(&msg_id) {
            self.refuse_held(msg_id, Buffer::rpc_error(400, "MSG_WAIT_FAILED"));
            return;
        }
        let (mut unfinished, mut wait) = (Vec::new(), RUNNING_PREDECESSOR_WAIT);
        for before in after {
            match self.received.known(*before) {
                Known::Yes(Fate::Failed | Fate::AcknowledgedFailure) => {
                    self.refuse_held(msg_id, Buffer::rpc_error(400, "MSG_WAIT_FAILED"));
                    return;
                }
                _ if self.requests.contains(*before) => {}
                Known::Yes(_) => continue,
                Known::No | Known::TooHigh | Known::Forgotten => wait = UNKNOWN_PREDECESSOR_WAIT,
            }
            if !unfinished.contains(before) {
                unfinished.push(*before);
            }
        }
        if unfinished.is_empty() {
            self.run_held(request);
            return;
        }
        let held = Held { request, until: now + wait, after: unfinished };
        if !self.requests.hold(held) {
            self.refuse_held(msg_id, Buffer::rpc_error(400, "MSG_WAIT_FAILED"));
        }
    }

    /// A message is finished: those that wait for it go on, or fail with it.
    pub(super) fn settle(&mut self, msg_id: MsgId, failed: bool) {
        if !self.requests.has_held() {
            return;
        }
        for waiting in self.requests.waiting_for(msg_id) {
            if failed {
                self.refuse_held(waiting, Buffer::rpc_error(400, "MSG_WAIT_FAILED"));
            } else if let Some(request) = self.requests.go_on(waiting, msg_id) {
                self.run_held(request);
            }
        }
    }

    /// Refuses those that have waited long enough.
    pub(super) fn end_waiting(&mut self, now: UnixTime) {
        while let Some(msg_id) = self.requests.overdue(now) {
            self.refuse_held(msg_id, Buffer::rpc_error(-503, "MSG_WAIT_TIMEOUT"));
        }
    }

    fn run_held(&mut self, request: Request) {
        let predecessors = Predecessors::Finished;
        self.events.push_back(Event::Request(Request { predecessors, ..request }));
    }

    /// Refuses one that waits, and with it all that wait for it.
    fn refuse_held(&mut self, msg_id: MsgId, mut refused: Buffer) {
        let mut failed = vec![msg_id];
        // By hand: a chain may be as long as there are requests.
        while let Some(msg_id) = failed.pop() {
            let Some(running) = self.requests.remove(msg_id) else { continue };
            let next = Buffer::rpc_error(400, "MSG_WAIT_FAILED");
            let refused = core::mem::replace(&mut refused, next);
            self.answer_as(msg_id, running.conn, refused, Fate::Failed);
            failed.extend(self.requests.waiting_for(msg_id));
        }
    }
}
