//! What the three sheets share: who, where, when, what was found and done, parts, times, photos, the signature.

use crate::kinds::number;
use crate::value::{Count, Digest, FileHash, Fix, MeterValue, Metre, Min, Qty, Ref, Text};
use crate::{money::Fen, time::Ts};

crate::choices! {
    /// What came of the visit.
    SheetResult "result" {
        DONE = 0 "done" "完成" "Done",
        PARTLY = 1 "partly" "部分完成" "Partly done",
        NOT_DONE = 2 "not_done" "未完成" "Not done",
    }
}

crate::choices! {
    /// What became of the fault.
    Outcome "outcome" {
        FIXED = 0 "fixed" "已修复" "Fixed",
        PARTLY = 1 "partly" "部分修复" "Partly fixed",
        NOT_FIXED = 2 "not_fixed" "未修复" "Not fixed",
        NO_ACCESS = 3 "no_access" "无法进入" "No access",
        REFERRED = 4 "referred" "已转交" "Referred",
        REPAIRABLE = 5 "repairable" "可修复" "Repairable",
        END_OF_LIFE = 6 "end_of_life" "已报废" "End of life",
        UNKNOWN = 7 "unknown" "不明" "Unknown",
    }
}

crate::choices! {
    /// Why the customer did not sign.
    NoSign "no_sign_reason" {
        REFUSED = 0 "refused" "拒签" "Refused",
        ABSENT = 1 "absent" "不在场" "Absent",
        REMOTE = 2 "remote" "远程服务" "Remote work",
        UNMANNED_SITE = 3 "unmanned_site" "无人值守现场" "Unmanned site",
    }
}

crate::choices! {
    /// What time was spent on.
    TimeKind "time_kind" {
        LABOUR = 0 "labour" "工作" "Labour",
        TRAVEL = 1 "travel" "路途" "Travel",
        WAIT = 2 "wait" "等待" "Waiting",
        STANDBY = 3 "standby" "待命" "Standby",
    }
}

crate::choices! {
    /// How a leg was travelled.
    Mode "mode" {
        TRAIN = 0 "train" "火车" "Train",
        BUS = 1 "bus" "客车" "Bus",
        TAXI = 2 "taxi" "出租车" "Taxi",
        OWN_CAR = 3 "own_car" "自驾" "Own car",
        COMPANY_CAR = 4 "company_car" "公司车" "Company car",
        PLANE = 5 "plane" "飞机" "Plane",
        WALK = 6 "walk" "步行" "On foot",
        OTHER = 7 "other" "其他" "Other",
    }
}

crate::choices! {
    /// Where a part came from.
    Stock "stock" {
        VAN = 0 "van" "随车备件" "Van",
        DEPOT = 1 "depot" "仓库" "Depot",
    }
}

crate::choices! {
    /// Why a part moved.
    Move "move" {
        USE = 0 "use" "使用" "Used",
        RETURN = 1 "return" "退回" "Returned",
        TRANSFER = 2 "transfer" "调拨" "Transferred",
        COUNT = 3 "count" "盘点" "Counted",
    }
}

crate::choices! {
    /// How a value came in.
    Entry "entry" {
        TYPED = 0 "typed" "手工输入" "Typed",
        SCAN = 1 "scan" "扫码" "Scanned",
    }
}

crate::choices! {
    /// Why a reading may be below the one before.
    Jump "jump" {
        ROLLOVER = 0 "rollover" "翻转归零" "Rolled over",
        REPLACED = 1 "replaced" "换表" "Meter replaced",
    }
}

crate::choices! {
    /// An answer to a checklist item that is not a number or a text.
    Answer "answer" {
        NO = 0 "no" "否" "No",
        YES = 1 "yes" "是" "Yes",
        OK = 2 "ok" "正常" "OK",
        WATCH = 3 "watch" "注意" "Watch",
        FAULT = 4 "fault" "故障" "Fault",
    }
}

