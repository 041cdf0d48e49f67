//! What is counted of a server's work, for whoever watches it: numbers, and nobody's name.
//!
//! Source: docs/OPERATIONS.md, Watching it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Upper ends of the steps in which conversations are counted, in milliseconds.
const STEPS_MS: [u64; 10] = [5, 10, 25, 50, 100, 250, 1_000, 5_000, 30_000, 120_000];

/// The counts since the start; all of them only rise.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Conversations by HTTP status.
    requests: BTreeMap<u16, u64>,
    /// Conversations that took at most as long as each step, then all.
    within: [u64; STEPS_MS.len() + 1],
    total_ms: u64,
    bytes_in: u64,
    bytes_out: u64,
    /// Ops by what became of them.
    ops: BTreeMap<&'static str, u64>,
    /// What was turned away, by why.
    turned_away: BTreeMap<&'static str, u64>,
    wrong_logins: u64,
}

/// One conversation with a device, as it is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spoken {
    /// How many bytes came.
    pub bytes_in: u64,
    /// How many went back.
    pub bytes_out: u64,
    /// Ops that were new.
    pub new_ops: u64,
    /// Those of them that were refused and kept.
    pub quarantined: u64,
}

impl Meter {
    /// Counts a conversation.
    pub fn spoke(&self, status: u16, took_ms: u64, spoken: Spoken) {
        let mut counts = self.counts();
        *counts.requests.entry(status).or_default() += 1;
        for (within, step) in counts.within.iter_mut().zip(STEPS_MS.into_iter().chain([u64::MAX])) {
            *within += u64::from(took_ms <= step);
        }
        counts.total_ms = counts.total_ms.saturating_add(took_ms);
        counts.bytes_in = counts.bytes_in.saturating_add(spoken.bytes_in);
        counts.bytes_out = counts.bytes_out.saturating_add(spoken.bytes_out);
        let taken = spoken.new_ops.saturating_sub(spoken.quarantined);
        for (name, count) in [("accepted", taken), ("quarantined", spoken.new_ops - taken)] {
            let held = counts.ops.entry(name).or_default();
            *held = held.saturating_add(count);
        }
    }

    /// Counts something that was turned away: `address`, `device`, `connection`, `session` or `quota`.
    pub fn turned_away(&self, why: &'static str) {
        *self.counts().turned_away.entry(why).or_default() += 1;
    }

    /// Counts a wrong password, or a wrong one-time code.
    pub fn wrong_login(&self) {
        self.counts().wrong_logins += 1;
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends the counts in Prometheus' text form.
    pub fn write(&self, out: &mut Text) {
        let counts = self.counts();
        out.head("fieldbook_sync_requests_total", "counter", "Conversations with devices, by HTTP status.");
        for (status, count) in &counts.requests {
            out.line("fieldbook_sync_requests_total", &format!("status=\"{status}\""), count);
        }
        let name = "fieldbook_sync_seconds";
        out.head(name, "histogram", "How long conversations took.");
        for (step, count) in STEPS_MS.iter().zip(counts.within) {
            out.line(&format!("{name}_bucket"), &format!("le=\"{}\"", seconds(*step)), count);
        }
        let [.., all] = counts.within;
        out.line(&format!("{name}_bucket"), "le=\"+Inf\"", all);
        out.line(&format!("{name}_sum"), "", seconds(counts.total_ms));
        out.line(&format!("{name}_count"), "", all);
        out.one("fieldbook_sync_bytes_in_total", "counter", "Bytes of requests.", counts.bytes_in);
        out.one("fieldbook_sync_bytes_out_total", "counter", "Bytes of answers.", counts.bytes_out);
        out.head("fieldbook_ops_total", "counter", "Ops that devices brought, by what became of them.");
        for (name, count) in &counts.ops {
            out.line("fieldbook_ops_total", &format!("verdict=\"{name}\""), count);
        }
        out.head("fieldbook_turned_away_total", "counter", "What was beyond a limit, by which.");
        for (why, count) in &counts.turned_away {
            out.line("fieldbook_turned_away_total", &format!("limit=\"{why}\""), count);
        }
        out.one("fieldbook_wrong_logins_total", "counter", "Wrong passwords.", counts.wrong_logins);
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Text in Prometheus' form.
#[derive(Debug, Default)]
pub struct Text(pub String);

impl Text {
    /// Begins a metric: its type and what it is.
    pub fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a text has no way to fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// Appends a value; `labels` as they stand between the braces.
    pub fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// Appends a metric of one value.
    pub fn one(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, kind, help);
        self.line(name, "", value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_reads_as_prometheus_reads_it() {
        let meter = Meter::default();
        let spoken = Spoken { bytes_in: 100, bytes_out: 50, new_ops: 3, quarantined: 1 };
        meter.spoke(200, 7, spoken);
        meter.spoke(200, 400, Spoken::default());
        meter.spoke(429, 0, Spoken::default());
        meter.turned_away("device");
        meter.wrong_login();
        let mut text = Text::default();
        meter.write(&mut text);
        for line in [
            "fieldbook_sync_requests_total{status=\"200\"} 2",
            "fieldbook_sync_requests_total{status=\"429\"} 1",
            "fieldbook_sync_seconds_bucket{le=\"0.005\"} 1",
            "fieldbook_sync_seconds_bucket{le=\"0.010\"} 2",
            "fieldbook_sync_seconds_bucket{le=\"+Inf\"} 3",
            "fieldbook_sync_seconds_sum 0.407",
            "fieldbook_sync_seconds_count 3",
            "fieldbook_sync_bytes_in_total 100",
            "fieldbook_ops_total{verdict=\"accepted\"} 2",
            "fieldbook_ops_total{verdict=\"quarantined\"} 1",
            "fieldbook_turned_away_total{limit=\"device\"} 1",
            "fieldbook_wrong_logins_total 1",
        ] {
            assert!(text.0.lines().any(|held| held == line), "{line} in\n{}", text.0);
        }
        let named = |line: &str| line.starts_with("# ") || line.starts_with("fieldbook_");
        assert!(text.0.lines().all(named));
    }
}
