//! What opening, sealing and verifying found, as plain data.

/// What became of something damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// A second good copy took its place, or it could be rebuilt. Nothing is missing.
    Healed,
    /// A write that was never confirmed; its bytes were set aside.
    Unfinished,
    /// No good copy was found. What could not be read was set aside.
    Lost,
    /// Noticed by a check that changes nothing; `repair` will try to heal it.
    Noticed,
}

/// One thing that was not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The file or part of the store.
    pub place: String,
    /// A sentence for people.
    pub what: String,
    pub outcome: Outcome,
}

/// What opening found and did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OpenReport {
    /// No store was here before.
    pub is_new: bool,
    pub findings: Vec<Finding>,
    /// Where in time something is missing, if anything is.
    pub lost: Option<LostSpan>,
}

/// The time within which history has holes, in Unix milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LostSpan {
    /// The newest moment before which nothing is missing; none when the first ones are.
    pub after_ms: Option<u64>,
    /// The first moment after which nothing is missing; none when the last ones are.
    pub before_ms: Option<u64>,
}

impl LostSpan {
    /// Both holes, and what is between them.
    fn with(self, other: Self) -> Self {
        // Nothing stands for the beginning in the one, for the end in the other.
        let before_ms = self.before_ms.zip(other.before_ms).map(|(a, b)| a.max(b));
        Self { after_ms: self.after_ms.min(other.after_ms), before_ms }
    }

    pub(crate) fn around(spans: impl Iterator<Item = Self>) -> Option<Self> {
        spans.reduce(Self::with)
    }
}

/// What a check of everything found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VerifyReport {
    pub n_deltas: u64,
    pub n_blocks: u64,
    pub n_blobs: u64,
    pub read_bytes: u64,
    pub findings: Vec<Finding>,
}

impl VerifyReport {
    /// Whether nothing is missing and nothing waits for repair.
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| matches!(finding.outcome, Outcome::Healed | Outcome::Unfinished))
    }
}

/// What sealing wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SealReport {
    pub n_deltas: u64,
    pub n_steps: u64,
    pub n_blocks: u64,
    /// Bytes of the blocks written.
    pub block_bytes: u64,
}
