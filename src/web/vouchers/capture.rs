//! Flow 5: photo or QR, amount, category; choosing the category sends.
//!
//! A photo that is sent alone is saved at once, as the next call may come before the amount: the receipt's page asks on.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets;
use records::kinds::voucher::{Category, VOUCHER};

use crate::cli::fault::Fault;
use crate::notebook::add::Entry;
use crate::notebook::create::{Create, create as make};
use crate::notebook::list;
use crate::notebook::pair::Pair;
use crate::notebook::{rows, voucher, work};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::files::given;
use crate::web::shown::label;

/// The setting with the category that was chosen last; the command line asks with it too.
const LAST: &str = "last.voucher.category";
/// The fields that a capture may carry beside photo, sheet and QR text.
const FIELDS: [&str; 6] = ["category", "amount", "date", "note", "nights", "rate"];

/// What stands in the form when it opens.
#[derive(Debug, Default)]
struct Form {
    amount: String,
    date: String,
    qr: String,
    note: String,
    sheet: String,
    nights: String,
    rate: String,
    last: Option<String>,
    sheets: Vec<(String, String)>,
}

/// Returns the form; `?qr=` fills it from an invoice's QR text, `?sheet=` names the work.
pub(crate) fn capture(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let query = &desk.visit.query;
    let said = |name: &str| query.get(name).unwrap_or_default().to_owned();
    let form = Form { qr: said("qr"), sheet: said("sheet"), ..Form::default() };
    let mut form = offered(desk, form)?;
    if form.qr.is_empty() {
        return desk.page(&leaf(desk, &form));
    }
    match voucher::read(&form.qr) {
        Ok(_) => {
            let mut pairs = vec![Pair::new("qr_raw", form.qr.as_str())];
            voucher::fill(&mut pairs);
            let filled =
                |name: &str| pairs.iter().find(|pair| pair.name == name).map(|pair| pair.value.clone());
            form.amount = filled("amount").unwrap_or_default();
            form.date = filled("date").unwrap_or(form.date);
            desk.page(&leaf(desk, &form))
        }
        Err(refusal) => {
            let fault = Fault::from(crate::notebook::refusal::NotebookError::from(refusal));
            desk.refused(&leaf(desk, &Form { qr: String::new(), ..form }), &fault)
        }
    }
}

/// Saves the receipt and shows it with what a person should look at.
pub(crate) fn create(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let form = &desk.visit.form;
    let mut pairs: Vec<Pair> =
        FIELDS.into_iter().filter_map(|name| Some(Pair::new(name, form.get(name)?))).collect();
    pairs.extend(form.get("qr").map(|text| Pair::new("qr_raw", text)));
    voucher::fill(&mut pairs);
    if desk.visit.uploads("photo").next().is_some() && !pairs.iter().any(|pair| pair.name == "date") {
        pairs.push(Pair::new("date", today(desk)?));
    }
    let photos =
        given(desk, "photo").into_iter().map(|photo| ("photo", Vec::new(), vec![("file".to_owned(), photo)]));
    let sheets = form.all("sheet").map(|sheet| ("sheet", vec![format!("sheet={sheet}")], Vec::new()));
    let entry = |(list, words, files): (&str, _, _)| Entry { list: list.to_owned(), words, files };
    let entries = photos.chain(sheets).map(entry).collect();
    let request = Create { kind: &VOUCHER, job: None, pairs, entries };
    let made = desk.with(|store| {
        let made = make(store, &request, desk.now())?;
        remember(store, form.get("category"));
        Ok(made)
    });
    match made {
        Ok(made) => Ok(Reply::go(&format!("/vouchers/{}?done=voucher_saved", made.id))),
        Err(fault) => desk.refused(&leaf(desk, &offered(desk, typed(desk))?), &fault),
    }
}

/// Remembers the category that was chosen, for the next time.
pub(super) fn remember(store: &mut Store, category: Option<&str>) {
    if let Some(category) = category {
        // A lost memory of the last answer harms nobody.
        let _ = store.put_setting(LAST, category.as_bytes().to_vec());
    }
}

/// Returns the category that was chosen last.
pub(super) fn last(store: &Store) -> Result<Option<String>, StoreError> {
    Ok(store.setting(LAST)?.and_then(|bytes| String::from_utf8(bytes).ok()))
}

fn today(desk: &Desk<'_>) -> Result<String, Fault> {
    desk.with(|store| Ok(desk.now().wall.day(store.zone()).to_string()))
}

fn typed(desk: &Desk<'_>) -> Form {
    let said = |name: &str| desk.visit.form.get(name).unwrap_or_default().to_owned();
    Form {
        amount: said("amount"),
        date: said("date"),
        qr: said("qr"),
        note: said("note"),
        sheet: said("sheet"),
        nights: said("nights"),
        rate: said("rate"),
        ..Form::default()
    }
}

/// Adds what the home knows: today, today's sheets, the last category.
fn offered(desk: &Desk<'_>, mut form: Form) -> Result<Form, Fault> {
    let now = desk.now();
    desk.with(|store| {
        let today = now.wall.day(store.zone());
        if form.date.is_empty() {
            form.date = today.to_string();
        }
        form.last = last(store)?;
        form.sheets = sheets(store, today, desk)?;
        Ok(form)
    })
}

