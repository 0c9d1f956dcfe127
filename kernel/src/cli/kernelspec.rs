//! `firesteel install` and `firesteel uninstall`: the folder that tells Jupyter of this kernel.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;
use serde_json::json;

use super::{Answer, var};

/// What front ends show beside the kernel's name, under the names they look for.
const LOGOS: [(&str, &[u8]); 3] = [
    ("logo-svg.svg", include_bytes!("logo/logo-svg.svg")),
    ("logo-64x64.png", include_bytes!("logo/logo-64x64.png")),
    ("logo-32x32.png", include_bytes!("logo/logo-32x32.png")),
];

/// Why a kernelspec could not be installed or removed.
#[derive(Debug, thiserror::Error)]
pub(super) enum KernelspecError {
    /// The profile's name cannot be part of a kernel's name.
    #[error(
        "`{0}` cannot be part of a kernel's name: Jupyter allows letters, digits, `-`, `_` and `.`"
    )]
    Name(String),
    /// No Python environment to install into.
    #[error("no Python environment is active. Activate one, or use `--user` or `--prefix`")]
    NoPrefix,
    /// The user has no home.
    #[error("$HOME is not set. Use `--prefix`")]
    NoHome,
    /// A file could not be written or removed.
    #[error("cannot change {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Where a kernelspec goes.
#[derive(Debug, Clone, Default, Args)]
#[group(multiple = false)]
pub(super) struct Place {
    /// For this user, in every Jupyter they start (the default).
    #[arg(long)]
    user: bool,
    /// Into the active Python environment.
    #[arg(long)]
    sys_prefix: bool,
    /// Into `PREFIX/share/jupyter/kernels`.
    #[arg(long)]
    prefix: Option<PathBuf>,
}

/// `firesteel install`.
#[derive(Debug, Default, Args)]
pub(super) struct Install {
    #[command(flatten)]
    pub(super) place: Place,
    /// Make a kernel that starts with this profile, beside the others.
    #[arg(long)]
    pub(super) profile: Option<String>,
}

/// `firesteel uninstall`.
#[derive(Debug, Args)]
pub(super) struct Uninstall {
    #[command(flatten)]
    place: Place,
    /// The profile whose kernel is removed.
    #[arg(long)]
    profile: Option<String>,
}

impl Install {
    pub(super) fn run(&self) -> Answer {
        let program = env::current_exe()?;
        let folder = self.write(&program)?;
        say!("Installed the kernel in {}", folder.display());
        Ok(ExitCode::SUCCESS)
    }

    /// Writes the kernelspec that starts `program`, and answers with its folder.
    pub(super) fn write(&self, program: &Path) -> Result<PathBuf, KernelspecError> {
        let folder = folder(&self.place, self.profile.as_deref())?;
        let write = |name: &str, content: &[u8]| {
            let path = folder.join(name);
            fs::write(&path, content).map_err(|source| KernelspecError::Write { path, source })
        };
        fs::create_dir_all(&folder).map_err(|source| KernelspecError::Write {
            path: folder.clone(),
            source,
        })?;
        for (name, image) in LOGOS {
            write(name, image)?;
        }
        let spec = spec(program, self.profile.as_deref());
        write("kernel.json", format!("{spec:#}\n").as_bytes())?;
        Ok(folder)
    }
}

impl Uninstall {
    pub(super) fn run(&self) -> Answer {
        let folder = folder(&self.place, self.profile.as_deref())?;
        if !folder.join("kernel.json").is_file() {
            say!("No kernel is installed in {}", folder.display());
            return Ok(ExitCode::SUCCESS);
        }
        fs::remove_dir_all(&folder).map_err(|source| KernelspecError::Write {
            path: folder.clone(),
            source,
        })?;
        say!("Removed {}", folder.display());
        Ok(ExitCode::SUCCESS)
    }
}

/// The kernelspec's content, as Jupyter documents it
/// (<https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs>).
fn spec(program: &Path, profile: Option<&str>) -> serde_json::Value {
    let mut argv = vec![program.display().to_string(), "kernel".to_owned()];
    if let Some(profile) = profile {
        argv.extend(["--profile".to_owned(), profile.to_owned()]);
    }
    argv.extend(["-f".to_owned(), "{connection_file}".to_owned()]);
    let display_name = match profile {
        Some(profile) => format!("Spark SQL ({profile})"),
        None => "Spark SQL".to_owned(),
    };
    json!({
        "argv": argv,
        "display_name": display_name,
        "language": "sql",
        "interrupt_mode": "message",
        "kernel_protocol_version": "5.5",
        "metadata": { "debugger": false, "firesteel": env!("CARGO_PKG_VERSION") },
    })
}

