//! The screens with other people on them. The people are put in by hand (`people_screens.js`): what they do is tried in
//! `together`, between two real windows.

use crate::harness::App;
use crate::screenshots::{Album, command};
use anyhow::Result;
use thirtyfour::Key;

const PEOPLE: &str = include_str!("people_screens.js");

impl Album<'_> {
    /// The first page, with people nearby and without.
    pub async fn neighbours(&mut self, app: &App) -> Result<()> {
        app.script(PEOPLE).await?;
        people(app, "setNearby(true)").await?;
        self.keep(app, "welcome-nearby").await?;
        command(app, "people.join").await?;
        app.until_shown("join-code", true).await?;
        app.keys("7 crossover clo").await?;
        self.keep(app, "join").await?;
        for (name, joining) in [
            ("join-searching", "{ kind: 'searching' }"),
            ("join-wrong", "{ kind: 'failed', id: 'MSG-PAIR-2', sentence: '', nTriesLeft: 2 }"),
            (
                "join-waiting",
                "{ kind: 'waiting', person: 'Asha', words: ['harbor', 'violin'], untilMs: Date.now() + 108000 }",
            ),
        ] {
            app.script(&format!("window.__cs.workbench.people.joining = {joining}")).await?;
            self.keep(app, name).await?;
        }
        app.script("window.__cs.workbench.people.joining = null").await?;
        app.keys(Key::Escape).await?;
        app.until_shown("join-dialog", false).await?;
        command(app, "people.connectionCheck").await?;
        app.until_shown("connection-check", true).await?;
        self.keep(app, "connection-check").await?;
        app.keys(Key::Escape).await?;
        app.until_shown("connection-check", false).await?;
        people(app, "setNearby(false)").await?;
        app.until_state("nearby", "nobody").await?;
        self.keep(app, "welcome-nobody").await
    }

    /// The workbench with two and with twelve people, and what there is about them.
    pub async fn together(&mut self, app: &App) -> Result<()> {
        app.script(PEOPLE).await?;
        people(app, "setNearby(true)").await?;
        people(app, "set(1)").await?;
        self.keep(app, "bench-2").await?;
        app.click("save-pill").await?;
        app.until_shown("sync", true).await?;
        self.keep(app, "sync").await?;
        app.keys(Key::Escape).await?;
        people(app, "set(11)").await?;
        command(app, "people.show").await?;
        app.until_shown("people-panel", true).await?;
        self.keep(app, "bench-12").await?;
        people(app, "invite()").await?;
        app.until_shown("code", true).await?;
        self.keep(app, "pairing").await?;
        people(app, "invite({ state: 'switchedOff', nWrong: 3 })").await?;
        self.keep(app, "pairing-over").await?;
        app.click("invite-done").await?;
        app.until_shown("invite", false).await?;
        for (name, kind) in [("accept", "new"), ("accept-known", "known"), ("accept-other-key", "otherKey")] {
            people(app, &format!("ask('{kind}')")).await?;
            app.until_shown("accept", true).await?;
            self.keep(app, name).await?;
        }
        people(app, "set(11)").await?;
        app.until_shown("accept", false).await?;
        app.script("window.__cs.workbench.commands.run('people.remove', 'device-1')").await?;
        app.until_shown("people-question", true).await?;
        self.keep(app, "remove").await?;
        app.keys(Key::Escape).await?;
        self.standings(app).await?;
        people(app, "set(0)").await?;
        self.keep(app, "people-alone").await?;
        command(app, "view.explorer").await
    }

    async fn standings(&mut self, app: &App) -> Result<()> {
        for (name, set) in [
            ("offline", "setOffline()"),
            ("catching-up", "set(2, { link: { kind: 'catchingUp', nLeft: 1240, nAll: 3264 } })"),
            (
                "needs-you",
                "set(2, { link: { kind: 'needsYou', id: 'MSG-VER-2', sentence: 'Your CodeSync is too old to edit with Bo’s.' } })",
            ),
            ("viewer", "set(2, { role: 'viewer' })"),
            ("removed", "removed()"),
        ] {
            people(app, set).await?;
            self.keep(app, name).await?;
        }
        Ok(())
    }
}

async fn people(app: &App, call: &str) -> Result<()> {
    app.script(&format!("window.__cs.people.{call}")).await?;
    app.idle().await
}
