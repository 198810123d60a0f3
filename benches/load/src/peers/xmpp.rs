//! ejabberd: chat messages between accounts that are online, over unencrypted streams on loopback.
//!
//! It is started as `erl` with Debian's packages, without a node name, with accounts (and the archive) in mnesia and no
//! shapers. The clients read no XML: they look for the few texts that matter.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};

use super::{Running, Wires, find, find_bytes, free_port};
use crate::carriers::{number_of, text};
use crate::error::{Error, Result};
use crate::measure::Carrier;
use crate::net::Id;
use crate::process::Process;

/// Starts ejabberd with a sender and a recipient for each lane.
pub(crate) fn start(lanes: usize, core: Option<usize>, archive: bool) -> Result<Option<Running>> {
    let (Some(erl), Some(libraries)) = (find("erl"), libraries()) else { return Ok(None) };
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let mut process =
        Process::start(&mut command(&erl, &libraries, folder.path(), port, archive)?, core)?;
    process.wait_for_port(([127, 0, 0, 1], port).into())?;
    let mut wires = Wires::new()?;
    register(&mut wires, port, 2 * lanes)?;
    // The connection that registered was the first; what follows is numbered from there.
    let first = 1;
    for end in 0..2 * lanes {
        let id = wires.connect(port)?;
        log_in(&mut wires, id, end)?;
    }
    let carrier = Xmpp { wires, lanes, first };
    Ok(Some(Running { process, carrier: Box::new(carrier), _folder: Some(folder) }))
}

/// The folder of Erlang's libraries that has ejabberd's.
fn libraries() -> Option<PathBuf> {
    std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path()).find(|folder| {
        let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
        inside.into_iter().any(|entry| {
            entry.file_name().to_string_lossy().starts_with("ejabberd-")
                && entry.path().join("ebin").exists()
        })
    })
}

fn command(
    erl: &Path,
    libraries: &Path,
    folder: &Path,
    port: u16,
    archive: bool,
) -> Result<Command> {
    let archive = if archive { "  mod_mam: {default: always, db_type: mnesia}\n" } else { "" };
    let config = format!(
        "hosts: [localhost]\nloglevel: critical\nauth_method: internal\nauth_password_format: plain\n\
         registration_timeout: infinity\n\
         listen:\n  - {{port: {port}, ip: \"127.0.0.1\", module: ejabberd_c2s, max_stanza_size: 65536}}\n\
         access_rules:\n  register: [{{allow: all}}]\n\
         modules:\n  mod_register: {{access: register, ip_access: all, password_strength: 0}}\n{archive}"
    );
    let path = folder.join("ejabberd.yml");
    std::fs::write(&path, config)?;
    let mut command = Command::new(erl);
    command
        .args(["-noinput", "+K", "true", "+P", "250000", "-mnesia", "dir"])
        .arg(format!("\"{}\"", folder.join("spool").display()))
        .args(["-s", "ejabberd"])
        .env("ERL_LIBS", libraries)
        .env("EJABBERD_CONFIG_PATH", &path)
        .env("EJABBERD_LOG_PATH", folder.join("ejabberd.log"))
        .env("HOME", folder)
        .current_dir(folder)
        .stderr(Stdio::null());
    Ok(command)
}

fn open_stream(wires: &mut Wires, id: Id) -> Result<()> {
    wires.send(
        id,
        b"<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
    );
    wires.wait_for(id, "</stream:features>")?;
    Ok(())
}

fn register(wires: &mut Wires, port: u16, count: usize) -> Result<()> {
    let id = wires.connect(port)?;
    open_stream(wires, id)?;
    for end in 0..count {
        let iq = format!(
            "<iq type='set' id='r{end}'><query xmlns='jabber:iq:register'><username>load{end}</username><password>secret</password></query></iq>"
        );
        wires.send(id, iq.as_bytes());
        let answer = stanza(wires, id, "iq")?;
        if find_bytes(&answer, b"result").is_none() {
            return Err(Error::Protocol(String::from_utf8_lossy(&answer).into_owned()));
        }
    }
    Ok(())
}

/// Waits for a stanza of one kind; everything up to its end.
fn stanza(wires: &mut Wires, id: Id, kind: &str) -> Result<BytesMut> {
    let (begin, end) = (format!("<{kind} "), format!("</{kind}>"));
    wires.wait(id, |input| {
        let from = find_bytes(input, begin.as_bytes())?;
        let tag_len = find_bytes(&input[from..], b">")? + 1;
        if input[from + tag_len - 2] == b'/' {
            return Some(input.split_to(from + tag_len));
        }
        let len = find_bytes(&input[from..], end.as_bytes())? + end.len();
        Some(input.split_to(from + len))
    })
}

fn log_in(wires: &mut Wires, id: Id, end: usize) -> Result<()> {
    use base64::Engine as _;
    open_stream(wires, id)?;
    let secret = base64::engine::general_purpose::STANDARD.encode(format!("\0load{end}\0secret"));
    let auth =
        format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>");
    wires.send(id, auth.as_bytes());
    wires.wait_for(id, "<success")?;
    wires.wait_for(id, ">")?;
    open_stream(wires, id)?;
    wires.send(
        id,
        b"<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>l</resource></bind></iq>",
    );
    stanza(wires, id, "iq")?;
    wires.send(id, b"<presence/>");
    stanza(wires, id, "presence")?;
    Ok(())
}

struct Xmpp {
    wires: Wires,
    lanes: usize,
    first: Id,
}

impl Carrier for Xmpp {
    fn lane_count(&self) -> usize {
        self.lanes
    }

    fn send(&mut self, lane: usize, number: u64) -> Result<()> {
        let to = self.lanes + lane;
        let message = format!(
            "<message to='load{to}@localhost/l' id='{number:x}' type='chat'><body>{}</body></message>",
            text(number)
        );
        self.wires.send(self.first + lane, message.as_bytes());
        Ok(())
    }

    fn turn(&mut self, timeout: Option<Duration>, arrived: &mut Vec<(usize, u64)>) -> Result<()> {
        let first_recipient = self.first + self.lanes;
        self.wires.turn(timeout, |wires, id| {
            let input = wires.net.input(id);
            while let Some(end) = find_bytes(input, b"</message>") {
                let message = input.split_to(end + b"</message>".len());
                let body = find_bytes(&message, b"<body>").map(|at| at + b"<body>".len());
                if let Some(number) = body.and_then(|at| number_of(&message[at..])) {
                    arrived.push((id - first_recipient, number));
                }
            }
            // What is no message is not waited for.
            if find_bytes(input, b"<message").is_none() && input.len() > 4096 {
                input.advance(input.len() - 16);
            }
            Ok(())
        })
    }
}
