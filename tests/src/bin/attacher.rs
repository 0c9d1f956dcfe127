//! A kernel that does nothing but attach: a process that tests kill. Says what it sees, line by
//! line: `starting PHASE`, `ready KEEPER DRIVER SESSION`, `running`, `ended SENTENCE`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test support fails loudly, where it is"
)]

use std::path::PathBuf;

use firesteel_launcher::attach::state::DriverState;
use firesteel_session::engine::Engine as _;
use firesteel_tests::connect::outcome::statement;
use firesteel_tests::drivers::{Machine, own, pids, session};
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let root = PathBuf::from(arguments.next().expect("the machine's folder"));
    let sql = arguments.next().unwrap_or_default();
    let machine = Machine::of_another(&root);
    let kernel = format!("attacher {}", std::process::id());
    let attachment = machine.attach(&kernel).await.unwrap();
    let mut state = attachment.state();
    loop {
        let now = state.borrow_and_update().clone();
        match now {
            DriverState::Starting { phase, .. } => println!("starting {}", phase.words()),
            DriverState::Ready(facts) => {
                let (keeper, driver) = pids(&own(facts));
                let session_id = attachment.address().session_id.unwrap();
                println!("ready {keeper} {driver} {session_id}");
                if !sql.is_empty() {
                    attachment.running(1);
                    let session = session(&attachment);
                    let mut events = session.run(statement(&sql), CancellationToken::new());
                    println!("running");
                    while let Some(event) = events.next().await {
                        println!("event {event:?}");
                    }
                }
            }
            DriverState::Ended(cause) => println!("ended {cause}"),
        }
        if state.changed().await.is_err() {
            return;
        }
    }
}
