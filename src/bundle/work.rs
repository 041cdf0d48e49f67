//! Work for HQ in a file: all that HQ did not sign for, as requests sealed to it.

use std::collections::BTreeMap;
use std::path::Path;

use sync_protocol::bundle::{BundleId, BundleKind, For, Header, SPANS_MAX, Writer};
use sync_protocol::conversation::{self, Request};
use sync_protocol::limits::BODY_OPS_MAX;
use sync_protocol::parcel::seal;
use sync_protocol::segment::Segment;
use sync_protocol::sign::Signer;

use crate::bundle::{BundleFault, NewFile, files, remember};
use crate::clock::Now;
use crate::keys::random;
use crate::store::Store;
use crate::store::error::StoreError;

/// Segments of one request: with what stands around them, it can be carried in another device's request.
const SEGMENTS_BYTES_MAX: usize = 128 * 1024;
/// What the answer to the last request may hold: it too is carried by others.
const ANSWER_BYTES_MAX: u32 = 192 * 1024;

/// A bundle that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Its name.
    pub id: BundleId,
    /// Bytes of the file.
    pub bytes: u64,
    /// Own ops in it that HQ did not sign for.
    pub ops: u64,
    /// Requests in it.
    pub requests: u32,
    /// Files in it.
    pub files: u64,
}

/// Writes all that HQ did not sign for, photos and papers included, into a file that only HQ can read; one request asks
/// for what is new even where nothing is to be said. A file of that name is replaced once the new one is whole.
///
/// # Errors
/// [`BundleFault::Store`].
pub fn write(store: &mut Store, now: Now, path: &Path) -> Result<Written, BundleFault> {
    write_with(store, now, path, With::Files)
}

/// As [`write()`], without photos and papers: small enough for a colleague's line.
///
/// # Errors
/// As [`write()`].
pub fn write_records(store: &mut Store, now: Now, path: &Path) -> Result<Written, BundleFault> {
    write_with(store, now, path, With::Records)
}

/// What goes into a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum With {
    Files,
    Records,
}

fn write_with(store: &mut Store, now: Now, path: &Path, with: With) -> Result<Written, BundleFault> {
    let header = header(store, now, BundleKind::Work)?;
    remember(store, &header)?;
    let mut file = NewFile::create(path)?;
    let (mut writer, bytes) = Writer::begin(&header);
    file.write(&bytes)?;
    let (ops, mut requests) = write_requests(store, now, &mut writer, &mut file)?;
    let signer = store.signer()?;
    let mut n_files = 0;
    if with == With::Files {
        n_files = files::chunks(store, &mut |ask| {
            requests += 1;
            let request = Request { asks: vec![ask], ..request(store, now, Vec::new(), false)? };
            let sealed = sealed(store, &request, &signer)?;
            Ok::<_, BundleFault>(file.write(&writer.parcel(For::Hq, &sealed))?)
        })?;
    }
    file.write(&writer.end(&signer))?;
    Ok(Written { id: header.id, bytes: file.finish()?, ops, requests, files: n_files })
}

/// Writes requests that say all that HQ did not sign for; returns how many ops and requests that were.
pub(super) fn write_requests(
    store: &Store,
    now: Now,
    writer: &mut Writer,
    file: &mut NewFile<'_>,
) -> Result<(u64, u32), BundleFault> {
    let signer = store.signer()?;
    let (mut ops, mut count) = (0, 0);
    requests(store, now, &mut |request| {
        ops += request.segments.iter().map(|segment| u64::from(segment.count)).sum::<u64>();
        count += 1;
        let sealed = sealed(store, request, &signer)?;
        Ok(file.write(&writer.parcel(For::Hq, &sealed))?)
    })?;
    Ok((ops, count))
}

/// Returns the header of a bundle of this device's for HQ.
pub(super) fn header(store: &Store, now: Now, kind: BundleKind) -> Result<Header, StoreError> {
    let identity = store.identity();
    Ok(Header {
        kind,
        id: BundleId(random()?),
        author: identity.enrolment.replica,
        key: store.signer()?.public(),
        readers: vec![records::id::Replica::HQ],
        incarnation: store.hello(now)?.cursor.incarnation,
        created_ms: u64::try_from(now.wall.0).unwrap_or(0),
        // Work is never too old.
        expires_ms: 0,
        answers: None,
        spans: store.unsent_spans()?.into_iter().take(SPANS_MAX).collect(),
    })
}

/// Gives out the requests that say all that HQ did not sign for, at least one.
fn requests(
    store: &Store,
    now: Now,
    each: &mut dyn FnMut(&Request) -> Result<(), BundleFault>,
) -> Result<(), BundleFault> {
    let mut said = BTreeMap::new();
    let mut next = batch(store, &mut said)?;
    loop {
        let segments = std::mem::replace(&mut next, batch(store, &mut said)?);
        let last = next.is_empty();
        each(&request(store, now, segments, last)?)?;
        if last {
            return Ok(());
        }
    }
}

fn batch(store: &Store, said: &mut BTreeMap<records::id::Epoch, u64>) -> Result<Vec<Segment>, StoreError> {
    let segments = store.unsent_behind(said, SEGMENTS_BYTES_MAX, BODY_OPS_MAX)?;
    said.extend(segments.iter().map(|segment| (segment.epoch, segment.last())));
    Ok(segments)
}

/// Only the last request of a bundle asks for news: the others would be given the same again.
fn request(store: &Store, now: Now, segments: Vec<Segment>, last: bool) -> Result<Request, StoreError> {
    let mut hello = store.hello(now)?;
    hello.lease = [0; 8];
    hello.digest = None;
    hello.answer_bytes_max = if last { ANSWER_BYTES_MAX } else { 1 };
    Ok(Request { hello, enrol: crate::sync::introduction::first_contact(store)?, asks: Vec::new(), segments })
}

fn sealed(store: &Store, request: &Request, signer: &Signer) -> Result<Vec<u8>, BundleFault> {
    let body = conversation::write_request(request, signer);
    Ok(seal(&body, &[store.identity().enrolment.hq_key], &random()?)?)
}
