//! Only what is linked into the window counts, and everything has a licence.

use super::*;

fn package(name: &str, source: Value, license: Value) -> Value {
    json!({ "id": name, "name": name, "source": source, "license": license, "license_file": null })
}

fn needs(id: &str, kind: Value) -> Value {
    json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] })
}

#[test]
fn parts_of_parts_are_listed_and_tools_and_our_own_are_not() {
    let registry = json!("registry");
    let metadata = json!({
        "packages": [
            package("codesync-desktop", Value::Null, json!("MIT")),
            package("codesync-node", Value::Null, json!("MIT")),
            package("rope", registry.clone(), json!("MIT/Apache-2.0")),
            package("knot", registry.clone(), json!("ISC")),
            package("builder", registry.clone(), json!("GPL-3.0")),
            package("tester", registry, Value::Null),
        ],
        "resolve": { "nodes": [
            { "id": "codesync-desktop", "deps": [needs("codesync-node", Value::Null), needs("builder", json!("build")), needs("tester", json!("dev"))] },
            { "id": "codesync-node", "deps": [needs("rope", Value::Null)] },
            { "id": "rope", "deps": [needs("knot", Value::Null)] },
        ] },
    });
    let found = linked(&metadata).expect("every part has a licence");
    let wanted = [("knot", "ISC"), ("rope", "MIT OR Apache-2.0")];
    assert_eq!(found, wanted.map(|(name, licence)| (name.to_owned(), licence.to_owned())).into());
}

#[test]
fn a_part_without_a_licence_is_an_obstacle() {
    let metadata = json!({
        "packages": [package("codesync-desktop", Value::Null, json!("MIT")), package("rope", json!("registry"), Value::Null)],
        "resolve": { "nodes": [{ "id": "codesync-desktop", "deps": [needs("rope", Value::Null)] }] },
    });
    assert!(linked(&metadata).is_err());
}
