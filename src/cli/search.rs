//! `search`: finds records by words.

use serde_json::Value;

use crate::cli::args;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::Fault;
use crate::cli::record;
use crate::cli::sheet::filter;
use crate::notebook::search::{Search, search};

/// Records that are listed where nobody says how many.
const LIMIT: usize = 50;

/// Lists the records that hold all the words.
pub(crate) fn run(args: args::Search, desk: &Desk) -> Result<Page, Fault> {
    let mut store = desk.store()?;
    let zone = store.identity().enrolment.zone;
    let kind = args.kind.as_deref().map(crate::cli::schema::kind).transpose()?;
    let kinds = kind.map_or_else(|| records::kinds::KINDS.to_vec(), |kind| vec![kind]);
    let request = Search {
        filter: filter(kinds, &args.listed, zone)?,
        words: args.words,
        kind,
        limit: args.listed.limit.unwrap_or(LIMIT),
    };
    let lines = search(&mut store, &request, desk.lang.of_labels())?;
    let json = || lines.iter().map(|line| Value::from(record::line_json(line, zone))).collect();
    Ok(desk.page(json, |desk| record::lines_text(&lines, desk, zone)))
}
