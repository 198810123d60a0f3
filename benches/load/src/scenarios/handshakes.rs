//! Auth keys made, from the connection to the server's last word, as many at once as keep the server busy.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::client::Clients;
use crate::clock;
use crate::error::{Error, Result};
use crate::measure::{Figures, Meter, Span};
use crate::net::Id;
use crate::process::{Baudot, Process, public_key};
use crate::report::say;
use crate::session::Event;

/// Exchanges that follow one another, `depth` at a time.
pub(crate) struct Flood {
    begun: Vec<(Id, Instant)>,
}

impl Flood {
    /// Begins.
    pub(crate) fn start(clients: &mut Clients, depth: usize) -> Result<Self> {
        let mut flood = Self { begun: Vec::with_capacity(depth) };
        for _ in 0..depth {
            flood.add(clients)?;
        }
        Ok(flood)
    }

    fn add(&mut self, clients: &mut Clients) -> Result<()> {
        let begun = clock::instant();
        let id = clients.connect(None)?;
        clients.make_key(id);
        self.begun.push((id, begun));
        Ok(())
    }

    /// Takes an event that may be one of its own: how long an exchange took that has ended, after which another begins.
    pub(crate) fn handle(
        &mut self,
        clients: &mut Clients,
        id: Id,
        event: &Event,
    ) -> Result<Option<Duration>> {
        let Some(at) = self.begun.iter().position(|(own, _)| *own == id) else { return Ok(None) };
        match event {
            Event::KeyMade(_) => {}
            // A flood that is held back goes on.
            Event::Closed | Event::TransportError(_) => {
                self.begun.swap_remove(at);
                clients.close(id);
                self.add(clients)?;
                return Ok(None);
            }
            _ => return Ok(None),
        }
        let (_, begun) = self.begun.swap_remove(at);
        clients.close(id);
        self.add(clients)?;
        Ok(Some(clock::instant() - begun))
    }

    /// Ends it.
    pub(crate) fn stop(self, clients: &mut Clients) {
        for (id, _) in self.begun {
            clients.close(id);
        }
    }
}

/// Starts a process of its own that makes keys until it is dropped, at the lowest priority.
pub(crate) fn flood(server: &Baudot, depth: usize, core: Option<usize>) -> Result<Process> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("flood").arg(server.address.to_string()).arg(&server.data).arg(depth.to_string());
    let mut process = Process::start(&mut command, core)?;
    process.wait_for_line("flooding")?;
    Ok(process)
}

/// What that process does.
pub(crate) fn flood_forever(address: SocketAddr, data: &Path, depth: usize) -> Result<()> {
    // Where it is not allowed to be modest, it is in the way, which the figures show.
    let _ = rustix::process::setpriority_process(None, 19);
    let mut clients = Clients::new(address, &public_key(data)?)?;
    let mut flood = Flood::start(&mut clients, depth)?;
    say("flooding");
    loop {
        clients.turn(Some(Duration::from_millis(100)))?;
        while let Some((id, event)) = clients.poll_event() {
            flood.handle(&mut clients, id, &event)?;
        }
    }
}

/// Makes keys for as long as the span says.
pub(crate) fn measure(
    clients: &mut Clients,
    depth: usize,
    span: Span,
    process: Option<&Process>,
) -> Result<Figures> {
    let mut flood = Flood::start(clients, depth)?;
    let begin = clock::instant();
    let mut meter: Option<Meter<'_>> = None;
    let mut refused: u64 = 0;
    loop {
        let now = clock::instant();
        if meter.is_none() && now >= begin + span.warm_up {
            meter = Some(Meter::start(process));
        }
        if now >= begin + span.warm_up + span.measured {
            break;
        }
        clients.turn(Some(Duration::from_millis(100)))?;
        while let Some((id, event)) = clients.poll_event() {
            refused += u64::from(matches!(event, Event::Closed | Event::TransportError(_)));
            if let Some(took) = flood.handle(clients, id, &event)?
                && let Some(meter) = &mut meter
            {
                meter.add(took);
            }
        }
    }
    flood.stop(clients);
    let meter = meter.ok_or(Error::Timeout)?;
    Ok(meter.finish(refused))
}
