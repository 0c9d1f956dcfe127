//! A kernel in the test's own process, on a runtime that ends when the kernel does, as a process
//! would.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use firesteel_kernel::history::History;
use firesteel_kernel::serve::{About, Signals, serve};
use firesteel_kernel::wire::connection::Connection;
use firesteel_kernel::wire::iopub::Limits;
use jupyter_protocol::connection_info::Transport;
use jupyter_protocol::{ConnectionInfo, HelpLink, LanguageInfo};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::script::{Remote, Script};
use super::within;
use crate::ports;

/// How a kernel is started.
pub struct Options {
    /// Where it listens.
    pub info: ConnectionInfo,
    /// How much its publisher bears.
    pub limits: Limits,
    /// Where its history is; nowhere otherwise.
    pub history: Option<PathBuf>,
    /// How long its interpreter takes to end.
    pub ending: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            info: free_ports(),
            limits: Limits::default(),
            history: None,
            ending: Duration::ZERO,
        }
    }
}

/// A connection over TCP on five ports that are free now, with a key.
pub fn free_ports() -> ConnectionInfo {
    let [shell_port, iopub_port, stdin_port, control_port, hb_port] =
        std::array::from_fn(|_| ports::free());
    ConnectionInfo {
        ip: "127.0.0.1".to_owned(),
        transport: Transport::TCP,
        shell_port,
        iopub_port,
        stdin_port,
        control_port,
        hb_port,
        key: "a test's secret".to_owned(),
        signature_scheme: "hmac-sha256".to_owned(),
        kernel_name: None,
    }
}

/// A connection over files in this folder.
pub fn files_in(folder: &Path) -> ConnectionInfo {
    ConnectionInfo {
        ip: folder.join("kernel").display().to_string(),
        transport: Transport::IPC,
        shell_port: 1,
        iopub_port: 2,
        stdin_port: 3,
        control_port: 4,
        hb_port: 5,
        ..free_ports()
    }
}

/// A kernel that runs. It is stopped when dropped.
pub struct Kernel {
    /// Where it listens.
    pub info: ConnectionInfo,
    /// Its interpreter's other end.
    pub remote: Remote,
    interrupts: mpsc::Sender<()>,
    stop: CancellationToken,
    ended: Option<oneshot::Receiver<Result<(), String>>>,
}

impl Kernel {
    /// Starts one.
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    /// Starts one with options.
    pub fn with(options: Options) -> Self {
        let remote = Remote::default();
        let interpreter = Script::new(remote.clone(), options.ending);
        let (interrupts, interrupted) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let signals = Signals {
            interrupts: interrupted,
            stop: stop.clone(),
        };
        let info = options.info.clone();
        let (tell, ended) = oneshot::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime");
            let connection = Connection::new(options.info).expect("a connection");
            let history = options
                .history
                .as_deref()
                .map_or_else(History::in_memory, History::open);
            let served = runtime.block_on(serve(
                &connection,
                Box::new(interpreter),
                about(),
                history,
                options.limits,
                signals,
            ));
            // As a process ends: nothing that still runs is waited for.
            runtime.shutdown_background();
            // The test may be over.
            let _ = tell.send(served.map_err(|error| error.to_string()));
        });
        Self {
            info,
            remote,
            interrupts,
            stop,
            ended: Some(ended),
        }
    }

    /// What SIGINT does.
    pub async fn interrupt(&self) {
        self.interrupts.send(()).await.expect("the kernel listens");
    }

    /// What SIGTERM does.
    pub fn terminate(&self) {
        self.stop.cancel();
    }

    /// Waits until it has ended, and gives how.
    pub async fn ended(&mut self) -> Result<(), String> {
        let ended = self.ended.take().expect("it ends once");
        within("the kernel's end", ended)
            .await
            .expect("its thread tells")
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.stop.cancel();
        self.remote.release();
        self.remote.unblock();
    }
}

fn about() -> About {
    About {
        implementation: "scripted".to_owned(),
        version: "1.2.3".to_owned(),
        language: LanguageInfo {
            name: "script".to_owned(),
            version: "0".to_owned(),
            mimetype: Some("text/x-script".to_owned()),
            file_extension: Some(".script".to_owned()),
            pygments_lexer: None,
            codemirror_mode: None,
            nbconvert_exporter: None,
        },
        banner: "A kernel for tests".to_owned(),
        help_links: vec![HelpLink {
            text: "Help".to_owned(),
            url: "https://example.org/".to_owned(),
        }],
    }
}
