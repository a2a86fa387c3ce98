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
    /// Those who did not get the path they want, oldest first.
    displaced: BTreeMap<(StepKey, FileId), Displaced>,
    /// Those of the claimants that are folders; how many are none.
    folders: BTreeSet<FileId>,
    n_files: usize,
}

#[derive(Clone, Debug)]
struct Claimant {
    file: FileId,
    claim: Claim,
}

#[derive(Clone, Debug)]
struct Displaced {
    wanted: RelPath,
    place: Option<RelPath>,
}

/// A path that can be searched for as plain text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Place(RelPath);

impl Borrow<str> for Place {
    fn borrow(&self) -> &str {
        self.0.as_str()
    }
}

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
        let mut moved = Vec::new();
        let mut places = Vec::with_capacity(index.claims.len());
        for (key, group) in &index.claims {
            settle(index.is_folder(key), group, &mut places, &mut index.displaced);
        }
        // Sorted by folded path; a map is built much faster from what is in its own order.
        places.sort_by(|a, b| a.0.cmp(&b.0));
        index.places = places.into_iter().rev().collect();
        index.place_displaced(&mut moved);
        (index, moved)
    }

    /// A file claims something else, or nothing, from now on. Gives all whose path may be another.
    pub fn replace(&mut self, file: FileId, before: Option<Claim>, after: Option<Claim>) -> Moved {
        self.uncount(file, before.as_ref());
        self.count(file, after.as_ref());
        let mut affected = BTreeSet::new();
        for claim in before.iter().chain(&after) {
            let folded = folded(&claim.path);
            let ends = folded.match_indices('/').map(|(end, _)| end);
            affected
                .extend(ends.map(|end| Arc::<str>::from(&folded[..end])).filter(|key| self.claims.contains_key(key)));
            affected.insert(folded.into());
        }
        for key in &affected {
            self.unsettle(key);
        }
        self.take_displaced_off();
        if let Some(claim) = before {
            self.remove(file, &claim);
        }
        if let Some(claim) = after {
            let group = Arc::make_mut(self.claims.entry(folded(&claim.path).into()).or_default());
            let idx = group.partition_point(|other| (other.claim.created, other.file) < (claim.created, file));
            group.insert(idx, Claimant { file, claim });
        }
        let mut moved = Vec::new();
        for key in &affected {
            let Some(group) = self.claims.get(key) else { continue };
            let mut places = Vec::new();
            settle(self.is_folder(key), group, &mut places, &mut self.displaced);
            moved.extend(places.iter().map(|(place, file)| (*file, place.0.clone())));
            // From the newest to the oldest folder of this path, so that the oldest stays.
            self.places.extend(places.into_iter().rev());
        }
        self.place_displaced(&mut moved);
        moved
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

    fn remove(&mut self, file: FileId, claim: &Claim) {
        let key = folded(&claim.path);
        if let Some(group) = self.claims.get_mut(key.as_str()) {
            Arc::make_mut(group).retain(|claimant| claimant.file != file);
            if group.is_empty() {
                self.claims.remove(key.as_str());
            }
        }
    }

    /// Takes a place's claimants off their places.
    fn unsettle(&mut self, key: &str) {
        for claimant in self.claims.get(key).into_iter().flat_map(|group| group.iter()) {
            let path = claimant.claim.path.as_str();
            if self.places.get(path) == Some(&claimant.file) {
                self.places.remove(path);
            }
            let displaced = self.displaced.remove(&(claimant.claim.created, claimant.file));
            if let Some(place) = displaced.and_then(|displaced| displaced.place) {
                self.places.remove(place.as_str());
            }
        }
    }

    fn take_displaced_off(&mut self) {
        for displaced in self.displaced.values_mut() {
            if let Some(place) = displaced.place.take() {
                self.places.remove(place.as_str());
            }
        }
    }

    /// Finds a name for each, oldest first: one that nobody claims and nobody before got.
    fn place_displaced(&mut self, moved: &mut Moved) {
        let mut taken = BTreeSet::new();
        // Where to go on for those who want the same: lower numbers are gone.
        let mut next_numbers: BTreeMap<String, u32> = BTreeMap::new();
        let mut displaced = std::mem::take(&mut self.displaced);
        for ((_, file), displaced) in &mut displaced {
            let number = next_numbers.entry(folded(&displaced.wanted)).or_insert(2);
            let mut names = (*number..=u32::MAX).map(|n| {
                *number = n;
                numbered(&displaced.wanted, n, file)
            });
            let mut is_free = |path: &RelPath| {
                let key = folded(path);
                !self.claims.contains_key(key.as_str()) && !self.is_folder(&key) && taken.insert(key)
            };
            let Some(place) = names.find(|path| is_free(path)) else { continue };
            self.places.insert(Place(place.clone()), *file);
            moved.push((*file, place.clone()));
            displaced.place = Some(place);
        }
        self.displaced = displaced;
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

/// Gives each of a place's claimants, oldest first, the place or puts it among the displaced.
fn settle(
    is_folder: bool,
    group: &[Claimant],
    places: &mut Vec<(Place, FileId)>,
    displaced: &mut BTreeMap<(StepKey, FileId), Displaced>,
) {
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
