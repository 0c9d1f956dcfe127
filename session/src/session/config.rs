//! The session's settings, and keeping it alive.

use std::collections::BTreeMap;

use super::Session;
use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::proto::config_request::{self, operation::OpType};
use crate::proto::{ConfigRequest, ConfigResponse, KeyValue};

impl Session {
    /// The values of these settings; `None` for those that have none.
    ///
    /// # Errors
    /// As any call.
    pub async fn get(&self, names: &[&str]) -> Result<BTreeMap<String, Option<String>>, Error> {
        let get = config_request::GetOption { keys: owned(names) };
        let response = self.config(OpType::GetOption(get)).await?;
        Ok(pairs(response))
    }

    /// All settings whose names begin with `prefix`, under what follows it.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_all(&self, prefix: &str) -> Result<BTreeMap<String, Option<String>>, Error> {
        let prefix = Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty());
        let response = self
            .config(OpType::GetAll(config_request::GetAll { prefix }))
            .await?;
        Ok(pairs(response))
    }

    /// Sets these settings for the session, and gives the server's warnings.
    ///
    /// # Errors
    /// As any call; Spark refuses what cannot be changed while it runs.
    pub async fn set(&self, settings: &[(&str, &str)]) -> Result<Vec<String>, Error> {
        let pair = |(key, value): &(&str, &str)| KeyValue {
            key: (*key).to_owned(),
            value: Some((*value).to_owned()),
        };
        let set = config_request::Set {
            pairs: settings.iter().map(pair).collect(),
            silent: None,
        };
        Ok(self.config(OpType::Set(set)).await?.warnings)
    }

    /// Gives these settings their defaults back, and gives the server's warnings.
    ///
    /// # Errors
    /// As any call.
    pub async fn unset(&self, names: &[&str]) -> Result<Vec<String>, Error> {
        let unset = config_request::Unset { keys: owned(names) };
        Ok(self.config(OpType::Unset(unset)).await?.warnings)
    }

    /// Tells the server that the session is still wanted, by the cheapest call there is. Marked as
    /// background, so that a keeper does not take it for activity.
    ///
    /// # Errors
    /// As any call; among them that the session is gone, which is how one hears of it early.
    pub async fn keep_alive(&self) -> Result<(), Error> {
        let get = config_request::GetOption {
            keys: vec!["spark.app.name".to_owned()],
        };
        let background = self.shared.client.background();
        self.config_through(&background, OpType::GetOption(get))
            .await?;
        Ok(())
    }

    async fn config(&self, operation: OpType) -> Result<ConfigResponse, Error> {
        self.config_through(&self.shared.client, operation).await
    }

    async fn config_through(
        &self,
        client: &Client,
        operation: OpType,
    ) -> Result<ConfigResponse, Error> {
        let request = ConfigRequest {
            session_id: self.id(),
            client_observed_server_side_session_id: self.shared.identity.observed(),
            user_context: self.shared.identity.user_context(),
            operation: Some(config_request::Operation {
                op_type: Some(operation),
            }),
            client_type: self.client_type(),
        };
        match client.config(request).await {
            Ok(response) => {
                self.identity()
                    .observe(&response.session_id, &response.server_side_session_id)?;
                Ok(response)
            }
            Err(failure) => Err(self.explain(Call::Config, failure).await),
        }
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn pairs(response: ConfigResponse) -> BTreeMap<String, Option<String>> {
    let pairs = response.pairs.into_iter();
    pairs.map(|pair| (pair.key, pair.value)).collect()
}
