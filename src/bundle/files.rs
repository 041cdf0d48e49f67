//! Files in a bundle: the pieces of all that waits for HQ, behind the records, and HQ's receipts for them.

use records::value::FileHash;
use sync_protocol::asides::{Ask, Chunk, Piece, Tell, pieces};
use sync_protocol::cursor::Incarnation;

use crate::blobs::Blobs;
use crate::clock::Now;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::files::Hash;

/// Gives out the pieces of every file that waits for HQ and reads, in the order in which they would go over a line;
/// returns how many files that are. What HQ holds of them is not known here: it steps over what it has.
///
/// # Errors
/// What `each` answers, and [`StoreError`].
pub fn chunks<E: From<StoreError>>(
    store: &Store,
    each: &mut dyn FnMut(Ask) -> Result<(), E>,
) -> Result<u64, E> {
    let (signer, blobs) = (store.signer()?, Blobs::of(store));
    let mut files = 0;
    for (_, hash) in store.files_waiting(usize::MAX)? {
        let name = FileHash(hash.to_vec());
        let Some(total) = blobs.length(&name) else { continue };
        for index in 0..pieces(total) {
            // A file that does not read is named by `doctor`; the others go on.
            let Ok(bytes) = blobs.piece(&name, index) else { break };
            each(Ask::Chunk(Chunk::sign(&signer, Piece { hash, total, index, bytes })))?;
        }
        files += 1;
    }
    Ok(files)
}

/// Notes the files that HQ, in the history of that name, says it has whole.
///
/// # Errors
/// Those of the store.
pub fn hear(store: &mut Store, tells: &[Tell], under: Incarnation, now: Now) -> Result<(), StoreError> {
    let held =
        tells.iter().flat_map(|tell| if let Tell::Held(files) = tell { files.as_slice() } else { &[] });
    let whole: Vec<Hash> = held.filter(|file| file.missing.is_empty()).map(|file| file.hash).collect();
    if whole.is_empty() {
        return Ok(());
    }
    store.doubt_files(under.0)?;
    store.note_at_hq(&whole, now)?;
    store.checkpoint()
}
