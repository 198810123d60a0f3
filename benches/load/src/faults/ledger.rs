//! What clients were told, and what must therefore be there.
//!
//! | promise                 | when it was made                                    | how it is checked                            |
//! |-------------------------|-----------------------------------------------------|----------------------------------------------|
//! | a message is kept       | `messages.sendMessage` was answered                 | it is in both boxes, at the sender under the id that was told |
//! | nothing is doubled      | by `random_id`, whatever was sent again             | no text has two ids in one box               |
//! | the log has no gap      | each update covers `pts - pts_count .. pts`         | updates and differences leave nothing out    |
//! | what was seen stays     | an update or a difference brought a message         | the history has it, under that id            |
//!
//! Nothing here knows a socket or a server, so that the checker itself is tested: below, each promise is broken once.

use std::collections::{BTreeMap, HashMap};

/// How many violations are kept to be shown; the others are counted.
const SHOWN_MAX: usize = 20;

/// A message that somebody wants sent.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) random_id: i64,
    /// The id that the answer told.
    told: Option<i32>,
}

/// A message as a client sees it in its box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: i32,
    /// Which of the messages it is: what its text begins with.
    pub(crate) number: u64,
    pub(crate) is_out: bool,
    /// The other side.
    pub(crate) peer: usize,
}

/// A box, as far as its client knows.
#[derive(Debug, Default)]
struct Known {
    /// All that happened up to here is known.
    pts: i32,
    /// Updates that came before what they follow: the `pts` that each reaches, and its count.
    ahead: BTreeMap<i32, i32>,
    messages: BTreeMap<i32, Seen>,
    ids: HashMap<u64, i32>,
}

/// Everything that was asked and told.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    asked: Vec<Asked>,
    boxes: Vec<Known>,
    /// What was promised and does not hold, the first of them.
    pub(crate) violations: Vec<String>,
    pub(crate) violation_count: usize,
    pub(crate) answered_count: u64,
    /// Gaps that pushes left and a difference closed.
    pub(crate) closed_gap_count: u64,
}

impl Ledger {
    /// Of people whose boxes have these `pts` at the beginning.
    pub(crate) fn new(pts: impl IntoIterator<Item = i32>) -> Self {
        let boxes = pts.into_iter().map(|pts| Known { pts, ..Known::default() }).collect();
        Self { boxes, ..Self::default() }
    }

    /// Notes that a promise was broken.
    pub(crate) fn violation(&mut self, what: String) {
        self.violation_count += 1;
        if self.violations.len() < SHOWN_MAX {
            self.violations.push(what);
        }
    }

    /// Somebody wants to send a message: its number.
    pub(crate) fn ask(&mut self, from: usize, to: usize, random_id: i64) -> u64 {
        self.asked.push(Asked { from, to, random_id, told: None });
        self.asked.len() as u64 - 1
    }

    pub(crate) fn asked(&self, number: u64) -> Option<&Asked> {
        self.asked.get(usize::try_from(number).ok()?)
    }

    /// How many messages there are.
    pub(crate) const fn count(&self) -> usize {
        self.asked.len()
    }

    /// The sender was told that its message is kept under an id.
    pub(crate) fn answer(&mut self, number: u64, id: i32) {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        let Some(asked) = self.asked.get_mut(at) else {
            return self.violation(format!("an answer is about message {number}, sent by nobody"));
        };
        match asked.told.replace(id) {
            None => self.answered_count += 1,
            Some(before) if before == id => {}
            Some(before) => {
                self.violation(format!("message {number} was answered as {before}, then as {id}"));
            }
        }
    }

    /// How far `person` knows its log.
    pub(crate) fn pts(&self, person: usize) -> i32 {
        self.boxes[person].pts
    }

    /// Whether updates have come to `person` that follow ones it does not have.
    pub(crate) fn has_gap(&self, person: usize) -> bool {
        !self.boxes[person].ahead.is_empty()
    }

    /// An update came to `person`: alone, or with the answer to what it sent.
    pub(crate) fn update(&mut self, person: usize, pts: i32, pts_count: i32, seen: Option<Seen>) {
        let of = &mut self.boxes[person];
        let is_new = pts > of.pts;
        if is_new {
            of.ahead.insert(pts, pts_count);
            while let Some((&pts, &count)) = of.ahead.first_key_value()
                && pts - count <= of.pts
            {
                of.ahead.pop_first();
                let before = of.pts;
                of.pts = before.max(pts);
                if pts - count < before {
                    let what = format!("an update {pts} of {count} overlaps {before}");
                    return self.violation(format!("person {person}: {what}"));
                }
            }
        }
        if let Some(seen) = seen {
            if !is_new && !self.boxes[person].messages.contains_key(&seen.id) {
                self.violation(format!("person {person}: {seen:?} is news from before {pts}"));
            }
            self.see(person, seen);
        }
    }

