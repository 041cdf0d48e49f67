//! Whose key may have signed for a replica: as its device document says, HQ's as the enrolment does.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use records::id::Replica;
use records::kinds::device::DeviceKey;
use records::kinds::number;
use records::schema::Typed;
use sync_protocol::sign::PublicKey;

use crate::store::Store;
use crate::store::error::StoreError;

/// The keys of replicas, as far as asked in one answer.
pub(in crate::store) type KeyRing = BTreeMap<Replica, Vec<PublicKey>>;

impl Store {
    /// Returns the keys that may have signed for a replica; none where its device document is not here.
    pub(in crate::store) fn keys_of<'a>(
        &self,
        replica: Replica,
        ring: &'a mut KeyRing,
    ) -> Result<&'a [PublicKey], StoreError> {
        match ring.entry(replica) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(asked) => Ok(asked.insert(if replica == Replica::HQ {
                vec![self.identity.enrolment.hq_key]
            } else if replica == self.replica() {
                vec![self.signer()?.public()]
            } else {
                self.device_keys(replica)?
            })),
        }
    }

    pub(in crate::store) fn device_keys(&self, replica: Replica) -> Result<Vec<PublicKey>, StoreError> {
        let mut keys = Vec::new();
        for id in self.numbered(&replica.0.to_string())? {
            let Some(device) = self.document(id)?.filter(|document| document.kind == number::DEVICE) else {
                continue;
            };
            let Some(register) = device.registers.get(&DeviceKey::GROUP.tag()) else {
                continue;
            };
            for written in [&register.value].into_iter().chain(&register.others) {
                let key: Option<DeviceKey> = postcard::from_bytes(&written.bytes).ok();
                let key = key.and_then(|key| <[u8; 32]>::try_from(key.public_key?.0).ok());
                keys.extend(key.map(PublicKey));
            }
        }
        Ok(keys)
    }
}
