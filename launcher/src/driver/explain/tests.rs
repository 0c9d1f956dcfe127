use super::*;

fn setting() -> Setting<'static> {
    Setting {
        home: &Home::Machine,
        out_of_memory: false,
        limit: Some(Memory::mebibytes(3072)),
        heap: Memory::mebibytes(2048),
        java: Path::new("/jdk/bin/java"),
        spark_home: Path::new("/spark"),
        scratch: Path::new("/scratch/d"),
        packages: false,
        profile: "local",
    }
}

/// Lines as Spark 4.3 and Java 17 print them.
#[test]
fn each_way_to_fail_has_its_sentence() {
    let start = |code| Failed::ToStart(Exit::Code(code));
    let cases: [(Failed, &str, Kind, &str); 18] = [
        (
            start(255),
            "ERROR SparkConnectServer: Error starting Spark Connect server\njava.net.BindException: Failed to bind to address /127.0.0.1:15999: Service 'org.apache.spark.sql.connect.service.SparkConnectService' failed after 0 retries (starting from 15999)!",
            Kind::Port,
            "ports",
        ),
        (
            start(1),
            "Error occurred during initialization of VM\nCould not reserve enough space for 104857600000KB object heap",
            Kind::Memory,
            "2g of heap",
        ),
        (
            start(1),
            "org.apache.spark.SparkIllegalArgumentException: [INVALID_DRIVER_MEMORY.SYSTEM_MEMORY] Insufficient driver memory: System memory 304087040 must be at least 471859200.",
            Kind::Memory,
            "too little",
        ),
        (
            start(1),
            "Exception in thread \"main\" java.lang.NoClassDefFoundError: org/apache/spark/scheduler/SparkListenerInterface\n\tat java.base/java.lang.Class.forName0(Native Method)",
            Kind::Jars,
            "/spark/jars",
        ),
        (
            start(1),
            "Error: Could not find or load main class org.apache.spark.sql.connect.service.SparkConnectServer\nCaused by: java.lang.ClassNotFoundException: org.apache.spark.sql.connect.service.SparkConnectServer",
            Kind::Jars,
            "missing or broken",
        ),
        (
            start(1),
            "Exception in thread \"main\" java.lang.RuntimeException: [unresolved dependency: org.nowhere#nothing;9.9: not found]",
            Kind::Packages,
            "org.nowhere#nothing;9.9: not found",
        ),
        (
            start(1),
            "java.io.IOException: No space left on device",
            Kind::Disk,
            "/scratch/d",
        ),
        (
            start(1),
            "Error: LinkageError occurred while loading main class\n\tjava.lang.UnsupportedClassVersionError: has been compiled by a more recent version",
            Kind::Runtime,
            "/jdk/bin/java",
        ),
        (
            start(127),
            "/jdk/bin/java cannot be run: No such file",
            Kind::Runtime,
            "cannot be run",
        ),
        (
            start(3),
            "Terminating due to java.lang.OutOfMemoryError: Java heap space",
            Kind::Memory,
            "full",
        ),
        (start(3), "", Kind::Memory, "full"),
        (Failed::Later(Exit::Code(3)), "", Kind::Memory, "full"),
        (
            Failed::ToStart(Exit::Signal(9)),
            "",
            Kind::Killed,
            "signal 9",
        ),
        (
            Failed::Later(Exit::Signal(9)),
            "INFO x",
            Kind::Killed,
            "signal 9",
        ),
        (
            Failed::Later(Exit::Signal(11)),
            "",
            Kind::Killed,
            "signal 11",
        ),
        (
            Failed::ToStartWithin(Duration::from_secs(180)),
            "",
            Kind::Deadline,
            "180 s",
        ),
        (
            start(1),
            "INFO a\nException in thread \"main\" java.lang.IllegalStateException: boo\n\tat x.y",
            Kind::Exited,
            "code 1: Exception in thread \"main\" java.lang.IllegalStateException: boo",
        ),
        (
            Failed::Later(Exit::Code(1)),
            "INFO SparkConnectServer: Spark Connect server started at: 127.0.0.1:1\nERROR of mine: java.lang.ClassNotFoundException: com.me.Mine",
            Kind::Exited,
            "exited unexpectedly with code 1",
        ),
    ];
    for (failed, log, kind, words) in cases {
        let cause = explain(failed, log, &setting());
        assert_eq!(cause.kind, kind, "{failed:?} {log}: {cause}");
        assert!(cause.sentence.contains(words), "{cause}");
        assert!(!cause.sentence.ends_with('.'), "{cause}");
        assert!(cause.remedy.ends_with('.'), "{cause}");
        assert_eq!(cause.tail.is_none(), log.is_empty());
    }
}

