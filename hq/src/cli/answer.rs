//! What a command prints: its answer, or one sentence and a hint, in three languages.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Display;

use records::problems::Problem;
use records::table::record::RecordsError;
use records::table::rows::RowsError;
use records::table::source::SourceError;
use serde_json::{Value, json};
use sync_protocol::sign::PublicKey;

use crate::author::AuthorError;
use crate::backup::BackupError;
use crate::data::DataError;
use crate::enrol::EnrolError;
use crate::import::ImportError;
use crate::keys::KeysError;
use crate::logins::LoginError;
use crate::money::lease::LeaseError;
use crate::money::refusal::{MoneyError, Refusal, Said};
use crate::rotation::RotationError;
use crate::store::StoreError;
use crate::tls::TlsError;

/// Refused by a rule.
pub const REFUSED: u8 = 1;
/// Wrong arguments.
pub const USAGE: u8 = 2;
/// The database server cannot be reached.
pub const UNREACHABLE: u8 = 3;
/// The store is damaged.
pub const DAMAGED: u8 = 4;
/// No space.
pub const NO_SPACE: u8 = 6;
/// Another program is at it.
pub const IN_USE: u8 = 7;

/// The language of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lang(&'static str);

impl Lang {
    /// Returns the language asked for, else `FIELDBOOK_LANG`'s, else the locale's, else simplified Chinese.
    #[must_use]
    pub fn chosen(asked: Option<&str>) -> Self {
        let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let asked = asked.map(str::to_owned).or_else(|| env("FIELDBOOK_LANG"));
        let named = asked.or_else(|| env("LC_ALL")).or_else(|| env("LC_MESSAGES")).or_else(|| env("LANG"));
        Self::of(&named.unwrap_or_default())
    }

    /// Returns its name: `zh-CN`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.0
    }

    fn of(name: &str) -> Self {
        let name = name.replace('_', "-").to_ascii_lowercase();
        let traditional = ["zh-tw", "zh-hk", "zh-mo", "zh-hant"].iter().any(|start| name.starts_with(start));
        match name.get(..2) {
            Some("en") => Self("en"),
            Some("zh") if traditional => Self("zh-TW"),
            _ => Self("zh-CN"),
        }
    }

    /// Returns the language of a paper's own words.
    #[must_use]
    pub fn papers(self) -> papers::words::Lang {
        match self.0 {
            "en" => papers::words::Lang::En,
            "zh-TW" => papers::words::Lang::ZhTw,
            _ => papers::words::Lang::ZhCn,
        }
    }

    /// Returns the language of the schema table's labels.
    #[must_use]
    pub fn words(self) -> records::value::text::Lang {
        match self.0 {
            "en" => records::value::text::Lang::En,
            "zh-TW" => records::value::text::Lang::ZhTw,
            _ => records::value::text::Lang::Zh,
        }
    }

    /// Returns the sentence of `key` with its facts filled in.
    #[must_use]
    pub fn say(self, key: &str, facts: &[(String, String)]) -> String {
        let Some(sentence) = locales::HQ.sentence(self.0, key) else {
            return key.to_owned();
        };
        let facts: Vec<(&str, &str)> =
            facts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        locales::fill(sentence, &facts)
    }

    /// Returns what the system said: in our words, or in its own where we have none.
    #[must_use]
    pub fn reason(self, error: &std::io::Error) -> String {
        locales::reason(error.kind()).map_or_else(|| error.to_string(), |key| self.say(key, &[]))
    }
}

/// What a command did.
#[derive(Debug)]
pub struct Answer {
    /// For programs.
    pub json: Value,
    /// For people.
    pub text: String,
    /// The exit code.
    pub code: u8,
}

impl Answer {
    /// Nothing was refused.
    #[must_use]
    pub const fn new(json: Value, text: String) -> Self {
        Self { json, text, code: 0 }
    }

    /// What was to be printed is printed.
    #[must_use]
    pub const fn printed() -> Self {
        Self { json: Value::Null, text: String::new(), code: 0 }
    }

    /// Prints it and returns its exit code.
    #[must_use]
    pub fn print(&self, json: bool) -> u8 {
        if json && !self.json.is_null() {
            raw(&format!("{:#}\n", self.json), true);
        } else if !self.text.is_empty() {
            raw(&format!("{}\n", self.text.trim_end()), true);
        }
        self.code
    }
}

