//! A mapping file: TOML, held against the schema tables key by key.

use chrono::NaiveTime;
use toml::de::{DeTable, DeValue};

use crate::schema::{Field, Kind};
use crate::table::mapping::{Case, Condition, Flat, List, Mapping, list_group};
use crate::table::mapping_walk::{MappingError, Node, Problem, Table, Walk};
use crate::table::pick::{Epoch, From, Pick};
use crate::table::source::Encoding;
use crate::time::Zone;
use crate::value::{Type, Value};

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`MappingError`] with line and key.
    ///
    /// Source: docs/IMPORT.md.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let walk = Walk { text };
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().unwrap_or(0..0);
            walk.error("", at, Problem::Syntax(error))
        })?;
        walk.mapping(table.get_ref())
    }
}

/// What a case takes over from the file's head.
#[derive(Clone, Default)]
struct Head<'a, 'i> {
    kind: Option<&'static Kind>,
    when: Vec<Condition>,
    skip: Vec<Condition>,
    key: Vec<String>,
    empty: Vec<String>,
    dates: Vec<String>,
    /// `then`, `field` and `list`, which are read when the kind is known.
    tables: Vec<(&'a str, Node<'a, 'i>)>,
}

impl Walk<'_> {
    fn mapping(&self, table: Table) -> Result<Mapping, MappingError> {
        let mut mapping = Mapping { encoding: None, delimiter: None, zone: None, cases: Vec::new() };
        let mut head = Head::default();
        let mut cases = None;
        for (key, node) in table.iter() {
            let key = key.get_ref().as_ref();
            match key {
                "encoding" => {
                    let found = Encoding::by_name(self.string(key, node)?);
                    mapping.encoding = Some(self.given(key, node, found, "utf-8, utf-16 or gb18030")?);
                }
                "delimiter" => {
                    let found = match self.string(key, node)?.as_bytes() {
                        [one] if !matches!(one, b'"' | b'\r' | b'\n') => Some(*one),
                        _ => None,
                    };
                    mapping.delimiter = Some(self.given(key, node, found, "one ASCII character")?);
                }
                "zone" => {
                    let found = Zone::of_offset(self.string(key, node)?);
                    mapping.zone = Some(self.given(key, node, found, "an offset like \"+08:00\"")?);
                }
                "case" => cases = Some(self.array(key, node)?),
                _ => self.head_key(&mut head, key, node)?,
            }
        }
        let Some(cases) = cases else {
            mapping.cases.push(self.case(head)?);
            return Ok(mapping);
        };
        for node in cases {
            let mut own = head.clone();
            for (key, node) in self.table("case", node)?.iter() {
                self.head_key(&mut own, key.get_ref(), node)?;
            }
            mapping.cases.push(self.case(own)?);
        }
        Ok(mapping)
    }

    /// One key that the head of the file and a case share; the case's own value replaces the head's.
    fn head_key<'a, 'i>(
        &self,
        head: &mut Head<'a, 'i>,
        key: &'a str,
        node: Node<'a, 'i>,
    ) -> Result<(), MappingError> {
        match key {
            "kind" => {
                let name = self.string(key, node)?;
                let Some(kind) = crate::kinds::by_name(name) else {
                    return self.wrong(key, node, Problem::UnknownKind);
                };
                head.kind = Some(kind);
            }
            "when" => head.when = self.conditions(key, node)?,
            "skip" => head.skip = self.conditions(key, node)?,
            "key" => head.key = self.strings(key, node)?,
            "empty" => head.empty = self.strings(key, node)?,
            "dates" => head.dates = self.dates(key, node)?,
            "then" | "field" | "list" => head.tables.push((key, node)),
            _ => return self.wrong(key, node, Problem::UnknownKey),
        }
        Ok(())
    }