crate::choices! {
    /// What a photo or file shows.
    PhotoKind "photo_kind" {
        BEFORE = 0 "photo_before" "作业前" "Before",
        DURING = 1 "during" "作业中" "During",
        AFTER = 2 "after" "作业后" "After",
        RECEIPT = 3 "receipt" "票据" "Receipt",
        INVOICE_FILE = 4 "invoice_file" "发票原件" "Invoice file",
        SIGNATURE = 5 "signature" "签名" "Signature",
        DOC = 6 "doc" "文件" "Document",
        VOICE = 7 "voice" "语音" "Voice note",
    }
}

crate::group! {
    /// Which order and ticket the visit answers.
    Order = 2 "order" ("来源工单", "Order") Last content=true frozen=true writer=Scope {
        work_order: Ref<{ number::JOB }> = ("派工单", "Job", ""),
        ticket: Ref<{ number::TICKET }> = ("服务单", "Ticket", ""),
    }
}

crate::group! {
    /// At whose site.
    Place = 3 "place" ("地点", "Place") Last content=true frozen=true writer=Scope {
        customer: Ref<{ number::CUSTOMER }> = ("客户", "Customer", ""),
        site: Ref<{ number::SITE }> = ("现场", "Site", ""),
    }
}

crate::group! {
    /// Who did the work; the author of the op where absent.
    Engineer = 4 "engineer" ("工程师", "Engineer") Last content=true frozen=true writer=Scope {
        engineer: Ref<{ number::STAFF }> = ("工程师", "Engineer", ""),
    }
}

crate::group! {
    /// From when to when.
    Visit = 5 "visit" ("到离时间", "Visit") Last content=true frozen=true writer=Scope {
        arrived: Ts = ("到达时间", "Arrived", ""),
        left: Ts = ("离开时间", "Left", ""),
    }
}

crate::group! {
    /// Where the device was at the visit.
    Position = 6 "fix" ("定位", "Position") Last content=true frozen=true writer=Scope {
        fix: Fix = ("定位", "Position", ""),
    }
}

crate::group! {
    /// What was worked on, in words; a link is in the group of assets.
    Equipment = 7 "equipment" ("设备", "Equipment") Last content=true frozen=true writer=Scope {
        product: Text<120> = ("产品", "Product", ""),
        brand: Text<120> = ("品牌", "Brand", ""),
        age: Qty = ("使用年限", "Age", "a"),
    }
}

crate::group! {
    /// What the customer reported.
    Problem = 8 "problem" ("问题", "Problem") Last content=true frozen=true writer=Scope {
        problem: Text<4000> = ("问题描述", "Problem", ""),
    }
}

crate::group! {
    /// The cause by its code.
    Cause = 9 "cause" ("原因", "Cause") Last content=true frozen=true writer=Scope {
        cause_code: Text<40> = ("原因代码", "Cause code", ""),
    }
}

crate::group! {
    /// What was done.
    Work = 10 "work" ("工作内容", "Work") Last content=true frozen=true writer=Scope {
        work_done: Text<4000> = ("工作内容", "Work done", ""),
    }
}

crate::group! {
    /// What came of it.
    Result = 11 "result" ("结果", "Result") Last content=true frozen=true writer=Scope {
        result: SheetResult = ("结果", "Result", ""),
        outcome: Outcome = ("处理结局", "Outcome", ""),
    }
}

crate::group! {
    /// Parts used, returned or moved; a correction is a row with the reverse quantity.
    Parts = 12 "part" ("备件", "Parts") Ledger content=true frozen=true writer=Scope {
        part: Ref<{ number::PART }> = ("备件", "Part", ""),
        qty: Qty = ("数量", "Quantity", ""),
        serial: Text<80> = ("序列号", "Serial number", ""),
        from: Stock = ("来源", "From", ""),
        reason: Move = ("原因", "Reason", ""),
    }
}

