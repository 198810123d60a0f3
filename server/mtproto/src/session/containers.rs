//! Several messages in one: reading what clients send, writing what we send.
//!
//! ```text
//! msg_container | 0x73f1f8dc (4) | count (4) | count times: msg_id (8) | seq_no (4) | length (4) | body |
//! msg_copy      | 0xe06046b2 (4) | msg_id (8) | seq_no (4) | length (4) | body |
//! ```
//!
//! The schema cannot say where a body ends, so this is written by hand. Bodies are not copied on reading.

use bytes::Bytes;
use tl::Cursor;
use tl::mtproto::types::{MsgContainer, MsgCopy};

use crate::buffer::Buffer;
use crate::limits::CONTAINER_COUNT_MAX;
use crate::msg_id::MsgId;

/// A message inside a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inner {
    pub(crate) msg_id: MsgId,
    pub(crate) seq_no: i32,
    pub(crate) body: Bytes,
}

impl Inner {
    /// The body's constructor id.
    pub(crate) fn id(&self) -> Option<u32> {
        Cursor::new(&self.body).peek_id().ok()
    }
}

/// A container that breaks the rules: `bad_msg_notification` with code 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadContainer;

/// Splits a `msg_container`, its constructor id included.
pub(crate) fn read(container: &Bytes) -> Result<Vec<Inner>, BadContainer> {
    let mut input = Cursor::new(container);
    let id = input.u32().map_err(|_| BadContainer)?;
    let count = input.bare_vector_len().map_err(|_| BadContainer)?;
    if id != MsgContainer::ID || count > CONTAINER_COUNT_MAX {
        return Err(BadContainer);
    }
    let mut messages = Vec::with_capacity(count);
    for _ in 0..count {
        messages.push(read_message(container, &mut input)?);
    }
    input.finish().map_err(|_| BadContainer)?;
    Ok(messages)
}

/// Unwraps a `msg_copy`, its constructor id included.
pub(crate) fn read_copy(copy: &Bytes) -> Result<Inner, BadContainer> {
    let mut input = Cursor::new(copy);
    if input.u32() != Ok(MsgCopy::ID) {
        return Err(BadContainer);
    }
    read_message(copy, &mut input)
}

fn read_message(whole: &Bytes, input: &mut Cursor<'_>) -> Result<Inner, BadContainer> {
    let bad = |_| BadContainer;
    let msg_id = MsgId(input.i64().map_err(bad)?);
    let seq_no = input.i32().map_err(bad)?;
    let length = input.i32().map_err(bad)?;
    let len = usize::try_from(length).ok().filter(|len| len.is_multiple_of(4));
    let start = input.position();
    let body = input.take(len.ok_or(BadContainer)?).map_err(bad)?;
    Ok(Inner { msg_id, seq_no, body: whole.slice(start..start.saturating_add(body.len())) })
}

/// Bytes that a message takes in a container beside its body.
pub(crate) const ITEM_HEADER_LEN: usize = 16;

/// Writes a container.
pub(crate) struct Writer {
    buffer: Buffer,
    count: u32,
}

impl Writer {
    /// An empty container with room for `items_len` bytes of messages, their headers included.
    pub(crate) fn new(items_len: usize) -> Self {
        let mut buffer = Buffer::with_capacity(items_len.saturating_add(8));
        buffer.tail().extend_from_slice(&MsgContainer::ID.to_le_bytes());
        buffer.tail().extend_from_slice(&[0; 4]);
        Self { buffer, count: 0 }
    }

    /// Appends a message.
    pub(crate) fn put(&mut self, msg_id: MsgId, seq_no: i32, body: &[u8]) {
        let tail = self.buffer.tail();
        tail.extend_from_slice(&msg_id.0.to_le_bytes());
        tail.extend_from_slice(&seq_no.to_le_bytes());
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        tail.extend_from_slice(&length.to_le_bytes());
        tail.extend_from_slice(body);
        self.count = self.count.saturating_add(1);
    }

    /// The container.
    pub(crate) fn finish(mut self) -> Buffer {
        if let Some(count) = self.buffer.as_mut_slice().get_mut(4..8) {
            count.copy_from_slice(&self.count.to_le_bytes());
        }
        self.buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(items: &[(i64, i32, &[u8])]) -> Bytes {
        let mut writer = Writer::new(64);
        for (msg_id, seq_no, body) in items {
            writer.put(MsgId(*msg_id), *seq_no, body);
        }
        writer.finish().into_bytes().freeze()
    }

    /// Reads `bytes` and gives the bodies' identifiers.
    #[track_caller]
    fn check(bytes: &Bytes, expected: Result<&[i64], BadContainer>) {
        let read = read(bytes).map(|inner| inner.iter().map(|m| m.msg_id.0).collect::<Vec<_>>());
        assert_eq!(read.as_deref().map_err(|e| *e), expected);
    }

    #[test]
    fn what_is_written_is_read() {
        check(&container(&[]), Ok(&[]));
        let two = container(&[(4, 1, &[1; 8]), (8, 3, &[])]);
        check(&two, Ok(&[4, 8]));
        assert_eq!(read(&two).unwrap()[0].body[..], [1; 8]);
    }

    #[test]
    fn bounds_are_checked() {
        let good = container(&[(4, 1, &[1; 8])]);
        for len in 0..good.len() {
            check(&good.slice(..len), Err(BadContainer));
        }
        let change = |at: usize, to: u8| {
            let mut bytes = good.to_vec();
            bytes[at] = to;
            Bytes::from(bytes)
        };
        check(&change(0, 0), Err(BadContainer));
        check(&change(4, 2), Err(BadContainer));
        check(&change(20, 4), Err(BadContainer));
        check(&change(20, 7), Err(BadContainer));
        check(&change(23, 0x80), Err(BadContainer));
        let many: Vec<_> = (0..=1024).map(|at| (at * 4, 0, &[][..])).collect();
        check(&container(&many), Err(BadContainer));
        assert_eq!(read(&container(&many[1..])).unwrap().len(), 1024);
    }
}
