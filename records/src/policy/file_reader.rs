//! One key of a policy file at a time, with the line and the key of what is wrong with it.

use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::kinds::voucher::Category;
use crate::money::Fen;
use crate::policy::choices::{
    AgeAction, AgeFrom, AgeTo, CapScope, Cutoff, DupAction, FineMode, FinePer, FinedSupervisor, GradeMonth,
    Holiday, LateBatch, ManifestMissing, MonthBasis, Needed, Reset, Shortage, SlaStart, Surplus, VpBasis,
};
use crate::policy::cycle::Half;
use crate::policy::file::{PolicyError, Problem, below, line, plain};
use crate::policy::terms::{
    Age, Attach, Blackout, Caps, Cycles, Dup, Fines, Mailing, Manifest, Numbers, Policy, Review, Sla, Traces,
    Vouchers, Vp,
};
use crate::time::Zone;

/// The file, and the standard one behind it.
pub(crate) struct Reader<'t, 'a> {
    pub(crate) text: &'t str,
    pub(crate) own: &'a DeTable<'t>,
    pub(crate) standard: &'a DeTable<'static>,
}

/// A value, with its place where it stands in the file itself.
struct Found<'a, 't> {
    value: &'a DeValue<'t>,
    at: Range<usize>,
}

impl Reader<'_, '_> {
    /// Returns the policy.
    ///
    /// # Errors
    /// [`PolicyError`] with line and key.
    pub(crate) fn policy(&self) -> Result<Policy, PolicyError> {
        self.known_keys_only(self.own, self.standard, "")?;
        if !self.own.is_empty() && !self.own.contains_key("version") {
            return Err(self.error("version", 0..0, Problem::NoVersion));
        }
        let policy = self.terms()?;
        self.hangs_together(&policy)?;
        Ok(policy)
    }

    fn error(&self, key: &str, at: Range<usize>, problem: Problem) -> PolicyError {
        PolicyError { line: line(self.text, at), key: key.to_owned(), problem }
    }

    fn known_keys_only(
        &self,
        own: &DeTable<'_>,
        standard: &DeTable<'_>,
        path: &str,
    ) -> Result<(), PolicyError> {
        for (key, value) in own.iter() {
            let name = below(path, key.get_ref());
            let known = standard.get(key.get_ref().as_ref());
            match (value.get_ref(), known.map(Spanned::get_ref)) {
                // Its keys are categories, not keys of the policy.
                (DeValue::Table(_), Some(_)) if name == MONTH_BASIS => {}
                (DeValue::Table(own), Some(DeValue::Table(standard))) => {
                    self.known_keys_only(own, standard, &name)?;
                }
                (_, Some(DeValue::Table(_))) => {
                    return Err(self.error(&name, value.span(), Problem::NotATable));
                }
                (_, Some(_)) => {}
                (_, None) => {
                    let known: Vec<&str> = standard.keys().map(|key| key.get_ref().as_ref()).collect();
                    let problem = Problem::UnknownKey { known: known.join(", ") };
                    return Err(self.error(&name, key.span(), problem));
                }
            }
        }
        Ok(())
    }

    /// Returns the file's value of a key, else the standard's.
    fn find(&self, path: &str) -> Option<Found<'_, '_>> {
        if let Some(node) = walk(self.own, path) {
            return Some(Found { value: node.get_ref(), at: node.span() });
        }
        Some(Found { value: walk(self.standard, path)?.get_ref(), at: 0..0 })
    }

    /// Reads a value of a key; `problem` says what was expected.
    fn read<T>(
        &self,
        path: &str,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
        problem: impl FnOnce(&DeValue<'_>) -> Problem,
    ) -> Result<T, PolicyError> {
        let none = DeValue::Boolean(false);
        let found = self.find(path).unwrap_or(Found { value: &none, at: 0..0 });
        read(found.value).ok_or_else(|| self.error(path, found.at, problem(found.value)))
    }

    fn number<T: TryFrom<i64>>(&self, path: &str, range: RangeInclusive<i64>) -> Result<T, PolicyError> {
        let problem = Problem::NotANumber { min: *range.start(), max: *range.end() };
        let read = |value: &DeValue<'_>| {
            let int = value.as_integer()?;
            let int = i64::from_str_radix(int.as_str(), int.radix()).ok()?;
            T::try_from(Some(int).filter(|int| range.contains(int))?).ok()
        };
        self.read(path, read, |_| problem)
    }

    fn fen(&self, path: &str) -> Result<Fen, PolicyError> {
        Ok(Fen(self.number(path, 0..=crate::money::FEN_MAX)?))
    }

