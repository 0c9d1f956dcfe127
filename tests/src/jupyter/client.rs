//! A front end. It waits for what it expects, with a deadline, and never sleeps.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use jupyter_protocol::ConnectionInfo;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use zeromq::util::PeerIdentity;
use zeromq::{
    DealerSendHalf, DealerSocket, ReqSocket, Socket as _, SocketOptions, SocketRecv as _,
    SocketSend as _, SubSocket, ZmqMessage,
};

use super::message::{Message, Session};
use super::{DEADLINE, within, within_time};

/// One of the sockets that a front end asks on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Requests in order.
    Shell,
    /// Requests that do not wait.
    Control,
    /// The kernel's questions.
    Stdin,
}

/// What the kernel did with one request.
#[derive(Debug)]
pub struct Done {
    /// Its reply.
    pub reply: Message,
    /// What it published, from busy to idle.
    pub published: Vec<Message>,
}

impl Done {
    /// The types of what was published, in order, and the states by their names.
    pub fn kinds(&self) -> Vec<&str> {
        kinds(&self.published)
    }

    /// Everything printed, as one text.
    pub fn printed(&self) -> String {
        self.published.iter().map(Message::text).collect()
    }
}

/// The types of messages, in order, and the states by their names.
pub fn kinds(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(Message::name).collect()
}

/// A socket whose messages a task collects.
struct Asking {
    socket: DealerSendHalf,
    came: mpsc::UnboundedReceiver<Message>,
    /// What came and was not waited for.
    kept: VecDeque<Message>,
}

/// A front end with all five sockets.
pub struct Client {
    /// Who it is.
    pub session: Session,
    /// How long it waits for any one message before its test fails.
    pub patience: Duration,
    info: ConnectionInfo,
    shell: Asking,
    control: Asking,
    stdin: Asking,
    iopub: mpsc::UnboundedReceiver<Message>,
    published: VecDeque<Message>,
    /// Ends with the client.
    reading: JoinSet<()>,
}

impl Client {
    /// Connects, and waits until the kernel has welcomed it on iopub.
    pub async fn connect(info: &ConnectionInfo) -> Self {
        let mut client = Self::connect_at_once(info).await;
        client
            .published(|message| message.kind() == "iopub_welcome")
            .await;
        client
    }

    /// Connects and knows no welcome: whether its subscription has arrived is not known.
    pub async fn connect_at_once(info: &ConnectionInfo) -> Self {
        let session = Session::new(&info.key);
        let mut reading = JoinSet::new();
        let mut iopub = SubSocket::new();
        within("a subscription", iopub.subscribe(""))
            .await
            .expect("a subscription");
        within("iopub", iopub.connect(&info.iopub_url()))
            .await
            .expect("iopub");
        let (tell, published) = mpsc::unbounded_channel();
        let reader = session.clone();
        reading.spawn(async move {
            while let Ok(message) = iopub.recv().await {
                if tell.send(reader.read(&message.into_vec())).is_err() {
                    return;
                }
            }
        });
        Self {
            shell: asking(&info.shell_url(), &session, &mut reading).await,
            control: asking(&info.control_url(), &session, &mut reading).await,
            stdin: asking(&info.stdin_url(), &session, &mut reading).await,
            info: info.clone(),
            patience: DEADLINE,
            session,
            iopub: published,
            published: VecDeque::new(),
            reading,
        }
    }

    fn asking(&mut self, channel: Channel) -> &mut Asking {
        match channel {
            Channel::Shell => &mut self.shell,
            Channel::Control => &mut self.control,
            Channel::Stdin => &mut self.stdin,
        }
    }

    /// Sends frames as they are.
    pub async fn send_frames(&mut self, channel: Channel, frames: Vec<Bytes>) {
        let message = ZmqMessage::try_from(frames).expect("a message has frames");
        let sent = self.asking(channel).socket.send(message).await;
        sent.expect("the kernel takes messages");
    }

    /// Sends a message and gives its id.
    pub async fn send(&mut self, channel: Channel, message_type: &str, content: Value) -> String {
        let header = self.session.header(message_type);
        self.send_with(channel, &header, &json!({}), content).await
    }

    /// Sends a message with a header and a parent of one's own, and gives its id.
    pub async fn send_with(
        &mut self,
        channel: Channel,
        header: &Value,
        parent: &Value,
        content: Value,
    ) -> String {
        let frames = self.session.frames(header, parent, &content);
        self.send_frames(channel, frames).await;
        header["msg_id"].as_str().unwrap_or_default().to_owned()
    }

