//! mosquitto, over MQTT 3.1.1 with QoS 1 on both legs: the broker acknowledges to the sender, the recipient to the broker.

use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};

use super::{Running, Wires, find, free_port};
use crate::carriers::{number_of, text};
use crate::error::Result;
use crate::measure::Carrier;
use crate::process::Process;

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const PUBACK: u8 = 0x40;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;
/// The flag of a delivery that is to be acknowledged.
const QOS_1: u8 = 0x02;

/// Starts mosquitto with a sender and a recipient for each lane.
pub(crate) fn start(lanes: usize, core: Option<usize>) -> Result<Option<Running>> {
    let Some(program) = find("mosquitto") else { return Ok(None) };
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let config = folder.path().join("mosquitto.conf");
    // Without these bounds a recipient that falls behind by a blink would lose messages.
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\n\
         max_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\n"
    );
    std::fs::write(&config, text)?;
    let mut command = Command::new(program);
    command.arg("-c").arg(&config).stderr(Stdio::null());
    let mut process = Process::start(&mut command, core)?;
    process.wait_for_port(([127, 0, 0, 1], port).into())?;
    let mut wires = Wires::new()?;
    for end in 0..2 * lanes {
        let id = wires.connect(port)?;
        let name = format!("load{end}");
        let mut body = b"\0\x04MQTT\x04\x02\0\0".to_vec();
        push_text(&mut body, &name);
        wires.send(id, &packet(CONNECT, &body));
        wires.wait(id, |input| take(input).filter(|(kind, _)| *kind == CONNACK))?;
        if end >= lanes {
            let mut body = vec![0, 1];
            push_text(&mut body, &format!("l/{}", end - lanes));
            body.push(1);
            wires.send(id, &packet(SUBSCRIBE, &body));
            wires.wait(id, |input| take(input).filter(|(kind, _)| *kind == SUBACK))?;
        }
    }
    let carrier = Mqtt { wires, lanes, packet_id: 0 };
    Ok(Some(Running { process, carrier: Box::new(carrier), _folder: Some(folder) }))
}

struct Mqtt {
    wires: Wires,
    lanes: usize,
    packet_id: u16,
}

impl Carrier for Mqtt {
    fn lane_count(&self) -> usize {
        self.lanes
    }

    fn send(&mut self, lane: usize, number: u64) -> Result<()> {
        self.packet_id = self.packet_id.checked_add(1).unwrap_or(1);
        let mut body = Vec::with_capacity(128);
        push_text(&mut body, &format!("l/{lane}"));
        body.extend_from_slice(&self.packet_id.to_be_bytes());
        body.extend_from_slice(text(number).as_bytes());
        self.wires.send(lane, &packet(PUBLISH | QOS_1, &body));
        Ok(())
    }

    fn turn(&mut self, timeout: Option<Duration>, arrived: &mut Vec<(usize, u64)>) -> Result<()> {
        let lanes = self.lanes;
        self.wires.turn(timeout, |wires, id| {
            while let Some((kind, body)) = take(wires.net.input(id)) {
                if kind & 0xf0 != PUBLISH {
                    continue;
                }
                let topic_len = usize::from((&body[..2]).get_u16());
                let rest = &body[2 + topic_len..];
                let (packet_id, payload) = rest.split_at(2);
                wires.send(id, &packet(PUBACK, packet_id));
                arrived.extend(number_of(payload).map(|number| (id - lanes, number)));
            }
            Ok(())
        })
    }
}

fn push_text(body: &mut Vec<u8>, text: &str) {
    body.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    body.extend_from_slice(text.as_bytes());
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    let mut len = body.len();
    while len >= 128 {
        bytes.push((len % 128) as u8 | 128);
        len /= 128;
    }
    bytes.push(len as u8);
    bytes.extend_from_slice(body);
    bytes
}

/// The next packet: its first byte and what follows its length.
fn take(input: &mut BytesMut) -> Option<(u8, BytesMut)> {
    let kind = *input.first()?;
    let mut len = 0;
    let mut header_len = 1;
    loop {
        let byte = *input.get(header_len)?;
        len |= usize::from(byte & 127) << (7 * (header_len - 1));
        header_len += 1;
        if byte < 128 {
            break;
        }
    }
    if input.len() < header_len + len {
        return None;
    }
    input.advance(header_len);
    Some((kind, input.split_to(len)))
}
