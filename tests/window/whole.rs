//! The first hour of a person with CodeSync, in one go.

use crate::harness::{App, scenario};
use anyhow::Result;

const SIZE: (u32, u32) = (1366, 768);

#[test]
fn starts() {
    scenario(SIZE, async |home, screen| -> Result<()> {
        home.write("notes.txt", "first line\n")?;
        let app = App::start(home, screen, &[&home.project().join("notes.txt")]).await?;
        app.picture(std::path::Path::new("/tmp/start.png")).await?;
        app.quit().await
    });
}