/// The kernelspec's folder. Its last part is the kernel's name.
fn folder(place: &Place, profile: Option<&str>) -> Result<PathBuf, KernelspecError> {
    let name = match profile {
        None => "firesteel".to_owned(),
        Some(profile) => {
            let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if profile.is_empty() || !profile.chars().all(legal) {
                return Err(KernelspecError::Name(profile.to_owned()));
            }
            format!("firesteel-{}", profile.to_ascii_lowercase())
        }
    };
    let data = match place {
        Place {
            prefix: Some(prefix),
            ..
        } => prefix.join("share/jupyter"),
        Place {
            sys_prefix: true, ..
        } => active_prefix()
            .ok_or(KernelspecError::NoPrefix)?
            .join("share/jupyter"),
        _ => user_data().ok_or(KernelspecError::NoHome)?,
    };
    Ok(data.join("kernels").join(name))
}

/// Jupyter's data folder for the user, as jupyter_core finds it.
fn user_data() -> Option<PathBuf> {
    if let Some(dir) = var("JUPYTER_DATA_DIR").filter(|dir| !dir.is_empty()) {
        return Some(PathBuf::from(dir));
    }
    let home = PathBuf::from(var("HOME")?);
    if cfg!(target_os = "macos") {
        return Some(home.join("Library/Jupyter"));
    }
    let data = var("XDG_DATA_HOME").filter(|dir| !dir.is_empty());
    let data = data.map_or_else(|| home.join(".local/share"), PathBuf::from);
    Some(data.join("jupyter"))
}

/// Where Jupyter looks for kernels of this user and of the system, nearest first.
pub(super) fn search_path() -> Vec<PathBuf> {
    let given = var("JUPYTER_PATH").unwrap_or_default();
    let given = env::split_paths(&given).filter(|path| !path.as_os_str().is_empty());
    let system = ["/usr/local/share/jupyter", "/usr/share/jupyter"].map(PathBuf::from);
    let active = active_prefix().map(|prefix| prefix.join("share/jupyter"));
    given
        .chain(user_data())
        .chain(active)
        .chain(system)
        .map(|data| data.join("kernels"))
        .collect()
}

/// The prefix of the active Python environment, as Python itself says.
fn active_prefix() -> Option<PathBuf> {
    let out = Command::new("python3")
        .args(["-c", "import sys; print(sys.prefix)"])
        .output()
        .ok()?;
    let prefix = String::from_utf8(out.stdout).ok()?;
    let prefix = prefix.trim();
    (out.status.success() && !prefix.is_empty()).then(|| PathBuf::from(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(prefix: &Path, profile: Option<&str>) -> Install {
        Install {
            place: Place {
                prefix: Some(prefix.to_owned()),
                ..Place::default()
            },
            profile: profile.map(str::to_owned),
        }
    }

    #[test]
    fn a_kernelspec_starts_this_program_and_is_interrupted_by_message() {
        let dir = tempfile::tempdir().unwrap();
        let folder = at(dir.path(), None)
            .write(Path::new("/opt/firesteel"))
            .unwrap();
        assert_eq!(folder, dir.path().join("share/jupyter/kernels/firesteel"));
        let text = fs::read_to_string(folder.join("kernel.json")).unwrap();
        let spec: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            spec["argv"],
            json!(["/opt/firesteel", "kernel", "-f", "{connection_file}"])
        );
        assert_eq!(spec["interrupt_mode"], "message");
        assert_eq!(spec["language"], "sql");
        assert!(folder.join("logo-svg.svg").is_file());
    }

    #[test]
    fn each_profile_has_a_kernel_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let folder = at(dir.path(), Some("Big")).write(Path::new("/f")).unwrap();
        assert!(folder.ends_with("firesteel-big"));
        let text = fs::read_to_string(folder.join("kernel.json")).unwrap();
        assert!(text.contains("\"--profile\""), "{text}");
        assert!(text.contains("Spark SQL (Big)"), "{text}");
    }

    #[test]
    fn names_that_jupyter_refuses_are_refused_in_words() {
        for name in ["", "a b", "../x", "é"] {
            let error = at(Path::new("/nowhere"), Some(name))
                .write(Path::new("/f"))
                .unwrap_err();
            assert!(matches!(error, KernelspecError::Name(_)), "{name}: {error}");
        }
    }
}