/// Prints text as it is, on standard output or standard error. A reader that has gone away wants no more of it.
pub fn raw(text: &str, out: bool) {
    use std::io::Write;
    let _ = if out {
        std::io::stdout().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush())
    } else {
        std::io::stderr().write_all(text.as_bytes())
    };
}

/// Why a command did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The exit code.
    pub code: u8,
    /// The id of the rule behind it; empty where none is.
    pub rule: Cow<'static, str>,
    /// The key of the sentence; its hint stands under the same key with `.hint`.
    pub key: Cow<'static, str>,
    /// What fills them.
    pub facts: Vec<(String, String)>,
    /// The key of our words for why, as for what the system said: they fill `reason`.
    pub reason: Option<&'static str>,
}

/// The sentence of a file; what the system said of it brings its own hint.
const FILE: &str = "hq.file";

impl Fault {
    /// A fault with that exit code and sentence.
    #[must_use]
    pub const fn new(code: u8, key: &'static str) -> Self {
        let (rule, key) = (Cow::Borrowed(""), Cow::Borrowed(key));
        Self { code, rule, key, facts: Vec::new(), reason: None }
    }

    /// Wrong arguments.
    #[must_use]
    pub const fn usage(key: &'static str) -> Self {
        Self::new(USAGE, key)
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        self.facts.push((name.to_owned(), value.to_string()));
        self
    }

    /// What a rule of the office refused, said in `lang`.
    #[must_use]
    pub fn money(error: MoneyError, lang: Lang) -> Self {
        match error {
            MoneyError::Author(error) => error.into(),
            MoneyError::Store(error) => error.into(),
            MoneyError::Refused(refusal) => Self::refused(&refusal, lang),
            MoneyError::Ruled(problem) => Self::ruled(&problem, lang),
        }
    }

    /// What a rule of the records refused: it brings its own words.
    fn ruled(problem: &Problem, lang: Lang) -> Self {
        let fault = Self { rule: Cow::Borrowed(problem.rule), ..Self::new(REFUSED, "hq.rule") };
        fault.with("message", problem.text(lang.words())).with("hint", problem.hint(lang.words()))
    }

    fn refused(refusal: &Refusal, lang: Lang) -> Self {
        let case = if refusal.case.is_empty() { String::new() } else { format!(".{}", refusal.case) };
        let said = |said: &Said| match said {
            Said::Text(text) => text.clone(),
            Said::Label(zh, en) => lang.words().pick(zh, en).to_owned(),
        };
        Self {
            code: REFUSED,
            rule: Cow::Borrowed(refusal.rule),
            key: Cow::Owned(format!("rule.{}{case}", refusal.rule)),
            facts: refusal.facts.iter().map(|(name, value)| ((*name).to_owned(), said(value))).collect(),
            reason: None,
        }
    }

