//! nats-server with JetStream: a stream in files, messages published with an acknowledgement, and a push consumer for each
//! recipient, so that a message is stored before it is delivered.

use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};

use super::{Running, Wires, find, find_bytes, free_port};
use crate::carriers::{number_of, text};
use crate::error::{Error, Result};
use crate::measure::Carrier;
use crate::net::Id;
use crate::process::Process;

/// Starts nats-server with a sender and a recipient for each lane.
pub(crate) fn start(lanes: usize, core: Option<usize>, synced: bool) -> Result<Option<Running>> {
    let Some(program) = find("nats-server") else { return Ok(None) };
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let config = folder.path().join("nats.conf");
    let store = folder.path().join("store");
    let sync = if synced { "sync_interval: always" } else { "" };
    let text = format!(
        "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\"\n{sync}\n}}\n",
        store.display()
    );
    std::fs::write(&config, text)?;
    let mut command = Command::new(program);
    command.arg("-c").arg(&config).stderr(Stdio::null());
    let mut process = Process::start(&mut command, core)?;
    process.wait_for_port(([127, 0, 0, 1], port).into())?;
    let mut wires = Wires::new()?;
    for end in 0..2 * lanes {
        let id = wires.connect(port)?;
        wires.wait_for(id, "\r\n")?;
        wires.send(id, b"CONNECT {\"verbose\":false}\r\n");
        // Acknowledgements of what is published, and answers, come to `a<end>`; deliveries to `d<lane>`.
        wires.send(id, format!("SUB a{end} 1\r\n").as_bytes());
        if end >= lanes {
            wires.send(id, format!("SUB d{} 2\r\n", end - lanes).as_bytes());
        }
        wires.send(id, b"PING\r\n");
        wires.wait_for(id, "PONG\r\n")?;
    }
    let stream = r#"{"name":"M","subjects":["m.>"],"storage":"file","retention":"limits"}"#;
    api(&mut wires, "STREAM.CREATE.M", stream)?;
    for lane in 0..lanes {
        let consumer = format!(
            r#"{{"stream_name":"M","config":{{"durable_name":"c{lane}","deliver_subject":"d{lane}","filter_subject":"m.{lane}","ack_policy":"none","deliver_policy":"all"}}}}"#
        );
        api(&mut wires, &format!("CONSUMER.DURABLE.CREATE.M.c{lane}"), &consumer)?;
    }
    let carrier = Nats { wires, lanes };
    Ok(Some(Running { process, carrier: Box::new(carrier), _folder: Some(folder) }))
}

fn api(wires: &mut Wires, name: &str, body: &str) -> Result<()> {
    let request = format!("PUB $JS.API.{name} a0 {}\r\n{body}\r\n", body.len());
    wires.send(0, request.as_bytes());
    let (_, answer) = wires.wait(0, take)?;
    match find_bytes(&answer, b"\"error\"") {
        None => Ok(()),
        Some(_) => Err(Error::Protocol(String::from_utf8_lossy(&answer).into_owned())),
    }
}

struct Nats {
    wires: Wires,
    lanes: usize,
}

impl Carrier for Nats {
    fn lane_count(&self) -> usize {
        self.lanes
    }

    fn send(&mut self, lane: usize, number: u64) -> Result<()> {
        let text = text(number);
        let publish = format!("PUB m.{lane} a{lane} {}\r\n{text}\r\n", text.len());
        self.wires.send(lane, publish.as_bytes());
        Ok(())
    }

    fn turn(&mut self, timeout: Option<Duration>, arrived: &mut Vec<(usize, u64)>) -> Result<()> {
        let lanes = self.lanes;
        self.wires.turn(timeout, |wires, id| {
            loop {
                answer_pings(wires, id);
                let Some((is_delivery, payload)) = take(wires.net.input(id)) else {
                    return Ok(());
                };
                if is_delivery && id >= lanes {
                    arrived.extend(number_of(&payload).map(|number| (id - lanes, number)));
                } else if find_bytes(&payload, b"\"error\"").is_some() {
                    return Err(Error::Protocol(String::from_utf8_lossy(&payload).into_owned()));
                }
            }
        })
    }
}

fn answer_pings(wires: &mut Wires, id: Id) {
    while wires.net.input(id).starts_with(b"PING\r\n") {
        wires.net.input(id).advance(6);
        wires.send(id, b"PONG\r\n");
    }
}

/// The next message: whether it is a delivery rather than an acknowledgement or an answer, and its payload.
fn take(input: &mut BytesMut) -> Option<(bool, BytesMut)> {
    loop {
        let line_len = find_bytes(input, b"\r\n")?;
        let line = std::str::from_utf8(&input[..line_len]).unwrap_or_default();
        if !line.starts_with("MSG ") {
            if line.starts_with("PING") {
                return None;
            }
            input.advance(line_len + 2);
            continue;
        }
        let len: usize = line.rsplit(' ').next()?.parse().ok()?;
        let is_delivery = line.split(' ').nth(2) == Some("2");
        if input.len() < line_len + 2 + len + 2 {
            return None;
        }
        input.advance(line_len + 2);
        let payload = input.split_to(len);
        input.advance(2);
        return Some((is_delivery, payload));
    }
}