    fn yes(&self, path: &str) -> Result<bool, PolicyError> {
        self.read(path, |value| value.as_bool(), |_| Problem::NotABool)
    }

    fn string(&self, path: &str, chars: RangeInclusive<usize>) -> Result<String, PolicyError> {
        let problem = Problem::NotAText { min: *chars.start(), max: *chars.end() };
        let read = |value: &DeValue<'_>| {
            value.as_str().filter(|text| chars.contains(&text.chars().count())).map(ToOwned::to_owned)
        };
        self.read(path, read, |_| problem)
    }

    fn word<T: Copy>(&self, path: &str, words: &[(&str, T)]) -> Result<T, PolicyError> {
        self.read(path, |value| one_of(value, words), |value| not_a_word(value, words))
    }

    /// Refuses a value that would have no effect: of these keys the programs carry one out.
    fn carried_out(&self) -> Result<(), PolicyError> {
        for (path, does) in CARRIED_OUT {
            let problem = |value: &DeValue<'_>| Problem::NotCarriedOut { found: plain(value), does };
            self.read(path, |value| (value.as_str()? == does).then_some(()), problem)?;
        }
        let late = "late_batch.action";
        let rolls = |value: &DeValue<'_>| value.as_str() == Some("roll_over");
        let does = "reject_unless_exception, warn";
        let problem = |value: &DeValue<'_>| Problem::NotCarriedOut { found: plain(value), does };
        self.read(late, |value| (!rolls(value)).then_some(()), problem)
    }

    /// Days begin in China: headquarters' clocks and papers know no other zone.
    fn zone(&self) -> Result<Zone, PolicyError> {
        let zone = self.read("timezone", |value| zone(value.as_str()?), |_| Problem::NotAZone)?;
        let problem =
            |value: &DeValue<'_>| Problem::NotCarriedOut { found: plain(value), does: "Asia/Shanghai" };
        self.read("timezone", |_| (zone == Zone::SHANGHAI).then_some(zone), problem)
    }

    fn terms(&self) -> Result<Policy, PolicyError> {
        self.carried_out()?;
        Ok(Policy {
            version: self.string("version", 1..=40)?,
            zone: self.zone()?,
            currency: self.read("currency", |value| currency(value.as_str()?), |_| Problem::NotACurrency)?,
            scope_root: self.string("scope.root", 0..=20)?,
            review: Review {
                sup_count_required: self.yes("review.sup.count_required")?,
                gm: self.yes("review.gm")?,
                manager: self.yes("review.manager")?,
            },
            skip_up: self.yes("segregation.skip_up")?,
            paste_max_per_sheet: self.number("paste.max_per_sheet", 1..=100)?,
            cycle: self.cycles()?,
            age: self.age()?,
            late_batch: self.word("late_batch.action", LateBatch::WORDS)?,
            vp: self.vp()?,
            sla: self.sla()?,
            blackout: Blackout {
                from_dom: self.number("blackout.from_dom", 0..=31)?,
                to_dom: self.number("blackout.to_dom", 0..=31)?,
                pauses_payment: self.yes("blackout.pauses_payment")?,
            },
            voucher: Vouchers {
                surplus: self.word("voucher.surplus", Surplus::WORDS)?,
                shortage: self.word("voucher.shortage", Shortage::WORDS)?,
            },
            number: Numbers {
                pattern: self.read(
                    "number.pattern",
                    |value| pattern(value.as_str()?),
                    |_| Problem::NotAPattern,
                )?,
                contiguous: self.yes("number.contiguous")?,
                reset: self.word("number.reset", Reset::WORDS)?,
            },
            attach: Attach {
                trip_summary: self.word("attach.trip_summary", Needed::WORDS)?,
                work_sheet: self.word("attach.work_sheet", Needed::WORDS)?,
            },
            caps: Caps {
                scope: self.word("caps.scope", CapScope::WORDS)?,
                receipts: self.yes("caps.receipts")?,
                carry_over: self.yes("caps.carry_over")?,
                month_basis: self.month_basis()?,
            },
            fine: self.fines()?,
            manifest: Manifest {
                required: self.yes("manifest.required")?,
                missing: self.word("manifest.missing", ManifestMissing::WORDS)?,
                non_service_sheet: self.yes("manifest.non_service_sheet")?,
            },
            dup: Dup {
                strong: self.word("dup.strong", DupAction::WORDS)?,
                weak: self.word("dup.weak", DupAction::WORDS)?,
                phash_max: self.number("dup.phash_max", 0..=i64::from(crate::duplicate::NEAR_BITS_MAX))?,
            },
            trace: self.traces()?,
            unlock_minutes: self.number("device.unlock_minutes", 1..=1440)?,
        })
    }

    fn traces(&self) -> Result<Traces, PolicyError> {
        Ok(Traces {
            window_days: self.number("trace.window_days", 1..=366)?,
            hug_percent: self.number("trace.hug_percent", 0..=100)?,
            hug_claims: self.number("trace.hug_claims", 1..=100)?,
            invoice_gap: self.number("trace.invoice_gap", 0..=20)?,
            round: Fen(self.number("trace.round_fen", 1..=crate::money::FEN_MAX)?),
            round_lines: self.number("trace.round_lines", 1..=1000)?,
            place_km: self.number("trace.place_km", 0..=20_000)?,
            overlap_min: self.number("trace.overlap_min", 0..=1440)?,
            peer_factor: self.number("trace.peer_factor", 1..=1000)?,
            photo_days: self.number("trace.photo_days", 0..=366)?,
            clock_min: self.number("trace.clock_min", 2..=1440)?,
            approvals: self.number("trace.approvals", 1..=1000)?,
            approvals_min: self.number("trace.approvals_min", 1..=1440)?,
        })
    }

    fn cycles(&self) -> Result<Cycles, PolicyError> {
        Ok(Cycles {
            count: self.number("cycle.count", 1..=2)?,
            cutoff: self.word("cycle.cutoff", Cutoff::WORDS)?,
            holiday: self.word("cycle.holiday", Holiday::WORDS)?,
            early_ok: self.yes("cycle.early_ok")?,
            a: self.mailing("cycle.A")?,
            b: self.mailing("cycle.B")?,
        })
    }

    fn mailing(&self, path: &str) -> Result<Mailing, PolicyError> {
        let half: u8 = self.number(&below(path, "half"), 1..=2)?;
        Ok(Mailing {
            half: if half == 1 { Half::First } else { Half::Second },
            dispatch_day: self.number(&below(path, "dispatch_day"), 1..=28)?,
            month_offset: self.number(&below(path, "month_offset"), 0..=3)?,
        })
    }

    fn age(&self) -> Result<Age, PolicyError> {
        Ok(Age {
            limit_months: self.number("age.limit_months", 0..=60)?,
            limit_days: self.number("age.limit_days", 0..=2000)?,
            from: self.word("age.from", AgeFrom::WORDS)?,
            to: self.word("age.to", AgeTo::WORDS)?,
            holiday: self.word("age.holiday", Holiday::WORDS)?,
            action: self.word("age.action", AgeAction::WORDS)?,
        })
    }

    fn vp(&self) -> Result<Vp, PolicyError> {
        Ok(Vp {
            threshold: self.fen("vp.threshold_fen")?,
            strict: self.yes("vp.strict")?,
            basis: self.word("vp.basis", VpBasis::WORDS)?,
            sla_wd: self.number("vp.sla_wd", 0..=250)?,
        })
    }

    fn sla(&self) -> Result<Sla, PolicyError> {
        let wd = |key: &str| self.number(&below("sla", key), 0..=250);
        Ok(Sla {
            audit_wd: wd("audit_wd")?,
            manager_wd: wd("manager_wd")?,
            finance_wd: wd("finance_wd")?,
            sup_wd: wd("sup_wd")?,
            gm_wd: wd("gm_wd")?,
            info_request_wd: wd("info_request_wd")?,
            pause_on_info_request: self.yes("sla.pause_on_info_request")?,
            start: self.word("sla.start", SlaStart::WORDS)?,
        })
    }

    fn fines(&self) -> Result<Fines, PolicyError> {
        Ok(Fines {
            mode: self.word("fine.mode", FineMode::WORDS)?,
            false_claim: self.fen("fine.false_fen")?,
            false_grade: self.string("fine.false_grade", 1..=20)?,
            form: self.fen("fine.form_fen")?,
            form_discretionary: self.yes("fine.form_discretionary")?,
            audit_late: self.fen("fine.audit_late_fen")?,
            per: self.word("fine.per", FinePer::WORDS)?,
            grade_month: self.word("fine.grade_month", GradeMonth::WORDS)?,
            supervisor: self.word("fine.supervisor", FinedSupervisor::WORDS)?,
            appeal_wd: self.number("fine.appeal_wd", 0..=250)?,
        })
    }

    /// The file's table of categories stands in place of the standard's, so that one can be taken out.
    fn month_basis(&self) -> Result<Vec<(Category, MonthBasis)>, PolicyError> {
        let Some(DeValue::Table(table)) = self.find(MONTH_BASIS).map(|found| found.value) else {
            return Ok(Vec::new());
        };
        let mut basis = Vec::new();
        for (key, value) in table.iter() {
            let name = key.get_ref().as_ref();
            let path = below(MONTH_BASIS, name);
            let at = if self.own_holds(MONTH_BASIS) { key.span() } else { 0..0 };
            let Some(category) = Category::CHOICES.index(name) else {
                let categories: Vec<&str> =
                    Category::CHOICES.options.iter().map(|(name, ..)| *name).collect();
                let problem = Problem::UnknownKey { known: categories.join(", ") };
                return Err(self.error(&path, at, problem));
            };
            let Some(month) = one_of(value.get_ref(), MonthBasis::WORDS) else {
                return Err(self.error(&path, at, not_a_word(value.get_ref(), MonthBasis::WORDS)));
            };
            basis.push((Category(category), month));
        }
        Ok(basis)
    }

    fn own_holds(&self, path: &str) -> bool {
        walk(self.own, path).is_some()
    }

    /// What no key says alone: a mailing goes after its half-month, every half-month is sent, finance opens.
    fn hangs_together(&self, policy: &Policy) -> Result<(), PolicyError> {
        let fail = |path: &str, problem| {
            let at = self.find(path).map_or(0..0, |found| found.at);
            Err(self.error(path, at, problem))
        };
        let cycle = &policy.cycle;
        let early = |mailing: &Mailing| {
            mailing.month_offset == 0 && (mailing.half == Half::Second || mailing.dispatch_day < 16)
        };
        if early(&cycle.a) {
            return fail("cycle.A.dispatch_day", Problem::BeforeItsEnd);
        }
        if early(&cycle.b) {
            return fail("cycle.B.dispatch_day", Problem::BeforeItsEnd);
        }
        if cycle.cutoff == Cutoff::HalfMonth && (cycle.count < 2 || cycle.a.half == cycle.b.half) {
            return fail(if cycle.count < 2 { "cycle.count" } else { "cycle.B.half" }, Problem::HalfUnsent);
        }
        if policy.number.reset == Reset::Year && !policy.number.pattern.contains("{yyyy}") {
            return fail("number.pattern", Problem::NotAPattern);
        }
        if (policy.blackout.from_dom == 0) != (policy.blackout.to_dom == 0) {
            return fail("blackout.from_dom", Problem::OneEnd);
        }
        if (1..=28).all(|dom| policy.blackout.closes(dom)) {
            return fail("blackout.from_dom", Problem::NeverOpen);
        }
        Ok(())
    }
}

