//! After a restore: what devices show again of what the lost database held, under HQ's own signature or the author's.
//!
//! Source: docs/PROTOCOL.md, A restored HQ.

use sync_protocol::cursor::{Cursor, Incarnation};
use sync_protocol::message::Notice;

use crate::intake::desk::Desk;
use crate::store::sqlite::StoreError;

impl Desk {
    /// Tells a device that read another history that HQ came back from a backup.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn tell_restored(&self, cursor: &Cursor) -> Result<Option<Notice>, StoreError> {
        if cursor.incarnation == self.incarnation || cursor.incarnation == Incarnation::default() {
            return Ok(None);
        }
        let order = self.store.restored_from()?.unwrap_or(0);
        Ok(Some(Notice::Restored { order }))
    }
}
