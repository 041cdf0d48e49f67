//! Rows of every kind come back as they were, and hostile bytes do no harm.

use proptest::prelude::*;
use records::decision::Decision;
use records::id::{DocId, Epoch, OpId, Replica};
use records::kinds::KINDS;
use records::kinds::staff::Role;
use records::schema::{Class, Group, Kind, SetChange, Tag};
use records::value::{Fix, MeterValue, Target, Type, Value, payload};

use super::wire::Reader;
use super::{decode, encode, encode_columns, header};
use crate::op::{Row, Write};
use crate::stamp::Stamp;
use crate::tables::Tables;

const LINE: (Replica, Epoch) = (Replica(7), Epoch(9));

/// Draws values out of a number, the same ones again and again.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn small(&mut self, sides: u8) -> u8 {
        u8::try_from(self.throw(sides.into())).unwrap()
    }

    fn int(&mut self) -> i64 {
        match self.throw(4) {
            0 => i64::try_from(self.throw(5)).unwrap(),
            1 => 1_795_000_000_000 + i64::try_from(self.throw(1000) * 60_000).unwrap(),
            2 => -i64::try_from(self.throw(1 << 30)).unwrap(),
            _ => [i64::MAX, i64::MIN, 0, -1][usize::from(self.small(4))],
        }
    }

    fn text(&mut self) -> String {
        match self.throw(5) {
            0 => String::new(),
            1 => format!("C{:06}", self.throw(999_999)),
            2 => format!("E{}", self.throw(99_999)),
            3 => ["杭州分公司", "济南分公司", "\0", "C00", "9", "-7"][usize::from(self.small(6))].to_owned(),
            _ => "word ".repeat(self.throw(40).try_into().unwrap()),
        }
    }

    fn id(&mut self) -> OpId {
        let replica = [7, 7, 0, u32::MAX][usize::from(self.small(4))];
        OpId { replica: Replica(replica), epoch: Epoch(self.small(3).into()), seq: self.throw(300) + 1 }
    }

    fn value(&mut self, ty: Type) -> Option<Value> {
        if self.throw(3) == 0 {
            return None;
        }
        Some(match ty {
            Type::Text(_) => Value::Text(self.text()),
            Type::Fen | Type::Ts | Type::Qty => Value::Int(self.int()),
            Type::Day => Value::Int(20_000 + i64::from(self.small(200))),
            Type::Min | Type::Count | Type::Metre => Value::Int(self.throw(1 << 31).try_into().unwrap()),
            Type::Bool => Value::Bool(self.throw(2) == 0),
            Type::Choice(_) => Value::Choice(self.small(255)),
            Type::Ref(_) if self.throw(2) == 0 => Value::Ref(Target::Text(self.text())),
            Type::Ref(_) => Value::Ref(Target::Doc(DocId(self.id()))),
            Type::Meter => {
                let (mantissa, unit) = (self.int(), self.text());
                Value::Meter(MeterValue { mantissa, decimals: self.small(10), unit })
            }
            Type::Fix => Value::Fix(Fix {
                lat: i32::try_from(self.throw(1 << 30)).unwrap(),
                lon: -i32::try_from(self.throw(1 << 30)).unwrap(),
                accuracy: u16::try_from(self.throw(1 << 16)).unwrap(),
                mock: self.throw(9) == 0,
            }),
            Type::File | Type::Digest => Value::File((0..self.throw(33)).map(|_| self.small(255)).collect()),
        })
    }

    fn payload(&mut self, group: &Group) -> Vec<u8> {
        if self.throw(30) == 0 {
            return (0..self.throw(20)).map(|_| self.small(255)).collect();
        }
        let mut row = || group.fields.iter().map(|field| self.value(field.ty)).collect::<Vec<_>>();
        match group.class {
            Class::Once | Class::Last | Class::Contested => records::value::encode(group.fields, &row()),
            Class::Ledger => payload::encode_rows(group.fields, &[row(), row()]),
            Class::Set => {
                let add = vec![row(), row(), row()];
                let remove = (0..self.throw(3)).map(|_| (self.id(), u32::from(self.small(9)))).collect();
                payload::encode_set(group.fields, &SetChange { add, remove })
            }
            Class::Decision => postcard::to_allocvec(&Decision {
                step: self.small(9),
                role: Role(self.small(12)),
                on_behalf_of: (self.throw(5) == 0).then(|| DocId(self.id())),
                to: (self.throw(5) == 0).then(|| DocId(self.id())),
                reason: self.text(),
                saw: (self.throw(2) == 0).then(|| [self.small(255); 16]),
                picks: (self.throw(5) == 0).then(|| self.id()),
            })
            .unwrap(),
        }
    }

    fn row(&mut self, kind: &Kind, seq: u64) -> Row {
        let groups: Vec<&Group> = kind.groups.iter().copied().filter(|_| self.throw(4) == 0).collect();
        let mut writes: Vec<Write> =
            groups.into_iter().map(|group| Write { tag: group.tag(), bytes: self.payload(group) }).collect();
        if self.throw(10) == 0 {
            writes.push(Write { tag: Tag(8000 << 3), bytes: vec![0xFF, 1, 2] });
        }
        writes.sort_by_key(|write| write.tag);
        let mut seen: Vec<OpId> = (0..self.throw(3)).map(|_| self.id()).collect();
        seen.sort_unstable();
        seen.dedup_by_key(|id| (id.replica, id.epoch));
        let own = OpId { replica: LINE.0, epoch: LINE.1, seq: seq / 2 + 1 };
        let doc = [None, Some(DocId(own)), Some(DocId(self.id()))][usize::from(self.small(3))];
        Row {
            kind: if self.throw(20) == 0 { 0x8001 } else { kind.number },
            schema: if self.throw(20) == 0 { 250 } else { kind.schema },
            doc,
            stamp: Stamp { ms: 1_795_000_000_000 + self.throw(1 << 20), counter: u16::from(self.small(3)) },
            seen,
            forked_from: (self.throw(20) == 0).then(|| self.id()),
            writes,
        }
    }
}

