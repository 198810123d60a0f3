//! Which lengths the parts of an upload may have, whatever order they come in.
//!
//! All parts but the last one have the same length, which is a power of two of KiB; the last one is no longer than that:
//!
//! ```text
//! 0 1 2 3 4          4 first: nobody knows the others' length; a length that is no power of two tells that it is the last
//! █ █ █ █ ▄          then 2: the length is known, and that 4 is the last; from now on 5 is refused
//! ```

use storage::blobs::tree::is_piece_len;
use tl::operations::enums::Refusal;
use tl::records::types::Upload;

use crate::Result;

/// The lengths of the parts that came. Fields as in the record of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    count: i32,
    /// The greatest number of a part; -1 if there is none.
    max: i32,
    /// The length of all but the last; 0 if it is not known.
    piece_len: i32,
    /// The number of the last part, if one that can be no other came.
    last: Option<i32>,
    /// How many parts there will be, if that is known.
    total: Option<i32>,
}

impl Shape {
    pub(super) const fn of(upload: &Upload) -> Self {
        Self {
            count: upload.part_count,
            max: upload.part_max,
            piece_len: upload.piece_len,
            last: upload.last,
            total: upload.total,
        }
    }

    pub(super) const fn write(&self, upload: &mut Upload) {
        upload.part_count = self.count;
        upload.part_max = self.max;
        upload.piece_len = self.piece_len;
        upload.last = self.last;
        upload.total = self.total;
    }

    /// Notes how many parts there will be, and whether `part` can be one of them.
    pub(super) fn announce(
        &mut self,
        total: Option<i32>,
        part: i32,
        part_count_max: i32,
    ) -> Result<()> {
        if !(0..part_count_max).contains(&part) {
            return Err(Refusal::FilePartInvalid.into());
        }
        if let Some(total) = total {
            let fits = (1..=part_count_max).contains(&total)
                && self.total.is_none_or(|before| before == total)
                && self.max < total
                && self.last.is_none_or(|last| last == total - 1);
            if !fits {
                return Err(Refusal::FilePartsInvalid.into());
            }
            self.total = Some(total);
        }
        if self.total.is_some_and(|total| part >= total) {
            return Err(Refusal::FilePartInvalid.into());
        }
        Ok(())
    }

    /// Notes a part, which replaces one of the length `before`. `len_of` tells the length of another part.
    pub(super) fn put(
        &mut self,
        part: i32,
        len: i32,
        before: Option<i32>,
        len_of: impl Fn(i32) -> Result<i32>,
    ) -> Result<()> {
        if before == Some(len) {
            return Ok(());
        }
        if before.is_some() {
            self.take(part, &len_of)?;
        }
        self.add(part, len, len_of)?;
        self.count += 1;
        self.max = self.max.max(part);
        if let (Some(last), Some(total)) = (self.last, self.total)
            && last != total - 1
        {
            return Err(Self::refusal(len));
        }
        Ok(())
    }

    /// Forgets a part, whose row is about to be replaced.
    fn take(&mut self, part: i32, len_of: &impl Fn(i32) -> Result<i32>) -> Result<()> {
        self.count -= 1;
        if self.last == Some(part) {
            self.last = None;
        }
        if self.count == 0 {
            self.piece_len = 0;
        } else if self.count == 1
            && let Some(last) = self.last
        {
            // It is alone now, and so its length is what is known.
            let len = len_of(last)?;
            (self.piece_len, self.last) = alone(last, len);
        }
        Ok(())
    }

    fn add(&mut self, part: i32, len: i32, len_of: impl Fn(i32) -> Result<i32>) -> Result<()> {
        if self.count == 0 {
            (self.piece_len, self.last) = alone(part, len);
            return Ok(());
        }
        if len == self.piece_len {
            // One among the others, unless it comes behind the last.
            let inside = self.last.is_none_or(|last| part < last);
            return if inside { Ok(()) } else { Err(Refusal::FilePartSizeChanged.into()) };
        }
        if len < self.piece_len {
            if self.last.is_some() || part < self.max {
                return Err(Self::refusal(len));
            }
            self.last = Some(part);
            return Ok(());
        }
        // Longer than those before: then the only one before was the last.
        if self.count > 1 || !is_piece(len) || part >= self.max {
            return Err(Self::refusal(len));
        }
        if self.piece_len == 0 && len_of(self.max)? > len {
            return Err(Refusal::FilePartSizeChanged.into());
        }
        self.last = Some(self.max);
        self.piece_len = len;
        Ok(())
    }

    /// What a part that can be neither last nor like the others is refused with.
    fn refusal(len: i32) -> crate::Error {
        let refusal =
            if is_piece(len) { Refusal::FilePartSizeChanged } else { Refusal::FilePartSizeInvalid };
        refusal.into()
    }
}

