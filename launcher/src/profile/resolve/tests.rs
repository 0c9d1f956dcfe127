use std::path::{Path, PathBuf};

use super::*;
use crate::environment::Environment;
use crate::profile::{Layer, Profile, ProfileError, Profiles, Runs};

const OPERATOR: &str = "/etc/firesteel/profiles.yaml";
const USER: &str = "/home/ada/.config/firesteel/profiles.yaml";

/// What has to be said.
const LEAST: &str = "
profiles:
  c:
    kubernetes:
      namespace: spark
      images: {4.3: 'reg.example.org/spark:4.3'}
      keeperImage: reg.example.org/firesteel:1
";

fn get(operator: Option<&str>, user: &str, login: &str) -> Result<Profile, ProfileError> {
    let layer = |path: &str, text: &str| Layer::parse(Path::new(path), text);
    let operator = operator.map(|text| layer(OPERATOR, text)).transpose()?;
    let environment = Environment::from_iter([("JUPYTERHUB_USER", login)]);
    let user = Some(layer(USER, user)?);
    Profiles::new(PathBuf::from(OPERATOR), operator, user, &environment)?.get("c")
}

/// The profile `c` with the least that has to be said and this, in the user's file over the
/// operator's.
fn with(more: &str) -> Result<Profile, ProfileError> {
    get(Some(LEAST), &format!("profiles: {{c: {more}}}"), "ada")
}

fn spec(profile: Profile) -> Kubernetes {
    match profile.runs {
        Runs::Kubernetes(spec) => *spec,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_least_is_enough_and_everything_else_is_finite() {
    let profile = get(None, LEAST, "ada").unwrap();
    assert_eq!(profile.idle_limit, Some(Span::seconds(3600)));
    let spec = spec(profile);
    assert_eq!(
        (spec.spark_version.as_str(), spec.namespace.as_str()),
        ("4.3", "spark")
    );
    assert_eq!(spec.image, "reg.example.org/spark:4.3");
    assert_eq!(
        [
            &spec.driver_account,
            &spec.executor_account,
            &spec.keeper_account
        ],
        ["firesteel-driver", "firesteel-executor", "firesteel-keeper"]
    );
    assert_eq!(spec.pull_policy, "IfNotPresent");
    assert_eq!((spec.executors.min, spec.executors.max), (0, 10));
    assert_eq!(spec.start_deadline, Span::seconds(600));
    assert!(spec.gpu.is_none() && spec.conf.is_empty());
    assert_eq!(spec.driver.memory, Memory::mebibytes(2048));
    assert_eq!(spec.executor.overhead, Memory::mebibytes(819));
}

#[test]
fn layers_are_joined_key_by_key() {
    let profile = with(
        "{sparkVersion: '4.2', maxAge: 12h,
          kubernetes: {images: {'4.2': 'reg.example.org/spark:4.2'}, driver: {memory: 8g},
                       executors: {max: 3}, gpu: {rapids: true}}}",
    );
    // The operator allows no images of the user's.
    assert!(
        matches!(profile, Err(ProfileError::Image { .. })),
        "{profile:?}"
    );
    let operator = format!(
        "{LEAST}\nallowedImages: ['reg.example.org/spark:*']\ndefaults: {{kubernetes: {{executors: {{min: 1, idle: 5m}}}}}}"
    );
    let profile = get(
        Some(&operator),
        "profiles: {c: {sparkVersion: '4.2', maxAge: 12h,
          kubernetes: {images: {'4.2': 'reg.example.org/spark:4.2'}, driver: {memory: 8g},
                       executors: {max: 3}, gpu: {rapids: true}}}}",
        "ada",
    )
    .unwrap();
    assert_eq!(profile.max_age, Some(Span::seconds(12 * 3600)));
    assert_eq!(profile.idle_limit, Some(Span::seconds(20 * 60)));
    let spec = spec(profile);
    assert_eq!(spec.image, "reg.example.org/spark:4.2");
    assert_eq!((spec.executors.min, spec.executors.max), (1, 3));
    assert_eq!(spec.executors.idle, Span::seconds(300));
    assert_eq!(spec.driver.memory, Memory::mebibytes(8192));
    assert_eq!(spec.driver.cores, 1);
    let gpu = spec.gpu.unwrap();
    assert_eq!(
        (gpu.amount, gpu.vendor.as_str(), gpu.rapids),
        (1, "nvidia.com", true)
    );
}

