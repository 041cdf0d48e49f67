//! The company whose pages are looked at: its units, people, customers, machines and jobs, and devices in people's hands.

use serde_json::json;

use crate::company::text;
use crate::page::Page;
use crate::world::{Device, Hq};

/// The moment of all work: a Monday in March, in the first half-month of the samples.
pub(crate) const MORNING: &str = "2025-03-10T08:30:00+08:00";

/// The people, by their code.
pub(crate) const ENGINEER: &str = "T006";
pub(crate) const COLLEAGUE: &str = "T012";
pub(crate) const SUPERVISOR: &str = "S100";
pub(crate) const GM: &str = "G100";
pub(crate) const AUDITOR: &str = "A001";
pub(crate) const MANAGER: &str = "M001";
pub(crate) const VICE_PRESIDENT: &str = "V001";
pub(crate) const FINANCE: &str = "F001";
pub(crate) const SECOND_FINANCE: &str = "F002";
pub(crate) const DESK_CLERK: &str = "D001";
pub(crate) const ADMIN: &str = "Z001";

/// What somebody may type who means harm, or whose keyboard fell down: as a customer's name.
pub(crate) const HOSTILE: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>\u{202e}moc.live";

const PASSWORD: &str = "correct horse battery staple";

const TABLES: [(&str, &str); 5] = [
    (
        "org",
        "code,name,kind,parent,lump_sum\n\
         JL,江澜机电,company,,\n\
         HZ,杭州分公司,branch,JL,\n\
         HZC,杭州客服中心,service_center,HZ,true\n",
    ),
    (
        "staff",
        "code,name,unit,roles\n\
         T006,刘洋,HZC,engineer\n\
         T012,王磊,HZC,engineer\n\
         S100,赵敏,HZC,supervisor;engineer\n\
         G100,吴建平,HZ,branch_gm\n\
         A001,何伟,JL,auditor\n\
         M001,孙丽,JL,cs_manager\n\
         V001,钱进,JL,sales_vp\n\
         F001,冯涛,JL,finance\n\
         F002,蒋琳,JL,finance\n\
         D001,林晓,HZC,desk;dispatcher\n\
         Z001,方圆,JL,admin\n",
    ),
    ("site", "code,customer,name,address\nS001,C001,一车间,萧山区建设四路\nS666,C666,后门,江宁区\n"),
    (
        "asset",
        "serial,site,model,category\nJL-AC-1,S001,LG-55A,空气压缩机\nJL-AC-2,S001,LG-75A,空气压缩机\nJL-X-1,S666,QF-12,速冻机\n",
    ),
    (
        "account",
        "code,account_name,account_no,bank_name\n\
         T006,刘洋,6222020000000000006,中国工商银行\n\
         T012,王磊,6222020000000000012,中国银行\n\
         S100,赵敏,6222020000000000100,农业银行\n",
    ),
];

/// Headquarters, serving.
pub(crate) struct Town {
    pub(crate) hq: Hq,
}

impl Town {
    /// Founds the company through the imports.
    #[track_caller]
    pub(crate) fn found() -> Self {
        let mut hq = Hq::init();
        hq.now = Some(MORNING.to_owned());
        let mut town = Self { hq };
        let customers = [
            json!({ "code": "C001", "name": "钱塘纺织有限公司", "kind": "company",
                "contact": [{ "name": "马建华", "role": "设备科长" }] }),
            json!({ "code": "C666", "name": HOSTILE, "kind": "company" }),
        ];
        town.take_rows("customer", &customers);
        for (kind, table) in TABLES {
            town.take(kind, "csv", table, table.lines().count() - 1);
        }
        town.take_rows("template", &[round()]);
        town.take_rows("job", &jobs());
        town.hq.serve();
        town
    }

    fn take_rows(&mut self, kind: &str, rows: &[serde_json::Value]) {
        let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
        self.take(kind, "jsonl", &lines, rows.len());
    }

    fn take(&mut self, kind: &str, format: &str, table: &str, rows: usize) {
        let file = self.hq.file(&format!("{kind}.{format}"), table);
        let done = self.hq.run(["--json", kind, "import", file.to_str().expect("a path of ours")]).ended(0);
        assert_eq!(done.json()["added"], rows, "{kind}: {}", done.stdout);
    }

    /// Logs somebody in at the console, in a browser of his own.
    #[track_caller]
    pub(crate) fn open(&self, staff: &str, width: u32, lang: &'static str) -> Page {
        self.hq.run_with(["user", "add", "--staff", staff], &format!("{PASSWORD}\n")).ended(0);
        let mut page = Page::new(width, lang);
        page.go(&self.hq.url());
        page.type_into("[name=code]", staff);
        page.type_into("[name=password]", PASSWORD);
        page.tap("button.first");
        page
    }

    /// Returns a new device of `staff` that holds everything headquarters gives it, in the morning.
    #[track_caller]
    pub(crate) fn device(&self, staff: &str) -> Device {
        let mut device = Device::new();
        device.now.clone_from(&self.hq.now);
        device.run(["enrol", &self.hq.device_code(staff, &self.hq.url())]).ended(0);
        device.sync();
        device
    }
}

/// An inspection round of 20 items, each OK, to be watched, or at fault.
fn round() -> serde_json::Value {
    let item = |n: usize| {
        json!({ "key": format!("point{n}"), "order": n, "label": format!("第{n}点：轴承温度与振动"),
            "kind": "ok_watch_fault", "required": true })
    };
    let items: Vec<serde_json::Value> = (1..=20).map(item).collect();
    json!({ "code": "XJ-20", "version": 1, "type": "inspection", "title": "空压机月度巡检", "item": items })
}

fn jobs() -> Vec<serde_json::Value> {
    let job = |no: &str, what: &str, customer: &str, site: &str, asset: &str, words: &str| {
        json!({ "no": no, "type": what, "customer": customer, "site": site, "asset": asset, "assignee": ENGINEER,
            "planned_from": "2025-03-10 09:00", "planned_to": "2025-03-10 11:00", "instructions": words })
    };
    let mut round = job("J-2", "inspection", "C001", "S001", "JL-AC-2", "月度巡检");
    round["checklist_tpl"] = "XJ-20".into();
    vec![
        job("J-1", "repair", "C001", "S001", "JL-AC-1", "排气压力不足"),
        round,
        job(
            "J-3",
            "repair",
            "C666",
            "S666",
            "JL-X-1",
            &HOSTILE.chars().cycle().take(4_000).collect::<String>(),
        ),
    ]
}

/// Returns the id of the job with that number.
#[track_caller]
pub(crate) fn job(device: &Device, no: &str) -> String {
    let jobs = device.ask(["job", "list"]);
    let found = jobs.as_array().and_then(|jobs| jobs.iter().find(|job| job["number"] == no).cloned());
    text(&found.unwrap_or_else(|| panic!("no job {no} in {jobs}"))["id"])
}