    fn case(&self, head: Head) -> Result<Case, MappingError> {
        let Head { kind, when, skip, key, empty, dates, tables } = head;
        let Some(kind) = kind else {
            return Err(self.error("kind", 0..0, Problem::NoKind));
        };
        let (fields, lists, then) = (Vec::new(), Vec::new(), Vec::new());
        let mut case = Case { kind, when, skip, key, empty, fields, lists, then };
        for (key, node) in tables {
            match key {
                "then" => case.then = self.steps(kind, key, node)?,
                "field" => self.fields(&mut case, &dates, node)?,
                _ => self.lists(&mut case, &dates, node)?,
            }
        }
        Ok(case)
    }

    fn steps(
        &self,
        kind: &'static Kind,
        key: &str,
        node: Node,
    ) -> Result<Vec<crate::machine::Index>, MappingError> {
        let mut steps = Vec::new();
        for name in self.strings(key, node)? {
            match kind.machine.and_then(|machine| machine.step(&name)) {
                Some((index, _)) => steps.push(index),
                None => return self.wrong(&name, node, Problem::UnknownStep(kind.name)),
            }
        }
        Ok(steps)
    }

    fn fields(&self, case: &mut Case, dates: &[String], node: Node) -> Result<(), MappingError> {
        for (name, node) in self.table("field", node)?.iter() {
            let name = name.get_ref();
            let Some((group, index)) = case.kind.field(name) else {
                return self.wrong(name, node, Problem::UnknownField(case.kind.name));
            };
            let Some(field) = group.fields.get(index) else {
                continue;
            };
            let pick = self.pick(name, node, field, dates)?;
            // A case's own field replaces the head's.
            case.fields.retain(|flat| (flat.group.number, flat.index) != (group.number, index));
            case.fields.push(Flat { group, index, pick });
        }
        Ok(())
    }

    fn lists(&self, case: &mut Case, dates: &[String], node: Node) -> Result<(), MappingError> {
        for (name, node) in self.table("list", node)?.iter() {
            let name = name.get_ref();
            let Some(group) = list_group(case.kind, name) else {
                return self.wrong(name, node, Problem::UnknownList(case.kind.name));
            };
            for section in self.array(name, node)? {
                let mut list = List { group, each: None, split: None, fields: Vec::new() };
                for (key, node) in self.table(name, section)?.iter() {
                    let key = key.get_ref().as_ref();
                    match key {
                        "each" => list.each = Some(self.string(key, node)?.to_owned()),
                        "split" => list.split = Some(self.string(key, node)?.to_owned()),
                        "field" => {
                            for (field, node) in self.table(key, node)?.iter() {
                                let field = field.get_ref().as_ref();
                                let place = group.fields.iter().position(|known| known.name == field);
                                let known = place.and_then(|place| Some((place, group.fields.get(place)?)));
                                let Some((place, known)) = known else {
                                    return self.wrong(field, node, Problem::UnknownField(group.name));
                                };
                                list.fields.push((place, self.pick(field, node, known, dates)?));
                            }
                        }
                        _ => return self.wrong(key, node, Problem::UnknownKey),
                    }
                }
                case.lists.push(list);
            }
        }
        Ok(())
    }

    fn pick(&self, name: &str, node: Node, field: &Field, dates: &[String]) -> Result<Pick, MappingError> {
        let mut pick = Pick::new(From::Columns(Vec::new()));
        dates.clone_into(&mut pick.dates);
        if matches!(field.ty, Type::Fix) {
            ",".clone_into(&mut pick.join);
        }
        match node.get_ref() {
            DeValue::String(column) => pick.from = From::Columns(vec![column.to_string()]),
            DeValue::Table(table) => {
                for (key, node) in table.iter() {
                    self.pick_key(&mut pick, key.get_ref(), node)?;
                }
            }
            _ => return self.wrong(name, node, Problem::Expected("a column or a table")),
        }
        if pick.from == From::Columns(Vec::new()) {
            return self.wrong(name, node, Problem::Expected("from, first, is or rest"));
        }
        self.targets(name, node, field, &pick)?;
        Ok(pick)
    }

