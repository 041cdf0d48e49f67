//! What a device says beside its log, each heard by whose matter it is.

use sync_protocol::asides::{Ask, Tell};

use crate::intake::desk::Desk;
use crate::store::StoreError;
use crate::store::devices::Device;

impl Desk {
    /// Hears what a device says and returns what HQ has to say to it.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it may be kept.
    pub fn hear(&mut self, device: &Device, asks: Vec<Ask>, now_ms: u64) -> Result<Vec<Tell>, StoreError> {
        let (mut tells, mut have, mut want, mut again) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut buckets = None;
        // A device that takes no part any more is not answered; its segments wait for a person. Whose key it is it may
        // still say: without it nothing that it sends could be read, and it would never hear why.
        let part = device.standing.takes_part();
        for ask in asks.into_iter().filter(|ask| part || matches!(ask, Ask::Vouched(_))) {
            match ask {
                Ask::Have(files) => have.extend(files),
                Ask::Want(files) => want.extend(files),
                // A piece was kept before the others were heard.
                Ask::Relay(_) | Ask::Chunk(_) => {}
                // Asked for before the page is made.
                Ask::Tables(_) | Ask::Pins(_) | Ask::Newer { .. } => {}
                Ask::Rulings(proof) => self.hear_rulings(&proof)?,
                Ask::Extracts(proof) => self.hear_extracts(&proof, now_ms)?,
                Ask::Vouched(vouched) => self.hear_vouched(&vouched, now_ms)?,
                Ask::Buckets(theirs) => buckets = Some(theirs),
                Ask::Reread(docs) => again.extend(docs),
                Ask::Clocks(runs) => self.hear_clocks(device, &runs, now_ms)?,
            }
        }
        tells.extend(self.pieces(device, &want)?);
        tells.extend(self.held(device, &have)?);
        if let Some(theirs) = buckets {
            tells.push(Tell::Differing(self.differing(device, &theirs)?));
        }
        if !again.is_empty() {
            self.reread(device, &again)?;
        }
        Ok(tells)
    }

    /// Hears of a device that HQ does not know what HQ itself signed before it was restored.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it may be kept.
    pub fn hear_stranger(&mut self, asks: Vec<Ask>, now_ms: u64) -> Result<Vec<Tell>, StoreError> {
        for ask in asks {
            match ask {
                Ask::Rulings(proof) => self.hear_rulings(&proof)?,
                Ask::Extracts(proof) => self.hear_extracts(&proof, now_ms)?,
                Ask::Vouched(vouched) => self.hear_vouched(&vouched, now_ms)?,
                Ask::Relay(_)
                | Ask::Chunk(_)
                | Ask::Have(_)
                | Ask::Want(_)
                | Ask::Buckets(_)
                | Ask::Reread(_)
                | Ask::Clocks(_)
                | Ask::Tables(_)
                | Ask::Pins(_)
                | Ask::Newer { .. } => {}
            }
        }
        Ok(Vec::new())
    }
}
