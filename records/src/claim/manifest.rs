//! The lists that go with a batch: every line, what each person claims, and non-service expenses apart.

use std::collections::BTreeMap;

use crate::claim::view::{Claim, Line};
use crate::id::DocId;
use crate::kinds::claim::CostOwner;
use crate::kinds::voucher::Category;
use crate::money::Fen;
use crate::time::Day;

/// The lists of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Every line of service expenses, and the numbers that are explained, in the order of the numbers.
    pub detail: Vec<DetailRow>,
    /// What each person claims, in the order of his first claim.
    pub summary: Vec<SummaryRow>,
    /// Every line of non-service expenses, in the order of the numbers.
    pub non_service: Vec<DetailRow>,
    /// What all of it comes to.
    pub total: Fen,
    /// Its vouchers.
    pub vouchers: u32,
}

/// A line on a list, or a number that is explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailRow {
    /// The claim's number.
    pub claim_no: String,
    /// Whose; `None` for a number that is only explained.
    pub staff: Option<DocId>,
    /// The line; `None` for a number that is only explained.
    pub line: Option<u32>,
    /// What for.
    pub category: Option<Category>,
    /// When.
    pub date: Option<Day>,
    /// What for, in words: the detail, else from and to, else the remark; why a number is not inside.
    pub words: String,
    /// What is claimed.
    pub claimed: Fen,
    /// Its vouchers.
    pub vouchers: u32,
    /// Its work sheets.
    pub sheets: u32,
}

/// What one person claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryRow {
    /// Who.
    pub staff: DocId,
    /// The numbers of his claims, in order.
    pub claims: Vec<String>,
    /// What he claims, by category.
    pub by_category: BTreeMap<Category, Fen>,
    /// What he claims of service expenses.
    pub service: Fen,
    /// What he claims of non-service expenses.
    pub non_service: Fen,
    /// His vouchers.
    pub vouchers: u32,
}

/// Returns the lists of a batch with these claims; `explained` are numbers that are not inside, and why.
///
/// The policy lets non-service expenses stand on the common list where `apart` is false.
///
/// Source: docs/RULES.md P-19, P-20.
#[must_use]
pub fn manifest(claims: &[Claim], explained: &BTreeMap<String, String>, apart: bool) -> Manifest {
    let mut claims: Vec<&Claim> = claims.iter().collect();
    claims.sort_by(|one, other| (&one.no, one.id).cmp(&(&other.no, other.id)));
    let mut manifest = Manifest::default();
    for claim in claims {
        let rows = claim.lines.iter().map(|line| row(claim, line));
        let non_service = claim.cost_owner == CostOwner::NON_SERVICE;
        let list = if non_service && apart { &mut manifest.non_service } else { &mut manifest.detail };
        list.extend(rows);
        manifest.total.0 = manifest.total.0.saturating_add(claim.claimed_total().0);
        manifest.vouchers = manifest.vouchers.saturating_add(claim.voucher_count());
        summarize(&mut manifest.summary, claim);
    }
    manifest.detail.extend(explained.iter().map(|(no, why)| DetailRow {
        claim_no: no.clone(),
        staff: None,
        line: None,
        category: None,
        date: None,
        words: why.clone(),
        claimed: Fen(0),
        vouchers: 0,
        sheets: 0,
    }));
    manifest.detail.sort_by(|one, other| (&one.claim_no, one.line).cmp(&(&other.claim_no, other.line)));
    manifest
}

fn row(claim: &Claim, line: &Line) -> DetailRow {
    let words = [&line.detail, &line.from_to, &line.note].into_iter().find(|words| !words.is_empty());
    DetailRow {
        claim_no: claim.no.clone().unwrap_or_default(),
        staff: Some(claim.staff),
        line: Some(line.n),
        category: line.category,
        date: line.date,
        words: words.cloned().unwrap_or_default(),
        claimed: line.claimed,
        vouchers: u32::try_from(line.vouchers.len()).unwrap_or(u32::MAX),
        sheets: u32::try_from(line.sheets.len()).unwrap_or(u32::MAX),
    }
}

fn summarize(summary: &mut Vec<SummaryRow>, claim: &Claim) {
    let place = summary.iter().position(|row| row.staff == claim.staff).unwrap_or_else(|| {
        summary.push(SummaryRow {
            staff: claim.staff,
            claims: Vec::new(),
            by_category: BTreeMap::new(),
            service: Fen(0),
            non_service: Fen(0),
            vouchers: 0,
        });
        summary.len() - 1
    });
    let Some(row) = summary.get_mut(place) else {
        return;
    };
    let add = |sum: &mut Fen, amount: Fen| sum.0 = sum.0.saturating_add(amount.0);
    row.claims.extend(claim.no.clone());
    row.vouchers = row.vouchers.saturating_add(claim.voucher_count());
    let total = claim.claimed_total();
    add(
        if claim.cost_owner == CostOwner::NON_SERVICE { &mut row.non_service } else { &mut row.service },
        total,
    );
    for line in &claim.lines {
        if let Some(category) = line.category {
            add(row.by_category.entry(category).or_default(), line.claimed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::world::{doc, draft, line, submitted};

    #[test]
    fn the_lists_of_a_batch_hold_every_line_once() {
        let with = |id, no: &str, lines| submitted(Claim { id: doc(id), lines, ..draft() }, no, "2026-02-01");
        let lodging = || {
            vec![line(1, Category::LODGING, "2026-01-20", 10_000), line(2, Category::MEAL, "2026-01-20", 50)]
        };
        let mut apart =
            with(103, "HZ01-T011-2026-0003", vec![line(1, Category::NON_SERVICE, "2026-01-20", 700)]);
        apart.cost_owner = CostOwner::NON_SERVICE;
        let claims =
            [with(102, "HZ01-T011-2026-0002", lodging()), apart, with(101, "HZ01-T011-2026-0001", lodging())];
        let explained = BTreeMap::from([("HZ01-T011-2026-0004".to_owned(), "void: typing error".to_owned())]);
        let lists = manifest(&claims, &explained, true);
        let rows: Vec<_> = lists.detail.iter().map(|row| (&row.claim_no[15..], row.line)).collect();
        assert_eq!(
            rows,
            [("0001", Some(1)), ("0001", Some(2)), ("0002", Some(1)), ("0002", Some(2)), ("0004", None)]
        );
        assert_eq!((lists.non_service.len(), lists.total, lists.vouchers), (1, Fen(20_800), 5));
        let [row] = lists.summary.as_slice() else { panic!("one person") };
        assert_eq!(
            (row.service, row.non_service, row.vouchers, row.claims.len()),
            (Fen(20_100), Fen(700), 5, 3)
        );
        assert_eq!(row.by_category[&Category::LODGING], Fen(20_000));
        assert_eq!(manifest(&claims, &explained, false).non_service, []);
    }
}
