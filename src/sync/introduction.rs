//! Who this device is to HQ: its first words, and the certificate that it got for them.

use sync_protocol::asides::{Ask, Vouched};
use sync_protocol::message::{Certificate, Enrol};

use crate::store::Store;
use crate::store::error::StoreError;

/// The setting with HQ's certificate of this device.
const CERTIFICATE: &str = "sync.certificate";
/// The setting with the same under a signature of its own.
const VOUCHED: &str = "sync.vouched";

/// Returns the key and the proof, until HQ has answered with a certificate.
///
/// # Errors
/// [`StoreError::Key`].
pub(crate) fn first_contact(store: &Store) -> Result<Option<Enrol>, StoreError> {
    let identity = store.identity();
    let secret = &identity.enrolment.secret;
    if *secret == [0; 16] {
        return Ok(None);
    }
    let key = store.signer()?.public();
    Ok(Some(Enrol {
        key,
        proof: sync_protocol::enrolment::proof(secret, identity.enrolment.replica, &key),
        scanned_ms: identity.scanned_ms,
        name: identity.name.clone(),
    }))
}

/// Returns HQ's certificate of this device; `None` before the first contact.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn certificate(store: &Store) -> Result<Option<Certificate>, StoreError> {
    let bytes = store.setting(CERTIFICATE)?;
    Ok(bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()))
}

/// Keeps the certificate; the secret has done its work.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn certified(store: &mut Store, certificate: &Certificate) -> Result<(), StoreError> {
    let bytes = postcard::to_allocvec(certificate).unwrap_or_default();
    store.put_setting(CERTIFICATE, bytes)?;
    if store.identity().enrolment.secret != [0; 16] {
        let mut identity = store.identity().clone();
        identity.enrolment.secret = [0; 16];
        store.set_identity(identity)?;
    }
    Ok(())
}

/// Keeps the proof of who this is: a restored HQ that forgot it is shown it.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn vouched(store: &mut Store, vouched: &Vouched) -> Result<(), StoreError> {
    let bytes = postcard::to_allocvec(vouched).unwrap_or_default();
    let known = store.setting(VOUCHED)?.is_some_and(|known| known == bytes);
    if known { Ok(()) } else { store.put_setting(VOUCHED, bytes) }
}

/// Returns what this device shows an HQ that does not know it.
pub(in crate::sync) fn proof_of_oneself(store: &Store) -> Result<Option<Ask>, StoreError> {
    let bytes = store.setting(VOUCHED)?;
    let kept: Option<Vouched> = bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok());
    // Of another name that this home had, nobody is told.
    let own = kept.filter(|kept| kept.certificate.replica == store.identity().enrolment.replica);
    Ok(own.map(Ask::Vouched))
}
