//! Receipts: captured in three steps, listed with what is missing, looked at and put right.

mod capture;
mod one;

pub(super) use capture::{capture, create};
pub(super) use one::{add, discard, one, remove, set};

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Row, Tone};
use records::kinds::voucher::VOUCHER;
use records::kinds::{number, voucher_machine};
use records::money::Fen;

use crate::cli::fault::Fault;
use crate::notebook::find::Wanted;
use crate::notebook::list::{Filter, Line, list};
use crate::notebook::voucher;
use crate::web::desk::{Desk, Leaf, Place};

const VOUCHERS: Wanted = Wanted::Kind(number::VOUCHER);

/// Rows of a list before "more".
const ROWS: usize = 50;

/// Returns the list of receipts, newest first; `?state=` shows one state, `?from=` goes on.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let state = desk.visit.query.get("state").map(ToOwned::to_owned);
    let from: usize = desk.visit.query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0);
    let limit = from.saturating_add(ROWS).saturating_add(1);
    let filter =
        Filter { kinds: vec![&VOUCHER], state: state.clone(), limit: Some(limit), ..Filter::default() };
    let (rows, more) = desk.with(|store| {
        let lines = list(store, &filter, desk.lang.of_labels())?;
        let more = lines.len() == limit;
        let mut rows = Vec::new();
        for line in lines.iter().skip(from).take(ROWS) {
            let open = voucher::missing(store, line.id)?;
            rows.push(row(desk, line, open.len(), store.zone()));
        }
        Ok((rows, more))
    })?;
    desk.page(&Leaf {
        place: Place::Money,
        title: desk.say("web.voucher.title"),
        back: Some("/money".to_owned()),
        content: html! {
            div.actions { a.way.first #voucher-new href="/vouchers/new" { (desk.say("web.voucher.new")) } }
            (states(desk, state.as_deref()))
            (widgets::rows(&rows, &desk.say("web.voucher.none")))
            @if more { div.actions { (widgets::way(&next(state.as_deref(), from.saturating_add(ROWS)), &desk.say("web.more_rows"))) } }
        },
    })
}

fn next(state: Option<&str>, from: usize) -> String {
    let state = state.map(|state| format!("&state={}", pages::visit::part(state))).unwrap_or_default();
    format!("/vouchers?from={from}{state}")
}

/// Returns links that show one state each.
fn states(desk: &Desk<'_>, shown: Option<&str>) -> Markup {
    html! {
        nav.chips aria-label=(desk.say("web.voucher.states")) {
            a href="/vouchers" aria-current=[shown.is_none().then_some("true")] { (desk.say("web.all")) }
            @for state in voucher_machine::VOUCHER.states {
                a href={ "/vouchers?state=" (state.name) } aria-current=[(shown == Some(state.name)).then_some("true")] {
                    (desk.lang.label(state.zh, state.en))
                }
            }
        }
    }
}

