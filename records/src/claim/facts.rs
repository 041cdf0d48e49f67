//! What the rules must know beside the claim: each caller fills in what he has.
//!
//! What is named by a claim and not here is told (N6), never taken as good.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::claim::people::People;
use crate::id::DocId;
use crate::kinds::exception::ExceptionKind;
use crate::kinds::voucher::Category;
use crate::machine::Index;
use crate::money::Fen;
use crate::policy::calendar::Calendar;
use crate::policy::cycle::{HalfMonth, Month};
use crate::policy::terms::Policy;
use crate::time::{Day, Ts};

/// Everything beside the claim. It may serve many claims at once: what is of one claim names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The day on which is asked, in the policy's zone.
    pub today: Day,
    /// The policy in force on the day of submission; before it, today.
    pub policy: Policy,
    /// The working calendar.
    pub calendar: Arc<Calendar>,
    /// Units, people, delegations.
    pub people: Arc<People>,
    /// Work sheets.
    pub sheets: BTreeMap<DocId, SheetFact>,
    /// Trip summaries.
    pub trips: BTreeMap<DocId, TripFact>,
    /// Vouchers.
    pub vouchers: BTreeMap<DocId, VoucherFact>,
    /// Where each duplicate key stands on a claim that was not withdrawn, thrown away or rejected; the claim that is
    /// asked about may be among them.
    pub taken: BTreeMap<String, Vec<Use>>,
    /// Monthly ceilings.
    pub caps: Vec<CapRow>,
    /// What lines took from ceilings; see [`Facts::spend`]. The claim that is asked about may be among them.
    pub spent: BTreeMap<Account, Vec<Spent>>,
    /// Requests for exceptions that were granted.
    pub exceptions: Vec<Granted>,
    /// Rules of anomalies that must be acknowledged, by claim: those whose alert nobody explained.
    pub alerts: BTreeMap<DocId, BTreeSet<String>>,
    /// Trip summaries that went off with a claim.
    pub sent_trips: BTreeSet<DocId>,
    /// Who wrote the content of a claim, beside its claimant; who made a payment batch.
    pub authors: BTreeMap<DocId, BTreeSet<DocId>>,
    /// The batch in which a claim is, by claim.
    pub batch: BTreeMap<DocId, BatchFact>,
    /// The payment batches in which a claim is, by claim.
    pub payments: BTreeMap<DocId, Vec<PaymentFact>>,
    /// Claims that were withdrawn or thrown away after their batch had gone: nothing is paid of them.
    pub withdrawn: BTreeSet<DocId>,
}

/// A work sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SheetFact {
    /// The civil days of the visit.
    pub days: BTreeSet<Day>,
    /// Who worked there.
    pub staff: BTreeSet<DocId>,
    /// Whether it still stands: neither thrown away nor sent back.
    pub stands: bool,
}

/// A trip summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TripFact {
    /// Whose.
    pub staff: DocId,
    /// Of which half-month.
    pub half: HalfMonth,
    /// Where it is, see [`crate::kinds::trip_machine`].
    pub state: Index,
    /// The sheets that it lists, by day.
    pub sheets: BTreeMap<Day, BTreeSet<DocId>>,
}

/// A voucher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoucherFact {
    /// Where it is, see [`crate::kinds::voucher_machine`].
    pub state: Index,
    /// Whether every photo and file that it names is here with its bytes; true where the asker keeps no files.
    pub files_here: bool,
    /// The code of another voucher whose photo looks alike.
    pub alike: Option<String>,
    /// What its invoice's QR says about it, where that differs: typed amount, QR amount, checksum.
    pub qr: Option<QrFact>,
}

/// How a voucher differs from its invoice's QR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrFact {
    /// The QR's amount.
    pub amount: Fen,
    /// Whether the QR's checksum matches.
    pub checksum_ok: bool,
}

/// A duplicate key on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Of which claim.
    pub claim: DocId,
    /// Its number; empty before it has one.
    pub no: String,
    /// Which line.
    pub line: u32,
    /// Whose.
    pub staff: DocId,
    /// Of two submissions the lower one arrived first; `None` where none has arrived. Only its order counts.
    pub arrival: Option<u64>,
}

