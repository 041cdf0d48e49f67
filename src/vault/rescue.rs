//! A forgotten PIN: the data key lies sealed to headquarters in the home, and comes back sealed to this device.
//!
//! Source: docs/PROTOCOL.md, Rescue.

use std::path::Path;

use sync_protocol::parcel::ParcelError;
use sync_protocol::rescue::{Escrow, Kept, Request, RescueError, open_answer};
use sync_protocol::sign::Signer;
use zeroize::Zeroizing;

use crate::clock::Now;
use crate::home::Lock;
use crate::keys::secret::DataKey;
use crate::keys::wrap::KeyFile;
use crate::keys::{random, read_key, tries};
use crate::store::Store;
use crate::store::error::{Part, StoreError};

const ESCROW: &str = "escrow";
/// The secret half of the key that a request names.
const ASKED: &str = "rescue";

/// Why a home could not be rescued.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The home.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It has no PIN: there is nothing to be rescued from.
    #[error("the home has no PIN")]
    NoPin,
    /// It asked for no rescue, or the last one is done.
    #[error("the home asked for no rescue")]
    NotAsked,
    /// The answer is not for this home's last request.
    #[error("the answer is for another request")]
    NotForThis,
    /// The answer is none, or was changed.
    #[error(transparent)]
    Answer(RescueError),
}

/// A request, and what people compare by telephone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// The installation's short id.
    pub replica: u32,
    /// The fingerprint of the key that signs for it.
    pub key: String,
    /// The fingerprint of this request: headquarters shows the same.
    pub request: String,
}

/// Seals the data key of an open home to headquarters.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`], [`StoreError::Key`].
pub(super) fn write_escrow(store: &Store) -> Result<(), StoreError> {
    let enrolment = &store.identity().enrolment;
    let kept = Kept {
        home: store.keys().home_id(),
        replica: enrolment.replica,
        device: store.signer()?.public(),
        data_key: Zeroizing::new(*store.keys().data_key().bytes()),
    };
    let escrow = Escrow::seal(&kept, enrolment.hq_key, &random()?).map_err(|_| StoreError::Key)?;
    crate::home::write_twin(&store.home().join("id"), ESCROW, &escrow.to_bytes())
}

/// Seals it anew where headquarters has another key now, or the home another name.
///
/// # Errors
/// As [`write_escrow`].
pub(super) fn renew_escrow(store: &Store) -> Result<(), StoreError> {
    let enrolment = &store.identity().enrolment;
    let known = read_escrow(store.home())
        .is_ok_and(|escrow| escrow.hq == enrolment.hq_key && escrow.replica == enrolment.replica);
    if known { Ok(()) } else { write_escrow(store) }
}

fn read_escrow(home: &Path) -> Result<Escrow, StoreError> {
    let id = home.join("id");
    let damaged = || StoreError::damaged(Part::Keys, &id);
    let bytes = crate::home::read_twin(&id, ESCROW)?.ok_or_else(damaged)?;
    Escrow::from_bytes(&bytes).map_err(|_| damaged())
}

/// Removes escrow and request: a home without a PIN needs neither.
pub(super) fn forget(home: &Path) -> Result<(), StoreError> {
    let id = home.join("id");
    forget_request(&id)?;
    crate::home::remove_twin(&id, ESCROW)
}

fn forget_request(id: &Path) -> Result<(), StoreError> {
    ["a", "b"].into_iter().try_for_each(|copy| crate::home::destroy(&id.join(format!("{ASKED}.{copy}"))))
}

/// Asks headquarters for the key of a locked home: makes the request, and keeps what opens the answer to it.
///
/// # Errors
/// [`Failed::NoPin`], and [`Failed::Store`]: [`StoreError::Damaged`] where the escrow does not read.
pub fn ask(home: &Path, now: Now) -> Result<Asked, Failed> {
    wrapped_home(home)?;
    let lock = Lock::take(home, now.boot)?;
    let escrow = read_escrow(home)?;
    let seed = Zeroizing::new(random::<32>()?);
    let reader = Signer::from_seed(&seed).map_err(|_| StoreError::Key)?.public();
    crate::home::replace_twin(&home.join("id"), ASKED, &seed[..])?;
    drop(lock);
    let (replica, key) = (escrow.replica.0, escrow.device.fingerprint());
    Ok(Asked { bytes: Request { reader, escrow }.to_bytes(), replica, key, request: reader.fingerprint() })
}

