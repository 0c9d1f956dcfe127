//! stub
use crate::attach::state::Phase;
use crate::cause::{Cause, Kind};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
pub(crate) enum Part {
    Driver,
}
pub(crate) struct Trouble;
impl Trouble {
    pub(crate) fn sentence(&self, _p: Part) -> String {
        "trouble".to_owned()
    }
    pub(crate) fn cause(&self, _p: Part) -> Cause {
        Cause::new(Kind::Exited, "trouble", "")
    }
}
pub(crate) fn phase(_pod: &Pod) -> Phase {
    Phase::Scheduling
}
pub(crate) fn ended(pod: &Pod) -> bool {
    matches!(
        pod.status.as_ref().and_then(|s| s.phase.as_deref()),
        Some("Failed" | "Succeeded")
    )
}
pub(crate) fn trouble(_pod: &Pod, _now: Timestamp) -> Option<Trouble> {
    None
}
