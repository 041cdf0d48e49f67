//! HQ is lost and comes back from yesterday's backup: what devices hold goes to it again, and nobody is asked.

use crate::company::{Company, LI};
use crate::world::Device;

fn sheet(device: &Device, problem: &str) -> String {
    device.make(["sheet", "new", "repair", "--set", &format!("problem={problem}")])
}

impl Company {
    /// Backs HQ up while it serves, and returns the file.
    #[track_caller]
    fn back_up(&self, name: &str) -> String {
        let file = self.hq.file(name, "");
        let file = file.to_str().expect("a path of the tests").to_owned();
        self.hq.run(["backup", &file]).ended(0);
        file
    }

    /// Loses HQ with all its data, and serves one made again from a backup.
    #[track_caller]
    fn lose_and_restore(&mut self, backup: &str) {
        self.hq.kill();
        self.hq.lose();
        self.hq.run(["restore", backup]).ended(0);
        self.hq.serve();
    }
}

#[test]
fn what_came_after_the_backup_is_sent_again_and_nobody_is_asked() {
    let mut company = Company::found();
    let li = company.device(LI);
    let before = sheet(&li, "before");
    li.sync();
    let backup = company.back_up("backup");
    let after = sheet(&li, "after");
    li.ask(["sheet", "add", &before, "note", "after"]);
    assert_eq!(li.sync()["level"], true);
    company.lose_and_restore(&backup);
    assert_eq!(company.export("repair").len(), 1);

    let report = li.sync();
    assert_eq!(report["level"], true, "{report}");
    assert_eq!(report["notices"], serde_json::json!(["restored"]));
    company.is_level_with(&[&li]);
    let held: Vec<_> = company.export("repair").iter().map(|sheet| sheet["id"].clone()).collect();
    assert!(held.contains(&before.into()) && held.contains(&after.into()), "{held:?}");
    // Once: the next sync has nothing to say.
    let quiet = li.sync();
    assert_eq!((&quiet["requests"], &quiet["digest_equal"]), (&1.into(), &true.into()), "{quiet}");
}