#[test]
fn in_a_pod_it_is_the_image_or_the_profile_that_is_put_right() {
    let home = Home::Image("registry/img:1".to_owned());
    let pod = Setting {
        home: &home,
        ..setting()
    };
    let start = |code| Failed::ToStart(Exit::Code(code));
    let cases = [
        (start(127), "", Kind::Runtime, "`registry/img:1`"),
        (
            start(1),
            "Error: Could not find or load main class x",
            Kind::Jars,
            "`registry/img:1`",
        ),
        (
            start(1),
            "java.lang.UnsupportedClassVersionError: x",
            Kind::Runtime,
            "`registry/img:1`",
        ),
        (
            start(1),
            "java.io.IOException: No space left on device",
            Kind::Disk,
            "`kubernetes.placement.driver.nodes`",
        ),
        (
            Failed::ToStartWithin(Duration::from_secs(9)),
            "",
            Kind::Deadline,
            "more cores",
        ),
        (
            Failed::Later(Exit::Code(11)),
            "INFO x",
            Kind::Exited,
            "why they failed",
        ),
    ];
    for (failed, log, kind, remedy) in cases {
        let cause = explain(failed, log, &pod);
        assert_eq!(cause.kind, kind, "{failed:?} {log}: {cause}");
        assert!(cause.remedy.contains(remedy), "{cause}");
        assert!(!cause.to_string().contains("firesteel runtime"), "{cause}");
    }
}

/// Every cause that the log or the exit of a driver in a pod may tell.
pub(crate) fn examples() -> Vec<(Why, Cause)> {
    let home = Home::Image("registry/img:1".to_owned());
    let pod = Setting {
        home: &home,
        ..setting()
    };
    let start = Failed::ToStart(Exit::Code(1));
    let denied = "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: GET at: \
         https://kubernetes.default.svc:443/api/v1/namespaces/team/pods/p. Message: pods \"p\" is forbidden: User \
         \"system:serviceaccount:team:firesteel-driver\" cannot get resource \"pods\" in API group \"\" in the namespace \
         \"team\". Received status: Status(apiVersion=v1, code=403).";
    let silent = "Exception in thread \"main\" org.apache.spark.SparkException: External scheduler cannot be instantiated\n\
         Caused by: io.fabric8.kubernetes.client.KubernetesClientException: Operation: [get]  for kind: [Pod] failed.\n\
         Caused by: java.net.SocketTimeoutException: Connect timed out";
    let mut told: Vec<(Why, Cause)> = [
        (Why::DiskFull, start, "java.io.IOException: No space left on device"),
        (Why::PortsTaken, start, "java.net.BindException: Failed to bind"),
        (Why::HeapNotGiven, start, "Could not reserve enough space for object heap"),
        (Why::HeapTooSmall, start, "[INVALID_DRIVER_MEMORY.SYSTEM_MEMORY] x"),
        (Why::DriverHeapFull, start, "java.lang.OutOfMemoryError: Java heap space"),
        (
            Why::PackagesUnresolved,
            start,
            "Exception in thread \"main\" java.lang.RuntimeException: [unresolved dependency: org.nowhere#nothing;9.9: not found]",
        ),
        (
            Why::PackagesUnreachable,
            start,
            "\tServer access error at url https://repo.example/maven2/x.pom (java.net.ConnectException: Connection refused)\n\
             java.lang.RuntimeException: [unresolved dependency: org.nowhere#nothing;9.9: not found]",
        ),
        (Why::JavaTooOld, start, "java.lang.UnsupportedClassVersionError: x"),
        (Why::JarBroken, start, "java.lang.NoClassDefFoundError: x"),
        (
            Why::ConfRefused,
            start,
            "Exception in thread \"main\" java.lang.IllegalArgumentException: spark.sql.shuffle.partitions should be int, but was x",
        ),
        (Why::DriverRightMissing, start, denied),
        (Why::ApiUnreachable, start, silent),
        (Why::DriverExited, start, "Exception in thread \"main\" boo"),
        (Why::JavaNotRun, Failed::ToStart(Exit::Code(127)), ""),
        (Why::NotReady, Failed::ToStartWithin(Duration::from_secs(9)), ""),
        (Why::TooManyLost, Failed::Later(Exit::Code(11)), ""),
        (Why::DriverKilled, Failed::Later(Exit::Signal(9)), ""),
        (Why::DriverSignalled, Failed::Later(Exit::Signal(11)), ""),
    ]
    .into_iter()
    .map(|(why, failed, log)| (why, explain(failed, log, &pod)))
    .collect();
    let killed = Setting {
        out_of_memory: true,
        ..pod
    };
    let cause = explain(Failed::Later(Exit::Signal(9)), "", &killed);
    told.push((Why::DriverOutOfMemory, cause));
    told
}

