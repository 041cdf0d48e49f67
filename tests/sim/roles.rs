//! Whose word stands: of two decisions that did not know of each other the stricter, and none without its role.

use std::collections::{BTreeMap, BTreeSet};

use records::id::{DocId, Epoch, OpId, Replica};
use records::kinds;
use records::machine::Step;
use sync_protocol::merge::{Document, Standing};

use crate::checks::Holdings;

/// Where each epoch hangs.
pub(crate) type Parents = BTreeMap<(Replica, Epoch), (Epoch, u64)>;

/// Who works under which name.
pub(crate) type Owners = BTreeMap<Replica, &'static str>;

/// Asserts it for every document.
pub(crate) fn check(held: &Holdings, owners: &Owners) {
    for document in held.documents.values().filter(|document| document.decisions.len() > 1) {
        check_strictness(document, held);
    }
    for document in held.documents.values() {
        check_authors(document, owners);
    }
}

fn steps(document: &Document) -> Vec<(OpId, &'static Step, Standing)> {
    let machine = kinds::by_number(document.kind).and_then(|kind| kind.machine);
    let step =
        |ruled: &sync_protocol::merge::Ruled| Some((ruled.op, machine?.step_at(ruled.step)?, ruled.standing));
    document.decisions.iter().filter_map(step).collect()
}

fn check_strictness(document: &Document, held: &Holdings) {
    let steps = steps(document);
    for (strong, strict, _) in steps.iter().filter(|(_, _, lost)| *lost == Standing::Superseded) {
        for (weak, mild, _) in steps.iter().filter(|(_, _, stands)| *stands == Standing::Stands) {
            let rivals = strict.from.iter().any(|state| mild.from.contains(state));
            let apart =
                || !held.knows(document.id, *weak, *strong) && !held.knows(document.id, *strong, *weak);
            // What came before either of them may have decided already.
            let alone = || steps.iter().filter(|(_, _, stands)| *stands == Standing::Stands).count() == 1;
            assert!(
                !(rivals && mild.strictness < strict.strictness && apart() && alone()),
                "{}: {} of {weak} stands over the stricter {} of {strong}",
                document.id,
                mild.name,
                strict.name
            );
        }
    }
}

/// An engineer accepts nothing, and nobody his own.
fn check_authors(document: &Document, owners: &Owners) {
    let creator = owners.get(&document.id.0.replica);
    for (op, step, standing) in steps(document) {
        let author = owners.get(&op.replica);
        if standing != Standing::Stands || author.is_none() || creator.is_none() {
            continue;
        }
        let supervises = matches!(author, Some(&"S101" | &"T102"));
        let only_supervisors = step.who == [records::kinds::staff::Role::SUPERVISOR];
        assert!(supervises || !only_supervisors, "{}: {author:?} took {}", document.id, step.name);
        assert!(!step.apart || author != creator, "{}: {} of one's own", document.id, step.name);
        assert!(
            !step.own || author == creator || document.kind == kinds::number::JOB,
            "{}: {} of another's",
            document.id,
            step.name
        );
    }
}

impl Holdings {
    /// Returns whether the author of `later` had applied `earlier`.
    fn knows(&self, doc: DocId, later: OpId, earlier: OpId) -> bool {
        let on_doc: Vec<OpId> =
            self.ops.iter().filter(|(id, kept)| kept.row.document(**id) == doc).map(|(id, _)| *id).collect();
        let (mut met, mut next) = (BTreeSet::new(), vec![later]);
        while let Some(id) = next.pop() {
            if !met.insert(id) {
                continue;
            }
            let seen = self.ops.get(&id).map(|kept| kept.row.seen.clone()).unwrap_or_default();
            let before = seen.into_iter().chain([OpId { seq: id.seq - 1, ..id }]);
            for known in before {
                next.extend(on_doc.iter().copied().filter(|op| self.reaches(known, *op)));
            }
        }
        met.contains(&earlier)
    }

    /// Returns whether an op lies on the line that ends at `end`.
    fn reaches(&self, end: OpId, op: OpId) -> bool {
        let (mut epoch, mut seq) = (end.epoch, end.seq);
        loop {
            if (op.replica, op.epoch) == (end.replica, epoch) {
                return op.seq <= seq;
            }
            match self.parents.get(&(end.replica, epoch)) {
                Some((above, at)) => (epoch, seq) = (*above, *at),
                None => return false,
            }
        }
    }
}
