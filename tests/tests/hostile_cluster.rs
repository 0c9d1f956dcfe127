//! What a user can write is refused, or stands in the objects of a cluster as one text where it belongs
//! and nowhere else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails loudly, where it is, in its helpers too"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use firesteel_launcher::cause::Cause;
use firesteel_launcher::claim::Claim;
use firesteel_launcher::cluster::preview;
use firesteel_launcher::environment::Environment;
use firesteel_launcher::profile::{Layer, Profile, Profiles};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use serde::Deserialize;
use serde_json::{Value, json};

/// What the corpus has at least.
const LEAST: usize = 150;

/// Why a user cannot say anything in some places.
const LOCKED: &str = "sets `kubernetes.accounts`";

const CORPUS: &str = include_str!("../data/hostile/cluster.json");

/// What an operator says.
const OPERATOR: &str = "
locked: [kubernetes.accounts]
allowedImages: ['registry.example.org/spark/*']
defaults:
  share: kernel
  kubernetes:
    namespace: 'sparks-{user}'
    images: {'4.3': 'registry.example.org/spark/spark:4.3'}
    keeperImage: 'registry.example.org/spark/keeper:1'
";

#[derive(Deserialize)]
struct Corpus {
    /// All are harmless, and none is another.
    users: Vec<String>,
    kernels: Vec<String>,
    profiles: Names,
    places: Vec<Place>,
    files: Vec<File>,
}

#[derive(Deserialize)]
struct Names {
    harmless: Vec<String>,
    refused: Refused,
}

/// Texts by the words that they are refused with.
type Refused = BTreeMap<String, Vec<String>>;

/// A place in a profile where a text can stand: at the `%` in what is said.
#[derive(Deserialize)]
struct Place {
    place: String,
    say: Value,
    /// What a decent user writes there.
    tame: String,
    /// Whether its texts, which are plain names, are also parts of others, such as of a resource's.
    #[serde(default)]
    part: bool,
    refused: Refused,
    harmless: Vec<String>,
}

/// A whole file of a user's, which is refused.
#[derive(Deserialize)]
struct File {
    what: String,
    text: String,
}

fn corpus() -> Corpus {
    serde_json::from_str(CORPUS).unwrap()
}

/// `text` where `%` stands.
fn put(say: &Value, text: &str) -> Value {
    match say {
        Value::String(said) if said == "%" => text.into(),
        Value::Array(list) => list.iter().map(|part| put(part, text)).collect(),
        Value::Object(parts) => parts
            .iter()
            .map(|(key, part)| match key == "%" {
                true => (text.to_owned(), put(part, text)),
                false => (key.clone(), put(part, text)),
            })
            .collect(),
        other => other.clone(),
    }
}

fn environment(user: &str) -> Environment {
    Environment::from_iter([("JUPYTERHUB_USER", user)])
}

/// The profile of that name by a file of a user's, or the sentence for which there is none.
fn profile(file: &str, name: &str, user: &str) -> Result<Profile, String> {
    let layer = |path: &str, text: &str| Layer::parse(Path::new(path), text);
    let operator = layer("/etc/firesteel/profiles.yaml", OPERATOR).unwrap();
    let got = layer("profiles.yaml", file)
        .and_then(|user_layer| {
            let path = PathBuf::from("/etc/firesteel/profiles.yaml");
            Profiles::new(path, Some(operator), Some(user_layer), &environment(user))
        })
        .and_then(|profiles| profiles.get(name));
    got.map_err(|error| {
        let cause = Cause::from(error);
        assert!(cause.remedy.ends_with('.'), "{cause}");
        cause.sentence
    })
}

/// A driver that would be made.
struct Made {
    claim: String,
    hash: String,
    namespace: String,
    objects: Vec<Value>,
}

fn made(profile: &Profile, user: &str, kernel: &str) -> Made {
    let claim = Claim::new(profile, &environment(user), kernel);
    let mut objects = preview(&claim, profile);
    assert!(objects.len() >= 5);
    for object in &objects {
        legal(object);
    }
    // What the keeper is told and its executors' template are documents of their own.
    for text in objects[4]["data"].as_object_mut().unwrap().values_mut() {
        *text = serde_json::from_str(text.as_str().unwrap()).unwrap();
    }
    Made {
        claim: claim.id().to_string(),
        hash: profile.hash(),
        namespace: objects[0]["metadata"]["namespace"]
            .as_str()
            .unwrap()
            .to_owned(),
        objects,
    }
}

