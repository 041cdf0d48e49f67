//! Clocks that are wrong: nothing is refused for one, no other clock follows it, and the office reads the right time.

use fieldbook::clock::Clock;
use records::time::{Ts, Zone};
use serde_json::Value;

use crate::company::{Company, LI, WANG, ZHAO, text};

const HOUR_MS: i64 = 60 * 60 * 1000;
pub(crate) const YEAR_MS: i64 = 8766 * HOUR_MS;
/// Between a clock that is wrong here and one that is right lie hours: so long may a busy machine take for a story.
const STORY_MS: i64 = HOUR_MS / 2;

/// Returns the right time and so much beside it.
pub(crate) fn off_by(ms: i64) -> String {
    Ts(now().saturating_add(ms)).rfc3339(Zone::SHANGHAI)
}

fn now() -> i64 {
    Clock::system().now().wall.0
}

/// Returns the instant of an answer, milliseconds UTC.
fn instant(value: &Value) -> i64 {
    Ts::parse(&text(value), Zone::SHANGHAI).expect("an instant").0
}

/// Returns what headquarters' `show` says of when a record was recorded.
fn recorded(company: &Company, id: &str) -> Value {
    company.hq.run(["--json", "show", id]).ended(0).json()["recorded"].clone()
}

#[track_caller]
fn is_about(found: &Value, expected: i64) {
    let found = instant(found);
    assert!((found - expected).abs() < STORY_MS, "{found}, not about {expected}");
}

/// In Actual one device whose clock ran ahead pushed its stamps to everybody: their clocks followed it,
/// and from then on the server and all the others refused to sync until the data was reset.
#[test]
fn poison_clock_like_actual_8905() {
    let company = Company::found();
    let mut mad = company.device(LI);
    let (right, mut old, wang) = (company.device(LI), company.device(LI), company.device(WANG));
    mad.now = Some(off_by(3 * YEAR_MS));
    old.now = Some(off_by(-20 * YEAR_MS));
    let sheet = mad.make(["sheet", "new", "repair", "--set", "problem=异响", "--set", "work_done=三年后"]);
    for device in [&mad, &right, &old, &wang] {
        let report = device.sync();
        assert_eq!((&report["level"], &report["new_quarantine"]), (&true.into(), &0.into()), "{report}");
    }
    // Everybody goes on with his own clock, and who has seen a value replaces it.
    right.ask(["sheet", "set", &sheet, "work_done=换轴承"]);
    let later = right.make(["sheet", "new", "inspection"]);
    let aside = old.make(["sheet", "new", "install"]);
    for device in [&right, &old, &mad, &wang, &right] {
        let report = device.sync();
        assert_eq!((&report["level"], &report["new_quarantine"]), (&true.into(), &0.into()), "{report}");
    }
    assert_eq!(wang.ask(["sheet", "show", &sheet])["fields"]["work_done"], "换轴承");
    is_about(&right.ask(["sheet", "show", &later])["created"], now());
    is_about(&recorded(&company, &later)["at"], now());
    // The mad one is put right where the office reads, and the old one too.
    for (id, skew_ms) in [(&sheet, 3 * YEAR_MS), (&aside, -20 * YEAR_MS)] {
        let recorded = recorded(&company, id);
        is_about(&recorded["at"], now());
        is_about(&recorded["device_at"], now() + skew_ms);
    }
    // HQ's own clock did not follow either: a new code is for the next day.
    let code = company.hq.run(["--json", "device", "code", "--staff", ZHAO]).ended(0).json();
    is_about(&code["expires"], now() + 24 * HOUR_MS);
    for device in [&mad, &right, &old, &wang] {
        device.sync();
    }
    company.is_level_with(&[&mad, &right, &old, &wang]);
}

#[test]
fn headquarters_says_when_it_was_recorded_and_how_wrong_the_clock_was() {
    let company = Company::found();
    let mut li = company.device(LI);
    li.now = Some(off_by(-3 * HOUR_MS));
    let sheet = li.make(["sheet", "new", "repair", "--set", "problem=异响"]);
    li.sync();
    let said = recorded(&company, &sheet);
    is_about(&said["at"], now());
    is_about(&said["device_at"], now() - 3 * HOUR_MS);
    let skew = said["clock_skew_ms"].as_i64().expect("a number");
    assert!((skew + 3 * HOUR_MS).abs() < STORY_MS, "{said}");
    for (lang, words) in [("en", "(device clock 3 h slow)"), ("zh-CN", "（设备时钟慢 3 小时）")] {
        let shown = company.hq.run(["--lang", lang, "show", &sheet]).ended(0).stdout;
        assert!(shown.contains(words), "{shown}");
        let told = company.hq.run(["--lang", lang, "history", &sheet]).ended(0).stdout;
        assert!(told.contains(if lang == "en" { "3 h" } else { "3 小时" }), "{told}");
    }
    // Put right: what is recorded from now on needs no word, what was recorded before keeps its own.
    li.now = None;
    li.ask(["sheet", "set", &sheet, "work_done=换轴承"]);
    li.sync();
    let changes = company.hq.run(["--json", "history", &sheet]).ended(0).json();
    let skews: Vec<i64> = changes
        .as_array()
        .expect("a list")
        .iter()
        .map(|op| op["recorded"]["clock_skew_ms"].as_i64().expect("a number"))
        .collect();
    assert!(skews[0] < -2 * HOUR_MS && skews[1].abs() < STORY_MS, "{changes}");
    company.hq.run(["show", "NOSUCHCODE"]).ended(1);
}

/// The network sets a tablet's clock before anything is sent: the office still hears how wrong it was before.
#[test]
fn a_clock_that_was_set_right_before_the_sync_is_told_all_the_same() {
    let company = Company::found();
    let mut li = company.device(LI);
    li.now = Some(off_by(-3 * HOUR_MS));
    let before = li.make(["sheet", "new", "repair"]);
    li.now = None;
    let after = li.make(["sheet", "new", "repair"]);
    li.sync();
    for (id, skew_ms) in [(&before, -3 * HOUR_MS), (&after, 0)] {
        let said = recorded(&company, id);
        is_about(&said["at"], now());
        is_about(&said["device_at"], now() + skew_ms);
        let told = said["clock_skew_ms"].as_i64().expect("a number");
        assert!((told - skew_ms).abs() < STORY_MS, "{said}");
    }
    company.is_level_with(&[&li]);
}

/// A device whose clock ran ahead and was set right writes on above its old stamps: the office reads no future.
#[test]
fn a_clock_that_was_set_right_leaves_no_record_in_the_future() {
    let company = Company::found();
    let mut li = company.device(LI);
    li.now = Some(off_by(2 * YEAR_MS));
    let before: String = li.make(["sheet", "new", "repair"]);
    li.now = None;
    let after: String = li.make(["sheet", "new", "repair"]);
    li.sync();
    for (id, words) in [(&before, "2 years fast"), (&after, "ran ahead")] {
        let at = instant(&recorded(&company, id)["at"]);
        assert!(at <= now(), "{at}");
        let shown = company.hq.run(["show", id]).ended(0).stdout;
        assert!(shown.contains(words), "{shown}");
    }
    company.is_level_with(&[&li]);
}
