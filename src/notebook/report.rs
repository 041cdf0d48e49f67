//! A work sheet as it is printed for the customer.

use papers::sheet::{ReportTable, SheetReport, Signed, Strokes};
use records::checklist::Template;
use records::id::DocId;
use records::kinds::number;
use records::kinds::sheet::{Answers, CustomerSign, NoSign, Photos, SheetNo, Tags};
use records::schema::{Field, Group, Typed};
use records::time::{Ts, Zone};
use records::value::text::Lang;
use records::value::{FileHash, Target, Type, Value};

use crate::blobs::Blobs;
use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::NotebookError;
use crate::notebook::rows::{self, Standing};
use crate::notebook::seal::checklist;
use crate::notebook::show::{Shown, show};
use crate::picture::Picture;
use crate::store::Store;

/// A text field that takes so many characters gets a paragraph, not a cell.
const LONG_CHARS: u16 = 1_000;

/// A sheet's report, and which sheet it is.
#[derive(Debug, Clone)]
pub struct Report {
    /// The sheet.
    pub id: DocId,
    /// What is printed.
    pub paper: SheetReport,
}

/// Returns the report of a sheet, its labels in `lang`.
///
/// # Errors
/// What [`find::document`] refuses; [`NotebookError::Store`].
pub fn report(store: &Store, text: &str, lang: Lang) -> Result<Report, NotebookError> {
    let wanted = Wanted::Kind(number::SHEET);
    let (document, kind) = find::document(store, text, wanted)?;
    let record = rows::record(kind, &document);
    let template = checklist(store, &record, lang)?;
    let shown = show(store, text, wanted, lang)?;
    let page = Page { store, shown: &shown, lang, zone: store.identity().enrolment.zone, template };
    let state = shown.line.state.iter().chain(&shown.line.flags);
    let paper = SheetReport {
        kind: lang.pick(kind.zh, kind.en).to_owned(),
        number: shown.line.number.clone(),
        id: document.id.to_string(),
        code: document.id.code(),
        state: state.map(|state| lang.pick(state.zh, state.en)).collect::<Vec<_>>().join(", "),
        facts: page.registers(|field| !is_long(field)),
        texts: page.registers(is_long),
        tables: page.tables(),
        signed: record.get::<CustomerSign>().map_or(Signed::Open, |sign| page.signed(sign)),
    };
    Ok(Report { id: document.id, paper })
}

fn is_long(field: &Field) -> bool {
    matches!(field.ty, Type::Text(chars) if chars >= LONG_CHARS)
}

struct Page<'s> {
    store: &'s Store,
    shown: &'s Shown,
    lang: Lang,
    zone: Zone,
    template: Template,
}

impl Page<'_> {
    /// Returns the single values of the fields that `wanted` takes; the number and the signature have places of their own.
    fn registers(&self, wanted: impl Fn(&Field) -> bool) -> Vec<(String, String)> {
        let apart = [SheetNo::GROUP.number, CustomerSign::GROUP.number];
        let groups = self.shown.registers.iter().filter(|(group, _)| !apart.contains(&group.number));
        let fields = groups.flat_map(|(group, row)| group.fields.iter().zip(&row.values));
        let fields = fields.filter(|(field, _)| wanted(field));
        fields
            .filter_map(|(field, value)| Some((self.label(field), self.value(field, value.as_ref()?))))
            .collect()
    }

    /// Returns the lists; photos and words to find the sheet by are no part of a report.
    fn tables(&self) -> Vec<ReportTable> {
        let apart = [Photos::GROUP.number, Tags::GROUP.number];
        let lists = self.shown.lists.iter().filter(|(group, _)| !apart.contains(&group.number));
        lists.map(|(group, entries)| self.table(group, entries)).collect()
    }

    /// Columns that nobody wrote anything into are left out, and so are files.
    fn table(&self, group: &Group, entries: &[Standing]) -> ReportTable {
        let used = |at: usize| entries.iter().any(|row| row.values.get(at).is_some_and(Option::is_some));
        let columns = group.fields.iter().enumerate();
        let columns: Vec<(usize, &Field)> =
            columns.filter(|(at, field)| used(*at) && field.ty != Type::File).collect();
        let cell = |row: &Standing, at: usize, field: &Field| match row.values.get(at) {
            Some(Some(Value::Text(key))) if group.number == Answers::GROUP.number && at == 0 => {
                self.item(key)
            }
            Some(Some(value)) => self.value(field, value),
            Some(None) | None => String::new(),
        };
        ReportTable {
            title: self.lang.pick(group.zh, group.en).to_owned(),
            columns: columns.iter().map(|(_, field)| self.label(field)).collect(),
            rows: entries
                .iter()
                .map(|row| columns.iter().map(|(at, field)| cell(row, *at, field)).collect())
                .collect(),
        }
    }

    /// Returns what the checklist calls an item.
    fn item(&self, key: &str) -> String {
        let named = |item: &&records::kinds::template::Items| item.key.as_ref().is_some_and(|k| k.0 == key);
        let label = self.template.items.iter().find(named).and_then(|item| item.label.clone());
        label.map_or_else(|| key.to_owned(), |label| label.0)
    }

    fn label(&self, field: &Field) -> String {
        self.lang.pick(field.zh, field.en).to_owned()
    }

    fn value(&self, field: &Field, value: &Value) -> String {
        match value {
            Value::Ref(Target::Doc(id)) => self.shown.names.get(id).cloned().unwrap_or_else(|| id.code()),
            Value::Ref(Target::Text(text)) => text.clone(),
            _ => value.label(field, self.zone, self.lang),
        }
    }

    fn signed(&self, sign: CustomerSign) -> Signed {
        if let Some((_, zh, en)) = sign.no_sign_reason.and_then(|reason| NoSign::CHOICES.option(reason.0)) {
            return Signed::Not { reason: self.lang.pick(zh, en).to_owned() };
        }
        let Some(name) = sign.signer_name else {
            return Signed::Open;
        };
        let role = sign.signer_role.map_or_else(String::new, |role| role.0);
        let at = sign.at.map_or_else(String::new, |at: Ts| at.minute(self.zone));
        let who = [name.0, role, at].into_iter().filter(|part| !part.is_empty());
        let strokes = sign.png.as_ref().and_then(|png| self.strokes(png));
        Signed::By { who: who.collect::<Vec<_>>().join("  "), strokes }
    }

    fn strokes(&self, png: &FileHash) -> Option<Strokes> {
        let (width, height, shades) = Picture::read(&Blobs::of(self.store).get(png).ok()?)?.grey();
        Strokes::new(u32::try_from(width).ok()?, u32::try_from(height).ok()?, shades)
    }
}
