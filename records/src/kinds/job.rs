//! A job (派工单): one visit given to somebody.

use crate::decision::DECISIONS;
use crate::kinds::sheet::Outcome;
use crate::kinds::template::SheetType;
use crate::kinds::{job_machine, number, sheet};
use crate::schema::{Kind, Reach, Typed};
use crate::time::Ts;
use crate::value::{Fix, Ref, Text};

crate::group! {
    /// Its number and the kind of sheet that it asks for.
    JobNo = 2 "job" ("派工", "Job") Once content=true frozen=false writer=Scope {
        no: Text<40> = ("派工单号", "Number", ""),
        kind_of as "type": SheetType = ("类型", "Type", ""),
    }
}

crate::group! {
    /// Where to go.
    JobPlace = 3 "place" ("地点", "Place") Last content=true frozen=false writer=Scope {
        customer: Ref<{ number::CUSTOMER }> = ("客户", "Customer", ""),
        site: Ref<{ number::SITE }> = ("现场", "Site", ""),
        asset: Ref<{ number::ASSET }> = ("资产", "Asset", ""),
    }
}

crate::group! {
    /// Who goes; after a hand-over the colleague who took it writes himself here.
    Assignee = 4 "assignee" ("指派", "Assignee") Last content=false frozen=false writer=Scope {
        assignee: Ref<{ number::STAFF }> = ("指派给", "Assignee", ""),
    }
}

crate::group! {
    /// When to go.
    Planned = 6 "planned" ("计划时间", "Planned") Last content=false frozen=false writer=Scope {
        planned_from: Ts = ("计划开始", "Planned from", ""),
        planned_to: Ts = ("计划结束", "Planned to", ""),
    }
}

crate::group! {
    /// What to do.
    Instructions = 7 "instructions" ("作业说明", "Instructions") Last content=true frozen=false writer=Scope {
        instructions: Text<4000> = ("作业说明", "Instructions", ""),
    }
}

crate::group! {
    /// What came of it.
    JobOutcome = 8 "outcome" ("处理结局", "Outcome") Last content=false frozen=false writer=Scope {
        outcome: Outcome = ("处理结局", "Outcome", ""),
    }
}

crate::group! {
    /// The job that this one continues.
    FollowUp = 9 "follow_up" ("后续派工", "Follow-up") Once content=true frozen=false writer=Scope {
        follow_up_of: Ref<{ number::JOB }> = ("接续派工单", "Follow-up of", ""),
    }
}

crate::group! {
    /// The ticket that it answers.
    JobTicket = 10 "ticket" ("服务单", "Ticket") Last content=true frozen=false writer=Scope {
        ticket: Ref<{ number::TICKET }> = ("服务单", "Ticket", ""),
    }
}

crate::group! {
    /// The journey that it belongs to.
    Travel = 11 "travel" ("出差", "Travel") Last content=false frozen=false writer=Scope {
        travel_id: Text<60> = ("出差编号", "Journey", ""),
    }
}

crate::group! {
    /// Where the device was at a step; written on arrival and at the end.
    Fixes = 12 "fix" ("定位", "Positions") Ledger content=false frozen=false writer=Scope {
        step: Text<20> = ("步骤", "Step", ""),
        fix: Fix = ("定位", "Position", ""),
    }
}

crate::group! {
    /// Who goes along.
    JobHelpers = 20 "helper" ("协助人员", "Helpers") Set content=false frozen=false writer=Scope key=0 {
        staff: Ref<{ number::STAFF }> = ("人员", "Person", ""),
    }
}

/// The table.
pub static JOB: Kind = Kind {
    number: number::JOB,
    schema: 1,
    name: "job",
    zh: "派工单",
    en: "Job",
    reach: Reach::Branch,
    machine: Some(&job_machine::JOB),
    key: Some("no"),
    title: &["instructions", "customer", "no"],
    concerns: &[(Assignee::GROUP.number, 0), (JobHelpers::GROUP.number, 0)],
    groups: &[
        &DECISIONS,
        &JobNo::GROUP,
        &JobPlace::GROUP,
        &Assignee::GROUP,
        &Planned::GROUP,
        &Instructions::GROUP,
        &JobOutcome::GROUP,
        &FollowUp::GROUP,
        &JobTicket::GROUP,
        &Travel::GROUP,
        &Fixes::GROUP,
        &sheet::Notes::GROUP,
        &sheet::Tags::GROUP,
        &JobHelpers::GROUP,
        &sheet::Checklist::GROUP,
    ],
};