/// A monthly ceiling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapRow {
    /// For the people of which unit, and all below it.
    pub unit: DocId,
    /// For what.
    pub category: Category,
    /// Only for a grade; empty: for all.
    pub grade: String,
    /// Only for one person.
    pub staff: Option<DocId>,
    /// How much each calendar month.
    pub amount: Fen,
    /// From the month of this day on.
    pub valid_from: Day,
    /// To the month of this day; `None`: for good.
    pub valid_to: Option<Day>,
}

/// Under what a line counts: a category in a month, of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// For what.
    pub category: Category,
    /// In which month.
    pub month: Month,
    /// Whose.
    pub staff: DocId,
}

/// What a line took from a ceiling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// Of which claim.
    pub claim: DocId,
    /// The claimant's unit.
    pub unit: Option<DocId>,
    /// What is paid of it; below zero where it corrects an earlier one.
    pub paid: Fen,
    /// Whether it was audited: then it counts before every line that was not, whatever the order.
    pub audited: bool,
    /// Its place in the order of ceilings.
    pub order: Order,
}

/// The order in which lines take from a ceiling: by submission, number, line.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order {
    /// When the claim was submitted.
    pub submitted: Ts,
    /// Its number.
    pub claim_no: String,
    /// The line.
    pub line: u32,
}

/// A request for an exception that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// From what.
    pub kind: ExceptionKind,
    /// For whom.
    pub staff: Option<DocId>,
    /// For which claim.
    pub claim: Option<DocId>,
    /// For which line of it; `None`: for all.
    pub line: Option<u32>,
    /// For which voucher.
    pub voucher: Option<DocId>,
    /// For which batch.
    pub batch: Option<DocId>,
    /// For which category.
    pub category: Option<Category>,
    /// For which month.
    pub month: Option<Month>,
    /// By how much a ceiling is raised.
    pub amount: Fen,
}

/// The batch that a claim is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchFact {
    /// Which document.
    pub batch: DocId,
    /// Of which branch.
    pub branch: Option<DocId>,
    /// Where it is, see [`crate::kinds::batch_machine`].
    pub state: Index,
    /// Until when it had to go.
    pub due: Option<Day>,
    /// When it went.
    pub dispatched: Option<Day>,
}

/// A payment batch that a claim is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFact {
    /// Which document.
    pub payment: DocId,
    /// Where it is, see [`crate::kinds::payment_machine`].
    pub state: Index,
    /// What the bank said of this claim's payment.
    pub paid: Option<bool>,
}

impl Facts {
    /// Returns facts that know nothing but the day, the policy and the calendar.
    #[must_use]
    pub fn new(today: Day, policy: Policy, calendar: impl Into<Arc<Calendar>>) -> Self {
        Self {
            today,
            policy,
            calendar: calendar.into(),
            people: Arc::default(),
            sheets: BTreeMap::new(),
            trips: BTreeMap::new(),
            vouchers: BTreeMap::new(),
            taken: BTreeMap::new(),
            caps: Vec::new(),
            spent: BTreeMap::new(),
            exceptions: Vec::new(),
            alerts: BTreeMap::new(),
            sent_trips: BTreeSet::new(),
            authors: BTreeMap::new(),
            batch: BTreeMap::new(),
            payments: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
        }
    }

    /// Returns the units, people and delegations to be changed, for these facts alone.
    pub fn people_mut(&mut self) -> &mut People {
        Arc::make_mut(&mut self.people)
    }

    /// Enters what a line took from a ceiling.
    pub fn spend(&mut self, account: Account, spent: Spent) {
        self.spent.entry(account).or_default().push(spent);
    }

    /// Returns whether an exception of a kind was granted that fits.
    pub(crate) fn granted(&self, kind: ExceptionKind, fits: impl Fn(&Granted) -> bool) -> bool {
        self.exceptions.iter().any(|granted| granted.kind == kind && fits(granted))
    }
}
