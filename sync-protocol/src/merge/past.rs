//! Which op was in whose past, and the one order in which everybody folds.

use std::ops::Range;

use records::id::{DocId, OpId};

use crate::chain::Line;
use crate::merge::{FoldError, Judged, Lines};
use crate::op::Row;
use crate::ruling::{Judgement, Verdict};
use crate::stamp::Stamp;

/// The ops of one document, each once, with their pasts. An op is named by its place in op id order.
///
/// `a` is in the past of `b` if `b`'s author had applied it: it stands earlier on his line, or within what his
/// ops up to `b` had `seen`, or in the past of such an op. Everybody who names a document knows its creation.
///
/// Source: docs/PROTOCOL.md, Seen.
#[derive(Debug)]
pub struct History<'a> {
    ops: Vec<Known<'a>>,
    runs: Vec<(Line, Range<usize>)>,
    order: Vec<usize>,
    clocks: Vec<(usize, usize)>,
    creation: usize,
    document: DocId,
}

#[derive(Debug)]
struct Known<'a> {
    id: OpId,
    row: &'a Row,
    judgement: Option<&'a Judgement>,
    /// Its line's place in `runs`.
    run: usize,
    /// Its place on that line.
    at: usize,
    /// Its place in the fold order; the largest number while that is not known.
    rank: usize,
    /// What its author had applied of other lines: (line, how many of its ops), in `clocks`.
    clock: Range<usize>,
}

impl<'a> History<'a> {
    /// Puts the ops of one document in order, whatever order they come in and however often.
    ///
    /// # Errors
    /// [`FoldError`].
    pub fn of(ops: &'a [Judged], lines: &Lines) -> Result<Self, FoldError> {
        let first = ops.first().ok_or(FoldError::NoCreation)?;
        let document = first.row.document(first.id);
        if ops.iter().any(|op| op.row.document(op.id) != document) {
            return Err(FoldError::Mixed);
        }
        let ops = distinct(ops);
        let creation =
            ops.binary_search_by_key(&document.0, |op| op.id).map_err(|_| FoldError::NoCreation)?;
        let mut history =
            Self { ops, runs: Vec::new(), order: Vec::new(), clocks: Vec::new(), creation, document };
        history.find_runs();
        history.put_in_order(lines);
        Ok(history)
    }

    /// Returns the document's id.
    #[must_use]
    pub fn document(&self) -> DocId {
        self.document
    }

    /// Returns the op that created the document.
    #[must_use]
    pub fn creation(&self) -> usize {
        self.creation
    }

    /// Returns the ops in fold order: pasts first; among concurrent ones the judged in HQ's order,
    /// then the others by effective stamp and op id.
    #[must_use]
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// Returns the op's name.
    #[must_use]
    pub fn id(&self, op: usize) -> OpId {
        self.ops.get(op).map_or(self.document.0, |known| known.id)
    }

