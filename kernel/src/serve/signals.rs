//! What the system tells the process, as the kernel hears it.

use std::io;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, getppid, test_kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::Signals;

/// How often it is looked at whether the parent lives. ipykernel looks as often.
const LOOK: Duration = Duration::from_secs(1);

/// Hears SIGINT as an interrupt and SIGTERM as the end. The end comes too when the process dies
/// that started this one, where `parent` says which: what Jupyter puts into `JPY_PARENT_PID`.
///
/// Signals are heard until the handle is dropped.
///
/// # Errors
/// When the system does not let signals be heard.
pub fn of_process(parent: Option<u32>) -> io::Result<(Signals, AbortOnDropHandle<()>)> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    // One interrupt that waits stands for all that came meanwhile.
    let (interrupt, interrupts) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let signals = Signals {
        interrupts,
        stop: stop.clone(),
    };
    let parent = parent.and_then(Parent::new);
    let hear = async move {
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                Some(()) = interrupted.recv() => {
                    // Full: the one that waits will do.
                    let _ = interrupt.try_send(());
                }
                Some(()) = terminated.recv() => {
                    tracing::info!("asked to end by SIGTERM");
                    return stop.cancel();
                }
                _ = look.tick(), if parent.is_some() => {
                    if parent.as_ref().is_some_and(|parent| !parent.lives()) {
                        tracing::info!("the process that started this kernel is gone");
                        return stop.cancel();
                    }
                }
            }
        }
    };
    Ok((signals, AbortOnDropHandle::new(tokio::spawn(hear))))
}

/// The process whose death ends this one.
struct Parent {
    pid: Pid,
    /// Whether it started this process itself, and not through a shell or the like.
    direct: bool,
}

impl Parent {
    fn new(pid: u32) -> Option<Self> {
        let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
        let parent = Self {
            pid,
            direct: getppid() == Some(pid),
        };
        if !parent.lives() {
            // A number of another container, most likely: it says nothing about here.
            tracing::warn!(%pid, "the parent that was named does not exist; its death goes unheard");
            return None;
        }
        Some(parent)
    }

    /// A child of a process that ended, even if nobody has waited for it yet, gets a new parent.
    fn lives(&self) -> bool {
        let exists = test_kill_process(self.pid) != Err(Errno::SRCH);
        exists && (!self.direct || getppid() == Some(self.pid))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_parent_lives_until_its_process_is_gone() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let parent = Parent::new(child.id()).unwrap();
        assert!(parent.lives());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!parent.lives());
        assert!(Parent::new(child.id()).is_none());
        assert!(Parent::new(0).is_none());
    }
}
