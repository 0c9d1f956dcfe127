//! The real kernel in a process of its own, and its front end.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::process::Stdio;

use rustix::process::Signal;
use tokio::process::{Child, Command};
use uuid::Uuid;

use super::kernel::free_ports;
use super::{Client, within};
use crate::drivers::{Machine, START, processes, program};

/// A kernel on a machine of a test's own. It is killed when it is dropped.
pub struct Process {
    child: Child,
    client: Client,
}

impl Process {
    /// Starts `firesteel kernel` and connects to it.
    pub async fn start(machine: &Machine) -> Self {
        let info = free_ports();
        let file = machine.root().join(format!("{}.json", Uuid::new_v4()));
        fs::write(&file, serde_json::to_vec(&info).unwrap()).unwrap();
        let child = Command::new(program("firesteel"))
            .args(["kernel", "-f"])
            .arg(&file)
            .envs(machine.variables())
            .current_dir(machine.root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut client = Client::connect(&info).await;
        client.patience = START;
        Self { child, client }
    }

    /// Its process id.
    ///
    /// # Panics
    /// When it has ended.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        processes::signal(self.pid(), signal);
    }

    /// Waits for its end.
    pub async fn ended(&mut self) {
        within("the kernel's end", self.child.wait()).await.unwrap();
    }
}

impl Deref for Process {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Process {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}
