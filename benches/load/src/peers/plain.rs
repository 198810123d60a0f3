//! The least that a server can do: answer with what came, and pass on what came.
//!
//! They set the scale. The echo does for each packet what any server must do, a read and a write; the relay also finds
//! out whom a packet is for. Neither looks into it, keeps it, or encrypts anything.
//!
//! ```text
//! echo:  | 88 bytes | and the same back
//! relay: | own number (4) | then, any number of times: | to (4) | length (4) | bytes |
//!        and what others sent: | length (4) | bytes |
//! ```

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::{Running, Wires};
use crate::carriers::{number_of, text};
use crate::error::{Error, Result};
use crate::measure::Carrier;
use crate::net::Id;
use crate::process::Process;

/// What an encrypted ping is on the wire.
const ECHO_LEN: usize = 88;
/// How much is read at once.
const READ_LEN: usize = 16 * 1024;

// ---- servers ----

/// Runs one of the servers until it is killed.
pub(crate) fn serve(is_relay: bool) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut out = io::stdout();
        io::Write::write_all(
            &mut out,
            format!("port {}\n", listener.local_addr()?.port()).as_bytes(),
        )?;
        let mailboxes = Rc::new(RefCell::new(HashMap::new()));
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            if is_relay {
                tokio::task::spawn_local(relay_connection(stream, Rc::clone(&mailboxes)));
            } else {
                tokio::task::spawn_local(echo_connection(stream));
            }
        }
    })
}

async fn echo_connection(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; READ_LEN];
    loop {
        let len = stream.read(&mut buffer).await?;
        if len == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..len]).await?;
    }
}

/// What waits for a connection.
#[derive(Default)]
struct Mailbox {
    bytes: RefCell<BytesMut>,
    filled: Notify,
}

type Mailboxes = Rc<RefCell<HashMap<u32, Rc<Mailbox>>>>;

async fn relay_connection(stream: TcpStream, mailboxes: Mailboxes) -> io::Result<()> {
    let (mut reader, mut writer) = stream.into_split();
    let own = reader.read_u32_le().await?;
    let mailbox = Rc::new(Mailbox::default());
    mailboxes.borrow_mut().insert(own, Rc::clone(&mailbox));
    tokio::task::spawn_local(async move {
        loop {
            mailbox.filled.notified().await;
            let bytes = mailbox.bytes.borrow_mut().split();
            if writer.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let mut input = BytesMut::with_capacity(READ_LEN);
    loop {
        input.reserve(READ_LEN);
        if reader.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        while input.len() >= 8 {
            let len = 8 + (&input[4..8]).get_u32_le() as usize;
            if input.len() < len {
                break;
            }
            let packet = input.split_to(len);
            if let Some(mailbox) = mailboxes.borrow().get(&(&packet[..4]).get_u32_le()) {
                mailbox.bytes.borrow_mut().extend_from_slice(&packet[4..]);
                mailbox.filled.notify_one();
            }
        }
    }
}

// ---- carriers ----

fn start(kind: &str, core: Option<usize>) -> Result<(Process, u16)> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut process = Process::start(command.args(["peer", kind]), core)?;
    let line = process.wait_for_line("port ")?;
    let port = line.trim().trim_start_matches("port ").parse();
    Ok((process, port.map_err(|error| Error::setup(line.trim(), error))?))
}

struct Echo {
    wires: Wires,
    lanes: usize,
}

/// Starts the echo.
pub(crate) fn echo(lanes: usize, core: Option<usize>) -> Result<Running> {
    let (process, port) = start("echo", core)?;
    let mut wires = Wires::new()?;
    for _ in 0..lanes {
        wires.connect(port)?;
    }
    Ok(Running { process, carrier: Box::new(Echo { wires, lanes }), _folder: None })
}

impl Carrier for Echo {
    fn lane_count(&self) -> usize {
        self.lanes
    }

    fn send(&mut self, lane: usize, number: u64) -> Result<()> {
        let mut packet = [0; ECHO_LEN];
        packet[..8].copy_from_slice(&number.to_le_bytes());
        self.wires.send(lane, &packet);
        Ok(())
    }

    fn turn(&mut self, timeout: Option<Duration>, arrived: &mut Vec<(usize, u64)>) -> Result<()> {
        self.wires.turn(timeout, |wires, id| {
            let input = wires.net.input(id);
            while input.len() >= ECHO_LEN {
                arrived.push((id, (&input[..8]).get_u64_le()));
                input.advance(ECHO_LEN);
            }
            Ok(())
        })
    }
}

struct Relay {
    wires: Wires,
    lanes: usize,
}

/// Starts the relay.
pub(crate) fn relay(lanes: usize, core: Option<usize>) -> Result<Running> {
    let (process, port) = start("relay", core)?;
    let mut wires = Wires::new()?;
    for own in 0..2 * lanes {
        let id = wires.connect(port)?;
        wires.net.output(id).tail().put_u32_le(number(own));
    }
    wires.turn(Some(Duration::from_millis(100)), |_, _| Ok(()))?;
    wires.turn(Some(Duration::from_millis(100)), |_, _| Ok(()))?;
    Ok(Running { process, carrier: Box::new(Relay { wires, lanes }), _folder: None })
}

fn number(id: Id) -> u32 {
    u32::try_from(id).unwrap_or(u32::MAX)
}

impl Carrier for Relay {
    fn lane_count(&self) -> usize {
        self.lanes
    }

    fn send(&mut self, lane: usize, id: u64) -> Result<()> {
        let text = text(id);
        let out = self.wires.net.output(lane).tail();
        out.put_u32_le(number(self.lanes + lane));
        out.put_u32_le(number(text.len()));
        out.put_slice(text.as_bytes());
        Ok(())
    }

    fn turn(&mut self, timeout: Option<Duration>, arrived: &mut Vec<(usize, u64)>) -> Result<()> {
        let lanes = self.lanes;
        self.wires.turn(timeout, |wires, id| {
            let input = wires.net.input(id);
            while input.len() >= 4 {
                let len = 4 + (&input[..4]).get_u32_le() as usize;
                if input.len() < len {
                    break;
                }
                let packet = input.split_to(len);
                arrived.extend(number_of(&packet[4..]).map(|number| (id - lanes, number)));
            }
            Ok(())
        })
    }
}
