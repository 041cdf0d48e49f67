//! Whether the database went back behind an answer of HQ that it had: the journal knows how many there were.
//!
//! sled ends its log where it does not read and opens as it was before. The journal gives own work back; what others
//! wrote since comes again with the next sync, for the cursor went back with it. Until then `doctor` says so.
//!
//! Source: docs/STORAGE.md, Database.

use crate::store::Store;
use crate::store::error::StoreError;

/// The setting with how many answers were taken in and made durable.
const ANSWERS: &str = "store.answers";

impl Store {
    /// Notes in the journal that the database holds every answer up to this one; call it after the checkpoint.
    pub(in crate::store) fn note_answer(&mut self) {
        // Without the note a database that goes back says nothing of it; the answer itself is safe.
        drop(self.put_setting(ANSWERS, self.state.answers.to_le_bytes().to_vec()));
    }

    /// Returns how many answers the database has held.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(in crate::store) fn answers_noted(&self) -> Result<u64, StoreError> {
        let noted = self.setting(ANSWERS)?;
        Ok(noted.and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?))).unwrap_or(0))
    }

    /// Returns how many answers of HQ the database has lost; the next sync brings again what they brought.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(in crate::store) fn answers_lost(&self) -> Result<u64, StoreError> {
        Ok(self.answers_noted()?.saturating_sub(self.state.answers))
    }
}
