//! A claim's rows as the values of its view.

use std::collections::BTreeMap;

use crate::claim::view::{Audited, Cut, Line, LineReturn, Paper, Question, Submitted, Ticket};
use crate::id::DocId;
use crate::kinds::claim::{
    AuditLines, Cuts, LineReturns, LineSheets, Lines, Papers, Placed, Questions, Reasons, Submission,
};
use crate::record::Record;
use crate::value::{Count, Ref, Text};

pub(super) fn lines(record: &Record) -> Vec<Line> {
    let mut lines: BTreeMap<u32, Line> =
        record.all::<Lines>().into_iter().filter_map(line).map(|line| (line.n, line)).collect();
    for row in record.all::<Placed>() {
        if let Some(line) = lines.get_mut(&count(row.line)) {
            line.vouchers.push(Ticket {
                voucher: doc(row.voucher.as_ref()),
                amount: row.amount.unwrap_or_default(),
                date: row.date,
                kind: row.kind,
                key: text(row.key),
            });
        }
    }
    for row in record.all::<LineSheets>() {
        if let (Some(line), Some(sheet)) = (lines.get_mut(&count(row.line)), row.sheet) {
            line.sheets.push(sheet.0);
        }
    }
    lines.into_values().collect()
}

/// Reads a line; `None` for one that was taken out.
pub(super) fn line(row: Lines) -> Option<Line> {
    if row.category.is_none() && row.claimed.is_none() {
        return None;
    }
    Some(Line {
        n: count(row.line),
        category: row.category,
        date: row.date,
        service_month: row.service_month.and_then(|month| month.0.parse().ok()),
        from_to: text(row.from_to),
        claimed: row.claimed.unwrap_or_default(),
        trip_day: row.trip_day,
        detail: text(row.detail),
        no_sheet_reason: text(row.no_sheet_reason),
        note: text(row.note),
        adjusts: doc(row.adjusts.as_ref()).map(|claim| (claim, count(row.adjusts_line))),
        vouchers: Vec::new(),
        sheets: Vec::new(),
    })
}

pub(super) fn submitted(row: Submission) -> Submitted {
    Submitted {
        rev: count(row.rev),
        day: row.submitted_day.unwrap_or_default(),
        at: row.submitted_at.unwrap_or_default(),
        policy_version: text(row.policy_version),
        cycle: text(row.cycle),
        claimed_total: row.claimed_total.unwrap_or_default(),
        vouchers: count(row.voucher_total_count),
    }
}

/// Returns the last word of each person on each line in each step; one without an amount takes his cut back.
pub(super) fn cuts(record: &Record, rev: u32) -> Vec<Cut> {
    let mut last: Vec<(Cut, bool)> = Vec::new();
    for row in record.all::<Cuts>().into_iter().filter(|row| count(row.rev) == rev) {
        let stands = row.to.is_some();
        let new = cut(row);
        last.retain(|(old, _)| (old.line, &old.step, old.by) != (new.line, &new.step, new.by));
        last.push((new, stands));
    }
    last.into_iter().filter(|(_, stands)| *stands).map(|(cut, _)| cut).collect()
}

pub(super) fn cut(row: Cuts) -> Cut {
    Cut {
        line: count(row.line),
        to: row.to.unwrap_or_default(),
        step: text(row.step),
        reason: row.reason,
        note: text(row.note),
        by: doc(row.by.as_ref()),
        at: row.at.unwrap_or_default(),
    }
}

pub(super) fn line_return(row: LineReturns) -> LineReturn {
    LineReturn {
        line: count(row.line),
        step: text(row.step),
        rev: count(row.rev),
        reason: row.reason,
        note: text(row.note),
        at: row.at.unwrap_or_default(),
    }
}

pub(super) fn audited(row: AuditLines) -> Option<(u32, Audited)> {
    let audited = Audited {
        verdict: row.verdict?,
        payable: row.payable.unwrap_or_default(),
        self_paid: row.self_paid.unwrap_or_default(),
        reason: text(row.reason),
        by: doc(row.by.as_ref()),
        at: row.at.unwrap_or_default(),
    };
    Some((row.line?.0, audited))
}

pub(super) fn paper(row: &Papers) -> Option<Paper> {
    Some(Paper { seen: row.seen?, by: doc(row.by.as_ref()), at: row.at.unwrap_or_default() })
}

pub(super) fn question(row: Questions) -> Question {
    Question {
        text: text(row.text),
        answer: row.answer.unwrap_or_default(),
        by: doc(row.by.as_ref()),
        at: row.at.unwrap_or_default(),
    }
}

pub(super) fn reason(row: Reasons) -> ((String, u32), String) {
    ((text(row.rule), count(row.line)), text(row.reason))
}

pub(super) fn doc<const KIND: u16>(reference: Option<&Ref<KIND>>) -> Option<DocId> {
    reference?.doc()
}

pub(super) fn text<const MAX: u16>(text: Option<Text<MAX>>) -> String {
    text.map(|text| text.0).unwrap_or_default()
}

pub(super) fn count(count: Option<Count>) -> u32 {
    count.map_or(0, |count| count.0)
}
