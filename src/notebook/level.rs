//! How far HQ has what is here: by class of records, and which records have something that HQ did not sign for.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use records::id::DocId;
use records::schema::Kind;
use records::time::Ts;

use crate::notebook::list;
use crate::store::Store;
use crate::store::error::StoreError;

/// How many records of one class there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Class {
    /// All that are here.
    pub all: u64,
    /// Those with an op that HQ did not sign for.
    pub here: u64,
}

/// How far HQ has what is here.
#[derive(Debug, Clone, Default)]
pub struct Level {
    /// The classes that have a record, by the kinds' numbers.
    pub classes: Vec<(&'static Kind, Class)>,
    /// The records with something that is only here and when they were last changed, the oldest first.
    pub here: Vec<(DocId, Ts)>,
}

/// Returns how far HQ has what is here.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn level(store: &Store) -> Result<Level, StoreError> {
    let unheld = store.unsigned()?;
    let mut classes: BTreeMap<u16, Class> = BTreeMap::new();
    let mut here = Vec::new();
    store.each_entry(None, &mut |entry| {
        let only = unheld
            .iter()
            .any(|(line, held)| entry.ops.get(line).is_some_and(|seqs| seqs.iter().any(|seq| seq > held)));
        let class = classes.entry(entry.kind).or_default();
        class.all += 1;
        if only {
            class.here += 1;
            here.push((entry.id, list::created(entry.updated)));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    here.sort_by_key(|(id, at)| (*at, *id));
    let classes = classes.into_iter();
    let classes = classes.filter_map(|(number, class)| Some((records::kinds::by_number(number)?, class)));
    Ok(Level { classes: classes.collect(), here })
}

#[cfg(test)]
mod tests {
    use records::kinds::repair::REPAIR;

    use super::*;
    use crate::notebook::create::{Create, create};
    use crate::store::testing::{NOW, enrolment};

    #[test]
    fn a_record_that_hq_never_heard_of_is_only_here() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::create(dir.path(), &enrolment(), NOW).unwrap();
        assert!(level(&store).unwrap().here.is_empty());
        let request = Create { kind: &REPAIR, job: None, pairs: Vec::new(), entries: Vec::new() };
        let id = create(&mut store, &request, NOW).unwrap().id;
        let level = level(&store).unwrap();
        assert_eq!(level.here, [(id, NOW.wall)]);
        let repair = level.classes.iter().find(|(kind, _)| kind.number == REPAIR.number).unwrap();
        assert_eq!(repair.1, Class { all: 1, here: 1 });
    }
}