    /// What happened in the log of `person` after `from` and up to `pts`: messages, and the `pts_count` of all else.
    pub(crate) fn difference(
        &mut self,
        person: usize,
        from: i32,
        seen: &[Seen],
        others: i32,
        pts: i32,
    ) {
        let of = &mut self.boxes[person];
        let counted = i32::try_from(seen.len()).unwrap_or(i32::MAX).saturating_add(others);
        of.pts = of.pts.max(pts);
        // What it covers is not awaited any more.
        let gaps = of.ahead.len();
        of.ahead.retain(|ahead, _| *ahead > pts);
        self.closed_gap_count += u64::from(of.ahead.len() < gaps);
        if pts - from != counted {
            let text = format!("a difference from {from} to {pts} has {counted} updates");
            self.violation(format!("person {person}: {text}"));
        }
        for seen in seen {
            self.see(person, *seen);
        }
    }

    fn see(&mut self, person: usize, seen: Seen) {
        let of = &mut self.boxes[person];
        let known = *of.messages.entry(seen.id).or_insert(seen);
        let id = *of.ids.entry(seen.number).or_insert(seen.id);
        if known != seen {
            self.violation(format!("person {person}: {seen:?} was {known:?}"));
        } else if id != seen.id {
            self.violation(format!(
                "person {person}: message {} is there twice, as {id} and {}",
                seen.number, seen.id
            ));
        }
    }

    /// A page of the history of `person` with `peer`: all of its messages from the lowest to the highest of these ids. With
    /// `is_all` it is the whole history.
    pub(crate) fn page(&mut self, person: usize, peer: usize, page: &[Seen], is_all: bool) {
        let found: BTreeMap<i32, Seen> = page.iter().map(|seen| (seen.id, *seen)).collect();
        if found.len() < page.len() {
            self.violation(format!("person {person}: a page names a message twice"));
        }
        let (mut low, mut high) = (i32::MIN, i32::MAX);
        if !is_all {
            low = found.keys().next().copied().unwrap_or(i32::MAX);
            high = found.keys().next_back().copied().unwrap_or(i32::MIN);
        }
        let of = &self.boxes[person];
        let known = of.messages.values().filter(|seen| seen.peer == peer);
        let known = known.filter(|seen| (low..=high).contains(&seen.id));
        let lost: Vec<Seen> = known.filter(|seen| !found.contains_key(&seen.id)).copied().collect();
        // What is beyond may be on its way as an update.
        let pts = of.pts;
        let news: Vec<Seen> = found
            .values()
            .filter(|seen| seen.id <= pts && !of.messages.contains_key(&seen.id))
            .copied()
            .collect();
        for seen in lost {
            self.violation(format!("person {person}: {seen:?} is not in the history"));
        }
        for seen in news {
            self.violation(format!("person {person}: no update told of {seen:?}"));
        }
        for seen in found.into_values().filter(|seen| seen.id <= pts) {
            self.see(person, seen);
        }
    }

