//! SHA-256 of several messages side by side.

use sha2::block_api::compress256;

use super::{Backend, Block, SHA256_START, State, pad, to_bytes};
use crate::Secret;

/// From which length on the first message has all hashed in four lanes: what that takes more is lost on shorter ones.
const LONG_LEN: usize = 512;

/// What gets hashed: a secret and the data behind it.
#[derive(Debug)]
pub(crate) struct Message<'a, T> {
    /// A part of the auth key.
    pub(crate) secret: &'a [u8; 32],
    /// Any number of bytes.
    pub(crate) data: &'a [u8],
    /// Whose hash it is; handed back together with it.
    pub(crate) tag: T,
}

/// Hashes all messages, each as [`super::sha256`] of its two parts. They are taken one by one, whenever another has
/// ended.
pub(crate) fn sha256_many<'a, T>(
    messages: impl Iterator<Item = Message<'a, T>>,
    done: impl FnMut(T, [u8; 32]),
) {
    let mut messages = messages.peekable();
    if messages.peek().is_some_and(|first| first.data.len() >= LONG_LEN) {
        sha256_many_with::<T, 4>(Backend::detect(), messages, done);
    } else {
        sha256_many_with::<T, 2>(Backend::detect(), messages, done);
    }
}

/// Hashes messages in so many lanes, two to four.
#[expect(clippy::indexing_slicing, reason = "lanes by their numbers")]
pub(super) fn sha256_many_with<'a, T, const LANES: usize>(
    backend: Backend,
    messages: impl Iterator<Item = Message<'a, T>>,
    mut done: impl FnMut(T, [u8; 32]),
) {
    const { assert!(2 <= LANES && LANES <= 4) };
    let mut messages = messages.fuse();
    let mut lanes: [Lane<'a, T>; LANES] = [const { Lane::IDLE }; LANES];
    let mut states = [SHA256_START; LANES];
    loop {
        for (lane, state) in lanes.iter_mut().zip(&mut states) {
            if !lane.todo().is_empty() {
                continue;
            }
            if let Some(tag) = lane.tag.take() {
                done(tag, to_bytes(state));
            }
            if let Some(message) = messages.next() {
                lane.install(message);
                *state = SHA256_START;
            }
        }
        let todo = lanes.each_ref().map(Lane::todo);
        let count = if todo.iter().all(|todo| !todo.is_empty()) {
            backend.compress(&mut states, todo)
        } else {
            // No message is left but those that are being hashed.
            let mut busy = (0..LANES).filter(|lane| !todo[*lane].is_empty());
            match (busy.next(), busy.next(), busy.next()) {
                (None, ..) => return,
                (Some(alone), None, _) => {
                    compress256(&mut states[alone], todo[alone]);
                    todo[alone].len()
                }
                (Some(one), Some(two), None) => compress(backend, &mut states, &todo, [one, two]),
                (Some(one), Some(two), Some(three)) => {
                    compress(backend, &mut states, &todo, [one, two, three])
                }
            }
        };
        lanes.iter_mut().for_each(|lane| lane.done += count);
    }
}

/// Takes as many blocks of the lanes `busy` into their states as each of them has; tells how many.
#[expect(clippy::indexing_slicing, reason = "lanes by their numbers")]
fn compress<const L: usize, const LANES: usize>(
    backend: Backend,
    states: &mut [State; LANES],
    todo: &[&[Block]; LANES],
    busy: [usize; L],
) -> usize {
    let mut of_busy = busy.map(|lane| states[lane]);
    let count = backend.compress(&mut of_busy, busy.map(|lane| todo[lane]));
    busy.into_iter().zip(of_busy).for_each(|(lane, state)| states[lane] = state);
    count
}

/// A message being hashed, in blocks:
///
/// ```text
/// edges[0]              middle            edges[1..]
/// secret | data         data              data | 0x80 | zeros | bits (8)
/// ```
///
/// Data that does not fill `edges[0]` has its padding there.
struct Lane<'a, T> {
    edges: Secret<{ 3 * 64 }>,
    /// How many of `edges`.
    edge_count: usize,
    middle: &'a [Block],
    /// How many of all blocks are done.
    done: usize,
    /// What the message's hash is returned with; none without a message.
    tag: Option<T>,
}

impl<'a, T> Lane<'a, T> {
    /// Without a message.
    const IDLE: Self = Self { edges: Secret::ZERO, edge_count: 0, middle: &[], done: 0, tag: None };

    /// Puts a message at its start into a lane.
    #[inline]
    fn install(&mut self, message: Message<'a, T>) {
        let Message { secret, data, tag } = message;
        let (front, rest) = data.split_at(data.len().min(32));
        let (middle, back) = rest.as_chunks();
        self.edges.fill(0);
        let bits = (32 + data.len() as u64) * 8;
        let edge_count = pad(&mut *self.edges, &[secret, front, back], bits).len();
        (self.edge_count, self.middle, self.done, self.tag) = (edge_count, middle, 0, Some(tag));
    }

    /// Blocks to be done next, one after another; empty at the end.
    #[inline]
    fn todo(&self) -> &[Block] {
        let (edges, middle_end) = (self.edges.as_chunks().0, 1 + self.middle.len());
        let todo = if self.edge_count == 0 {
            None
        } else if self.done == 0 {
            edges.get(..1)
        } else if self.done < middle_end {
            self.middle.get(self.done - 1..)
        } else {
            edges.get(1 + self.done - middle_end..self.edge_count)
        };
        todo.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sha::sha256;

    /// Every backend gives for messages of these lengths what each of them alone gives.
    #[track_caller]
    fn check(lens: &[usize]) {
        let message = |i: usize, len: &usize| {
            let secret = [u8::try_from(i % 251).unwrap(); 32];
            (secret, (0..*len).map(|at| (at * 7 + i) as u8).collect::<Vec<_>>())
        };
        let all: Vec<_> = lens.iter().enumerate().map(|(i, len)| message(i, len)).collect();
        let expected: Vec<_> =
            all.iter().map(|(secret, data)| Some(sha256(&[secret, data]))).collect();
        for backend in Backend::all() {
            check_in_lanes::<2>(backend, &all, &expected);
            check_in_lanes::<4>(backend, &all, &expected);
        }
    }

    #[track_caller]
    fn check_in_lanes<const LANES: usize>(
        backend: Backend,
        all: &[([u8; 32], Vec<u8>)],
        expected: &[Option<[u8; 32]>],
    ) {
        let mut hashes = vec![None; all.len()];
        let messages = all.iter().enumerate();
        let messages = messages.map(|(tag, (secret, data))| Message { secret, data, tag });
        sha256_many_with::<_, LANES>(backend, messages, |tag, hash| {
            assert_eq!(hashes[tag].replace(hash), None, "{backend:?} gave {tag} twice");
        });
        assert_eq!(hashes, expected, "{backend:?}, {LANES} lanes");
    }

    #[test]
    fn every_length_alone_and_beside_another() {
        check(&[]);
        for len in 0..300 {
            check(&[len]);
            check(&[len, 299 - len]);
            check(&[len, 299 - len, 150]);
            check(&[150, len, 64, 299 - len]);
        }
    }

    #[test]
    fn the_next_takes_the_place_of_the_shorter() {
        check(&(0..300).collect::<Vec<_>>());
        check(&[5000, 1, 2, 3, 1000, 64, 32, 31, 33, 96, 4000, 0]);
        check(&[0, 5000]);
    }
}
