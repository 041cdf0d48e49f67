//! One of the twelve flows: what the person does is counted, and every page on the way is measured.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
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
    ("Audit: a clean line, and a cut", "auditor", 4),
    ("Pay", "finance", 4),
];

/// How often one person's page of one shape is drawn and held against the rules of accessibility.
const FULLY: usize = 2;

/// What people read of it.
const TABLE: &str = include_str!("../../docs/UX.md");

/// A person on the way through pages.
pub(crate) struct Flow {
    pub(crate) page: Page,
    face: Face,
    steps: Vec<String>,
    seen: u64,
    shapes: BTreeMap<String, usize>,
    faults: Vec<String>,
}

impl Flow {
    /// Begins on the page that stands open; getting there is no step.
    #[track_caller]
    pub(crate) fn begin(page: Page, face: Face) -> Self {
        let mut flow =
            Self { page, face, steps: Vec::new(), seen: 0, shapes: BTreeMap::new(), faults: Vec::new() };
        flow.look();
        flow
    }

    /// Goes somewhere without a step: the tests look at a page, the person does not.
    #[track_caller]
    pub(crate) fn visit(&mut self, path: &str) {
        self.go(path);
        self.look();
    }

    fn go(&mut self, path: &str) {
        let origin = self.page.text_of("location.origin");
        self.page.go(&format!("{origin}{path}"));
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

    /// Types where the keyboard is.
    #[track_caller]
    pub(crate) fn type_here(&mut self, text: &str) {
        self.page.type_here(text);
        self.stepped(format!("type {text}"));
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
        let faults = self.measured();
        for fault in &faults {
            println!("{fault}");
        }
        self.faults.extend(faults);
    }

    fn measured(&mut self) -> Vec<String> {
        if self.seen == self.page.loads {
            return Vec::new();
        }
        self.seen = self.page.loads;
        let path = self.page.path();
        let shape = name(self.face, &path);
        let visits = self.shapes.entry(shape.clone()).or_insert(0);
        *visits += 1;
        let mut faults = audit::faults(&mut self.page, self.face);
        // A round shows the same page twenty times.
        if *visits <= FULLY {
            faults.extend(audit::rules(&mut self.page));
            self.page.picture(&shape);
        }
        let place = format!("{path} at {} px in {}", self.page.width, self.page.lang);
        faults.into_iter().map(|fault| format!("{place}: {fault}")).collect()
    }

    /// Somebody else goes on, in front of his own browser.
    #[track_caller]
    pub(crate) fn hands_to(&mut self, page: Page) {
        self.page = page;
        self.seen = 0;
        self.look();
    }

    /// Ends what is no flow of the table: it took so many steps.
    #[track_caller]
    pub(crate) fn took(&mut self, steps: usize) {
        assert_eq!(self.steps.len(), steps, "{:?}", self.steps);
        self.steps.clear();
    }

    /// Nothing was wrong on any page so far.
    #[track_caller]
    pub(crate) fn was_clean(&self) {
        assert!(self.faults.is_empty(), "{} faults:\n{}", self.faults.len(), self.faults.join("\n"));
    }

    /// Nothing was wrong on any page so far but that it may not be seen yet, which the browser notes by itself.
    #[track_caller]
    pub(crate) fn was_clean_but_shut(&mut self) {
        self.faults.retain(|fault| !fault.contains("the server responded with a status of 403"));
        self.was_clean();
    }

    /// Ends the flow of that number: its steps are those of `docs/UX.md`, and no more than it may take.
    #[track_caller]
    pub(crate) fn ends(&mut self, number: usize) {
        let (what, who, target) = FLOWS[number - 1];
        let counted = self.steps.len() + std::mem::take(&mut self.page.questions);
        let row = format!("| {number} | {what} | {who} | {target} | {counted} |");
        println!("{row}");
        assert!(counted <= target, "{row} {:?}", self.steps);
        assert!(TABLE.lines().any(|line| line == row), "docs/UX.md has another row than\n{row}");
        self.steps.clear();
    }
}

/// Where links led, and what was wrong there.
pub(crate) struct Wandered {
    pub(crate) seen: Vec<String>,
    pub(crate) faults: Vec<String>,
}

/// Goes wherever links lead and measures one page of each shape.
///
/// Nothing that a stranger typed may run or become a part of the page: `HOSTILE` names what it would make.
#[track_caller]
pub(crate) fn wander(flow: &mut Flow) -> Wandered {
    let mut shapes = BTreeSet::new();
    let mut waiting = VecDeque::from([flow.page.path()]);
    let (mut seen, mut faults) = (Vec::new(), Vec::new());
    while let Some(path) = waiting.pop_front() {
        if !shapes.insert(name(flow.face, &path)) {
            continue;
        }
        flow.go(&path);
        faults.extend(flow.measured());
        let foreign = flow.page.eval(FOREIGN);
        if foreign != serde_json::json!([]) {
            faults.push(format!("{path} holds what nobody of us wrote: {foreign}"));
        }
        let links = flow.page.eval(LINKS);
        waiting.extend(
            links.as_array().expect("a list").iter().filter_map(|link| Some(link.as_str()?.to_owned())),
        );
        seen.push(path);
    }
    Wandered { seen, faults }
}

/// The pages that links of this page lead to.
const LINKS: &str = "[...document.querySelectorAll('a[href]')].filter((a) => a.origin === location.origin && !a.hasAttribute('download') \
    && !a.pathname.startsWith('/language/') && !/^\\/(files|papers|assets)\\/|(\\/(csv|xlsx)|\\.pdf)$/.test(a.pathname)).map((a) => a.pathname + a.search)";

/// What is on the page and not ours.
const FOREIGN: &str =
    "[...document.querySelectorAll('img[src=x], script:not([src]), [onerror]')].map((e) => e.outerHTML)";

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
