use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::fmt::rfc2822::DateTimePrinter;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::*;
use crate::attach::state::Executors;
use crate::keeper::crew::Crew;

/// When the Job started.
const START: i64 = 1_800_000_000;

/// What an API server is asked.
#[derive(Debug, Clone)]
struct Asked {
    /// Since the test began.
    at: Duration,
    method: Method,
    url: String,
    body: Value,
}

impl Asked {
    fn is_watch(&self) -> bool {
        self.url.contains("watch=true")
    }
}

/// What it answers.
enum Answer {
    /// This code, with this body.
    Says(u16, Value),
    /// That it is asked too much, in plain words; for so many seconds.
    TooMuch(u64),
    /// These lines, and then nothing more.
    Streams(Vec<Value>),
    /// These lines, and then the connection breaks.
    Breaks(Vec<Value>),
    /// Never.
    Silence,
}

type Log = Arc<Mutex<Vec<Asked>>>;

/// A client of an API server that answers as `script` says, and what it was asked.
fn server(mut script: impl FnMut(&Asked) -> Answer + Send + 'static) -> (Client, Log) {
    let began = Instant::now();
    let log = Log::default();
    let asked = Arc::clone(&log);
    let script = Arc::new(Mutex::new(move |one: &Asked| script(one)));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (asked, script) = (Arc::clone(&asked), Arc::clone(&script));
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let one = Asked {
                at: began.elapsed(),
                method: head.method,
                url: head.uri.to_string(),
                body: serde_json::from_slice(&body).unwrap_or_default(),
            };
            asked.lock().unwrap().push(one.clone());
            let answer = (script.lock().unwrap())(&one);
            if matches!(answer, Answer::Silence) {
                std::future::pending::<()>().await;
            }
            Ok::<_, Infallible>(respond(answer, began))
        }
    });
    (Client::new(service, "spark"), log)
}

fn respond(answer: Answer, began: Instant) -> Response<UnsyncBoxBody<Bytes, std::io::Error>> {
    let now = START + i64::try_from(began.elapsed().as_secs()).unwrap();
    let now = Timestamp::from_second(now).unwrap();
    let date = DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&now)
        .unwrap();
    let head = Response::builder().header("date", date);
    let lines = |lines: Vec<Value>| {
        let lines = lines
            .into_iter()
            .map(|line| Ok(Frame::data(Bytes::from(format!("{line}\n")))));
        stream::iter(lines.collect::<Vec<Result<_, std::io::Error>>>())
    };
    let body = |stream| UnsyncBoxBody::new(StreamBody::new(stream));
    match answer {
        Answer::Says(code, value) => head
            .status(code)
            .body(body(lines(vec![value]).boxed()))
            .unwrap(),
        Answer::TooMuch(seconds) => {
            let words = lines(vec![json!("Too many requests, please try again later.")]);
            let head = head.status(429).header("retry-after", seconds);
            head.body(body(words.boxed())).unwrap()
        }
        Answer::Streams(all) => head
            .body(body(lines(all).chain(stream::pending()).boxed()))
            .unwrap(),
        Answer::Breaks(all) => {
            let broken = stream::iter([Err(std::io::Error::other("broken"))]);
            head.body(body(lines(all).chain(broken).boxed())).unwrap()
        }
        Answer::Silence => unreachable!("it never answers"),
    }
}

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": reason})
}

fn job(incarnation: &str, deadline: i64) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "firesteel-1", "uid": "job-uid", "labels": {"firesteel.dev/incarnation": incarnation}},
        "spec": {"activeDeadlineSeconds": deadline, "template": {}},
        "status": {"startTime": Timestamp::from_second(START).unwrap().to_string()}
    })
}

fn deadline(client: Client) -> Deadline {
    Deadline::new(client, "spark", "firesteel-1".to_owned(), "mine".to_owned())
}

/// A Job's API that keeps the deadline it is given, but for what `failing` answers first.
fn jobs(mut failing: impl FnMut(&Asked) -> Option<Answer> + Send + 'static) -> (Client, Log) {
    let mut current = 200;
    server(move |asked| {
        if let Some(answer) = failing(asked) {
            return answer;
        }
        if asked.method == Method::PATCH {
            assert_eq!(asked.body["metadata"]["uid"], "job-uid");
            current = asked.body["spec"]["activeDeadlineSeconds"]
                .as_i64()
                .unwrap();
        }
        Answer::Says(200, job("mine", current))
    })
}

fn heard(notices: &mut broadcast::Receiver<String>) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        match notices.try_recv() {
            Ok(notice) => all.push(notice),
            Err(TryRecvError::Empty) => return all,
            Err(other) => panic!("{other}"),
        }
    }
}