#[test]
fn an_operator_locks_one_key_or_all_below_it() {
    for (locked, user, fine) in [
        (
            "kubernetes.namespace",
            "{kubernetes: {namespace: other}}",
            false,
        ),
        (
            "kubernetes.namespace",
            "{kubernetes: {driver: {memory: 1g}}}",
            true,
        ),
        ("kubernetes", "{kubernetes: {driver: {memory: 1g}}}", false),
        ("kubernetes", "{kubernetes: {}}", false),
        (
            "kubernetes.driver",
            "{kubernetes: {driver: {memory: 1g}}}",
            false,
        ),
        (
            "kubernetes.driver.cores",
            "{kubernetes: {driver: {memory: 1g}}}",
            true,
        ),
        ("idleLimit", "{idleLimit: 9h}", false),
    ] {
        let operator = format!("locked: [{locked}]\n{LEAST}");
        let result = get(Some(&operator), &format!("profiles: {{c: {user}}}"), "ada");
        assert_eq!(result.is_ok(), fine, "{locked} {user}: {result:?}");
        if let Err(error) = result {
            assert!(matches!(error, ProfileError::Locked { .. }), "{error}");
            assert!(
                error.to_string().contains(&format!("`{locked}`")),
                "{error}"
            );
        }
    }
}

#[test]
fn users_choose_images_that_the_operator_allows() {
    let allow = |patterns: &str| format!("{LEAST}\nallowedImages: [{patterns}]");
    let images = |image: &str| format!("{{kubernetes: {{images: {{'4.3': '{image}'}}}}}}");
    let keeper = "{kubernetes: {keeperImage: 'evil.example/keeper:1'}}".to_owned();
    for (operator, user, fine) in [
        (LEAST.to_owned(), images("reg.example.org/spark:4.3"), false),
        (
            allow("'reg.example.org/*'"),
            images("reg.example.org/mine:1"),
            true,
        ),
        (
            allow("'reg.example.org/*'"),
            images("evil.example/spark:4.3"),
            false,
        ),
        (allow("'reg.example.org/*'"), keeper, false),
        (
            allow("'reg.example.org/*'"),
            "{share: kernel}".to_owned(),
            true,
        ),
    ] {
        let result = get(Some(&operator), &format!("profiles: {{c: {user}}}"), "ada");
        assert_eq!(result.is_ok(), fine, "{user}: {result:?}");
    }
    // Nobody keeps users from what is theirs.
    assert!(get(None, LEAST, "ada").is_ok());
    let error = get(Some(LEAST), "allowedImages: ['a/*']", "ada").unwrap_err();
    assert!(matches!(
        error,
        ProfileError::OperatorOnly {
            key: "allowedImages",
            ..
        }
    ));
    let error = get(Some(&allow("'reg.example.org*'")), "{}", "ada").unwrap_err();
    assert!(error.to_string().contains("reg.example.org*"), "{error}");
}

#[test]
fn the_user_is_in_names_as_a_legal_label() {
    let operator = LEAST.replace("namespace: spark", "namespace: 'spark-{user}'");
    let more = "profiles: {c: {kubernetes: {accounts: {driver: '{user}-driver'},
        warehouse: 's3a://tables/{user}', placement: {driver: {nodes: {pool: '{user}'}}}}}}";
    let plain = spec(get(Some(&operator), more, "ada").unwrap());
    assert_eq!(plain.namespace, "spark-ada");
    assert_eq!(plain.driver_account, "ada-driver");
    assert_eq!(plain.placement.driver_nodes["pool"], "ada");
    assert_eq!(plain.conf["spark.sql.warehouse.dir"], "s3a://tables/ada");
    let hostile = spec(get(Some(&operator), more, "ada/../../kube-system").unwrap());
    assert!(
        hostile.namespace.starts_with("spark-ada-kube-syste--"),
        "{}",
        hostile.namespace
    );
    let said = "profiles: {c: {user: bob}}";
    assert_eq!(
        spec(get(Some(&operator), said, "ada").unwrap()).namespace,
        "spark-bob"
    );
}

