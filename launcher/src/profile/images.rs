//! Images: what is one, which users may choose, and which of several is run.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The oldest Spark that drivers in clusters are made of.
const OLDEST: (u32, u32) = (4, 2);

/// Which images users may choose: one, all of a folder (`host/team/*`), all tags (`host/spark:*`) or
/// all digests (`host/spark@*`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("examples" = ["registry.example.org/spark/*", "registry.example.org/spark:4.3"]))]
pub struct Pattern(String);

impl Pattern {
    /// Whether it stands for the image.
    pub fn allows(&self, image: &str) -> bool {
        match self.0.strip_suffix('*') {
            None => self.0 == image,
            Some(start) => image.strip_prefix(start).is_some_and(|rest| {
                // `spark:*` stands for tags of `spark`, not for what is at a port of a host `spark`.
                !rest.is_empty() && (start.ends_with('/') || !rest.contains('/'))
            }),
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fine = match text.strip_suffix('*') {
            None => is_image(&text),
            Some(start) => start.strip_suffix(['/', ':', '@']).is_some_and(is_image),
        };
        if fine {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is no image: write it whole, or end it in /*, :* or @*"
            ))
        }
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text can name an image: `[host[:port]/]path[:tag][@digest]`.
pub(super) fn is_image(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    text.len() <= 512
        && text.chars().all(plain)
        && text.split('/').all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-')
                && !part.contains("..")
        })
}

/// The version and image to run: those of `wanted`, else the newest. `4.3` stands for every `4.3.x`.
///
/// # Errors
/// In words, when there is none, or when it is too old.
pub(super) fn choose(
    images: &BTreeMap<String, String>,
    wanted: Option<&str>,
) -> Result<(String, String), String> {
    let mut versions = Vec::new();
    for (text, image) in images {
        let version = version(text).ok_or_else(|| {
            format!("`kubernetes.images` has `{text}`, which is no Spark version")
        })?;
        versions.push((version, text, image));
    }
    versions.sort();
    let listed: Vec<&str> = versions.iter().map(|(_, text, _)| text.as_str()).collect();
    let fits = |text: &str| {
        wanted.is_none_or(|wanted| {
            text == wanted
                || text
                    .strip_prefix(wanted)
                    .is_some_and(|rest| rest.starts_with('.'))
                || wanted
                    .strip_prefix(text)
                    .is_some_and(|rest| rest.starts_with('.'))
        })
    };
    let exact = versions
        .iter()
        .find(|(_, text, _)| wanted == Some(text.as_str()));
    let Some((version, text, image)) =
        exact.or_else(|| versions.iter().rfind(|(_, text, _)| fits(text)))
    else {
        return Err(match wanted {
            Some(wanted) => format!(
                "there is no image of Spark {wanted} in `kubernetes.images`, which has {}",
                listed.join(", ")
            ),
            None => "`kubernetes.images` names no image".to_owned(),
        });
    };
    if (version[0], version.get(1).copied().unwrap_or(0)) < OLDEST {
        return Err(format!(
            "Spark {text} is not supported in a cluster: 4.2 and 4.3 are, older ones are not"
        ));
    }
    let asked = wanted.filter(|wanted| wanted.len() > text.len());
    Ok((asked.unwrap_or(text).to_owned(), (*image).clone()))
}

fn version(text: &str) -> Option<Vec<u32>> {
    let parts: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
    parts.filter(|parts| (2..=3).contains(&parts.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Result<Pattern, String> {
        Pattern::try_from(text.to_owned())
    }

    #[test]
    fn patterns_end_where_names_do() {
        for right in [
            "spark:4.3",
            "reg.example.org:5000/team/*",
            "reg.example.org/spark:*",
            "reg.example.org/spark@*",
        ] {
            assert!(pattern(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "*",
            "/*",
            "reg*",
            "reg/spark*",
            "reg/*/spark",
            "a b",
            "a/../b",
            "a//b",
        ] {
            assert!(pattern(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pattern_stands_for_no_more_than_it_says() {
        for (allowed, image, fine) in [
            ("spark:4.3", "spark:4.3", true),
            ("spark:4.3", "spark:4.3.1", false),
            ("spark:4.3", "evil/spark:4.3", false),
            ("reg.io/team/*", "reg.io/team/spark:4.3", true),
            ("reg.io/team/*", "reg.io/team/deep/spark@sha256:00", true),
            ("reg.io/team/*", "reg.io/team/", false),
            ("reg.io/team/*", "reg.io/teams/spark", false),
            ("reg.io/team/*", "reg.io.evil.org/team/spark", false),
            ("reg.io/team/*", "evil.org/reg.io/team/spark", false),
            ("spark:*", "spark:5000/evil/image", false),
            ("spark:*", "spark:4.3", true),
            ("spark:*", "spark", false),
            ("spark@*", "spark@sha256:00", true),
        ] {
            let allows = pattern(allowed).unwrap().allows(image);
            assert_eq!(allows, fine, "{allowed} {image}");
        }
    }

    #[test]
    fn the_newest_image_that_fits_is_run() {
        let images = |versions: &[&str]| -> BTreeMap<String, String> {
            let images = versions.iter();
            images
                .map(|version| ((*version).to_owned(), format!("spark:{version}")))
                .collect()
        };
        for (there, wanted, chosen) in [
            (&["4.3"][..], None, ("4.3", "spark:4.3")),
            (&["4.2", "4.10", "4.3"], None, ("4.10", "spark:4.10")),
            (&["4.2", "4.3"], Some("4.2"), ("4.2", "spark:4.2")),
            (
                &["4.3.0", "4.3.1", "4.30"],
                Some("4.3"),
                ("4.3.1", "spark:4.3.1"),
            ),
            (&["4.3", "4.3.1"], Some("4.3"), ("4.3", "spark:4.3")),
            (&["4.2", "4.3"], Some("4.2.1"), ("4.2.1", "spark:4.2")),
            (&["4.3"], Some("4"), ("4.3", "spark:4.3")),
        ] {
            let (version, image) = choose(&images(there), wanted).unwrap();
            assert_eq!(
                (version.as_str(), image.as_str()),
                chosen,
                "{there:?} {wanted:?}"
            );
        }
        for (there, wanted, word) in [
            (&["4.3"][..], Some("4.2"), "which has 4.3"),
            (&["3.5"], None, "Spark 3.5 is not supported"),
            (&["4.1", "4.3"], Some("4.1"), "4.2 and 4.3"),
            (&["latest"], None, "`latest`"),
            (&[], None, "no image"),
        ] {
            let error = choose(&images(there), wanted).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
