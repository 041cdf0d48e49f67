//! Files that are carried: bundles, what is sealed in them, and backups.

use sync_protocol::archive::{self, OF_HQ};
use sync_protocol::bundle::{Answered, BundleError, Handed, Part, Reader, Relayed};
use sync_protocol::chain::sha256;
use sync_protocol::sign::Signer;

/// A bundle as it comes from a disk, and what stands in one behind its seals.
pub(crate) fn bundle(bytes: &[u8]) {
    let (whole, pieces) = (parts(bytes, bytes.len().max(1)), parts(bytes, 61));
    assert_eq!(whole, pieces, "pieces of a bundle read otherwise");
    let again = Answered::from_bytes(bytes).map(|answered| answered.to_bytes());
    assert!(again.is_none_or(|again| again == bytes), "an answer in a bundle has a second spelling");
    let again = Relayed::from_bytes(bytes).map(|relayed| relayed.to_bytes());
    assert!(again.is_none_or(|again| again == bytes), "a relayed parcel has a second spelling");
    let again = Handed::from_bytes(bytes).map(|handed| handed.to_bytes());
    assert!(again.is_none_or(|again| again == bytes), "a hand-over has a second spelling");
}

fn parts(bytes: &[u8], piece: usize) -> Result<Vec<Part>, BundleError> {
    let mut reader = Reader::default();
    let mut parts = Vec::new();
    for piece in bytes.chunks(piece) {
        parts.extend(reader.push(piece)?);
    }
    reader.finish()?;
    Ok(parts)
}

/// A parcel from anybody, and a good one changed by the input.
pub(crate) fn parcel(bytes: &[u8]) {
    let Ok(reader) = Signer::from_seed(&[2; 32]) else { return };
    drop(reader.opener().open(bytes));
    let Ok(mut sealed) = sync_protocol::parcel::seal(bytes, &[reader.public()], &[9; 64]) else { return };
    assert_eq!(reader.opener().open(&sealed).as_deref(), Ok(bytes), "a parcel does not open");
    let at = sha256(&[bytes]).first().copied().map_or(0, usize::from) % sealed.len().max(1);
    sealed.get_mut(at).into_iter().for_each(|byte| *byte ^= 1);
    assert!(reader.opener().open(&sealed).is_err(), "a flipped bit at {at} passes");
}

/// A backup as it comes, and one whose checksum fits whatever is in it.
pub(crate) fn archive(bytes: &[u8]) {
    assert!(archive::check(bytes, length(bytes), OF_HQ).is_ok(), "memory has no errors of a disk");
    files(bytes);
    let mut summed = [&OF_HQ[..], bytes].concat();
    summed.extend_from_slice(&sha256(&[&summed]));
    files(&summed);
}

/// Reads the files of an archive; as far as it reads, it is written again as the same bytes.
fn files(bytes: &[u8]) {
    let Ok(mut reader) = archive::Reader::new(bytes) else { return };
    let Ok(mut writer) = archive::Writer::new(Vec::new(), OF_HQ) else { return };
    while let Ok(Some((name, length))) = reader.next_file() {
        let mut file = Vec::new();
        if reader.copy(length, &mut file).is_err() {
            return;
        }
        assert_eq!(self::length(&file), length, "a file of another length than its name says");
        drop(writer.file(&name, length, file.as_slice()));
    }
    if let Ok((again, _)) = writer.finish() {
        assert!(archive::check(again.as_slice(), length(&again), OF_HQ).is_ok_and(|flaw| flaw.is_none()));
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