fn decent(say: &Value) -> String {
    json!({"profiles": {"c": say}}).to_string()
}

/// Checks names and labels, and that the object is read back as what it is.
fn legal(object: &Value) {
    let typed = match object["kind"].as_str().unwrap() {
        "Job" => serde_json::from_value::<Job>(object.clone()).map(|_| ()),
        "Pod" => serde_json::from_value::<Pod>(object.clone()).map(|_| ()),
        "Secret" => serde_json::from_value::<Secret>(object.clone()).map(|_| ()),
        "ConfigMap" => serde_json::from_value::<ConfigMap>(object.clone()).map(|_| ()),
        other => panic!("{other}"),
    };
    typed.unwrap();
    let metadata = &object["metadata"];
    let label = |text: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (1..=63).contains(&text.len()) && text.trim_matches('-') == text && text.chars().all(plain)
    };
    for name in [&metadata["name"], &metadata["namespace"]] {
        assert!(name.as_str().is_none_or(label), "{name}");
    }
    assert!(metadata["name"].is_string());
    for value in metadata["labels"].as_object().unwrap().values() {
        assert!(label(value.as_str().unwrap()), "{value}");
    }
}

/// Two drivers that are the same but for one text.
struct Pair<'a> {
    tame: (&'a str, Made),
    hostile: (&'a str, Made),
    part: bool,
}

impl Pair<'_> {
    /// Where they differ in anything but the text itself and what is named after hashes of it.
    fn differences(&self) -> Vec<String> {
        let mut found = Vec::new();
        let (tame, hostile) = (&self.tame.1.objects, &self.hostile.1.objects);
        assert_eq!(tame.len(), hostile.len());
        for (tame, hostile) in tame.iter().zip(hostile) {
            self.compare("", tame, hostile, &mut found);
        }
        found
    }

    fn compare(&self, path: &str, tame: &Value, hostile: &Value, found: &mut Vec<String>) {
        match (tame, hostile) {
            (Value::String(a), Value::String(b)) if self.same(a, b) => {}
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                for (a, b) in a.iter().zip(b) {
                    self.compare(path, a, b, found);
                }
            }
            (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
                for (key, part) in a {
                    match b.iter().find(|(theirs, _)| self.same_key(key, theirs)) {
                        Some((_, other)) => {
                            self.compare(&format!("{path}/{key}"), part, other, found);
                        }
                        None => found.push(format!("{path} has no {key:?}")),
                    }
                }
            }
            (a, b) if a == b => {}
            (a, b) => found.push(format!("{path}: {a} is {b}")),
        }
    }

    /// Settings of a catalog are named after it.
    fn same_key(&self, tame: &str, hostile: &str) -> bool {
        let catalog = tame.starts_with("spark.sql.catalog.");
        tame == hostile && tame != self.tame.0
            || tame == self.tame.0 && hostile == self.hostile.0
            || (self.part || catalog) && tame.replace(self.tame.0, self.hostile.0) == hostile
    }

    fn same(&self, tame: &str, hostile: &str) -> bool {
        let (text, of_tame, of_hostile) = (self.hostile.0, &self.tame.1, &self.hostile.1);
        // A `$` is doubled where Kubernetes would put a variable's value for `$(NAME)`.
        let itself = tame == self.tame.0 && (hostile == text || hostile == text.replace('$', "$$"));
        let named = tame
            .replace(&of_tame.claim, &of_hostile.claim)
            .replace(&of_tame.claim[..12], &of_hostile.claim[..12])
            .replace(&of_tame.hash, &of_hostile.hash)
            .replace(&of_tame.namespace, &of_hostile.namespace);
        let part = self.part && tame.replace(self.tame.0, text) == hostile;
        itself || part || named == hostile
    }
}

/// What is let in or refused otherwise than it should be; all of it is told at once.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn harmless(&mut self, what: &str, pair: &Pair<'_>) {
        let found = pair.differences();
        if !found.is_empty() {
            let text = pair.hostile.0;
            self.0.push(format!("{what} {text:?}: {found:#?}"));
        }
    }

    fn refused(&mut self, what: &str, text: &str, words: &str, got: Result<Profile, String>) {
        match got {
            Err(said) if said.contains(words) && !said.contains(char::is_control) => {}
            Err(said) => self.0.push(format!(
                "{what} {text:?} is not refused with {words:?}: {said:?}"
            )),
            Ok(_) => self.0.push(format!("{what} {text:?} is let in")),
        }
    }
}

