//! SHA-256 of several messages side by side.

#![expect(clippy::indexing_slicing, reason = "lanes by their numbers")]

use core::array;

use super::{Backend, Block, SHA256_START, State, pad, to_bytes, wide::Wide};
use crate::Secret;

/// From which length on the first message has all hashed in more than two lanes: what that takes more is lost on shorter ones.
const LONG_LEN: usize = 512;

/// The same where there are enough for sixteen lanes.
const LONG_LEN_OF_SIXTEEN: usize = 192;

/// From how many messages on the eight lanes of [`Wide`] are taken, some of them idle if need be.
const EIGHT_MIN: usize = 7;

/// From how many messages on it is the sixteen lanes, which take as long as eight and three alone.
const SIXTEEN_MIN: usize = 11;

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
    let first_len = messages.peek().map_or(0, |first| first.data.len());
    let is_long = first_len >= LONG_LEN;
    match Wide::if_faster_than(backend) {
        wide @ Some(_) if count_max >= SIXTEEN_MIN && first_len >= LONG_LEN_OF_SIXTEEN => {
            sha256_many_with::<T, 16>(backend, wide, messages, done);
        }
        wide @ Some(_) if count_max >= EIGHT_MIN && is_long => {
            sha256_many_with::<T, 8>(backend, wide, messages, done);
        }
        _ if is_long => sha256_many_with::<T, 4>(backend, None, messages, done),
        _ => sha256_many_with::<T, 2>(backend, None, messages, done),
    }
}

/// Hashes messages in so many lanes.
fn sha256_many_with<'a, T, const LANES: usize>(
    backend: Backend,
    wide: Option<Wide>,
    messages: impl Iterator<Item = Message<'a, T>>,
    mut done: impl FnMut(T, [u8; 32]),
) {
    let mut messages = messages.fuse();
    let mut lanes: [Lane<'a, T>; LANES] = [const { Lane::IDLE }; LANES];
    let mut states = [SHA256_START; LANES];
    loop {
        let (busy, count) = refill(&mut lanes, &mut states, &mut messages, &mut done);
        let mut work = Work { states: &mut states, todo: lanes.each_ref().map(Lane::todo) };
        let busy = &busy[..count];
        let (taken, step) = match (count, wide) {
            (0, _) => return,
            // Nothing has to be picked: a tenth of what short messages take.
            (_, None) if count == LANES => (count, backend.compress(work.states, work.todo)),
            (SIXTEEN_MIN.., Some(wide)) => work.on(busy, |states, todo| wide.sixteen(states, todo)),
            (EIGHT_MIN.., Some(wide)) => work.on(busy, |states, todo| wide.eight(states, todo)),
            (1, _) => work.on(busy, |states: &mut [_; 1], todo| backend.compress(states, todo)),
            (2, _) => work.on(busy, |states: &mut [_; 2], todo| backend.compress(states, todo)),
            (3, _) => work.on(busy, |states: &mut [_; 3], todo| backend.compress(states, todo)),
            (_, _) => work.on(busy, |states: &mut [_; 4], todo| backend.compress(states, todo)),
        };
        busy[..taken].iter().for_each(|lane| lanes[*lane].done += step);
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

/// What lanes have to do, as long as none is refilled.
struct Work<'s, 't, const LANES: usize> {
    states: &'s mut [State; LANES],
    todo: [&'t [Block]; LANES],
}

impl<const LANES: usize> Work<'_, '_, LANES> {
    /// Has the first `L` lanes of `busy` worked on, or all if there are fewer; tells how many they are, and how many blocks
    /// of each are done.
    #[inline]
    fn on<const L: usize>(
        &mut self,
        busy: &[usize],
        compress: impl FnOnce(&mut [State; L], [&[Block]; L]) -> usize,
    ) -> (usize, usize) {
        let taken = busy.len().min(L);
        // Where a lane is missing, the work of the first is done over again.
        let lanes: [usize; L] = array::from_fn(|at| busy[if at < taken { at } else { 0 }]);
        let mut states = lanes.map(|lane| self.states[lane]);
        let step = compress(&mut states, lanes.map(|lane| self.todo[lane]));
        busy[..taken].iter().zip(states).for_each(|(lane, state)| self.states[*lane] = state);
        (taken, step)
    }
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
                sha256_many_with::<_, 2>(backend, None, messages, done);
            });
            same(&name, &all, &expected, |messages, done| {
                sha256_many_with::<_, 4>(backend, None, messages, done);
            });
            if let wide @ Some(_) = Wide::detect() {
                same(&format!("{name}, eight"), &all, &expected, |messages, done| {
                    sha256_many_with::<_, 8>(backend, wide, messages, done);
                });
                same(&format!("{name}, sixteen"), &all, &expected, |messages, done| {
                    sha256_many_with::<_, 16>(backend, wide, messages, done);
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
            check(&[len; 11]);
            check(&[
                80,
                len,
                64,
                299 - len,
                1,
                299,
                len,
                63,
                65,
                len / 2,
                0,
                119,
                120,
                5,
                290,
                len,
            ]);
        }
    }

    #[test]
    fn the_next_takes_the_place_of_the_shorter() {
        check(&(0..300).collect::<Vec<_>>());
        check(&[5000, 1, 2, 3, 1000, 64, 32, 31, 33, 96, 4000, 0]);
        check(&[0, 5000]);
    }
}