    /// At the end, when everything is delivered: each promise against the boxes. `was_abandoned` tells whether a message
    /// that was not answered was never asked for again; the others must have been answered.
    pub(crate) fn settle(&mut self, was_abandoned: impl Fn(u64) -> bool) {
        let mut broken = Vec::new();
        for (number, asked) in (0..).zip(&self.asked) {
            let at_sender = self.boxes[asked.from].ids.get(&number);
            let at_recipient = self.boxes[asked.to].ids.get(&number);
            match (asked.told, at_sender, at_recipient) {
                (Some(told), Some(id), Some(_)) if told == *id => {}
                (None, Some(_), Some(_)) | (None, None, None) if was_abandoned(number) => {}
                _ => broken.push(format!(
                    "message {number} from {} to {}: told {:?}, at the sender {at_sender:?}, at the recipient {at_recipient:?}",
                    asked.from, asked.to, asked.told
                )),
            }
        }
        for (person, of) in self.boxes.iter().enumerate() {
            if !of.ahead.is_empty() {
                broken.push(format!("person {person}: after {} comes {:?}", of.pts, of.ahead));
            }
            for seen in of.messages.values() {
                let asked = self.asked.get(usize::try_from(seen.number).unwrap_or(usize::MAX));
                let is_right = asked.is_some_and(|asked| match seen.is_out {
                    true => (asked.from, asked.to) == (person, seen.peer),
                    false => (asked.from, asked.to) == (seen.peer, person),
                });
                if !is_right {
                    broken.push(format!("person {person}: nobody sent {seen:?}"));
                }
            }
        }
        for what in broken {
            self.violation(what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(id: i32, number: u64, is_out: bool) -> Seen {
        Seen { id, number, is_out, peer: usize::from(is_out) }
    }

    /// Person 0 sends two messages to person 1, and all is as it should be, but for what `break_it` does.
    #[track_caller]
    fn check(break_it: impl FnOnce(&mut Ledger), expected: &[&str]) {
        let mut ledger = Ledger::new([1, 1]);
        for number in 0..2 {
            let id = 2 + i32::try_from(number).unwrap();
            assert_eq!(ledger.ask(0, 1, 7), number);
            ledger.answer(number, id);
            ledger.update(0, id, 1, Some(seen(id, number, true)));
            ledger.update(1, id, 1, Some(seen(id, number, false)));
        }
        break_it(&mut ledger);
        ledger.settle(|number| number >= 3);
        let found = &ledger.violations;
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn nothing_is_wrong() {
        check(|_| {}, &[]);
        // Updates in another order, twice, and once more by a difference and a page.
        check(
            |ledger| {
                ledger.ask(0, 1, 8);
                ledger.ask(0, 1, 9);
                ledger.answer(2, 4);
                ledger.update(0, 5, 1, Some(seen(5, 3, true)));
                assert!(ledger.has_gap(0));
                ledger.update(0, 4, 1, Some(seen(4, 2, true)));
                ledger.update(0, 4, 1, Some(seen(4, 2, true)));
                assert!(!ledger.has_gap(0));
                ledger.difference(1, 3, &[seen(4, 2, false), seen(5, 3, false)], 0, 5);
                ledger.page(0, 1, &[2, 3, 4, 5].map(|id| seen(id, id as u64 - 2, true)), true);
                ledger.page(0, 1, &[seen(5, 3, true), seen(6, 4, true)], false);
            },
            &[],
        );
        // An abandoned one may be nowhere.
        check(|ledger| (2..5).for_each(|number| _ = ledger.ask(0, 1, number)), &["message 2"]);
    }

    #[test]
    fn lost_messages() {
        check(
            |ledger| {
                ledger.ask(0, 1, 8);
                ledger.answer(2, 4);
            },
            &["message 2 from 0 to 1: told Some(4), at the sender None, at the recipient None"],
        );
        check(|l| l.page(0, 1, &[seen(3, 1, true)], true), &["is not in the history"]);
        let ends = [seen(2, 0, true), seen(9, 9, true)];
        check(|l| l.page(0, 1, &ends, false), &["is not in the history"]);
    }

    #[test]
    fn a_message_in_one_box_only() {
        check(
            |ledger| {
                (2..4).for_each(|number| _ = ledger.ask(0, 1, number));
                ledger.answer(2, 4);
                ledger.update(0, 4, 1, Some(seen(4, 2, true)));
                ledger.update(1, 4, 1, Some(seen(4, 2, false)));
                ledger.update(0, 5, 1, Some(seen(5, 3, true)));
            },
            &["message 3 from 0 to 1: told None, at the sender Some(5), at the recipient None"],
        );
    }

    #[test]
    fn doubled_messages() {
        check(|l| l.update(1, 4, 1, Some(seen(4, 1, false))), &["is there twice, as 3 and 4"]);
        check(|l| l.answer(1, 4), &["was answered as 3, then as 4", "told Some(4)"]);
        check(|l| l.page(0, 1, &[seen(3, 1, true); 2], false), &["names a message twice"]);
    }

    #[test]
    fn other_messages_than_before() {
        check(|l| l.update(1, 3, 1, Some(seen(3, 0, false))), &["was Seen"]);
        check(|l| l.update(1, 4, 1, Some(seen(4, 77, false))), &["nobody sent"]);
        check(
            |l| l.update(1, 2, 1, Some(seen(1, 77, false))),
            &["is news from before 2", "nobody sent"],
        );
        check(|l| l.page(1, 0, &[seen(1, 77, false)], false), &["no update told", "nobody sent"]);
    }

    #[test]
    fn gaps() {
        check(|l| l.update(1, 5, 1, None), &["after 3 comes {5: 1}"]);
        check(|l| l.update(1, 5, 3, None), &["overlaps 3"]);
        check(|l| l.difference(1, 3, &[], 1, 5), &["a difference from 3 to 5 has 1 updates"]);
        check(|l| l.difference(1, 3, &[], 1, 3), &["a difference from 3 to 3 has 1 updates"]);
        check(
            |l| {
                l.update(1, 5, 1, None);
                l.difference(1, 3, &[], 2, 5);
                assert_eq!(l.closed_gap_count, 1);
            },
            &[],
        );
    }
}
