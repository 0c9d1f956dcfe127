//! One profile, while its layers are taken together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use firesteel_session::address::Address;
use serde::Deserialize as _;
use serde_json::Value as Tree;

use super::conf::{Allowed, Setting, Version, version};
use super::error::{ConfRefusal, ProfileError};
use super::key::{self, Key};
use super::layers::Layer;
use super::values::Values;
use super::{Local, Profile, Remote, Runs, Span, catalogs, resolve, user};

/// Keys that say how a driver on this machine is, and what says the same of one in a cluster.
const OF_MACHINES: [(&str, &str); 4] = [
    ("cores", "kubernetes.executor.cores"),
    ("java", "kubernetes.images"),
    ("memory", "kubernetes.driver.memory"),
    ("warehouse", "kubernetes.warehouse"),
];

/// A profile while its layers are taken together.
pub(super) struct Taken<'a> {
    name: &'a str,
    values: Tree,
    conf: BTreeMap<String, String>,
    /// Settings that not every Spark knows, each with the first that does.
    since: BTreeMap<String, Version>,
    /// What is said for this profile, not for all.
    own: BTreeSet<Key>,
    /// The last file that said something, for errors that no single file made.
    path: PathBuf,
}

impl<'a> Taken<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        Self {
            name,
            values: Tree::Object(serde_json::Map::new()),
            conf: BTreeMap::new(),
            since: BTreeMap::new(),
            own: BTreeSet::new(),
            path: PathBuf::from("built-in profiles"),
        }
    }

    /// Takes one file, and gives what it says.
    pub(super) fn layer(
        &mut self,
        layer: &Layer,
        allowed: &Allowed,
    ) -> Result<Vec<Tree>, ProfileError> {
        let own = layer.file.profiles.get(self.name);
        let mut said = Vec::new();
        for values in std::iter::once(&layer.file.defaults).chain(own) {
            self.path.clone_from(&layer.path);
            let conf = values.conf.clone().unwrap_or_default();
            let conf = conf
                .into_iter()
                .map(|(key, value)| (key, value.to_string()));
            for (setting, value) in self.checked(allowed, conf)? {
                self.since
                    .extend(setting.since.map(|since| (setting.name.clone(), since)));
                self.conf.insert(setting.name, value);
            }
            let cluster = values.kubernetes.as_ref();
            let catalogs = cluster.and_then(|cluster| cluster.catalogs.as_ref());
            if let Some(catalogs) = catalogs {
                self.checked(allowed, catalogs::settings(catalogs))?;
            }
            said.push(key::tree(values).map_err(|error| self.wrong(error.to_string()))?);
        }
        if let [_, own] = &said[..] {
            self.own.extend(key::said(own));
        }
        for tree in &said {
            key::join(&mut self.values, tree.clone());
        }
        Ok(said)
    }

    /// Takes what a variable says.
    pub(super) fn say(&mut self, variable: &str, values: &Values) -> Result<(), ProfileError> {
        self.path = PathBuf::from(variable);
        let tree = key::tree(values).map_err(|error| self.wrong(error.to_string()))?;
        key::join(&mut self.values, tree);
        Ok(())
    }

    fn wrong(&self, message: String) -> ProfileError {
        ProfileError::Value {
            path: self.path.clone(),
            profile: self.name.to_owned(),
            message,
        }
    }

    /// Settings by their right names, all allowed.
    fn checked(
        &self,
        allowed: &Allowed,
        conf: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Vec<(Setting, String)>, ProfileError> {
        let (mut checked, mut names) = (Vec::new(), BTreeSet::new());
        for (key, value) in conf {
            let setting = allowed.check(&key, &value).map_err(|r| self.refused(r))?;
            if !names.insert(setting.name.clone()) {
                let name = setting.name;
                return Err(self.refused(ConfRefusal::Twice { name }));
            }
            checked.push((setting, value));
        }
        Ok(checked)
    }

    fn refused(&self, refusal: ConfRefusal) -> ProfileError {
        ProfileError::Conf {
            path: self.path.clone(),
            profile: self.name.to_owned(),
            refusal,
        }
    }

    /// Refuses settings that the profile's Spark would not heed.
    fn refuse_too_new(&self, runs: &Runs) -> Result<(), ProfileError> {
        let said = match runs {
            Runs::Local(local) => local.spark_version.as_deref(),
            Runs::Kubernetes(spec) => Some(&*spec.spark_version),
            Runs::Remote(_) => None,
        };
        let Some((said, runs)) = said.and_then(|said| Some((said, version(said)?))) else {
            return Ok(());
        };
        let too_new = self.since.iter().find(|(_, since)| **since > runs);
        match too_new {
            None => Ok(()),
            Some((name, (major, minor))) => Err(self.refused(ConfRefusal::TooNew {
                name: name.clone(),
                since: format!("{major}.{minor}"),
                version: said.to_owned(),
            })),
        }
    }

    /// The profile, for who is logged in as `login`.
    pub(super) fn finish(mut self, login: &str) -> Result<Profile, ProfileError> {
        let mut tree = std::mem::take(&mut self.values);
        self.refuse_controls(&tree)?;
        let connected = tree.get("connect").is_some();
        if tree.get("kubernetes").is_some() && !connected {
            let user = tree.get("user").and_then(Tree::as_str);
            let user = user.unwrap_or(login).to_owned();
            user::insert(&mut tree, &user).map_err(|message| self.wrong(message))?;
        }
        let values = Values::deserialize(tree).map_err(|error| self.wrong(error.to_string()))?;
        self.sensible(&values)?;
        let runs = match (&values.connect, &values.kubernetes) {
            (Some(text), _) => {
                Address::parse(text, "user")
                    .map_err(|error| self.wrong(format!("`connect`: {error}")))?;
                Runs::Remote(Remote(text.clone()))
            }
            (None, Some(cluster)) => {
                let conf = std::mem::take(&mut self.conf);
                let spec = resolve::kubernetes(&values, cluster, conf);
                Runs::Kubernetes(Box::new(spec.map_err(|message| self.wrong(message))?))
            }
            (None, None) => Runs::Local(self.local(&values)),
        };
        self.refuse_too_new(&runs)?;
        let idle_limit = values.idle_limit.or(match &runs {
            Runs::Kubernetes(spec) => Some(resolve::usual_idle_limit(spec)),
            Runs::Local(_) | Runs::Remote(_) => None,
        });
        let basis = Profile::built_in(self.name);
        Ok(Profile {
            name: basis.name,
            share: values.share.unwrap_or(basis.share),
            away: values.away.unwrap_or(basis.away),
            grace: values.grace.unwrap_or(basis.grace),
            idle_limit,
            max_age: values.max_age,
            user: values.user,
            compiler: values.compiler.unwrap_or(basis.compiler),
            runs,
        })
    }

    /// Refuses control characters but in settings and variables, where they are a matter of their own:
    /// all else is names, paths and addresses.
    fn refuse_controls(&self, tree: &Tree) -> Result<(), ProfileError> {
        let mut wrong = None;
        key::descend("", tree, &mut |path, part| {
            let own = ["conf.", "kubernetes.environment."];
            let texts = match part {
                Tree::Array(list) => list.iter().collect(),
                one => vec![one],
            };
            let mut texts = texts.into_iter().filter_map(Tree::as_str);
            let named = !own.iter().any(|own| path.starts_with(own));
            let controls = named && texts.any(|text| text.contains(char::is_control));
            if controls || path.contains(char::is_control) {
                wrong.get_or_insert_with(|| path.escape_debug().to_string());
            }
        });
        match wrong {
            None => Ok(()),
            Some(path) => Err(self.wrong(format!("`{path}` has a control character"))),
        }
    }

    /// What can be wrong with a profile whatever it runs.
    fn sensible(&self, values: &Values) -> Result<(), ProfileError> {
        for (key, folder) in [("java", &values.java), ("warehouse", &values.warehouse)] {
            if let Some(path) = folder.as_ref().filter(|path| !path.is_absolute()) {
                return Err(self.wrong(format!(
                    "`{key}` is `{}`, which does not begin with /",
                    path.display()
                )));
            }
        }
        for (key, span) in [
            ("away", values.away),
            ("idleLimit", values.idle_limit),
            ("startDeadline", values.start_deadline),
        ] {
            if span == Some(Span::seconds(0)) {
                return Err(self.wrong(format!("`{key}` is 0s: no kernel could stay")));
            }
        }
        if values.kubernetes.is_some() && values.connect.is_none() {
            let own = |key: &str| self.own.contains(&Key::of(key));
            if let Some((key, instead)) = OF_MACHINES.iter().find(|(key, _)| own(key)) {
                return Err(self.wrong(format!(
                    "`{key}` is for a driver on this machine; in a cluster, set `{instead}`"
                )));
            }
        }
        Ok(())
    }

    fn local(&self, values: &Values) -> Local {
        Local {
            start_deadline: values.start_deadline.unwrap_or(super::LOCAL_START_DEADLINE),
            spark_version: values.spark_version.clone(),
            memory: values.memory,
            cores: values.cores,
            conf: self.conf.clone(),
            packages: values.packages.clone().unwrap_or_default(),
            java: values.java.clone(),
            warehouse: values.warehouse.clone(),
        }
    }
}
