#![allow(clippy::unwrap_used)]
use super::*;
use codesync_base::{Hlc, Origin, ProjectId, Step, encode_delta};
use proptest::prelude::*;

const FOUNDER: u8 = 1;

/// Deltas with what their authors say that they had seen.
#[derive(Default)]
struct Story {
    told: Vec<(SignedDelta, BTreeMap<LogId, u32>)>,
    /// What each of them stands on, whatever its author says.
    before: Vec<BTreeMap<LogId, u32>>,
}

fn device(who: u8) -> DeviceId {
    DeviceId([who; 32])
}

fn log_of(who: u8) -> LogId {
    LogId { device: device(who), incarnation: 0 }
}

fn grant(who: u8, role: Role) -> Change {
    Change::Access(AccessStep::Grant {
        device: device(who),
        person: format!("Person {who}"),
        role,
        share_from: ShareFrom::Past,
    })
}

fn speak() -> Change {
    Change::Session { person: "x".into(), device_name: "y".into() }
}

fn edit() -> Change {
    Change::Moment { name: "m".into(), note: None, automatic: false, at: None }
}

impl Story {
    /// Somebody writes a delta, having seen these and what their authors had seen, and all of their own.
    fn write(&mut self, who: u8, seen: &[usize], change: Change) -> usize {
        let own = self.told.iter().rposition(|(signed, _)| signed.delta.log == log_of(who));
        let mut past: BTreeMap<LogId, u32> = BTreeMap::new();
        let (mut wall_ms, mut seq, mut prev) = (0, 1, DeltaHash::ZERO);
        for idx in seen.iter().copied().chain(own) {
            let (signed, before) = (&self.told[idx].0, &self.before[idx]);
            let itself = (signed.delta.log, signed.delta.seq);
            for (log, seq) in before.iter().map(|(log, seq)| (*log, *seq)).chain([itself]) {
                let newest = past.entry(log).or_default();
                *newest = seq.max(*newest);
            }
            wall_ms = wall_ms.max(signed.delta.hlc.wall_ms);
        }
        if let Some(own) = own {
            (seq, prev) = (self.told[own].0.delta.seq + 1, self.told[own].0.hash);
        }
        let delta = Delta {
            project: ProjectId([9; 16]),
            log: log_of(who),
            seq,
            prev,
            hlc: Hlc { wall_ms: wall_ms + 1, counter: 0 },
            deps: vec![],
            origin: Origin::Session,
            group: seq,
            logs: vec![],
            files: vec![],
            steps: vec![Step { at_ms: 5, file: 0, change }],
        };
        let (_, hash) = encode_delta(&delta);
        self.told.push((SignedDelta { delta, hash, signature: [0; 64] }, past.clone()));
        self.before.push(past);
        self.told.len() - 1
    }

    fn head(&self, idx: usize) -> Head {
        let signed = &self.told[idx].0;
        Head { log: signed.delta.log, seq: signed.delta.seq, hash: signed.hash }
    }

    fn remove(&mut self, by: u8, seen: &[usize], who: u8, accepted: &[usize]) -> usize {
        let accepted = Access::accepted(&device(who), accepted.iter().map(|idx| self.head(*idx)));
        self.write(by, seen, Change::Access(AccessStep::Remove { device: device(who), accepted }))
    }

    fn change_role(&mut self, by: u8, seen: &[usize], who: u8, role: Role, accepted: &[usize]) -> usize {
        let accepted = Access::accepted(&device(who), accepted.iter().map(|idx| self.head(*idx)));
        self.write(by, seen, Change::Access(AccessStep::ChangeRole { device: device(who), role, accepted }))
    }

    /// Whether everything a delta builds on is among these.
    fn can_follow(&self, idx: usize, taken: &[usize]) -> bool {
        let before = &self.before[idx];
        let n_in = |log: &LogId| taken.iter().filter(|idx| self.told[**idx].0.delta.log == *log).count() as u32;
        before.iter().all(|(log, seq)| n_in(log) >= *seq)
    }

