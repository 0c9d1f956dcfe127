//! A relay in front of a server, whose connections can be cut.

use std::path::Path;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Relays connections until told otherwise.
pub(super) struct Relay {
    /// Counts the cuts; `None` when there are to be no more connections.
    cuts: watch::Sender<Option<u64>>,
}

impl Relay {
    pub(super) fn start(door: &Path, inner: &Path, tasks: &mut JoinSet<()>) -> Self {
        let listener = UnixListener::bind(door).unwrap();
        let inner = inner.to_owned();
        let (cuts, cut) = watch::channel(Some(0));
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut cut = cut.clone();
                let Some(cuts) = *cut.borrow_and_update() else {
                    continue;
                };
                let inner = inner.clone();
                connections.spawn(async move {
                    let mut server = UnixStream::connect(inner).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        _ = cut.wait_for(|now| *now != Some(cuts)) => {}
                    }
                });
            }
        });
        Self { cuts }
    }

    /// Cuts all connections.
    pub(super) fn cut(&self) {
        self.cuts
            .send_modify(|cuts| *cuts = cuts.map(|cuts| cuts + 1));
    }

    /// Cuts all connections, and any further ones as they come.
    pub(super) fn vanish(&self) {
        self.cuts.send_replace(None);
    }
}
