//! What the node says is what the document says; the window's own words are compared with the same rows
//! (`ui/src/base/messages.test.ts`).
#![allow(clippy::unwrap_used)]
use super::*;
use codesync_log::Finding;

/// The words of a message, as the document has them with its examples.
fn documented(id: &str) -> String {
    let document = include_str!("../../../../ui/src/base/messagesDocument.ts");
    let row = document.lines().find(|line| line.starts_with(&format!("| {id} |"))).unwrap();
    let words = row.split('|').nth(4).unwrap().trim();
    words.split(" · ").next().unwrap().replace("**", "")
}

fn said(notice: &Notice) -> String {
    format!("{} {}", notice.title, notice.body)
}

fn report(lost: Option<LostSpan>, outcome: Outcome) -> OpenReport {
    let findings = vec![Finding { place: "journal".into(), what: "A block is gone.".into(), outcome }];
    OpenReport { findings, lost, ..OpenReport::default() }
}

#[test]
fn the_node_says_what_the_document_says() {
    assert_eq!(newer_version("CodeSync 0.4", "0.3"), documented("MSG-VER-4"));
    assert_eq!(said(&low_space(480_000_000, 212_000_000)), documented("MSG-DISK-2"));
    let fine = || Checked { n_fine: 42, n_known: 42 };
    let lost = LostSpan { after_ms: None, before_ms: Some(7) };
    let notice = damage(&report(Some(lost), Outcome::Lost), fine, |at_ms| {
        assert_eq!(at_ms, 7);
        "3 Nov 14:02".into()
    });
    let notice = notice.unwrap();
    assert_eq!((notice.id.as_str(), said(&notice)), ("MSG-DISK-4", documented("MSG-DISK-4")));
}

#[test]
fn damage_says_where_in_time_it_is_and_no_more_than_is_known() {
    let some = || Checked { n_fine: 40, n_known: 42 };
    let says = |after_ms, before_ms| {
        let report = report(Some(LostSpan { after_ms, before_ms }), Outcome::Lost);
        damage(&report, some, |at_ms| format!("at {at_ms}")).unwrap().body
    };
    assert!(says(None, Some(2)).starts_with("40 of 42 files are in the folder and can be read. History from at 2 on"));
    assert!(says(Some(1), Some(2)).contains("History up to at 1 and from at 2 on is available."));
    assert!(says(Some(1), None).contains("History up to at 1 is available."));
    let healed = damage(&report(None, Outcome::Healed), || panic!("nothing is to be checked"), |_| String::new());
    assert_eq!(healed.unwrap().id, "MSG-DISK-5");
    assert!(damage(&report(None, Outcome::Unfinished), || panic!("nothing is wrong"), |_| String::new()).is_none());
}
