//! Texts that people scan, paste and hand in: enrolment codes, invoices' QR texts, policies, mappings, calendars.

use records::invoice::Invoice;
use records::policy::calendar::Calendar;
use records::policy::calendar_file;
use records::policy::terms::Policy;
use records::table::mapping::Mapping;
use sync_protocol::enrolment::Enrolment;
use sync_protocol::frame::crc32c;

/// A code as it was pasted, and the bytes as a code whose checksum fits.
pub(crate) fn enrolment(bytes: &[u8]) {
    read_code(&String::from_utf8_lossy(bytes));
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes();
    let mut code = [&length[..], bytes].concat();
    code.extend_from_slice(&crc32c(&[&code]).to_le_bytes());
    read_code(&format!("FB1-{}", base64(&code)));
}

fn read_code(code: &str) {
    if let Ok(read) = Enrolment::from_code(code) {
        let again = read.to_code();
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        assert_eq!(again, letters(code), "a code has a second spelling");
    }
}

/// The URL alphabet without padding, as codes have it.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word = (0..3).fold(0_usize, |word, at| word << 8 | three.get(at).copied().map_or(0, usize::from));
        for at in 0..=three.len() {
            let letter = LETTERS.get(word >> (18 - 6 * at) & 63).copied().unwrap_or_default();
            text.push(char::from(letter));
        }
    }
    text
}

/// What a scanner read from an invoice.
pub(crate) fn invoice(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(invoice) = Invoice::parse(&text) {
        assert!(invoice.duplicate_key().len() <= text.len() + 16, "a key longer than its invoice");
    }
}

/// A policy file.
pub(crate) fn policy(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let policy = Policy::parse(&text);
    let differences = Policy::differences(&text);
    assert!(policy.is_err() || differences.is_ok(), "a policy reads and cannot be compared");
    if let Err(error) = policy {
        assert!(error.line <= text.split('\n').count(), "line {} is not in the file", error.line);
        drop(error.to_string());
    }
}

/// A mapping for imports.
pub(crate) fn mapping(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Mapping::parse(&text) {
        Ok(mapping) => assert!(mapping.kinds().len() <= mapping.cases.len(), "more kinds than cases"),
        Err(error) => drop(error.to_string()),
    }
}

/// A calendar of a year that came after the program.
pub(crate) fn calendar(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let years = calendar_file::years(&text);
    let mut calendar = Calendar::china();
    let loaded = calendar.load(&text);
    assert_eq!(years.is_ok(), loaded.is_ok(), "a calendar reads once and not twice");
}