/// Returns a receipt as a row of a list.
pub(super) fn row(desk: &Desk<'_>, line: &Line, missing: usize, zone: records::time::Zone) -> Row {
    let title = if line.title.is_empty() { desk.say("web.voucher.untitled") } else { line.title.clone() };
    let state = line.state.map(|state| desk.lang.label(state.zh, state.en).to_owned()).unwrap_or_default();
    Row {
        href: format!("/vouchers/{}", line.id),
        title,
        below: html! {
            (line.created.day(zone)) " · " (state)
            @if missing > 0 { " " (widgets::badge(Tone::Bad, &desk.tell("web.voucher.missing", &[("n", &missing.to_string())]))) }
            @if line.conflicts > 0 { " " (widgets::badge(Tone::Warning, &desk.say("web.conflict.one"))) }
            @if line.provisional { " " (widgets::badge(Tone::Plain, &desk.say("web.here_only"))) }
        },
        right: html! { strong { (line.amount.map_or_else(|| "?".to_owned(), |fen| Fen(fen).to_string())) } },
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Device;
    use crate::web::testing::Browser;

    #[test]
    fn a_receipt_is_a_photo_an_amount_and_a_category() {
        let device = Device::new();
        let browser = Browser::of(&device);
        let form = browser.get("/vouchers/new");
        assert!(
            form.contains("value=\"2026-11-22\"") && form.contains("name=\"category\" value=\"meal\""),
            "{form}"
        );
        let fields = [("amount", "35.00"), ("category", "city_transport"), ("date", "2026-11-22")];
        let at = browser.send_with("/vouchers", &fields, &[("photo", "a.jpg", b"\xFF\xD8\xFFslip")]);
        let page = browser.get(&at);
        assert!(page.contains("35.00") && page.contains("/files/") && page.contains("2026-12-22"), "{page}");
        assert!(browser.get("/vouchers").contains("35.00"));
        // What was chosen last comes first.
        let form = browser.get("/vouchers/new");
        assert!(form.find("category-city_transport") < form.find("category-phone"), "{form}");
    }

    #[test]
    fn an_invoices_qr_fills_amount_and_day_and_is_kept_once() {
        let device = Device::new();
        let browser = Browser::of(&device);
        let text = "01,32,,25152000009858579102,56.00,20261120,,";
        let form = browser.get(&format!("/vouchers/new?qr={}", pages::visit::part(text)));
        assert!(form.contains("value=\"56.00\"") && form.contains("value=\"2026-11-20\""), "{form}");
        let fields = [("qr", text), ("amount", "56.00"), ("category", "meal")];
        browser.send("/vouchers", &fields);
        assert!(browser.refused("/vouchers", &fields).contains("W-29"));
        let reply = browser.answer(&pages::visit::Visit::to("/vouchers/new?qr=hello"));
        assert_eq!(reply.status, 422);
    }

    #[test]
    fn a_photo_alone_is_saved_at_once_and_its_page_asks_for_the_rest() {
        let device = Device::new();
        let browser = Browser::of(&device);
        assert!(browser.get("/").contains("id=\"receipt-photo\""));
        let at = browser.send_with("/vouchers", &[], &[("photo", "a.jpg", b"\xFF\xD8\xFFslip")]);
        let page = browser.get(&at);
        assert!(page.contains("id=\"amount\"") && page.contains("id=\"category-meal\""), "{page}");
        let at = at.split('?').next().unwrap();
        browser.send(&format!("{at}/set"), &[("set.amount", "35"), ("set.category", "meal")]);
        let page = browser.get(at);
        assert!(page.contains("35.00") && !page.contains("id=\"amount\""), "{page}");
        let form = browser.get("/vouchers/new");
        assert!(form.find("category-meal") < form.find("category-phone"), "{form}");
    }

    #[test]
    fn a_refused_receipt_keeps_its_photo() {
        let device = Device::new();
        let browser = Browser::of(&device);
        let photo: [(&str, &str, &[u8]); 1] = [("photo", "a.jpg", b"\xFF\xD8\xFFslip")];
        let refused = browser.refused_with(
            "/vouchers",
            &[("amount", "x"), ("category", "meal"), ("date", "2026-11-20")],
            &photo,
        );
        let kept =
            refused.split("name=\"kept\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let fields = [("kept", kept), ("amount", "35"), ("category", "meal"), ("date", "2026-11-20")];
        let at = browser.send("/vouchers", &fields);
        assert!(browser.get(&at).contains("/files/"));
    }

    #[test]
    fn a_receipt_is_put_right_and_thrown_away() {
        let device = Device::new();
        let browser = Browser::of(&device);
        let bare = [("amount", "35"), ("category", "meal"), ("note", "<script>alert(1)</script>")];
        assert!(browser.refused("/vouchers", &bare).contains("V-02"), "a day is asked for");
        let at = browser.send("/vouchers", &[&bare[..], &[("date", "2026-11-20")]].concat());
        let at = at.split('?').next().unwrap();
        assert!(!browser.get(at).contains("<script>alert"));
        assert!(browser.refused(&format!("{at}/set"), &[("set.amount", "abc")]).contains("W-02"));
        browser.send(&format!("{at}/set"), &[("set.amount", "36.5"), ("set.seller", "ACME")]);
        let page = browser.get(at);
        assert!(page.contains("36.50") && page.contains("ACME"));
        assert!(browser.send(&format!("{at}/discard"), &[]).starts_with("/vouchers?"));
        assert!(browser.get("/vouchers?state=captured").contains("No receipts yet"));
    }
}
