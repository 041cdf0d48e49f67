//! Every sentence that a person reads, in three languages; the files lie beside this crate's manifest.
//!
//! A program carries what it asks for, deflated: some 30 KB a language. A language is unpacked when it is first
//! asked for and stays.

use std::io::{ErrorKind, Read};
use std::sync::OnceLock;

/// The languages of every sentence.
pub const LANGUAGES: [&str; 3] = ["zh-CN", "zh-TW", "en"];

/// The sentences of one program.
#[derive(Debug)]
pub struct Table {
    keys: Packed,
    /// By [`LANGUAGES`], in the order of the keys.
    texts: [Packed; 3],
}

/// Texts as they stand in the program, and as they are read.
#[derive(Debug)]
struct Packed {
    deflated: &'static [u8],
    texts: OnceLock<Vec<&'static str>>,
}

macro_rules! packed {
    ($name:literal) => {
        Packed { deflated: include_bytes!(concat!(env!("OUT_DIR"), "/", $name)), texts: OnceLock::new() }
    };
}

/// The sentences of `fieldbook`.
pub static AGENT: Table = Table {
    keys: packed!("agent.keys"),
    texts: [packed!("agent.zh-CN"), packed!("agent.zh-TW"), packed!("agent.en")],
};

/// The sentences of `fieldbook-hq`.
pub static HQ: Table =
    Table { keys: packed!("hq.keys"), texts: [packed!("hq.zh-CN"), packed!("hq.zh-TW"), packed!("hq.en")] };

