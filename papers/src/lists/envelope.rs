//! The three lists of a branch's envelope, out of the claims inside.
//!
//! Source: docs/RULES.md, P-19 and P-20.

use std::collections::BTreeMap;

use records::claim::view::{Claim, Line};
use records::id::DocId;
use records::kinds::claim::CostOwner;
use records::kinds::voucher::Category;
use records::money::Fen;
use records::time::Day;
use records::value::Target;

use crate::lists::manifest::{
    DetailLine, DetailRow, ManifestDetail, ManifestSummary, NonService, SummaryRow,
};
use crate::lists::{List, ListError};
use crate::words::Lang;

/// Who somebody is, as a list names him.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    /// His staff code.
    pub code: String,
    /// His name.
    pub name: String,
    /// His unit's code.
    pub unit: String,
}

/// What is in an envelope, and how it is named.
pub struct Envelope<'a> {
    /// The batch's number.
    pub batch_no: &'a str,
    /// The claims inside.
    pub claims: &'a [Claim],
    /// Numbers that are not inside, and why.
    pub explained: &'a BTreeMap<String, String>,
    /// Whether non-service expenses stand on a list of their own.
    pub apart: bool,
    /// Says who somebody is.
    pub who: &'a dyn Fn(DocId) -> Who,
    /// Says what people call a work sheet.
    pub sheet: &'a dyn Fn(&Target) -> String,
    /// The language.
    pub lang: Lang,
}

impl Envelope<'_> {
    /// Returns the detail list, the summary list, and where there is any the list of non-service expenses.
    ///
    /// # Errors
    /// [`ListError::Sum`].
    pub fn lists(&self) -> Result<Vec<List>, ListError> {
        let mut claims: Vec<&Claim> = self.claims.iter().collect();
        claims.sort_by(|one, other| (&one.no, one.id).cmp(&(&other.no, other.id)));
        let batch_no = self.batch_no.to_owned();
        let mut detail = ManifestDetail { batch_no: batch_no.clone(), rows: Vec::new() };
        let mut summary = ManifestSummary { batch_no: batch_no.clone(), rows: Vec::new() };
        let mut apart = NonService { batch_no, rows: Vec::new() };
        for claim in claims {
            let who = (self.who)(claim.staff);
            let lines = claim.lines.iter().map(|line| self.line(claim, line, &who));
            if self.apart && claim.cost_owner == CostOwner::NON_SERVICE {
                apart.rows.extend(lines);
            } else {
                detail.rows.extend(lines.map(DetailRow::Line));
            }
            add(&mut summary.rows, claim, &who);
        }
        self.explain(&mut detail, &mut summary);
        let mut lists = vec![detail.list(self.lang)?, summary.list(self.lang)?];
        if !apart.rows.is_empty() {
            lists.push(apart.list(self.lang)?);
        }
        Ok(lists)
    }

    fn line(&self, claim: &Claim, line: &Line, who: &Who) -> DetailLine {
        let words = [&line.detail, &line.from_to, &line.note].into_iter().find(|words| !words.is_empty());
        let category = line.category.and_then(|category| Category::CHOICES.option(category.0));
        let label = |(_, zh, en)| self.lang.labels().pick(zh, en).to_owned();
        DetailLine {
            claim_no: claim.no.clone().unwrap_or_default(),
            staff_code: who.code.clone(),
            name: who.name.clone(),
            line: line.n,
            date: line.date.unwrap_or(Day(0)),
            category: category.map(label).unwrap_or_default(),
            detail: words.cloned().unwrap_or_default(),
            claimed: line.claimed,
            vouchers: u32::try_from(line.vouchers.len()).unwrap_or(u32::MAX),
            sheets: line.sheets.iter().map(|sheet| (self.sheet)(sheet)).collect(),
        }
    }

    /// Numbers that are not inside stand in their place, and with the person whose number comes before them.
    fn explain(&self, detail: &mut ManifestDetail, summary: &mut ManifestSummary) {
        for (no, why) in self.explained {
            let whose = summary.rows.iter_mut().find(|row| same_person(&row.first_no, no));
            let (mut code, mut name) = (String::new(), String::new());
            if let Some(row) = whose {
                (code, name) = (row.staff_code.clone(), row.name.clone());
                let more = format!("{no} {why}");
                row.explained =
                    if row.explained.is_empty() { more } else { format!("{}; {more}", row.explained) };
            }
            let row = DetailRow::Explained { claim_no: no.clone(), staff_code: code, name, why: why.clone() };
            let place = detail.rows.partition_point(|row| number(row) < no.as_str());
            detail.rows.insert(place, row);
        }
    }
}

/// Two numbers are of one person where only what follows the last dash differs.
fn same_person(one: &str, other: &str) -> bool {
    let head = |no: &str| no.rsplit_once('-').map(|(head, _)| head.to_owned());
    head(one).is_some() && head(one) == head(other)
}

fn number(row: &DetailRow) -> &str {
    match row {
        DetailRow::Line(line) => &line.claim_no,
        DetailRow::Explained { claim_no, .. } => claim_no,
    }
}

fn add(rows: &mut Vec<SummaryRow>, claim: &Claim, who: &Who) {
    let no = claim.no.clone().unwrap_or_default();
    let place = rows.iter().position(|row| row.staff_code == who.code && row.name == who.name);
    let row = match place.and_then(|place| rows.get_mut(place)) {
        Some(row) => row,
        None => {
            rows.push(SummaryRow {
                staff_code: who.code.clone(),
                name: who.name.clone(),
                unit: who.unit.clone(),
                first_no: no.clone(),
                last_no: String::new(),
                claims: 0,
                vouchers: 0,
                claimed: Fen(0),
                explained: String::new(),
            });
            let Some(row) = rows.last_mut() else { return };
            row
        }
    };
    row.last_no = no;
    row.claims = row.claims.saturating_add(1);
    row.vouchers = row.vouchers.saturating_add(claim.voucher_count());
    row.claimed = Fen(row.claimed.0.saturating_add(claim.claimed_total().0));
}
