//! Which texts Kubernetes takes for names, keys and paths, and which people can read and type.

/// A text that shows all of what it is: no control character, none that is invisible or turns what
/// follows around, and no space at an end.
pub(super) fn is_legible(text: &str) -> bool {
    const HIDDEN: [char; 4] = ['\u{ad}', '\u{61c}', '\u{180e}', '\u{feff}'];
    let hidden = |c: char| {
        c.is_control()
            || HIDDEN.contains(&c)
            || ('\u{200b}'..='\u{200f}').contains(&c)
            || ('\u{2028}'..='\u{202e}').contains(&c)
            || ('\u{2060}'..='\u{206f}').contains(&c)
            || ('\u{e0000}'..='\u{e007f}').contains(&c)
    };
    !text.is_empty() && text.trim() == text && !text.contains(hidden)
}

/// A DNS label: at most 63 of `a-z`, `0-9` and `-`, no `-` at an end.
pub(super) fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&text.len())
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The name of an object: DNS labels with points between them.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

/// A key of a ConfigMap or of a Secret.
pub(super) fn is_data_key(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=253).contains(&text.len())
        && text.chars().all(plain)
        && text != "."
        && !text.starts_with("..")
}

/// The key of a label or taint: a name, and before it perhaps a domain and `/`.
pub(super) fn is_label_key(text: &str) -> bool {
    let (domain, name) = match text.split_once('/') {
        Some((domain, name)) => (Some(domain), name),
        None => (None, text),
    };
    domain.is_none_or(is_name) && !name.is_empty() && is_label_value(name)
}

/// The value of a label or taint.
pub(super) fn is_label_value(text: &str) -> bool {
    let end = |c: char| c.is_ascii_alphanumeric();
    text.is_empty()
        || text.len() <= 63
            && text.chars().all(|c| end(c) || "-_.".contains(c))
            && text.starts_with(end)
            && text.ends_with(end)
}

/// The name of a variable, where it is none by which a keeper, Spark, Kubernetes, Java or the loader
/// of programs are steered.
pub(super) fn is_free_variable(text: &str) -> bool {
    const KEPT: [&str; 15] = [
        "BASH_ENV",
        "CLASSPATH",
        "ENV",
        "FIRESTEEL_PYTHON",
        "HOME",
        "IFS",
        "JAVA_HOME",
        "JAVA_TOOL_OPTIONS",
        "JDK_JAVA_OPTIONS",
        "PATH",
        "PS4",
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "_JAVA_OPTIONS",
    ];
    const OURS: [&str; 5] = ["FIRESTEEL_POD_", "SPARK_", "PYSPARK_", "KUBERNETES_", "LD_"];
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty()
        && text.chars().all(plain)
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !KEPT.contains(&text)
        && !OURS.iter().any(|ours| text.starts_with(ours))
}

/// A folder from the root on, that leads nowhere else and hides nothing of ours, of Spark's or of the
/// system's.
pub(super) fn is_free_folder(text: &str) -> bool {
    const TAKEN: [&str; 14] = [
        "/bin",
        "/dev",
        "/etc",
        "/firesteel",
        "/lib",
        "/lib64",
        "/opt/spark",
        "/proc",
        "/run",
        "/sbin",
        "/sys",
        "/tmp",
        "/usr",
        "/var/run",
    ];
    let within = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    text.len() > 1
        && text.starts_with('/')
        && !text.contains(|c: char| c.is_control() || c == ':')
        && !text.split('/').any(|part| part == "." || part == "..")
        && !text[1..].split('/').any(str::is_empty)
        && !TAKEN
            .iter()
            .any(|taken| within(text, taken) || within(taken, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_kubernetes_takes() {
        type Rule = fn(&str) -> bool;
        let long = "a".repeat(64);
        let cases: [(Rule, &[&str], &[&str]); 6] = [
            (
                is_label,
                &["a", "a-1", "7"],
                &["", "-a", "a-", "A", "a.b", "ä", &long],
            ),
            (is_name, &["a", "a.b-c.1"], &["", ".", "a..b", "a_b", "A.b"]),
            (
                is_data_key,
                &["ca.crt", "A_b-1"],
                &["", ".", "..", "..a", "a/b", "a b"],
            ),
            (
                is_label_key,
                &["pool", "example.org/Pool_1"],
                &["", "/pool", "example.org/", "a/b/c", "-a", "a b"],
            ),
            (
                is_free_variable,
                &["AWS_REGION", "_x1"],
                &[
                    "",
                    "1A",
                    "A-B",
                    "SPARK_X",
                    "FIRESTEEL_POD_IP",
                    "LD_PRELOAD",
                    "JAVA_TOOL_OPTIONS",
                    "A=B",
                ],
            ),
            (
                is_free_folder,
                &["/home/ada", "/data", "/firesteels", "/opt/data"],
                &[
                    "",
                    "/",
                    "home",
                    "/a/../b",
                    "/firesteel/run",
                    "/opt",
                    "/opt/spark/jars",
                    "/run/secrets",
                    "/usr",
                    "/var",
                    "/tmp",
                    "/a//b",
                    "/a:b",
                    "/a/",
                ],
            ),
        ];
        for (rule, right, wrong) in cases {
            for text in right {
                assert!(rule(text), "{text:?}");
            }
            for text in wrong {
                assert!(!rule(text), "{text:?}");
            }
        }
    }
}
