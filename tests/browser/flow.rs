//! One of the twelve flows: what the person does is counted, and every page on the way is measured.

use std::path::Path;

use crate::audit::{self, Face};
use crate::page::Page;

/// The flows by number: what is done, who does it, and how many steps it may take.
///
/// A step is a tap, a key, a code under the scanner, a picture, an amount or a word typed, or a signature.
const FLOWS: [(&str, &str, usize); 12] = [
    ("Start a repair sheet from an assigned job", "engineer", 2),
    ("Unplanned job, no order, offline", "engineer", 3),
    ("Finish with the customer's signature", "engineer", 3),
    ("Inspection round of 20 items", "engineer", 22),
    ("Receipt of a taxi", "engineer", 3),
    ("Build and submit the half-month's claim", "engineer", 4),
    ("Prove that headquarters has it", "engineer", 1),
    ("Review a clean claim", "supervisor", 3),
    ("Compile and dispatch the batch", "supervisor", 4),
    ("Receive an envelope of 3 covers", "auditor", 4),
    ("Audit a claim: a clean line, and an exception", "auditor", 4),
    ("Pay", "finance", 4),
];

/// What people read of it.
const TABLE: &str = include_str!("../../docs/UX.md");

/// A person on the way through pages.
pub(crate) struct Flow {
    pub(crate) page: Page,
    face: Face,
    steps: Vec<String>,
    seen: u64,
}

impl Flow {
    /// Begins on the page that stands open; getting there is no step.
    #[track_caller]
    pub(crate) fn begin(page: Page, face: Face) -> Self {
        let mut flow = Self { page, face, steps: Vec::new(), seen: 0 };
        flow.look();
        flow
    }

    /// Goes somewhere without a step: the tests look at a page, the person does not.
    #[track_caller]
    pub(crate) fn visit(&mut self, path: &str) {
        let origin = self.page.text_of("location.origin");
        self.page.go(&format!("{origin}{path}"));
        self.look();
    }

    /// Taps what `css` finds first.
    #[track_caller]
    pub(crate) fn tap(&mut self, css: &str) {
        self.page.tap(css);
        self.stepped(format!("tap {css}"));
    }

    /// Types a word, a number or an amount.
    #[track_caller]
    pub(crate) fn type_into(&mut self, css: &str, text: &str) {
        self.page.type_into(css, text);
        self.stepped(format!("type {text}"));
    }

    /// Holds a code under the scanner, which types it and presses Enter.
    #[track_caller]
    pub(crate) fn scan(&mut self, css: &str, text: &str) {
        self.page.type_into(css, text);
        self.page.key("Enter");
        self.stepped(format!("scan {text}"));
    }

    /// Presses one key.
    #[track_caller]
    pub(crate) fn key(&mut self, key: &str) {
        self.page.key(key);
        self.stepped(format!("key {key:?}"));
    }

    /// Takes a picture, or chooses a file.
    #[track_caller]
    pub(crate) fn photo(&mut self, css: &str, file: &Path) {
        self.page.upload(css, file);
        self.stepped("photo".to_owned());
    }

    /// Signs on the glass.
    #[track_caller]
    pub(crate) fn sign(&mut self, css: &str) {
        self.page.draw(css);
        self.stepped("sign".to_owned());
    }

    #[track_caller]
    fn stepped(&mut self, step: String) {
        self.steps.push(step);
        self.look();
    }

    /// Measures the page where it is a new one, and draws it.
    #[track_caller]
    pub(crate) fn look(&mut self) {
        if self.seen == self.page.loads {
            return;
        }
        self.seen = self.page.loads;
        let faults = audit::faults(&mut self.page, self.face);
        let path = self.page.path();
        self.page.picture(&name(self.face, &path));
        assert!(
            faults.is_empty(),
            "{path} at {} px in {} after {:?}:\n  {}",
            self.page.width,
            self.page.lang,
            self.steps,
            faults.join("\n  ")
        );
    }

    /// Ends the flow of that number: its steps are those of `docs/UX.md`, and no more than it may take.
    #[track_caller]
    pub(crate) fn ends(&mut self, number: usize) {
        let (what, who, target) = FLOWS[number - 1];
        let counted = self.steps.len();
        let row = format!("| {number} | {what} | {who} | {target} | {counted} |");
        println!("{row}");
        assert!(counted <= target, "{row} {:?}", self.steps);
        assert!(TABLE.lines().any(|line| line == row), "docs/UX.md has another row than\n{row}");
        self.steps.clear();
    }
}

/// Returns the name of a page's picture: its path without what is different each time.
fn name(face: Face, path: &str) -> String {
    let face = match face {
        Face::Device => "device",
        Face::Office => "office",
    };
    let (path, _query) = path.split_once('?').unwrap_or((path, ""));
    let plain = |part: &&str| part.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c == '.');
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts
        .map(|part| if plain(&part) { part } else { "x" })
        .fold(face.to_owned(), |name, part| name + "-" + part)
}

#[test]
fn a_picture_is_named_after_its_page_and_not_after_its_record() {
    assert_eq!(name(Face::Device, "/sheets/7.30.4/sign?x=1"), "device-sheets-x-sign");
    assert_eq!(name(Face::Office, "/"), "office");
}
