//! The company that the stories play in: two branches, their people, a customer's machines, jobs, and HQ serving.

use serde_json::Value;

use crate::proxy::Proxy;
use crate::world::{Device, Hq};

/// An engineer in Hangzhou.
pub(crate) const LI: &str = "T101";
/// His colleague at the same centre.
pub(crate) const ZHAO: &str = "T102";
/// An engineer in Nanjing.
pub(crate) const SUN: &str = "T201";
/// The supervisor of Hangzhou.
pub(crate) const WANG: &str = "S101";

/// The six tables, each read by its own import, in this order.
const TABLES: [(&str, &str); 6] = [
    (
        "org",
        "code,name,kind,parent\n\
         JL,江澜机电,company,\n\
         HZ,杭州分公司,branch,JL\n\
         NJ,南京分公司,branch,JL\n\
         HZC,杭州客服中心,service_center,HZ\n\
         NJC,南京客服中心,service_center,NJ\n",
    ),
    (
        "staff",
        "code,name,unit,roles\n\
         T101,李雷,HZC,engineer\n\
         T102,赵敏,HZC,engineer\n\
         T201,孙浩,NJC,engineer\n\
         S101,王芳,HZC,supervisor;engineer\n",
    ),
    ("customer", "code,name,kind\nC001,钱塘纺织有限公司,company\nC002,金陵食品加工厂,company\n"),
    ("site", "code,customer,name,address\nS001,C001,一车间,萧山区建设四路\nS002,C002,速冻车间,江宁区\n"),
    ("asset", "serial,site,model,category\nJL-AC-1,S001,LG-55A,空气压缩机\nJL-FZ-1,S002,QF-12,速冻机\n"),
    (
        "job",
        "type,customer,site,asset,assignee,planned_from,planned_to,instructions\n\
         repair,C001,S001,JL-AC-1,T101,2026-11-23 08:30,2026-11-23 10:00,排气压力不足\n\
         inspection,C001,S001,JL-AC-1,T102,2026-11-23 10:00,2026-11-23 11:00,月度巡检\n\
         install,C002,S002,JL-FZ-1,T201,2026-11-23 14:00,2026-11-23 17:00,首次安装\n",
    ),
];

/// HQ with its master data, and the line that devices reach it by.
pub(crate) struct Company {
    pub(crate) hq: Hq,
    pub(crate) line: Proxy,
}

impl Company {
    /// Founds the company through the real imports and serves its HQ.
    #[track_caller]
    pub(crate) fn found() -> Self {
        Self::found_with(Hq::init())
    }

    /// The same with an HQ that has its keys and nothing else.
    #[track_caller]
    pub(crate) fn found_with(mut hq: Hq) -> Self {
        for (kind, table) in TABLES {
            let file = hq.file(&format!("{kind}.csv"), table);
            let file = file.to_str().expect("a path of the tests");
            let done = hq.run(["--json", kind, "import", file]).ended(0).json();
            assert_eq!(done["added"], table.lines().count() - 1, "{kind}: {done}");
        }
        let line = Proxy::to(hq.serve());
        Self { hq, line }
    }

    /// Returns a new enrolled device of `staff` with HQ's clock; HQ has not heard of it yet.
    #[track_caller]
    pub(crate) fn device(&self, staff: &str) -> Device {
        Device::enrol_at(self.hq.now.as_deref(), &self.hq.device_code(staff, &self.line.url()))
    }

    /// Ends HQ as a power cut would and serves it again.
    #[track_caller]
    pub(crate) fn restart(&mut self) {
        self.hq.kill();
        self.hq.serve();
    }

    /// Returns what `fieldbook-hq doctor` finds; the views must be whole.
    #[track_caller]
    pub(crate) fn doctor(&self) -> Value {
        let found = self.hq.run(["--json", "doctor"]).ended(0).json();
        assert_eq!(found["views_ok"], true, "{found}");
        found
    }

    /// Returns all records of a kind that HQ holds.
    #[track_caller]
    pub(crate) fn export(&self, kind: &str) -> Vec<Value> {
        let lines = self.hq.run(["export", "--kind", kind, "--format", "jsonl"]).ended(0);
        let read = |line| serde_json::from_str(line).expect("a JSON object a line");
        lines.stdout.lines().map(read).collect()
    }

    /// Asserts that each device is whole and holds exactly what HQ says that it should.
    #[track_caller]
    pub(crate) fn is_level_with(&self, devices: &[&Device]) {
        let hq = self.doctor();
        let replicas = hq["replicas"].as_array().expect("a list of replicas");
        for device in devices {
            let own = device.doctor();
            let replica = &device.status()["replica"];
            let listed = replicas.iter().find(|listed| &listed["replica"] == replica);
            let listed = listed.unwrap_or_else(|| panic!("replica {replica} is not in {hq}"));
            assert_eq!(own["unsent_ops"], 0, "replica {replica}: {own}");
            assert_eq!(own["digest"], listed["digest"], "replica {replica}: {own}\n{hq}");
        }
    }
}

impl Device {
    /// Returns what a `--json` command answers; it must end with 0.
    #[track_caller]
    pub(crate) fn ask<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Value {
        self.run(["--json"].into_iter().chain(args)).ended(0).json()
    }

    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        self.ask(["status"])
    }

    #[track_caller]
    pub(crate) fn sync(&self) -> Value {
        self.ask(["sync"])
    }

    /// Returns what `doctor` finds; nothing may be wrong.
    #[track_caller]
    pub(crate) fn doctor(&self) -> Value {
        let found = self.ask(["doctor"]);
        assert_eq!(found["views_ok"], true, "{found}");
        found
    }

    /// Makes a record and returns its id.
    #[track_caller]
    pub(crate) fn make<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> String {
        text(&self.ask(args)["id"])
    }
}

/// Returns the text of a JSON string.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