    fn pick_key(&self, pick: &mut Pick, key: &str, node: Node) -> Result<(), MappingError> {
        match key {
            "from" => pick.from = From::Columns(self.strings(key, node)?),
            "first" => pick.from = From::First(self.strings(key, node)?),
            "is" => pick.from = From::Constant(self.string(key, node)?.to_owned()),
            "rest" if self.yes(key, node)? => pick.from = From::Rest,
            "rest" => {}
            "join" => self.string(key, node)?.clone_into(&mut pick.join),
            "empty" => pick.empty = self.strings(key, node)?,
            "before" => self.string(key, node)?.clone_into(&mut pick.before),
            "words" => pick.words = self.words(key, node)?,
            "other" => pick.other = Some(self.string(key, node)?.to_owned()),
            "strip" => pick.strip = self.strings(key, node)?,
            "thousands" => self.string(key, node)?.clone_into(&mut pick.thousands),
            "decimal" => self.string(key, node)?.clone_into(&mut pick.decimal),
            "times" => pick.scale.times = self.number(key, node)?,
            "over" => pick.scale.over = self.number(key, node)?,
            "round" => pick.scale.round = self.yes(key, node)?,
            "unit" => self.string(key, node)?.clone_into(&mut pick.unit),
            "dates" => pick.dates = self.dates(key, node)?,
            "clock" => {
                let found = NaiveTime::parse_from_str(self.string(key, node)?, "%H:%M").ok();
                pick.clock = self.given(key, node, found, "a time like \"09:00\"")?;
            }
            "epoch" => {
                let found = match self.string(key, node)? {
                    "seconds" => Some(Epoch::Seconds),
                    "millis" => Some(Epoch::Millis),
                    "spreadsheet" => Some(Epoch::Spreadsheet),
                    _ => None,
                };
                pick.epoch = Some(self.given(key, node, found, "seconds, millis or spreadsheet")?);
            }
            "cut" => pick.cut = self.yes(key, node)?,
            "required" => pick.required = self.yes(key, node)?,
            "optional" => pick.optional = self.yes(key, node)?,
            "past" => pick.past = self.yes(key, node)?,
            _ => return self.wrong(key, node, Problem::UnknownKey),
        }
        Ok(())
    }

    /// A constant or a translation that a list of choices does not know would refuse every row: say it here.
    fn targets(&self, name: &str, node: Node, field: &Field, pick: &Pick) -> Result<(), MappingError> {
        let constant = match &pick.from {
            From::Constant(text) => Some(text),
            From::Columns(_) | From::First(_) | From::Rest => None,
        };
        if !matches!(field.ty, Type::Choice(_) | Type::Bool) {
            return Ok(());
        }
        for word in pick.words.values().chain(&pick.other).chain(constant).filter(|word| !word.is_empty()) {
            if let Err(error) = Value::parse(field.ty, word, Zone(0)) {
                return self.wrong(name, node, Problem::Value(error));
            }
        }
        Ok(())
    }

    fn conditions(&self, key: &str, node: Node) -> Result<Vec<Condition>, MappingError> {
        let one = |node: Node| {
            let mut condition = Condition { column: String::new(), is: Vec::new(), not: false };
            for (key, node) in self.table(key, node)?.iter() {
                let key = key.get_ref().as_ref();
                match key {
                    "column" => self.string(key, node)?.clone_into(&mut condition.column),
                    "is" | "not" => {
                        condition.is = self.strings(key, node)?;
                        condition.not = key == "not";
                    }
                    _ => return self.wrong(key, node, Problem::UnknownKey),
                }
            }
            if condition.is.is_empty() {
                self.wrong(key, node, Problem::Expected("is or not"))
            } else {
                Ok(condition)
            }
        };
        match node.get_ref() {
            DeValue::Table(_) => Ok(vec![one(node)?]),
            _ => self.array(key, node)?.iter().map(one).collect(),
        }
    }
}
