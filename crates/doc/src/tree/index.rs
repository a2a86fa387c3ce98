//! Who is at which path. A function of the claims alone: whoever was created first keeps a path, files give
//! way to folders, and the others get the next free `name (2).ext`.

use super::node::Claim;
use codesync_base::limits::NAME_BYTES_MAX;
use codesync_base::{FileId, RelPath, StepKey};
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Claims by folded path: what differs in case only is one place.
    claims: BTreeMap<Arc<str>, Arc<Vec<Claimant>>>,
    /// Who is where.
    places: BTreeMap<Place, FileId>,
    /// Those who did not get the path they want, by what they want, folded.
    displaced: BTreeMap<Arc<str>, Group>,
    /// The names, folded, that they looked at.
    tried: BTreeMap<Arc<str>, Tried>,
    /// Those of the claimants that are folders; how many are none.
    folders: BTreeSet<FileId>,
    n_files: usize,
}

#[derive(Clone, Debug)]
struct Claimant {
    file: FileId,
    claim: Claim,
}

/// Who was created first: the step, and its file.
type Age = (StepKey, FileId);

/// Those who want one path and did not get it.
#[derive(Clone, Debug)]
struct Group {
    /// Oldest first.
    members: BTreeMap<Age, Displaced>,
    /// Names that one of them looked at, in this order.
    tried: Vec<Arc<str>>,
    /// Where the next of them goes on: lower numbers are gone.
    next_number: u32,
}

#[derive(Clone, Debug)]
struct Displaced {
    wanted: RelPath,
    place: Option<RelPath>,
}

/// A name that displaced files looked at.
#[derive(Clone, Debug, Default)]
struct Tried {
    by: BTreeSet<Arc<str>>,
    is_taken: bool,
}

/// A path that can be searched for as plain text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Place(RelPath);

impl Borrow<str> for Place {
    fn borrow(&self) -> &str {
        self.0.as_str()
    }
}

/// Of those who want one path the second is called by this.
const FIRST_NUMBER: u32 = 2;

/// A file and the path that it has now.
type Moved = Vec<(FileId, RelPath)>;

impl Index {
    /// The index of these claims, and those who did not get the path they want.
    pub fn new(claims: Vec<(FileId, Claim)>) -> (Self, Moved) {
        let mut index = Self::default();
        claims.iter().for_each(|(file, claim)| index.count(*file, Some(claim)));
        let mut keyed: Vec<(Arc<str>, Claimant)> =
            claims.into_iter().map(|(file, claim)| (folded(&claim.path).into(), Claimant { file, claim })).collect();
        keyed.sort_by(|a, b| (&a.0, a.1.claim.created, a.1.file).cmp(&(&b.0, b.1.claim.created, b.1.file)));
        let mut groups: Vec<(Arc<str>, Vec<Claimant>)> = Vec::with_capacity(keyed.len());
        for (key, claimant) in keyed {
            match groups.last_mut() {
                Some((last, group)) if *last == key => group.push(claimant),
                _ => groups.push((key, vec![claimant])),
            }
        }
        index.claims = groups.into_iter().map(|(key, group)| (key, Arc::new(group))).collect();
        let mut places = Vec::with_capacity(index.claims.len());
        for (key, group) in &index.claims {
            let members = settle(index.is_folder(key), group, &mut places);
            if !members.is_empty() {
                index.displaced.insert(key.clone(), Group::of(members));
            }
        }
        // Sorted by folded path; a map is built much faster from what is in its own order.
        places.sort_by(|a, b| a.0.cmp(&b.0));
        index.places = places.into_iter().rev().collect();
        let groups = index.displaced.keys().cloned().collect();
        let moved = moved_of(index.place_all(&groups));
        (index, moved)
    }