    /// Takes in all deltas in an order that `pick` chooses among those whose past is in.
    fn taken_in(&self, mut pick: impl FnMut(usize) -> usize) -> Access {
        let mut access = Access::new(device(FOUNDER));
        let mut taken: Vec<usize> = Vec::new();
        while taken.len() < self.told.len() {
            let ready: Vec<usize> =
                (0..self.told.len()).filter(|idx| !taken.contains(idx) && self.can_follow(*idx, &taken)).collect();
            let next = ready[pick(ready.len())];
            let before = self.verdicts(&mut access, &taken);
            let (signed, past) = &self.told[next];
            let at_arrival = access.judge(signed, past);
            let changed = access.take(signed, past);
            if is_access(signed) {
                assert_eq!(matches!(at_arrival, Verdict::Refused(_)), changed.is_err());
            }
            for (idx, old) in before {
                let new = access.judge(&self.told[idx].0, &self.told[idx].1);
                let is_told = changed.as_ref().is_ok_and(|told| told.contains(&self.told[idx].0.delta.log.device));
                assert!(new == old || is_told, "verdict {old:?} -> {new:?} was not told");
                assert_eq!(
                    matches!(old, Verdict::Refused(_)),
                    matches!(new, Verdict::Refused(_)),
                    "refused is for ever"
                );
            }
            taken.push(next);
        }
        access
    }

    fn verdicts(&self, access: &mut Access, of: &[usize]) -> Vec<(usize, Verdict)> {
        of.iter().map(|idx| (*idx, access.judge(&self.told[*idx].0, &self.told[*idx].1))).collect()
    }

    /// What all replicas make of a delta, whatever came first.
    fn verdict(&self, idx: usize) -> Verdict {
        let (signed, past) = &self.told[idx];
        let [first, last] =
            [self.taken_in(|_| 0), self.taken_in(|n| n - 1)].map(|mut access| access.judge(signed, past));
        assert_eq!(first, last);
        first
    }

    fn role(&self, who: u8) -> Option<Role> {
        let [first, last] = [self.taken_in(|_| 0), self.taken_in(|n| n - 1)];
        assert_eq!(first.head(), last.head());
        assert_eq!(first.members(), last.members());
        first.role_of(&device(who))
    }
}

fn is_access(signed: &SignedDelta) -> bool {
    matches!(signed.delta.steps[0].change, Change::Access(_))
}

fn quarantined_by(story: &Story, idx: usize) -> Verdict {
    Verdict::Quarantined { by: story.told[idx].0.hash }
}

#[test]
fn without_any_grant_the_founder_is_owner_alone() {
    let mut story = Story::default();
    let own = story.write(FOUNDER, &[], edit());
    let foreign = story.write(2, &[own], speak());
    assert_eq!(story.verdict(own), Verdict::Allowed);
    assert_eq!(story.verdict(foreign), Verdict::Refused(Why::NotAMember));
    assert_eq!(Access::new(device(FOUNDER)).head(), DeltaHash::ZERO);
}

#[test]
fn a_role_allows_what_it_says() {
    let mut story = Story::default();
    let viewer = story.write(FOUNDER, &[], grant(2, Role::Viewer));
    let editor = story.write(FOUNDER, &[], grant(3, Role::Editor));
    let owner = story.write(FOUNDER, &[], grant(4, Role::Owner));
    let may = |story: &mut Story, who, change: Change| {
        let idx = story.write(who, &[viewer, editor, owner], change);
        story.verdict(idx)
    };
    let refused = |has, needed| Verdict::Refused(Why::Role { has, needed });
    assert_eq!(may(&mut story, 2, speak()), Verdict::Allowed);
    assert_eq!(may(&mut story, 2, edit()), refused(Role::Viewer, Role::Editor));
    assert_eq!(may(&mut story, 2, grant(5, Role::Viewer)), refused(Role::Viewer, Role::Owner));
    assert_eq!(may(&mut story, 3, edit()), Verdict::Allowed);
    assert_eq!(may(&mut story, 3, grant(3, Role::Owner)), refused(Role::Editor, Role::Owner));
    assert_eq!(may(&mut story, 4, grant(5, Role::Owner)), Verdict::Allowed);
    assert_eq!(story.role(5), Some(Role::Owner));
}

#[test]
fn a_right_is_there_only_for_what_declares_it() {
    let mut story = Story::default();
    let told = story.write(FOUNDER, &[], grant(2, Role::Editor));
    // Written without having seen the grant: no replica may take it as if it had.
    let early = story.write(2, &[], edit());
    let later = story.write(2, &[told], edit());
    assert_eq!(story.verdict(early), Verdict::Refused(Why::NotAMember));
    assert_eq!(story.verdict(later), Verdict::Allowed);
}

