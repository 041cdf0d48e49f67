//! `search`: finds records by words.

use serde_json::Value;

use crate::cli::args;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::Fault;
use crate::cli::record;
use crate::notebook::search::{Search, search};

/// Lists the records that hold all the words.
pub(crate) fn run(args: args::Search, desk: &Desk) -> Result<Page, Fault> {
    let store = desk.store()?;
    let zone = store.identity().enrolment.zone;
    let kind = args.kind.as_deref().map(crate::cli::schema::kind).transpose()?;
    let request = Search {
        words: args.words,
        kind,
        limit: args.limit,
    };
    let lines = search(&store, &request, desk.lang.of_labels())?;
    let json = || {
        lines
            .iter()
            .map(|line| Value::from(record::line_json(line, zone)))
            .collect()
    };
    Ok(desk.page(json, |desk| record::lines_text(&lines, desk, zone)))
}