#[test]
fn catalogs_are_settings_and_obey_the_same_list() {
    let lake = "{kubernetes: {catalogs: {lake: {type: rest, uri: 'https://lake.example.org',
        warehouse: 's3://lake/{user}', properties: {io-impl: org.apache.iceberg.aws.s3.S3FileIO, rest.retries: 3}},
        old: {class: org.apache.hudi.Old}}}}";
    let conf = spec(with(lake).unwrap()).conf;
    let conf: Vec<(&str, &str)> = conf.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        conf,
        [
            (
                "spark.sql.catalog.lake",
                "org.apache.iceberg.spark.SparkCatalog"
            ),
            (
                "spark.sql.catalog.lake.io-impl",
                "org.apache.iceberg.aws.s3.S3FileIO"
            ),
            ("spark.sql.catalog.lake.rest.retries", "3"),
            ("spark.sql.catalog.lake.type", "rest"),
            ("spark.sql.catalog.lake.uri", "https://lake.example.org"),
            ("spark.sql.catalog.lake.warehouse", "s3://lake/ada"),
            ("spark.sql.catalog.old", "org.apache.hudi.Old"),
        ]
    );
    let narrow = format!("{LEAST}\nallowedConf: [spark.sql.ansi.enabled]");
    let error = get(Some(&narrow), &format!("profiles: {{c: {lake}}}"), "ada").unwrap_err();
    assert!(
        error.to_string().contains("spark.sql.catalog.lake"),
        "{error}"
    );
}

#[test]
fn what_is_said_for_a_machine_does_not_count_in_a_cluster() {
    let operator = format!("{LEAST}\ndefaults: {{memory: 2g}}");
    assert!(get(Some(&operator), "{}", "ada").is_ok());
    let error = with("{memory: 2g}").unwrap_err().to_string();
    assert!(error.contains("`kubernetes.driver.memory`"), "{error}");
    // A server that is there wins over a driver that is not.
    let remote = with("{connect: 'sc://spark.example.org'}").unwrap();
    assert!(matches!(remote.runs, Runs::Remote(_)));
}

#[test]
fn what_a_cluster_would_refuse_is_refused_here() {
    for (more, word) in [
        ("{kubernetes: {namespace: Spark}}", "a namespace"),
        ("{kubernetes: {namespace: 'a.b'}}", "`a.b`"),
        (
            "{kubernetes: {accounts: {driver: '../x'}}}",
            "service account",
        ),
        ("{kubernetes: {pullSecrets: ['a b']}}", "`a b`"),
        ("{kubernetes: {runAsUser: 0}}", "root"),
        ("{kubernetes: {executors: {max: 0}}}", "no query"),
        ("{kubernetes: {executors: {min: 3, max: 2}}}", "no query"),
        ("{kubernetes: {executors: {idle: 0s}}}", "idle"),
        (
            "{kubernetes: {driver: {millicores: 0}}}",
            "`kubernetes.driver.millicores`",
        ),
        ("{kubernetes: {driver: {memory: 511m}}}", "Spark needs 512m"),
        (
            "{kubernetes: {executor: {memory: 449m}}}",
            "`kubernetes.executor.memory` is 449m, and Spark needs 450m",
        ),
        ("{kubernetes: {gpu: {amount: 2, rapids: true}}}", "one GPU"),
        (
            "{kubernetes: {gpu: {discoveryScript: x.sh}}}",
            "discoveryScript",
        ),
        ("{kubernetes: {localDisk: {storageClass: fast}}}", "`size`"),
        ("{kubernetes: {volumes: {home: {path: /home}}}}", "`claim`"),
        ("{kubernetes: {volumes: {home: {claim: a}}}}", "`path`"),
        (
            "{kubernetes: {volumes: {home: {claim: a, path: /firesteel/bin}}}}",
            "mounted",
        ),
        (
            "{kubernetes: {volumes: {spark-local-dir-1: {claim: a, path: /x}}}}",
            "name",
        ),
        (
            "{kubernetes: {caBundle: {configMap: a, secret: b}}}",
            "one of",
        ),
        ("{kubernetes: {caBundle: {}}}", "one of"),
        ("{kubernetes: {proxy: {http: 'proxy:3128'}}}", "http://"),
        (
            "{kubernetes: {proxy: {http: 'http://me:pass@proxy'}}}",
            "Secret",
        ),
        (
            "{kubernetes: {environment: {SPARK_MASTER: x}}}",
            "SPARK_MASTER",
        ),
        ("{kubernetes: {environment: {LD_PRELOAD: x}}}", "LD_PRELOAD"),
        (
            "{kubernetes: {environment: {A: {secret: 'B', key: c}}}}",
            "a Secret",
        ),
        (
            "{kubernetes: {placement: {driver: {nodes: {'a b': x}}}}}",
            "a label",
        ),
        (
            "{kubernetes: {placement: {driver: {tolerations: [{value: x}]}}}}",
            "no `key`",
        ),
        ("{kubernetes: {catalogs: {lake: {uri: x}}}}", "neither"),
        (
            "{kubernetes: {catalogs: {lake: {type: rest, class: x}}}}",
            "both",
        ),
        ("{kubernetes: {catalogs: {'a.b': {type: rest}}}}", "`a.b`"),
        ("{kubernetes: {warehouse: tables}}", "warehouse"),
        ("{kubernetes: {prices: {cpu: -1}}}", "price"),
        ("{sparkVersion: '4.1'}", "no image of Spark 4.1"),
        (
            "{conf: {spark.sql.ansi.enabled: '{user}'}}",
            "conf.spark.sql.ansi.enabled",
        ),
        (
            "{conf: {spark.kubernetes.namespace: x}}",
            "`kubernetes.namespace`",
        ),
    ] {
        let error = with(more).unwrap_err().to_string();
        assert!(error.contains(word), "{more}: {error}");
        assert!(error.starts_with(USER), "{error}");
    }
    for missing in ["namespace", "images", "keeperImage"] {
        let lines = LEAST.lines().filter(|line| !line.contains(missing));
        let error = get(None, &lines.collect::<Vec<_>>().join("\n"), "ada").unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("`kubernetes.{missing}`")),
            "{error}"
        );
    }
}

