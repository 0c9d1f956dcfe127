//! The connection file: where a kernel listens and with which key it signs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jupyter_protocol::ConnectionInfo;
use jupyter_protocol::connection_info::Transport;

use super::frames::Key;

/// Why a connection file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// It cannot be read.
    #[error("cannot read the connection file {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not what Jupyter writes.
    #[error("the connection file {} is not one that Jupyter writes", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// It asks for another way of signing.
    #[error("the connection file asks for `{0}` signatures; this kernel knows hmac-sha256 alone")]
    Scheme(String),
}

/// One of a kernel's five sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Shell,
    Control,
    Stdin,
    Iopub,
    Heartbeat,
}

/// Where a kernel listens and with which key it signs.
#[derive(Clone)]
pub struct Connection {
    info: ConnectionInfo,
}

impl Connection {
    /// Reads the file that the front end wrote.
    ///
    /// # Errors
    /// When it is missing, malformed, or asks for what this kernel cannot do.
    pub fn read(path: &Path) -> Result<Self, ConnectionError> {
        let text = fs::read(path).map_err(|source| ConnectionError::Read {
            path: path.to_owned(),
            source,
        })?;
        let info = serde_json::from_slice(&text).map_err(|source| ConnectionError::Malformed {
            path: path.to_owned(),
            source,
        })?;
        Self::new(info)
    }

    /// Takes a connection that is already parsed.
    ///
    /// # Errors
    /// When it asks for a way of signing that this kernel does not know.
    pub fn new(info: ConnectionInfo) -> Result<Self, ConnectionError> {
        if !info.key.is_empty() && info.signature_scheme != "hmac-sha256" {
            return Err(ConnectionError::Scheme(info.signature_scheme));
        }
        Ok(Self { info })
    }

    pub(crate) fn key(&self) -> Key {
        Key::new(&self.info.key)
    }

    pub(crate) fn address(&self, channel: Channel) -> Address {
        let port = match channel {
            Channel::Shell => self.info.shell_port,
            Channel::Control => self.info.control_port,
            Channel::Stdin => self.info.stdin_port,
            Channel::Iopub => self.info.iopub_port,
            Channel::Heartbeat => self.info.hb_port,
        };
        match self.info.transport {
            Transport::TCP => Address::Tcp(self.info.ip.clone(), port),
            Transport::IPC => Address::Ipc(PathBuf::from(format!("{}-{port}", self.info.ip))),
        }
    }
}

/// Where one socket listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(String, u16),
    Ipc(PathBuf),
}

impl Address {
    /// As ZeroMQ writes it.
    pub(crate) fn endpoint(&self) -> String {
        match self {
            Self::Tcp(ip, port) => format!("tcp://{ip}:{port}"),
            Self::Ipc(path) => format!("ipc://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"ip": "127.0.0.1", "transport": "tcp", "shell_port": 1,
        "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5, "key": "k",
        "signature_scheme": "hmac-sha256", "kernel_name": "firesteel", "jupyter_session": "x"}"#;

    fn read(text: &str) -> Result<Connection, ConnectionError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kernel.json");
        fs::write(&path, text).unwrap();
        Connection::read(&path)
    }

    #[test]
    fn each_channel_has_its_port_over_tcp_and_its_file_over_ipc() {
        let tcp = read(FILE).unwrap();
        assert_eq!(
            tcp.address(Channel::Control).endpoint(),
            "tcp://127.0.0.1:4"
        );
        let ipc = FILE
            .replace("\"tcp\"", "\"ipc\"")
            .replace("127.0.0.1", "/run/k");
        let ipc = read(&ipc).unwrap();
        assert_eq!(ipc.address(Channel::Iopub).endpoint(), "ipc:///run/k-2");
    }

    #[test]
    fn what_cannot_be_used_is_refused_in_words() {
        let missing = Connection::read(Path::new("/nowhere/k.json"))
            .err()
            .unwrap();
        assert!(missing.to_string().contains("/nowhere/k.json"));
        let malformed = read("{}").err().unwrap();
        assert!(matches!(malformed, ConnectionError::Malformed { .. }));
        let md5 = read(&FILE.replace("hmac-sha256", "hmac-md5"))
            .err()
            .unwrap();
        assert!(md5.to_string().contains("hmac-md5"), "{md5}");
    }

    #[test]
    fn without_a_key_the_scheme_does_not_matter() {
        let unsigned = FILE
            .replace("\"key\": \"k\"", "\"key\": \"\"")
            .replace("hmac-sha256", "");
        assert!(read(&unsigned).is_ok());
    }
}
