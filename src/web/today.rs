//! The first page: today's jobs, what is only here, what is due.

use maud::html;
use pages::reply::Reply;
use pages::widgets;

use crate::cli::fault::Fault;
use crate::web::desk::{Desk, Leaf, Place};

/// Returns the first page.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let status = desk.with(|store| crate::notebook::status::status(store, desk.now()))?;
    let facts = [
        (desk.say("web.today.unsent"), html! { (status.counts.unsent_ops) }),
        (desk.say("web.today.conflicts"), html! { (status.counts.conflicts) }),
    ];
    desk.page(&Leaf {
        place: Place::Today,
        title: desk.say("web.tab.today"),
        back: None,
        content: html! { (widgets::facts(&facts)) },
    })
}

/// Returns what a browser needs to keep the pages as an application.
pub(super) fn manifest(desk: &Desk<'_>) -> Reply {
    let icon = |name: &str, sizes: &str, kind: &str| serde_json::json!({"src": pages::assets::address(name), "sizes": sizes, "type": kind, "purpose": "any"});
    let manifest = serde_json::json!({
        "name": desk.say("web.brand"),
        "short_name": desk.say("web.brand"),
        "lang": desk.lang.id(),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f2f5f7",
        "theme_color": "#0b3d5c",
        "icons": [
            icon("icon-192.png", "192x192", "image/png"),
            icon("icon-512.png", "512x512", "image/png"),
            icon("icon.svg", "any", "image/svg+xml"),
        ],
    });
    Reply::shown("application/manifest+json", manifest.to_string().into_bytes())
}
