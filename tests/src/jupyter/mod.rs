//! A front end, a kernel with a scripted interpreter, and raw subscribers: both ends of Jupyter's
//! wire, in a test's hands.

pub mod client;
pub mod kernel;
pub mod message;
pub mod process;
pub mod script;
pub mod subscriber;

use std::time::Duration;

pub use client::{Channel, Client};
pub use kernel::{Kernel, Options};
pub use message::Message;
pub use process::Process;
pub use subscriber::Subscriber;

/// How long a test waits for anything before it fails.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Waits for `what` and fails when it does not come.
pub async fn within<T>(what: &str, happens: impl Future<Output = T>) -> T {
    within_time(DEADLINE, what, happens).await
}

/// Waits so long for `what` and fails when it does not come.
pub async fn within_time<T>(time: Duration, what: &str, happens: impl Future<Output = T>) -> T {
    match tokio::time::timeout(time, happens).await {
        Ok(happened) => happened,
        Err(_) => panic!("waited {time:?} in vain for {what}"),
    }
}
