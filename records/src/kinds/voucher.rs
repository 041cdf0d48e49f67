//! A voucher (票据): one paper ticket or e-invoice.

use crate::decision::DECISIONS;
use crate::kinds::{number, sheet, voucher_machine};
use crate::money::Fen;
use crate::schema::{Kind, Reach, Typed};
use crate::time::Day;
use crate::value::{Count, Digest, Ref, Text};

crate::choices! {
    /// What kind of paper it is.
    VoucherKind "voucher_kind" {
        VAT_SPECIAL = 0 "vat_special" "增值税专用发票" "VAT invoice, special",
        VAT_NORMAL = 1 "vat_normal" "增值税普通发票" "VAT invoice, ordinary",
        E_VAT = 2 "e_vat" "增值税电子普通发票" "Electronic VAT invoice",
        DIGITAL_SPECIAL = 3 "digital_special" "数电专用发票" "Digital invoice, special",
        DIGITAL_NORMAL = 4 "digital_normal" "数电普通发票" "Digital invoice, ordinary",
        TRAIN = 5 "train" "火车票" "Train",
        AIR = 6 "air" "机票行程单" "Air",
        TAXI = 7 "taxi" "出租车票" "Taxi",
        BUS = 8 "bus" "汽车票" "Bus",
        TOLL = 9 "toll" "过路费" "Toll",
        FIXED_AMOUNT = 10 "fixed_amount" "定额发票" "Fixed-amount invoice",
        FISCAL = 11 "fiscal" "财政票据" "Fiscal receipt",
        RECEIPT_OTHER = 12 "receipt_other" "其他收据" "Other receipt",
        NONE = 13 "none" "无票" "No paper",
        #[cfg(feature = "tomorrow")]
        FERRY = 14 "ferry" "船票" "Ferry",
    }
}

crate::choices! {
    /// What the money was spent on.
    Category "category" {
        PHONE = 0 "phone" "电话费" "Phone",
        CITY_TRANSPORT = 1 "city_transport" "市内交通费" "City transport",
        INTERCITY = 2 "intercity" "长途交通费" "Intercity travel",
        LODGING = 3 "lodging" "住宿费" "Lodging",
        MEAL = 4 "meal" "餐费" "Meals",
        FUEL_TOLL_PARKING = 5 "fuel_toll_parking" "燃油过路停车费" "Fuel, tolls, parking",
        COURIER = 6 "courier" "快递费" "Courier",
        PARTS_PURCHASE = 7 "parts_purchase" "备件采购" "Parts",
        TOOLS = 8 "tools" "工具" "Tools",
        OTHER_SERVICE = 9 "other_service" "其他服务费用" "Other, service",
        NON_SERVICE = 10 "non_service" "非服务费用" "Non-service",
    }
}

crate::choices! {
    /// Whether there is a paper to paste.
    Paper "paper" {
        YES = 0 "yes" "有纸质" "Paper",
        ELECTRONIC_ONLY = 1 "electronic_only" "仅电子" "Electronic only",
    }
}

crate::group! {
    /// Who spent it; the author of the op where absent.
    Owner = 2 "owner" ("持有人", "Owner") Once content=true frozen=false writer=Scope {
        owner: Ref<{ number::STAFF }> = ("持有人", "Owner", ""),
    }
}

crate::group! {
    /// How much, tax included; CNY where no currency stands.
    Amount = 3 "amount" ("金额", "Amount") Contested content=true frozen=false writer=Scope {
        amount: Fen = ("金额（含税）", "Amount, tax included", ""),
        currency: Text<3> = ("币种", "Currency", ""),
        tax: Fen = ("税额", "Tax", ""),
    }
}

crate::group! {
    /// The day on the paper.
    Dated = 4 "date" ("日期", "Date") Last content=true frozen=false writer=Scope {
        date: Day = ("日期", "Date", ""),
    }
}

crate::group! {
    /// What kind of paper; read off the invoice QR where absent.
    PaperKind = 5 "kind" ("票种", "Kind") Last content=true frozen=false writer=Scope {
        kind: VoucherKind = ("票种", "Kind", ""),
    }
}

crate::group! {
    /// What it was for.
    Purpose = 6 "category" ("费用类别", "Category") Last content=true frozen=false writer=Scope {
        category: Category = ("费用类别", "Category", ""),
        category_text: Text<80> = ("来源类别", "Category at the source", ""),
    }
}

crate::group! {
    /// Who sold it.
    Seller = 7 "seller" ("销售方", "Seller") Last content=true frozen=false writer=Scope {
        seller: Text<200> = ("销售方", "Seller", ""),
    }
}

