#![allow(clippy::unwrap_used)]

use super::*;

fn parse(words: &[&str]) -> Result<Asked, String> {
    Arguments::parse(words.iter().map(OsString::from), Path::new("/"))
}

#[test]
fn no_words_open_the_window_as_it_was() {
    assert_eq!(parse(&[]), Ok(Asked::Window(Arguments::default())));
}

#[test]
fn unknown_options_and_second_places_are_refused_in_plain_words() {
    assert!(parse(&["--fast"]).unwrap_err().contains("--fast"));
    assert!(parse(&["/tmp", "/usr"]).unwrap_err().contains("Only one"));
}

#[test]
fn a_file_opens_the_workspace_it_belongs_to_at_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::fs::create_dir_all(root.join(".git")).unwrap();
    std::fs::create_dir_all(root.join("src")).unwrap();
    std::fs::write(root.join("src/a:b.rs"), "x").unwrap();
    let place = Place::find(&"src/a:b.rs:12".into(), &root);
    assert_eq!(place, Place { folder: root.clone(), goto: Some(("src/a:b.rs".into(), 12)) });
    assert_eq!(Place::find(&place.word(), Path::new("/")), place, "the word of a place means it");
    let place = Place::find(&"src/a:b.rs".into(), &root);
    assert_eq!(place.goto, Some(("src/a:b.rs".into(), 1)));
}

#[test]
fn a_missing_path_is_kept_for_the_sentence_about_it() {
    let place = Place::find(&"/nowhere/at/all:3".into(), Path::new("/"));
    assert_eq!(place, Place { folder: "/nowhere/at/all:3".into(), goto: None });
}

#[test]
fn a_window_of_its_own_may_be_empty() {
    let asked = parse(&["--new-window", "--", "--odd"]).unwrap();
    let Asked::Window(arguments) = asked else { panic!("{asked:?}") };
    assert!(arguments.new_window && arguments.place.unwrap().folder.ends_with("--odd"));
    assert!(matches!(parse(&["-n"]), Ok(Asked::Window(Arguments { new_window: true, place: None, .. }))));
}
