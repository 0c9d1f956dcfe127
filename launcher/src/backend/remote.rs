//! Servers that are there already. They are used as they are, and never ended.

use async_trait::async_trait;
use firesteel_session::address::Address;
use tokio::task::JoinSet;

use super::{Attachee, Attachment, Backend};
use crate::attach::line::Board;
use crate::attach::state::{DriverState, Facts};
use crate::cause::{Cause, Kind};
use crate::claim::Claim;
use crate::profile::{Profile, Runs};

/// Existing Connect servers, by the address in the profile.
#[derive(Debug, Clone, Copy, Default)]
pub struct Remote;

#[async_trait]
impl Backend for Remote {
    /// Gives the server's address. Nothing is sent: whether it is there, the first call tells.
    async fn attach(
        &self,
        claim: &Claim,
        profile: &Profile,
        who: &Attachee,
    ) -> Result<Attachment, Cause> {
        let Runs::Remote(remote) = &profile.runs else {
            return Err(Cause::new(
                Kind::Profile,
                format!("Profile `{}` names no server", profile.name),
                "Set `connect` in the profile.",
            ));
        };
        let mut address = Address::parse(remote.reveal(), &claim.user).map_err(|error| {
            Cause::new(
                Kind::Remote,
                format!(
                    "The server of profile `{}` cannot be used: {error}",
                    profile.name
                ),
                "Correct `connect` in the profile, or SPARK_REMOTE.",
            )
        })?;
        address.session_id = address.session_id.or(Some(who.session_id));
        let ready = DriverState::Ready(Facts {
            spark_version: None,
            own: None,
        });
        let (board, news) = Board::new(ready);
        let mut tasks = JoinSet::new();
        // Keeps it open, as long as somebody is attached.
        tasks.spawn(async move {
            let _open = board;
            std::future::pending::<()>().await;
        });
        Ok(Attachment::new(address, news, None, tasks))
    }
}

#[cfg(test)]
mod tests {
    use firesteel_session::address::Transport;
    use uuid::Uuid;

    use super::*;
    use crate::environment::Environment;
    use crate::profile::Profiles;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_there_is_ready_at_once() {
        let variables = [
            (
                "SPARK_REMOTE",
                "sc://spark.example:15003/;token=hush;use_ssl=false",
            ),
            ("USER", "ada"),
        ];
        let environment = Environment::from_iter(variables);
        let profiles = Profiles::new("/etc/x".into(), None, None, &environment).unwrap();
        let profile = profiles.get("remote").unwrap();
        let claim = Claim::new(&profile, &environment, "k");
        let who = Attachee {
            kernel: "k".to_owned(),
            session_id: Uuid::new_v4(),
        };
        let attachment = Remote.attach(&claim, &profile, &who).await.unwrap();
        assert!(attachment.ready().await.unwrap().own.is_none());
        let address = attachment.address();
        assert_eq!(address.user_id, "ada");
        assert_eq!(address.session_id, Some(who.session_id));
        assert_eq!(address.incarnation, None);
        let Transport::Tcp { host, port, .. } = &address.transport else {
            panic!("{address:?}");
        };
        assert_eq!((host.as_str(), *port), ("spark.example", 15003));
        attachment.running(1);
        attachment.goodbye().await;
    }
}
