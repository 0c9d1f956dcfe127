//! The connection file: where a kernel listens and with which key it signs.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
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
    /// It leaves a port open; a front end would not find what the system chooses.
    #[error("the connection file names no {0} port; the program that wrote it has to choose one")]
    Port(&'static str),
    /// It gives two sockets one port.
    #[error(
        "the connection file gives {0} the port of {1}; the program that wrote it has to choose another"
    )]
    Shared(&'static str, &'static str),
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

impl Channel {
    const ALL: [Self; 5] = [
        Self::Shell,
        Self::Control,
        Self::Stdin,
        Self::Iopub,
        Self::Heartbeat,
    ];

    /// Its name, as Jupyter has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Control => "control",
            Self::Stdin => "stdin",
            Self::Iopub => "iopub",
            Self::Heartbeat => "heartbeat",
        }
    }
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
        if let Some(warning) = open_to_others(path, &info) {
            tracing::warn!(path = %path.display(), "{warning}");
        }
        Self::new(info)
    }

    /// Takes a connection that is already parsed.
    ///
    /// # Errors
    /// When it asks for a way of signing that this kernel does not know, leaves a port open, or gives
    /// one twice.
    pub fn new(info: ConnectionInfo) -> Result<Self, ConnectionError> {
        if !info.key.is_empty() && info.signature_scheme != "hmac-sha256" {
            return Err(ConnectionError::Scheme(info.signature_scheme));
        }
        let connection = Self { info };
        for (at, channel) in Channel::ALL.into_iter().enumerate() {
            let port = connection.port(channel);
            if port == 0 {
                return Err(ConnectionError::Port(channel.name()));
            }
            let mut before = Channel::ALL[..at].iter();
            if let Some(other) = before.find(|other| connection.port(**other) == port) {
                return Err(ConnectionError::Shared(channel.name(), other.name()));
            }
        }
        Ok(connection)
    }

    pub(crate) fn key(&self) -> Key {
        Key::new(&self.info.key)
    }

    fn port(&self, channel: Channel) -> u16 {
        match channel {
            Channel::Shell => self.info.shell_port,
            Channel::Control => self.info.control_port,
            Channel::Stdin => self.info.stdin_port,
            Channel::Iopub => self.info.iopub_port,
            Channel::Heartbeat => self.info.hb_port,
        }
    }

    pub(crate) fn address(&self, channel: Channel) -> Address {
        let port = self.port(channel);
        match self.info.transport {
            Transport::TCP => Address::Tcp(self.info.ip.clone(), port),
            Transport::IPC => Address::Ipc(PathBuf::from(format!("{}-{port}", self.info.ip))),
        }
    }
}

/// Why others on this machine could run cells as this user, where they could. Jupyter itself writes
/// a key, and a file that only its user can read.
fn open_to_others(path: &Path, info: &ConnectionInfo) -> Option<&'static str> {
    if info.key.is_empty() {
        return Some(
            "the connection file has no key: whoever reaches the kernel's sockets can run cells. Have the program that wrote it write one",
        );
    }
    let mode = fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o044 != 0).then_some(
        "the connection file can be read by others, and whoever has its key can run cells. Have the program that wrote it write it for its user alone (mode 0600)",
    )
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

    /// Listens there, and exactly there.
    pub(crate) fn bind(&self) -> io::Result<Bound> {
        match self {
            // ZeroMQ's word for every interface.
            Self::Tcp(ip, port) if ip == "*" => TcpListener::bind(("0.0.0.0", *port)),
            Self::Tcp(ip, port) => TcpListener::bind((ip.as_str(), *port)),
            Self::Ipc(path) => {
                remove_if_dead(path)?;
                return UnixListener::bind(path).map(Bound::Ipc);
            }
        }
        .map(Bound::Tcp)
    }
}

/// A socket that listens and has no owner yet.
#[derive(Debug)]
pub(crate) enum Bound {
    Tcp(TcpListener),
    Ipc(UnixListener),
}

/// A kernel that was killed leaves its socket's file behind, and the one that follows it gets the
/// same connection file.
fn remove_if_dead(path: &Path) -> io::Result<()> {
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        // Somebody listens, nothing is there, or binding will say what is wrong.
        _ => Ok(()),
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
    fn a_port_of_zero_is_refused_because_nobody_would_find_the_kernel() {
        let open = read(&FILE.replace("\"iopub_port\": 2", "\"iopub_port\": 0"))
            .err()
            .unwrap();
        assert!(open.to_string().contains("no iopub port"), "{open}");
    }

    #[test]
    fn one_port_for_two_sockets_is_refused_before_either_is_bound() {
        let twice = read(&FILE.replace("\"control_port\": 4", "\"control_port\": 1"))
            .err()
            .unwrap();
        let text = twice.to_string();
        assert!(text.contains("gives control the port of shell"), "{text}");
    }

    #[test]
    fn a_connection_that_others_may_use_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kernel.json");
        fs::write(&path, FILE).unwrap();
        let without_key = FILE.replace("\"key\": \"k\"", "\"key\": \"\"");
        for (mode, text, said) in [
            (0o600, FILE, None),
            (0o644, FILE, Some("read by others")),
            (0o640, FILE, Some("read by others")),
            (0o600, &without_key, Some("no key")),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let warning = open_to_others(&path, &serde_json::from_str(text).unwrap());
            assert_eq!(warning.is_some(), said.is_some(), "{mode:o}");
            assert!(said.is_none_or(|said| warning.unwrap().contains(said)));
        }
    }

    #[test]
    fn a_socket_file_that_a_dead_kernel_left_is_replaced_and_a_living_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let address = Address::Ipc(dir.path().join("k-1"));
        drop(address.bind().unwrap());
        let living = address.bind().unwrap();
        let taken = address.bind().unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        drop(living);
    }

    #[test]
    fn every_way_to_write_an_address_is_understood() {
        for ip in ["*", "::1", "localhost", "0.0.0.0"] {
            Address::Tcp(ip.to_owned(), 0).bind().unwrap();
        }
    }

    #[test]
    fn without_a_key_the_scheme_does_not_matter() {
        let unsigned = FILE
            .replace("\"key\": \"k\"", "\"key\": \"\"")
            .replace("hmac-sha256", "");
        assert!(read(&unsigned).is_ok());
    }
}
