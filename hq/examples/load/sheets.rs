//! What simulated devices record: sheets, as a rule the project's samples, read through the mapping of the yardstick.

use records::decision::{DECISION_TAG, Decision};
use records::kinds::staff::Role;
use records::table::mapping::Mapping;
use records::table::rows::{Rows, Wanted};
use records::time::{Ts, Zone};
use sync_protocol::op::{Row, Write};
use sync_protocol::stamp::Stamp;

const SHEETS: &str = include_str!("../../../samples/sheets.jsonl");
const MAPPING: &str = include_str!("../../../mappings/workload-sheets.toml");

/// One sheet as an agent imports it: a creation that is sealed in the same op.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    kind: u16,
    writes: Vec<Write>,
}

impl Sheet {
    /// Returns all of the samples.
    pub(crate) fn samples(now_ms: u64) -> Vec<Self> {
        Self::read(SHEETS, now_ms)
    }

    /// Returns the sheets of a file like that of the samples.
    pub(crate) fn read(file: &str, now_ms: u64) -> Vec<Self> {
        let zone = Zone::SHANGHAI;
        let today = Ts(i64::try_from(now_ms).unwrap()).day(zone);
        let mapping = Mapping::parse(MAPPING).expect("the yardstick's mapping");
        let wanted = Wanted { mapping: Some(mapping), kind: None, zone, today };
        let rows = Rows::open(file.as_bytes(), wanted).expect("sheets");
        rows.map(|row| Self::of(&row.expect("a sound sheet"))).collect()
    }

    fn of(row: &records::table::rows::Row) -> Self {
        let mut writes: Vec<Write> =
            row.payloads().into_iter().map(|(tag, bytes)| Write { tag, bytes }).collect();
        for step in &row.then {
            let (on_behalf_of, to, reason) = (None, None, String::new());
            let role = Role::ENGINEER;
            let decision = Decision { step: *step, role, on_behalf_of, to, reason, saw: None, picks: None };
            writes.push(Write { tag: DECISION_TAG, bytes: postcard::to_allocvec(&decision).unwrap() });
        }
        writes.sort_by_key(|write| write.tag);
        Self { kind: row.kind.number, writes }
    }

    /// Returns it as an op saved at that time.
    pub(crate) fn row(&self, stamp: Stamp) -> Row {
        let writes = self.writes.clone();
        Row { kind: self.kind, schema: 1, doc: None, stamp, seen: Vec::new(), forked_from: None, writes }
    }
}
