//! What the next entries of a feed name: segments, and what HQ says of them, read before they are looked at one by one.

use std::collections::BTreeMap;

use sync_protocol::chain::Line;
use sync_protocol::ruling::Ruling;
use sync_protocol::segment::Segment;

use crate::store::feeds::Entry;
use crate::store::log::Kept;

/// How many ops a ruling may begin before one that it is about: 256 ops are the most of one.
const REACH: u64 = 255;

/// Ops `from ..= to` of a line.
pub(super) type Span = (Line, u64, u64);

/// What some entries name, for as long as they are looked at.
#[derive(Default)]
pub(super) struct Named {
    /// Of those that begin with the same op, first what brought it.
    segments: Vec<Segment>,
    /// By line, first op and version.
    rulings: BTreeMap<(Line, u64, u8), Ruling>,
}

impl Named {
    /// Takes segments; of those that begin with the same op, first what brought it.
    pub(super) fn keep_segments(&mut self, found: Vec<Kept>) {
        self.segments.extend(found.into_iter().map(|kept| kept.segment));
    }

    /// Takes rulings.
    pub(super) fn keep_rulings(&mut self, found: Vec<Ruling>) {
        let key = |ruling: &Ruling| ((ruling.replica, ruling.epoch), ruling.first, ruling.version);
        self.rulings.extend(found.into_iter().map(|ruling| (key(&ruling), ruling)));
    }

    /// Returns the segment that brought op `first` as its first; a longer one that came later is another.
    pub(super) fn segment_from(&self, line: Line, first: u64) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.line() == line && segment.first == first)
    }

    /// Returns the stretches of ops that an entry brings.
    pub(super) fn spans(&self, entry: &Entry) -> Vec<Span> {
        match entry {
            Entry::Segment { line, first } => {
                let segment = self.segment_from(*line, *first);
                segment.map(|segment| (*line, *first, segment.last())).into_iter().collect()
            }
            Entry::Ops { line, seqs } => runs(seqs).map(|(from, to)| (*line, from, to)).collect(),
            Entry::Ruling(_) | Entry::Evict(_) => Vec::new(),
        }
    }

    /// Returns the rulings that touch ops `from ..= to` of a line, by first op, then version.
    pub(super) fn said(&self, line: Line, from: u64, to: u64) -> impl Iterator<Item = &Ruling> {
        let begin = (line, from.saturating_sub(REACH), 0)..=(line, to, u8::MAX);
        let rulings = self.rulings.range(begin).map(|(_, ruling)| ruling);
        rulings.filter(move |ruling| ruling.first.saturating_add(u64::from(ruling.count)) > from)
    }
}

/// Returns what the spans touch as spans in order, so far from each other that no ruling is about ops of two of them: each
/// is read once.
pub(super) fn apart(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut out: Vec<Span> = Vec::new();
    for (line, from, to) in spans {
        match out.last_mut() {
            Some(last) if last.0 == line && from <= last.2.saturating_add(REACH) => last.2 = last.2.max(to),
            _ => out.push((line, from, to)),
        }
    }
    out
}

/// Returns the stretches without holes.
pub(super) fn runs(seqs: &[u64]) -> impl Iterator<Item = (u64, u64)> {
    seqs.chunk_by(|a, b| a + 1 == *b).filter_map(|run| Some((*run.first()?, *run.last()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::id::{Epoch, Replica};
    use sync_protocol::limits::SEGMENT_OPS_MAX;

    #[test]
    fn seqs_with_holes_are_several_stretches() {
        assert_eq!(runs(&[1, 2, 4, 7, 8]).collect::<Vec<_>>(), [(1, 2), (4, 4), (7, 8)]);
    }

    #[test]
    fn spans_that_a_ruling_may_touch_both_of_are_read_as_one_and_lines_stay_apart() {
        assert_eq!(REACH + 1, SEGMENT_OPS_MAX as u64);
        let (one, other) = ((Replica(1), Epoch(1)), (Replica(1), Epoch(2)));
        let spans = [(one, 300, 310), (other, 5, 5), (one, 1, 44), (one, 20, 20), (one, 566, 570)];
        assert_eq!(apart(spans.to_vec()), [(one, 1, 44), (one, 300, 310), (one, 566, 570), (other, 5, 5)]);
        assert_eq!(apart(vec![(one, 45, 45), (one, 300, 320), (one, 301, 301)]), [(one, 45, 320)]);
    }
}
