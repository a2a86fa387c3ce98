//! Build step of the desktop shell: embeds the configuration, icons and capabilities.

fn main() {
    // With a pattern of our own Tauri does not watch the folder by itself.
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    let attributes = tauri_build::Attributes::new().capabilities_path_pattern("./src-tauri/capabilities/**/*.json");
    tauri_build::try_build(attributes).expect("invariant: tauri.conf.json and the capabilities are valid");
}