#[test]
fn what_one_did_oneself_need_not_be_declared() {
    let mut story = Story::default();
    story.write(FOUNDER, &[], grant(2, Role::Editor));
    let removed = story.remove(FOUNDER, &[], 2, &[]);
    story.told[removed].1.clear();
    assert_eq!(story.verdict(removed), Verdict::Allowed);
    assert_eq!(story.role(2), None);
}

#[test]
fn of_two_owners_who_remove_each_other_the_one_of_longer_standing_stays() {
    let mut story = Story::default();
    let first = story.write(FOUNDER, &[], grant(2, Role::Owner));
    let second = story.write(FOUNDER, &[first], grant(3, Role::Owner));
    let by_senior = story.remove(2, &[second], 3, &[]);
    let by_junior = story.remove(3, &[second], 2, &[]);
    assert_eq!(story.verdict(by_senior), Verdict::Allowed);
    assert_eq!(story.verdict(by_junior), Verdict::Refused(Why::Senior));
    assert_eq!((story.role(2), story.role(3)), (Some(Role::Owner), None));
    let against_founder = story.remove(2, &[by_senior], FOUNDER, &[]);
    assert_eq!(story.verdict(against_founder), Verdict::Refused(Why::Senior));
}

#[test]
fn an_edit_at_the_same_time_as_a_lower_role_counts_if_it_was_accepted() {
    let mut story = Story::default();
    let granted = story.write(FOUNDER, &[], grant(2, Role::Editor));
    let seen = story.write(2, &[granted], edit());
    let lowered = story.change_role(FOUNDER, &[seen], 2, Role::Viewer, &[seen]);
    let offline = story.write(2, &[], edit());
    let said = story.write(2, &[], speak());
    let knowing = story.write(2, &[lowered], edit());
    assert_eq!(story.verdict(seen), Verdict::Allowed);
    assert_eq!(story.verdict(offline), quarantined_by(&story, lowered));
    assert_eq!(story.verdict(said), Verdict::Allowed);
    let role = Why::Role { has: Role::Viewer, needed: Role::Editor };
    assert_eq!(story.verdict(knowing), Verdict::Refused(role));
    assert_eq!(story.role(2), Some(Role::Viewer));
}

#[test]
fn what_a_removed_device_writes_later_is_quarantined_everywhere() {
    let mut story = Story::default();
    let granted = story.write(FOUNDER, &[], grant(2, Role::Editor));
    let seen = story.write(2, &[granted], edit());
    let removed = story.remove(FOUNDER, &[seen], 2, &[seen]);
    // It goes on as if it had not heard of it, under its name and under another incarnation.
    let offline: Vec<usize> = (0..3).map(|_| story.write(2, &[], edit())).collect();
    let said = story.write(2, &[], speak());
    assert_eq!(story.verdict(seen), Verdict::Allowed);
    for idx in offline.iter().copied().chain([said]) {
        assert_eq!(story.verdict(idx), quarantined_by(&story, removed));
    }
    let other_life = {
        let idx = story.write(2, &[granted], edit());
        story.told[idx].0.delta.log.incarnation = 7;
        idx
    };
    assert_eq!(story.taken_in_place(other_life), quarantined_by(&story, removed));
    let knowing = story.write(2, &[removed], edit());
    assert_eq!(story.verdict_but(other_life, knowing), quarantined_by(&story, removed));
    let governing = story.write(2, &[removed], grant(3, Role::Viewer));
    assert_eq!(story.verdict_but(other_life, governing), Verdict::Refused(Why::NotAMember));
}

impl Story {
    /// Verdict over a delta whose log was changed after the fact: all others are in.
    fn taken_in_place(&self, idx: usize) -> Verdict {
        let mut access = Access::new(device(FOUNDER));
        for (signed, past) in self.told.iter().filter(|(signed, _)| is_access(signed)) {
            let _ = access.take(signed, past);
        }
        access.judge(&self.told[idx].0, &self.told[idx].1)
    }

    fn verdict_but(&mut self, without: usize, idx: usize) -> Verdict {
        let kept = self.told.remove(without);
        self.before.remove(without);
        let verdict = self.taken_in_place(idx - usize::from(idx > without));
        self.before.insert(without, kept.1.clone());
        self.told.insert(without, kept);
        verdict
    }
}

