#![allow(clippy::unwrap_used)]
use super::*;
use codesync_auth::About;

#[test]
fn people_are_remembered_recognised_and_forgotten() {
    let bo = Other { device: DeviceId([171; 32]), about: About::new("Bo Known", "ThinkPad") };
    let other_key = Other { device: DeviceId([172; 32]), ..bo.clone() };
    remember(&bo, 3, 50).unwrap();
    assert_eq!(acquaintance(&read(), &bo), Acquaintance::Known);
    assert_eq!(acquaintance(&read(), &other_key), Acquaintance::OtherKey);
    seen(&bo.device, 70).unwrap();
    // Hearing of a stranger keeps nothing.
    seen(&other_key.device, 70).unwrap();
    let shown: Vec<_> = known_people().into_iter().filter(|known| known.person == "Bo Known").collect();
    assert_eq!(shown.iter().map(|known| known.last_seen_ms).collect::<Vec<_>>(), [70]);
    forget_person(&bo.device.to_string()).unwrap();
    assert_eq!(acquaintance(&read(), &bo), Acquaintance::New);
    assert!(forget_person("nobody").is_err());
}

#[test]
fn a_file_that_cannot_be_read_is_not_taken_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.json");
    assert_eq!(read_anew(&file).unwrap(), People::default());
    fs::write(&file, "{ torn").unwrap();
    assert!(read_anew(&file).is_err() && read_or_nobody(&file) == People::default());
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(read_anew(&file).is_err() && read_or_nobody(&file) == People::default());
}