    /// Returns what the op says.
    #[must_use]
    pub fn row(&self, op: usize) -> Option<&'a Row> {
        self.ops.get(op).map(|known| known.row)
    }

    /// Returns the op of that name.
    #[must_use]
    pub fn find(&self, id: OpId) -> Option<usize> {
        self.ops.binary_search_by_key(&id, |known| known.id).ok()
    }

    /// Returns HQ's judgement; `None` also where HQ waits for another op first.
    #[must_use]
    pub fn judgement(&self, op: usize) -> Option<&'a Judgement> {
        self.ops.get(op).and_then(|known| known.judgement)
    }

    /// Returns the time that merging goes by: HQ's, else the stamp.
    #[must_use]
    pub fn effective(&self, op: usize) -> Stamp {
        self.ops.get(op).map(Known::effective).unwrap_or_default()
    }

    /// Returns whether the op's writes count: HQ took it, or did not judge it yet.
    #[must_use]
    pub fn stands(&self, op: usize) -> bool {
        let taken = |op| self.judgement(op).is_none_or(|judgement| judgement.verdict.stands());
        taken(op) && taken(self.creation)
    }

    /// Returns whether HQ refused the op because something was built on the other decision: it writes nothing, and what
    /// it decided is listed.
    #[must_use]
    pub fn too_late(&self, op: usize) -> bool {
        let late = self.judgement(op).is_some_and(|judgement| judgement.verdict == Verdict::TooLate);
        late && self.judgement(self.creation).is_none_or(|judgement| judgement.verdict.stands())
    }

    /// Returns whether `earlier` is in the past of `later`.
    #[must_use]
    pub fn covers(&self, later: usize, earlier: usize) -> bool {
        let (Some(late), Some(early)) = (self.ops.get(later), self.ops.get(earlier)) else {
            return false;
        };
        if early.rank >= late.rank {
            return false;
        }
        if earlier == self.creation {
            return true;
        }
        if early.run == late.run {
            return early.at < late.at;
        }
        let clock = self.clocks.get(late.clock.clone()).unwrap_or_default();
        clock.iter().any(|(run, n)| *run == early.run && *n > early.at)
    }

    fn find_runs(&mut self) {
        for (i, op) in self.ops.iter_mut().enumerate() {
            let line = (op.id.replica, op.id.epoch);
            match self.runs.last_mut() {
                Some((last, range)) if *last == line => range.end = i + 1,
                _ => self.runs.push((line, i..i + 1)),
            }
            op.run = self.runs.len() - 1;
            op.at = self.runs.last().map_or(0, |(_, range)| i - range.start);
        }
    }

    /// Goes through the ops in key order; each pulls what it builds on in front of it.
    fn put_in_order(&mut self, lines: &Lines) {
        // Most documents are one op, which builds on nothing.
        if self.ops.len() == 1 {
            return self.place(self.creation, &[]);
        }
        let mut keys: Vec<_> = self.ops.iter().enumerate().map(|(i, op)| (op.key(), i)).collect();
        keys.sort_unstable();
        // A log that claims to have seen its own future would wait for itself: whoever is entered waits no more.
        let mut entered = vec![false; self.ops.len()];
        let mut waiting: Vec<(usize, Option<Vec<usize>>)> = Vec::new();
        for i in std::iter::once(self.creation).chain(keys.into_iter().map(|(_, i)| i)) {
            waiting.push((i, None));
            while let Some((op, bases)) = waiting.pop() {
                if let Some(bases) = bases {
                    self.place(op, &bases);
                } else if !std::mem::replace(entered.get_mut(op).unwrap_or(&mut true), true) {
                    let bases = if op == self.creation { Vec::new() } else { self.bases(op, lines) };
                    let open = bases.iter().rev().filter(|base| entered.get(**base) == Some(&false));
                    let open: Vec<usize> = open.copied().collect();
                    waiting.push((op, Some(bases)));
                    waiting.extend(open.into_iter().map(|base| (base, None)));
                }
            }
        }
    }

    /// Returns the ops that this one builds on directly: the one before it on its line and those it has seen.
    fn bases(&self, op: usize, lines: &Lines) -> Vec<usize> {
        let Some(known) = self.ops.get(op) else {
            return Vec::new();
        };
        let line = (known.id.replica, known.id.epoch);
        let before = match known.at {
            0 => lines.get(&line).and_then(|(epoch, seq)| self.last_of((line.0, *epoch), *seq, lines)),
            _ => op.checked_sub(1),
        };
        let seen = known.row.seen.iter();
        let seen = seen.filter_map(|seen| self.last_of((seen.replica, seen.epoch), seen.seq, lines));
        before.into_iter().chain(seen).filter(|base| *base != op).collect()
    }

    /// Returns the last op of that line up to that seq, on the epoch itself or else on its parents.
    fn last_of(&self, line: Line, up_to: u64, lines: &Lines) -> Option<usize> {
        let from = self.runs.partition_point(|(run, _)| run.0 < line.0);
        self.runs.get(from).filter(|(run, _)| run.0 == line.0)?;
        let (mut line, mut up_to) = (line, up_to);
        // More steps than lines would be a circle.
        for _ in 0..=lines.len() {
            if let Some(op) = self.last_in(line, up_to) {
                return Some(op);
            }
            let (epoch, seq) = lines.get(&line)?;
            (line, up_to) = ((line.0, *epoch), *seq);
        }
        None
    }

    fn last_in(&self, line: Line, up_to: u64) -> Option<usize> {
        let run = self.runs.binary_search_by_key(&line, |(run, _)| *run).ok()?;
        let range = self.runs.get(run)?.1.clone();
        let before = self.ops.get(range.clone())?.partition_point(|op| op.id.seq <= up_to);
        before.checked_sub(1).map(|last| range.start + last)
    }

    /// Gives the op its rank and its clock: all that the placed ones among `bases` and their pasts stand for.
    fn place(&mut self, op: usize, bases: &[usize]) {
        let Some(run) = self.ops.get(op).map(|known| known.run) else {
            return;
        };
        let mut clock = Clock::default();
        for base in bases.iter().filter_map(|base| self.ops.get(*base)) {
            if base.rank == usize::MAX {
                continue;
            }
            if base.run != run {
                clock.raise(base.run, base.at + 1);
            }
            clock.take(base.clock.clone(), &self.clocks, run);
        }
        let clock = clock.keep(&mut self.clocks);
        let rank = self.order.len();
        if let Some(known) = self.ops.get_mut(op) {
            (known.rank, known.clock) = (rank, clock);
        }
        self.order.push(op);
    }
}