crate::group! {
    /// Time spent, by person.
    Times = 13 "time" ("工时", "Times") Ledger content=true frozen=true writer=Scope {
        staff: Ref<{ number::STAFF }> = ("人员", "Person", ""),
        kind: TimeKind = ("类别", "Kind", ""),
        from: Ts = ("开始", "From", ""),
        to: Ts = ("结束", "To", ""),
        min: Min = ("分钟", "Minutes", "min"),
        note: Text<500> = ("备注", "Note", ""),
    }
}

crate::group! {
    /// Travel to and from the site.
    Legs = 14 "leg" ("行程", "Travel legs") Ledger content=true frozen=true writer=Scope {
        from_place: Text<120> = ("出发地", "From", ""),
        to_place: Text<120> = ("目的地", "To", ""),
        depart: Ts = ("出发时间", "Departed", ""),
        arrive: Ts = ("到达时间", "Arrived", ""),
        mode: Mode = ("交通方式", "Mode", ""),
        distance_m: Metre = ("距离", "Distance", "m"),
        reason: Text<200> = ("事由", "Reason", ""),
    }
}

crate::group! {
    /// Meters read.
    Readings = 15 "reading" ("读数", "Readings") Ledger content=true frozen=true writer=Scope {
        meter: Text<80> = ("仪表", "Meter", ""),
        value: MeterValue = ("读数", "Value", ""),
        taken_at: Ts = ("读表时间", "Taken at", ""),
        source: Entry = ("录入方式", "Source", ""),
        jump: Jump = ("倒退原因", "Why lower", ""),
        asset: Ref<{ number::ASSET }> = ("设备", "Asset", ""),
        photo: FileHash = ("照片", "Photo", ""),
    }
}

crate::group! {
    /// Answers to the checklist, by the item's key.
    Answers = 16 "answer" ("检查项", "Checklist answers") Set content=true frozen=true writer=Scope key=0 {
        item: Text<120> = ("检查项", "Item", ""),
        answer: Answer = ("结论", "Answer", ""),
        value: MeterValue = ("数值", "Value", ""),
        text: Text<1000> = ("文字", "Text", ""),
        note: Text<500> = ("说明", "Note", ""),
    }
}

crate::group! {
    /// Photos and files by their content; the bytes travel apart.
    Photos = 17 "photo" ("照片", "Photos") Ledger content=true frozen=true writer=Scope {
        file: FileHash = ("文件", "File", ""),
        kind: PhotoKind = ("类别", "Kind", ""),
        taken_at: Ts = ("拍摄时间", "Taken at", ""),
        size: Count = ("大小", "Size", "B"),
        mime: Text<60> = ("格式", "Format", ""),
        width: Count = ("宽", "Width", "px"),
        height: Count = ("高", "Height", "px"),
        fix: Fix = ("拍摄地点", "Taken where", ""),
        caption: Text<200> = ("说明", "Caption", ""),
        item: Text<120> = ("所属检查项", "Checklist item", ""),
        thumb: FileHash = ("缩略图", "Thumbnail", ""),
        original_kept: bool = ("保留原件", "Original kept", ""),
        original: FileHash = ("原件", "Original", ""),
    }
}

crate::group! {
    /// Remarks, also after the seal.
    Notes = 18 "note" ("备注", "Notes") Ledger content=false frozen=false writer=Scope {
        text: Text<4000> = ("备注", "Note", ""),
    }
}

crate::group! {
    /// Words to find it by, also after the seal.
    Tags = 19 "tag" ("标签", "Tags") Set content=false frozen=false writer=Scope key=0 {
        tag: Text<40> = ("标签", "Tag", ""),
    }
}

crate::group! {
    /// Who helped.
    Helpers = 20 "helper" ("协助人员", "Helpers") Set content=true frozen=true writer=Scope key=0 {
        staff: Ref<{ number::STAFF }> = ("人员", "Person", ""),
    }
}

crate::group! {
    /// The machines worked on.
    Assets = 21 "asset" ("资产", "Assets") Set content=true frozen=true writer=Scope key=0 {
        asset: Ref<{ number::ASSET }> = ("资产", "Asset", ""),
    }
}

