//! Which payment batch pays a claim: one at most, by the table's key.

use records::id::{DocId, Epoch, OpId, Replica};
use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError, bytes, read};

impl Store {
    /// Enters the claims that a payment batch pays, in place of those that it paid before; each with its creator's branch.
    ///
    /// # Errors
    /// [`StoreError::InPayment`] where another batch pays one of them; then nothing of the transaction may be kept.
    pub fn in_payment_put(&self, payment: DocId, claims: &[(u32, DocId)]) -> Result<(), StoreError> {
        self.db.prepare_cached("DELETE FROM in_payment WHERE payment = ?1")?.execute([bytes(&payment)])?;
        let mut insert = self.db.prepare_cached("INSERT INTO in_payment VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for (branch, claim) in claims {
            let id = claim.0;
            let key = params![branch, id.replica.0, id.epoch.0, id.seq, bytes(&payment)];
            insert.execute(key).map_err(|error| match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::ConstraintViolation) => StoreError::InPayment { claim: *claim },
                _ => StoreError::Sqlite(error),
            })?;
        }
        Ok(())
    }

    /// Returns the payment batch that pays a claim.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn in_payment(&self, branch: u32, claim: DocId) -> Result<Option<DocId>, StoreError> {
        let id = claim.0;
        let mut query = self.db.prepare_cached(
            "SELECT payment FROM in_payment WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4",
        )?;
        let key = params![branch, id.replica.0, id.epoch.0, id.seq];
        let payment: Option<Vec<u8>> = query.query_row(key, |row| row.get(0)).optional()?;
        payment.map(|payment| read("in_payment", &payment)).transpose()
    }

    /// Returns every claim that a payment batch pays, with the batch, by claim.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn all_in_payment(&self) -> Result<Vec<(DocId, DocId)>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT replica, epoch, seq, payment FROM in_payment ORDER BY branch, replica, epoch, seq",
        )?;
        let rows = query.query_map([], |row| {
            let (replica, epoch, seq) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let claim = DocId(OpId { replica: Replica(replica), epoch: Epoch(epoch), seq });
            Ok((claim, row.get::<_, Vec<u8>>(3)?))
        })?;
        let all: Vec<(DocId, Vec<u8>)> = rows.collect::<Result<_, _>>()?;
        all.into_iter().map(|(claim, payment)| Ok((claim, read("in_payment", &payment)?))).collect()
    }
}
