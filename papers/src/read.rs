//! Papers out of records, so that a device and headquarters print the same: a claim with what belongs to it, a trip summary.

use records::claim::view::{Approval, Claim, Line, Ticket};
use records::id::DocId;
use records::kinds::claim::{CostOwner, CutReason, LineVerdict};
use records::kinds::sheet::{Legs, Mode, Notes};
use records::kinds::trip::{TripDays, TripOf, TripSheets};
use records::kinds::voucher::{Category, Paper as OnPaper, VoucherKind};
use records::record::Record;
use records::time::{Day, Zone};
use records::value::{Choices, Ref, Target, Value};

use crate::claim::{ClaimForm, ClaimLine, SignStep, blank_steps};
use crate::paper::Paper;
use crate::paste::{PasteSheets, PasteVoucher};
use crate::trip::{TripDay, TripForm};
use crate::words::Lang;

/// What the papers of a record are read from.
pub struct Source<'s> {
    /// Gives a document by its id; `None` for one that is not here.
    pub record: &'s dyn Fn(DocId) -> Option<Record>,
    /// The time zone of the policy.
    pub zone: Zone,
    /// The language of the papers.
    pub lang: Lang,
    /// How many vouchers a paste sheet takes.
    pub paste_max_per_sheet: u16,
}

/// What a record is called on papers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The title of the file.
    pub title: String,
    /// The papers, in order.
    pub papers: Vec<Paper>,
}

/// The boxes of a claim form and the steps that fill them, in order of [`blank_steps`].
const STEPS: [&[&str]; 7] = [
    &[],
    &["sup_approve", "sup_cut"],
    &["gm_approve", "gm_cut"],
    &["audit"],
    &["mgr_approve"],
    &["vp_approve"],
    &["accept"],
];

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("lang", &self.lang).finish_non_exhaustive()
    }
}

