//! Finding in history, against counting in the whole text of every moment.
#![allow(clippy::unwrap_used)]

use super::Hit;
use crate::FileTimeline;
use crate::testing::{history, info};
use codesync_base::Splice;

fn places(text: &str, needle: &str) -> Vec<u32> {
    let (text, needle): (Vec<u16>, Vec<u16>) = (text.encode_utf16().collect(), needle.encode_utf16().collect());
    let all = text.windows(needle.len()).enumerate();
    all.filter(|(_, window)| *window == needle).map(|(position, _)| position as u32).collect()
}

#[test]
fn hits_are_the_moments_at_which_the_count_changes() {
    for seed in 0..20 {
        let history = history(seed, 500);
        for needle in ["a", "ab", "aa", "aabaab", "漢字", "🎉", "\n", "x = 1", "e\u{301}", "nowhere"] {
            let mut wanted = Vec::new();
            let mut before = 0;
            for (n, text) in history.texts.iter().enumerate() {
                let count = places(text, needle).len();
                if count != before {
                    wanted.push((n, count > before));
                }
                before = count;
            }
            let hits = history.timeline.find(needle, usize::MAX);
            let found: Vec<(usize, bool)> = hits.iter().map(|hit| (hit.n, hit.appeared)).collect();
            assert_eq!(found, wanted, "seed {seed}, {needle:?}");
            for hit in &hits {
                let moment = if hit.appeared { hit.n } else { hit.n - 1 };
                assert!(places(&history.texts[moment], needle).contains(&hit.position), "seed {seed}, {hit:?}");
            }
            assert_eq!(history.timeline.find(needle, 3), hits[..hits.len().min(3)]);
        }
    }
}

#[test]
fn a_word_typed_letter_by_letter_appears_with_its_last_letter() {
    let mut timeline = FileTimeline::new("");
    for (idx, letter) in ["f", "o", "o"].iter().enumerate() {
        timeline.push(&info(idx + 1, 0, idx as u64), &Splice::new(idx as u32, 0, *letter));
    }
    timeline.push(&info(4, 0, 4), &Splice::new(1, 1, ""));
    let wanted = [Hit { n: 3, appeared: true, position: 0 }, Hit { n: 4, appeared: false, position: 0 }];
    assert_eq!(timeline.find("foo", 10), wanted);
    assert!(timeline.find("", 10).is_empty());
}