impl Packed {
    /// Returns the texts; none where the bytes were damaged in the program itself.
    fn texts(&'static self) -> &'static [&'static str] {
        self.texts.get_or_init(|| {
            let mut texts = String::new();
            let read = flate2::read::DeflateDecoder::new(self.deflated).read_to_string(&mut texts);
            // Kept as long as the program runs: every answer is made of them.
            if read.is_ok() { String::leak(texts).split_terminator('\0').collect() } else { Vec::new() }
        })
    }
}

impl Table {
    /// Returns the sentence of `key` as it stands in the files; `None` for a key or a language that is not there.
    ///
    /// ```
    /// assert_eq!(locales::AGENT.sentence("en", "column.amount"), Some("Amount"));
    /// assert_eq!(locales::AGENT.sentence("zh-TW", "column.amount"), Some("金額"));
    /// assert_eq!(locales::AGENT.sentence("en", "column.unheard"), None);
    /// ```
    #[must_use]
    pub fn sentence(&'static self, language: &str, key: &str) -> Option<&'static str> {
        let language = LANGUAGES.iter().position(|known| *known == language)?;
        let at = self.keys.texts().binary_search(&key).ok()?;
        self.texts.get(language)?.texts().get(at).copied()
    }
}

/// Returns a sentence with its facts filled in: `%{name}` becomes the text of that name, once; what has no fact stays.
///
/// `%{n?line|lines}` becomes the first word where the fact `n` is 1, else the second.
///
/// ```
/// let lines = "%{n} %{n?line|lines}";
/// assert_eq!(locales::fill(lines, &[("n", "1")]), "1 line");
/// assert_eq!(locales::fill(lines, &[("n", "0")]), "0 lines");
/// assert_eq!(locales::fill("%{n} of %{all}", &[("n", "1"), ("all", "%{n}")]), "1 of %{n}");
/// assert_eq!(locales::fill("100% %{x} %{", &[]), "100% %{x} %{");
/// ```
#[must_use]
pub fn fill(sentence: &str, facts: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once("%{") {
        filled.push_str(before);
        let fact = after.split_once('}').and_then(|(place, left)| {
            let (name, words) = place.split_once('?').unwrap_or((place, ""));
            let (_, text) = facts.iter().find(|(known, _)| *known == name)?;
            let text = match words.split_once('|') {
                Some((one, _)) if *text == "1" => one,
                Some((_, more)) => more,
                None => *text,
            };
            Some((text, left))
        });
        let (text, left) = fact.unwrap_or(("%{", after));
        filled.push_str(text);
        rest = left;
    }
    filled.push_str(rest);
    filled
}

/// Returns the key of our words for what the operating system said, the same for every system; `None` where only its own
/// words tell.
///
/// They stand inside a sentence that names the file or the address; under `.hint` is what to do about a file.
///
/// ```
/// let error = std::fs::File::open("/no/such/file").unwrap_err();
/// let key = locales::reason(error.kind()).unwrap();
/// assert_eq!(locales::AGENT.sentence("en", key), Some("there is no such file, or no such folder for it"));
/// assert_eq!(locales::reason(std::io::ErrorKind::Other), None);
/// ```
#[must_use]
pub const fn reason(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::NotFound => "system.missing",
        ErrorKind::PermissionDenied => "system.denied",
        ErrorKind::AlreadyExists => "system.exists",
        ErrorKind::IsADirectory => "system.folder",
        ErrorKind::NotADirectory => "system.not_folder",
        ErrorKind::StorageFull => "system.full",
        ErrorKind::QuotaExceeded => "system.quota",
        ErrorKind::ReadOnlyFilesystem => "system.read_only",
        ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy => "system.busy",
        ErrorKind::FileTooLarge => "system.too_large",
        ErrorKind::InvalidFilename => "system.name",
        ErrorKind::InvalidInput => "system.invalid",
        ErrorKind::InvalidData => "system.data",
        ErrorKind::UnexpectedEof => "system.cut_short",
        ErrorKind::WouldBlock | ErrorKind::OutOfMemory => "system.short",
        ErrorKind::AddrInUse => "system.address_used",
        ErrorKind::AddrNotAvailable => "system.no_address",
        ErrorKind::ConnectionRefused => "system.refused",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            "system.unreachable"
        }
        ErrorKind::TimedOut => "system.timed_out",
        ErrorKind::BrokenPipe
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::NotConnected => "system.broken",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_the_system_says_has_our_words_and_a_hint_in_each_language_of_both_programs() {
        let kinds = [
            ErrorKind::NotFound,
            ErrorKind::PermissionDenied,
            ErrorKind::AlreadyExists,
            ErrorKind::IsADirectory,
            ErrorKind::NotADirectory,
            ErrorKind::StorageFull,
            ErrorKind::QuotaExceeded,
            ErrorKind::ReadOnlyFilesystem,
            ErrorKind::ResourceBusy,
            ErrorKind::ExecutableFileBusy,
            ErrorKind::FileTooLarge,
            ErrorKind::InvalidFilename,
            ErrorKind::InvalidInput,
            ErrorKind::InvalidData,
            ErrorKind::UnexpectedEof,
            ErrorKind::WouldBlock,
            ErrorKind::OutOfMemory,
            ErrorKind::AddrInUse,
            ErrorKind::AddrNotAvailable,
            ErrorKind::ConnectionRefused,
            ErrorKind::HostUnreachable,
            ErrorKind::NetworkUnreachable,
            ErrorKind::NetworkDown,
            ErrorKind::TimedOut,
            ErrorKind::BrokenPipe,
            ErrorKind::ConnectionReset,
            ErrorKind::ConnectionAborted,
            ErrorKind::NotConnected,
        ];
        let mut keys = BTreeSet::new();
        for kind in kinds {
            let key = reason(kind).unwrap_or_else(|| panic!("{kind} has no words of ours"));
            keys.extend([key.to_owned(), format!("{key}.hint")]);
        }
        for (table, language) in
            [&AGENT, &HQ].into_iter().flat_map(|table| LANGUAGES.map(|name| (table, name)))
        {
            for key in &keys {
                let said = table.sentence(language, key).unwrap_or_else(|| panic!("{key} has no {language}"));
                let english = said.replace("UTF-8", "").chars().any(|letter| letter.is_ascii_alphabetic());
                assert_eq!(english, language == "en", "{key}: {said}");
                // The sentence around it ends it.
                assert_eq!(said.ends_with(['.', '。']), key.ends_with(".hint"), "{key}: {said}");
            }
            let written = table.keys.texts().iter().filter(|key| key.starts_with("system."));
            assert_eq!(written.count(), keys.len(), "each stands for a kind");
        }
        assert_eq!(reason(ErrorKind::Other), None);
    }

    #[test]
    fn every_key_of_both_programs_has_a_sentence_in_every_language() {
        for table in [&AGENT, &HQ] {
            let keys = table.keys.texts();
            assert!(keys.len() > 1_000 && keys.is_sorted());
            for texts in &table.texts {
                assert_eq!(texts.texts().len(), keys.len());
                assert!(texts.texts().iter().all(|text| !text.is_empty()));
            }
        }
    }

    #[test]
    fn a_program_does_not_carry_the_sentences_of_the_other() {
        assert_eq!(AGENT.sentence("en", "hq.stopped"), None);
        assert!(AGENT.keys.texts().iter().all(|key| !key.starts_with("hq.") && !key.starts_with("console.")));
        assert!(HQ.keys.texts().iter().all(|key| !key.starts_with("web.") && !key.starts_with("ask.")));
    }
}
