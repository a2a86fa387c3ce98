//! The rule about yrs: it is not memory-safe on hostile updates, so bytes reach it from one call only, which is given
//! what `doc` made itself from validated names. Who names yrs at all is a matter of `arrows`.

use super::{Finding, Source};

/// The file with that call.
const PLACE: &str = "crates/doc/src/text/order.rs";
/// What takes bytes into a yrs document, or makes something of yrs out of bytes.
const DOORS: &[&str] = &[
    "decode_v1(",
    "decode_v2(",
    "apply_update(",
    "Update::decode",
    "StateVector::decode",
    "merge_updates",
    "diff_updates",
    "Snapshot::decode",
    "EncoderV",
    "DecoderV",
];
/// The doors that the one call needs: bytes are decoded, and the update is applied.
const NEEDED: &[&str] = &["decode_v1(", "apply_update("];

/// Finds every other way of bytes into yrs. Tests and comparisons (`bench`) may do as they like.
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| is_product(&source.path) && names_yrs(&source.text)) {
        if source.path != PLACE {
            findings.push(Finding::failure(&source.path, format!("names yrs; only {PLACE} may")));
        }
    }
    for source in sources.iter().filter(|source| source.path == PLACE) {
        for door in DOORS {
            let lines: Vec<usize> = places(&source.text, door);
            let n_allowed = usize::from(NEEDED.contains(door) || *door == "Update::decode");
            for line in lines.iter().skip(n_allowed) {
                let sentence = format!("a second way of bytes into yrs (`{door}`); there is one, and it stays one");
                findings.push(Finding::failure(format!("{PLACE}:{line}"), sentence));
            }
            if NEEDED.contains(door) && lines.is_empty() {
                findings.push(Finding::failure(
                    PLACE,
                    format!("has no `{door}` any more: see whether this rule still looks at the right place"),
                ));
            }
        }
    }
    findings
}

fn is_product(path: &str) -> bool {
    let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
    path.ends_with(".rs") && !is_test && !path.starts_with("crates/bench/") && !path.starts_with("crates/xtask/")
}

fn names_yrs(text: &str) -> bool {
    text.lines().map(code_of).any(|line| line.contains("yrs::") || line.contains("use yrs"))
}

/// Numbers of the lines in which it stands as code.
fn places(text: &str, what: &str) -> Vec<usize> {
    let lines = text.lines().map(code_of).enumerate();
    lines.filter(|(_, line)| line.contains(what)).map(|(idx, _)| idx + 1).collect()
}

/// A line without its comment.
fn code_of(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}