impl Source<'_> {
    /// Returns the papers of a claim: the form, the paste sheets, and the trip summaries that go with it.
    ///
    /// `vice_president` says whether the claim needs his step.
    #[must_use]
    pub fn claim(&self, claim: &Claim, vice_president: bool) -> Named {
        let form = self.claim_form(claim, vice_president);
        let title = if form.number.is_empty() { form.claimant.clone() } else { form.number.clone() };
        let mut papers = vec![Paper::Paste(self.paste_sheets(claim, &form))];
        papers.insert(0, Paper::Claim(form));
        let trips = claim.trips.iter().filter_map(|trip| (self.record)(*trip));
        papers.extend(trips.filter_map(|trip| self.trip(&trip)).map(Paper::Trip));
        Named { title, papers }
    }

    fn claim_form(&self, claim: &Claim, vice_president: bool) -> ClaimForm {
        let (claimant, staff_code) = self.person(claim.staff);
        let submitted = claim.submission.as_ref();
        ClaimForm {
            number: claim.no.clone().unwrap_or_default(),
            company: String::new(),
            unit: claim.unit.map_or_else(String::new, |unit| self.name(unit)),
            period: claim
                .half
                .map_or_else(String::new, |half| format!("{half} ({} – {})", half.first(), half.last())),
            submitted: submitted.map(|submission| submission.day),
            policy: submitted.map_or_else(String::new, |submission| submission.policy_version.clone()),
            non_service: claim.cost_owner == CostOwner::NON_SERVICE,
            lines: claim.lines.iter().map(|line| self.line(claim, line)).collect(),
            steps: self.steps(claim, &claimant, vice_president),
            claimant,
            staff_code,
        }
    }

    fn line(&self, claim: &Claim, line: &Line) -> ClaimLine {
        let audited = claim.audit.get(&line.n);
        let words = [&line.from_to, &line.detail, &line.note, &line.no_sheet_reason];
        let words = words.into_iter().filter(|text| !text.is_empty()).cloned();
        let cuts = claim.cuts.iter().filter(|cut| cut.line == line.n);
        let mut reasons: Vec<String> = cuts
            .map(|cut| {
                let why = cut.reason.map(|why| self.choice(&CutReason::CHOICES, why.0)).unwrap_or_default();
                format!("{} {why} {}", cut.to, cut.note).trim().to_owned()
            })
            .collect();
        if let Some(audited) = audited.filter(|audited| audited.payable < line.claimed) {
            let verdict = self.choice(&LineVerdict::CHOICES, audited.verdict.0);
            reasons.push(format!("{verdict} {}", audited.reason).trim().to_owned());
        }
        ClaimLine {
            date: line.date.unwrap_or_default(),
            category: line
                .category
                .map(|category| self.choice(&Category::CHOICES, category.0))
                .unwrap_or_default(),
            detail: words.collect::<Vec<_>>().join("\n"),
            sheets: line.sheets.iter().map(|sheet| self.target(sheet)).collect(),
            claimed: line.claimed,
            vouchers: u32::try_from(line.vouchers.len()).unwrap_or(u32::MAX),
            payable: audited.map(|audited| audited.payable),
            self_paid: audited.map(|audited| audited.self_paid).unwrap_or_default(),
            reason: reasons.join("; "),
        }
    }

    /// Returns the boxes to sign in, with who took the step on the revision that stands.
    fn steps(&self, claim: &Claim, claimant: &str, vice_president: bool) -> Vec<SignStep> {
        let rev = claim.submission.as_ref().map_or(0, |submission| submission.rev);
        let taken = |names: &[&str]| {
            let mut taken = claim.approvals.iter().rev();
            taken.find(|approval| approval.rev == rev && names.contains(&approval.step.as_str()))
        };
        let mut boxes = blank_steps(self.lang, true);
        for (signing, names) in boxes.iter_mut().zip(STEPS) {
            if let Some(approval) = taken(names) {
                self.sign(signing, approval);
            }
        }
        if let (Some(own), Some(submission)) = (boxes.first_mut(), claim.submission.as_ref()) {
            claimant.clone_into(&mut own.name);
            own.day = Some(submission.day);
        }
        let named: Vec<String> =
            blank_steps(self.lang, vice_president).into_iter().map(|step| step.title).collect();
        boxes.retain(|signing| named.contains(&signing.title));
        boxes
    }

    fn sign(&self, signing: &mut SignStep, approval: &Approval) {
        let by = approval.by.map_or_else(String::new, |by| self.name(by));
        signing.name = match approval.on_behalf_of {
            Some(other) if Some(other) != approval.by => self.on_behalf(&by, &self.name(other)),
            _ => by,
        };
        signing.decision.clone_from(&approval.note);
        signing.day = Some(approval.at.day(self.zone));
    }

    fn on_behalf(&self, by: &str, other: &str) -> String {
        match self.lang {
            Lang::ZhCn | Lang::ZhTw => format!("{by}（代{other}）"),
            Lang::En => format!("{by} (for {other})"),
        }
    }

    fn paste_sheets(&self, claim: &Claim, form: &ClaimForm) -> PasteSheets {
        let vouchers = claim
            .lines
            .iter()
            .flat_map(|line| line.vouchers.iter().map(move |ticket| (line, ticket)))
            .map(|(line, ticket)| self.voucher(line, ticket));
        PasteSheets {
            number: form.number.clone(),
            claimant: form.claimant.clone(),
            max_per_sheet: self.paste_max_per_sheet,
            vouchers: vouchers.collect(),
        }
    }

    fn voucher(&self, line: &Line, ticket: &Ticket) -> PasteVoucher {
        let record = ticket.voucher.and_then(|voucher| (self.record)(voucher));
        let text = |field: &str| record.as_ref().map_or_else(String::new, |record| text(record, field));
        let paper = record.as_ref().and_then(|record| record.value("paper"));
        PasteVoucher {
            line: line.n,
            date: ticket.date.or(line.date).unwrap_or_default(),
            kind: ticket.kind.map(|kind| self.choice(&VoucherKind::CHOICES, kind.0)).unwrap_or_default(),
            number: text("inv_no"),
            seller: text("seller"),
            amount: ticket.amount,
            paper: paper != Some(&Value::Choice(OnPaper::ELECTRONIC_ONLY.0)),
        }
    }

    /// Returns a trip summary as it was saved; `None` where it does not say whose it is.
    #[must_use]
    pub fn trip(&self, record: &Record) -> Option<TripForm> {
        let of = record.get::<TripOf>()?;
        let mut form = self.blank_trip(doc(of.staff.as_ref())?, doc(of.unit.as_ref()));
        form.half = of.half.map_or_else(String::new, |half| half.0);
        let state = record.kind.machine.and_then(|machine| machine.states.get(usize::from(record.state)));
        form.state = state.map_or("", |state| self.lang.labels().pick(state.zh, state.en)).to_owned();
        let notes = record.all::<Notes>().into_iter().filter_map(|note| Some(note.text?.0));
        form.note = notes.collect::<Vec<_>>().join("\n");
        let approvals: Vec<Approval> = record.all().into_iter().map(Approval::of).collect();
        let approved = approvals.iter().rev().find(|approval| approval.step == "approve");
        if let (Some(signing), Some(approval)) = (form.steps.last_mut(), approved) {
            self.sign(signing, approval);
        }
        let rows = record.all::<TripSheets>().into_iter();
        let sheets: Vec<(Day, Target)> = rows.filter_map(|row| Some((row.date?, row.sheet?.0))).collect();
        form.days = self.days(record.all(), &sheets, &record.all());
        Some(form)
    }

    /// Returns a summary without days, for its traveller and his supervisor to sign.
    #[must_use]
    pub fn blank_trip(&self, staff: DocId, unit: Option<DocId>) -> TripForm {
        let (name, staff_code) = self.person(staff);
        let mut steps = blank_steps(self.lang, false);
        steps.truncate(2);
        if let Some(signing) = steps.first_mut() {
            signing.name.clone_from(&name);
        }
        TripForm {
            staff: name,
            staff_code,
            unit: unit.map_or_else(String::new, |unit| self.name(unit)),
            half: String::new(),
            state: String::new(),
            days: Vec::new(),
            note: String::new(),
            steps,
        }
    }

    /// Returns the days of a summary in order, each with its sheets and with the legs that began on it.
    #[must_use]
    pub fn days(&self, rows: Vec<TripDays>, sheets: &[(Day, Target)], legs: &[Legs]) -> Vec<TripDay> {
        let day = |row: TripDays| {
            let date = row.date?;
            let on = |leg: &&Legs| leg.depart.or(leg.arrive).is_some_and(|at| at.day(self.zone) == date);
            let sheets = sheets.iter().filter(|(day, _)| *day == date).map(|(_, sheet)| self.target(sheet));
            Some(TripDay {
                date,
                place: row.place.map_or_else(String::new, |place| place.0),
                customer: self.either(row.customer.as_ref(), row.site.as_ref()),
                purpose: row.purpose.map_or_else(String::new, |purpose| purpose.0),
                legs: legs.iter().filter(on).map(|leg| self.leg(leg)).collect(),
                sheets: sheets.collect(),
                nights: row.nights.map_or(0, |n| n.0),
                allowance_days: row.allowance_days.map_or(0, |n| n.0),
            })
        };
        let mut days: Vec<TripDay> = rows.into_iter().filter_map(day).collect();
        days.sort_by_key(|day| day.date);
        days
    }

    fn leg(&self, leg: &Legs) -> String {
        let place = |place: &Option<records::value::Text<120>>| {
            place.as_ref().map_or_else(|| "?".to_owned(), |place| place.0.clone())
        };
        let mode = leg.mode.map(|mode| self.choice(&Mode::CHOICES, mode.0)).unwrap_or_default();
        format!("{} → {} {mode}", place(&leg.from_place), place(&leg.to_place)).trim_end().to_owned()
    }

    fn either<const A: u16, const B: u16>(&self, customer: Option<&Ref<A>>, site: Option<&Ref<B>>) -> String {
        let target = customer.map(|customer| &customer.0).or(site.map(|site| &site.0));
        target.map_or_else(String::new, |target| self.target(target))
    }

    fn choice(&self, choices: &Choices, index: u8) -> String {
        let option = choices.option(index);
        option.map_or_else(String::new, |(_, zh, en)| self.lang.labels().pick(zh, en).to_owned())
    }

    /// Returns a person's name and staff code.
    fn person(&self, id: DocId) -> (String, String) {
        let code = (self.record)(id).map_or_else(String::new, |record| text(&record, "code"));
        (self.name(id), code)
    }

    fn target(&self, target: &Target) -> String {
        match target {
            Target::Doc(id) => self.name(*id),
            Target::Text(text) => text.clone(),
        }
    }

    /// Returns how a document is called: its name, else its number, else its short code.
    fn name(&self, id: DocId) -> String {
        let Some(record) = (self.record)(id) else {
            return id.code();
        };
        let own = ["name", record.kind.key.unwrap_or("name")].map(|field| text(&record, field));
        own.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| id.code())
    }
}

fn text(record: &Record, field: &str) -> String {
    match record.value(field) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

fn doc<const KIND: u16>(reference: Option<&Ref<KIND>>) -> Option<DocId> {
    match reference?.0 {
        Target::Doc(id) => Some(id),
        Target::Text(_) => None,
    }
}