    /// A file claims something else, or nothing, from now on. Gives all whose path may be another. Touches no more than
    /// what stands at these paths and above them, and who looked there for a name.
    pub fn replace(&mut self, file: FileId, before: Option<Claim>, after: Option<Claim>) -> Moved {
        self.uncount(file, before.as_ref());
        self.count(file, after.as_ref());
        let watched = self.watched(before.iter().chain(&after));
        let key_of = |claim: &Claim| Arc::<str>::from(folded(&claim.path));
        let key_before = before.as_ref().map(key_of);
        let last = after.clone().map(|claim| (key_of(&claim), claim));
        let last = last.filter(|(key, claim)| key_before.as_ref() != Some(key) && self.would_be_last(file, key, claim));
        let key_after = after.as_ref().filter(|_| last.is_none()).map(key_of);
        let mut keys: BTreeSet<Arc<str>> = key_before.into_iter().chain(key_after).collect();
        keys.iter().for_each(|key| self.unsettle(key));
        before.into_iter().for_each(|claim| self.remove(file, &claim));
        after.into_iter().for_each(|claim| self.insert(file, claim));
        let mut groups = self.note_changes(watched, &mut keys);
        groups.extend(keys.iter().cloned());
        self.take_off(&mut groups);
        let mut moved: Moved = keys.iter().flat_map(|key| self.settle(key)).collect();
        let last = last.filter(|(key, _)| !keys.contains(key));
        if let Some((_, claim)) = last.as_ref().filter(|(_, claim)| claim.is_folder) {
            self.places.entry(Place(claim.path.clone())).or_insert(file);
            moved.push((file, claim.path.clone()));
        }
        let last =
            last.filter(|(_, claim)| !claim.is_folder).map(|(key, claim)| (key, (claim.created, file), claim.path));
        moved.extend(moved_of(self.place(groups, last)));
        moved
    }

