//! Rust source taken apart: what the compiler runs, and what stands in its strings.

/// The same file twice, each with blanks where the other part stood, so that line numbers hold.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// Code without comments, strings and characters.
    pub(crate) code: String,
    /// The strings alone.
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn of(file: &str) -> Self {
        let mut source = Self::default();
        let mut rest = file;
        while !rest.is_empty() {
            let (part, bytes) = first_part(rest);
            let (token, tail) = rest.split_at_checked(bytes).unwrap_or((rest, ""));
            for letter in token.chars() {
                let blank = if letter == '\n' { '\n' } else { ' ' };
                source.code.push(if part == Part::Code { letter } else { blank });
                source.text.push(if part == Part::Text { letter } else { blank });
            }
            rest = tail;
        }
        source
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Code,
    Text,
    Prose,
}

/// Returns what `rest`, which is not empty, begins with and how many bytes of it belong together.
fn first_part(rest: &str) -> (Part, usize) {
    if rest.starts_with("//") {
        return (Part::Prose, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Part::Prose, rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    if let Some(bytes) = raw_string(rest) {
        return (Part::Text, bytes);
    }
    if rest.starts_with('"') {
        return (Part::Text, quoted(rest, '"'));
    }
    if is_character(rest) {
        return (Part::Prose, quoted(rest, '\''));
    }
    (Part::Code, rest.chars().next().map_or(1, char::len_utf8))
}

/// Returns the bytes of `r"…"` or `r#"…"#` with any number of `#`.
fn raw_string(rest: &str) -> Option<usize> {
    let opened = rest.strip_prefix('r')?;
    let body = opened.trim_start_matches('#');
    let hashes = opened.len() - body.len();
    let end = format!("\"{}", "#".repeat(hashes));
    let inside = body.strip_prefix('"')?.find(&end)?;
    Some(1 + hashes + 1 + inside + end.len())
}

/// Tells `'a'` and `'\n'` from the lifetime `'a`.
fn is_character(rest: &str) -> bool {
    let mut letters = rest.chars();
    letters.next() == Some('\'') && (letters.next() == Some('\\') || letters.next() == Some('\''))
}

/// Returns the bytes up to and with the closing `quote`; an escaped one does not close.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            _any if escaped => escaped = false,
            '\\' => escaped = true,
            closing if closing == quote => return at + quote.len_utf8(),
            _inside => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, code: &str, text: &str) {
        let words = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
        let source = Source::of(file);
        assert_eq!((words(&source.code).as_str(), words(&source.text).as_str()), (code, text));
        assert_eq!(source.code.lines().count(), file.lines().count());
    }

    #[test]
    fn comments_are_neither_code_nor_text() {
        check("use a; // use sled\n/* sled\n */ use b;", "use a; use b;", "");
    }

    #[test]
    fn strings_are_text_with_their_escapes() {
        check(r#"f("a \" // b", 'x', '"', c)"#, "f( , , , c)", r#""a \" // b""#);
        check("f(r#\"SELECT \"x\"\"#) + 1", "f( ) + 1", "r#\"SELECT \"x\"\"#");
    }

    #[test]
    fn a_lifetime_opens_no_character() {
        check("fn f<'a>(x: &'a str) -> char { '\\'' }", "fn f<'a>(x: &'a str) -> char { }", "");
    }
}
