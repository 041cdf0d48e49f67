//! A journal that lost its end: what the witness had seen of it stays noted until a rebuild has told it.
//!
//! Source: docs/STORAGE.md, Journal.

use std::collections::BTreeMap;

use records::id::Epoch;
use serde::{Deserialize, Serialize};

use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::journal::{Contents, Position};
use crate::store::last::Mark;

/// The setting with the ends that were lost.
const CUTS: &str = "store.cuts";

/// An end that was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// How far the journal went.
    pub was: Mark,
    /// How far it goes.
    pub found: Position,
}

impl Store {
    /// Returns the end that the journal lost since its witness was written; `None` where it lost none.
    pub(in crate::store) fn cut_of(&self, contents: &Contents) -> Option<Cut> {
        let was = contents.last?;
        let frames = contents.frames.iter().map(|(frame, _)| (frame.epoch, frame.last()));
        let own = self.state.own.map(|own| (own.epoch, own.seq));
        let seen = frames.chain(own).filter(|(epoch, _)| *epoch == was.epoch).map(|(_, seq)| seq).max();
        let found = contents.end;
        // A journal that lost what the database has goes on in a new file: only its ops say how far it is.
        let behind = contents.short && seen.unwrap_or(0) < was.seq;
        (found < was.at || behind).then_some(Cut { was, found })
    }

    /// Keeps what was lost for whoever asks.
    ///
    /// # Errors
    /// Those of saving.
    pub(in crate::store) fn note_cut(&mut self, cut: Cut) -> Result<(), StoreError> {
        let mut cuts = self.cuts()?;
        cuts.push(cut);
        self.put_setting(CUTS, postcard::to_allocvec(&cuts).unwrap_or_default())
    }

    /// Returns the ends that the journal lost and no rebuild has told yet.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(in crate::store) fn cuts(&self) -> Result<Vec<Cut>, StoreError> {
        let bytes = self.setting(CUTS)?;
        Ok(bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()).unwrap_or_default())
    }

    /// Forgets them: they were told.
    ///
    /// # Errors
    /// Those of saving.
    pub(in crate::store) fn forget_cuts(&mut self) -> Result<(), StoreError> {
        if self.cuts()?.is_empty() { Ok(()) } else { self.put_setting(CUTS, Vec::new()) }
    }
}

/// Takes the ends that were lost into how far each epoch went.
pub(in crate::store) fn stretch(ends: &mut BTreeMap<Epoch, u64>, cuts: &[Cut]) {
    for Cut { was, .. } in cuts {
        let end = ends.entry(was.epoch).or_insert(0);
        *end = was.seq.max(*end);
    }
}