fn sheets(
    store: &Store,
    today: records::time::Day,
    desk: &Desk<'_>,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut found = Vec::new();
    for work in work::between(store, today, today)? {
        let Some(document) = store.document(work.record.id)? else { continue };
        let kind = work.record.kind;
        let line = list::line(store, kind, &document, desk.lang.of_labels())?;
        let number = if line.number.is_empty() { line.id.code() } else { line.number };
        let customer = match rows::value(kind, &document, "customer") {
            Some(records::value::Value::Ref(records::value::Target::Text(text))) => text,
            Some(records::value::Value::Ref(records::value::Target::Doc(id))) => {
                crate::notebook::show::name(store, id)?
            }
            _ => String::new(),
        };
        let kind = desk.lang.label(kind.zh, kind.en);
        found.push((line.id.to_string(), format!("{kind} {number} {customer}").trim_end().to_owned()));
    }
    Ok(found)
}

fn leaf(desk: &Desk<'_>, form: &Form) -> Leaf {
    Leaf {
        place: Place::Money,
        title: desk.say("web.voucher.new"),
        back: Some("/vouchers".to_owned()),
        content: html! {
            @if form.qr.is_empty() { (by_qr(desk, form)) }
            (desk.form("/vouchers", &fields(desk, form)))
        },
    }
}

/// The invoice's QR text, read by a scanner that types or by the camera.
fn by_qr(desk: &Desk<'_>, form: &Form) -> Markup {
    html! {
        details {
            summary #voucher-by-qr { (desk.say("web.voucher.qr")) }
            form method="get" action="/vouchers/new" {
                @if !form.sheet.is_empty() { input type="hidden" name="sheet" value=(form.sheet); }
                div data-sends {
                    label.field { span { (desk.say("web.voucher.qr_text")) }
                        input #qr type="text" name="qr" value="" autocomplete="off" maxlength="300";
                    }
                }
                div.actions {
                    button type="button" hidden data-scans="qr" { (desk.say("web.scan")) }
                    button #voucher-read-qr type="submit" { (desk.say("web.voucher.qr_read")) }
                }
            }
        }
    }
}

fn fields(desk: &Desk<'_>, form: &Form) -> Markup {
    html! {
        // Enter in the amount must not choose a category.
        button type="submit" disabled hidden {}
        @if !form.qr.is_empty() {
            input type="hidden" name="qr" value=(form.qr);
            p.hint { (desk.say("web.voucher.qr_kept")) " " (widgets::short(&form.qr)) }
        }
        label.field.camera { span { (desk.say("web.voucher.photo")) }
            input #photo type="file" name="photo" accept="image/*" capture="environment" data-preview="preview";
        }
        div #preview .pictures {}
        (amount(desk, "amount", &form.amount))
        details {
            summary { (desk.say("web.voucher.details")) }
            (widgets::input("date", &label(desk, &VOUCHER, "date"), &form.date, "date", None))
            @if !form.sheets.is_empty() || !form.sheet.is_empty() { (sheet(desk, form)) }
            (widgets::input("note", &label(desk, &VOUCHER, "note"), &form.note, "text", None))
            (widgets::input("nights", &label(desk, &VOUCHER, "nights"), &form.nights, "text", Some("numeric")))
            (widgets::input("rate", &label(desk, &VOUCHER, "rate"), &form.rate, "text", Some("decimal")))
        }
        (choices(desk, "category", form.last.as_deref()))
    }
}

/// Returns the amount, large, with the keys of a number.
pub(super) fn amount(desk: &Desk<'_>, name: &str, value: &str) -> Markup {
    html! {
        label.field { span { (label(desk, &VOUCHER, "amount")) }
            input #amount .big type="text" name=(name) value=(value) inputmode="decimal" required autocomplete="off" pattern="[¥￥]?[0-9]+([.][0-9]{1,2})?";
        }
    }
}

/// Returns one button a category, the last used one first: choosing is sending.
pub(super) fn choices(desk: &Desk<'_>, name: &str, last: Option<&str>) -> Markup {
    html! {
        fieldset.choices {
            legend { (label(desk, &VOUCHER, "category")) }
            @for (word, zh, en) in categories(last) {
                button type="submit" name=(name) value=(word) id={ "category-" (word) } { (desk.lang.label(zh, en)) }
            }
        }
    }
}

fn sheet(desk: &Desk<'_>, form: &Form) -> Markup {
    let known = form.sheets.iter().any(|(id, _)| *id == form.sheet);
    html! {
        label.field { span { (desk.say("web.voucher.sheet")) }
            select name="sheet" {
                option value="" { (desk.say("web.voucher.sheet_by_day")) }
                @if !known && !form.sheet.is_empty() { option value=(form.sheet) selected { (form.sheet) } }
                @for (id, label) in &form.sheets { option value=(id) selected[*id == form.sheet] { (widgets::plain(label)) } }
            }
        }
    }
}

/// Returns the categories, the last used one first.
fn categories(last: Option<&str>) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut options = Category::CHOICES.options.to_vec();
    options.sort_by_key(|(word, ..)| Some(*word) != last);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_category_that_was_used_last_comes_first_and_none_is_lost() {
        let words = |last| categories(last).into_iter().map(|option| option.0).collect::<Vec<_>>();
        assert_eq!(words(None)[0], "phone");
        assert_eq!(words(Some("meal"))[0], "meal");
        assert_eq!(words(Some("meal")).len(), Category::CHOICES.options.len());
        assert_eq!(words(Some("gone")), words(None));
    }
}
