//! What waits to be written to a stream.

use std::{collections::VecDeque, io::IoSlice};

use bytes::{Buf as _, BytesMut};

/// How many segments one write takes.
const SLICE_COUNT: usize = 16;

/// Bytes in the order they are written: what is small lies together, what is large lies as it was made.
///
/// It has no bound of its own: whoever fills it looks at [`len`](Self::len).
#[derive(Debug, Default)]
pub struct Output {
    segments: VecDeque<BytesMut>,
    /// Whether the last segment is one that small things are appended to.
    open: bool,
}

impl Output {
    /// Where to append what is small.
    pub fn tail(&mut self) -> &mut BytesMut {
        if !self.open {
            if self.segments.is_empty() {
                // Hardly ever there are more.
                self.segments.reserve_exact(1);
            }
            self.open = true;
            return self.segments.push_back_mut(BytesMut::new());
        }
        self.segments.back_mut().expect("the segment that is open")
    }

    /// Appends bytes without copying them.
    pub fn push(&mut self, bytes: BytesMut) {
        self.segments.push_back(bytes);
        self.open = false;
    }

    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.segments.iter().map(BytesMut::len).sum()
    }

    /// Whether none wait.
    pub fn is_empty(&self) -> bool {
        self.segments.iter().all(BytesMut::is_empty)
    }

    /// Drops all, and the memory.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The first bytes, for one write: slices, and how many of them count.
    pub fn slices(&self) -> ([IoSlice<'_>; SLICE_COUNT], usize) {
        let mut slices = [IoSlice::new(&[]); SLICE_COUNT];
        let mut count = 0;
        for (slice, segment) in slices.iter_mut().zip(&self.segments) {
            *slice = IoSlice::new(segment);
            count += 1;
        }
        (slices, count)
    }

    /// Drops the first `len` bytes: they were written. Room for small things is kept.
    pub fn advance(&mut self, mut len: usize) {
        loop {
            let is_last = self.open && self.segments.len() == 1;
            let Some(first) = self.segments.front_mut() else { break };
            if first.len() > len || is_last {
                // The last one stays, for the small things to come.
                first.advance(len.min(first.len()));
                return;
            }
            len -= first.len();
            self.segments.pop_front();
        }
        self.open = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(output: &Output) -> Vec<u8> {
        let (slices, count) = output.slices();
        slices[..count].iter().flat_map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn bytes_come_in_the_order_they_went() {
        let mut output = Output::default();
        assert!(output.is_empty());
        output.tail().extend_from_slice(&[1, 2]);
        output.tail().extend_from_slice(&[3]);
        output.push(BytesMut::from(&[4, 5][..]));
        output.tail().extend_from_slice(&[6]);
        assert_eq!(bytes(&output), [1, 2, 3, 4, 5, 6]);
        assert_eq!(output.slices().1, 3);
        for (len, left) in [(0, vec![1, 2, 3, 4, 5, 6]), (2, vec![3, 4, 5, 6]), (2, vec![5, 6])] {
            output.advance(len);
            assert_eq!((bytes(&output), output.len()), (left.clone(), left.len()));
        }
        output.tail().extend_from_slice(&[7]);
        output.advance(3);
        assert!(output.is_empty());
        output.tail().extend_from_slice(&[8]);
        assert_eq!(bytes(&output), [8]);
    }
}
