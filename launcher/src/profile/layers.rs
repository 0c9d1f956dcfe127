//! Layers of profiles, taken together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use firesteel_session::address::Address;

use super::conf::Allowed;
use super::error::{ConfRefusal, ProfileError};
use super::values::{File, Key, Scalar, Share, Values};
use super::{LOCAL, Local, Profile, REMOTE, Remote, Runs, Span, load};
use crate::environment::Environment;
use crate::paths::Paths;

/// Name of the file with profiles, in the operator's and in the user's folder.
const FILE: &str = "profiles.yaml";

/// What one file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub file: File,
}

/// All profiles there are.
#[derive(Debug, Clone)]
pub struct Profiles {
    /// Where the operator's file is or would be.
    operator_path: PathBuf,
    operator: Option<Layer>,
    user: Option<Layer>,
    /// The server of `SPARK_REMOTE`.
    remote: Option<String>,
    /// `FIRESTEEL_SHARE`.
    share: Option<Share>,
}

impl Profiles {
    /// Reads the operator's and the user's file, where there are any, and what the environment
    /// says: `SPARK_REMOTE` is a profile, `FIRESTEEL_SHARE` counts as the user's `share`.
    ///
    /// # Errors
    /// When a file is there and wrong.
    pub fn load(paths: &Paths, environment: &Environment) -> Result<Self, ProfileError> {
        let operator_path = paths.etc.join(FILE);
        let operator = load::read(&operator_path)?;
        let user = load::read(&paths.config.join(FILE))?;
        Self::new(operator_path, operator, user, environment)
    }

    /// Takes layers together that were read already.
    ///
    /// # Errors
    /// When the user's layer has what only an operator's may have, or a variable makes no sense.
    pub fn new(
        operator_path: PathBuf,
        operator: Option<Layer>,
        user: Option<Layer>,
        environment: &Environment,
    ) -> Result<Self, ProfileError> {
        if let (Some(_), Some(user)) = (&operator, &user) {
            let key = if !user.file.locked.is_empty() {
                Some("locked")
            } else {
                user.file.allowed_conf.as_ref().map(|_| "allowedConf")
            };
            if let Some(key) = key {
                return Err(ProfileError::OperatorOnly {
                    path: user.path.clone(),
                    key,
                    operator: operator_path,
                });
            }
        }
        let share = match environment.get("FIRESTEEL_SHARE") {
            None => None,
            Some("user") => Some(Share::User),
            Some("kernel") => Some(Share::Kernel),
            Some(other) => {
                return Err(ProfileError::Variable {
                    name: "FIRESTEEL_SHARE",
                    value: other.to_owned(),
                    expected: "`user` and `kernel`",
                });
            }
        };
        Ok(Self {
            operator_path,
            operator,
            user,
            remote: environment.get("SPARK_REMOTE").map(str::to_owned),
            share,
        })
    }

    /// The names there are, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: BTreeSet<&str> = BTreeSet::from([LOCAL]);
        for layer in self.operator.iter().chain(&self.user) {
            names.extend(layer.file.profiles.keys().map(String::as_str));
        }
        if self.remote.is_some() {
            names.insert(REMOTE);
        }
        names.into_iter().map(str::to_owned).collect()
    }

    /// The profile that is used where nobody names one: that of `SPARK_REMOTE`, else the user's
    /// default, else the operator's, else `local`.
    pub fn default_name(&self) -> &str {
        if self.remote.is_some() {
            return REMOTE;
        }
        self.user
            .iter()
            .chain(&self.operator)
            .find_map(|layer| layer.file.default.as_deref())
            .unwrap_or(LOCAL)
    }

    /// The profile of that name, all layers taken together.
    ///
    /// # Errors
    /// When there is none, when the user sets what is locked, or when a value makes no sense.
    pub fn get(&self, name: &str) -> Result<Profile, ProfileError> {
        let known = self.names();
        if !known.iter().any(|known| known == name) {
            return Err(ProfileError::Unknown {
                name: name.to_owned(),
                known,
            });
        }
        let mut taken = Taken::new(name);
        if let Some(layer) = &self.operator {
            // The operator's own settings are bound by what is ours alone.
            taken.layer(layer, &Allowed::of(&["spark.*".to_owned()]))?;
        }
        let locked = self.locked();
        if let Some(layer) = &self.user {
            self.refuse_locked(&locked, name, &layer.path, &said(layer, name))?;
            taken.layer(layer, &self.allowed_to_user())?;
        }
        if let Some(share) = self.share {
            self.variable(&locked, name, "FIRESTEEL_SHARE", Key::Share)?;
            taken.values.share = Some(share);
        }
        if let Some(remote) = self.remote.as_ref().filter(|_| name == REMOTE) {
            self.variable(&locked, name, "SPARK_REMOTE", Key::Connect)?;
            taken.values.connect = Some(remote.clone());
            taken.path = PathBuf::from("SPARK_REMOTE");
        }
        taken.finish()
    }

    fn locked(&self) -> BTreeSet<Key> {
        self.operator
            .as_ref()
            .map_or_else(BTreeSet::new, |layer| layer.file.locked.clone())
    }

    fn allowed_to_user(&self) -> Allowed {
        let of = |layer: &Option<Layer>| layer.as_ref()?.file.allowed_conf.clone();
        match (&self.operator, of(&self.operator)) {
            (Some(_), Some(patterns)) => Allowed::of(&patterns),
            (Some(_), None) => Allowed::standard(),
            // Without an operator's file the user is the operator.
            (None, _) => Allowed::standard().and(&of(&self.user).unwrap_or_default()),
        }
    }

    fn variable(
        &self,
        locked: &BTreeSet<Key>,
        profile: &str,
        variable: &str,
        key: Key,
    ) -> Result<(), ProfileError> {
        self.refuse_locked(locked, profile, Path::new(variable), &BTreeSet::from([key]))
    }

    fn refuse_locked(
        &self,
        locked: &BTreeSet<Key>,
        profile: &str,
        path: &Path,
        said: &BTreeSet<Key>,
    ) -> Result<(), ProfileError> {
        match said.intersection(locked).next() {
            None => Ok(()),
            Some(&key) => Err(ProfileError::Locked {
                path: path.to_owned(),
                profile: profile.to_owned(),
                key,
                operator: self.operator_path.clone(),
            }),
        }
    }
}

