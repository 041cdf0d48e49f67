//! A sheet as its pages need it: values, items, open points, what may be done with it.

use std::collections::BTreeMap;

use records::kinds::job::JOB;
use records::kinds::number;
use records::kinds::sheet::{Assets, PhotoKind, Photos};
use records::machine::Step;
use records::problems::Problem;
use records::schema::{Class, Field, Group, Kind, Typed};
use records::time::Zone;
use records::value::{FileHash, Target, Value};
use sync_protocol::merge::Document;

use crate::blobs::Blobs;
use crate::cli::fault::Fault;
use crate::notebook::find::{self, Wanted};
use crate::notebook::round::{self, Asked};
use crate::notebook::rows;
use crate::notebook::seal;
use crate::notebook::show::{self, Shown};
use crate::notebook::state;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::web::desk::Desk;

/// Any of the three sheets.
pub(in crate::web) const ANY: Wanted = Wanted::Kind(number::SHEET);

/// One sheet.
#[derive(Debug)]
pub(in crate::web) struct Sheet {
    /// The document.
    pub(in crate::web) document: Document,
    /// Its kind.
    pub(in crate::web) kind: &'static Kind,
    /// Its values and names.
    pub(in crate::web) shown: Shown,
    /// Its checklist.
    pub(in crate::web) items: Vec<Asked>,
    /// What stands between it and its seal.
    pub(in crate::web) points: Vec<Problem>,
    /// The steps that may be taken.
    pub(in crate::web) steps: Vec<&'static Step>,
    /// The values of single fields as they are typed.
    pub(in crate::web) typed: BTreeMap<&'static str, String>,
    /// What its job says is to be done; empty where it has none.
    pub(in crate::web) instructions: String,
    /// The machines that it names; empty where it names none.
    pub(in crate::web) machines: String,
    /// Its photos, without signatures.
    pub(in crate::web) pictures: Vec<Picture>,
    /// Where its days begin.
    pub(in crate::web) zone: Zone,
}

/// One photo of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::web) struct Picture {
    /// The hash of what is shown in small, where it is here.
    pub(in crate::web) small: Option<String>,
    /// The hash of the photo, where it is here.
    pub(in crate::web) large: Option<String>,
    /// What it shows, in words.
    pub(in crate::web) said: String,
    /// The item that it belongs to.
    pub(in crate::web) item: Option<String>,
}

impl Sheet {
    /// Returns whether it can be written on.
    pub(in crate::web) fn is_open(&self) -> bool {
        round::is_open(&self.document)
    }

    /// Returns whether that step may be taken.
    pub(in crate::web) fn may(&self, step: &str) -> bool {
        self.steps.iter().any(|open| open.name == step)
    }

    /// Returns its number, else its code.
    pub(in crate::web) fn number(&self) -> String {
        let number = &self.shown.line.number;
        if number.is_empty() { self.document.id.code() } else { number.clone() }
    }

    /// Returns its own address.
    pub(in crate::web) fn address(&self) -> String {
        format!("/sheets/{}", self.document.id)
    }

    /// Returns a value as people read it: a linked record by its name.
    pub(in crate::web) fn label(&self, desk: &Desk<'_>, field: &Field, value: &Value) -> String {
        label(&self.shown, desk, field, value, self.zone)
    }

    /// Returns the value of a single field as people read it; empty where there is none.
    pub(in crate::web) fn said(&self, desk: &Desk<'_>, name: &str) -> String {
        let standing = self.kind.field(name).and_then(|(group, at)| {
            let (_, row) = self.shown.registers.iter().find(|(known, _)| known.number == group.number)?;
            Some(self.label(desk, group.fields.get(at)?, row.values.get(at)?.as_ref()?))
        });
        standing.unwrap_or_default()
    }
}

/// Returns a value of a shown record as people read it.
pub(in crate::web) fn label(
    shown: &Shown,
    desk: &Desk<'_>,
    field: &Field,
    value: &Value,
    zone: Zone,
) -> String {
    match value {
        Value::Ref(Target::Doc(id)) => shown.names.get(id).cloned().unwrap_or_else(|| id.code()),
        Value::Ref(Target::Text(text)) => text.clone(),
        _ => value.label(field, zone, desk.lang.of_labels()),
    }
}

/// Reads a sheet.
///
/// # Errors
/// A [`Fault`] where there is none of that name.
pub(in crate::web) fn sheet(desk: &Desk<'_>, id: &str) -> Result<Sheet, Fault> {
    let lang = desk.lang.of_labels();
    desk.with(|store| {
        let (document, kind) = find::document(store, id, ANY)?;
        let shown = show::show(store, id, ANY, lang)?;
        let items = round::asked(store, (&document, kind), lang)?;
        let points = seal::open_points(store, kind, &document, &[], lang)?;
        let steps = state::open_steps(store, kind, &document)?;
        let zone = store.zone();
        let mut typed = BTreeMap::new();
        for (group, row) in &shown.registers {
            for (field, value) in group.fields.iter().zip(&row.values) {
                if let Some(value) = value {
                    typed.insert(field.name, show::typed(store, field, value, zone)?);
                }
            }
        }
        let pictures = pictures(store, desk, kind, &document);
        let instructions = instructions(store, kind, &document)?;
        let machines = machines(&shown);
        Ok(Sheet {
            document,
            kind,
            shown,
            items,
            points,
            steps,
            typed,
            instructions,
            machines,
            pictures,
            zone,
        })
    })
}

fn instructions(store: &Store, kind: &Kind, document: &Document) -> Result<String, StoreError> {
    let Some(Value::Ref(Target::Doc(job))) = rows::value(kind, document, "work_order") else {
        return Ok(String::new());
    };
    let said = store.document(job)?.and_then(|job| rows::value(&JOB, &job, "instructions"));
    Ok(match said {
        Some(Value::Text(text)) => text,
        _ => String::new(),
    })
}

fn machines(shown: &Shown) -> String {
    let named = shown.lists.iter().filter(|(group, _)| group.number == Assets::GROUP.number);
    let values = named.flat_map(|(_, rows)| rows).filter_map(|row| row.values.first()?.as_ref());
    let names: Vec<String> = values
        .filter_map(|value| match value {
            Value::Ref(Target::Doc(id)) => Some(shown.names.get(id).cloned().unwrap_or_else(|| id.code())),
            Value::Ref(Target::Text(text)) => Some(text.clone()),
            _ => None,
        })
        .collect();
    names.join(", ")
}

fn pictures(store: &Store, desk: &Desk<'_>, kind: &'static Kind, document: &Document) -> Vec<Picture> {
    let blobs = Blobs::of(store);
    let here =
        |hash: Option<FileHash>| hash.filter(|hash| blobs.has(hash)).map(|hash| records::hex::of(&hash.0));
    let photos = rows::record(kind, document).all::<Photos>().into_iter();
    let picture = |photo: Photos| {
        let kind = photo.kind.and_then(|kind| PhotoKind::CHOICES.option(kind.0));
        let words =
            [kind.map(|(_, zh, en)| desk.lang.label(zh, en).to_owned()), photo.caption.map(|text| text.0)];
        Picture {
            small: here(photo.thumb),
            large: here(photo.file),
            said: words.into_iter().flatten().collect::<Vec<_>>().join(" · "),
            item: photo.item.map(|item| item.0),
        }
    };
    photos.filter(|photo| photo.kind != Some(PhotoKind::SIGNATURE)).map(picture).collect()
}

/// Returns whether a group holds one row of values.
pub(in crate::web) fn is_single(group: &Group) -> bool {
    matches!(group.class, Class::Once | Class::Last | Class::Contested)
}
