//! Finding records by words, without a network: all words must be there, in whatever case or width.

use std::ops::ControlFlow;

use records::schema::Kind;
use records::value::text::Lang;
use records::value::{Target, Value};
use sync_protocol::merge::Document;
use unicode_normalization::UnicodeNormalization;

use crate::notebook::list::{self, Line};
use crate::notebook::refusal::NotebookError;
use crate::notebook::rows;
use crate::store::Store;

/// What to look for.
#[derive(Debug, Clone)]
pub struct Search {
    /// All of these.
    pub words: Vec<String>,
    /// Only in this kind.
    pub kind: Option<&'static Kind>,
    /// So many at most.
    pub limit: usize,
}

/// Returns the records that hold all the words, newest first within a kind.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn search(store: &Store, request: &Search, lang: Lang) -> Result<Vec<Line>, NotebookError> {
    let words: Vec<String> = request.words.iter().map(|word| plain(word)).collect();
    let mut found = Vec::new();
    store.each(request.kind.map(|kind| kind.number), &mut |document| {
        let kind = records::kinds::by_number(document.kind);
        if let Some(kind) = kind.filter(|kind| holds(kind, &document, &words)) {
            found.push((kind, document));
        }
        if found.len() >= request.limit {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    let line = |(kind, document)| list::line(store, kind, &document, lang);
    Ok(found.into_iter().map(line).collect::<Result<_, _>>()?)
}

fn holds(kind: &Kind, document: &Document, words: &[String]) -> bool {
    let mut text = plain(&document.id.code());
    for group in kind.groups {
        for value in rows::of(group, document)
            .iter()
            .flat_map(|row| row.values.iter().flatten())
        {
            if let Value::Text(words) | Value::Ref(Target::Text(words)) = value {
                text.push('\n');
                text.push_str(&plain(words));
            }
        }
    }
    words.iter().all(|word| text.contains(word.as_str()))
}

/// Wide and narrow, upper and lower case read alike.
fn plain(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_and_case_do_not_matter() {
        assert_eq!(plain("ＡＢＣ－１２３ Pump"), plain("abc-123 PUMP"));
        assert_eq!(plain("水泵"), "水泵");
    }
}
