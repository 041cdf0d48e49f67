//! The lists that go with a batch, for a workbook or a text file.

use std::collections::BTreeMap;

use papers::lists::envelope::{Envelope, Who};
use papers::lists::{List, ListError};
use papers::words::Lang;
use records::claim::view::Claim;
use records::id::DocId;
use records::value::Target;

use crate::clock::Now;
use crate::notebook::batch;
use crate::notebook::refusal::NotebookError;
use crate::notebook::show;
use crate::store::Store;

/// The lists of a batch.
#[derive(Debug)]
pub struct Listed {
    /// The batch.
    pub id: DocId,
    /// Its number.
    pub batch: String,
    /// How many claims are listed.
    pub claims: usize,
    /// The detail list first, then the summary, then non-service expenses where there are any; or a sum was too large.
    pub lists: Result<Vec<List>, ListError>,
}

/// Returns the lists of a batch; without a name those of the only one that is not gone.
///
/// # Errors
/// What [`batch::find()`] refuses; [`NotebookError::Store`].
///
/// Source: docs/RULES.md P-19, P-20.
pub fn lists(store: &Store, which: Option<&str>, lang: Lang, now: Now) -> Result<Listed, NotebookError> {
    let found = batch::find(store, which, now)?;
    let claims: Vec<Claim> = found.inside(store)?.into_iter().map(|(_, claim)| claim).collect();
    let terms = &found.reviewer.terms;
    let (mut people, mut sheets) = (BTreeMap::new(), BTreeMap::new());
    for claim in &claims {
        let person = terms.people.staff.get(&claim.staff);
        people.insert(
            claim.staff,
            Who {
                code: person.map(|person| person.code.clone()).unwrap_or_default(),
                name: show::name(store, claim.staff)?,
                unit: claim.unit.map(|unit| terms.unit_code(unit).to_owned()).unwrap_or_default(),
            },
        );
        for id in claim.lines.iter().flat_map(|line| &line.sheets).filter_map(doc) {
            sheets.insert(id, show::name(store, id)?);
        }
    }
    let envelope = Envelope {
        batch_no: &found.batch.no,
        claims: &claims,
        explained: &found.batch.explained,
        apart: terms.in_force.policy(found.reviewer.today).manifest.non_service_sheet,
        who: &|id| people.get(&id).cloned().unwrap_or_default(),
        sheet: &|target| match target {
            Target::Doc(id) => sheets.get(id).cloned().unwrap_or_default(),
            Target::Text(text) => text.clone(),
        },
        lang,
    };
    let lists = envelope.lists();
    Ok(Listed { id: found.document.id, batch: found.batch.no.clone(), claims: claims.len(), lists })
}

fn doc(target: &Target) -> Option<DocId> {
    match target {
        Target::Doc(id) => Some(*id),
        Target::Text(_) => None,
    }
}
