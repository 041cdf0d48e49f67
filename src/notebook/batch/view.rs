//! A batch as it reads: its lists, what is wrong with them, and what became of the claims inside.

use records::claim::gaps::Gap;
use records::claim::guard::batch::Batch;
use records::claim::manifest::{Manifest, manifest};
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::batch_machine;
use records::machine::State;

use crate::clock::Now;
use crate::notebook::batch;
use crate::notebook::batch::members::{Member, members};
use crate::notebook::refusal::NotebookError;
use crate::store::Store;

/// A batch as it reads.
#[derive(Debug, Clone)]
pub struct View {
    /// Which.
    pub id: DocId,
    /// The batch.
    pub batch: Batch,
    /// Its state.
    pub state: Option<&'static State>,
    /// Its lists.
    pub manifest: Manifest,
    /// Each claim inside with its state, and what lost steps left to be seen on it; `None` where it is not here.
    pub claims: Vec<(DocId, String, Option<Inside>)>,
    /// What is wrong with the numbers, with whose they are.
    pub faults: Vec<(DocId, Gap)>,
    /// Who of the branch claims with it, those who lack a claim first.
    pub members: Vec<Member>,
}

/// A claim inside.
#[derive(Debug, Clone)]
pub struct Inside {
    /// The claim.
    pub claim: Claim,
    /// Its state.
    pub state: Option<&'static State>,
    /// Its flags: nothing is paid of one that was withdrawn or thrown away in transit.
    pub flags: Vec<&'static State>,
}

/// Returns a batch; without a name the only one that is not gone.
///
/// # Errors
/// What [`batch::find()`] refuses; [`NotebookError::Store`].
pub fn view(store: &Store, which: Option<&str>, now: Now) -> Result<View, NotebookError> {
    let envelope = batch::find(store, which, now)?;
    let inside = envelope.inside(store)?;
    let states = records::kinds::claim_machine::CLAIM.states;
    let mut claims = Vec::new();
    for (id, no) in &envelope.batch.claims {
        let found = inside.iter().find(|(document, _)| document.id == *id);
        claims.push((
            *id,
            no.clone(),
            found.map(|(document, claim)| Inside {
                claim: claim.clone(),
                state: states.get(usize::from(document.state)),
                flags: document.flags(),
            }),
        ));
    }
    let all: Vec<Claim> = inside.into_iter().map(|(_, claim)| claim).collect();
    let reviewer = &envelope.reviewer;
    let apart = reviewer.terms.in_force.policy(reviewer.today).manifest.non_service_sheet;
    Ok(View {
        id: envelope.document.id,
        state: batch_machine::BATCH.states.get(usize::from(envelope.batch.state)),
        manifest: manifest(&all, &envelope.batch.explained, apart),
        claims,
        faults: batch::send::faults(store, &envelope)?,
        members: members(store, &envelope)?,
        batch: envelope.batch,
    })
}
