//! The files of records: which are at HQ, fetching one from there, and giving back the space of old ones.
//!
//! Source: docs/STORAGE.md, Attachments.

use std::ops::ControlFlow;

use records::files::{Named, Part};
use records::id::DocId;
use records::schema::Kind;
use records::value::FileHash;
use sync_protocol::merge::Document;

use crate::blobs::Blobs;
use crate::clock::Now;
use crate::notebook::rows;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::files::{Hash, Turn};

/// The setting with the days that files stay once HQ has them; none: for ever.
const KEEP_DAYS: &str = "files.keep_days";
/// No file goes sooner: as long as the own log of which HQ signed every op.
pub const KEEP_DAYS_MIN: u32 = 14;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// How the files of one record stand; thumbnails and originals are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Files {
    /// Files that the record names.
    pub all: usize,
    /// Those that HQ is known to have.
    pub at_hq: usize,
    /// Those that are here.
    pub here: usize,
}

/// One file of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The record.
    pub doc: DocId,
    /// The record's kind.
    pub kind: &'static Kind,
    /// The file, and what it is to the record.
    pub named: Named,
    /// Its bytes; `None` where it is not here.
    pub bytes: Option<u64>,
    /// Whether HQ is known to have it.
    pub at_hq: bool,
}

/// Returns the files that a document names.
#[must_use]
pub fn named(kind: &Kind, document: &Document) -> Vec<Named> {
    let groups = kind.groups.iter().copied();
    let standing: Vec<_> =
        groups.flat_map(|group| rows::of(group, document).into_iter().map(move |row| (group, row))).collect();
    records::files::named(standing.iter().map(|(group, row)| (*group, &row.values)))
}

/// Returns how the files of a document stand.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn of(store: &Store, kind: &Kind, document: &Document) -> Result<Files, StoreError> {
    let mut files = Files::default();
    for named in named(kind, document).iter().filter(|named| named.part == Part::Whole) {
        files.all += 1;
        files.at_hq += usize::from(store.file_at_hq(&named.hash)?.is_some());
        files.here += usize::from(Blobs::of(store).has(&name(&named.hash)));
    }
    Ok(files)
}

/// Returns every file that a record here names.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn list(store: &Store) -> Result<Vec<Listed>, StoreError> {
    let mut found = Vec::new();
    store.each(None, &mut |document| {
        if let Some(kind) = records::kinds::by_number(document.kind) {
            found.extend(named(kind, &document).into_iter().map(|named| (document.id, kind, named)));
        }
        ControlFlow::Continue(())
    })?;
    let listed = |(doc, kind, named): (DocId, &'static Kind, Named)| {
        let bytes = Blobs::of(store).length(&name(&named.hash));
        Ok(Listed { doc, kind, named, bytes, at_hq: store.file_at_hq(&named.hash)?.is_some() })
    };
    found.into_iter().map(listed).collect()
}

/// Returns the file whose SHA-256 begins so; `None` where no record names one, or several.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn find(store: &Store, beginning: &str) -> Result<Option<Listed>, StoreError> {
    let beginning = beginning.trim().to_ascii_lowercase();
    let begins = |listed: &Listed| {
        !beginning.is_empty() && records::hex::of(&name(&listed.named.hash).0).starts_with(&beginning)
    };
    let mut found: Vec<Listed> = list(store)?.into_iter().filter(begins).collect();
    found.dedup_by_key(|listed| listed.named.hash);
    let first = found.first().copied();
    Ok(first.filter(|first| found.iter().all(|listed| listed.named.hash == first.named.hash)))
}

/// Returns the days that files stay once HQ has them; `None`: for ever.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn kept_days(store: &Store) -> Result<Option<u32>, StoreError> {
    let days = store.setting(KEEP_DAYS)?.and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    Ok(days.filter(|days| *days >= KEEP_DAYS_MIN))
}