    /// A file that could not be read or written.
    #[must_use]
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull {
            return Self::new(NO_SPACE, "hq.file.full").with("file", path.display());
        }
        Self::new(USAGE, FILE).with("file", path.display()).because(error)
    }

    /// A file that cannot be read as a table.
    fn table(error: &RowsError) -> Self {
        let fault = Self::usage("hq.table");
        let (reason, fault) = match error {
            RowsError::Records(RecordsError::Source(SourceError::Io(said))) => return fault.because(said),
            RowsError::Records(RecordsError::Source(SourceError::NotText)) => ("hq.table.not_text", fault),
            RowsError::Records(RecordsError::Source(SourceError::Empty)) => ("hq.table.empty", fault),
            RowsError::Records(RecordsError::NoHeader) => ("hq.table.no_header", fault),
            RowsError::Records(RecordsError::OneDocument) => ("hq.table.one_document", fault),
            RowsError::Records(RecordsError::SameName(name)) => {
                ("hq.table.same_name", fault.with("column", name))
            }
            RowsError::NothingKnown { kind } => ("hq.table.nothing_known", fault.with("kind", kind)),
            // Only with a mapping, and headquarters reads none.
            RowsError::NoColumn { .. } | RowsError::OtherKind { .. } | RowsError::NoKind => {
                return fault.with("reason", error);
            }
        };
        Self { reason: Some(reason), ..fault }
    }

    /// Adds what the system said as `reason`: in our words, or in its own where we have none.
    #[must_use]
    pub fn because(mut self, error: &std::io::Error) -> Self {
        self.reason = locales::reason(error.kind());
        if self.reason.is_some() { self } else { self.with("reason", error) }
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn message(&self, lang: Lang) -> String {
        self.filled(lang, &self.key)
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn hint(&self, lang: Lang) -> String {
        let advice = self.reason.filter(|_| self.key == FILE);
        self.filled(lang, &format!("{}.hint", advice.unwrap_or(&self.key)))
    }

    fn filled(&self, lang: Lang, key: &str) -> String {
        let mut facts = self.facts.clone();
        facts.extend(self.reason.map(|reason| ("reason".to_owned(), lang.say(reason, &self.facts))));
        lang.say(key, &facts)
    }

    /// Returns it as one sentence with its rule and its hint.
    #[must_use]
    pub fn sentence(&self, lang: Lang) -> String {
        let rule = if self.rule.is_empty() { String::new() } else { format!(" [{}]", self.rule) };
        format!("{}{rule} {}", self.message(lang), self.hint(lang))
    }

    /// Prints it and returns its exit code.
    #[must_use]
    pub fn print(&self, lang: Lang, json: bool) -> u8 {
        let (message, hint) = (self.message(lang), self.hint(lang));
        let rule = if self.rule.is_empty() { String::new() } else { format!(" [{}]", self.rule) };
        raw(&format!("{message}{rule}\nhint: {hint}\n"), false);
        if json {
            // What the arguments' parser refuses has no rule of the office behind it.
            let named = if self.key.starts_with("hq.") { &self.key } else { "" };
            let rule: &str = if self.rule.is_empty() { named } else { &self.rule };
            raw(
                &format!(
                    "{:#}\n",
                    json!({"error": {
                        "exit": self.code, "rule": rule, "message": message, "hint": hint, "problems": [],
                    }})
                ),
                true,
            );
        }
        self.code
    }
}

/// Returns what the system said, where an error comes from it.
#[must_use]
pub fn of_system<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e std::io::Error> {
    error.downcast_ref().or_else(|| of_system(error.source()?))
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Absent => Self::new(REFUSED, "hq.absent"),
            StoreError::Version { found } => Self::new(DAMAGED, "hq.version").with("found", found),
            StoreError::Newer => Self::new(DAMAGED, "hq.newer"),
            StoreError::InPayment { claim } => {
                let rule = Cow::Borrowed("H-10");
                Self { rule, ..Self::new(REFUSED, "rule.H-10") }
                    .with("claim", claim.code())
                    .with("payment", "?")
            }
            StoreError::Damaged { table } => Self::new(DAMAGED, "hq.damaged").with("what", table),
            StoreError::Made => Self::new(REFUSED, "hq.made"),
            StoreError::Server { what } => Self::usage("hq.server").with("what", what),
            StoreError::InUse => Self::new(IN_USE, "hq.busy"),
            _ if error.is_full_at_server() => Self::new(NO_SPACE, "hq.full.server"),
            _ if error.is_full() => Self::new(NO_SPACE, "hq.full"),
            _ if error.is_busy() => Self::new(IN_USE, "hq.busy"),
            StoreError::NotLetIn(_) => Self::new(UNREACHABLE, "hq.server.refuses").with("reason", error),
            _ if error.is_lost() => match of_system(&error) {
                Some(said) => Self::new(UNREACHABLE, "hq.server.lost").because(said),
                None => Self::new(UNREACHABLE, "hq.server.lost").with("reason", error.reason()),
            },
            StoreError::Sqlite(_)
            | StoreError::Postgres(_)
            | StoreError::Tables(_)
            | StoreError::Column { .. } => Self::new(DAMAGED, "hq.damaged").with("what", error),
        }
    }
}

impl From<KeysError> for Fault {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::File { file, source } => Self::file(&file, &source),
            KeysError::NotAKey { file } => Self::new(DAMAGED, "hq.key").with("file", file.display()),
            KeysError::Random => Self::new(DAMAGED, "hq.random"),
        }
    }
}

impl From<TlsError> for Fault {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::File { file, source } => Self::file(&file, &source),
            TlsError::Keys(error) => error.into(),
            TlsError::NotPem { file } => Self::usage("hq.pem").with("file", file.display()),
            TlsError::Made(error) => Self::usage("hq.tls").with("reason", error),
            TlsError::Unusable(error) => Self::usage("hq.tls").with("reason", error),
        }
    }
}

