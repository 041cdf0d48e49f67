//! Files between a browser and the home: what a form brought, a picture that is shown, papers that are saved.

use pages::reply::Reply;
use records::value::FileHash;

use crate::blobs::Blobs;
use crate::cli::fault::{Exit, Fault};
use crate::cli::paper;
use crate::notebook::attach::Given;
use crate::web::desk::Desk;

/// Returns what a form's file field brought, for a use case to keep.
pub(crate) fn given(desk: &Desk<'_>, field: &str) -> Vec<Given> {
    let uploads = desk.visit.uploads(field);
    uploads.map(|upload| Given::Bytes { name: upload.name.clone(), bytes: upload.bytes.clone() }).collect()
}

/// Returns a file of the home by its SHA-256; pictures and PDF are shown, anything else is saved.
///
/// # Errors
/// A [`Fault`] where it is not here.
pub(super) fn show(desk: &Desk<'_>, hash: &str) -> Result<Reply, Fault> {
    let missing = || Fault::new(Exit::Usage, "web.fault.no_file");
    let hash = unhex(hash).ok_or_else(missing)?;
    let bytes = desk.with(|store| {
        let blobs = Blobs::of(store);
        Ok(if blobs.has(&hash) { Some(blobs.get(&hash)?) } else { None })
    })?;
    let bytes = bytes.ok_or_else(missing)?;
    let mut reply = match kind(&bytes) {
        Some(kind) => Reply::shown(kind, bytes),
        None => Reply::download("application/octet-stream", "file", bytes),
    };
    // What is named by its hash never changes.
    if let pages::reply::Body::File { keeps, .. } = &mut reply.body {
        *keeps = true;
    }
    Ok(reply)
}

/// Returns a picture that a refused form brought.
///
/// # Errors
/// A [`Fault`] where it is no picture, or not kept any more.
pub(super) fn kept(desk: &Desk<'_>, name: &str, at: &str) -> Result<Reply, Fault> {
    let bytes = at.parse().ok().and_then(|at| desk.kept.file(name, at));
    let shown = bytes.and_then(|bytes| Some(Reply::shown(kind(&bytes)?, bytes)));
    shown.ok_or_else(|| Fault::new(Exit::Usage, "web.fault.no_file"))
}

/// Returns the papers of a record: a sheet, a claim with its paste sheets, a trip summary; a half-month is one's own.
///
/// # Errors
/// A [`Fault`] where the record has none, or no font has the characters.
pub(super) fn papers(desk: &Desk<'_>, record: &str) -> Result<Reply, Fault> {
    let fonts = paper::fonts(desk.font_folders);
    let printed = desk.with(|store| Ok(paper::pdf(store, record, desk.lang, desk.now(), fonts)))??;
    Ok(Reply::download("application/pdf", &format!("{}.pdf", printed.title.replace('/', "-")), printed.bytes))
}

/// Returns what a browser shows by itself, by the first bytes.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [b'%', b'P', b'D', b'F', ..] => Some("application/pdf"),
        _ => None,
    }
}

fn unhex(text: &str) -> Option<FileHash> {
    records::hex::read(text).filter(|bytes| bytes.len() == 32).map(FileHash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_hash_names_a_file() {
        assert_eq!(unhex(&"0f".repeat(32)), Some(FileHash(vec![0x0f; 32])));
        for bad in ["", "0f", &"0f".repeat(33), &"0g".repeat(32), &"é".repeat(64)] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_page_that_was_uploaded_is_never_shown_as_one() {
        assert_eq!(kind(b"<!DOCTYPE html><script>"), None);
        assert_eq!(kind(b"<svg onload=alert(1)>"), None);
        assert_eq!(kind(b"%PDF-1.7"), Some("application/pdf"));
        assert_eq!(kind(b""), None);
    }
}
