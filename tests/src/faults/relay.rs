//! A relay in front of a real server that breaks a connection exactly behind a response.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use firesteel_session::address::Address;
use firesteel_session::client::Client;
use firesteel_session::proto;
use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::JoinSet;

use super::frames::{Frame, PREFACE};
use super::responses::{Response, Responses};

/// A side of the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who asks.
    Client,
    /// Who answers.
    Server,
}

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is reset towards this side. Towards the other it stays open, and silent.
    Reset(Side),
    /// Nothing gets through to this side any more. What that side says still does.
    Silent(Side),
    /// The client hears nothing for so long.
    Delay(Duration),
    /// The client's last request to reattach comes a second time, by another connection.
    Reattach,
}

/// What the connections of a relay share.
struct State {
    client: Client,
    server: SocketAddr,
    faults: Mutex<Faults>,
    open: Mutex<usize>,
}

struct Faults {
    passed: usize,
    streams: usize,
    operations: BTreeSet<(String, String)>,
    repeated: usize,
    to_come: VecDeque<(usize, Fault)>,
}

/// A running relay. Dropping it closes all connections.
pub struct Relay {
    address: Address,
    state: Arc<State>,
    _tasks: JoinSet<()>,
}

impl Relay {
    /// Starts a relay before the server that `client` asks, which listens on this port of this
    /// machine. Each fault comes once as many responses of executions have passed as stand with it,
    /// over all connections together; they are in this order.
    pub async fn start(
        client: Client,
        port: u16,
        faults: impl IntoIterator<Item = (usize, Fault)>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap();
        let address = Address {
            transport: Address::tcp("localhost", own.port(), "").transport,
            ..client.address().clone()
        };
        let state = Arc::new(State {
            client,
            server: SocketAddr::from(([127, 0, 0, 1], port)),
            faults: Mutex::new(Faults {
                passed: 0,
                streams: 0,
                operations: BTreeSet::new(),
                repeated: 0,
                to_come: faults.into_iter().collect(),
            }),
            open: Mutex::new(0),
        });
        let mut tasks = JoinSet::new();
        let shared = state.clone();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                connections.spawn(shared.clone().serve(client));
            }
        });
        Self {
            address,
            state,
            _tasks: tasks,
        }
    }

    /// How to reach the server by this relay.
    pub fn address(&self) -> Address {
        self.address.clone()
    }

    /// How many responses have passed.
    pub fn passed(&self) -> usize {
        self.state.faults.lock().unwrap().passed
    }

    /// How many streams they came in.
    pub fn streams(&self) -> usize {
        self.state.faults.lock().unwrap().streams
    }

    /// The executions that responses came of, as their sessions' ids and their own.
    pub fn operations(&self) -> BTreeSet<(String, String)> {
        self.state.faults.lock().unwrap().operations.clone()
    }

    /// How often the server took a second request for what follows a response.
    pub fn repeated(&self) -> usize {
        self.state.faults.lock().unwrap().repeated
    }

    /// How many faults have not come.
    pub fn to_come(&self) -> usize {
        self.state.faults.lock().unwrap().to_come.len()
    }

    /// How many connections the client holds open.
    pub fn open(&self) -> usize {
        *self.state.open.lock().unwrap()
    }
}

/// How a connection goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// Nothing gets through to this side.
    Silent(Side),
}

/// What is to be done with a connection, besides passing frames on.
enum Cut {
    /// One of the ends closed it.
    Closed,
    Reset(Side),
}

/// One connection, as both of its directions see it.
struct Connection<'a> {
    state: &'a State,
    way: Mutex<Way>,
    to_client: AsyncMutex<WriteHalf<'a>>,
}

impl State {
    async fn serve(self: Arc<Self>, mut client: TcpStream) {
        *self.open.lock().unwrap() += 1;
        let server = TcpStream::connect(self.server).await;
        let mut server = server.unwrap();
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        match self.relay(&mut client, &mut server).await {
            Cut::Closed => drop(client),
            Cut::Reset(Side::Client) => reset(client),
            Cut::Reset(Side::Server) => {
                reset(server);
                drain(&mut client).await;
                drop(client);
                *self.open.lock().unwrap() -= 1;
                return;
            }
        }
        *self.open.lock().unwrap() -= 1;
        // The server is not told: whoever cut the connection told it nothing.
        std::future::pending::<()>().await;
        drop(server);
    }

    /// Passes frames on until the connection is over.
    async fn relay(&self, client: &mut TcpStream, server: &mut TcpStream) -> Cut {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let connection = Connection {
            state: self,
            way: Mutex::new(Way::Open),
            to_client: AsyncMutex::new(to_client),
        };
        tokio::select! {
            // A fault before the first response comes before the first request.
            biased;
            cut = connection.answers(from_server) => cut.unwrap_or(Cut::Closed),
            // What is written after the other end has gone fails.
            _ = connection.requests(from_client, to_server) => Cut::Closed,
        }
    }

