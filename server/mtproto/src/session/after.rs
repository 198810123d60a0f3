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

/// What becomes of a request that names others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Finished,
    Pending,
    Unknown,
    Failed,
}

impl Session {
    /// Lets a request wait until others are finished.
    ///
    /// It is emitted again once they are, or answered with an error if one failed or is not known after a while.
    pub fn hold(&mut self, now: UnixTime, request: Request, after: &[MsgId]) {
        let msg_id = request.msg_id;
        if !self.requests.contains(msg_id) {
            return;
        }
        let wait = match self.verdict(after) {
            Verdict::Unknown => UNKNOWN_PREDECESSOR_WAIT,
            _ => RUNNING_PREDECESSOR_WAIT,
        };
        let held = Held { request, until: now + wait, after: after.to_vec() };
        // A request cannot wait for itself.
        if after.len() > PREDECESSOR_COUNT_MAX
            || after.contains(&msg_id)
            || self.requests.hold(held).is_err()
        {
            self.send_result(now, msg_id, Buffer::rpc_error(400, "MSG_WAIT_FAILED"));
            return;
        }
        self.release_held(now);
    }

    /// Emits or refuses the requests whose waiting is over.
    pub(super) fn release_held(&mut self, now: UnixTime) {
        while self.requests.has_held() {
            let over = self.requests.held().find_map(|held| match self.verdict(&held.after) {
                Verdict::Pending | Verdict::Unknown if now < held.until => None,
                verdict => Some((held.request.msg_id, verdict)),
            });
            let Some((msg_id, verdict)) = over else { return };
            let Some(held) = self.requests.release(msg_id) else { return };
            let refused = match verdict {
                Verdict::Finished => {
                    let predecessors = Predecessors::Finished;
                    self.events.push_back(Event::Request(Request { predecessors, ..held.request }));
                    continue;
                }
                Verdict::Failed => Buffer::rpc_error(400, "MSG_WAIT_FAILED"),
                Verdict::Pending | Verdict::Unknown => Buffer::rpc_error(-503, "MSG_WAIT_TIMEOUT"),
            };
            if let Some(running) = self.requests.remove(msg_id) {
                self.answer(msg_id, running.conn, refused);
            }
        }
    }

    fn verdict(&self, after: &[MsgId]) -> Verdict {
        let mut verdict = Verdict::Finished;
        for msg_id in after {
            let running = self.requests.contains(*msg_id);
            match self.received.known(*msg_id) {
                Known::Yes(Fate::Failed | Fate::AcknowledgedFailure) => return Verdict::Failed,
                _ if running => verdict = verdict.max(Verdict::Pending),
                Known::Yes(_) => {}
                Known::No | Known::TooHigh | Known::Forgotten => verdict = Verdict::Unknown,
            }
        }
        verdict
    }
}