impl From<DataError> for Fault {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Exists => Self::new(REFUSED, "hq.exists"),
            DataError::Half { file } => Self::new(REFUSED, "hq.half").with("file", file.display()),
            DataError::Address => Self::usage("hq.address"),
            DataError::Differs { table } => Self::new(DAMAGED, "hq.move.differs").with("what", table),
            DataError::Moved => Self::new(REFUSED, "hq.moved"),
            DataError::Store(error) => error.into(),
            DataError::Keys(error) => error.into(),
            DataError::Tls(error) => error.into(),
            DataError::Backup(error) => error.into(),
            DataError::Folder { folder, source } => Self::file(&folder, &source),
        }
    }
}

impl From<RotationError> for Fault {
    fn from(error: RotationError) -> Self {
        match error {
            RotationError::NoTls => Self::new(REFUSED, "hq.key.no_tls"),
            RotationError::InUse => Self::new(REFUSED, "hq.key.in_use"),
            RotationError::Prepared => Self::new(REFUSED, "hq.key.prepared"),
            RotationError::NotPrepared => Self::new(REFUSED, "hq.key.none"),
            RotationError::Unknown(devices) => {
                let names: Vec<String> = devices.iter().map(|device| device.0.to_string()).collect();
                Self::new(REFUSED, "hq.key.unknown").with("n", devices.len()).with("devices", names.join(" "))
            }
            RotationError::Data(error) => error.into(),
            RotationError::Store(error) => error.into(),
        }
    }
}

impl From<BackupError> for Fault {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::File { file, source } => Self::file(&file, &source),
            BackupError::NotABackup { file } => Self::usage("hq.backup.none").with("file", file.display()),
            BackupError::Damaged { file } => {
                Self::new(DAMAGED, "hq.backup.damaged").with("file", file.display())
            }
        }
    }
}

impl From<AuthorError> for Fault {
    fn from(error: AuthorError) -> Self {
        match error {
            AuthorError::Store(error) => error.into(),
            AuthorError::Keys(error) => error.into(),
            AuthorError::Segment(error) => Self::new(REFUSED, "hq.too_long").with("reason", error),
            AuthorError::Refused { code, text } => {
                Self::new(REFUSED, "hq.refused").with("code", code).with("what", text)
            }
        }
    }
}

impl From<EnrolError> for Fault {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::Store(error) => error.into(),
            EnrolError::Author(error) => error.into(),
            EnrolError::Keys(error) => error.into(),
            EnrolError::NoSuchStaff => Self::new(REFUSED, "hq.staff.unknown"),
            EnrolError::SeveralKeys(keys) => {
                let keys: Vec<String> = keys.iter().map(PublicKey::fingerprint).collect();
                Self::new(REFUSED, "hq.device.keys").with("keys", keys.join(" "))
            }
            EnrolError::NoSuchKey => Self::new(REFUSED, "hq.device.no_key"),
            EnrolError::NoUnit => Self::new(REFUSED, "hq.staff.no_unit"),
        }
    }
}

impl From<LoginError> for Fault {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Store(error) => error.into(),
            LoginError::Keys(error) => error.into(),
            LoginError::NoSuchStaff => Self::new(REFUSED, "hq.staff.unknown"),
            LoginError::Length => Self::usage("hq.user.length"),
            LoginError::Wait { seconds } => Self::new(REFUSED, "hq.user.wait").with("seconds", seconds),
            LoginError::Wrong | LoginError::CodeAsked => Self::new(REFUSED, "hq.user.wrong"),
            LoginError::Hash => Self::new(DAMAGED, "hq.random"),
        }
    }
}

impl From<LeaseError> for Fault {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Store(error) => error.into(),
            LeaseError::Author(error) => error.into(),
            LeaseError::NoSuchStaff => Self::new(REFUSED, "hq.staff.unknown"),
            LeaseError::NotHisDevice => Self::new(REFUSED, "hq.lease.not_his"),
            LeaseError::Held => Self::new(REFUSED, "hq.lease.held"),
            LeaseError::Known { known } => Self::new(REFUSED, "hq.lease.known").with("known", known),
            LeaseError::TooMany => Self::new(REFUSED, "hq.lease.too_many"),
        }
    }
}

impl From<ImportError> for Fault {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Store(error) => error.into(),
            ImportError::Author(error) => error.into(),
            ImportError::Rows(error) => Self::table(&error),
        }
    }
}
