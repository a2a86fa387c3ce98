#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn a_bug_is_a_name_a_sentence_and_places() {
    let bugs =
        read("# Text.\n\nlate: It is late.\n  crates/a/b.rs\n  -    one\n  -    two\n  +    one && !BUG\n  -*x\n")
            .unwrap();
    assert_eq!((bugs.len(), bugs[0].name.as_str(), bugs[0].sentence.as_str()), (1, "late", "It is late."));
    assert_eq!(bugs[0].patches[0].before, "    one\n    two\nx");
    let patch =
        Patch { before: "one".into(), after: "one && !BUG".into(), file: "crates/a/b.rs".into(), is_everywhere: false };
    assert_eq!(patched("if one {", &bugs[0], &patch).unwrap(), "if one && !codesync_base::bug(\"late\") {");
    assert!(patched("one one", &bugs[0], &patch).unwrap_err().to_string().contains("stands there 2 times"));
}

/// Whoever changes a line that a bug is about is told so here, and not a year later.
#[test]
fn every_deliberate_bug_still_has_its_places() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let bugs = read(&fs::read_to_string(root.join(LIST)).unwrap()).unwrap();
    assert!(bugs.len() >= 20, "{}", bugs.len());
    let mut files = std::collections::BTreeMap::new();
    for bug in &bugs {
        assert!(!bug.patches.is_empty(), "{}", bug.name);
        for patch in &bug.patches {
            let text = files.entry(&patch.file).or_insert_with(|| fs::read_to_string(root.join(&patch.file)).unwrap());
            *text = patched(text, bug, patch).unwrap();
        }
    }
    assert!(files.values().all(|text| text.contains("bug(\"")));
}

/// They are in no source that is built for people.
#[test]
fn the_sources_have_no_switch_for_bugs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let base = fs::read_to_string(root.join("crates/base/src/lib.rs")).unwrap();
    assert!(!base.contains("fn bug("));
}
