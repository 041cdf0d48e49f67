//! Whether headquarters can work, and how it stands in numbers, for a machine that watches it.
//!
//! Source: docs/OPERATIONS.md, Watching it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::meter::Text;
use crate::store::StoreError;
use crate::web::console::Console;

/// So long an answer on the health stands: whoever asks often writes no more for it.
const FRESH_MS: u64 = 5_000;
/// The setting by which it is tried whether the database takes a write.
const TRIED: &str = "health";
/// The setting with the time of the last backup.
pub const BACKED_UP: &str = "backed up at";
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Devices are counted by for how many days nothing was heard of them.
const SILENT_DAYS: [u64; 4] = [1, 3, 7, 30];

/// The last look at the health, and when it was taken.
#[derive(Debug, Default)]
pub struct Health(Mutex<Option<(u64, bool)>>);

impl Health {
    /// Returns 200 where the database took a write in the last seconds, else 503. Blocks.
    #[must_use]
    pub fn look(&self, console: &Console) -> StatusCode {
        let now_ms = console.office.clock.now_ms();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = last.filter(|(at_ms, _)| now_ms.abs_diff(*at_ms) < FRESH_MS).map(|(_, well)| well);
        let well = fresh.unwrap_or_else(|| {
            let tried = console.office.writer.run(move |desk| desk.store.set(TRIED, &now_ms.to_le_bytes()));
            matches!(tried, Ok(Ok(())))
        });
        // The age counts from the write: else an answer that is asked for all the time never ends.
        if fresh.is_none() {
            *last = Some((now_ms, well));
        }
        if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
    }
}

/// Serves `/metrics` on a listener of its own, which the world need not reach.
///
/// # Errors
/// Where the listener breaks.
pub async fn serve(listener: TcpListener, console: Arc<Console>) -> std::io::Result<()> {
    let app = Router::new().route("/metrics", get(metrics)).with_state(console);
    axum::serve(listener, app).await
}

async fn metrics(State(console): State<Arc<Console>>) -> Response {
    let kind = (header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    match tokio::task::spawn_blocking(move || text(&console)).await {
        Ok(Some(text)) => ([kind], text).into_response(),
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Returns everything that is measured; `None` where the database cannot be read. Blocks.
#[must_use]
pub fn text(console: &Console) -> Option<String> {
    let now_ms = console.office.clock.now_ms();
    let mut out = Text::default();
    console.office.porter.meter.write(&mut out);
    let sessions = console.office.porter.sessions();
    out.one("fieldbook_sync_sessions", "gauge", "Conversations under way.", sessions);
    let at_server = console.read(|desk| {
        standing(desk, &mut out, now_ms)?;
        desk.store.server_bytes()
    });
    let bytes = at_server.ok()?.unwrap_or_else(|| console.data.database_bytes());
    out.one("fieldbook_database_bytes", "gauge", "Bytes of the database and of its log.", bytes);
    Some(out.0)
}

fn standing(desk: &crate::intake::desk::Desk, out: &mut Text, now_ms: u64) -> Result<(), StoreError> {
    let devices = desk.store.devices(None)?;
    let part: Vec<_> = devices.iter().filter(|device| device.standing.takes_part()).collect();
    let name = "fieldbook_devices";
    out.head(name, "gauge", "Devices that take part, by the days since they were heard of.");
    let mut from = 0;
    let ends = SILENT_DAYS.map(|days| (days.to_string(), days * DAY_MS));
    for (days, to) in ends.into_iter().chain([("more".to_owned(), u64::MAX)]) {
        let silent = |seen: u64| (from..to).contains(&now_ms.saturating_sub(seen));
        let count = part.iter().filter(|device| device.seen_ms.is_some_and(silent)).count();
        out.line(name, &format!("silent_days=\"{days}\""), count);
        from = to;
    }
    let never = part.iter().filter(|device| device.seen_ms.is_none()).count();
    out.line(name, "silent_days=\"never\"", never);
    out.one(
        "fieldbook_held_back_segments",
        "gauge",
        "Segments that wait for a person.",
        desk.store.held_back_count()?,
    );
    let backed_up = desk.store.setting(BACKED_UP)?.and_then(|at| at.try_into().ok()).map(u64::from_le_bytes);
    if let Some(at_ms) = backed_up {
        let age_s = now_ms.saturating_sub(at_ms) / 1000;
        out.one(
            "fieldbook_backup_age_seconds",
            "gauge",
            "Since the last backup was whole on its disk.",
            age_s,
        );
    }
    Ok(())
}
