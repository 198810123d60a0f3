//! Many sockets on one thread: what came is read, what waits is written, once a turn.
//!
//! Nothing here knows a protocol. Bytes for a socket are appended to its output; [`Net::turn`] gives each socket one
//! write, waits until something is readable, and tells which sockets have new input. There is no task, waker or
//! channel between a socket and the code that measures, so that the generator costs less than what it measures.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use bytes::BytesMut;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use mtproto::transport::Output;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

/// How many bytes one read may take.
const READ_LEN: usize = 512 * 1024;
/// Below this, milliseconds are too coarse to wait with.
const COARSE: Duration = Duration::from_millis(10);
/// How many events one wait may bring.
const EVENT_COUNT: usize = 1024;

/// A connection's number; they are given once.
pub(crate) type Id = usize;

/// A connection.
#[derive(Debug)]
struct Socket {
    stream: Option<TcpStream>,
    input: BytesMut,
    output: Output,
    is_connected: bool,
    /// It is in the list of those that have something to write.
    is_dirty: bool,
    /// The kernel took no more; it will tell.
    is_full: bool,
}

/// All connections of the generator.
pub(crate) struct Net {
    poll: Poll,
    events: Events,
    sockets: Vec<Socket>,
    dirty: Vec<Id>,
    scratch: Vec<u8>,
}

/// What happened in a turn.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// Connections that have new input.
    pub(crate) readable: Vec<Id>,
    /// Connections that are over. Their last input counts as readable before.
    pub(crate) closed: Vec<Id>,
}

impl Net {
    /// Without connections.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENT_COUNT),
            sockets: Vec::new(),
            dirty: Vec::new(),
            scratch: vec![0; READ_LEN],
        })
    }

    /// Starts to connect, from an address of this machine if it matters which.
    pub(crate) fn connect(&mut self, to: SocketAddr, from: Option<SocketAddr>) -> io::Result<Id> {
        let mut stream = match from {
            None => TcpStream::connect(to)?,
            Some(from) => connect_from(to, from)?,
        };
        let id = self.sockets.len();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(id), interest)?;
        self.sockets.push(Socket {
            stream: Some(stream),
            input: BytesMut::new(),
            output: Output::default(),
            is_connected: false,
            is_dirty: false,
            is_full: false,
        });
        Ok(id)
    }

    /// Ends a connection.
    pub(crate) fn close(&mut self, id: Id) {
        if let Some(mut stream) = self.sockets[id].stream.take() {
            // It was registered; and if not, nothing is left to do.
            let _ = self.poll.registry().deregister(&mut stream);
        }
        self.sockets[id].input = BytesMut::new();
        self.sockets[id].output.clear();
    }

    /// What came and was not taken.
    pub(crate) fn input(&mut self, id: Id) -> &mut BytesMut {
        &mut self.sockets[id].input
    }

    /// Where to put what is to be sent by the next turn.
    pub(crate) fn output(&mut self, id: Id) -> &mut Output {
        let socket = &mut self.sockets[id];
        if !socket.is_dirty {
            socket.is_dirty = true;
            self.dirty.push(id);
        }
        &mut socket.output
    }

    /// How many bytes a connection's socket has not taken.
    pub(crate) fn unsent_len(&self, id: Id) -> usize {
        self.sockets[id].output.len()
    }

    /// Writes what waits, and reads nothing.
    pub(crate) fn only_write(&mut self) {
        let mut turn = Turn::default();
        for id in std::mem::take(&mut self.dirty) {
            let socket = &mut self.sockets[id];
            socket.is_dirty = false;
            if socket.is_connected {
                socket.write(id, &mut turn);
            }
        }
    }

    /// Writes what waits, waits for something to read, and reads it.
    pub(crate) fn turn(&mut self, timeout: Option<Duration>, turn: &mut Turn) -> io::Result<()> {
        turn.readable.clear();
        turn.closed.clear();
        for id in std::mem::take(&mut self.dirty) {
            let socket = &mut self.sockets[id];
            socket.is_dirty = false;
            if socket.is_connected && !socket.is_full {
                socket.write(id, turn);
            }
        }
        // The kernel's wait for sockets counts milliseconds; less is waited for by another call.
        let mut timeout = timeout;
        if let Some(short) = timeout.filter(|short| !short.is_zero() && *short < COARSE) {
            let mut waits = [PollFd::new(self.poll.registry(), PollFlags::IN)];
            let nanos = i64::from(short.subsec_nanos());
            let short = Timespec { tv_sec: 0, tv_nsec: nanos };
            // However it ends, what is ready is looked at next.
            let _ = rustix::event::poll(&mut waits, Some(&short));
            timeout = Some(Duration::ZERO);
        }
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &self.events {
            let id = event.token().0;
            let socket = &mut self.sockets[id];
            if socket.stream.is_none() {
                continue;
            }
            if event.is_writable() {
                if !socket.is_connected
                    && let Some(stream) = &socket.stream
                {
                    // A socket that failed to connect says so when it is read.
                    let _ = stream.set_nodelay(true);
                }
                socket.is_connected = true;
                socket.is_full = false;
                if !socket.output.is_empty() {
                    socket.write(id, turn);
                }
            }
            if event.is_readable() || event.is_error() {
                socket.read(id, &mut self.scratch, event.is_read_closed(), turn);
            }
        }
        Ok(())
    }
}

impl Socket {
    fn write(&mut self, id: Id, turn: &mut Turn) {
        while let Some(stream) = &mut self.stream
            && !self.output.is_empty()
        {
            let (slices, count) = self.output.slices();
            match stream.write_vectored(&slices[..count]) {
                Ok(len) => self.output.advance(len),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_full = true;
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.stream = None;
                    turn.closed.push(id);
                }
            }
        }
    }

    fn read(&mut self, id: Id, scratch: &mut [u8], to_end: bool, turn: &mut Turn) {
        let before = self.input.len();
        while let Some(stream) = &mut self.stream {
            match stream.read(scratch) {
                Ok(0) => {
                    self.stream = None;
                    turn.closed.push(id);
                }
                Ok(len) => {
                    self.input.extend_from_slice(&scratch[..len]);
                    // A short read has emptied the socket, unless its end is there already.
                    if len < scratch.len() && !to_end {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.stream = None;
                    turn.closed.push(id);
                }
            }
        }
        if self.input.len() > before {
            turn.readable.push(id);
        }
    }
}

fn connect_from(to: SocketAddr, from: SocketAddr) -> io::Result<TcpStream> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket: OwnedFd =
        rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    rustix::net::bind(&socket, &from)?;
    match rustix::net::connect(&socket, &to) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(TcpStream::from_std(std::net::TcpStream::from(socket)))
}

/// Connects from an address of this machine; the socket blocks.
pub(crate) fn connect_blocking(
    to: SocketAddr,
    from: SocketAddr,
) -> io::Result<std::net::TcpStream> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    rustix::net::bind(&socket, &from)?;
    rustix::net::connect(&socket, &to)?;
    Ok(std::net::TcpStream::from(socket))
}

/// Raises the limit on open files, for as many connections as are allowed. The limit that then holds.
pub(crate) fn raise_file_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let _ = setrlimit(Resource::Nofile, wanted);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