#[test]
fn who_is_let_in_again_may_write_again_and_the_old_stays_as_it_was() {
    let mut story = Story::default();
    let granted = story.write(FOUNDER, &[], grant(2, Role::Editor));
    let good = story.write(2, &[granted], edit());
    let removed = story.remove(FOUNDER, &[good], 2, &[good]);
    let late = story.write(2, &[], edit());
    let alone = story.write(2, &[removed], edit());
    let again = story.write(FOUNDER, &[late], grant(2, Role::Editor));
    let new = story.write(2, &[again], edit());
    assert_eq!(story.verdict(good), Verdict::Allowed);
    assert_eq!(story.verdict(late), quarantined_by(&story, removed));
    assert_eq!(story.verdict(alone), quarantined_by(&story, removed));
    assert_eq!(story.verdict(new), Verdict::Allowed);
    assert_eq!(story.role(2), Some(Role::Editor));
}

#[test]
fn who_was_removed_by_somebody_who_might_not_was_never_gone() {
    let mut story = Story::default();
    let owner = story.write(FOUNDER, &[], grant(2, Role::Owner));
    let editor = story.write(FOUNDER, &[owner], grant(3, Role::Editor));
    let viewer = story.write(FOUNDER, &[editor], grant(4, Role::Viewer));
    // The founder had taken the right from whoever removes them.
    let lowered = story.change_role(FOUNDER, &[viewer], 2, Role::Editor, &[]);
    let first = story.remove(2, &[viewer], 3, &[]);
    let second = story.remove(2, &[first], 4, &[]);
    let alone = story.write(3, &[first], edit());
    let by_viewer = story.write(4, &[second], edit());
    for idx in [first, second] {
        assert_eq!(story.verdict(idx), quarantined_by(&story, lowered));
    }
    assert_eq!([3, 4].map(|who| story.role(who)), [Some(Role::Editor), Some(Role::Viewer)]);
    assert_eq!(story.verdict(alone), Verdict::Allowed);
    // It was never more than a viewer: what it did with its own copy counts nowhere, and nobody refuses what comes after.
    assert!(matches!(story.verdict(by_viewer), Verdict::Quarantined { .. }));
    let after = story.write(4, &[lowered], speak());
    assert_eq!(story.verdict(after), Verdict::Allowed);
}

#[test]
fn a_removed_owner_cannot_go_on_governing_out_of_the_past() {
    let mut story = Story::default();
    let first = story.write(FOUNDER, &[], grant(2, Role::Owner));
    let second = story.write(FOUNDER, &[first], grant(3, Role::Owner));
    let accepted = story.write(2, &[second], grant(4, Role::Editor));
    let removed = story.remove(FOUNDER, &[accepted], 2, &[accepted]);
    // Claims not to have heard of its removal.
    let friend = story.write(2, &[second], grant(5, Role::Owner));
    let revenge = story.remove(2, &[second], 3, &[]);
    let by_friend = story.write(5, &[friend], grant(6, Role::Editor));
    let by_friends_friend = story.write(6, &[by_friend], edit());
    let by_accepted = story.write(4, &[accepted], edit());
    for idx in [friend, revenge] {
        assert_eq!(story.verdict(idx), quarantined_by(&story, removed));
    }
    for idx in [by_friend, by_friends_friend] {
        assert!(matches!(story.verdict(idx), Verdict::Quarantined { .. }), "{idx}");
    }
    assert_eq!(story.verdict(by_accepted), Verdict::Allowed);
    assert_eq!([2, 3, 4, 5, 6].map(|who| story.role(who)), [None, Some(Role::Owner), Some(Role::Editor), None, None]);
}

#[test]
fn of_what_is_said_at_once_the_lesser_holds() {
    let mut story = Story::default();
    let owner = story.write(FOUNDER, &[], grant(2, Role::Owner));
    let granted = story.write(FOUNDER, &[owner], grant(3, Role::Viewer));
    story.change_role(FOUNDER, &[granted], 3, Role::Editor, &[]);
    story.remove(2, &[granted], 3, &[]);
    assert_eq!(story.role(3), None);
    story.write(FOUNDER, &[], grant(4, Role::Editor));
    story.write(2, &[], grant(4, Role::Viewer));
    assert_eq!(story.role(4), Some(Role::Viewer));
}

