//! What a device should hold: its documents and the digest over them.

use std::collections::BTreeMap;

use records::id::DocId;
use records::kinds::staff::Role;
use records::time::Zone;
use sync_protocol::digest;
use sync_protocol::merge::Judged;

use crate::intake::desk::Desk;
use crate::money::rows::instant;
use crate::store::StoreError;
use crate::store::devices::Device;

impl Desk {
    /// Returns the branch whose feed the device's owner reads: a supervisor's or general manager's own; whoever stands in
    /// for one on the day of the device's last contact reads his principal's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn oversees(&mut self, device: &Device) -> Result<Option<u32>, StoreError> {
        let people = self.people()?;
        let Some(staff) = device.staff else {
            return Ok(None);
        };
        let roles = people.staff.get(&staff).map(|person| person.roles.as_slice()).unwrap_or_default();
        let leads = roles.contains(&Role::SUPERVISOR) || roles.contains(&Role::BRANCH_GM);
        if leads { self.branch_of(staff) } else { self.stood_in_for(staff, device.seen_ms) }
    }

    /// Returns the branch of the supervisor or general manager for whom somebody may act on the day of an instant.
    fn stood_in_for(&mut self, staff: DocId, at_ms: Option<u64>) -> Result<Option<u32>, StoreError> {
        let Some(day) = at_ms.map(|ms| instant(ms).day(Zone::SHANGHAI)) else {
            return Ok(None);
        };
        let terms = self.terms()?;
        let given = terms.people.delegations.iter().filter(|given| given.to == staff).map(|given| given.from);
        let leads = |principal: &DocId| {
            let roles = terms.people.delegated(*principal, staff, day);
            roles.contains(&Role::SUPERVISOR) || roles.contains(&Role::BRANCH_GM)
        };
        match given.filter(leads).min() {
            Some(principal) => self.branch_of(principal),
            None => Ok(None),
        }
    }

    /// Returns the digest that the device should come to once it has read everything.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn digest_for(&mut self, device: &Device) -> Result<[u8; 16], StoreError> {
        Ok(digest::root(self.seen_by(device)?))
    }

    /// Returns the documents that the device's owner may see, with their digests.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn seen_by(&mut self, device: &Device) -> Result<BTreeMap<DocId, [u8; 16]>, StoreError> {
        let oversees = self.oversees(device)?;
        let own = match device.staff {
            Some(_) => self.store.devices(device.staff)?,
            None => Vec::new(),
        };
        let own: Vec<_> = own.iter().map(|device| (device.branch, device.replica)).collect();
        self.store.visible(device.staff, oversees, &own)
    }

    /// Returns a document's ops as judged.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn history(&mut self, doc: DocId) -> Result<Vec<Judged>, StoreError> {
        let home = self.home(doc.0.replica)?.unwrap_or(0);
        let known = self.store.known(home, doc)?.unwrap_or_default();
        let mut ops = Vec::with_capacity(known.ops.len());
        for id in known.ops {
            ops.extend(self.judged(id)?);
        }
        Ok(ops)
    }
}
