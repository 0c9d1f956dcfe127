use super::*;

fn parts(dir: &Path) -> Parts {
    let parts = Parts {
        spark_home: dir.join("spark"),
        java: dir.join("java/bin/java"),
        java_major: 17,
        python: dir.join("python"),
    };
    fs::create_dir_all(dir.join("java/bin")).unwrap();
    fs::create_dir_all(dir.join("spark/jars")).unwrap();
    fs::write(&parts.java, "").unwrap();
    fs::write(dir.join("spark/jars/a.jar"), "a").unwrap();
    parts
}

#[test]
fn an_archive_is_for_one_java_and_one_spark() {
    let dir = tempfile::tempdir().unwrap();
    let parts = parts(dir.path());
    let key = |parts| Archive::of(parts).unwrap().key;
    let first = key(&parts);
    assert_eq!(key(&parts), first);
    fs::write(dir.path().join("spark/jars/a.jar"), "ab").unwrap();
    let second = key(&parts);
    assert_ne!(second, first, "a jar changed");
    fs::write(dir.path().join("spark/jars/b.jar"), "").unwrap();
    let third = key(&parts);
    assert_ne!(third, second, "a jar came");
    fs::write(&parts.java, "another").unwrap();
    assert_ne!(key(&parts), third, "Java changed");
    fs::remove_file(&parts.java).unwrap();
    assert!(Archive::of(&parts).is_err());
}

#[test]
fn an_archive_that_is_not_whole_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let archive = Archive::of(&parts(dir.path())).unwrap();
    assert_eq!(archive.ready(), None, "nothing is there");
    fs::create_dir_all(&archive.folder).unwrap();
    fs::write(archive.file(), "classes").unwrap();
    assert_eq!(archive.ready(), None, "nobody says that it is whole");
    for (marker, whole) in [
        ("", false),
        (r#"{"bytes": 6, "java": "/j"}"#, false),
        (r#"{"bytes": 7, "java": "/j"}"#, true),
    ] {
        fs::write(archive.marker(), marker).unwrap();
        assert_eq!(archive.ready().is_some(), whole, "{marker}");
    }
    archive.ready().unwrap().spoiled();
    assert_eq!(archive.ready(), None, "Java died of it");
}

#[test]
fn newer_javas_have_archives_of_another_kind() {
    let file = Path::new("/a/b.jsa");
    let flags = |java_major| Whole::of_image(file, java_major).flags();
    assert_eq!(
        flags(24),
        ["-Xshare:auto", "-XX:SharedArchiveFile=/a/b.jsa"]
    );
    assert_eq!(flags(25), ["-XX:AOTMode=auto", "-XX:AOTCache=/a/b.jsa"]);
    let archive = |java_major| Archive {
        folder: PathBuf::new(),
        key: String::new(),
        java_major,
    };
    assert_eq!(
        archive(21).flags_to_make(file),
        "-XX:ArchiveClassesAtExit=/a/b.jsa"
    );
    assert_eq!(
        archive(25).flags_to_make(file),
        "-XX:AOTCacheOutput=/a/b.jsa"
    );
}

#[test]
fn an_archive_takes_the_place_of_those_of_the_same_java() {
    let dir = tempfile::tempdir().unwrap();
    let archive = Archive::of(&parts(dir.path())).unwrap();
    fs::create_dir_all(&archive.folder).unwrap();
    let written = |key: &str, java: &str| {
        let other = Archive {
            key: key.to_owned(),
            ..archive.clone()
        };
        fs::write(other.file(), "classes").unwrap();
        let marker = Marker {
            bytes: 7,
            java: PathBuf::from(java),
        };
        fs::write(other.marker(), serde_json::to_vec(&marker).unwrap()).unwrap();
        other
    };
    let (before, of_another) = (written("1", "/java/17"), written("2", "/java/25"));
    let half = archive.folder.join("half");
    fs::write(&half, "new classes").unwrap();
    make::name(&archive, half, Path::new("/java/17")).unwrap();
    assert!(archive.ready().is_some());
    assert!(of_another.ready().is_some());
    assert!(!before.file().exists() && !before.marker().exists());
}
