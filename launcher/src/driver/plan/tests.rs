#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method's name is not general enough over the attempt's lifetime"
)]

use proptest::prelude::*;

use super::*;
use crate::claim::Claim;
use crate::driver::order::{Order, may_see};
use crate::paths::Paths;
use crate::place::tests::places;
use crate::profile::{Compiler, Runs, Span};

fn order() -> Order {
    Order {
        paths: Paths::from_env(|_| None),
        claim: Claim {
            user: "ada".to_owned(),
            profile: "local".to_owned(),
            kernel: None,
        },
        profile: Profile::built_in("local"),
        parts: Parts {
            spark_home: PathBuf::from("/opt/spark"),
            java: PathBuf::from("/opt/java/bin/java"),
            java_major: 17,
            python: PathBuf::from("/opt/venv/bin/python"),
        },
        heap: Memory::mebibytes(2048),
        cores: NonZeroU16::MIN,
        environment: BTreeMap::from([("HOME".to_owned(), "/home/ada".to_owned())]),
    }
}

fn local(order: &mut Order) -> &mut crate::profile::Local {
    match &mut order.profile.runs {
        Runs::Local(local) => local,
        _ => unreachable!("the built-in profile is local"),
    }
}

fn with<T>(order: &Order, look: impl FnOnce(&Attempt<'_>) -> T) -> T {
    let dir = tempfile::tempdir().unwrap();
    let mut place = places(dir.path()).of(&order.claim.id());
    place.scratch = PathBuf::from("/scratch/d");
    let Runs::Local(local) = &order.profile.runs else {
        unreachable!("the built-in profile is local")
    };
    look(&Attempt {
        plan: &Plan::local(order, local, &place),
        jars: &[
            PathBuf::from("/opt/spark/jars/a.jar"),
            PathBuf::from("/opt/spark/jars/b.jar"),
        ],
        port: 4711,
        token: "hush",
        archived: true,
    })
}

#[test]
fn the_token_is_in_the_environment_and_nowhere_else() {
    with(&order(), |attempt| {
        let environment = attempt.environment();
        assert_eq!(environment[TOKEN_VARIABLE], "hush");
        assert!(!attempt.arguments().contains("hush"));
        assert!(!attempt.properties().contains("hush"));
        assert!(!format!("{:?}", attempt.conf()).contains("hush"));
    });
}

#[test]
fn the_environment_is_what_was_allowed_and_ours() {
    let names: Vec<String> = with(&order(), |attempt| {
        attempt.environment().into_keys().collect()
    });
    assert_eq!(
        names,
        [
            "FIRESTEEL_PYTHON",
            "HOME",
            "LC_CTYPE",
            "PYSPARK_PYTHON",
            "SPARK_CONNECT_AUTHENTICATE_TOKEN",
            "SPARK_HOME",
            "SPARK_LOCAL_IP",
            "TMPDIR",
        ]
    );
    for (name, may) in [
        ("HOME", true),
        ("LC_ALL", true),
        ("AWS_PROFILE", true),
        ("AWS_SECRET_ACCESS_KEY", false),
        ("JUPYTERHUB_API_TOKEN", false),
        ("SPARK_REMOTE", false),
        ("JAVA_TOOL_OPTIONS", false),
        ("JDK_JAVA_OPTIONS", false),
        ("LD_PRELOAD", false),
        ("PYTHONPATH", false),
        ("SPARK_CONF_DIR", false),
    ] {
        assert_eq!(may_see(name), may, "{name}");
    }
}

#[test]
fn a_quick_driver_is_compiled_by_the_first_compiler_alone() {
    let mut order = order();
    let quick = |order: &Order| {
        with(order, |attempt| {
            attempt.arguments().contains("TieredStopAtLevel=1")
        })
    };
    assert!(!quick(&order));
    order.profile.compiler = Compiler::Quick;
    assert!(quick(&order));
}

#[test]
fn results_are_sent_in_large_compressed_batches_unless_the_profile_says_otherwise() {
    let sent = |order: &Order| {
        let conf = with(order, |attempt| attempt.conf());
        [
            "compression.codec",
            "compression.zstd.level",
            "maxRecordsPerBatch",
        ]
        .map(|key| conf[&format!("spark.sql.execution.arrow.{key}")].clone())
    };
    let mut order = order();
    assert_eq!(sent(&order), ["zstd", "1", "40000"]);
    local(&mut order).conf = [
        ("compression.codec", "none"),
        ("compression.zstd.level", "9"),
        ("maxRecordsPerBatch", "1000"),
    ]
    .map(|(key, value)| (format!("spark.sql.execution.arrow.{key}"), value.to_owned()))
    .into();
    assert_eq!(sent(&order), ["none", "9", "1000"]);
}

#[test]
fn what_is_ours_is_over_what_the_profile_says() {
    let mut order = order();
    order.profile.away = Span::seconds(120);
    local(&mut order).conf = BTreeMap::from([
        ("spark.ui.enabled".to_owned(), "true".to_owned()),
        ("spark.sql.ansi.enabled".to_owned(), "false".to_owned()),
    ]);
    let conf = with(&order, |attempt| attempt.conf());
    assert_eq!(conf["spark.ui.enabled"], "false");
    assert_eq!(conf["spark.sql.ansi.enabled"], "false");
    assert_eq!(
        conf["spark.connect.execute.manager.detachedTimeout"],
        "120s"
    );
    assert_eq!(
        conf["spark.sql.warehouse.dir"],
        "file:///scratch/d/warehouse"
    );
    assert_eq!(conf["spark.connect.grpc.binding.port"], "4711");
}

#[test]
fn a_profiles_warehouse_is_kept() {
    let mut order = order();
    local(&mut order).warehouse = Some(PathBuf::from("/data/my tables#1"));
    let conf = with(&order, |attempt| attempt.conf());
    assert_eq!(
        conf["spark.sql.warehouse.dir"],
        "file:///data/my%20tables%231"
    );
}

#[test]
fn packages_are_fetched_by_spark_submit() {
    let mut order = order();
    local(&mut order).packages = ["a:b:1", "c:d:2"]
        .map(|text| Package::try_from(text.to_owned()).unwrap())
        .to_vec();
    with(&order, |attempt| {
        let arguments = attempt.arguments();
        assert!(arguments.contains("org.apache.spark.deploy.SparkSubmit"));
        assert!(arguments.contains("\"/scratch/d/spark.properties\""));
        assert!(!arguments.contains("-Dspark."));
        assert!(
            attempt
                .properties()
                .contains("spark.jars.packages=a:b:1,c:d:2\n")
        );
    });
}

#[test]
fn a_driver_without_packages_is_java_alone() {
    with(&order(), |attempt| {
        let arguments = attempt.arguments();
        let lines: Vec<&str> = arguments.lines().collect();
        assert_eq!(lines[0], "\"-cp\"");
        assert_eq!(
            lines[1],
            "\"/opt/spark/jars/a.jar:/opt/spark/jars/b.jar:/scratch/d/listener.jar\""
        );
        assert_eq!(lines[2], "\"-Xmx2g\"");
        assert!(lines.contains(&"\"-Dspark.master=local[1]\""));
        assert!(lines.contains(&"\"--add-opens=java.base/java.lang=ALL-UNNAMED\""));
        assert_eq!(
            lines.last(),
            Some(&"\"org.apache.spark.sql.connect.service.SparkConnectServer\"")
        );
    });
}

#[test]
fn a_small_machine_gets_the_small_collector() {
    for (heap, cores, serial) in [(4096, 2, true), (2048, 8, true), (4096, 4, false)] {
        let mut order = order();
        order.heap = Memory::mebibytes(heap);
        order.cores = NonZeroU16::new(cores).unwrap();
        let arguments = with(&order, |attempt| attempt.arguments());
        assert_eq!(arguments.contains("UseSerialGC"), serial, "{heap} {cores}");
    }
}

#[test]
fn an_order_survives_the_way_to_the_keeper() {
    let mut order = order();
    local(&mut order).packages = vec![Package::try_from("a:b:1".to_owned()).unwrap()];
    let text = serde_json::to_string(&order).unwrap();
    assert_eq!(serde_json::from_str::<Order>(&text).unwrap(), order);
}

/// Reads an argument file as `java(1)` says it does.
fn read_arguments(text: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    for line in text.lines() {
        let inside = line
            .strip_prefix('"')
            .and_then(|line| line.strip_suffix('"'))
            .unwrap();
        let mut argument = String::new();
        let mut chars = inside.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => argument.push(match chars.next().unwrap() {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                }),
                '"' => panic!("an argument ends early: {line}"),
                _ => argument.push(c),
            }
        }
        arguments.push(argument);
    }
    arguments
}

