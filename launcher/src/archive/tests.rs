use super::*;
use crate::driver::Exit;

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
fn an_archive_is_made_only_where_we_may_write() {
    let dir = tempfile::tempdir().unwrap();
    let archive = Archive::of(&parts(dir.path())).unwrap();
    archive.can_be_made().unwrap();
    assert!(!archive.folder.exists(), "asking makes nothing");
    fs::create_dir_all(&archive.folder).unwrap();
    archive.can_be_made().unwrap();
    fs::remove_dir(&archive.folder).unwrap();
    // Nobody enters a file, not even root, who else may write wherever a disk is not only read.
    fs::write(&archive.folder, "").unwrap();
    archive.can_be_made().unwrap_err();
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
        (
            r#"{"bytes": 6, "digest": "", "java": "/j", "spark_home": "/s"}"#,
            false,
        ),
        (
            r#"{"bytes": 7, "digest": "", "java": "/j", "spark_home": "/s"}"#,
            true,
        ),
    ] {
        fs::write(archive.marker(), marker).unwrap();
        assert_eq!(archive.ready().is_some(), whole, "{marker}");
    }
    archive.ready().unwrap().spoiled("Java died of it");
    assert_eq!(archive.ready(), None, "Java died of it");
}

#[test]
fn only_a_java_that_came_to_its_end_has_written_an_archive() {
    for (exit, wrote) in [
        (Exit::Code(143), true),
        (Exit::Code(0), true),
        (Exit::Code(1), false),
        (Exit::Signal(9), false),
        (Exit::Signal(15), false),
    ] {
        assert_eq!(make::wrote(exit), wrote, "{exit}");
    }
}

#[tokio::test]
async fn an_archive_that_changed_since_it_was_made_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let archive = Archive::of(&parts(dir.path())).unwrap();
    fs::create_dir_all(&archive.folder).unwrap();
    let half = archive.folder.join("half");
    let mut classes = vec![7; (2 << 20) + 3];
    fs::write(&half, &classes).unwrap();
    make::name(&archive, half, Path::new("/java/17")).unwrap();
    let whole = archive.ready().unwrap();
    assert!(whole.is_sound().await);
    classes[2 << 20] = 8;
    fs::write(archive.file(), &classes).unwrap();
    assert_eq!(archive.ready().as_ref(), Some(&whole), "its size was kept");
    assert!(!whole.is_sound().await);
    fs::remove_file(archive.file()).unwrap();
    assert!(!whole.is_sound().await, "it cannot be read");
    let of_image = Whole::of_image(&archive.file(), 17);
    assert!(of_image.is_sound().await, "its layer was checked");
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
        spark_home: PathBuf::new(),
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
fn an_archive_takes_the_place_of_those_of_the_same_java_and_spark() {
    let dir = tempfile::tempdir().unwrap();
    let archive = Archive::of(&parts(dir.path())).unwrap();
    fs::create_dir_all(&archive.folder).unwrap();
    let written = |key: &str, java: &str, spark_home: &Path| {
        let other = Archive {
            key: key.to_owned(),
            ..archive.clone()
        };
        fs::write(other.file(), "classes").unwrap();
        let marker = Marker {
            bytes: 7,
            digest: String::new(),
            java: PathBuf::from(java),
            spark_home: spark_home.to_owned(),
        };
        fs::write(other.marker(), serde_json::to_vec(&marker).unwrap()).unwrap();
        other
    };
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(dir.path().join("spark"), &link).unwrap();
    let cases = [
        ("1", "/java/17", archive.spark_home.as_path(), false),
        ("2", "/java/25", archive.spark_home.as_path(), true),
        ("3", "/java/17", &link, true),
        ("4", "/java/17", Path::new("/moved/away"), false),
    ];
    let others = cases.map(|(key, java, spark_home, stays)| {
        let other = written(key, java, spark_home);
        (other, stays)
    });
    let half = archive.folder.join("half");
    fs::write(&half, "new classes").unwrap();
    make::name(&archive, half, Path::new("/java/17")).unwrap();
    assert!(archive.ready().is_some());
    for (other, stays) in others {
        assert_eq!(other.ready().is_some(), stays, "{}", other.key);
        assert_eq!(other.file().exists(), stays, "{}", other.key);
    }
}