/// Returns the `seen` of a new op that the line `me` writes after having applied `ops`, all on one document:
/// the last op of each other line that its earlier ops, and the other entries, do not stand for already.
///
/// Of the author's own earlier lines only the one that `me` hangs from stands for itself: a reader may know nothing of
/// those between, where none of their ops concerns him. Empty where `me` wrote everything, or where the ops are no
/// document.
///
/// Source: docs/PROTOCOL.md, Seen.
#[must_use]
pub fn seen(ops: &[Judged], lines: &Lines, me: Line) -> Vec<OpId> {
    let Ok(history) = History::of(ops, lines) else {
        return Vec::new();
    };
    let own = history.last_of(me, u64::MAX, lines);
    let near = |op: &usize| {
        let line = (history.id(*op).replica, history.id(*op).epoch);
        line == me || lines.get(&me).is_some_and(|(epoch, _)| line == (me.0, *epoch))
    };
    let far = own.filter(|op| !near(op));
    let told = |op: usize| own.is_some_and(|own| own == op || history.covers(own, op));
    let ends: Vec<usize> = history.runs.iter().filter_map(|(_, range)| range.end.checked_sub(1)).collect();
    let open: Vec<usize> = ends.into_iter().filter(|op| !told(*op)).chain(far).collect();
    let alone = |op: &usize| !open.iter().any(|other| history.covers(*other, *op));
    let mut seen: Vec<OpId> = open.iter().copied().filter(alone).map(|op| history.id(op)).collect();
    seen.sort_unstable();
    seen
}

/// A clock in the making: it stays a stretch of the arena as long as nothing is added to it.
#[derive(Default)]
struct Clock {
    shared: Range<usize>,
    own: Vec<(usize, usize)>,
}

impl Clock {
    fn raise(&mut self, run: usize, n: usize) {
        match self.own.binary_search_by_key(&run, |(own, _)| *own) {
            Ok(at) => self.own.get_mut(at).into_iter().for_each(|(_, own)| *own = n.max(*own)),
            Err(at) => self.own.insert(at, (run, n)),
        }
    }

    fn take(&mut self, other: Range<usize>, clocks: &[(usize, usize)], except: usize) {
        if self.own.is_empty() && self.shared.is_empty() {
            let pure = clocks.get(other.clone()).unwrap_or_default().iter().all(|(run, _)| *run != except);
            if pure {
                self.shared = other;
                return;
            }
        }
        let shared = std::mem::take(&mut self.shared);
        for range in [shared, other] {
            for (run, n) in clocks.get(range).unwrap_or_default().iter().filter(|(run, _)| *run != except) {
                self.raise(*run, *n);
            }
        }
    }

    fn keep(mut self, clocks: &mut Vec<(usize, usize)>) -> Range<usize> {
        if self.own.is_empty() {
            return self.shared;
        }
        for (run, n) in clocks.get(std::mem::take(&mut self.shared)).unwrap_or_default() {
            self.raise(*run, *n);
        }
        let start = clocks.len();
        clocks.append(&mut self.own);
        start..clocks.len()
    }
}

impl Known<'_> {
    fn effective(&self) -> Stamp {
        self.judgement.map_or(self.row.stamp, |judgement| judgement.effective)
    }

    fn key(&self) -> (bool, u64, Stamp) {
        match self.judgement {
            Some(judgement) => (false, judgement.order, Stamp::default()),
            None => (true, 0, self.row.stamp),
        }
    }
}

/// Each op once, by id. Of two judgements of one op the higher version counts.
fn distinct(ops: &[Judged]) -> Vec<Known<'_>> {
    let mut all: Vec<Known<'_>> = ops.iter().map(known).collect();
    all.sort_by_key(|op| op.id);
    all.dedup_by(|again, kept| {
        if again.id != kept.id {
            return false;
        }
        let rank = |judgement: Option<&Judgement>| judgement.map(|it| (it.version, it.clone()));
        if again.judgement != kept.judgement && rank(again.judgement) > rank(kept.judgement) {
            kept.judgement = again.judgement;
        }
        // The chain forbids two rows of one name; should it happen, everybody takes the same one.
        if again.row != kept.row && again.row.to_bytes() < kept.row.to_bytes() {
            kept.row = again.row;
        }
        true
    });
    all
}

fn known(op: &Judged) -> Known<'_> {
    let judgement = op.judgement.as_ref();
    Known {
        id: op.id,
        row: &op.row,
        judgement: judgement.filter(|judgement| !matches!(judgement.verdict, Verdict::Deferred { .. })),
        run: 0,
        at: 0,
        rank: usize::MAX,
        clock: 0..0,
    }
}