    /// What of these paths, and of the folders above them, somebody claims or looked at; whether it is a folder, and whether
    /// anybody can have its name.
    fn watched<'a>(&self, claims: impl Iterator<Item = &'a Claim>) -> BTreeMap<Arc<str>, (bool, bool)> {
        let mut watched = BTreeMap::new();
        for claim in claims {
            let folded = folded(&claim.path);
            let ends = folded.match_indices('/').map(|(end, _)| end).chain([folded.len()]);
            for key in ends.map(|end| &folded[..end]) {
                if self.claims.contains_key(key) || self.tried.contains_key(key) {
                    watched.insert(key.into(), (self.is_folder(key), self.is_occupied(key)));
                }
            }
        }
        watched
    }

    /// Adds to `keys` those that became a folder, or are none any more, and gives who looked at a name that was free or is.
    fn note_changes(
        &mut self,
        watched: BTreeMap<Arc<str>, (bool, bool)>,
        keys: &mut BTreeSet<Arc<str>>,
    ) -> BTreeSet<Arc<str>> {
        let mut groups = BTreeSet::new();
        for (key, (was_folder, was_occupied)) in watched {
            if self.is_occupied(&key) != was_occupied
                && let Some(tried) = self.tried.get(&key)
            {
                groups.extend(tried.by.iter().cloned());
            }
            if self.is_folder(&key) != was_folder && keys.insert(key.clone()) {
                self.unsettle(&key);
            }
        }
        groups
    }

    /// Whether a new claim changes nothing for those who are at its path: others were there before, and it is the youngest.
    fn would_be_last(&self, file: FileId, key: &str, claim: &Claim) -> bool {
        let last = self.claims.get(key).and_then(|group| group.last());
        last.is_some_and(|last| (last.claim.created, last.file) < (claim.created, file))
            && (!claim.is_folder || self.is_folder(key))
    }

    fn count(&mut self, file: FileId, claim: Option<&Claim>) {
        match claim {
            Some(claim) if claim.is_folder => drop(self.folders.insert(file)),
            Some(_) => self.n_files += 1,
            None => {}
        }
    }

    fn uncount(&mut self, file: FileId, claim: Option<&Claim>) {
        match claim {
            Some(claim) if claim.is_folder => drop(self.folders.remove(&file)),
            Some(_) => self.n_files -= 1,
            None => {}
        }
    }

    /// Claimants that are folders, by id.
    pub fn folders(&self) -> impl Iterator<Item = FileId> + '_ {
        self.folders.iter().copied()
    }

    /// How many claimants are no folders.
    pub fn n_files(&self) -> usize {
        self.n_files
    }

    fn insert(&mut self, file: FileId, claim: Claim) {
        let group = Arc::make_mut(self.claims.entry(folded(&claim.path).into()).or_default());
        let idx = group.partition_point(|other| (other.claim.created, other.file) < (claim.created, file));
        group.insert(idx, Claimant { file, claim });
    }

    fn remove(&mut self, file: FileId, claim: &Claim) {
        let key = folded(&claim.path);
        if let Some(group) = self.claims.get_mut(key.as_str()) {
            Arc::make_mut(group).retain(|claimant| claimant.file != file);
            if group.is_empty() {
                self.claims.remove(key.as_str());
            }
        }
    }

    /// Takes a place's claimants off it.
    fn unsettle(&mut self, key: &str) {
        for claimant in self.claims.get(key).into_iter().flat_map(|group| group.iter()) {
            let path = claimant.claim.path.as_str();
            if self.places.get(path) == Some(&claimant.file) {
                self.places.remove(path);
            }
        }
    }

    /// Gives a place to whoever it belongs to; the others have none yet.
    fn settle(&mut self, key: &Arc<str>) -> Moved {
        self.displaced.remove(key);
        let Some(group) = self.claims.get(key) else { return Vec::new() };
        let mut places = Vec::new();
        let members = settle(self.is_folder(key), group, &mut places);
        if !members.is_empty() {
            self.displaced.insert(key.clone(), Group::of(members));
        }
        let moved = places.iter().map(|(place, file)| (*file, place.0.clone())).collect();
        // From the newest to the oldest folder of this path, so that the oldest stays.
        self.places.extend(places.into_iter().rev());
        moved
    }

    /// Takes these groups off their names; and all who looked at one of these, too: they join them.
    fn take_off(&mut self, groups: &mut BTreeSet<Arc<str>>) {
        let mut left: Vec<Arc<str>> = groups.iter().cloned().collect();
        while let Some(key) = left.pop() {
            let Some(group) = self.displaced.get_mut(&key) else { continue };
            group.next_number = FIRST_NUMBER;
            for ((_, file), displaced) in &mut group.members {
                let place = displaced.place.take();
                if let Some(place) = place.filter(|place| self.places.get(place.as_str()) == Some(file)) {
                    self.places.remove(place.as_str());
                }
            }
            for name in std::mem::take(&mut group.tried) {
                let tried = self.tried.remove(&name);
                let others = tried.into_iter().flat_map(|tried| tried.by).filter(|other| groups.insert(other.clone()));
                left.extend(others);
            }
        }
    }

    /// Finds names for these groups, and for whoever came as the youngest of its group. Who looks at the same names as they
    /// is placed along with them: so it is the same in whatever order they came.
    fn place(&mut self, mut groups: BTreeSet<Arc<str>>, last: Option<(Arc<str>, Age, RelPath)>) -> Vec<(Age, RelPath)> {
        let mut placed = Vec::new();
        if let Some((key, age, wanted)) = last {
            let group = self.displaced.entry(key.clone()).or_insert_with(|| Group::of(BTreeMap::new()));
            group.members.insert(age, Displaced { wanted, place: None });
            if !groups.contains(&key) {
                let (place, is_shared) = self.place_one(&key, age);
                placed.extend(place.map(|place| (age, place)));
                groups.extend(Some(key).filter(|_| is_shared));
            }
        }
        loop {
            let n_groups = groups.len();
            self.take_off(&mut groups);
            let others = self.place_all(&groups);
            placed.retain(|(age, _)| others.iter().all(|(other, _)| other != age));
            let tried = groups.iter().filter_map(|key| self.displaced.get(key)).flat_map(|group| &group.tried);
            let by = tried.filter_map(|name| self.tried.get(name)).flat_map(|tried| tried.by.iter().cloned());
            let by: Vec<Arc<str>> = by.collect();
            groups.extend(by);
            if groups.len() == n_groups {
                placed.extend(others);
                placed.sort_by_key(|(age, _)| *age);
                return placed;
            }
        }
    }

    /// Finds a name for each of these groups, oldest first.
    fn place_all(&mut self, groups: &BTreeSet<Arc<str>>) -> Vec<(Age, RelPath)> {
        let of_group = |key| self.displaced.get(key).map(|group| (key, group));
        let members = groups
            .iter()
            .filter_map(of_group)
            .flat_map(|(key, group)| group.members.keys().map(move |age| (*age, key)));
        let mut members: Vec<(Age, &Arc<str>)> = members.collect();
        members.sort_unstable();
        members.into_iter().filter_map(|(age, key)| Some((age, self.place_one(key, age).0?))).collect()
    }

    /// Finds a name: one that nobody claims and nobody before got. Says whether somebody of another group looked at the
    /// same.
    fn place_one(&mut self, key: &Arc<str>, age: Age) -> (Option<RelPath>, bool) {
        let Some(mut group) = self.displaced.remove(key) else { return (None, false) };
        let mut is_shared = false;
        let mut found = None;
        if let Some(displaced) = group.members.get_mut(&age) {
            for number in group.next_number..=u32::MAX {
                group.next_number = number;
                let path = numbered(&displaced.wanted, number, &age.1);
                let name: Arc<str> = folded(&path).into();
                let is_occupied = self.is_occupied(&name);
                let tried = self.tried.entry(name.clone()).or_default();
                if tried.by.insert(key.clone()) {
                    group.tried.push(name);
                }
                is_shared |= tried.by.len() > 1;
                if !is_occupied && !std::mem::replace(&mut tried.is_taken, true) {
                    self.places.insert(Place(path.clone()), age.1);
                    displaced.place = Some(path.clone());
                    found = Some(path);
                    break;
                }
            }
        }
        self.displaced.insert(key.clone(), group);
        (found, is_shared)
    }

    /// Whether somebody claims this folded path, or is below it.
    fn is_occupied(&self, key: &str) -> bool {
        self.claims.contains_key(key) || self.is_folder(key)
    }

    /// Whether a folder is at this folded path: one of its own, or one that files are in.
    fn is_folder(&self, key: &str) -> bool {
        let own = self.claims.get(key).is_some_and(|group| group.iter().any(|claimant| claimant.claim.is_folder));
        own || {
            let below = format!("{key}/");
            let from = (Bound::Included(below.as_str()), Bound::Unbounded);
            self.claims.range::<str, _>(from).next().is_some_and(|(next, _)| next.starts_with(&below))
        }
    }

    pub fn by_path(&self, path: &RelPath) -> Option<FileId> {
        self.places.get(path.as_str()).copied()
    }

    /// All claimants, by path.
    pub fn alive(&self) -> impl Iterator<Item = FileId> + '_ {
        let own = self.places.values().copied();
        // Folders that share the path of an older one have no place of their own.
        let twins = self.claims.values().filter(|group| group.len() > 1).flat_map(|group| group.iter());
        own.chain(twins.filter(|claimant| self.is_twin_folder(claimant)).map(|claimant| claimant.file))
    }

    fn is_twin_folder(&self, claimant: &Claimant) -> bool {
        claimant.claim.is_folder && self.places.get(claimant.claim.path.as_str()) != Some(&claimant.file)
    }

    /// Each direct child once: its path, who is there, and whether anything is below it.
    pub fn children(&self, folder: Option<&RelPath>) -> Vec<(RelPath, Option<FileId>, bool)> {
        let prefix = folder.map_or_else(String::new, |folder| format!("{folder}/"));
        let mut children: Vec<(RelPath, Option<FileId>, bool)> = Vec::new();
        let mut from = prefix.clone();
        while let Some((Place(path), file)) =
            self.places.range::<str, _>((Bound::Included(from.as_str()), Bound::Unbounded)).next()
            && let Some(rest) = path.as_str().strip_prefix(&prefix)
        {
            match rest.split_once('/') {
                None => {
                    children.push((path.clone(), Some(*file), false));
                    // The smallest text above this one.
                    from = format!("{path}\0");
                }
                Some((name, _)) => {
                    let Ok(path) = RelPath::parse(&format!("{prefix}{name}")) else { break };
                    let own = self.by_path(&path);
                    // Its own node came by before, perhaps with others between: `a`, `a b`, `a/c`.
                    children.retain(|child| own.is_none() || child.0 != path);
                    // '0' follows '/': past all that is below.
                    from = format!("{path}0");
                    children.push((path, own, true));
                }
            }
        }
        children
    }

    pub fn within(&self, folder: &RelPath) -> Vec<FileId> {
        let prefix = format!("{folder}/");
        let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
        let below = self.places.range::<str, _>(from).take_while(|(path, _)| path.0.as_str().starts_with(&prefix));
        let folded = folded(folder);
        let below_folded = format!("{folded}/");
        let from = (Bound::Included(folded.as_str()), Bound::Unbounded);
        let claims = self.claims.range::<str, _>(from).take_while(|(key, _)| key.starts_with(&folded));
        let twins = claims
            .filter(|(key, group)| group.len() > 1 && (***key == *folded || key.starts_with(&below_folded)))
            .flat_map(|(_, group)| group.iter())
            .filter(|claimant| self.is_twin_folder(claimant) && claimant.claim.path.is_within(folder));
        self.by_path(folder)
            .into_iter()
            .chain(below.map(|(_, file)| *file))
            .chain(twins.map(|claimant| claimant.file))
            .collect()
    }
}

