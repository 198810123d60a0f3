//! What somebody missed while away, fetched through `updates.getDifference` until nothing is left.

use std::time::Duration;

use tl::Decode as _;
use tl::api::{enums, functions};

use crate::accounts::refused;
use crate::client::{Clients, bytes, checked};
use crate::clock;
use crate::error::{Error, Result};
use crate::measure::{Figures, Meter};
use crate::net::Id;
use crate::process::Process;
use crate::session::Event;

/// Longer than anybody needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Each connection catches up from the beginning of its log, one difference after the other. Counted is a difference; the
/// second number is how many messages all of them brought.
pub(crate) fn measure(
    clients: &mut Clients,
    ids: &[Id],
    process: Option<&Process>,
) -> Result<(Figures, u64)> {
    let mut meter = Meter::start(process);
    let begun = clock::instant();
    let first = ids.first().copied().unwrap_or_default();
    let mut asked = vec![begun; ids.last().map_or(0, |last| last - first + 1)];
    // The date of the state before anything: any will do.
    let ask = |clients: &mut Clients, id: Id, pts: i32| {
        let query = functions::updates::GetDifference::new(pts, 1, 0);
        clients.request(id, 0, bytes(&query));
    };
    for id in ids {
        ask(clients, *id, 1);
    }
    let mut missing = ids.len();
    let mut messages: u64 = 0;
    while missing > 0 {
        if clock::instant() - begun > PATIENCE {
            return Err(Error::Timeout);
        }
        clients.turn(Some(Duration::from_millis(100)))?;
        while let Some((id, event)) = clients.poll_event() {
            let body = match event {
                Event::Answer(_, body) => refused("updates.getDifference", checked(body))?,
                Event::Closed => return Err(Error::Closed),
                Event::TransportError(code) => return Err(Error::Transport(code)),
                _ => continue,
            };
            let now = clock::instant();
            meter.add(now - asked[id - first]);
            asked[id - first] = now;
            let difference = enums::updates::Difference::from_bytes(&body);
            let difference = difference.map_err(|error| Error::Protocol(error.to_string()))?;
            let next = match difference {
                enums::updates::Difference::Difference(last) => {
                    messages += last.new_messages.len() as u64;
                    None
                }
                enums::updates::Difference::DifferenceSlice(slice) => {
                    messages += slice.new_messages.len() as u64;
                    Some(slice.intermediate_state.pts)
                }
                enums::updates::Difference::DifferenceEmpty(_) => None,
                enums::updates::Difference::DifferenceTooLong(long) => Some(long.pts),
            };
            match next {
                Some(pts) => ask(clients, id, pts),
                None => missing -= 1,
            }
        }
    }
    Ok((meter.finish(0), messages))
}