    /// The next message on a channel that is as wanted; others wait for who wants them.
    pub async fn received(
        &mut self,
        channel: Channel,
        what: &str,
        wanted: impl Fn(&Message) -> bool,
    ) -> Message {
        let patience = self.patience;
        let asking = self.asking(channel);
        if let Some(at) = asking.kept.iter().position(&wanted) {
            return asking.kept.remove(at).expect("it was found");
        }
        loop {
            let message = within_time(patience, what, asking.came.recv())
                .await
                .expect("the socket lives");
            if wanted(&message) {
                return message;
            }
            asking.kept.push_back(message);
        }
    }

    /// The reply to a request.
    pub async fn reply(&mut self, channel: Channel, id: &str) -> Message {
        self.received(channel, "a reply", |message| message.parent_id() == id)
            .await
    }

    /// Replies that came on a channel and that nobody waited for.
    pub fn unclaimed(&mut self, channel: Channel) -> Vec<Message> {
        let asking = self.asking(channel);
        while let Ok(message) = asking.came.try_recv() {
            asking.kept.push_back(message);
        }
        asking.kept.drain(..).collect()
    }

    /// The next published message that is as wanted; others wait for who wants them.
    pub async fn published(&mut self, wanted: impl Fn(&Message) -> bool) -> Message {
        if let Some(at) = self.published.iter().position(&wanted) {
            return self.published.remove(at).expect("it was found");
        }
        loop {
            let message = self.next_published().await;
            if wanted(&message) {
                return message;
            }
            self.published.push_back(message);
        }
    }

    async fn next_published(&mut self) -> Message {
        within_time(self.patience, "a published message", self.iopub.recv())
            .await
            .expect("iopub lives")
    }

    /// What was published, came, and that nobody waited for.
    pub fn unheard(&mut self) -> Vec<Message> {
        while let Ok(message) = self.iopub.try_recv() {
            self.published.push_back(message);
        }
        self.published.drain(..).collect()
    }

    /// What a request published, up to idle.
    pub async fn until_idle(&mut self, id: &str) -> Vec<Message> {
        let mut mine = Vec::new();
        loop {
            let message = self.published(|message| message.parent_id() == id).await;
            let idle = message.is_status("idle");
            mine.push(message);
            if idle {
                return mine;
            }
        }
    }

    /// Asks, and waits for the reply and for idle.
    pub async fn ask(&mut self, channel: Channel, message_type: &str, content: Value) -> Done {
        let id = self.send(channel, message_type, content).await;
        self.done(channel, &id).await
    }

    /// Waits for the reply and for idle of a request.
    pub async fn done(&mut self, channel: Channel, id: &str) -> Done {
        Done {
            reply: self.reply(channel, id).await,
            published: self.until_idle(id).await,
        }
    }

    /// Executes a cell to its end.
    pub async fn execute(&mut self, code: &str) -> Done {
        let content = execution(code);
        self.ask(Channel::Shell, "execute_request", content).await
    }

    /// Starts a cell, waits until it prints what it has to, and gives its id.
    pub async fn start(&mut self, code: &str, prints: &str) -> String {
        let id = self
            .send(Channel::Shell, "execute_request", execution(code))
            .await;
        self.published(|message| message.parent_id() == id && message.text().contains(prints))
            .await;
        id
    }

    /// Sends a heartbeat and gives what comes back.
    pub async fn heartbeat(&self, payload: &[u8]) -> Vec<u8> {
        let mut socket = ReqSocket::new();
        let url = self.info.hb_url();
        within("the heartbeat's socket", socket.connect(&url))
            .await
            .expect("a connection");
        socket
            .send(payload.to_vec().into())
            .await
            .expect("it is taken");
        let echo = within("an echo", socket.recv()).await.expect("an echo");
        echo.into_vec().concat()
    }

    /// A new socket for questions, as a front end has that connects late.
    pub async fn connect_stdin_again(&mut self) {
        let url = self.info.stdin_url();
        self.stdin = asking(&url, &self.session, &mut self.reading).await;
    }
}

/// An execute request as notebooks send it.
pub fn execution(code: &str) -> Value {
    json!({
        "code": code,
        "silent": false,
        "store_history": true,
        "user_expressions": {},
        "allow_stdin": true,
        "stop_on_error": true,
    })
}

async fn asking(url: &str, session: &Session, reading: &mut JoinSet<()>) -> Asking {
    let mut options = SocketOptions::default();
    let identity = PeerIdentity::try_from(session.id.as_bytes()).expect("a short identity");
    options.peer_identity(identity);
    let mut socket = DealerSocket::with_options(options);
    within("a connection", socket.connect(url))
        .await
        .expect("a connection");
    let (socket, mut receiving) = socket.split();
    let (tell, came) = mpsc::unbounded_channel();
    let session = session.clone();
    reading.spawn(async move {
        while let Ok(message) = receiving.recv().await {
            if tell.send(session.read(&message.into_vec())).is_err() {
                return;
            }
        }
    });
    Asking {
        socket,
        came,
        kept: VecDeque::new(),
    }
}
