//! Everybody comes back at once: connections with known keys, until each has a session and an answer.

use std::time::Duration;

use tl::api::functions;

use crate::accounts::{Account, refused};
use crate::client::{Clients, checked, introduced};
use crate::clock;
use crate::error::{Error, Result};
use crate::measure::{Figures, Meter};
use crate::net::Id;
use crate::process::Process;
use crate::session::Event;

/// Longer than any storm.
const PATIENCE: Duration = Duration::from_secs(60);

/// All accounts connect in the same moment and ask for their state.
pub(crate) fn measure(
    clients: &mut Clients,
    accounts: &[Account],
    process: Option<&Process>,
) -> Result<(Figures, Vec<Id>)> {
    let mut meter = Meter::start(process);
    let begun = clock::instant();
    let query = introduced(&functions::updates::GetState {});
    let mut ids = Vec::with_capacity(accounts.len());
    for account in accounts {
        let id = clients.connect(None)?;
        clients.begin(id, account.key.key.clone(), account.key.salt);
        clients.request(id, 0, query.clone());
        ids.push(id);
    }
    let mut missing = accounts.len();
    while missing > 0 {
        if clock::instant() - begun > PATIENCE {
            return Err(Error::Timeout);
        }
        clients.turn(Some(Duration::from_millis(100)))?;
        while let Some((_, event)) = clients.poll_event() {
            match event {
                Event::Answer(_, body) => {
                    refused("updates.getState", checked(body))?;
                    meter.add(clock::instant() - begun);
                    missing -= 1;
                }
                Event::Closed => return Err(Error::Closed),
                Event::TransportError(code) => return Err(Error::Transport(code)),
                _ => {}
            }
        }
    }
    Ok((meter.finish(0), ids))
}
