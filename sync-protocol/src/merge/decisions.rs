//! Which decisions stand: the kind's machine walked along the history.

use std::collections::BTreeMap;

use records::decision::{DECISION_TAG, Decision};
use records::id::OpId;
use records::machine::{Index, Machine, Step};
use records::schema::{Class, Kind};

use crate::merge::past::History;
use crate::merge::{Ruled, Standing};
use crate::op::Write;

/// What the decisions of a document come to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// All of them, in fold order.
    pub(crate) ruled: Vec<Ruled>,
    /// Where the document is.
    pub(crate) state: Index,
    /// The op of the seal in force: frozen groups hold what stands in its past and in itself.
    pub(crate) seal: Option<usize>,
    /// Whether one is a step that the machine does not have: a newer version's.
    pub(crate) newer: bool,
}

/// One readable decision: its op and what it says.
struct Deed {
    op: usize,
    says: Decision,
    step: &'static Step,
}

/// What somebody sees who has applied a part of the history: decisions by their place in the list.
#[derive(Debug, Clone, Default)]
struct View {
    /// What stands, each step taken after the one before it.
    chain: Vec<usize>,
    /// Seals of which a person has yet to pick one; the first of them is in the chain.
    rivals: Vec<usize>,
}

/// A write to a content group.
struct Content {
    op: usize,
    frozen: bool,
}

/// Folds the decisions of a document of `kind`.
pub(crate) fn fold(history: &History<'_>, kind: Option<&'static Kind>) -> Outcome {
    let mut all = Vec::new();
    for op in history.order().iter().copied().filter(|op| history.stands(*op) || history.too_late(*op)) {
        let writes = history.row(op).map(|row| row.writes.as_slice()).unwrap_or_default();
        let decisions = writes.iter().filter(|write| write.tag.class() == Some(Class::Decision));
        // Steps of another group are a newer version's: they are no steps of this machine.
        let read = |write: &Write| {
            let own = (write.tag == DECISION_TAG).then_some(&write.bytes);
            own.and_then(|bytes| postcard::from_bytes::<Decision>(bytes).ok())
        };
        all.extend(decisions.map(|write| (op, read(write))));
    }
    if all.is_empty() {
        return Outcome::default();
    }
    let machine = kind.and_then(|kind| kind.machine);
    let mut ruled = Vec::with_capacity(all.len());
    let mut deeds = Vec::with_capacity(all.len());
    let mut places = Vec::with_capacity(all.len());
    let mut newer = false;
    for (op, says) in all {
        let step = says.as_ref().map_or(Index::MAX, |says: &Decision| says.step);
        // HQ said it once: it is listed, and nobody asks again what it would have led to.
        let too_late = history.too_late(op);
        let standing = if too_late { Standing::TooLate } else { Standing::Void };
        let known = machine.zip(says).and_then(|(machine, says)| Some((machine.step_at(says.step)?, says)));
        match known.filter(|_| !too_late) {
            Some((step, says)) => {
                places.push(ruled.len());
                deeds.push(Deed { op, says, step });
            }
            None => newer |= !too_late,
        }
        ruled.push(Ruled { op: history.id(op), step, standing });
    }
    let Some(machine) = machine else {
        return Outcome { ruled, ..Outcome::default() };
    };
    let content = if deeds.iter().any(|deed| deed.says.saw.is_some()) {
        content_writes(history, kind)
    } else {
        Vec::new()
    };
    let mut walk = Walk { history, machine, deeds: &deeds, content: &content, views: BTreeMap::new() };
    let mut standings = vec![Standing::Void; deeds.len()];
    let view = walk.view_of(&(0..deeds.len()).collect::<Vec<_>>(), &mut standings);
    let (state, seal) = walk.finish(&view, &mut standings);
    for (place, standing) in places.into_iter().zip(standings) {
        if let Some(ruled) = ruled.get_mut(place) {
            ruled.standing = standing;
        }
    }
    Outcome { ruled, state, seal, newer }
}

fn content_writes(history: &History<'_>, kind: Option<&'static Kind>) -> Vec<Content> {
    let groups = kind.map(|kind| kind.groups).unwrap_or_default();
    let content = groups.iter().filter(|group| group.content);
    let tags: BTreeMap<_, _> = content.map(|group| (group.tag(), group.frozen)).collect();
    let mut out = Vec::new();
    for op in history.order().iter().copied().filter(|op| history.stands(*op)) {
        let writes = history.row(op).map(|row| row.writes.as_slice()).unwrap_or_default();
        let mut frozen = writes.iter().filter_map(|write| tags.get(&write.tag)).copied().peekable();
        if frozen.peek().is_some() {
            out.push(Content { op, frozen: frozen.all(|frozen| frozen) });
        }
    }
    out
}