crate::group! {
    /// To whom it is made out.
    Buyer = 8 "buyer" ("购买方", "Buyer") Last content=true frozen=false writer=Scope {
        buyer_name: Text<200> = ("购买方", "Buyer", ""),
        buyer_tax_no: Text<40> = ("购买方税号", "Buyer's tax number", ""),
    }
}

crate::group! {
    /// Where.
    VoucherPlace = 9 "place" ("地点", "Place") Last content=true frozen=false writer=Scope {
        place: Text<200> = ("地点", "Place", ""),
    }
}

crate::group! {
    /// What for, in words.
    Remark = 10 "remark" ("说明", "Remark") Last content=true frozen=false writer=Scope {
        note: Text<1000> = ("说明", "Note", ""),
    }
}

crate::group! {
    /// The invoice's own names. The QR text holds them all: the three others stand only where there was none to scan.
    InvoiceNo = 11 "invoice" ("发票", "Invoice") Contested content=true frozen=false writer=Scope {
        qr_raw: Text<300> = ("二维码原文", "QR text", ""),
        inv_code: Text<12> = ("发票代码", "Invoice code", ""),
        inv_no: Text<20> = ("发票号码", "Invoice number", ""),
        check_code: Text<20> = ("校验码", "Check code", ""),
    }
}

crate::group! {
    /// The work that it belongs to.
    Sheets = 12 "sheet" ("相关工作单", "Sheets") Set content=true frozen=false writer=Scope key=0 {
        sheet: Ref<{ number::SHEET }> = ("工作单", "Sheet", ""),
    }
}

crate::group! {
    /// Nights paid for, at what rate.
    Stay = 13 "stay" ("住宿", "Stay") Contested content=true frozen=false writer=Scope {
        nights: Count = ("晚数", "Nights", ""),
        rate: Fen = ("每晚单价", "Rate a night", ""),
    }
}

crate::group! {
    /// The time that was paid for, where it is not the day on the paper.
    Period = 14 "period" ("所属期间", "Period") Last content=true frozen=false writer=Scope {
        period_from: Day = ("期间起", "From", ""),
        period_to: Day = ("期间止", "To", ""),
    }
}

crate::group! {
    /// Where the paper is pasted.
    Paste = 15 "paper" ("纸质票", "Paper") Last content=false frozen=false writer=Scope {
        paper: Paper = ("纸质票", "Paper", ""),
        paste_sheet: Count = ("粘贴单", "Paste sheet", ""),
        paste_index: Count = ("粘贴序号", "Place on it", ""),
    }
}

crate::group! {
    /// What the picture looks like, to find the same paper photographed twice.
    Look = 16 "look" ("图像指纹", "Picture's look") Last content=false frozen=false writer=Scope {
        phash: Digest = ("图像指纹", "Perceptual hash", ""),
    }
}

crate::group! {
    /// Where an imported voucher came from; its dates as written there.
    VoucherOrigin = 28 "origin" ("数据来源", "Origin") Once content=false frozen=false writer=Scope {
        source: Text<120> = ("来源", "Source", ""),
        source_id: Text<80> = ("来源编号", "Id at the source", ""),
        branch: Text<80> = ("来源分公司", "Branch at the source", ""),
        source_date: Text<40> = ("来源日期", "Date at the source", ""),
    }
}

/// The table.
pub static VOUCHER: Kind = Kind {
    number: number::VOUCHER,
    schema: if cfg!(feature = "tomorrow") { 2 } else { 1 },
    name: "voucher",
    zh: "票据",
    en: "Voucher",
    reach: Reach::Branch,
    machine: Some(&voucher_machine::VOUCHER),
    key: None,
    title: &["category", "seller", "note"],
    concerns: &[(Owner::GROUP.number, 0)],
    groups: &[
        &DECISIONS,
        &Owner::GROUP,
        &Amount::GROUP,
        &Dated::GROUP,
        &PaperKind::GROUP,
        &Purpose::GROUP,
        &Seller::GROUP,
        &Buyer::GROUP,
        &VoucherPlace::GROUP,
        &Remark::GROUP,
        &InvoiceNo::GROUP,
        &Sheets::GROUP,
        &Stay::GROUP,
        &Period::GROUP,
        &Paste::GROUP,
        &Look::GROUP,
        &sheet::Photos::GROUP,
        &sheet::Notes::GROUP,
        &sheet::Tags::GROUP,
        &VoucherOrigin::GROUP,
    ],
};
