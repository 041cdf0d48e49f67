//! A file of a claim: shown where a browser can show it without running anything in it, else saved.

use std::io::Read;

use pages::reply::{Body, Reply};

use crate::cli::answer::{Fault, USAGE};
use crate::files;
use crate::web::desk::Desk;

/// Bytes of a file that are sent at once; a larger one is fetched by the command line.
const BYTES_MAX: u64 = 32 * 1024 * 1024;

/// How files that browsers show begin.
const SHOWN: [(&[u8], &str); 4] = [
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
];

/// Returns a file that a claim of the person's names, on a voucher or a sheet.
pub(in crate::web) fn file(desk: &Desk<'_>, name: &str, hash: &str) -> Result<Reply, Fault> {
    let none = || Fault::usage("console.fault.no_page");
    let wanted = files::named(hash).ok_or_else(none)?;
    let (staff, today) = (desk.person.staff, desk.today());
    let names = desk.look(|office| {
        let seats = office.seats(staff, today)?;
        office.shows_file(name, &wanted, &seats, today)
    })?;
    if !names {
        return Err(none());
    }
    let held = desk.console.office.files.open(&wanted);
    let absent = |_| Fault::new(USAGE, "hq.file.absent").with("hash", hash);
    let mut bytes = Vec::new();
    held.and_then(|file| file.take(BYTES_MAX).read_to_end(&mut bytes)).map_err(absent)?;
    let mut reply = match kind(&bytes) {
        Some(kind) => Reply::shown(kind, bytes),
        None => Reply::download("application/octet-stream", hash, bytes),
    };
    if let Body::File { keeps, .. } = &mut reply.body {
        // Its address is its content.
        *keeps = true;
    }
    Ok(reply)
}

/// Returns what a file is by its first bytes; `None` where a browser should not open it here.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    let known = SHOWN.iter().find(|(begin, _)| bytes.starts_with(begin)).map(|(_, kind)| *kind);
    known.or_else(|| webp.then_some("image/webp"))
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn a_page_that_calls_itself_a_picture_is_not_shown() {
        assert_eq!(kind(b"\xFF\xD8\xFFabc"), Some("image/jpeg"));
        assert_eq!(kind(b"RIFF....WEBPVP8 "), Some("image/webp"));
        for bytes in [&b"<svg onload=alert(1)>"[..], b"<!doctype html>", b"", b"RIFF"] {
            assert_eq!(kind(bytes), None);
        }
    }
}
