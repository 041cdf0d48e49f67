//! How a text is cut into words, and what somebody typed into what a text must hold.

use std::collections::BTreeSet;

/// Parts of a word that are looked for: of a long text some are enough, for fewer only tell more.
const PARTS_MAX: usize = 16;
/// Stands before the initials of two neighbours, and within no word.
const INITIALS: char = '~';

/// A word that somebody looks for, folded, and what a document that holds it must hold.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) parts: Vec<Part>,
    /// Where the word may be initials: each two neighbours of them.
    pub(super) initials: Option<Vec<Part>>,
}

/// What a document must hold.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// A word, whole.
    Word(String),
    /// A word with that in it.
    Within(String),
}

impl Word {
    pub(super) fn new(folded: &str) -> Self {
        let mut parts = BTreeSet::new();
        each_word(folded, &mut |word| {
            let mut letters = word.chars();
            let pair = letters.next().is_some_and(is_chinese) && letters.next().is_some();
            parts.insert(if pair { Part::Word(word.to_owned()) } else { Part::Within(word.to_owned()) });
        });
        let mut pairs = BTreeSet::new();
        each_pair(folded, &mut |pair| {
            pairs.insert(Part::Word(pair.to_owned()));
        });
        let some = |parts: BTreeSet<Part>| parts.into_iter().take(PARTS_MAX).collect();
        Self { parts: some(parts), initials: may_be_initials(folded).then(|| some(pairs)) }
    }
}

/// Returns whether a word is looked for among the initials of Chinese too.
pub(super) fn may_be_initials(folded: &str) -> bool {
    folded.len() > 1 && folded.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Tells the words of a folded text: letters and digits side by side, of Chinese each two neighbours, or one alone.
pub(super) fn each_word(folded: &str, tell: &mut dyn FnMut(&str)) {
    let mut rest = folded;
    while let Some(first) = rest.chars().next() {
        let alike = |c: char| c.is_alphanumeric() && is_chinese(c) == is_chinese(first);
        let end = rest.find(|c| !alike(c)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        match run.chars().next() {
            Some(letter) if is_chinese(letter) => each_two(run, tell),
            Some(_) => tell(run),
            None => {}
        }
        rest = if run.is_empty() { after.get(first.len_utf8()..).unwrap_or_default() } else { after };
    }
}

/// Tells each two neighbours, or the only letter.
fn each_two(run: &str, tell: &mut dyn FnMut(&str)) {
    let ends: Vec<usize> = run.char_indices().map(|(at, _)| at).chain([run.len()]).collect();
    if ends.len() == 2 {
        return tell(run);
    }
    for (from, to) in ends.iter().zip(ends.iter().skip(2)) {
        tell(run.get(*from..*to).unwrap_or_default());
    }
}

/// Tells each two neighbours of initials, marked.
pub(super) fn each_pair(initials: &str, tell: &mut dyn FnMut(&str)) {
    let letters = initials.as_bytes();
    for (first, second) in letters.iter().zip(letters.iter().skip(1)) {
        if first.is_ascii_alphanumeric() && second.is_ascii_alphanumeric() {
            tell(&String::from_iter([INITIALS, char::from(*first), char::from(*second)]));
        }
    }
}

fn is_chinese(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}