fn rows(seed: u64, n: u64) -> (Vec<Row>, Vec<u64>) {
    let mut dice = Dice(seed);
    let kind = |dice: &mut Dice| KINDS[usize::try_from(dice.throw(KINDS.len() as u64)).unwrap()];
    let seqs: Vec<u64> = (1..=n).collect();
    let mut bytes = 0;
    let rows = seqs.iter().map(|seq| dice.row(kind(&mut dice_of(seed, *seq)), *seq)).collect::<Vec<_>>();
    let fits = |row: &&Row| {
        bytes += row.row_bytes();
        bytes <= crate::limits::SEGMENT_ROW_BYTES_MAX && row.row_bytes() <= crate::limits::OP_BYTES_MAX
    };
    let rows: Vec<Row> = rows.iter().take_while(fits).cloned().collect();
    let seqs = seqs[..rows.len()].to_vec();
    (rows, seqs)
}

fn dice_of(seed: u64, seq: u64) -> Dice {
    Dice(seed ^ seq.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn rows_of_every_kind_come_back_as_they_were(seed in any::<u64>(), n in 0_u64..60) {
        let (rows, seqs) = rows(seed, n);
        for row in &rows {
            prop_assert_eq!(row.row_bytes(), row.to_bytes().len());
        }
        let bytes = encode_columns(&rows, LINE, &seqs, &Tables::own());
        let read = decode(&bytes, LINE, &seqs);
        prop_assert_eq!(read.as_ref(), Ok(&rows));
        prop_assert_eq!(decode(&encode(&rows, LINE, &seqs), LINE, &seqs), Ok(rows));
    }

    #[test]
    fn a_reader_without_the_tables_needs_none(seed in any::<u64>(), n in 0_u64..60) {
        let (rows, seqs) = rows(seed, n);
        let bytes = encode_columns(&rows, LINE, &seqs, &Tables::default());
        let (sorts, _) = header::take_sorts(seqs.len(), &mut Reader::of(&bytes[1..]).unwrap()).unwrap();
        prop_assert!(sorts.iter().all(|sort| sort.writes.iter().all(|(_, in_columns)| !in_columns)));
        prop_assert_eq!(decode(&bytes, LINE, &seqs), Ok(rows));
    }

    #[test]
    fn changed_or_cut_columns_are_refused_or_read_but_never_panic(
        seed in any::<u64>(), at in any::<prop::sample::Index>(), change in any::<[u8; 4]>(), cut in any::<bool>(),
    ) {
        let (rows, seqs) = rows(seed, 12);
        let mut bytes = encode_columns(&rows, LINE, &seqs, &Tables::own());
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            for (place, byte) in bytes[at..].iter_mut().zip(change) {
                *place = byte;
            }
        }
        if let Ok(read) = decode(&bytes, LINE, &seqs) {
            let total: usize = read.iter().map(Row::row_bytes).sum();
            prop_assert!(total <= crate::limits::SEGMENT_ROW_BYTES_MAX);
            for row in &read {
                prop_assert_eq!(&Row::from_bytes(&row.to_bytes()).unwrap(), row);
            }
        }
    }

    #[test]
    fn any_bytes_behind_the_coding_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [&[1], &bytes[..]].concat();
        for n in [0, 1, 3] {
            let _ = decode(&bytes, LINE, &(1..=n).collect::<Vec<_>>());
        }
    }
}
