//! A keeper as a pod runs it, without a pod: what it leaves behind for those who ask why a driver
//! is not there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails loudly, where it is, in its helpers too"
)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use firesteel_tests::drivers::{Machine, launcher_program, processes};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Nothing that a test waits for takes longer, even on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// A profile of a cluster.
const PROFILE: &str = "
profiles:
  pod:
    kubernetes:
      namespace: team
      images: {'4.3': 'registry/spark:4.3.0'}
      keeperImage: registry/keeper:1
";

/// A keeper below a root of its own, and what runs for Java in it.
struct Pod {
    root: tempfile::TempDir,
    keeper: Child,
}

impl Pod {
    /// Starts a keeper on an address of its own. `java` is a script, `start` the start deadline.
    fn start(address: Ipv4Addr, java: &str, start: &str) -> Self {
        let root = tempfile::Builder::new().prefix("fspod").tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        for jar in ["spark-core_2.13-4.3.0.jar", "spark-connect_2.13-4.3.0.jar"] {
            put(&format!("spark/jars/{jar}"), "");
        }
        put("java/release", "JAVA_VERSION=\"17.0.1\"\n");
        let program = put("java/bin/java", &format!("#!/bin/sh\n{java}\n"));
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        put("dev/termination-log", "");
        put("firesteel/run/empty", "");
        put("firesteel/rpc/secret", &"5".repeat(64));
        put("firesteel/secret/token", &"7".repeat(64));
        let (certificate, key) = identity(root.path());
        put("firesteel/secret/tls.crt", &certificate);
        put("firesteel/secret/tls.key", &key);
        // A right to a cluster that is not there.
        put("firesteel/kube/token", "t");
        put("firesteel/kube/ca.crt", &certificate);
        put(
            "firesteel/order/assignment.json",
            &assignment(start).to_string(),
        );
        let keeper = keeper(root.path(), address);
        Self { root, keeper }
    }

    /// The exit code, and the last words.
    fn ended(mut self) -> (i32, Value) {
        let code = ended(&mut self.keeper);
        assert_eq!(processes::of(self.root.path()), [], "something is left");
        (code, last_words(self.root.path()))
    }
}

/// What the keeper is told, with a profile as its file is read.
fn assignment(start: &str) -> Value {
    let profile = Machine::without_spark(PROFILE, &[]).profile("pod");
    let mut profile = serde_json::to_value(profile).unwrap();
    profile["runs"]["Kubernetes"]["start_deadline"] = start.into();
    json!({
        "claim": {"user": "ada", "profile": "pod", "kernel": null},
        "profile": profile,
        "incarnation": "1",
        "job": "firesteel-1",
        "executor_prefix": "firesteel-1",
    })
}

/// A key and a certificate, as whoever makes a driver makes them.
fn identity(folder: &Path) -> (String, String) {
    let (certificate, key) = (folder.join("crt"), folder.join("key"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args([
            "-nodes",
            "-subj",
            "/CN=k",
            "-addext",
            "subjectAltName=DNS:keeper.firesteel",
        ])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .stderr(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    let read = |path: PathBuf| fs::read_to_string(path).unwrap();
    (read(certificate), read(key))
}

fn keeper(root: &Path, address: Ipv4Addr) -> Child {
    Command::new(launcher_program())
        .arg("keep-pod")
        .arg("--root")
        .arg(root)
        .env_clear()
        .env("FIRESTEEL_POD_NAME", "firesteel-1-abcde")
        .env("FIRESTEEL_POD_IP", address.to_string())
        .env("FIRESTEEL_POD_UID", "u")
        .env("SPARK_HOME", root.join("spark"))
        .env("JAVA_HOME", root.join("java"))
        .env("PATH", "/usr/bin:/bin")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn ended(keeper: &mut Child) -> i32 {
    let deadline = Instant::now() + LONG;
    loop {
        if let Some(status) = keeper.try_wait().unwrap() {
            return status.code().unwrap();
        }
        if Instant::now() > deadline {
            keeper.kill().unwrap();
            keeper.wait().unwrap();
            panic!("the keeper does not end");
        }
        std::thread::yield_now();
    }
}

fn last_words(root: &Path) -> Value {
    let text = fs::read_to_string(root.join("dev/termination-log")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn why_a_driver_did_not_start_is_left_to_kubernetes() {
    let cases = [
        (
            "echo 'Exception in thread \"main\" java.lang.IllegalStateException: boo'; exit 1",
            "60s",
            "exited",
            "boo",
        ),
        ("exit 3", "60s", "memory", "heap of"),
        ("exec sleep 600", "1s", "deadline", "after 1 s"),
    ];
    for (java, start, kind, words) in cases {
        let pod = Pod::start(Ipv4Addr::new(127, 91, 0, 1), java, start);
        let (code, said) = pod.ended();
        assert_eq!((code, &said["kind"]), (3, &kind.into()), "{java}: {said}");
        assert!(said["sentence"].as_str().unwrap().contains(words), "{said}");
    }
}

#[test]
fn a_keeper_that_is_told_to_end_ends_its_driver_and_says_so() {
    let address = Ipv4Addr::new(127, 91, 0, 2);
    // What it leaves behind, and what does not heed the signal, goes too.
    let java = "trap '' TERM; sleep 601 & while :; do sleep 602; done";
    let pod = Pod::start(address, java, "60s");
    let deadline = Instant::now() + LONG;
    let java_runs = || {
        let all = processes::of(pod.root.path());
        all.iter()
            .any(|process| process.arguments == ["sleep", "602"])
    };
    while !java_runs() {
        assert!(Instant::now() < deadline, "Java does not start");
    }
    assert!(TcpStream::connect((IpAddr::from(address), 7443)).is_ok());
    let keeper = Pid::from_raw(i32::try_from(pod.keeper.id()).unwrap()).unwrap();
    kill_process(keeper, Signal::TERM).unwrap();
    let (code, said) = pod.ended();
    assert_eq!((code, &said["kind"]), (0, &"stopped".into()), "{said}");
    assert!(
        said["sentence"].as_str().unwrap().contains("told to end"),
        "{said}"
    );
}

#[test]
fn a_keeper_that_cannot_begin_says_what_is_missing() {
    let empty = tempfile::tempdir().unwrap();
    fs::create_dir(empty.path().join("dev")).unwrap();
    let code = ended(&mut keeper(empty.path(), Ipv4Addr::new(127, 91, 0, 3)));
    let said = last_words(empty.path());
    assert_eq!((code, &said["kind"]), (1, &"keeper".into()), "{said}");
    assert!(
        said["sentence"]
            .as_str()
            .unwrap()
            .contains("assignment.json"),
        "{said}"
    );
}

#[test]
fn the_program_installs_itself_into_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let install = |folder: &Path| {
        let mut command = Command::new(launcher_program());
        command.arg("install").arg(folder).output().unwrap()
    };
    assert!(install(folder.path()).status.success());
    // A second time, over what is there.
    assert!(install(folder.path()).status.success());
    let copy = folder.path().join("firesteel-launcher");
    assert_eq!(
        fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
        0o755
    );
    assert!(
        Command::new(copy)
            .arg("--version")
            .output()
            .unwrap()
            .status
            .success()
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let refused = install(Path::new("/nowhere"));
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("/nowhere"));
}
