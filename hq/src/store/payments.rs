//! Which payment batch pays a claim: one at most, by the table's key.

use records::id::{DocId, Epoch, OpId, Replica};

use crate::store::engine::values;
use crate::store::{Store, StoreError, bytes, read};

impl Store {
    /// Enters the claims that a payment batch pays, in place of those that it paid before; each with its creator's branch.
    ///
    /// # Errors
    /// [`StoreError::InPayment`] where another batch pays one of them; then nothing of the transaction may be kept.
    pub fn in_payment_put(&self, payment: DocId, claims: &[(u32, DocId)]) -> Result<(), StoreError> {
        let payment_bytes = bytes(&payment);
        self.db.run("DELETE FROM in_payment WHERE payment = ?1", values![&payment_bytes])?;
        for (branch, claim) in claims {
            let id = claim.0;
            let key = values![*branch, id.replica.0, id.epoch.0, id.seq, &payment_bytes];
            let put = self.db.run("INSERT INTO in_payment VALUES (?1, ?2, ?3, ?4, ?5)", key);
            put.map_err(
                |error| if error.is_taken() { StoreError::InPayment { claim: *claim } } else { error },
            )?;
        }
        Ok(())
    }

    /// Returns the payment batch that pays a claim.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn in_payment(&self, branch: u32, claim: DocId) -> Result<Option<DocId>, StoreError> {
        let id = claim.0;
        let sql =
            "SELECT payment FROM in_payment WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4";
        let key = values![branch, id.replica.0, id.epoch.0, id.seq];
        let payment: Option<Vec<u8>> = self.db.one(sql, key, |row| row.get(0))?;
        payment.map(|payment| read("in_payment", &payment)).transpose()
    }

    /// Returns every claim that a payment batch pays, with the batch, by claim.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn all_in_payment(&self) -> Result<Vec<(DocId, DocId)>, StoreError> {
        let sql = "SELECT replica, epoch, seq, payment FROM in_payment ORDER BY branch, replica, epoch, seq";
        self.db.all(sql, &[], |row| {
            let (replica, epoch, seq) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let claim = DocId(OpId { replica: Replica(replica), epoch: Epoch(epoch), seq });
            Ok((claim, read("in_payment", &row.get::<Vec<u8>>(3)?)?))
        })
    }
}
