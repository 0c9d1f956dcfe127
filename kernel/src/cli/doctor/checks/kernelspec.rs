//! Whether Jupyter finds this kernel.

use std::path::PathBuf;

use serde_json::Value;

use crate::cli::doctor::Verdict;
use crate::cli::kernelspec;

pub(super) fn kernelspec() -> Verdict {
    let found = kernelspec::search_path()
        .into_iter()
        .map(|folder| folder.join("firesteel/kernel.json"))
        .find(|file| file.is_file());
    let Some(file) = found else {
        return Verdict::bad(
            "Jupyter does not know this kernel",
            "Run `firesteel install --user`.",
        );
    };
    let remedy = "Run `firesteel install --user` again.";
    let text = std::fs::read(&file).unwrap_or_default();
    let spec: Value = serde_json::from_slice(&text).unwrap_or_default();
    let Some(program) = spec["argv"][0].as_str().map(PathBuf::from) else {
        return Verdict::bad(format!("{} is broken", file.display()), remedy);
    };
    if !program.is_file() {
        let found = format!(
            "{} starts {}, which is not there",
            file.display(),
            program.display()
        );
        return Verdict::bad(found, remedy);
    }
    let version = spec["metadata"]["firesteel"].as_str().unwrap_or("unknown");
    if version != env!("CARGO_PKG_VERSION") {
        let found = format!("{} is of version {version}", file.display());
        return Verdict::poor(found, remedy);
    }
    Verdict::good(format!("{} in {}", program.display(), file.display()))
}
