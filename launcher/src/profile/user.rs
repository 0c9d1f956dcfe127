//! A user's name where only legal names may stand.

use serde_json::Value as Tree;
use sha2::{Digest, Sha256};

use super::key;

/// What stands for the user in a profile.
const USER: &str = "{user}";

/// Where it does; `*` is a key of any name.
const PLACES: [&str; 7] = [
    "kubernetes.namespace",
    "kubernetes.accounts.driver",
    "kubernetes.accounts.executor",
    "kubernetes.accounts.keeper",
    "kubernetes.placement.*.nodes.*",
    "kubernetes.warehouse",
    "kubernetes.catalogs.*.warehouse",
];

/// No name of a user's takes more of a name that has it as a part.
const LONGEST: usize = 40;

/// How many hexadecimal digits tell users apart whose names are not legal as they are: 96 bits, so
/// that nobody finds a name with the label of another's.
const DIGITS: usize = 24;

/// Puts the user's name where `{user}` stands.
///
/// # Errors
/// With the place where it stands and may not.
pub(super) fn insert(tree: &mut Tree, user: &str) -> Result<(), String> {
    let mut wrong = None;
    key::descend("", tree, &mut |path, part| {
        let texts = match part {
            Tree::Array(list) => list.iter().collect(),
            one => vec![one],
        };
        let said = |text: &Tree| text.as_str().is_some_and(|text| text.contains(USER));
        if texts.into_iter().any(said) && !is_place(path) {
            wrong.get_or_insert(path.to_owned());
        }
    });
    if let Some(path) = wrong {
        return Err(format!(
            "`{path}` has `{USER}`, which stands for the user in names alone: `namespace`, \
             `accounts`, `placement` and `warehouse`"
        ));
    }
    replace(tree, &label(user));
    Ok(())
}

fn replace(tree: &mut Tree, user: &str) {
    match tree {
        Tree::String(text) if text.contains(USER) => *text = text.replace(USER, user),
        Tree::Object(parts) => parts.values_mut().for_each(|part| replace(part, user)),
        _ => {}
    }
}

/// Labels of nodes have points in their names, so a last `*` takes all that is left.
fn is_place(path: &str) -> bool {
    PLACES.iter().any(|place| {
        let mut parts = path.split('.');
        let mut wanted = place.split('.').peekable();
        while let Some(want) = wanted.next() {
            let Some(part) = parts.next() else {
                return false;
            };
            if want == "*" && wanted.peek().is_none() {
                return true;
            }
            if want != "*" && want != part {
                return false;
            }
        }
        parts.next().is_none()
    })
}

/// The user's name as a DNS label of at most 40 characters: itself where it is one, else what is
/// legible of it and a hash. Different users have different labels: what is kept as it is has no
/// `--`, all else ends in one and 96 bits of a hash.
pub(super) fn label(user: &str) -> String {
    if is_plain(user) {
        return user.to_owned();
    }
    let mut legible = String::new();
    for c in user.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_alphanumeric() {
            legible.push(c);
        } else if !legible.is_empty() && !legible.ends_with('-') {
            legible.push('-');
        }
    }
    // Two for the `--`.
    legible.truncate(LONGEST - DIGITS - 2);
    let legible = match legible.trim_end_matches('-') {
        "" => "u",
        some => some,
    };
    let hash = hex::encode(Sha256::digest(user));
    format!("{legible}--{}", &hash[..DIGITS])
}

/// Whether a name is a label as it is, and none that Kubernetes keeps for itself.
fn is_plain(user: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !user.is_empty()
        && user.len() <= LONGEST
        && user.chars().all(inner)
        && !user.starts_with('-')
        && !user.ends_with('-')
        && !user.contains("--")
        && !user.starts_with("kube-")
        && user != "default"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn is_label(text: &str) -> bool {
        let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        text.len() <= 63
            && end(text.chars().next())
            && end(text.chars().last())
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    }

    #[test]
    fn ordinary_names_stay_and_others_stay_legible() {
        for name in ["ada", "ada-lovelace", "a1", "7", "x-1-y"] {
            assert_eq!(label(name), name);
        }
        for (name, begin) in [
            ("Ada", "ada--"),
            ("ada@example.org", "ada-example-or--"),
            ("ada--x", "ada-x--"),
            ("Ädä", "d--"),
            ("", "u--"),
            ("-", "u--"),
            ("../../etc", "etc--"),
            ("kube-system", "kube-system--"),
            ("default", "default--"),
            ("李", "u--"),
        ] {
            let label = label(name);
            assert!(label.starts_with(begin), "{name:?}: {label}");
            assert!(is_label(&label), "{name:?}: {label}");
        }
    }

    #[test]
    fn the_user_stands_in_names_alone() {
        let mut fine = json!({"kubernetes": {
            "namespace": "spark-{user}",
            "accounts": {"driver": "{user}-driver"},
            "placement": {"executors": {"nodes": {"example.org/pool": "{user}"}}},
            "warehouse": "s3a://tables/{user}/",
            "catalogs": {"lake": {"warehouse": "s3a://lake/{user}"}},
        }});
        insert(&mut fine, "ada").unwrap();
        let text = fine.to_string();
        assert!(!text.contains(USER), "{text}");
        assert!(
            text.contains("spark-ada") && text.contains("s3a://lake/ada"),
            "{text}"
        );

        for (tree, path) in [
            (json!({"conf": {"spark.x": "{user}"}}), "conf.spark.x"),
            (
                json!({"kubernetes": {"images": {"4.3": "spark:{user}"}}}),
                "kubernetes.images.4.3",
            ),
            (
                json!({"kubernetes": {"pullSecrets": ["a", "{user}"]}}),
                "kubernetes.pullSecrets",
            ),
            (
                json!({"kubernetes": {"catalogs": {"lake": {"uri": "{user}"}}}}),
                "kubernetes.catalogs.lake.uri",
            ),
        ] {
            let mut tree = tree;
            let error = insert(&mut tree, "ada").unwrap_err();
            assert!(error.contains(&format!("`{path}`")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn labels_are_legal(user in any::<String>()) {
            let label = label(&user);
            prop_assert!(is_label(&label) && label.len() <= LONGEST, "{label}");
        }

        #[test]
        fn different_users_have_different_labels(
            one in "[aA\\-.@ä]{0,5}|kube-[a-z]{1,3}|[a-f0-9]{1,3}--[a-f0-9]{24}",
            other in "[aA\\-.@ä]{0,5}|[a-z]{38,42}",
        ) {
            prop_assert_eq!(one == other, label(&one) == label(&other));
            // Who takes the label of another for a name gets another label.
            let taken = label(&one);
            prop_assert_eq!(label(&taken) == label(&one), taken == one);
        }
    }
}