impl Drop for Wrong {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(
                self.0.is_empty(),
                "{} are wrong:\n{}",
                self.0.len(),
                self.0.join("\n")
            );
        }
    }
}

#[test]
fn hostile_users_kernels_and_profiles_are_only_themselves() {
    let Corpus {
        users,
        kernels,
        profiles,
        ..
    } = corpus();
    let mut wrong = Wrong::default();
    let (mut claims, mut namespaces) = (BTreeSet::new(), BTreeSet::new());
    for user in &users {
        let tame = made(
            &profile("profiles: {c: {}}", "c", "tame").unwrap(),
            "tame",
            "k",
        );
        let hostile = made(&profile("profiles: {c: {}}", "c", user).unwrap(), user, "k");
        assert!(
            claims.insert(hostile.claim.clone()),
            "{user:?} is another's claim"
        );
        assert!(
            namespaces.insert(hostile.namespace.clone()),
            "{user:?} comes to another's namespace {}",
            hostile.namespace
        );
        let pair = Pair {
            tame: ("tame", tame),
            hostile: (user, hostile),
            part: false,
        };
        wrong.harmless("the user", &pair);
    }
    let plain = profile("profiles: {c: {}}", "c", "ada").unwrap();
    for kernel in &kernels {
        let pair = Pair {
            tame: ("tame", made(&plain, "ada", "tame")),
            hostile: (kernel, made(&plain, "ada", kernel)),
            part: false,
        };
        assert!(claims.insert(pair.hostile.1.claim.clone()), "{kernel:?}");
        wrong.harmless("the kernel", &pair);
    }
    for name in &profiles.harmless {
        let of = |name: &str| {
            let file = json!({"profiles": {name: {}}}).to_string();
            made(&profile(&file, name, "ada").unwrap(), "ada", "k")
        };
        let pair = Pair {
            tame: ("tame", of("tame")),
            hostile: (name, of(name)),
            part: false,
        };
        assert!(claims.insert(pair.hostile.1.claim.clone()), "{name:?}");
        wrong.harmless("the profile", &pair);
    }
    for (words, names) in &profiles.refused {
        for name in names {
            let file = json!({"profiles": {name: {}}}).to_string();
            wrong.refused("the profile", name, words, profile(&file, name, "ada"));
        }
    }
}

#[test]
fn hostile_values_are_refused_or_only_themselves() {
    let mut wrong = Wrong::default();
    for Place {
        place,
        say,
        tame,
        part,
        refused,
        harmless,
    } in corpus().places
    {
        let of = |text: &str| profile(&decent(&put(&say, text)), "c", "ada");
        let decent = of(&tame);
        for text in &harmless {
            let (Ok(tamed), Ok(hostile)) = (&decent, &of(text)) else {
                wrong
                    .0
                    .push(format!("{place} {text:?}: {:?}", of(text).err()));
                continue;
            };
            let pair = Pair {
                tame: (&tame, made(tamed, "ada", "k")),
                hostile: (text, made(hostile, "ada", "k")),
                part,
            };
            wrong.harmless(&place, &pair);
        }
        for (words, texts) in &refused {
            assert!(decent.is_ok() || words == LOCKED, "{place}: {decent:?}");
            for text in texts {
                wrong.refused(&place, text, words, of(text));
            }
        }
    }
}

#[test]
fn hostile_files_are_refused() {
    let mut wrong = Wrong::default();
    for File { what, text } in corpus().files {
        let got = profile(&text, "c", "ada");
        wrong.refused(&what, &text, "profiles.yaml", got);
    }
}

#[test]
fn the_corpus_is_large_and_says_nothing_twice() {
    let all = corpus();
    let of = |refused: &Refused| refused.values().map(Vec::len).sum::<usize>();
    let places: usize = all
        .places
        .iter()
        .map(|place| place.harmless.len() + of(&place.refused))
        .sum();
    let profiles = all.profiles.harmless.len() + of(&all.profiles.refused);
    let count = all.users.len() + all.kernels.len() + profiles + places + all.files.len();
    println!(
        "{count} hostile texts: {} users, {} kernels, {profiles} profiles, {places} in {} places of a profile, {} files",
        all.users.len(),
        all.kernels.len(),
        all.places.len(),
        all.files.len()
    );
    assert!(count >= LEAST, "{count}");
    for place in &all.places {
        let texts = place.refused.values().flatten().chain(&place.harmless);
        let mut seen = BTreeSet::new();
        for text in texts {
            assert!(seen.insert(text), "{}: {text:?}", place.place);
        }
    }
}
