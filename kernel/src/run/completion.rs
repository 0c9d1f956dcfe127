//! Answers what could stand at a cursor: asks for what is known, and once for what that lacks.

use std::time::Duration;

use super::cells::Settings;
use super::folder::Folders;
use super::interpreter::{Completion, Completions};
use super::vars;
use crate::cell::{self, Given, HERE, Known, Lack, ProposalKind, Proposals, Word};
use crate::display::rows;
use crate::engine::{CatalogCache, Source};

/// How long a completion waits for Spark to name columns, or for a folder to be listed.
pub(super) const PATIENCE: Duration = Duration::from_millis(400);

/// What a completion asks.
pub(super) struct Asks<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) settings: &'a Settings,
    pub(super) catalog: &'a mut CatalogCache,
    pub(super) folders: &'a Folders,
}

impl Asks<'_> {
    /// What could stand at `cursor`, an offset in Unicode code points. Starts no driver.
    pub(super) async fn complete(&mut self, text: &str, cursor: usize) -> Completions {
        let mut known = Known {
            catalog: self.catalog.snapshot(),
            kept: kept(self.settings),
            parameters: vars::parameters(self.settings),
            given: None,
        };
        let mut found = cell::complete(text, cursor, &known);
        if let Some(lack) = found.lack.take() {
            known.given = Some(self.give(lack).await);
            found = cell::complete(text, cursor, &known);
        }
        if let Some(live) = self.source.background() {
            self.catalog
                .describe(&live, std::mem::take(&mut found.undescribed));
            if !found.unknown.is_empty() {
                let unknown = std::mem::take(&mut found.unknown);
                self.catalog.learn(&live, unknown, PATIENCE).await;
                known.catalog = self.catalog.snapshot();
                found = cell::complete(text, cursor, &known);
            }
        }
        answer(found)
    }

    async fn give(&self, lack: Lack) -> Given {
        match lack {
            Lack::Profiles => Given::Profiles(self.source.profile_names()),
            Lack::Folder(path) => Given::Folder(self.list(&path).await),
        }
    }

    /// What is in a folder that the driver reads as well.
    async fn list(&self, path: &str) -> Option<Vec<cell::Entry>> {
        let here = self.source.here()?;
        let folder = match path.strip_prefix(HERE) {
            Some(within) => here.join(within),
            None => path.into(),
        };
        Some(self.folders.list(folder, PATIENCE).await)
    }
}

fn kept(settings: &Settings) -> Vec<Word> {
    let kept = settings.shelf.list();
    let word = |(name, kept): (&str, &std::sync::Arc<crate::kept::Kept>)| Word {
        name: name.to_owned(),
        about: rows(kept.rows),
    };
    kept.map(word).collect()
}

fn answer(found: Proposals) -> Completions {
    let matches = found.matches.into_iter().map(|proposal| Completion {
        text: proposal.text,
        kind: match proposal.kind {
            ProposalKind::Magic => "magic",
            ProposalKind::Keyword => "keyword",
            ProposalKind::Column => "column",
            ProposalKind::Table => "table",
            ProposalKind::Schema => "schema",
            ProposalKind::Function => "function",
            ProposalKind::Value => "variable",
            ProposalKind::Path => "path",
        },
        signature: proposal.signature,
    });
    Completions {
        matches: matches.collect(),
        start: found.start,
        end: found.end,
    }
}