/// Returns the data key in an answer of headquarters to the home's last request.
///
/// # Errors
/// [`Failed`].
pub fn hear(home: &Path, answer: &[u8]) -> Result<DataKey, Failed> {
    let name = wrapped_home(home)?;
    let seed = crate::home::read_twin(&home.join("id"), ASKED)?.map(Zeroizing::new);
    let seed: [u8; 32] = seed.and_then(|seed| seed[..].try_into().ok()).ok_or(Failed::NotAsked)?;
    let seed = Zeroizing::new(seed);
    let asked = Signer::from_seed(&seed).map_err(|_| StoreError::Key)?;
    match open_answer(answer, &asked) {
        Ok((home, key)) if home == name => Ok(DataKey::from(key)),
        Ok(_) | Err(RescueError::Parcel(ParcelError::NotForHim)) => Err(Failed::NotForThis),
        Err(error) => Err(Failed::Answer(error)),
    }
}

/// Forgets the request, and the wrong PINs: its answer was used.
///
/// # Errors
/// [`StoreError::Io`].
pub fn done(home: &Path) -> Result<(), StoreError> {
    let id = home.join("id");
    forget_request(&id)?;
    tries::forget(&id)
}

/// Returns the random name of a home that has a PIN.
fn wrapped_home(home: &Path) -> Result<[u8; 8], Failed> {
    match read_key(&home.join("id"))? {
        None => Err(StoreError::NotEnrolled { home: home.to_path_buf() }.into()),
        Some(KeyFile::Open { .. }) => Err(Failed::NoPin),
        Some(KeyFile::Wrapped(wrapped)) => Ok(wrapped.home),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Access;
    use crate::keys::secret::Pin;
    use crate::keys::wrap::Params;
    use crate::store::testing::{NOW, create, home, hq};
    use crate::vault::set_pin;

    #[test]
    fn headquarters_answer_opens_the_home_that_asked_and_no_other() {
        let (dir, mut store) = home();
        store.save(vec![create(b"x")], NOW).unwrap();
        set_pin(&store, &Pin::typed("4711"), Params::FLOOR).unwrap();
        let key = store.keys().data_key().clone();
        drop(store);
        assert!(matches!(hear(dir.path(), b"anything"), Err(Failed::NotAsked)));
        let asked = ask(dir.path(), NOW).unwrap();
        let request = Request::from_bytes(&asked.bytes).unwrap();
        let kept = request.escrow.open(&hq()).unwrap();
        assert_eq!(asked.request, request.reader.fingerprint());
        let answer = sync_protocol::rescue::answer(&kept, request.reader, &[4; 64]).unwrap();
        assert_eq!(hear(dir.path(), &answer).unwrap(), key);
        assert!(matches!(hear(dir.path(), &answer[1..]), Err(Failed::Answer(RescueError::OtherKind))));
        let heard = hear(dir.path(), &answer).unwrap();
        let store = Store::open_by(dir.path(), Access::By(&heard), NOW).unwrap();
        assert_eq!(store.counts().unwrap().ops, 1);
        drop(store);
        ask(dir.path(), NOW).unwrap();
        assert!(matches!(hear(dir.path(), &answer), Err(Failed::NotForThis)), "an old answer");
        done(dir.path()).unwrap();
        assert!(matches!(hear(dir.path(), &answer), Err(Failed::NotAsked)));
    }

    #[test]
    fn a_home_without_a_pin_asks_for_nothing() {
        let (dir, store) = home();
        drop(store);
        assert!(matches!(ask(dir.path(), NOW), Err(Failed::NoPin)));
        assert!(matches!(hear(dir.path(), b""), Err(Failed::NoPin)));
    }
}
