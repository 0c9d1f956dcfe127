//! Maven coordinates of the packages a driver is started with.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A package as `group:artifact:version`, as `spark.jars.packages` takes it.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend(
    "pattern" = "^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*){2}$",
    "examples" = ["org.apache.hadoop:hadoop-aws:3.5.0"]
))]
pub struct Package(String);

impl Package {
    /// The coordinates.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Package {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        // No separator of lists, paths or options can be in a part, and none begins as an option.
        let plain = |part: &&str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        };
        if parts.len() == 3 && parts.iter().all(plain) {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is no package: write group:artifact:version, such as \
                 org.apache.hadoop:hadoop-aws:3.5.0"
            ))
        }
    }
}

impl From<Package> for String {
    fn from(package: Package) -> Self {
        package.0
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_plain_parts_are_a_package() {
        let right = "com.datastax.spark:spark-cassandra-connector_2.13:3.5.1";
        assert!(Package::try_from(right.to_owned()).is_ok());
        for wrong in [
            "",
            "a:b",
            "a:b:c:d",
            "a:b:",
            "a:b:1,x:y:2",
            "a:b:../c",
            "a:b:--conf",
            "a: b:1",
            "a:b:1\n",
            "https://example.com/x.jar",
        ] {
            assert!(Package::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
        }
    }
}
