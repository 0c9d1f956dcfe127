//! Who a session is, on both sides.

use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::error::Error;
use crate::proto::UserContext;

/// Who a session is: the user and the id we chose, and the id the server gave it.
///
/// The server's id is new with each server process, so one that changes means that the driver was
/// replaced and with it views and settings.
#[derive(Debug)]
pub struct Identity {
    user_id: String,
    session_id: Uuid,
    observed: Mutex<Option<String>>,
}

impl Identity {
    pub(super) fn new(user_id: String, session_id: Uuid) -> Self {
        Self {
            user_id,
            session_id,
            observed: Mutex::new(None),
        }
    }

    /// The user every request claims to come from.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The id we chose.
    pub fn session_id(&self) -> Uuid {
        self.session_id
    }

    /// The id the server gave the session, once any of its answers carried one.
    pub fn observed(&self) -> Option<String> {
        self.lock().clone()
    }

    /// Takes note of the ids in an answer.
    ///
    /// # Errors
    /// [`Error::SessionChanged`] when the server's id is not the one seen before, and
    /// [`Error::Malformed`] when the answer is for another session.
    pub(crate) fn observe(&self, session_id: &str, server_side: &str) -> Result<(), Error> {
        if !session_id.is_empty() && session_id != self.session_id.to_string() {
            return Err(Error::Malformed {
                what: format!(
                    "it is for the session {session_id}, not {}",
                    self.session_id
                ),
                source: None,
            });
        }
        if server_side.is_empty() {
            return Ok(());
        }
        let mut observed = self.lock();
        match observed.as_deref() {
            None => *observed = Some(server_side.to_owned()),
            Some(known) if known == server_side => {}
            Some(known) => {
                return Err(Error::SessionChanged {
                    said: format!(
                        "the server's id of the session was {known} and is now {server_side}"
                    ),
                });
            }
        }
        Ok(())
    }

    pub(crate) fn user_context(&self) -> Option<UserContext> {
        Some(UserContext {
            user_id: self.user_id.clone(),
            user_name: self.user_id.clone(),
            extensions: Vec::new(),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_id_of_the_server_is_kept_and_another_is_an_error() {
        let identity = Identity::new("me".to_owned(), Uuid::from_u128(1));
        let ours = Uuid::from_u128(1).to_string();
        assert_eq!(identity.observed(), None);
        identity
            .observe(&ours, "")
            .expect("an answer without an id");
        identity.observe(&ours, "a").expect("the first id");
        identity.observe("", "a").expect("the same id");
        assert_eq!(identity.observed().as_deref(), Some("a"));
        let changed = identity.observe(&ours, "b").expect_err("another id");
        assert!(matches!(changed, Error::SessionChanged { .. }));
        let foreign = identity.observe("other", "a").expect_err("another session");
        assert!(matches!(foreign, Error::Malformed { .. }));
        assert_eq!(identity.observed().as_deref(), Some("a"));
    }
}
