//! Layers of profiles, taken together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value as Tree;

use super::conf::Allowed;
use super::error::ProfileError;
use super::images::Pattern;
use super::key::{self, Key};
use super::taken::Taken;
use super::values::{File, Share, Values};
use super::{INTERACTIVE, LOCAL, Profile, REMOTE, legal, load};
use crate::claim;
use crate::environment::Environment;
use crate::paths::Paths;

/// Name of the file with profiles, in the operator's and in the user's folder.
const FILE: &str = "profiles.yaml";

/// How many characters the name of a profile has at most.
const LONGEST: usize = 100;

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
    /// Who is logged in.
    login: String,
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
    /// When the user's layer has what only an operator's may have, when a profile's name cannot be
    /// read, or a variable makes no sense.
    pub fn new(
        operator_path: PathBuf,
        operator: Option<Layer>,
        user: Option<Layer>,
        environment: &Environment,
    ) -> Result<Self, ProfileError> {
        if let (Some(_), Some(user)) = (&operator, &user) {
            let kept = [
                ("locked", !user.file.locked.is_empty()),
                ("allowedConf", user.file.allowed_conf.is_some()),
                ("allowedImages", user.file.allowed_images.is_some()),
            ];
            if let Some(&(key, _)) = kept.iter().find(|(_, said)| *said) {
                return Err(ProfileError::OperatorOnly {
                    path: user.path.clone(),
                    key,
                    operator: operator_path,
                });
            }
        }
        for layer in operator.iter().chain(&user) {
            let legible = |name: &str| legal::is_legible(name) && name.chars().count() <= LONGEST;
            if let Some(name) = layer.file.profiles.keys().find(|name| !legible(name)) {
                return Err(ProfileError::Name {
                    path: layer.path.clone(),
                    name: name.clone(),
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
            login: claim::login(environment),
        })
    }

    /// The names there are, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: BTreeSet<&str> = BTreeSet::from([INTERACTIVE, LOCAL]);
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
            for tree in taken.layer(layer, &self.allowed_to_user())? {
                self.refuse_locked(&locked, name, &layer.path, &key::said(&tree))?;
                self.refuse_images(name, &layer.path, &tree)?;
            }
        }
        if let Some(share) = self.share {
            self.variable(&locked, name, "FIRESTEEL_SHARE", "share")?;
            taken.say(
                "FIRESTEEL_SHARE",
                &Values {
                    share: Some(share),
                    ..Values::default()
                },
            )?;
        }
        if let Some(remote) = self.remote.as_ref().filter(|_| name == REMOTE) {
            self.variable(&locked, name, "SPARK_REMOTE", "connect")?;
            let connect = Some(remote.clone());
            taken.say(
                "SPARK_REMOTE",
                &Values {
                    connect,
                    ..Values::default()
                },
            )?;
        }
        taken.finish(&self.login)
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
        key: &str,
    ) -> Result<(), ProfileError> {
        let said = BTreeSet::from([Key::of(key)]);
        self.refuse_locked(locked, profile, Path::new(variable), &said)
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
            Some(key) => Err(ProfileError::Locked {
                path: path.to_owned(),
                profile: profile.to_owned(),
                key: key.clone(),
                operator: self.operator_path.clone(),
            }),
        }
    }

    /// Refuses images that the operator does not allow. Where there is no operator, the user is.
    fn refuse_images(&self, profile: &str, path: &Path, said: &Tree) -> Result<(), ProfileError> {
        let Some(operator) = &self.operator else {
            return Ok(());
        };
        let allowed: &[Pattern] = operator.file.allowed_images.as_deref().unwrap_or_default();
        let cluster = &said["kubernetes"];
        let of_versions = cluster["images"].as_object().into_iter().flatten();
        let images = of_versions
            .map(|(_, image)| image)
            .chain([&cluster["keeperImage"]])
            .filter_map(Tree::as_str);
        for image in images {
            if !allowed.iter().any(|pattern| pattern.allows(image)) {
                return Err(ProfileError::Image {
                    path: path.to_owned(),
                    profile: profile.to_owned(),
                    image: image.to_owned(),
                    operator: self.operator_path.clone(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
