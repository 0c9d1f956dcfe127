//! A profile as it may be shown: without what looks like a secret.

use std::collections::BTreeMap;

use crate::profile::{Profile, Runs, Variable};

/// What stands for a value that is not shown.
const HIDDEN: &str = "(not shown)";

/// Words in a setting's or variable's name that tell of a secret. Spark hides less
/// (`spark.redaction.regex`: secret, password, token, access key).
const WORDS: [&str; 10] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "token",
    "accesskey",
    "accountkey",
    "apikey",
    "privatekey",
    "credential",
];

/// Settings whose names have such a word and tell where something is, or what kind it is.
const PLAIN: [&str; 4] = [".file", "_file", ".provider", "providers"];

/// The same profile, in which no value is a secret as far as its name or form tells.
pub(crate) fn without_secrets(profile: &Profile) -> Profile {
    let mut profile = profile.clone();
    match &mut profile.runs {
        Runs::Local(local) => hide(&mut local.conf),
        Runs::Remote(_) => {}
        Runs::Kubernetes(spec) => {
            hide(&mut spec.conf);
            for (name, value) in &mut spec.environment {
                if let Variable::Plain(text) = value {
                    *text = shown(name, text);
                }
            }
        }
    }
    profile
}

fn hide(conf: &mut BTreeMap<String, String>) {
    for (name, value) in conf {
        *value = shown(name, value);
    }
}

/// A value as it may be shown under its name.
fn shown(name: &str, value: &str) -> String {
    let name = name.to_ascii_lowercase();
    let letters: String = name
        .chars()
        .filter(|c| !matches!(c, '.' | '-' | '_'))
        .collect();
    let secret = WORDS.iter().any(|word| letters.contains(word));
    let plain = PLAIN.iter().any(|end| name.ends_with(end));
    if secret && !plain {
        HIDDEN.to_owned()
    } else {
        without_login(value)
    }
}

/// A text in which no URL names who logs in, and with what: `https://(not shown)@host`.
fn without_login(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + "://".len());
        out.push_str(before);
        let end = behind
            .find(|c: char| c == '/' || c == ',' || c.is_whitespace())
            .unwrap_or(behind.len());
        let authority = &behind[..end];
        match authority.rfind('@') {
            Some(at) => {
                out.push_str(HIDDEN);
                rest = &behind[at..];
            }
            None => rest = behind,
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use proptest::prelude::*;

    use super::*;
    use crate::environment::Environment;
    use crate::profile::{Layer, Profiles};

    #[test]
    fn what_looks_like_a_secret_is_not_shown() {
        for (name, value, expected) in [
            ("spark.sql.shuffle.partitions", "16", "16"),
            ("spark.hadoop.fs.s3a.secret.key", "k", HIDDEN),
            ("spark.hadoop.fs.s3a.access.key", "k", HIDDEN),
            ("spark.hadoop.fs.azure.account.key.x", "k", HIDDEN),
            ("spark.sql.catalog.c.credential", "id:secret", HIDDEN),
            ("DB_PASSWORD", "k", HIDDEN),
            ("GITHUB_API-KEY", "k", HIDDEN),
            (
                "spark.hadoop.fs.s3a.aws.credentials.provider",
                "org.example.P",
                "org.example.P",
            ),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t", "/t"),
            (
                "spark.sql.catalog.c.uri",
                "https://me:pw@host/a,https://h/b@c",
                "https://(not shown)@host/a,https://h/b@c",
            ),
        ] {
            assert_eq!(shown(name, value), expected, "{name}");
        }
    }

    #[test]
    fn every_part_of_a_profile_that_may_hold_one_is_looked_at() {
        let file = "allowedConf: [spark.hadoop.my.password]\n\
            profiles: {c: {conf: {spark.hadoop.my.password: hunter2},
            kubernetes: {namespace: a, images: {'4.3': b}, keeperImage: c,
            environment: {MY_TOKEN: hunter2, INDEX: 'http://u:hunter2@p', PLAIN: fine}}}}";
        let layer = Layer::parse(Path::new("p.yaml"), file).unwrap();
        let environment = Environment::default();
        let profiles = Profiles::new(PathBuf::new(), None, Some(layer), &environment).unwrap();
        let text = serde_json::to_string(&without_secrets(&profiles.get("c").unwrap())).unwrap();
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("fine") && text.contains("@p"), "{text}");
    }

    proptest! {
        #[test]
        fn no_url_keeps_its_login(before in "[a-z ,]{0,5}", login in "[a-zA-Z0-9:.@%]{1,20}", host in "[a-z.]{1,10}") {
            let secret = format!("{login}X9");
            let shown = without_login(&format!("{before}https://{secret}@{host}/path"));
            prop_assert!(!shown.contains(&secret), "{}", shown);
            let end = format!("@{host}/path");
            prop_assert!(shown.ends_with(&end));
        }
    }
}