#[test]
fn everything_that_can_be_said_is_taken() {
    let all = "
profiles:
  c:
    sparkVersion: 4.3.0
    packages: ['org.apache.hadoop:hadoop-aws:3.5.0']
    kubernetes:
      context: here
      namespace: spark
      images: {'4.3': 'spark:4.3'}
      keeperImage: 'keeper:1'
      pullPolicy: Always
      pullSecrets: [registry]
      accounts: {driver: d, executor: e, keeper: k}
      runAsUser: 1000
      driver: {cores: 2, millicores: 500, memory: 4g, overhead: 1g}
      executor: {cores: 4, memory: 8g}
      executors: {min: 1, max: 5, idle: 30s, shuffle: 5m, cached: 10m}
      gpu: {amount: 1, vendor: amd.com, discoveryScript: /opt/gpus.sh}
      localDisk: {size: 100Gi, storageClass: fast}
      volumes:
        home: {claim: home, path: /home/jovyan}
        data: {nfs: {server: nas.example.org, path: /data}, path: /data, readOnly: true, on: [executors]}
      caBundle: {configMap: authorities}
      proxy: {https: 'http://proxy:3128', noProxy: [.svc, 10.0.0.0/8]}
      placement:
        driver: {nodes: {pool: cpu}}
        executors: {nodes: {example.org/pool: gpu}, tolerations: [{key: gpu, value: 'yes', effect: NoSchedule}, {}]}
      priorityClass: notebooks
      scheduler: yunikorn
      environment: {AWS_REGION: eu, PASSWORD: {secret: db, key: password}}
      prices: {currency: EUR, cpu: 0.04, gpu: 2}
      service: true
";
    let spec = spec(get(None, all, "ada").unwrap());
    assert_eq!(spec.spark_version, "4.3.0");
    assert_eq!((spec.driver.cores, spec.driver.millicores), (2, 500));
    assert_eq!(spec.executor.millicores, 4000);
    assert_eq!(spec.volumes.len(), 2);
    let data = &spec.volumes[0];
    assert_eq!(
        (data.driver, data.executors, data.read_only),
        (false, true, true)
    );
    assert!(spec.volumes[1].driver && spec.volumes[1].executors && !spec.volumes[1].read_only);
    let operators: Vec<_> = spec
        .placement
        .executor_tolerations
        .iter()
        .map(|toleration| toleration.operator.as_deref())
        .collect();
    assert_eq!(operators, [Some("Equal"), Some("Exists")]);
    assert_eq!(
        spec.environment["PASSWORD"],
        Variable::Secret {
            secret: "db".to_owned(),
            key: "password".to_owned()
        }
    );
    assert_eq!(spec.prices.unwrap().gpu, Some(2.0));
    assert!(spec.service);
}