/// The keys a layer sets for one profile.
fn said(layer: &Layer, name: &str) -> BTreeSet<Key> {
    let own = layer.file.profiles.get(name).map(Values::keys);
    let mut keys = layer.file.defaults.keys();
    keys.extend(own.unwrap_or_default());
    keys
}

/// A profile while its layers are taken together.
struct Taken<'a> {
    name: &'a str,
    values: Values,
    conf: BTreeMap<String, String>,
    /// The last file that said something, for errors that no single file made.
    path: PathBuf,
}

impl<'a> Taken<'a> {
    fn new(name: &'a str) -> Self {
        Self {
            name,
            values: Values::default(),
            conf: BTreeMap::new(),
            path: PathBuf::from("built-in profiles"),
        }
    }

    fn layer(&mut self, layer: &Layer, allowed: &Allowed) -> Result<(), ProfileError> {
        let own = layer.file.profiles.get(self.name);
        for values in std::iter::once(&layer.file.defaults).chain(own) {
            self.path.clone_from(&layer.path);
            self.conf.extend(self.checked(allowed, &values.conf)?);
            self.values = std::mem::take(&mut self.values).under(values);
        }
        Ok(())
    }

    fn checked(
        &self,
        allowed: &Allowed,
        conf: &BTreeMap<String, Scalar>,
    ) -> Result<BTreeMap<String, String>, ProfileError> {
        let refused = |refusal| ProfileError::Conf {
            path: self.path.clone(),
            profile: self.name.to_owned(),
            refusal,
        };
        let mut checked = BTreeMap::new();
        for (key, value) in conf {
            let value = value.to_string();
            let name = allowed.check(key, &value).map_err(refused)?;
            if checked.insert(name.clone(), value).is_some() {
                return Err(refused(ConfRefusal::Twice { name }));
            }
        }
        Ok(checked)
    }

    fn finish(self) -> Result<Profile, ProfileError> {
        let wrong = |message: String| ProfileError::Value {
            path: self.path.clone(),
            profile: self.name.to_owned(),
            message,
        };
        let values = &self.values;
        for (key, folder) in [("java", &values.java), ("warehouse", &values.warehouse)] {
            if let Some(path) = folder.as_ref().filter(|path| !path.is_absolute()) {
                return Err(wrong(format!(
                    "`{key}` is `{}`, which does not begin with /",
                    path.display()
                )));
            }
        }
        if values.away == Some(Span::seconds(0)) {
            return Err(wrong("`away` is 0s: no kernel could stay".to_owned()));
        }
        let basis = Profile::built_in(self.name);
        let Runs::Local(usual) = basis.runs else {
            return Err(wrong("the built-in profile is no driver".to_owned()));
        };
        let runs = match &values.connect {
            Some(text) => {
                Address::parse(text, "user")
                    .map_err(|error| wrong(format!("`connect`: {error}")))?;
                Runs::Remote(Remote(text.clone()))
            }
            None => Runs::Local(Local {
                start_deadline: values.start_deadline.unwrap_or(usual.start_deadline),
                spark_version: values.spark_version.clone(),
                memory: values.memory,
                cores: values.cores,
                conf: self.conf,
                packages: values.packages.clone().unwrap_or_default(),
                java: values.java.clone(),
                warehouse: values.warehouse.clone(),
            }),
        };
        Ok(Profile {
            name: basis.name,
            share: values.share.unwrap_or(basis.share),
            away: values.away.unwrap_or(basis.away),
            grace: values.grace.unwrap_or(basis.grace),
            idle_limit: values.idle_limit,
            max_age: None,
            user: values.user.clone(),
            runs,
        })
    }
}

#[cfg(test)]
mod tests;
