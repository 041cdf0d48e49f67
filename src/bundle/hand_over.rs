//! A job in a file for a colleague: what he needs to go on with it, and for HQ all that it does not have yet.
//!
//! The colleague's part is sealed to his devices. HQ's part is the work of this device as in any bundle; he carries it
//! on, so that what he builds on it never hangs, even where this device is lost before its next sync.

use std::ops::ControlFlow;
use std::path::Path;

use records::id::{DocId, Replica};
use records::kinds::{device, number};
use records::value::{Target, Value};
use sync_protocol::bundle::{BundleError, BundleKind, For, Handed, Header, Part, Writer};
use sync_protocol::message::Extract;
use sync_protocol::parcel::{READERS_MAX, seal};
use sync_protocol::sign::PublicKey;

use crate::bundle::relay::{self, Kept};
use crate::bundle::work::{self, Written};
use crate::bundle::{BundleFault, NewFile, walk};
use crate::clock::Now;
use crate::keys::random;
use crate::notebook::rows;
use crate::store::Store;
use crate::store::error::StoreError;

/// How long a colleague may read his part: a file on a forgotten stick tells less each day.
const READABLE_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// Rows of one parcel.
const EXTRACTS_BYTES_MAX: usize = 512 * 1024;

/// Whom a hand-over is sealed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readers {
    replicas: Vec<Replica>,
    keys: Vec<PublicKey>,
}

/// What a hand-over brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The bundle, and what of it goes on to HQ.
    pub kept: Kept,
    /// Ops that were not here before.
    pub received_ops: u64,
}

/// Returns the devices of a colleague, as far as HQ has told of them.
///
/// # Errors
/// [`BundleFault::NoDevice`] where there is none; [`BundleFault::Store`].
pub fn readers(store: &Store, colleague: DocId) -> Result<Readers, BundleFault> {
    let mut replicas = Vec::new();
    store.each(Some(number::DEVICE), &mut |document| {
        let value = |name| rows::value(&device::DEVICE, &document, name);
        let enrolled = device::DEVICE_MACHINE.states.get(usize::from(document.state));
        let takes_part = enrolled.is_some_and(|state| state.name == "enrolled");
        if let (Some(Value::Int(replica)), true, true) =
            (value("replica"), takes_part, value("owner") == Some(Value::Ref(Target::Doc(colleague))))
        {
            replicas.extend(u32::try_from(replica).ok().map(Replica));
        }
        ControlFlow::Continue(())
    })?;
    let mut keys = Vec::new();
    for replica in &replicas {
        keys.extend(store.keys_of_device(*replica)?);
    }
    keys.truncate(READERS_MAX);
    if keys.is_empty() { Err(BundleFault::NoDevice) } else { Ok(Readers { replicas, keys }) }
}

/// Writes some documents for a colleague, and all that HQ did not sign for.
///
/// # Errors
/// [`BundleFault::Store`].
pub fn write(
    store: &mut Store,
    now: Now,
    path: &Path,
    readers: &Readers,
    docs: &[DocId],
) -> Result<Written, BundleFault> {
    let mut header = work::header(store, now, BundleKind::HandOver)?;
    header.readers.extend(&readers.replicas);
    header.expires_ms = header.created_ms.saturating_add(READABLE_MS);
    crate::bundle::remember(store, &header)?;
    let mut file = NewFile::create(path)?;
    let (mut writer, bytes) = Writer::begin(&header);
    file.write(&bytes)?;
    for handed in batches(store, docs)? {
        let sealed = seal(&handed.to_bytes(), &readers.keys, &random()?)?;
        file.write(&writer.parcel(For::Reader, &sealed))?;
    }
    let (ops, requests) = work::write_requests(store, now, &mut writer, &mut file)?;
    file.write(&writer.end(&store.signer()?))?;
    Ok(Written { id: header.id, bytes: file.finish()?, ops, requests, files: 0 })
}

fn batches(store: &Store, docs: &[DocId]) -> Result<Vec<Handed>, StoreError> {
    let mut batches: Vec<Vec<Extract>> = vec![Vec::new()];
    let mut bytes = 0;
    for extract in store.extracts_of(docs)? {
        bytes += extract.rows.len();
        if bytes > EXTRACTS_BYTES_MAX {
            bytes = extract.rows.len();
            batches.push(Vec::new());
        }
        batches.last_mut().into_iter().for_each(|batch| batch.push(extract.clone()));
    }
    let handed = |extracts: Vec<Extract>| {
        let rulings = store.rulings_on(&extracts)?;
        Ok(Handed { extracts, rulings })
    };
    batches.into_iter().map(handed).collect()
}

/// Takes in what a colleague handed over: all of it is checked before any of it is used. What is for HQ is taken along.
///
/// # Errors
/// [`BundleFault`]; nothing is used of a file that is damaged, too old, for another device, or not signed by a device
/// that HQ has told of.
pub fn read(store: &mut Store, now: Now, path: &Path) -> Result<Taken, BundleFault> {
    let mut found = None;
    let mut batches = 0_u32;
    walk(path, &mut |part| {
        if let Part::Header(header) = &part {
            found = Some(header.clone());
            may_read(store, header, now)?;
        }
        batches += u32::from(opened(store, part)?.is_some());
        Ok(())
    })?;
    if batches == 0 {
        return Err(BundleFault::NotForHim);
    }
    // First what goes on to HQ: what is built on it here must not be without it.
    let kept = relay::keep(store, path)?;
    let mut received_ops = 0;
    walk(path, &mut |part| {
        if let Some(handed) = opened(store, part)? {
            received_ops += store.take_handed(&handed, now)?;
        }
        Ok(())
    })?;
    Ok(Taken { kept, received_ops })
}

fn may_read(store: &Store, header: &Header, now: Now) -> Result<(), BundleFault> {
    let own = store.identity().enrolment.replica;
    if header.kind != BundleKind::HandOver || !header.readers.contains(&own) || header.author == own {
        return Err(BundleFault::NotForHim);
    }
    let now = u64::try_from(now.wall.0).unwrap_or(0);
    if header.expires_ms != 0 && now > header.expires_ms {
        return Err(BundleFault::TooOld);
    }
    if store.keys_of_device(header.author)?.contains(&header.key) {
        Ok(())
    } else {
        Err(BundleFault::Stranger)
    }
}

fn opened(store: &Store, part: Part) -> Result<Option<Handed>, BundleFault> {
    let Part::Parcel(For::Reader, sealed) = part else {
        return Ok(None);
    };
    let plain = store.signer()?.opener().open(&sealed)?;
    Ok(Some(Handed::from_bytes(&plain).ok_or(BundleError::Damaged)?))
}