/// What is known from one part alone: the length of the others, or that it is the last.
fn alone(part: i32, len: i32) -> (i32, Option<i32>) {
    if is_piece(len) { (len, None) } else { (0, Some(part)) }
}

fn is_piece(len: i32) -> bool {
    usize::try_from(len).is_ok_and(is_piece_len)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const KIB: i32 = 1024;

    /// Whether parts, given as (number, length), come in; the refusal of the first one that does not.
    #[track_caller]
    fn check(total: Option<i32>, parts: &[(i32, i32)], expected: Option<Refusal>) {
        let mut shape = Shape { count: 0, max: -1, piece_len: 0, last: None, total: None };
        let mut lens = BTreeMap::new();
        let mut refused = None;
        for (part, len) in parts {
            let before = lens.get(part).copied();
            let len_of = |part| Ok(lens.get(&part).copied().unwrap_or(0));
            let result = shape
                .announce(total, *part, 4000)
                .and_then(|()| shape.put(*part, *len, before, len_of));
            match result {
                Ok(()) => drop(lens.insert(*part, *len)),
                Err(crate::Error::Refused(refusal)) => {
                    refused = Some(refusal);
                    break;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(refused, expected, "{total:?} {parts:?}");
        if refused.is_none() {
            assert_eq!(usize::try_from(shape.count), Ok(lens.len()), "{parts:?}");
        }
    }

    #[test]
    fn parts_come_in_any_order() {
        for parts in [
            &[(0, KIB), (1, KIB), (2, 5)][..],
            &[(2, 5), (0, KIB), (1, KIB)],
            &[(0, KIB), (2, 5), (1, KIB)],
            &[(2, 1000), (1, KIB), (0, KIB)],
            // The last one might have been one of the others.
            &[(2, KIB), (1, 2 * KIB), (0, 2 * KIB)],
            &[(2, KIB), (1, KIB), (0, KIB)],
            &[(0, 5)],
            &[(0, 512 * KIB)],
        ] {
            check(None, parts, None);
            check(Some(parts.len() as i32), parts, None);
        }
    }

    #[test]
    fn all_but_the_last_have_one_length() {
        let changed = Some(Refusal::FilePartSizeChanged);
        let invalid = Some(Refusal::FilePartSizeInvalid);
        check(None, &[(0, KIB), (1, 2 * KIB)], changed.clone());
        check(None, &[(0, 2 * KIB), (1, 2 * KIB), (0, KIB)], changed.clone());
        check(None, &[(1, 2 * KIB), (0, KIB)], changed.clone());
        check(None, &[(1, 2 * KIB), (0, 5)], invalid.clone());
        check(None, &[(0, 5), (1, KIB)], changed.clone());
        check(None, &[(0, 5), (1, 6)], invalid.clone());
        check(None, &[(0, KIB), (1, 5), (2, KIB)], changed.clone());
        check(None, &[(0, KIB), (1, 5), (2, 5)], invalid.clone());
        check(None, &[(1, 3000), (0, KIB)], changed.clone());
        check(None, &[(0, KIB), (1, 3000)], invalid.clone());
        check(None, &[(2, KIB), (1, 2 * KIB), (3, 2 * KIB)], changed);
        check(Some(3), &[(1, 5)], invalid);
    }

    #[test]
    fn parts_are_replaced() {
        check(None, &[(0, KIB), (1, 5), (1, 7), (1, KIB), (2, 5)], None);
        check(None, &[(0, 5), (0, KIB), (1, KIB)], None);
        check(None, &[(0, KIB), (0, 2 * KIB), (1, 2 * KIB)], None);
        check(
            None,
            &[(0, KIB), (1, 5), (0, 2 * KIB), (2, 2 * KIB)],
            Some(Refusal::FilePartSizeChanged),
        );
        check(None, &[(0, KIB), (1, KIB), (0, 2 * KIB)], None);
        check(None, &[(0, KIB), (1, KIB), (1, 2 * KIB)], Some(Refusal::FilePartSizeChanged));
        check(None, &[(0, KIB), (1, KIB), (0, 5)], Some(Refusal::FilePartSizeInvalid));
    }

    #[test]
    fn numbers_are_in_range() {
        let part = Some(Refusal::FilePartInvalid);
        let parts = Some(Refusal::FilePartsInvalid);
        check(None, &[(-1, KIB)], part.clone());
        check(None, &[(4000, KIB)], part.clone());
        check(None, &[(3999, KIB)], None);
        check(Some(0), &[(0, KIB)], parts.clone());
        check(Some(4001), &[(0, KIB)], parts);
        check(Some(2), &[(2, KIB)], part);
    }
}
