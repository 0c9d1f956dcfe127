//! The language of a driver's environment.

use std::collections::BTreeMap;

/// The locale of characters that every C library of today has.
const UTF8: &str = "C.UTF-8";

/// Has Java take the names of files for UTF-8, as they are everywhere: where the locale says something
/// else, or nothing, it finds no file whose name is more than ASCII (JEP 400 spares those names). The
/// rest of the locale stays as it is.
pub(super) fn utf8(environment: &mut BTreeMap<String, String>) {
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let characters = set("LC_ALL")
        .or_else(|| set("LC_CTYPE"))
        .or_else(|| set("LANG"));
    if characters.is_some_and(|locale| is_utf8(locale)) {
        return;
    }
    // It stands above all the others.
    if let Some(all) = environment.remove("LC_ALL") {
        environment.insert("LANG".to_owned(), all);
    }
    environment.insert("LC_CTYPE".to_owned(), UTF8.to_owned());
}

/// Whether a locale's characters are UTF-8: `de_DE.UTF-8@euro`, `C.utf8`.
pub fn is_utf8(locale: &str) -> bool {
    let Some((_, codeset)) = locale.split_once('.') else {
        return false;
    };
    let codeset = codeset.split('@').next().unwrap_or_default();
    ["utf-8", "utf8"].contains(&codeset.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_files_are_utf8_whatever_the_locale() {
        let env = |variables: &[(&str, &str)]| -> BTreeMap<String, String> {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            variables.iter().map(owned).collect()
        };
        for (before, after) in [
            (&[][..], &[("LC_CTYPE", UTF8)][..]),
            (&[("LC_ALL", "C")], &[("LANG", "C"), ("LC_CTYPE", UTF8)]),
            (
                &[("LANG", "de_DE.ISO-8859-1")],
                &[("LANG", "de_DE.ISO-8859-1"), ("LC_CTYPE", UTF8)],
            ),
            (
                &[("LANG", "de_DE.UTF-8"), ("LC_CTYPE", "POSIX")],
                &[("LANG", "de_DE.UTF-8"), ("LC_CTYPE", UTF8)],
            ),
            (
                &[("LANG", "en_US.UTF-8"), ("LC_ALL", "de_DE")],
                &[("LANG", "de_DE"), ("LC_CTYPE", UTF8)],
            ),
            (
                &[("LANG", "en_US.UTF-8"), ("LC_ALL", "")],
                &[("LANG", "en_US.UTF-8"), ("LC_ALL", "")],
            ),
            (&[("LC_ALL", "C.utf8")], &[("LC_ALL", "C.utf8")]),
            (
                &[("LANG", "de_DE.UTF-8@euro")],
                &[("LANG", "de_DE.UTF-8@euro")],
            ),
        ] {
            let mut environment = env(before);
            utf8(&mut environment);
            assert_eq!(environment, env(after), "{before:?}");
        }
    }
}
