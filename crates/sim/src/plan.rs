//! What happens in a run, one thing after the other. Numbers in an action are taken modulo what is there, so that any
//! row of actions is a plan.

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`; 0 for 0.
    pub fn below(&mut self, n: u64) -> u64 {
        self.draw() % n.max(1)
    }

    /// The same, to choose one of `n`.
    pub fn index(&mut self, n: usize) -> usize {
        self.below(n as u64) as usize
    }
}

/// One thing that happens. `peer` is who, `n` what with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Types, pastes or deletes in a file; creates it where it is missing.
    Edit {
        peer: u64,
        n: u64,
    },
    Rename {
        peer: u64,
        n: u64,
    },
    Delete {
        peer: u64,
        n: u64,
    },
    Undelete {
        peer: u64,
    },
    /// Types a word of its own into a view of a file.
    Type {
        peer: u64,
        n: u64,
    },
    /// Takes that back in the view, whatever came meanwhile.
    Undo {
        peer: u64,
    },
    /// Opens a file in a view, or closes it.
    View {
        peer: u64,
        n: u64,
    },
    /// Another program changes a file of the folder.
    Disk {
        peer: u64,
        n: u64,
    },
    /// Brings a file or everything back to a moment.
    Restore {
        peer: u64,
        n: u64,
    },
    UndoLast {
        peer: u64,
    },
    Sync {
        peer: u64,
    },
    /// Seals blocks, lets documents go.
    Rest {
        peer: u64,
    },
    /// A few frames arrive somewhere.
    Arrive {
        n: u64,
    },
    Pass {
        ms: u64,
    },
    Connect {
        peer: u64,
        n: u64,
    },
    Disconnect {
        peer: u64,
        n: u64,
    },
    /// Everybody is parted from everybody.
    PartAll,
    /// What was not synced is lost, kept or torn.
    Crash {
        peer: u64,
        n: u64,
    },
    /// The store is copied; a later roll-back puts that back.
    Backup {
        peer: u64,
    },
    RollBack {
        peer: u64,
    },
    /// The clock of a peer is set.
    Clock {
        peer: u64,
        n: u64,
    },
    /// A frame on its way is changed, cut or comes twice.
    Spoil {
        n: u64,
    },
    /// A member without honour says something.
    Lie {
        peer: u64,
        n: u64,
    },
    /// The disk of a peer has room for little more, or for all again.
    Fill {
        peer: u64,
        n: u64,
    },
    /// Somebody lets somebody in, or gives them more rights.
    Grant {
        peer: u64,
        n: u64,
    },
    /// Somebody takes rights from somebody, or all of them.
    Lower {
        peer: u64,
        n: u64,
    },
}

/// All that a run needs to be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    pub n_peers: usize,
    /// Whether rights count: the first peer founds the workspace and lets the others in. Else everybody may do everything.
    pub has_rights: bool,
    pub actions: Vec<Action>,
}

impl Plan {
    pub fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let n_peers = match random.below(32) {
            0..26 => 2 + random.below(3),
            26..31 => 5 + random.below(3),
            _ => 12,
        };
        let has_rights = random.below(2) == 0;
        // Some runs have one kind of fault only, so that a failure is easier to read.
        let faults = random.below(4);
        let n_actions = 60 + random.below(240);
        let quarrel = match random.below(4) {
            _ if !has_rights => Quarrel::None,
            0 => Quarrel::Hot,
            _ => Quarrel::Mild,
        };
        let actions = (0..n_actions).map(|_| action(&mut random, faults, quarrel)).collect();
        Self { seed, n_peers: n_peers as usize, has_rights, actions }
    }
}

/// How much people are at odds about who may what.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quarrel {
    None,
    Mild,
    Hot,
}

fn action(random: &mut Random, faults: u64, quarrel: Quarrel) -> Action {
    let (peer, n) = (random.draw(), random.draw());
    match (random.below(100), quarrel) {
        (0..12, _) => return fault(random, faults, peer, n),
        (12, Quarrel::Mild) | (12..17, Quarrel::Hot) => return Action::Grant { peer, n },
        (17, Quarrel::Mild) | (17..20, Quarrel::Hot) => return Action::Lower { peer, n },
        _ => {}
    }
    match random.below(100) {
        0..26 => Action::Edit { peer, n },
        26..31 => Action::Type { peer, n },
        31..34 => Action::Undo { peer },
        34..37 => Action::Rename { peer, n },
        37..39 => Action::Delete { peer, n },
        39 => Action::Undelete { peer },
        40..43 => Action::View { peer, n },
        43..46 => Action::Disk { peer, n },
        46..48 => Action::Restore { peer, n },
        48 => Action::UndoLast { peer },
        49..64 => Action::Sync { peer },
        64..67 => Action::Rest { peer },
        67..88 => Action::Arrive { n },
        88..94 => Action::Pass { ms: 1 + n % 2_000 },
        _ => Action::Connect { peer, n },
    }
}

fn fault(random: &mut Random, faults: u64, peer: u64, n: u64) -> Action {
    let all = [
        Action::Disconnect { peer, n },
        Action::PartAll,
        Action::Crash { peer, n },
        Action::Crash { peer, n },
        Action::Clock { peer, n },
        Action::Spoil { n },
        Action::Lie { peer, n },
        Action::Lie { peer, n },
        Action::Pass { ms: 20_000 + n % 86_400_000 },
        Action::Fill { peer, n },
        Action::Backup { peer },
        Action::Backup { peer },
        Action::RollBack { peer },
        Action::RollBack { peer },
        Action::RollBack { peer },
    ];
    let few = match faults {
        0 => 2,
        1 => 4,
        2 => 10,
        _ => all.len(),
    };
    all[random.index(few)]
}