/// Says how many days files stay once HQ has them; `None`: for ever. Fewer than 14 are 14.
///
/// # Errors
/// Those of the store.
pub fn keep(store: &mut Store, days: Option<u32>) -> Result<(), StoreError> {
    let days = days.map_or(0, |days| days.max(KEEP_DAYS_MIN));
    store.put_setting(KEEP_DAYS, days.to_le_bytes().to_vec())
}

/// Removes the files for which HQ signed longer ago than they are to stay, and returns how many bytes that gave back.
/// Thumbnails stay.
///
/// # Errors
/// [`StoreError`].
pub fn reclaim(store: &Store, now: Now) -> Result<u64, StoreError> {
    let Some(days) = kept_days(store)? else {
        return Ok(0);
    };
    let now_ms = u64::try_from(now.wall.0).unwrap_or(0);
    let blobs = Blobs::of(store);
    let mut bytes = 0;
    for hash in blobs.names() {
        let Ok(named) = Hash::try_from(hash.0.as_slice()) else { continue };
        let old = store.file_at_hq(&named)?.is_some_and(|known| {
            known.turn != Turn::Thumb && known.since_ms.saturating_add(u64::from(days) * DAY_MS) <= now_ms
        });
        if old {
            bytes += blobs.length(&hash).unwrap_or(0);
            blobs.remove(&hash)?;
        }
    }
    Ok(bytes)
}

fn name(hash: &Hash) -> FileHash {
    FileHash(hash.to_vec())
}

#[cfg(test)]
mod tests {
    use records::kinds::repair::REPAIR;
    use records::time::Ts;

    use super::*;
    use crate::notebook::add::Entry;
    use crate::notebook::create::{Create, create};
    use crate::store::testing::{NOW, enrolment};

    #[test]
    fn a_file_goes_only_when_hq_signed_for_it_long_enough_ago_and_the_owner_lets_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::create(dir.path(), &enrolment(), NOW).unwrap();
        let put = |store: &Store, byte: u8| Blobs::of(store).put(&mut [byte; 9].as_slice()).unwrap().hash;
        let (signed, waiting) = (put(&store, 1), put(&store, 2));
        store.note_at_hq(&[Hash::try_from(signed.0.as_slice()).unwrap()], NOW).unwrap();
        let after = |days: i64| Now { wall: Ts(NOW.wall.0 + days * 86_400_000), ..NOW };
        let here = |store: &Store| [&signed, &waiting].map(|hash| Blobs::of(store).has(hash));

        assert_eq!(reclaim(&store, after(9_999)).unwrap(), 0, "all are kept unless somebody says otherwise");
        keep(&mut store, Some(1)).unwrap();
        assert_eq!(kept_days(&store).unwrap(), Some(KEEP_DAYS_MIN));
        keep(&mut store, Some(30)).unwrap();
        assert_eq!(reclaim(&store, after(29)).unwrap(), 0);
        assert_eq!(here(&store), [true, true]);
        assert_eq!(reclaim(&store, after(30)).unwrap(), 9);
        assert_eq!(here(&store), [false, true]);
        keep(&mut store, None).unwrap();
        assert_eq!(kept_days(&store).unwrap(), None);
    }

    #[test]
    fn files_of_a_thumbnails_turn_stay() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::create(dir.path(), &enrolment(), NOW).unwrap();
        let thumb = Blobs::of(&store).put(&mut [7; 9].as_slice()).unwrap().hash;
        let words = vec![format!("thumb={}", records::hex::of(&thumb.0))];
        let entries = vec![Entry { list: "photo".to_owned(), words, files: Vec::new() }];
        let request = Create { kind: &REPAIR, job: None, pairs: Vec::new(), entries };
        create(&mut store, &request, NOW).unwrap();
        store.note_at_hq(&[Hash::try_from(thumb.0.as_slice()).unwrap()], NOW).unwrap();
        keep(&mut store, Some(14)).unwrap();
        let far = Now { wall: Ts(NOW.wall.0 + 90 * 86_400_000), ..NOW };
        assert_eq!(reclaim(&store, far).unwrap(), 0);
        assert!(Blobs::of(&store).has(&thumb));
    }
}
