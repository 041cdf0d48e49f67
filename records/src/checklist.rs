//! Checklists: the items of a template, which of them are asked, and whether the answers fit.

use crate::kinds::sheet::{Answer, Answers, PhotoKind, Photos};
use crate::kinds::template::{ItemKind, Items, SheetType};
use crate::problems::{Problem, meter_text};
use crate::record::Record;
use crate::schema::Typed;
use crate::value::text::Lang;
use crate::value::{Choices, Count, MeterValue, Text, Type, Value};

/// The items of one version of one checklist, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// The items.
    pub items: Vec<Items>,
}

impl Template {
    /// Reads the items of a template document.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let mut items: Vec<Items> = record.all();
        items.sort_by(|a, b| (a.order, &a.key).cmp(&(b.order, &b.key)));
        Self { items }
    }

    /// Returns the generic checklist of a type of sheet, for work without a template.
    ///
    /// Only the installation asks for something: one photo.
    ///
    /// Source: docs/RULES.md S-06.
    #[must_use]
    pub fn built_in(sheet: SheetType, lang: Lang) -> Self {
        let rows = match sheet {
            SheetType::INSTALL => INSTALL,
            SheetType::REPAIR => REPAIR,
            SheetType::INSPECTION => INSPECTION,
            _ => &[],
        };
        let order = |at: usize| u32::try_from(at).ok().map(Count);
        let items = rows.iter().enumerate().map(|(at, row)| Items { order: order(at), ..row.item(lang) });
        Self { items: items.collect() }
    }
}

/// One line of a built-in checklist.
struct BuiltIn {
    key: &'static str,
    zh: &'static str,
    en: &'static str,
    kind: ItemKind,
    photos_min: u32,
}

impl BuiltIn {
    const fn new(key: &'static str, zh: &'static str, en: &'static str, kind: ItemKind) -> Self {
        Self { key, zh, en, kind, photos_min: 0 }
    }

    fn item(&self, lang: Lang) -> Items {
        Items {
            key: Some(Text(self.key.to_owned())),
            label: Some(Text(lang.pick(self.zh, self.en).to_owned())),
            kind: Some(self.kind),
            required: Some(self.photos_min > 0),
            photos_min: (self.photos_min > 0).then_some(Count(self.photos_min)),
            ..Items::default()
        }
    }
}

static INSTALL: &[BuiltIn] = &[
    BuiltIn::new("position_right", "安装位置正确", "Position right", ItemKind::YESNO),
    BuiltIn::new("fixed_firmly", "固定牢靠", "Fixed firmly", ItemKind::YESNO),
    BuiltIn::new("wired_right", "接线正确", "Wired right", ItemKind::YESNO),
    BuiltIn::new("test_run", "试运行正常", "Test run fine", ItemKind::YESNO),
    BuiltIn::new("trained", "已培训用户", "User trained", ItemKind::YESNO),
    BuiltIn {
        photos_min: 1,
        ..BuiltIn::new("photo", "安装照片", "Photo of the installation", ItemKind::PHOTO)
    },
];

static REPAIR: &[BuiltIn] = &[
    BuiltIn::new("made_safe", "已断电挂牌", "Made safe", ItemKind::YESNO),
    BuiltIn::new("test_run", "试运行正常", "Test run fine", ItemKind::YESNO),
    BuiltIn::new("cleaned", "现场已清理", "Site cleaned", ItemKind::YESNO),
];

static INSPECTION: &[BuiltIn] = &[
    BuiltIn::new("appearance", "外观", "Appearance", ItemKind::OK_WATCH_FAULT),
    BuiltIn::new("leaks", "渗漏", "Leaks", ItemKind::OK_WATCH_FAULT),
    BuiltIn::new("temperature", "温度", "Temperature", ItemKind::OK_WATCH_FAULT),
    BuiltIn::new("earthing", "接地", "Earthing", ItemKind::OK_WATCH_FAULT),
    BuiltIn::new("fasteners", "紧固件", "Fasteners", ItemKind::OK_WATCH_FAULT),
    BuiltIn::new("cleaned", "现场已清理", "Site cleaned", ItemKind::YESNO),
];

/// Returns whether an item is asked: it has no condition, or its `key=answer` holds.
///
/// The answer is compared as typed: a choice's identifier, a text, or a number with its unit.
///
/// ```
/// use records::checklist::shown;
/// use records::kinds::sheet::{Answer, Answers};
/// use records::kinds::template::Items;
/// use records::value::Text;
/// let item = Items { show_if: Some(Text("leak=yes".into())), ..Items::default() };
/// let leak = |answer| Answers { item: Some(Text("leak".into())), answer: Some(answer), ..Answers::default() };
/// assert!(shown(&item, &[leak(Answer::YES)]));
/// assert!(!shown(&item, &[leak(Answer::NO)]) && !shown(&item, &[]));
/// ```
#[must_use]
pub fn shown(item: &Items, answers: &[Answers]) -> bool {
    let Some(condition) = &item.show_if else {
        return true;
    };
    let (key, wanted) = condition.0.split_once('=').unwrap_or((&condition.0, "yes"));
    find(answers, key.trim()).and_then(said).is_some_and(|said| said == wanted.trim())
}

