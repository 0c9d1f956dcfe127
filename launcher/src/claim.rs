//! What a driver is for. One claim, one driver.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::environment::Environment;
use crate::profile::{Profile, Share};

/// What a driver is for: (user, profile), or (user, profile, kernel) where it is not shared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// Whose driver it is.
    pub user: String,
    /// Name of the profile it is started from.
    pub profile: String,
    /// The one kernel that may use it, where it is not shared.
    pub kernel: Option<String>,
}

impl Claim {
    /// The claim of a kernel that wants a driver of `profile`.
    pub fn new(profile: &Profile, environment: &Environment, kernel: &str) -> Self {
        Self {
            user: user(profile, environment),
            profile: profile.name.clone(),
            kernel: (profile.share == Share::Kernel).then(|| kernel.to_owned()),
        }
    }

    /// Its name among folders and locks: different claims have different names, and no part of a
    /// claim can be chosen so as to reach another's.
    pub fn id(&self) -> ClaimId {
        let mut hash = Sha256::new();
        for part in [Some(&self.user), Some(&self.profile), self.kernel.as_ref()] {
            // Lengths keep ("ab", "c") apart from ("a", "bc"), and nothing from an empty text.
            let length = part.map_or(u64::MAX, |text| text.len() as u64);
            hash.update(length.to_be_bytes());
            hash.update(part.map_or("", String::as_str));
        }
        let digest = hash.finalize();
        ClaimId(hex::encode(&digest[..16]))
    }
}

/// The name of a claim: 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimId(String);

impl ClaimId {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text is not the name of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a driver's id has 32 hexadecimal digits; `firesteel drivers list` shows them")]
pub struct NotAClaim;

impl FromStr for ClaimId {
    type Err = NotAClaim;

    fn from_str(text: &str) -> Result<Self, NotAClaim> {
        let digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if text.len() == 32 && text.chars().all(digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAClaim)
        }
    }
}

/// Who uses drivers of `profile`: the value locked or set in it, else `JUPYTERHUB_USER`, else the
/// login name. Claimed, not proved.
pub fn user(profile: &Profile, environment: &Environment) -> String {
    profile.user.clone().unwrap_or_else(|| login(environment))
}

/// Who uses drivers of profiles that do not say: `JUPYTERHUB_USER`, else the login name.
pub(crate) fn login(environment: &Environment) -> String {
    environment
        .get("JUPYTERHUB_USER")
        .or_else(|| environment.get("USER"))
        .or_else(|| environment.get("LOGNAME"))
        .map_or_else(
            || format!("uid-{}", rustix::process::getuid().as_raw()),
            str::to_owned,
        )
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn claim(user: &str, profile: &str, kernel: Option<&str>) -> Claim {
        Claim {
            user: user.to_owned(),
            profile: profile.to_owned(),
            kernel: kernel.map(str::to_owned),
        }
    }

    #[test]
    fn parts_that_only_look_alike_together_have_different_ids() {
        let claims = [
            claim("ab", "c", None),
            claim("a", "bc", None),
            claim("a", "b", Some("c")),
            claim("a", "b", None),
            claim("a", "b", Some("")),
            claim("", "ab", None),
        ];
        let ids: HashMap<_, _> = claims.iter().map(|c| (c.id(), c)).collect();
        assert_eq!(ids.len(), claims.len());
    }

    #[test]
    fn the_user_is_the_first_that_is_known() {
        let hub = Environment::from_iter([("JUPYTERHUB_USER", "ada"), ("USER", "jovyan")]);
        let login = Environment::from_iter([("JUPYTERHUB_USER", ""), ("USER", "jovyan")]);
        let mut profile = Profile::built_in("local");
        assert_eq!(user(&profile, &hub), "ada");
        assert_eq!(user(&profile, &login), "jovyan");
        profile.user = Some("team".to_owned());
        assert_eq!(user(&profile, &hub), "team");
    }

    #[test]
    fn only_a_profile_that_is_not_shared_claims_for_one_kernel() {
        let environment = Environment::from_iter([("USER", "ada")]);
        let mut profile = Profile::built_in("local");
        assert_eq!(Claim::new(&profile, &environment, "k1").kernel, None);
        profile.share = Share::Kernel;
        let claim = Claim::new(&profile, &environment, "k1");
        assert_eq!(claim.kernel.as_deref(), Some("k1"));
    }

    proptest! {
        #[test]
        fn ids_are_names_and_read_back(user in ".*", profile in ".*", kernel in proptest::option::of(".*")) {
            let id = claim(&user, &profile, kernel.as_deref()).id();
            prop_assert_eq!(id.as_str().parse::<ClaimId>(), Ok(id.clone()));
        }
    }
}