/// Reads a file of properties as `java.util.Properties` does, as far as ours use its rules.
fn read_properties(text: &str) -> BTreeMap<String, String> {
    let mut properties = BTreeMap::new();
    for line in text.split(['\n', '\r']).filter(|line| !line.is_empty()) {
        let (key, line) = line.split_once('=').unwrap();
        let (mut value, mut chars) = (String::new(), line.chars());
        while let Some(c) = chars.next() {
            match (c, c == '\\') {
                (c, false) => value.push(c),
                (_, true) => match chars.next().unwrap() {
                    'u' => {
                        let code: String = chars.by_ref().take(4).collect();
                        let code = u32::from_str_radix(&code, 16).unwrap();
                        value.push(char::from_u32(code).unwrap());
                    }
                    other => value.push(other),
                },
            }
        }
        let twice = properties.insert(key.to_owned(), value);
        assert_eq!(twice, None, "{key}");
    }
    properties
}

proptest! {
    #[test]
    fn properties_are_read_back_whatever_is_in_them(name in any::<String>(), value in "[^ ].{0,20}") {
        let mut order = order();
        order.profile.name = name;
        let conf = &mut local(&mut order).conf;
        conf.insert("spark.sql.session.timeZone".to_owned(), value);
        with(&order, |attempt| {
            assert_eq!(read_properties(&attempt.properties()), attempt.conf());
        });
    }

    #[test]
    fn arguments_are_read_back_whatever_is_in_them(arguments in proptest::collection::vec("[^\\x0b\\x0c\\x00]{0,20}", 0..5)) {
        prop_assert_eq!(read_arguments(&java::argument_file(&arguments)), arguments);
    }
}
