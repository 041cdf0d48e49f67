//! The gap list: numbers of claims that are missing somewhere.
//!
//! Source: docs/RULES.md, P-25.

use crate::lists::{Cell, List, heads};
use crate::words::{Lang, Word};

/// Numbers that are missing from what is known electronically, from the manifests, or among the papers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GapList {
    /// The rows, by person and number.
    pub rows: Vec<GapRow>,
}

/// A number, where it was seen, and what follows from that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapRow {
    /// Whose number.
    pub staff_code: String,
    /// His name.
    pub name: String,
    /// The number.
    pub claim_no: String,
    /// What is the matter.
    pub gap: Gap,
    /// Whether its data is at headquarters.
    pub electronic: bool,
    /// Whether a manifest lists it.
    pub listed: bool,
    /// Whether its paper was scanned.
    pub scanned: bool,
    /// What else is known: why it is void, in which batch it went.
    pub note: String,
}

/// What is the matter with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Its data never arrived: the device is to be asked.
    NotSynced,
    /// Listed, but its paper was not in the envelope.
    LostInTransit,
    /// In the envelope, but not listed.
    Unlisted,
    /// The manifest does not go on where the last one ended.
    NumberingFault,
}

impl Gap {
    const fn word(self) -> Word {
        match self {
            Self::NotSynced => ("未同步：请问设备", "未同步：請問裝置", "Not synced: ask the device"),
            Self::LostInTransit => ("途中遗失", "途中遺失", "Lost in transit"),
            Self::Unlisted => ("清单未列", "清單未列", "Unlisted"),
            Self::NumberingFault => ("编号不连续", "編號不連續", "Numbering fault"),
        }
    }
}

const HEADS: [Word; 8] = [
    ("工号", "工號", "Staff"),
    ("姓名", "姓名", "Name"),
    ("报销单号", "報銷單號", "Claim"),
    ("问题", "問題", "Finding"),
    ("电子数据", "電子資料", "Data"),
    ("清单", "清單", "Manifest"),
    ("纸质", "紙質", "Paper"),
    ("说明", "說明", "Note"),
];

impl GapList {
    /// Returns the list.
    #[must_use]
    pub fn list(&self, lang: Lang) -> List {
        let yes =
            |is: bool| Cell::Text(lang.say(if is { ("有", "有", "Yes") } else { ("无", "無", "No") }));
        let cells = |row: &GapRow| {
            vec![
                Cell::text(&row.staff_code),
                Cell::text(&row.name),
                Cell::text(&row.claim_no),
                Cell::Text(lang.say(row.gap.word())),
                yes(row.electronic),
                yes(row.listed),
                yes(row.scanned),
                Cell::text(&row.note),
            ]
        };
        let rows = self.rows.iter().map(cells).collect();
        List { name: lang.say(("缺号清单", "缺號清單", "Gaps")), heads: heads(lang, &HEADS), rows }
    }
}
