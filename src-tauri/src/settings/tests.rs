#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn settings_survive_and_stay_usable() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read(folder.path()), Settings::default());
    let wanted = Settings { theme: "hc-dark".into(), zoom_percent: 5000, tab_size: 2, ..Settings::default() };
    write(folder.path(), wanted).unwrap();
    let found = read(folder.path());
    assert_eq!((found.theme.as_str(), found.zoom_percent, found.tab_size), ("hc-dark", 300, 2));
}

#[test]
fn a_partial_file_keeps_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE), r#"{"theme":"purple","wordWrap":true}"#).unwrap();
    let found = read(folder.path());
    assert!(found.word_wrap);
    assert_eq!(found.theme, "system");
}