struct Walk<'a> {
    history: &'a History<'a>,
    machine: &'static Machine,
    deeds: &'a [Deed],
    content: &'a [Content],
    /// What the author of each decision saw before it, where that had to be asked.
    views: BTreeMap<usize, View>,
}

impl Walk<'_> {
    /// Walks through decisions that contain their own pasts, in fold order.
    fn view_of(&mut self, of: &[usize], standings: &mut [Standing]) -> View {
        let mut view = View::default();
        for deed in of.iter().copied() {
            let standing = self.take(&mut view, deed, standings);
            set(standings, deed, standing);
        }
        for rival in &view.rivals {
            set(standings, *rival, Standing::Contested);
        }
        view
    }

    fn take(&mut self, view: &mut View, deed: usize, standings: &mut [Standing]) -> Standing {
        if view.chain.iter().all(|other| self.covers(deed, *other)) {
            let Some(next) = self.follow(view, deed) else {
                return Standing::Void;
            };
            self.replace(view, next, standings);
            return Standing::Stands;
        }
        // Somebody decided meanwhile. Was it possible where the author stood?
        let own = self.author_view(deed);
        let Some(next) = self.follow(&own, deed) else {
            return Standing::Void;
        };
        let common = view.chain.iter().zip(&next.chain).take_while(|(a, b)| a == b).count();
        let theirs = view.chain.get(common..).unwrap_or_default();
        let ours = next.chain.get(common..).unwrap_or_default();
        if let ([first], [only]) = (theirs, ours)
            && self.rival(*first)
            && self.rival(*only)
        {
            if view.rivals.is_empty() {
                view.rivals.push(*first);
            }
            view.rivals.push(*only);
            return Standing::Contested;
        }
        if theirs.len() > 1 {
            // Something was built on theirs already.
            return Standing::TooLate;
        }
        let on_a_rival = ours.first().is_some_and(|first| view.rivals.contains(first));
        if on_a_rival || self.strictest(ours) <= self.strictest(theirs) {
            return Standing::Superseded;
        }
        self.replace(view, next, standings);
        Standing::Stands
    }

    /// Returns what stands once `deed` is taken by somebody who saw `view`; `None` where it is not possible there.
    fn follow(&self, view: &View, deed: usize) -> Option<View> {
        let says = &self.deeds.get(deed)?.says;
        let step = self.deeds.get(deed)?.step;
        let picked = view.rivals.iter().copied().find(|rival| says.picks == self.id(*rival));
        if let Some(picked) = picked.filter(|_| step.picks) {
            return self.pick(view, deed, picked);
        }
        let fresh = self.fresh(&view.chain, Some(deed));
        let mut chain = view.chain.get(..fresh)?.to_vec();
        self.machine.apply(self.state(&chain), says).ok()?;
        chain.push(deed);
        let rivals = if chain.iter().any(|deed| view.rivals.contains(deed)) {
            view.rivals.clone()
        } else {
            Vec::new()
        };
        Some(View { chain, rivals })
    }

    /// Settles two seals: what was built on another than the picked one falls with it.
    fn pick(&self, view: &View, deed: usize, picked: usize) -> Option<View> {
        let at = view.chain.iter().position(|deed| view.rivals.contains(deed))?;
        let kept = view.chain.get(at) == Some(&picked);
        let after = if kept { view.chain.get(at + 1..)? } else { &[] };
        let mut chain = view.chain.get(..at)?.to_vec();
        chain.push(picked);
        self.machine.apply(self.state(&chain), &self.deeds.get(deed)?.says).ok()?;
        chain.push(deed);
        chain.extend_from_slice(after);
        Some(View { chain, rivals: Vec::new() })
    }

    fn replace(&self, view: &mut View, next: View, standings: &mut [Standing]) {
        for fallen in view.chain.iter().chain(&view.rivals).filter(|deed| !next.chain.contains(deed)) {
            let stale = self.stale(&view.chain, *fallen, None);
            set(standings, *fallen, if stale { Standing::Stale } else { Standing::Superseded });
        }
        for deed in &next.chain {
            set(standings, *deed, Standing::Stands);
        }
        *view = next;
    }

    fn author_view(&mut self, deed: usize) -> View {
        if let Some(view) = self.views.get(&deed) {
            return view.clone();
        }
        let past: Vec<usize> = (0..deed).filter(|other| self.covers(deed, *other)).collect();
        let view = self.view_of(&past, &mut vec![Standing::Void; deed]);
        self.views.insert(deed, view.clone());
        view
    }

    /// Returns the state and the seal in force, once everything is known; tells what became stale.
    fn finish(&self, view: &View, standings: &mut [Standing]) -> (Index, Option<usize>) {
        let fresh = self.fresh(&view.chain, None);
        for (place, deed) in view.chain.iter().enumerate() {
            let contested = view.rivals.contains(deed);
            if !contested && (place >= fresh || self.stale(&view.chain, *deed, None)) {
                set(standings, *deed, Standing::Stale);
            }
        }
        let chain = view.chain.get(..fresh).unwrap_or_default();
        (self.state(chain), self.seal(chain).and_then(|deed| self.op(deed)))
    }

    /// Returns how many decisions of the chain count before one of them asks again.
    ///
    /// A person's own steps (he set out, he sealed) happened whatever changed meanwhile; a judgement on them did not.
    fn fresh(&self, chain: &[usize], for_author_of: Option<usize>) -> usize {
        let asks = |deed: &usize| {
            let own = self.deeds.get(*deed).is_none_or(|deed| deed.step.own);
            !own && self.stale(chain, *deed, for_author_of)
        };
        chain.iter().position(asks).unwrap_or(chain.len())
    }

    /// Returns whether content that `deed` was taken on changed without its author knowing.
    ///
    /// After a seal the frozen groups cannot change: what comes is a late edit, outside the content.
    /// A step that opens the document for editing is no word on its content.
    fn stale(&self, chain: &[usize], deed: usize, for_author_of: Option<usize>) -> bool {
        let Some(Deed { op, says, step }) = self.deeds.get(deed) else {
            return false;
        };
        if says.saw.is_none() || self.machine.opens(step.to) {
            return false;
        }
        let upto = chain.iter().position(|other| *other == deed).map_or(chain.len(), |at| at + 1);
        let sealed = self.seal(chain.get(..upto).unwrap_or_default()).is_some();
        let known = |content: &Content| {
            let viewer = for_author_of.and_then(|viewer| self.op(viewer));
            viewer.is_none_or(|viewer| viewer == content.op || self.history.covers(viewer, content.op))
        };
        let unseen = |content: &Content| content.op != *op && !self.history.covers(*op, content.op);
        self.content.iter().any(|content| !(sealed && content.frozen) && unseen(content) && known(content))
    }

    /// Returns the seal that closes the document after that chain.
    fn seal(&self, chain: &[usize]) -> Option<usize> {
        if self.machine.opens(self.state(chain)) {
            return None;
        }
        let seals = |deed: &usize| self.deeds.get(*deed).is_some_and(|deed| deed.step.seals);
        chain.iter().copied().rev().find(seals)
    }

    /// Returns where a chain ends. A step back undoes the one before it, and itself.
    fn state(&self, chain: &[usize]) -> Index {
        let mut at = chain;
        while let Some((last, before)) = at.split_last() {
            match self.deeds.get(*last) {
                Some(deed) if deed.step.back => {
                    at = before.split_last().map_or(&[][..], |(_, before)| before)
                }
                Some(deed) => return deed.step.to,
                None => return 0,
            }
        }
        0
    }

    fn rival(&self, deed: usize) -> bool {
        self.deeds.get(deed).is_some_and(|deed| deed.step.rival)
    }

    fn strictest(&self, run: &[usize]) -> u8 {
        run.iter()
            .filter_map(|deed| self.deeds.get(*deed))
            .map(|deed| deed.step.strictness)
            .max()
            .unwrap_or(0)
    }

    fn op(&self, deed: usize) -> Option<usize> {
        self.deeds.get(deed).map(|deed| deed.op)
    }

    fn id(&self, deed: usize) -> Option<OpId> {
        self.op(deed).map(|op| self.history.id(op))
    }

    fn covers(&self, later: usize, earlier: usize) -> bool {
        self.op(later)
            .zip(self.op(earlier))
            .is_some_and(|(later, earlier)| self.history.covers(later, earlier))
    }
}

fn set(standings: &mut [Standing], deed: usize, standing: Standing) {
    if let Some(place) = standings.get_mut(deed) {
        *place = standing;
    }
}
