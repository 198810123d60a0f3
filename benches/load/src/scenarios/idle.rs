//! Memory of connections on which nothing happens: logged in, with a session, waiting for updates.

use std::net::SocketAddr;

use tl::api::functions;

use crate::accounts::{Account, progress, refused};
use crate::client::{Clients, introduced};
use crate::error::Result;
use crate::net::Id;
use crate::process::Process;

/// How many are connected at once.
const BATCH_COUNT: usize = 100;
/// Connections from one address of loopback, which has some 28,000 ports for them.
const PER_ADDRESS: usize = 5_000;

/// What idle connections cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Idle {
    /// How many there were.
    pub(crate) count: usize,
    /// Memory of the server for each, in bytes.
    pub(crate) each: f64,
    /// Memory of the server before, in bytes.
    pub(crate) before: u64,
    /// With all of them.
    pub(crate) with: u64,
}

/// Brings all accounts online, one connection each, and compares.
pub(crate) fn measure(
    clients: &mut Clients,
    accounts: &[Account],
    process: &Process,
) -> Result<(Idle, Vec<Id>)> {
    // What a first connection brings, code and tables, is none of the others' cost.
    let some = connect(clients, &accounts[..accounts.len().min(16)], 0)?;
    settle();
    let before = process.usage().resident;
    let rest = &accounts[some.len()..];
    let mut ids = some;
    let bar = progress("idle connections", rest.len());
    for batch in rest.chunks(BATCH_COUNT) {
        ids.extend(connect(clients, batch, ids.len())?);
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    settle();
    let with = process.usage().resident;
    let count = rest.len();
    let each = with.saturating_sub(before) as f64 / (count as f64).max(1.0);
    Ok((Idle { count, each, before, with }, ids))
}

/// Time for what ends on its own: buffers given back, tasks done.
fn settle() {
    std::thread::sleep(std::time::Duration::from_secs(2));
}

fn connect(clients: &mut Clients, accounts: &[Account], first: usize) -> Result<Vec<Id>> {
    let mut ids = Vec::with_capacity(accounts.len());
    let mut requests = Vec::with_capacity(accounts.len());
    for (n, account) in accounts.iter().enumerate() {
        let last = 2 + u8::try_from((first + n) / PER_ADDRESS % 250).unwrap_or_default();
        let from = SocketAddr::from(([127, 0, 0, last], 0));
        let id = clients.connect(Some(from))?;
        clients.begin(id, account.key.key.clone(), account.key.salt);
        requests.push((id, introduced(&functions::updates::GetState {})));
        ids.push(id);
    }
    for answer in clients.ask_all(requests)? {
        refused("updates.getState", answer)?;
    }
    Ok(ids)
}
