//! Looks at what else is in a cluster, once, for what is in the way of a driver.

use std::time::Duration;

use futures::future::ready;
use futures::stream::{self, BoxStream};
use futures::{FutureExt as _, StreamExt as _};
use k8s_openapi::api::core::v1::{Event, Node, Pod};
use kube::Api;
use kube::api::ListParams;
use tokio::time::timeout;

use super::access::Access;
use super::follow::News;
use super::seen::Look;

/// How long a look may take.
const LOOK: Duration = Duration::from_secs(10);

/// The most that is looked at of one kind.
const MOST: u32 = 2000;

/// Looks, and gives what it sees; nothing where the user may not, or the server does not say in time.
pub(super) fn looks(access: Access, look: Look) -> BoxStream<'static, News> {
    let seen = async move {
        match timeout(LOOK, seen(&access, look)).await {
            Ok(Ok(news)) => Some(news),
            Ok(Err(error)) => {
                tracing::debug!(%error, ?look, "what else is in the cluster cannot be seen");
                None
            }
            Err(_) => None,
        }
    };
    stream::once(seen.boxed()).filter_map(ready).boxed()
}

async fn seen(access: &Access, look: Look) -> kube::Result<News> {
    let all = ListParams::default().limit(MOST);
    Ok(match look {
        Look::Nodes => {
            let nodes: Api<Node> = Api::all(access.client.clone());
            News::Nodes(nodes.list(&all).await?.items)
        }
        Look::Claims => {
            let of_claims = all.fields("involvedObject.kind=PersistentVolumeClaim");
            let mut events = access.api::<Event>().list(&of_claims).await?.items;
            events.sort_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0));
            News::Claims(events)
        }
        Look::Others => News::Others(access.api::<Pod>().list(&all).await?.items),
    })
}
