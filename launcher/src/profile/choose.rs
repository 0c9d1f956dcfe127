//! Which profile is used.

/// The name of a profile and who named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The name.
    pub name: String,
    /// Who named it.
    pub by: Source,
}

/// Who names a profile, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// `%profile NAME` in a cell.
    Cell,
    /// `FIRESTEEL_PROFILE`.
    Variable,
    /// The kernelspec, made by `install --profile NAME`.
    Kernelspec,
    /// Nobody: the files' default, the server of `SPARK_REMOTE`, or `local`.
    Default,
}

/// The first that is named: in a cell, by `FIRESTEEL_PROFILE`, by the kernelspec, else `default`.
pub fn choose(
    cell: Option<&str>,
    variable: Option<&str>,
    kernelspec: Option<&str>,
    default: &str,
) -> Chosen {
    let (name, by) = [
        (cell, Source::Cell),
        (variable, Source::Variable),
        (kernelspec, Source::Kernelspec),
    ]
    .into_iter()
    .find_map(|(name, by)| {
        let name = name.map(str::trim).filter(|name| !name.is_empty())?;
        Some((name, by))
    })
    .unwrap_or((default, Source::Default));
    Chosen {
        name: name.to_owned(),
        by,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_to_the_user_names_the_profile() {
        type Case<'a> = (
            Option<&'a str>,
            Option<&'a str>,
            Option<&'a str>,
            &'a str,
            Source,
        );
        let cases: [Case; 6] = [
            (Some("a"), Some("b"), Some("c"), "a", Source::Cell),
            (None, Some("b"), Some("c"), "b", Source::Variable),
            (None, None, Some("c"), "c", Source::Kernelspec),
            (None, None, None, "d", Source::Default),
            (Some(" "), Some(""), Some("c"), "c", Source::Kernelspec),
            (Some(" a "), None, None, "a", Source::Cell),
        ];
        for (cell, variable, kernelspec, name, by) in cases {
            let chosen = choose(cell, variable, kernelspec, "d");
            assert_eq!((chosen.name.as_str(), chosen.by), (name, by));
        }
    }
}
