//! What a machine can find unfinished on a screen: texts cut off or too faint, controls that overlap, have no name or are
//! outside the window, a focus that cannot be seen. The eyes are `review.js`; here is what is done with what they find.

use crate::harness::App;
use anyhow::{Result, bail};
use serde_json::json;
use std::collections::BTreeMap;

const EYES: &str = include_str!("review.js");

/// Everything found so far, and on which screens.
#[derive(Default)]
pub struct Review {
    found: BTreeMap<String, Vec<String>>,
    n_screens: usize,
}

impl Review {
    /// Looks at what the window shows now.
    pub async fn look(&mut self, app: &App, screen: &str) -> Result<()> {
        self.n_screens += 1;
        let answer = app.web.execute(EYES, vec![json!(true)]).await?;
        let sentences: Vec<String> = serde_json::from_value(answer.json().clone())?;
        for sentence in sentences {
            self.found.entry(sentence).or_default().push(screen.to_owned());
        }
        Ok(())
    }

    /// Says all that was found, and fails when that is anything.
    pub fn finish(self) -> Result<()> {
        println!("review: looked at {} screens", self.n_screens);
        if self.found.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> =
            self.found.iter().map(|(sentence, screens)| format!("{sentence}\n    on {}", screens.join(", "))).collect();
        bail!("{} things look unfinished:\n{}", lines.len(), lines.join("\n"))
    }
}

/// The theme, without choosing it for good.
pub async fn show_theme(app: &App, theme: &str) -> Result<()> {
    let script = "const done = arguments[arguments.length - 1];
        window.__cs.workbench.session.previewed = { theme: arguments[0] };
        requestAnimationFrame(() => requestAnimationFrame(() => done(document.documentElement.dataset.theme)));";
    let answer = app.web.execute_async(script, vec![json!(theme)]).await?;
    if answer.json() != &json!(theme) {
        bail!("the theme should be {theme} and is {}", answer.json());
    }
    Ok(())
}