/// Keys of which the programs carry one value out, with it.
const CARRIED_OUT: [(&str, &str); 3] =
    [("vp.place", "after_manager"), ("alert.auditor_to", "cs_manager"), ("calendar", "CN")];

const MONTH_BASIS: &str = "caps.month_basis";

fn walk<'a, 't>(table: &'a DeTable<'t>, path: &str) -> Option<&'a Spanned<DeValue<'t>>> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let node = table.get(first)?;
    match rest {
        None => Some(node),
        Some(rest) => walk(node.get_ref().as_table()?, rest),
    }
}

fn one_of<T: Copy>(value: &DeValue<'_>, words: &[(&str, T)]) -> Option<T> {
    let text = value.as_str()?;
    words.iter().find(|(word, _)| *word == text).map(|(_, variant)| *variant)
}

fn not_a_word<T>(value: &DeValue<'_>, words: &[(&str, T)]) -> Problem {
    let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    Problem::NotAWord { found: plain(value), allowed: allowed.join(", ") }
}

fn currency(text: &str) -> Option<String> {
    let good = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    good.then(|| text.to_owned())
}

/// Returns the pattern of claim numbers where each of its places is one that there is, and none that it needs is missing.
fn pattern(text: &str) -> Option<String> {
    let mut places = Vec::new();
    for part in text.split('{').skip(1) {
        let (place, rest) = part.split_once('}')?;
        let (name, width) = place.split_once(':').map_or((place, None), |(name, width)| (name, Some(width)));
        let width_fits = match (name, width) {
            ("seq", Some(width)) => {
                width.len() == 2 && width.starts_with('0') && width.ends_with(|c| ('1'..='9').contains(&c))
            }
            ("center" | "staff" | "yyyy" | "seq", None) => true,
            _ => false,
        };
        if !width_fits || rest.contains('}') {
            return None;
        }
        places.push(name);
    }
    let whole = places.contains(&"staff") && places.contains(&"seq") && text.chars().count() <= 80;
    whole.then(|| text.to_owned())
}

fn zone(text: &str) -> Option<Zone> {
    match text {
        "Asia/Shanghai" => Some(Zone::SHANGHAI),
        offset => Zone::of_offset(offset),
    }
}