/// Lines as Spark 4.3 and its Ivy print them.
#[test]
fn a_package_that_is_not_there_is_told_from_a_repository_that_is_not() {
    let end =
        "java.lang.RuntimeException: [unresolved dependency: org.nowhere#nothing;9.9: not found]";
    for (line, expected) in [
        ("==== central: tried", "org.nowhere#nothing;9.9: not found"),
        (
            "\tHost repos.spark-packages.org not found. url=https://repos.spark-packages.org/org/x.pom",
            "cannot be fetched: org.nowhere#nothing;9.9: not found",
        ),
        (
            "\tHost nowhere.invalid not found. url=https://nowhere.invalid/m2/org/x.pom",
            "cannot be reached: Host nowhere.invalid not found",
        ),
        (
            "\tServer access error at url https://repo.example/x.pom (java.net.ConnectException: Connection refused)",
            "cannot be reached: https://repo.example/x.pom (java.net.ConnectException: Connection refused)",
        ),
    ] {
        let log = format!("{line}\n{end}");
        let cause = explain(Failed::ToStart(Exit::Code(1)), &log, &setting());
        assert_eq!(cause.kind, Kind::Packages);
        assert!(cause.sentence.ends_with(expected), "{cause}");
    }
}

#[test]
fn a_setting_that_is_refused_is_named() {
    for (log, key) in [
        (
            "Exception in thread \"main\" java.lang.IllegalArgumentException: spark.locality.wait should be a time, but was x.",
            Some("`spark.locality.wait`"),
        ),
        (
            "Caused by: java.lang.NumberFormatException: Size must be specified: 'x' for spark.driver.maxResultSize",
            Some("`spark.driver.maxResultSize`"),
        ),
        // As Spark 4.3 prints it, and stays.
        (
            "INFO SparkConnectServer: Spark Connect server started at: 127.0.0.1:1\n\
             Caused by: org.apache.spark.SparkIllegalArgumentException: [INVALID_CONF_VALUE.TYPE_MISMATCH] The value 'abc' in \
             the config \"spark.sql.shuffle.partitions\" is invalid. It should be a/an 'int' value. SQLSTATE: 22022",
            Some("`spark.sql.shuffle.partitions`"),
        ),
        (
            "Exception in thread \"main\" java.lang.IllegalArgumentException: org.apache.spark.Thing is none",
            None,
        ),
        ("INFO IllegalArgumentException: spark.a is b", None),
    ] {
        let cause = explain(Failed::ToStart(Exit::Code(1)), log, &setting());
        match key {
            Some(key) => assert!(cause.remedy.contains(key), "{cause}"),
            None => assert_eq!(cause.kind, Kind::Exited, "{cause}"),
        }
    }
    let stays = "Caused by: org.apache.spark.SparkIllegalArgumentException: [INVALID_CONF_VALUE.TYPE_MISMATCH] The value";
    assert!(is_hopeless(stays) && !is_hopeless("WARN [INVALID_CONF_VALUE] of a user"));
    // Once it runs, such a line is of a user's statement.
    let later = "INFO Spark Connect server started at: x\n\
                 Exception in thread \"a\" java.lang.IllegalArgumentException: spark.a is b";
    let cause = explain(Failed::Later(Exit::Code(1)), later, &setting());
    assert_eq!(cause.kind, Kind::Exited, "{cause}");
}

#[test]
fn a_kill_is_for_memory_only_where_memory_ran_out() {
    let home = Home::Image("registry/img:1".to_owned());
    for failed in [
        Failed::ToStart(Exit::Signal(9)),
        Failed::Later(Exit::Signal(9)),
    ] {
        for (out_of_memory, kind, words) in [
            (true, Kind::Memory, "ran out of memory (OOM)"),
            (false, Kind::Killed, "signal 9"),
        ] {
            let pod = Setting {
                home: &home,
                out_of_memory,
                ..setting()
            };
            let cause = explain(failed, "", &pod);
            assert_eq!(cause.kind, kind);
            assert!(cause.sentence.contains(words), "{cause}");
        }
    }
    // Another signal is another story.
    let pod = Setting {
        out_of_memory: true,
        ..setting()
    };
    let cause = explain(Failed::Later(Exit::Signal(11)), "", &pod);
    assert!(cause.sentence.contains("signal 11"), "{cause}");
}

#[test]
fn the_tail_is_what_was_said_and_not_where() {
    let log = format!(
        "first\n{}last\n\tat a.b\n\n",
        "\tat x.y(Z.scala:1)\n".repeat(100)
    );
    let cause = explain(Failed::ToStart(Exit::Code(1)), &log, &setting());
    assert_eq!(cause.tail.as_deref(), Some("first\nlast"));
}
