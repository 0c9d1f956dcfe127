//! `kernel_info_request`: who we are and what we can.

use serde_json::json;

use super::reply;
use crate::serve::About;
use crate::wire::frames::{PROTOCOL_VERSION, Received};
use crate::wire::router::Answers;

/// What is beyond the protocol's version: each subscriber is welcomed (JEP 65).
const FEATURES: [&str; 1] = ["iopub_welcome"];

pub(in crate::serve) fn answer(about: &About, received: &Received, answers: &Answers) {
    let content = json!({
        "status": "ok",
        "protocol_version": PROTOCOL_VERSION,
        "implementation": about.implementation,
        "implementation_version": about.version,
        "language_info": about.language,
        "banner": about.banner,
        "help_links": about.help_links,
        "debugger": false,
        "supported_features": FEATURES,
    });
    reply(received, answers, &content);
}