    /// Counts a response that has passed, and its stream if it is the first in it.
    fn passed(&self, response: &Response, first: bool) {
        let mut faults = self.faults.lock().unwrap();
        faults.passed += 1;
        faults.streams += usize::from(first);
        let operation = (response.session.clone(), response.operation.clone());
        faults.operations.insert(operation);
    }

    /// The next fault, if it is time for it.
    fn due(&self) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let due = faults.to_come.front()?.0 <= faults.passed;
        due.then(|| faults.to_come.pop_front())
            .flatten()
            .map(|(_, fault)| fault)
    }

    /// Asks for what follows a response, as its client did or would do; what comes is not read.
    async fn reattach(&self, after: Option<&Response>) {
        let Some(after) = after else { return };
        let user = proto::UserContext {
            user_id: self.client.address().user_id.clone(),
            ..proto::UserContext::default()
        };
        let request = proto::ReattachExecuteRequest {
            session_id: after.session.clone(),
            user_context: Some(user),
            operation_id: after.operation.clone(),
            last_response_id: Some(after.id.clone()),
            ..proto::ReattachExecuteRequest::default()
        };
        // The operation may be over, or have nothing more to say for now.
        let asked = self.client.reattach_execute(request);
        if let Ok(Ok(_taken)) = tokio::time::timeout(Duration::from_secs(1), asked).await {
            self.faults.lock().unwrap().repeated += 1;
        }
    }
}

impl Connection<'_> {
    /// Passes on what the server says.
    async fn answers(&self, from: ReadHalf<'_>) -> io::Result<Cut> {
        let mut from = BufReader::new(from);
        let mut responses = Responses::default();
        let mut stream = 0;
        if let Some(reset) = self.fault(None).await {
            return Ok(reset);
        }
        while let Some(mut frame) = Frame::read(&mut from).await? {
            while frame.is_data()
                && let Some((at, response)) = responses.read(&frame)
            {
                let (before, behind) = frame.cut(at);
                // A fault may have made it silent since the frame was read.
                if self.tell_client(&before).await? {
                    let last = std::mem::replace(&mut stream, frame.stream);
                    self.state.passed(&response, stream != last);
                    if let Some(reset) = self.fault(Some(&response)).await {
                        return Ok(reset);
                    }
                }
                frame = behind;
            }
            self.tell_client(&frame).await?;
        }
        Ok(Cut::Closed)
    }

    /// Passes on what the client says. Its pings are answered here: Spark takes no more than one
    /// in ten seconds.
    async fn requests(&self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> io::Result<()> {
        let mut preface = *PREFACE;
        from.read_exact(&mut preface).await?;
        if !self.is_silent(Side::Server) {
            to.write_all(&preface).await?;
        }
        let mut from = BufReader::new(from);
        while let Some(frame) = Frame::read(&mut from).await? {
            if self.is_silent(Side::Server) {
                continue;
            }
            match frame.pong() {
                Some(pong) => {
                    self.tell_client(&pong).await?;
                }
                None => to.write_all(&frame.bytes()).await?,
            }
        }
        Ok(())
    }

    /// Sends the client a frame, unless nothing gets through to it. Gives whether it was sent.
    async fn tell_client(&self, frame: &Frame) -> io::Result<bool> {
        let mut to = self.to_client.lock().await;
        if self.is_silent(Side::Client) {
            return Ok(false);
        }
        to.write_all(&frame.bytes()).await?;
        Ok(true)
    }

    fn is_silent(&self, side: Side) -> bool {
        *self.way.lock().unwrap() == Way::Silent(side)
    }

    /// Lets the faults come whose time it is. Gives the one that ends the connection.
    async fn fault(&self, response: Option<&Response>) -> Option<Cut> {
        while let Some(fault) = self.state.due() {
            match fault {
                Fault::Reset(side) => return Some(Cut::Reset(side)),
                Fault::Silent(side) => *self.way.lock().unwrap() = Way::Silent(side),
                Fault::Delay(time) => {
                    let _held = self.to_client.lock().await;
                    tokio::time::sleep(time).await;
                }
                Fault::Reattach => self.state.reattach(response).await,
            }
        }
        None
    }
}

/// Closes a connection as a process that crashes or a firewall does.
fn reset(connection: TcpStream) {
    set_socket_linger(&connection, Some(Duration::ZERO)).unwrap();
    drop(connection);
}

/// Reads what nobody hears, until its sender closes.
async fn drain(from: &mut TcpStream) {
    let _closed = tokio::io::copy(from, &mut tokio::io::sink()).await;
}