crate::group! {
    /// The customer's mark.
    Rating = 22 "rating" ("客户评分", "Rating") Last content=true frozen=true writer=Scope {
        customer_rating: Count = ("客户评分（1–5）", "Rating (1–5)", ""),
    }
}

crate::group! {
    /// What is to be done next; a plan, so it stays open after the seal.
    Next = 23 "next" ("后续", "Next") Last content=false frozen=false writer=Scope {
        next_action: Text<1000> = ("后续事项", "Next action", ""),
    }
}

crate::group! {
    /// The customer's signature, or why there is none: one group, so that "signed" here and "refused" there clash.
    CustomerSign = 24 "customer_sign" ("客户签字", "Customer's signature") Contested content=true frozen=true writer=Scope {
        signer_name: Text<120> = ("签字人", "Signer", ""),
        signer_role: Text<60> = ("签字人职务", "Signer's role", ""),
        png: FileHash = ("签名图", "Signature", ""),
        at: Ts = ("签字时间", "Signed at", ""),
        sheet_hash: Digest = ("签字时内容摘要", "Digest of what was shown", ""),
        no_sign_reason: NoSign = ("未签字原因", "Why not signed", ""),
    }
}

crate::group! {
    /// The number, written with the seal.
    SheetNo = 25 "sheet_no" ("单号", "Number") Once content=false frozen=true writer=Scope {
        sheet_no: Text<40> = ("单号", "Number", ""),
    }
}

crate::group! {
    /// The sealed sheet that this one corrects, and why.
    Amends = 26 "amends" ("更正", "Amends") Once content=true frozen=true writer=Scope {
        amend_of: Ref<{ number::SHEET }> = ("更正的工作单", "Amends", ""),
        amend_reason: Text<500> = ("更正原因", "Reason", ""),
    }
}

crate::group! {
    /// The checklist; the generic one of the kind where absent. A draft keeps the version it began with.
    Checklist = 27 "checklist" ("检查表", "Checklist") Once content=true frozen=true writer=Scope {
        checklist_tpl: Ref<{ number::TEMPLATE }> = ("检查表模板", "Checklist template", ""),
    }
}

crate::group! {
    /// Where an imported record came from; what the source says of itself and no field above holds.
    Origin = 28 "origin" ("数据来源", "Origin") Once content=false frozen=false writer=Scope {
        source: Text<120> = ("来源", "Source", ""),
        source_id: Text<80> = ("来源编号", "Id at the source", ""),
        branch: Text<80> = ("来源分公司", "Branch at the source", ""),
        country: Text<60> = ("国家", "Country", ""),
    }
}

crate::group! {
    /// The part of the machine and the kind of maintenance, as maintenance systems file them.
    Task = 29 "task" ("维护任务", "Task") Last content=true frozen=true writer=Scope {
        system: Text<120> = ("系统", "System", ""),
        part: Text<120> = ("部位", "Part", ""),
        action: Text<120> = ("措施", "Action", ""),
        pm: Text<40> = ("维护类型", "Maintenance type", ""),
    }
}

crate::group! {
    /// Where in the plant the machine stands.
    Location = 30 "location" ("安装位置", "Location") Last content=true frozen=true writer=Scope {
        position: Text<200> = ("位置", "Position", ""),
        floc: Text<120> = ("功能位置", "Functional location", ""),
    }
}

crate::group! {
    /// What the work cost, where a source says so.
    Cost = 31 "cost" ("费用", "Cost") Contested content=true frozen=true writer=Scope {
        cost: Fen = ("费用", "Cost", ""),
        currency: Text<3> = ("币种", "Currency", ""),
    }
}

crate::group! {
    /// The hour meter.
    RunHours = 32 "run_hours" ("运行小时", "Running hours") Contested content=true frozen=true writer=Scope {
        runhours: MeterValue = ("运行小时", "Running hours", "h"),
    }
}