fn find<'a>(answers: &'a [Answers], key: &str) -> Option<&'a Answers> {
    answers.iter().find(|answer| answer.item.as_ref().is_some_and(|item| item.0 == key))
}

fn said(answer: &Answers) -> Option<String> {
    let word = answer.answer.and_then(|Answer(index)| Answer::CHOICES.option(index));
    word.map(|(word, ..)| word.to_owned())
        .or_else(|| answer.text.as_ref().map(|text| text.0.clone()))
        .or_else(|| answer.value.as_ref().map(meter_text))
}

/// Returns what is wrong with the answers to a checklist.
///
/// Answers to items that the template does not have are left alone: they come from another version.
///
/// Source: docs/RULES.md S-04, S-05, S-06, S-14.
#[must_use]
pub fn check(template: &Template, answers: &[Answers], photos: &[Photos]) -> Vec<Problem> {
    let asked = template.items.iter().filter(|item| shown(item, answers));
    asked.filter_map(|item| check_item(item, answers, photos)).collect()
}

fn check_item(item: &Items, answers: &[Answers], photos: &[Photos]) -> Option<Problem> {
    let key = &item.key.as_ref()?.0;
    let kind = item.kind?;
    let required = item.required == Some(true);
    let name = item.label.as_ref().map_or(key, |label| &label.0);
    if let ItemKind::PHOTO | ItemKind::SIGN = kind {
        return too_few(item, key, kind, photos).map(|problem| problem.fact("item", name));
    }
    let problem = |rule, field| Problem::new(rule, Answers::GROUP.name, field).fact("item", name);
    match find(answers, key) {
        None if required => Some(problem("S-04", "item")),
        None => None,
        Some(answer) if !fits(kind, item, answer) => Some(problem("S-14", "answer").fact("kind", word(kind))),
        Some(answer) => outside(item, answer).map(|value| {
            let limit = |limit: &Option<MeterValue>| limit.as_ref().map_or("…".to_owned(), meter_text);
            problem("S-05", "value")
                .fact("value", meter_text(value))
                .fact("min", limit(&item.min))
                .fact("max", limit(&item.max))
        }),
    }
}

fn word(kind: ItemKind) -> &'static str {
    const LIST: Choices = ItemKind::CHOICES;
    LIST.option(kind.0).map_or("", |(word, ..)| word)
}

/// A photo that names no item counts for every item that asks for photos.
fn too_few(item: &Items, key: &str, kind: ItemKind, photos: &[Photos]) -> Option<Problem> {
    let least = u32::from(item.required == Some(true));
    let need = item.photos_min.map_or(least, |count| count.0.max(least));
    let counts = |photo: &&Photos| {
        let named = photo.item.as_ref().map(|item| item.0 == key);
        let signature = photo.kind == Some(PhotoKind::SIGNATURE);
        if kind == ItemKind::SIGN {
            signature && named.unwrap_or(true)
        } else {
            !signature && named.unwrap_or(true)
        }
    };
    let have = photos.iter().filter(counts).count();
    let enough = u32::try_from(have).is_ok_and(|have| have >= need);
    (!enough).then(|| {
        Problem::new("S-06", Photos::GROUP.name, "file")
            .fact("need", need.to_string())
            .fact("have", have.to_string())
    })
}

/// Whether the answer is of the sort that the item asks for.
fn fits(kind: ItemKind, item: &Items, answer: &Answers) -> bool {
    let text = answer.text.as_ref().map(|text| text.0.as_str());
    let options =
        item.options.as_ref().map(|list| list.0.split([';', '；']).map(str::trim).collect::<Vec<_>>());
    let listed = |text: &str| options.as_ref().is_none_or(|options| options.contains(&text));
    match kind {
        ItemKind::YESNO => matches!(answer.answer, Some(Answer::YES | Answer::NO)),
        ItemKind::OK_WATCH_FAULT => matches!(answer.answer, Some(Answer::OK | Answer::WATCH | Answer::FAULT)),
        ItemKind::NUMBER => answer.value.is_some(),
        ItemKind::TEXT | ItemKind::SCAN => text.is_some(),
        ItemKind::CHOICE => text.is_some_and(listed),
        ItemKind::MULTI => text.is_some_and(|text| text.split([';', '；']).map(str::trim).all(listed)),
        ItemKind::DATE => {
            text.is_some_and(|text| Value::parse(Type::Day, text, crate::time::Zone(0)).is_ok())
        }
        // A kind of a newer version: its own build checks it.
        _ => true,
    }
}

/// Returns the value where it lies outside the item's limits and nothing explains it.
fn outside<'a>(item: &Items, answer: &'a Answers) -> Option<&'a MeterValue> {
    let value = answer.value.as_ref()?;
    let low = item.min.as_ref().is_some_and(|min| value.scaled() < min.scaled());
    let high = item.max.as_ref().is_some_and(|max| value.scaled() > max.scaled());
    let explained = answer.note.is_some();
    ((low || high) && !explained).then_some(value)
}

#[cfg(test)]
mod tests;
