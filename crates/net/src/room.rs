//! Who gives way where there is not room for all: strangers, and among them those who take most of it. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The oldest one of the address that most come from. `all` begins with the oldest.
pub fn gives_way<T>(all: impl IntoIterator<Item = (Option<IpAddr>, T)>) -> Option<T> {
    let mut addresses = BTreeMap::new();
    for (n_older, (address, who)) in all.into_iter().enumerate() {
        addresses.entry(address).or_insert((0, Reverse(n_older), who)).0 += 1;
    }
    addresses.into_values().max_by_key(|(n_there, n_older, _)| (*n_there, *n_older)).map(|(.., who)| who)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([10, 0, 0, last]))
    }

    #[test]
    fn whoever_comes_many_times_gives_way_to_those_who_came_once() {
        assert_eq!(gives_way([(at(1), 'a'), (at(9), 'b'), (at(2), 'c'), (at(9), 'd')]), Some('b'));
    }

    #[test]
    fn among_equals_the_oldest_gives_way() {
        assert_eq!(gives_way([(at(9), 'a'), (at(1), 'b'), (at(5), 'c')]), Some('a'));
        assert_eq!(gives_way([(at(1), 'a'), (at(9), 'b'), (at(9), 'c'), (at(1), 'd')]), Some('a'));
        assert_eq!(gives_way::<char>([]), None);
    }
}
