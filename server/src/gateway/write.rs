//! What a connection writes: framed packets behind one another, as far as its socket takes them, and how long it may leave them.
//!
//! Once too much waits, the sessions give nothing more until the socket has taken most of it.

use std::io;

use mtproto::{
    Buffer, UnixTime, envelope,
    transport::{self, Noise},
};
use rand_core::Rng as _;

use super::{connection::Connection, shard::Shard};
use crate::limits;

impl Connection {
    /// Moves what the transport itself has to say into the output.
    pub(super) fn take_transport_output(&self) {
        let mut transport = self.transport.borrow_mut();
        while let Some(bytes) = transport.poll_output() {
            self.out.borrow_mut().tail().extend_from_slice(&bytes);
        }
    }

    fn noise(&self, shard: &Shard) -> Noise {
        let mut noise = [0; 16];
        if self.transport.borrow().wants_noise() {
            shard.rng.borrow_mut().fill_bytes(&mut noise);
        }
        Noise(noise)
    }

    /// Frames a packet and puts it behind what waits; `false` if that is now too much.
    pub(super) fn queue(&self, shard: &Shard, packet: Buffer) -> bool {
        let noise = self.noise(shard);
        if packet.len() >= limits::LARGE_PACKET_LEN {
            self.take_transport_output();
            let mut bytes = packet.into_bytes_with_room(transport::HEADROOM);
            self.transport.borrow_mut().encode_in_place(&mut bytes, &noise);
            self.out.borrow_mut().push(bytes);
        } else {
            let mut out = self.out.borrow_mut();
            self.transport.borrow_mut().encode_packet(packet.as_slice(), &noise, out.tail());
        }
        let out = self.out.borrow();
        let fits = out.len() <= limits::WRITE_QUEUE_LEN_MAX;
        if !fits {
            self.full.set(true);
        }
        fits
    }

    /// Queues an unencrypted packet.
    pub(super) fn send_plain(&self, shard: &Shard, body: Buffer) {
        let msg_id = self.plain_ids.borrow_mut().next(shard.now());
        let _ = self.queue(shard, envelope::seal_plain(msg_id, body));
        self.write(shard);
    }

    pub(super) fn quick_ack(&self, shard: &Shard, token: u32) {
        let noise = self.noise(shard);
        self.transport.borrow_mut().encode_quick_ack(token, &noise, self.out.borrow_mut().tail());
    }

    /// Tells the peer an error of the transport, and ends the connection.
    pub(super) fn refuse(&self, code: i32) {
        self.transport.borrow_mut().encode_error(code, self.out.borrow_mut().tail());
        self.close_after_flush();
    }

    /// Ends the connection once what waits was written.
    pub(super) fn close_after_flush(&self) {
        if !self.closing.replace(true) {
            self.transport.borrow_mut().encode_close(self.out.borrow_mut().tail());
        }
        self.wake.notify_one();
    }

    /// At the end of the server: writes what the socket takes at once.
    pub(super) fn say_goodbye(&self, shard: &Shard) {
        self.close_after_flush();
        self.write(shard);
    }

    /// Writes what the socket takes at once; the task that reads goes on with the rest.
    pub(super) fn write(&self, shard: &Shard) {
        if !self.try_write() || self.closing.get() {
            self.wake.notify_one();
        }
        self.resume(shard);
        if self.held.get() && self.takes_requests(shard) {
            self.wake.notify_one();
        }
    }

    /// Lets the sessions go on once the socket has taken most of what waited.
    pub(super) fn resume(&self, shard: &Shard) {
        if self.out.borrow().len() > limits::WRITE_QUEUE_LEN_MAX / 2 {
            return;
        }
        if self.closing.get() || !self.full.take() {
            return;
        }
        for id in self.sessions.borrow().iter() {
            if let Some(live) = shard.find_session(*id) {
                live.session.borrow_mut().set_writable(self.id, true);
                shard.mark(&live);
            }
        }
    }

    /// Whether as much is ready for the peer as may wait for it.
    pub(super) fn has_enough_to_take(&self, shard: &Shard) -> bool {
        let len = self.out.borrow().len();
        // What sessions have is looked up only once a message has made it much.
        let waiting = if self.crowded.get() { self.waiting(shard) } else { 0 };
        let enough = len + waiting >= limits::UNTAKEN_LEN_MAX;
        self.crowded.set(enough && waiting > 0);
        enough
    }

    /// How many bytes its sessions have for it.
    fn waiting(&self, shard: &Shard) -> usize {
        let sessions = self.sessions.borrow();
        let sessions = sessions.iter().filter_map(|id| shard.find_session(*id));
        sessions.map(|live| live.session.borrow().waiting_len()).sum()
    }

    /// How many bytes of answers are promised to the peer and not taken by its socket yet.
    pub(super) fn backlog(&self, shard: &Shard) -> usize {
        self.room.promised.get() + self.waiting(shard) + self.out.borrow().len()
    }

    /// Writes what the socket takes at once; whether that was all.
    pub(super) fn try_write(&self) -> bool {
        let mut out = self.out.borrow_mut();
        while !out.is_empty() {
            let (slices, count) = out.slices();
            // Mostly there is one, which costs less by itself.
            let written = match &slices[..count] {
                [slice] => self.stream.try_write(slice),
                slices => self.stream.try_write_vectored(slices),
            };
            match written {
                Ok(len) => {
                    out.advance(len);
                    self.taken.set(self.taken.get().saturating_add(len));
                    self.room.freed.notify_one();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(_) => {
                    // The peer is gone; reading will find out as well.
                    out.clear();
                    self.closing.set(true);
                }
            }
        }
        // Gives the memory back.
        out.clear();
        true
    }

    /// After a moment that was much longer for us than for the peer, who has had no time to say something.
    pub(super) fn begin_deadlines_anew(&self, now: UnixTime) {
        self.heard.set(now);
        if self.stuck_since.get().is_some() {
            self.stuck_since.set(Some(now));
        }
    }

    /// Closes the connection if it said nothing for too long or takes nothing, and lets its sessions go on once it takes again.
    pub(super) fn check_deadlines(&self, shard: &Shard, now: UnixTime) {
        let config = &shard.shared.config.limits;
        let allowed_s = if self.has_packet.get() { config.idle_s } else { config.first_packet_s };
        if now.since(self.heard.get()).as_secs() >= allowed_s {
            self.close_after_flush();
        }
        if self.held.get() && self.takes_requests(shard) {
            // Another connection of a session took what there was.
            self.wake.notify_one();
        }
        if self.out.borrow().is_empty() {
            self.stuck_since.set(None);
            self.resume(shard);
            return;
        }
        if !self.full.get() && !self.held.get() && !self.closing.get() {
            self.stuck_since.set(None);
            return;
        }
        match self.stuck_since.get() {
            // Slow, but it takes something: the time begins anew.
            Some(_) if self.taken.get() >= limits::SLOW_READER_LEN_MIN => self.stuck_from(now),
            Some(since) if now.since(since) >= limits::SLOW_READER => {
                tracing::debug!("a connection reads too slowly");
                self.out.borrow_mut().clear();
                self.closing.set(true);
                self.wake.notify_one();
            }
            Some(_) => {}
            None => self.stuck_from(now),
        }
    }

    /// From `now` on it is watched how much the socket takes.
    fn stuck_from(&self, now: UnixTime) {
        self.stuck_since.set(Some(now));
        self.taken.set(0);
    }
}