#[test]
fn steps_that_make_no_sense_are_refused() {
    let mut story = Story::default();
    let alone = story.remove(FOUNDER, &[], FOUNDER, &[]);
    let nobody = story.remove(FOUNDER, &[], 2, &[]);
    let granted = story.write(FOUNDER, &[], grant(2, Role::Editor));
    let lowering = story.write(FOUNDER, &[], grant(2, Role::Viewer));
    let unseen = story.write(2, &[granted], edit());
    let accepting = story.remove(FOUNDER, &[], 2, &[unseen]);
    let leaving = story.remove(FOUNDER, &[], FOUNDER, &[]);
    for (idx, why) in [
        (alone, Why::LastOwner),
        (nobody, Why::NobodyThere),
        (lowering, Why::LoweringGrant),
        (accepting, Why::Accepted),
        (leaving, Why::LastOwner),
    ] {
        assert_eq!(story.verdict(idx), Verdict::Refused(why), "{idx}");
    }
    let heir = story.write(FOUNDER, &[], grant(3, Role::Owner));
    let leaving = story.remove(FOUNDER, &[heir], FOUNDER, &[heir]);
    assert_eq!(story.verdict(leaving), Verdict::Allowed);
    assert_eq!((story.role(FOUNDER), story.role(3)), (None, Some(Role::Owner)));
}

/// Something that somebody does: what, who, to whom, which role, how much of the story they have seen, and whether they
/// keep quiet about what those had seen whom they name.
type Happening = (u8, u8, u8, u8, Vec<prop::sample::Index>, bool);

fn told(happenings: &[Happening]) -> Story {
    let mut story = Story::default();
    let roles = [Role::Viewer, Role::Editor, Role::Owner];
    for (kind, by, who, role, seen, is_quiet) in happenings {
        let n = story.told.len();
        let seen: Vec<usize> = if n == 0 { vec![] } else { seen.iter().map(|index| index.index(n)).collect() };
        let role = roles[usize::from(*role)];
        match kind {
            0..=2 => drop(story.write(*by, &seen, edit())),
            3..=5 => drop(story.write(*by, &seen, grant(*who, role))),
            6 => drop(story.change_role(*by, &seen, *who, role, &seen)),
            _ => drop(story.remove(*by, &seen, *who, &seen)),
        }
        if *is_quiet {
            // Nobody has to name their own log.
            let named: BTreeMap<LogId, u32> =
                seen.iter().map(|idx| (story.told[*idx].0.delta.log, story.told[*idx].0.delta.seq)).collect();
            story.told[n].1 = named;
        }
    }
    story
}

fn happening() -> impl Strategy<Value = Happening> {
    (
        0..9u8,
        1..5u8,
        1..5u8,
        0..3u8,
        proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
        prop::bool::weighted(0.2),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(300)))]

    #[test]
    fn all_orders_of_arrival_give_the_same_rights(
        happenings in proptest::collection::vec(happening(), 1..24),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 24),
    ) {
        let story = told(&happenings);
        let all: Vec<usize> = (0..story.told.len()).collect();
        let mut in_order = story.taken_in(|_| 0);
        let mut n = 0;
        let mut mixed = story.taken_in(|n_ready| { n += 1; picks[n - 1].index(n_ready) });
        prop_assert_eq!(in_order.head(), mixed.head());
        prop_assert_eq!(in_order.members(), mixed.members());
        prop_assert_eq!(story.verdicts(&mut in_order, &all), story.verdicts(&mut mixed, &all));
    }

    #[test]
    fn nobody_gets_a_right_that_no_owner_gave(happenings in proptest::collection::vec(happening(), 1..24)) {
        let access = told(&happenings).taken_in(|_| 0);
        let mut reached = std::collections::BTreeSet::from([device(FOUNDER)]);
        // Every membership that counts goes back to the founder, grant by grant.
        for _ in 0..5 {
            let granted = access.entries.iter().enumerate().filter(|(idx, entry)| {
                access.effective.contains(*idx) && reached.contains(&entry.key.log.device)
            });
            reached = reached.iter().copied().chain(granted.map(|(_, entry)| entry.step.device())).collect();
        }
        for member in access.members() {
            prop_assert!(member.role.is_none() || reached.contains(&member.device));
        }
        prop_assert!(access.effective_of(|_| true) == access.effective);
    }
}