/// [`RelPath::folded`], quicker where there is nothing to it.
fn folded(path: &RelPath) -> String {
    if path.as_str().is_ascii() { path.as_str().to_ascii_lowercase() } else { path.folded() }
}

impl Group {
    fn of(members: BTreeMap<Age, Displaced>) -> Self {
        Self { members, tried: Vec::new(), next_number: FIRST_NUMBER }
    }
}

fn moved_of(placed: Vec<(Age, RelPath)>) -> Moved {
    placed.into_iter().map(|((_, file), path)| (file, path)).collect()
}

/// Gives each of a place's claimants, oldest first, the place, and those back who do not get it.
fn settle(is_folder: bool, group: &[Claimant], places: &mut Vec<(Place, FileId)>) -> BTreeMap<Age, Displaced> {
    let mut displaced = BTreeMap::new();
    let mut is_taken = is_folder;
    for Claimant { file, claim } in group {
        if claim.is_folder || !is_taken {
            places.push((Place(claim.path.clone()), *file));
            is_taken = true;
        } else {
            let wanted = claim.path.clone();
            displaced.insert((claim.created, *file), Displaced { wanted, place: None });
        }
    }
    displaced
}

/// `name (2).ext`, shortened where a name cannot be that long.
fn numbered(path: &RelPath, n: u32, file: &FileId) -> RelPath {
    let (stem, extension) = match path.name().rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
        _ => (path.name(), String::new()),
    };
    let tail = format!(" ({n}){extension}");
    let mut stem = stem.to_owned();
    while stem.len() + tail.len() > NAME_BYTES_MAX && stem.pop().is_some() {}
    let folder = path.parent().map_or_else(String::new, |folder| format!("{folder}/"));
    // An extension that fills the whole name leaves no room: its id is a name as well.
    RelPath::parse(&format!("{folder}{stem}{tail}"))
        .or_else(|_| RelPath::parse(&format!("{folder}{file}-{n}")))
        .unwrap_or_else(|_| path.clone())
}
