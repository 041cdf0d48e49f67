//! What the rules on anomalies say to a person.

use crate::rules::{Rule, Weight};

const fn trace(
    id: &'static str,
    zh: &'static str,
    en: &'static str,
    hint_zh: &'static str,
    hint_en: &'static str,
) -> Rule {
    Rule { id, weight: Weight::Notice, zh, en, hint_zh, hint_en }
}

const COMPARE_ZH: &str = "核对两张票据后确认，或退回";
const COMPARE_EN: &str = "compare the two papers, then acknowledge or send back";
const ASK_ZH: &str = "向报销人核实后确认，或退回";
const ASK_EN: &str = "ask the claimant, then acknowledge or send back";

/// The rules; a part in ⟦⟧ is said only where its fact is known.
///
/// Source: docs/RULES.md, Anomalies.
pub static RULES: &[Rule] = &[
    trace(
        "A1",
        "第 {line} 行的票据 {voucher} 与已有票据是同一张：{others}",
        "the voucher {voucher} of line {line} is the same paper as: {others}",
        "重复部分不付款：退回，或在审核时判为 duplicate",
        "what was claimed before is not paid: send it back, or audit the line as duplicate",
    ),
    trace(
        "A2",
        "第 {line} 行的票据 {voucher} 与下列票据相似：{others}",
        "the voucher {voucher} of line {line} looks like: {others}",
        COMPARE_ZH,
        COMPARE_EN,
    ),
    trace(
        "A3",
        "{cycle} 内同一人的报销单 {claims}：合计 {sum}，超过 {limit}，单张均未超过",
        "claims of one person in {cycle}: {claims}; together {sum}, over {limit}, none of them alone",
        "确认不是为避开副总审批而拆单",
        "make sure that they were not split to stay below the vice-president's limit",
    ),
    trace(
        "A4",
        "{days} 天内多张报销单略低于 {limit}：{claims}",
        "several claims within {days} days end just below {limit}: {claims}",
        ASK_ZH,
        ASK_EN,
    ),
    trace(
        "A5",
        "第 {line} 行的票据 {voucher} 发票号 {number} 与下列连号：{others}",
        "the invoice number {number} of voucher {voucher}, line {line}, is next to: {others}",
        "核实是否同一销售方整本开票",
        "find out whether one seller's pad was written in one go",
    ),
    trace(
        "A6",
        "多行金额是 {unit} 的整数倍：{lines}",
        "several lines are multiples of {unit}: {lines}",
        "核对票面金额",
        "compare with the amounts on the papers",
    ),
    trace(
        "A7",
        "第 {line} 行 {date}⟦（{free} 为休息日）⟧支出 {amount}，当天没有工作单或行程",
        "line {line}: {amount} on {date}⟦, a free day ({free})⟧, without a sheet or travel that day",
        ASK_ZH,
        ASK_EN,
    ),
    trace(
        "A8",
        "第 {line} 行 {date} 的住宿⟦离当天工作地点超过 {km} 公里⟧⟦在 {place}，当天工作在 {sites}⟧：{sheets}",
        "line {line}: the night of {date}⟦ lies more than {km} km from that day's work⟧⟦ is in {place}, that day's work in {sites}⟧: {sheets}",
        ASK_ZH,
        ASK_EN,
    ),
    trace(
        "A9",
        "第 {line} 行的票据 {voucher} 与他人票据同一销售方、同一金额、同一分钟（{minute}）：{others}",
        "the voucher {voucher} of line {line} and another person's: same seller, same amount, same minute ({minute}): {others}",
        COMPARE_ZH,
        COMPARE_EN,
    ),
    trace(
        "A10",
        "时间重叠 {minutes} 分钟：{first}；{second}",
        "{minutes} minutes at two places: {first}; {second}",
        "核实哪一段时间属实",
        "find out which of the two is true",
    ),
    trace(
        "A11",
        "{day} 支出 {sum}，超过同事每日支出中位数 {median}（{n} 人天）的 {factor} 倍",
        "{sum} on {day} is more than {factor} times {median}, the middle of {n} days of colleagues",
        ASK_ZH,
        ASK_EN,
    ),
    trace(
        "A12",
        "第 {line} 行的工作单提交后被撤回或更正：{sheets}",
        "a sheet of line {line} was taken back or amended after the submission: {sheets}",
        "核对新的工作单，必要时退回",
        "look at the new sheet, and send the claim back where it changes the line",
    ),
    trace(
        "A13",
        "第 {line} 行的票据 {voucher}⟦ 的照片拍摄于 {taken}，与票面日期 {date} 相差 {days} 天⟧⟦ 的照片也用于：{others}⟧",
        "the voucher {voucher} of line {line}:⟦ its photo was taken on {taken}, {days} days off the {date} on it⟧⟦ its photo also stands on {others}⟧",
        "核对原始票据",
        "look at the paper itself",
    ),
    trace(
        "A14",
        "记录时设备 {device} 的时钟被调整 {minutes} 分钟（第 {seq} 条起，共 {n} 次）",
        "the clock of device {device} was set by {minutes} minutes while he recorded (from op {seq}, {n} times)",
        ASK_ZH,
        ASK_EN,
    ),
    trace(
        "A15",
        "第 {line} 行的票据 {voucher} 录入 {amount}，二维码为 {qr}",
        "the voucher {voucher} of line {line}: typed {amount}, its QR says {qr}",
        "以票面金额为准",
        "the paper's amount counts",
    ),
    trace(
        "A16",
        "审核人 {by} 自 {from} 起 {minutes} 分钟内通过了 {n} 张报销单",
        "{by} approved {n} claims within {minutes} minutes from {from}",
        "抽查其中的报销单",
        "look at some of them again",
    ),
];
