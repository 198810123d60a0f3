//! SHA-256 of several messages side by side.

#![expect(clippy::indexing_slicing, reason = "lanes by their numbers")]

use super::{
    Backend, Block, SHA256_START, State, pad, to_bytes,
    wide::{self, Wide},
};
use crate::Secret;

/// From which length on the first message has all hashed in more than two lanes: what that takes more is lost on shorter ones.
const LONG_LEN: usize = 512;

/// How many messages a step of [`Backend::compress`] is for at most.
const LANES_MAX: usize = 4;

/// From how many messages on the wide way is taken, where it is the faster one for as many as it has lanes.
const WIDE_MIN: usize = 7;

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
    let backend = Backend::detect();
    let count_max = messages.size_hint().1.unwrap_or(usize::MAX);
    let mut messages = messages.peekable();
    if messages.peek().is_none_or(|first| first.data.len() < LONG_LEN) {
        return sha256_many_with::<T, 2>(backend, messages, done);
    }
    match Wide::if_faster_than(backend) {
        Some(wide) if count_max >= WIDE_MIN => sha256_many_wide(backend, wide, messages, done),
        _ => sha256_many_with::<T, LANES_MAX>(backend, messages, done),
    }
}

/// Hashes messages in so many lanes.
fn sha256_many_with<'a, T, const LANES: usize>(
    backend: Backend,
    messages: impl Iterator<Item = Message<'a, T>>,
    mut done: impl FnMut(T, [u8; 32]),
) {
    const { assert!(LANES <= LANES_MAX) };
    let mut messages = messages.fuse();
    let mut lanes: [Lane<'a, T>; LANES] = [const { Lane::IDLE }; LANES];
    let mut states = [SHA256_START; LANES];
    loop {
        let (busy, count) = refill(&mut lanes, &mut states, &mut messages, &mut done);
        let todo = lanes.each_ref().map(Lane::todo);
        let step = if count == LANES {
            backend.compress(&mut states, todo)
        } else {
            // No message is left but those that are being hashed.
            compress_some(backend, &mut states, &todo, &busy[..count])
        };
        if step == 0 {
            return;
        }
        lanes.iter_mut().for_each(|lane| lane.done += step);
    }
}

/// Hashes messages in many lanes, and the last ones in few.
fn sha256_many_wide<'a, T>(
    backend: Backend,
    wide: Wide,
    messages: impl Iterator<Item = Message<'a, T>>,
    mut done: impl FnMut(T, [u8; 32]),
) {
    let mut messages = messages.fuse();
    let mut lanes: [Lane<'a, T>; wide::LANES] = [const { Lane::IDLE }; wide::LANES];
    let mut states = [SHA256_START; wide::LANES];
    loop {
        let (busy, count) = refill(&mut lanes, &mut states, &mut messages, &mut done);
        let mut todo = lanes.each_ref().map(Lane::todo);
        let mut busy = &busy[..count];
        let step = if count >= WIDE_MIN {
            // Lanes without a message do over again what the first of the others does.
            let first = todo[busy[0]];
            todo.iter_mut().filter(|todo| todo.is_empty()).for_each(|todo| *todo = first);
            wide.compress(&mut states, todo)
        } else {
            busy = &busy[..count.min(LANES_MAX)];
            compress_some(backend, &mut states, &todo, busy)
        };
        if step == 0 {
            return;
        }
        busy.iter().for_each(|lane| lanes[*lane].done += step);
    }
}

/// Hands over what is done, and puts other messages in its place; answers which lanes have something to do, and how many.
#[inline]
fn refill<'a, T, const LANES: usize>(
    lanes: &mut [Lane<'a, T>; LANES],
    states: &mut [State; LANES],
    messages: &mut impl Iterator<Item = Message<'a, T>>,
    done: &mut impl FnMut(T, [u8; 32]),
) -> ([usize; LANES], usize) {
    let (mut busy, mut count) = ([0; LANES], 0);
    for (number, (lane, state)) in lanes.iter_mut().zip(states).enumerate() {
        if lane.todo().is_empty() {
            if let Some(tag) = lane.tag.take() {
                done(tag, to_bytes(state));
            }
            let Some(message) = messages.next() else { continue };
            lane.install(message);
            *state = SHA256_START;
        }
        busy[count] = number;
        count += 1;
    }
    (busy, count)
}

/// Takes as many blocks of the lanes `busy`, four at most, into their states as each of them has; tells how many.
fn compress_some<const LANES: usize>(
    backend: Backend,
    states: &mut [State; LANES],
    todo: &[&[Block]; LANES],
    busy: &[usize],
) -> usize {
    // Whatever has no arm here would count as hashed.
    const { assert!(LANES_MAX == 4) };
    match *busy {
        [a] => compress(backend, states, todo, [a]),
        [a, b] => compress(backend, states, todo, [a, b]),
        [a, b, c] => compress(backend, states, todo, [a, b, c]),
        [a, b, c, d] => compress(backend, states, todo, [a, b, c, d]),
        _ => 0,
    }
}

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

    type Messages<'a> = Box<dyn Iterator<Item = Message<'a, usize>> + 'a>;

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
            let name = format!("{backend:?}");
            same(&name, &all, &expected, |messages, done| {
                sha256_many_with::<_, 2>(backend, messages, done);
            });
            same(&name, &all, &expected, |messages, done| {
                sha256_many_with::<_, LANES_MAX>(backend, messages, done);
            });
            if let Some(wide) = Wide::detect() {
                same(&format!("{name}, wide"), &all, &expected, |messages, done| {
                    sha256_many_wide(backend, wide, messages, done);
                });
            }
        }
    }

    #[track_caller]
    fn same(
        name: &str,
        all: &[([u8; 32], Vec<u8>)],
        expected: &[Option<[u8; 32]>],
        hash: impl FnOnce(Messages<'_>, &mut dyn FnMut(usize, [u8; 32])),
    ) {
        let mut hashes = vec![None; all.len()];
        let messages = all.iter().enumerate();
        let messages = messages.map(|(tag, (secret, data))| Message { secret, data, tag });
        hash(Box::new(messages), &mut |tag, hash| {
            assert_eq!(hashes[tag].replace(hash), None, "{name} gave {tag} twice");
        });
        assert_eq!(hashes, expected, "{name}");
    }

    #[test]
    fn every_length_alone_and_beside_another() {
        check(&[]);
        for len in 0..300 {
            check(&[len]);
            check(&[len, 299 - len]);
            check(&[len, 299 - len, 150]);
            check(&[150, len, 64, 299 - len]);
            check(&[150, len, 64, 299 - len, len / 2, 1]);
            check(&[150, len, 64, 299 - len, len / 2, 1, 299, len, 80]);
        }
    }

    #[test]
    fn the_next_takes_the_place_of_the_shorter() {
        check(&(0..300).collect::<Vec<_>>());
        check(&[5000, 1, 2, 3, 1000, 64, 32, 31, 33, 96, 4000, 0]);
        check(&[0, 5000]);
    }
}
