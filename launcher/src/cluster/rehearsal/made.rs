//! What would be made, as text, and the settings that Spark would be started with.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::claim::Claim;
use crate::cluster::mounts::Mounts;
use crate::cluster::objects::assignment;
use crate::cluster::preview;
use crate::cluster::preview::NOT_MADE;
use crate::driver::{Image, Parts, Plan, Pod};
use crate::profile::{Profile, Runs};
use crate::rehearsal::Made;

/// Settings that are known at the start alone, and what is said in their place.
const AT_THE_START: [(&str, &str); 3] = [
    ("spark.connect.grpc.binding.port", "(a free port)"),
    ("spark.driver.bindAddress", "(the pod's address)"),
    ("spark.driver.host", "(the pod's address)"),
];

/// Each object, its kind and name and all of it as YAML.
pub(super) fn objects(claim: &Claim, profile: &Profile) -> Vec<Made> {
    preview(claim, profile).iter().map(made).collect()
}

fn made(object: &Value) -> Made {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let kind = word(&object["kind"]);
    Made {
        title: format!("{kind} {}", word(&object["metadata"]["name"])),
        text: serde_saphyr::to_string(object).unwrap_or_default(),
    }
}

/// The settings of a driver in a pod, as far as they do not depend on the pod.
pub(super) fn conf(claim: &Claim, profile: &Profile) -> BTreeMap<String, String> {
    let Runs::Kubernetes(spec) = &profile.runs else {
        return BTreeMap::new();
    };
    let assignment = assignment(claim, profile, spec, NOT_MADE);
    let pod = Pod {
        name: format!("{}-(at random)", assignment.job),
        address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        api: "https://kubernetes.default.svc".to_owned(),
        image: usual_image(),
        environment: BTreeMap::new(),
        mounts: Mounts::below(Path::new("/")),
    };
    let mut conf = Plan::pod(&assignment, spec, &pod).conf;
    for (name, words) in AT_THE_START {
        conf.insert(name.to_owned(), words.to_owned());
    }
    conf
}

/// An image as Spark's own are.
fn usual_image() -> Image {
    Image {
        parts: Parts {
            spark_home: PathBuf::from("/opt/spark"),
            java: PathBuf::from("java"),
            java_major: crate::runtime::OLDEST_JAVA,
            python: PathBuf::from("python3"),
        },
        archive: None,
        decommission: "/opt/decom.sh".to_owned(),
    }
}
