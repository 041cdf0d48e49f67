//! What came of a kind of fault, counted; one line of the table.

/// What came of one fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// Nobody had to be told, and nothing differs.
    Harmless,
    /// It was told, and everything is there again.
    Repaired,
    /// It was told, and the damaged copy was not taken; what it was made from is untouched.
    Refused,
    /// It was told with what it cost: work that stood in the damaged place only.
    Lost,
}

/// The counts of one kind of fault.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) harmless: u32,
    pub(crate) repaired: u32,
    pub(crate) refused: u32,
    pub(crate) lost: u32,
}

impl Tally {
    pub(crate) fn note(&mut self, came: Came) {
        match came {
            Came::Harmless => self.harmless += 1,
            Came::Repaired => self.repaired += 1,
            Came::Refused => self.refused += 1,
            Came::Lost => self.lost += 1,
        }
    }

    pub(crate) fn tried(&self) -> u32 {
        self.harmless + self.repaired + self.refused + self.lost
    }

    /// Prints the line that `cargo xtask faults` gathers.
    pub(crate) fn print(&self, fault: &str) {
        let Self { harmless, repaired, refused, lost } = self;
        let (tried, detected) = (self.tried(), repaired + refused + lost);
        println!("\nfault: {fault} | {tried} | {detected} | {repaired} | {refused} | {harmless} | {lost}");
    }
}

/// Returns how many rounds are run where `FIELDBOOK_FAULTS` does not ask for so many times as many.
pub(crate) fn rounds(usual: u32) -> u32 {
    usual * times()
}

/// Returns the seed of a run: the same every time, another one for each kind, or `FIELDBOOK_SEED`.
pub(crate) fn seed(what: &str) -> u64 {
    let given = std::env::var("FIELDBOOK_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| {
        what.bytes().fold(7, |seed: u64, byte| (seed * 31 + u64::from(byte)) & 0xffff_ffff)
    })
}

fn times() -> u32 {
    std::env::var("FIELDBOOK_FAULTS").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}
