//! A driver on this machine: Spark in local mode.

use super::{Plan, everywhere, file_url, over, packages};
use crate::driver::explain::Home;
use crate::driver::order::Order;
use crate::place::Place;
use crate::profile::Local;

impl Plan {
    /// The plan of a driver on this machine. `local` is what the order's profile runs.
    pub(crate) fn local(order: &Order, local: &Local, place: &Place) -> Self {
        let scratch = &place.scratch;
        let warehouse = local
            .warehouse
            .clone()
            .unwrap_or_else(|| scratch.join("warehouse"));
        let mut ours = everywhere(&order.profile, order.heap, scratch);
        ours.extend([
            ("spark.driver.bindAddress", "127.0.0.1".to_owned()),
            ("spark.driver.host", "127.0.0.1".to_owned()),
            ("spark.master", format!("local[{}]", order.cores)),
            ("spark.sql.warehouse.dir", file_url(&warehouse)),
            ("spark.ui.enabled", "false".to_owned()),
        ]);
        ours.extend(packages(&local.packages));
        Self {
            profile: order.profile.name.clone(),
            user: order.claim.user.clone(),
            home: Home::Machine,
            parts: order.parts.clone(),
            heap: order.heap,
            cores: order.cores,
            conf: over(&local.conf, ours),
            archive: None,
            java: order.profile.compiler.flags(),
            environment: order.environment.clone(),
            packages: !local.packages.is_empty(),
            scratch: scratch.clone(),
            log: place.log.clone(),
            start_deadline: local.start_deadline.duration(),
        }
    }
}
