//! What a policy can choose between: each variant is one word of its file.
//!
//! Source: docs/RULES.md, The policy file.

/// Declares an enum whose variants are the words that a key of the policy file takes.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$meaning])* $variant),+
        }

        impl $name {
            /// The words, in the order in which an error lists them.
            pub(crate) const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),+];
        }
    };
}

words! {
    /// Which expenses a mailing carries.
    Cutoff {
        /// Those of one half-month.
        HalfMonth = "half_month",
        /// All before the day of the mailing.
        BeforeDispatchDay = "before_dispatch_day",
    }
}

words! {
    /// What becomes of a day that is not worked.
    Holiday {
        /// The next working day stands for it.
        NextWorking = "next_working",
        /// It stands.
        None = "none",
    }
}

words! {
    /// From when an expense's age counts.
    AgeFrom {
        /// From the day on the voucher.
        LineDate = "line_date",
    }
}

words! {
    /// To when an expense's age counts.
    AgeTo {
        /// To the day on which the claimant submits.
        ClaimSubmitted = "claim_submitted",
        /// To the day on which the batch is sent.
        BatchDispatched = "batch_dispatched",
    }
}

words! {
    /// What becomes of a line that is too old.
    AgeAction {
        /// It must leave the claim.
        BlockLine = "block_line",
        /// It is shown.
        Warn = "warn",
    }
}

words! {
    /// What becomes of a batch that was sent too late.
    LateBatch {
        /// Nothing of it is paid, unless an exception is approved.
        RejectUnlessException = "reject_unless_exception",
        /// It is shown.
        Warn = "warn",
    }
}

words! {
    /// Which amount of a claim decides whether the vice-president is asked.
    VpBasis {
        /// What was claimed.
        Claimed = "claimed",
        /// What the auditor left of it.
        Audited = "audited",
    }
}

words! {
    /// When the auditor's clock starts.
    SlaStart {
        /// When both the paper and the data are there.
        PaperAndData = "paper_and_data",
        /// When the paper is there.
        Paper = "paper",
    }
}

words! {
    /// What is paid where vouchers exceed the claimed amount.
    Surplus {
        /// What was claimed.
        PayClaimed = "pay_claimed",
    }
}

words! {
    /// What is paid where vouchers fall short of the claimed amount.
    Shortage {
        /// What the vouchers come to.
        PaySupport = "pay_support",
        /// Nothing, until the line is corrected.
        Refuse = "refuse",
    }
}

words! {
    /// When claim numbers begin at 1 again.
    Reset {
        /// Each year.
        Year = "year",
        /// Never.
        Never = "never",
    }
}

words! {
    /// Whether something must be attached.
    Needed {
        /// It must.
        Required = "required",
        /// It may.
        Optional = "optional",
    }
}

words! {
    /// Whose expenses share one ceiling.
    CapScope {
        /// Those of one person.
        PerPerson = "per_person",
        /// Those of a unit.
        PerUnit = "per_unit",
    }
}

words! {
    /// Which month an expense counts in.
    MonthBasis {
        /// The month that was billed.
        ServiceMonth = "service_month",
        /// The month of its date.
        Date = "date",
    }
}

words! {
    /// Whether cases carry amounts.
    FineMode {
        /// They do.
        Charge = "charge",
        /// They are recorded without.
        RecordOnly = "record_only",
    }
}

words! {
    /// What counts as one time.
    FinePer {
        /// One claim in one audit.
        Claim = "claim",
        /// Each line.
        Line = "line",
    }
}

words! {
    /// Which month an appraisal counts in.
    GradeMonth {
        /// The month in which the case was confirmed.
        Confirmed = "confirmed",
        /// The month of the expense.
        Expense = "expense",
    }
}

words! {
    /// Which supervisor is fined.
    FinedSupervisor {
        /// Who approved the claim.
        ApproverOfRecord = "approver_of_record",
        /// Who leads the claimant's unit.
        OfUnit = "of_unit",
    }
}

words! {
    /// What becomes of a batch without its lists.
    ManifestMissing {
        /// It is not accepted.
        Refuse = "refuse",
        /// It is shown.
        Warn = "warn",
    }
}

words! {
    /// What a voucher does that was there before.
    DupAction {
        /// The line is refused.
        Block = "block",
        /// The line needs a reason.
        Reason = "reason",
    }
}
