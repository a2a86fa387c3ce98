//! The screens that show what others do while one works: their carets, whom one follows, chat and activity, a merge. Told
//! to the window by hand (`working_screens.js`); between two real windows it is tried in `working`.

use crate::harness::App;
use crate::screenshots::{Album, command};
use anyhow::Result;
use thirtyfour::Key;

const PEOPLE: &str = include_str!("people_screens.js");
const WORKING: &str = include_str!("working_screens.js");

impl Album<'_> {
    /// With the text open and the caret in it.
    pub async fn working(&mut self, app: &App) -> Result<()> {
        app.script(PEOPLE).await?;
        app.script(WORKING).await?;
        for (n_others, name) in [(1, "carets-2"), (11, "carets-12")] {
            app.script(&format!("window.__cs.people.set({n_others})")).await?;
            tell(app, "carets").await?;
            self.keep(app, name).await?;
        }
        tell(app, "follow").await?;
        app.until_shown("follow-pill", true).await?;
        self.keep(app, "follow").await?;
        command(app, "follow.stop").await?;
        self.messages(app).await?;
        self.merge(app).await?;
        tell(app, "away").await?;
        app.until_shown("away-card", true).await?;
        self.keep(app, "away").await?;
        app.click("away-close").await?;
        app.script("window.__cs.people.set(0)").await?;
        app.click_editor().await
    }

    async fn messages(&mut self, app: &App) -> Result<()> {
        command(app, "chat.show").await?;
        app.until_shown("chat-field", true).await?;
        self.keep(app, "chat-empty").await?;
        tell(app, "messages").await?;
        tell(app, "writing").await?;
        app.click("chat-link-here").await?;
        app.until_shown("chat-pending", true).await?;
        self.keep(app, "chat").await?;
        app.click("chat-field").await?;
        app.keys("@").await?;
        app.until_shown("chat-names", true).await?;
        self.keep(app, "chat-names").await?;
        app.keys(Key::Escape).await?;
        command(app, "activity.show").await?;
        app.until_shown("activity-act", true).await?;
        self.keep(app, "activity").await?;
        app.click("right-close").await
    }

    async fn merge(&mut self, app: &App) -> Result<()> {
        tell(app, "merged").await?;
        self.keep(app, "merge-notice").await?;
        tell(app, "quiet").await?;
        command(app, "merge.review").await?;
        app.until_shown("merge-place", true).await?;
        app.click("merge-right").await?;
        self.keep(app, "merge-review").await?;
        command(app, "tabs.close").await?;
        tell(app, "toasts").await?;
        self.keep(app, "toasts-of-others").await?;
        tell(app, "quiet").await
    }
}

async fn tell(app: &App, what: &str) -> Result<()> {
    app.script(&format!("window.__cs.working.{what}()")).await?;
    app.idle().await
}
