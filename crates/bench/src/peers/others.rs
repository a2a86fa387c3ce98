//! Text CRDTs of others, each in memory and each told of one edit at a time, as an editor tells it. None of them may be
//! used outside this file.

use crate::figures::{Gathered, timed};
use crate::traces::Trace;
use crate::typing::ours;
use anyhow::{Context, Result, ensure};
use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ROOT, ReadDoc};
use codesync_api::Splice;

pub fn measure(trace: &Trace, figures: &mut Gathered) -> Result<()> {
    one::<Loro>(trace, figures)?;
    one::<Automerge>(trace, figures)?;
    one::<DiamondTypes>(trace, figures)?;
    one::<Cola>(trace, figures)
}

fn one<P: Peer>(trace: &Trace, figures: &mut Gathered) -> Result<()> {
    let mut peer = P::new()?;
    let (done, took) = timed(|| trace.edits.iter().try_for_each(|edit| peer.edit(edit)));
    done.with_context(|| format!("{} refused an edit", P::NAME))?;
    ensure!(peer.text()? == trace.end_text, "{} has another end text than the trace", P::NAME);
    let rate = trace.edits.len() as f64 / took.as_secs_f64();
    figures.add(format!("{}, in memory", P::NAME), rate, "edits/s").against(&ours(256));
    Ok(())
}

/// A text that another library keeps. Traces are ASCII, so positions mean the same to all.
trait Peer: Sized {
    const NAME: &str;
    fn new() -> Result<Self>;
    fn edit(&mut self, edit: &Splice) -> Result<()>;
    fn text(&self) -> Result<String>;
}

/// One commit an edit.
struct Loro {
    doc: loro::LoroDoc,
    text: loro::LoroText,
}

impl Peer for Loro {
    const NAME: &str = "loro";

    fn new() -> Result<Self> {
        let doc = loro::LoroDoc::new();
        let text = doc.get_text("text");
        Ok(Self { doc, text })
    }

    fn edit(&mut self, edit: &Splice) -> Result<()> {
        if edit.1 > 0 {
            self.text.delete(edit.0 as usize, edit.1 as usize)?;
        }
        if !edit.2.is_empty() {
            self.text.insert(edit.0 as usize, &edit.2)?;
        }
        self.doc.commit();
        Ok(())
    }

    fn text(&self) -> Result<String> {
        Ok(self.text.to_string())
    }
}

/// One transaction for the whole session: a change an edit is what it is slowest at.
struct Automerge {
    doc: AutoCommit,
    text: automerge::ObjId,
}

impl Peer for Automerge {
    const NAME: &str = "automerge (one transaction)";

    fn new() -> Result<Self> {
        let mut doc = AutoCommit::new();
        let text = doc.put_object(ROOT, "text", ObjType::Text)?;
        Ok(Self { doc, text })
    }

    fn edit(&mut self, edit: &Splice) -> Result<()> {
        Ok(self.doc.splice_text(&self.text, edit.0 as usize, edit.1 as isize, &edit.2)?)
    }

    fn text(&self) -> Result<String> {
        Ok(self.doc.text(&self.text)?)
    }
}

struct DiamondTypes {
    list: diamond_types::list::ListCRDT,
    agent: diamond_types::AgentId,
}

impl Peer for DiamondTypes {
    const NAME: &str = "diamond-types";

    fn new() -> Result<Self> {
        let mut list = diamond_types::list::ListCRDT::new();
        let agent = list.get_or_create_agent_id("bench");
        Ok(Self { list, agent })
    }

    fn edit(&mut self, edit: &Splice) -> Result<()> {
        let start = edit.0 as usize;
        if edit.1 > 0 {
            self.list.delete_without_content(self.agent, start..start + edit.1 as usize);
        }
        if !edit.2.is_empty() {
            self.list.insert(self.agent, start, &edit.2);
        }
        Ok(())
    }

    fn text(&self) -> Result<String> {
        Ok(self.list.branch.content().to_string())
    }
}

/// It keeps no text: that is in a plain rope beside it.
struct Cola {
    replica: cola::Replica,
    rope: crop::Rope,
}

impl Peer for Cola {
    const NAME: &str = "cola and a rope";

    fn new() -> Result<Self> {
        Ok(Self { replica: cola::Replica::new(1, 0), rope: crop::Rope::new() })
    }

    fn edit(&mut self, edit: &Splice) -> Result<()> {
        let start = edit.0 as usize;
        if edit.1 > 0 {
            let range = start..start + edit.1 as usize;
            drop(self.replica.deleted(range.clone()));
            self.rope.delete(range);
        }
        if !edit.2.is_empty() {
            drop(self.replica.inserted(start, edit.2.len()));
            self.rope.insert(start, &edit.2);
        }
        Ok(())
    }

    fn text(&self) -> Result<String> {
        Ok(self.rope.to_string())
    }
}