fn of(log: &Log, method: &Method) -> Vec<Asked> {
    let all = log.lock().unwrap();
    all.iter()
        .filter(|one| one.method == *method)
        .cloned()
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_keeper_that_lives_is_always_minutes_ahead_of_its_deadline() {
    let (client, log) = jobs(|_| None);
    let crew = Crew::default();
    let hour = Duration::from_secs(3600);
    let moved = tokio::time::timeout(hour, deadline(client).keep_moving(&crew));
    assert!(moved.await.is_err(), "it gave up");
    let mut ends = Duration::from_secs(200);
    for patch in of(&log, &Method::PATCH) {
        assert!(
            patch.at + Duration::from_secs(60) < ends,
            "{patch:?} with an end at {ends:?}"
        );
        let new = patch.body["spec"]["activeDeadlineSeconds"]
            .as_u64()
            .unwrap();
        ends = Duration::from_secs(new);
        assert!(ends <= patch.at + Duration::from_secs(301), "{patch:?}");
    }
    assert!(ends > hour + Duration::from_secs(60), "{ends:?}");
    assert!(log.lock().unwrap().len() < 60, "too much is asked");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_kernels_waited_for_has_its_whole_time_once_its_keeper_runs() {
    let mut failures = 2;
    let (client, log) = jobs(move |_| {
        failures -= 1;
        (failures >= 0).then(|| Answer::Says(500, status(500, "InternalError")))
    });
    let start = Duration::from_secs(600);
    let deadline = deadline(client);
    let allowed = deadline.allow(start);
    let soon = Duration::from_secs(30);
    assert!(
        tokio::time::timeout(soon, allowed).await.is_ok(),
        "it goes on"
    );
    let moved: Vec<Value> = of(&log, &Method::PATCH)
        .into_iter()
        .map(|patch| patch.body["spec"]["activeDeadlineSeconds"].clone())
        .collect();
    assert_eq!(moved, [600]);
}

#[tokio::test(start_paused = true)]
async fn an_api_that_fails_for_a_while_is_left_alone_and_asked_again() {
    let mut count = 0;
    let (client, log) = jobs(move |_| {
        count += 1;
        match count {
            1 => Some(Answer::Says(500, status(500, "InternalError"))),
            2 => Some(Answer::TooMuch(7)),
            3 => Some(Answer::Silence),
            4 => Some(Answer::Breaks(Vec::new())),
            _ => None,
        }
    });
    let crew = Crew::default();
    let mut notices = crew.notices();
    let moved = deadline(client).keep_moving(&crew);
    assert!(
        tokio::time::timeout(Duration::from_secs(400), moved)
            .await
            .is_err()
    );
    let at: Vec<u64> = log
        .lock()
        .unwrap()
        .iter()
        .map(|one| one.at.as_secs())
        .collect();
    // After 1 s; after the 7 s that were asked for; after 15 s of silence and 4 s; after 8 s.
    assert_eq!(&at[..5], [0, 1, 8, 27, 35], "{at:?}");
    assert!(!of(&log, &Method::PATCH).is_empty());
    assert_eq!(heard(&mut notices), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_move_the_deadline_tells_the_users_in_time_and_once() {
    let (client, _log) = jobs(|asked| {
        let patches = asked.method == Method::PATCH && asked.at > Duration::from_secs(60);
        patches.then(|| Answer::Says(403, status(403, "jobs.batch is forbidden")))
    });
    let crew = Crew::default();
    let mut notices = crew.notices();
    let mut tasks = JoinSet::new();
    let theirs = crew.clone();
    tasks.spawn(async move { deadline(client).keep_moving(&theirs).await });
    tokio::time::sleep(Duration::from_secs(200)).await;
    assert_eq!(heard(&mut notices), [""; 0]);
    tokio::time::sleep(Duration::from_secs(150)).await;
    let told = heard(&mut notices);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("jobs.batch is forbidden (403)"),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_keeper_whose_job_is_gone_is_told() {
    let another: fn(&Asked) -> Answer = |_| Answer::Says(200, job("of another", 600));
    let deleted: fn(&Asked) -> Answer = |_| Answer::Says(404, status(404, "NotFound"));
    let meanwhile: fn(&Asked) -> Answer = |asked| match asked.method {
        Method::PATCH => Answer::Says(404, status(404, "NotFound")),
        _ => Answer::Says(200, job("mine", 60)),
    };
    for script in [another, deleted, meanwhile] {
        let (client, _log) = server(script);
        let crew = Crew::default();
        let gone = deadline(client).keep_moving(&crew);
        tokio::time::timeout(Duration::from_secs(5), gone)
            .await
            .unwrap();
    }
}

fn pod(name: &str, role: &str, version: u32, status: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "uid": name, "resourceVersion": version.to_string(),
            "labels": {"firesteel.dev/role": role, "spark-exec-id": name.trim_start_matches("exec-")}
        },
        "spec": {"containers": [{"name": "executor", "image": "spark"}]},
        "status": status
    })
}

fn running(name: &str, version: u32) -> Value {
    pod(name, "executor", version, &json!({"phase": "Running"}))
}

fn evicted(name: &str, version: u32) -> Value {
    let said = "The node was low on resource: memory.";
    pod(
        name,
        "executor",
        version,
        &json!({"phase": "Failed", "reason": "Evicted", "message": said}),
    )
}

fn list(items: &[Value]) -> Answer {
    let metadata = json!({"resourceVersion": "10"});
    Answer::Says(
        200,
        json!({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": items}),
    )
}

fn event(kind: &str, object: &Value) -> Value {
    json!({"type": kind, "object": object})
}

/// A watch at work, what it shows, and whether the driver is busy.
struct Works {
    crew: Crew,
    busy: watch::Sender<bool>,
    notices: broadcast::Receiver<String>,
    _tasks: JoinSet<()>,
}

fn works(client: Client) -> Works {
    let crew = Crew::default();
    let busy = watch::Sender::new(false);
    let (theirs, follow) = (crew.clone(), busy.subscribe());
    let notices = crew.notices();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let pods = Api::namespaced(client, "spark");
        Watch::new(pods, "a=b".to_owned())
            .run(&theirs, follow)
            .await;
    });
    Works {
        crew,
        busy,
        notices,
        _tasks: tasks,
    }
}

/// Waits until so many executors run and are on their way.
async fn until(works: &Works, running: u32, pending: u32) {
    let wanted = Some(Executors { running, pending });
    let mut count = works.crew.count();
    let waited = count.wait_for(|count| *count == wanted);
    let waited = tokio::time::timeout(Duration::from_secs(300), waited).await;
    assert!(waited.is_ok(), "{:?}", *works.crew.count().borrow());
}

#[tokio::test(start_paused = true)]
async fn executors_are_seen_through_every_failure_of_a_watch() {
    let (mut lists, mut watches) = (0, 0);
    let (client, log) = server(move |asked| {
        if asked.method == Method::PATCH {
            return Answer::Says(200, running("exec-1", 99));
        }
        if !asked.is_watch() {
            lists += 1;
            return match lists {
                1 => Answer::Says(500, status(500, "InternalError")),
                2 => Answer::TooMuch(1),
                3 => list(&[running("exec-1", 5)]),
                // What happened while nobody watched.
                _ => list(&[running("exec-2", 12), running("exec-3", 12)]),
            };
        }
        watches += 1;
        match watches {
            1 => Answer::Breaks(vec![event("ADDED", &running("exec-4", 11))]),
            2 => Answer::Says(410, status(410, "Expired")),
            3 => Answer::Breaks(vec![event("ERROR", &status(410, "Expired"))]),
            4 => Answer::Streams(vec![
                event("MODIFIED", &evicted("exec-3", 13)),
                event("DELETED", &evicted("exec-3", 14)),
            ]),
            _ => Answer::Silence,
        }
    });
    let mut works = works(client);
    until(&works, 2, 0).await;
    until(&works, 1, 0).await;
    assert_eq!(works.crew.roster()[0].id, "2");
    tokio::time::sleep(Duration::from_secs(10)).await;
    let told = heard(&mut works.notices);
    assert_eq!(
        told,
        [
            "Executor 3 was evicted by its node: The node was low on resource: memory. Spark runs its tasks again."
        ]
    );
    let asked = of(&log, &Method::GET);
    assert!(
        asked
            .iter()
            .all(|one| one.url.contains("labelSelector=a%3Db"))
    );
}

#[tokio::test(start_paused = true)]
async fn autoscalers_are_told_what_is_busy_with_as_few_words_as_it_takes() {
    let mut refused = false;
    let mut listed = false;
    let (client, log) = server(move |asked| {
        if asked.method == Method::PATCH {
            if !std::mem::replace(&mut refused, true) {
                return Answer::Says(503, status(503, "ServiceUnavailable"));
            }
            let name = if asked.url.contains("exec-1") {
                "exec-1"
            } else {
                "driver"
            };
            let role = if name == "driver" {
                "driver"
            } else {
                "executor"
            };
            let mut pod = pod(name, role, 20, &json!({"phase": "Running"}));
            let annotations = asked.body["metadata"]["annotations"].as_object().unwrap();
            let kept = annotations.iter().filter(|(_, value)| !value.is_null());
            pod["metadata"]["annotations"] = kept.map(|(k, v)| (k.clone(), v.clone())).collect();
            return Answer::Says(200, pod);
        }
        if !asked.is_watch() && !std::mem::replace(&mut listed, true) {
            let driver = pod("driver", "driver", 5, &json!({"phase": "Running"}));
            return list(&[driver, running("exec-1", 5)]);
        }
        Answer::Silence
    });
    let patches = |log: &Log| -> Vec<(u64, bool)> {
        let all = of(log, &Method::PATCH);
        let busy = |one: &Asked| {
            !one.body["metadata"]["annotations"]["karpenter.sh/do-not-disrupt"].is_null()
        };
        all.iter()
            .map(|one| (one.at.as_secs(), busy(one)))
            .collect()
    };
    let works = works(client);
    until(&works, 1, 0).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    // Until it is known to be idle it is taken for busy; one patch is refused and sent again.
    let began = patches(&log);
    assert_eq!(
        began,
        [(0, true), (0, true), (1, true), (5, false), (5, false)]
    );
    works.busy.send_replace(true);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(patches(&log)[5..], [(20, true), (20, true)]);
    // Short pauses between cells are not told.
    for _ in 0..5 {
        works.busy.send_replace(false);
        tokio::time::sleep(Duration::from_secs(3)).await;
        works.busy.send_replace(true);
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    assert_eq!(patches(&log).len(), 7);
    works.busy.send_replace(false);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(patches(&log)[7..], [(56, false), (56, false)]);
}

#[tokio::test]
async fn a_keeper_that_is_told_to_end_asks_who_ends_it() {
    let target = |reason: &str| {
        let condition =
            json!({"type": "DisruptionTarget", "status": "True", "reason": reason, "message": ""});
        json!({"phase": "Running", "conditions": [condition]})
    };
    for (answered, expected) in [
        (Some(target("EvictionByEvictionAPI")), Some("is drained")),
        (Some(target("PreemptionByScheduler")), Some("preempted")),
        (Some(target("DeletionByTaintManager")), Some("was lost")),
        (Some(json!({"phase": "Running"})), None),
        (None, None),
    ] {
        let (client, log) = server(move |_asked| match &answered {
            Some(status) => Answer::Says(200, pod("driver-1", "driver", 5, status)),
            None => Answer::Says(403, status(403, "Forbidden")),
        });
        let fate = Fate::new(Api::namespaced(client, "spark"), "driver-1".to_owned());
        let cause = fate.cause().await;
        assert_eq!(cause.is_some(), expected.is_some(), "{cause:?}");
        let sentence = cause.map(|cause| cause.sentence).unwrap_or_default();
        assert!(
            sentence.contains(expected.unwrap_or_default()),
            "{sentence}"
        );
        let asked = log.lock().unwrap();
        assert!(asked[0].url.contains("/pods/driver-1"), "{}", asked[0].url);
    }
}

#[tokio::test(start_paused = true)]
async fn an_executors_log_is_read_while_it_is_there() {
    let mut listed = false;
    let (client, log) = server(move |asked| {
        if asked.url.contains("/exec-1/log") {
            return Answer::Says(200, json!("what it said"));
        }
        if asked.url.contains("/exec-2/log") {
            return Answer::Says(404, status(404, "NotFound"));
        }
        if !asked.is_watch() && !std::mem::replace(&mut listed, true) {
            return list(&[running("exec-1", 5), running("exec-2", 5)]);
        }
        Answer::Silence
    });
    let works = works(client.clone());
    let closed = works.crew.log("1", 10).await.unwrap_err();
    assert!(closed.message().contains("no executors now"), "{closed}");
    works
        .crew
        .open_logs(Logs::new(Api::namespaced(client, "spark")));
    until(&works, 2, 0).await;
    assert!(
        works
            .crew
            .log("1", 10)
            .await
            .unwrap()
            .contains("what it said")
    );
    assert!(
        log.lock()
            .unwrap()
            .iter()
            .any(|one| one.url.contains("tailLines=10"))
    );
    let gone = works.crew.log("2", 10).await.unwrap_err();
    assert!(gone.message().contains("is gone"), "{gone}");
    let unknown = works.crew.log("7", 10).await.unwrap_err();
    assert!(unknown.message().contains("executors 1, 2"), "{unknown}");
}

#[tokio::test]
async fn a_driver_that_was_given_back_is_cleared_at_once_and_no_other() {
    for (incarnation, patched) in [("mine", true), ("another", false)] {
        let (client, log) = server(move |_asked| Answer::Says(200, job(incarnation, 600)));
        let jobs = Api::namespaced(client, "spark");
        Clearing::new(jobs, "firesteel-1".to_owned(), "mine".to_owned())
            .soon()
            .await;
        let log = log.lock().unwrap();
        let patches: Vec<_> = log
            .iter()
            .filter(|one| one.method == Method::PATCH)
            .collect();
        assert_eq!(patches.len(), usize::from(patched), "{patches:?}");
        for patch in patches {
            assert_eq!(patch.body["spec"]["ttlSecondsAfterFinished"], 2);
            assert_eq!(
                patch.body["metadata"]["uid"],
                job("mine", 600)["metadata"]["uid"]
            );
        }
    }
}
