use std::path::{Path, PathBuf};

use super::super::{Attempt, TOKEN_VARIABLE};
use super::*;
use crate::claim::Claim;
use crate::driver::order::Parts;
use crate::profile::{
    Executors, LocalDisk, Memory, Package, Placement, Profile, Runs, Share, Size,
};

fn kubernetes() -> Kubernetes {
    Kubernetes {
        start_deadline: Span::seconds(300),
        context: None,
        namespace: "team".to_owned(),
        spark_version: "4.3".to_owned(),
        image: "registry/spark:4.3.0".to_owned(),
        keeper_image: "registry/keeper:1".to_owned(),
        pull_policy: "IfNotPresent".to_owned(),
        pull_secrets: Vec::new(),
        driver_account: "driver".to_owned(),
        executor_account: "executor".to_owned(),
        keeper_account: "keeper".to_owned(),
        driver: Size {
            millicores: 1000,
            cores: 2,
            memory: Memory::mebibytes(2048),
            overhead: Memory::mebibytes(512),
        },
        executor: Size {
            millicores: 200,
            cores: 4,
            memory: Memory::mebibytes(1024),
            overhead: Memory::mebibytes(384),
        },
        executors: Executors {
            min: 0,
            max: 8,
            idle: Span::seconds(60),
            shuffle: Span::seconds(300),
            cached: Span::seconds(900),
        },
        gpu: None,
        placement: Placement::default(),
        run_as_user: None,
        local_disk: LocalDisk::default(),
        volumes: Vec::new(),
        ca_bundle: None,
        proxy: None,
        environment: BTreeMap::new(),
        prices: None,
        service: false,
        priority_class: None,
        scheduler: None,
        conf: BTreeMap::new(),
        packages: Vec::new(),
    }
}

fn pod() -> Pod {
    Pod {
        name: "firesteel-1-abcde".to_owned(),
        address: "10.1.2.3".parse().unwrap(),
        api: "https://10.96.0.1:443".to_owned(),
        image: Image {
            parts: Parts {
                spark_home: PathBuf::from("/opt/spark"),
                java: PathBuf::from("/usr/bin/java"),
                java_major: 17,
                python: PathBuf::from("/usr/bin/python3"),
            },
            archive: None,
            decommission: "/opt/decom.sh".to_owned(),
        },
        environment: BTreeMap::from(
            [
                ("PATH", "/usr/bin"),
                ("FIRESTEEL_POD_UID", "u"),
                ("AWS_REGION", "eu-central-1"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        ),
        mounts: Mounts::below(Path::new("/")),
    }
}

fn plan(runs: &Kubernetes, pod: &Pod) -> Plan {
    let assignment = Assignment {
        claim: Claim {
            user: "ada".to_owned(),
            profile: "big".to_owned(),
            kernel: None,
        },
        profile: Profile {
            name: "big".to_owned(),
            share: Share::User,
            away: Span::seconds(120),
            runs: Runs::Kubernetes(Box::new(runs.clone())),
            ..Profile::built_in("big")
        },
        incarnation: "1".to_owned(),
        job: "firesteel-1".to_owned(),
        executor_prefix: "firesteel-1-x".to_owned(),
    };
    Plan::pod(&assignment, runs, pod)
}

/// Every setting of a plain profile, so that each change of one is seen.
#[test]
fn a_plain_driver_has_these_settings() {
    let plan = plan(&kubernetes(), &pod());
    let conf: String = plan
        .conf
        .iter()
        .map(|(key, value)| format!("{key}={value}\n"))
        .collect();
    assert_eq!(
        conf,
        "\
spark.app.name=firesteel big
spark.authenticate=true
spark.authenticate.secret.file=/firesteel/rpc/secret
spark.blockManager.port=7079
spark.connect.execute.manager.detachedTimeout=120s
spark.connect.grpc.binding.address=127.0.0.1
spark.connect.grpc.port.maxRetries=0
spark.connect.progress.reportInterval=250ms
spark.connect.session.manager.defaultSessionTimeout=-1
spark.decommission.enabled=true
spark.driver.bindAddress=10.1.2.3
spark.driver.blockManager.port=7079
spark.driver.host=10.1.2.3
spark.driver.memory=2g
spark.driver.port=7078
spark.dynamicAllocation.cachedExecutorIdleTimeout=900s
spark.dynamicAllocation.enabled=true
spark.dynamicAllocation.executorIdleTimeout=60s
spark.dynamicAllocation.initialExecutors=0
spark.dynamicAllocation.maxExecutors=8
spark.dynamicAllocation.minExecutors=0
spark.dynamicAllocation.shuffleTracking.enabled=true
spark.dynamicAllocation.shuffleTracking.timeout=300s
spark.executor.cores=4
spark.executor.decommission.forceKillTimeout=60s
spark.executor.failuresValidityInterval=15m
spark.executor.maxNumFailures=32
spark.executor.memory=1g
spark.executor.memoryOverhead=384m
spark.executorEnv.JDK_JAVA_OPTIONS=-Dspark.master=k8s://https://10.96.0.1:443
spark.extraListeners=firesteel.Interrupted
spark.jars.ivy=/firesteel/run/ivy
spark.kubernetes.authenticate.executor.serviceAccountName=executor
spark.kubernetes.container.image=registry/spark:4.3.0
spark.kubernetes.container.image.pullPolicy=IfNotPresent
spark.kubernetes.decommission.script=/opt/decom.sh
spark.kubernetes.driver.ownPersistentVolumeClaim=false
spark.kubernetes.driver.pod.name=firesteel-1-abcde
spark.kubernetes.driver.reusePersistentVolumeClaim=false
spark.kubernetes.driver.service.deleteOnTermination=false
spark.kubernetes.executor.deleteOnTermination=true
spark.kubernetes.executor.disableConfigMap=true
spark.kubernetes.executor.podNamePrefix=firesteel-1-x
spark.kubernetes.executor.podTemplateFile=/firesteel/order/executor.yaml
spark.kubernetes.executor.request.cores=200m
spark.kubernetes.executor.useDriverPodIP=true
spark.kubernetes.namespace=team
spark.local.dir=/firesteel/run/local
spark.master=k8s://https://10.96.0.1:443
spark.network.crypto.enabled=true
spark.port.maxRetries=0
spark.scheduler.mode=FAIR
spark.sql.execution.arrow.compression.codec=zstd
spark.sql.execution.arrow.compression.zstd.level=1
spark.sql.execution.arrow.maxRecordsPerBatch=40000
spark.sql.warehouse.dir=file:///firesteel/run/warehouse
spark.storage.decommission.enabled=true
spark.submit.deployMode=client
spark.ui.enabled=true
spark.ui.port=4040
"
    );
}

#[test]
fn the_driver_has_no_gpu_and_its_executors_have() {
    let mut runs = kubernetes();
    for (amount, cores, task) in [
        (1, 4, "0.2500"),
        (1, 1, "1"),
        (1, 3, "0.3333"),
        (2, 4, "0.5000"),
        (4, 2, "2"),
        (0, 0, "1"),
    ] {
        assert_eq!(share(amount, cores), task, "{amount} {cores}");
    }
    for cores in 1..=512_u16 {
        let part: f64 = share(1, cores).parse().unwrap();
        // As many tasks find room as Spark starts, and Spark takes it.
        assert!((1.0 / part).floor() >= f64::from(cores), "{cores}");
        assert!(part <= 0.5 || part.fract() == 0.0, "{cores}");
    }
    runs.gpu = Some(Gpu {
        amount: 1,
        vendor: "nvidia.com".to_owned(),
        discovery_script: "/opt/spark/bin/getGpusResources.sh".to_owned(),
        rapids: false,
    });
    let plain = plan(&runs, &pod()).conf;
    assert_eq!(plain["spark.executor.resource.gpu.amount"], "1");
    assert_eq!(plain["spark.executor.resource.gpu.vendor"], "nvidia.com");
    assert_eq!(plain["spark.task.resource.gpu.amount"], "0.2500");
    assert!(
        !plain
            .keys()
            .any(|key| key.starts_with("spark.driver.resource"))
    );
    assert!(!plain.contains_key("spark.plugins"));

    runs.gpu.as_mut().unwrap().rapids = true;
    runs.conf = BTreeMap::from([(
        "spark.rapids.sql.concurrentGpuTasks".to_owned(),
        "1".to_owned(),
    )]);
    let rapids = plan(&runs, &pod()).conf;
    assert_eq!(rapids["spark.plugins"], "com.nvidia.spark.SQLPlugin");
    assert_eq!(rapids["spark.rapids.sql.concurrentGpuTasks"], "1");
}

#[test]
fn a_profile_says_what_is_its_own_and_not_what_is_ours() {
    let mut runs = kubernetes();
    for (key, value) in [
        ("spark.sql.warehouse.dir", "s3a://lake/warehouse"),
        ("spark.ui.enabled", "false"),
        ("spark.driver.bindAddress", "0.0.0.0"),
        ("spark.executorEnv.JDK_JAVA_OPTIONS", "-Dx=y"),
        ("spark.sql.ansi.enabled", "a\n-Dspark.ui.port=1 \"b\\"),
    ] {
        runs.conf.insert(key.to_owned(), value.to_owned());
    }
    let plan = plan(&runs, &pod());
    assert_eq!(plan.conf["spark.sql.warehouse.dir"], "s3a://lake/warehouse");
    assert_eq!(plan.conf["spark.ui.enabled"], "true");
    assert_eq!(plan.conf["spark.driver.bindAddress"], "10.1.2.3");
    assert!(plan.conf["spark.executorEnv.JDK_JAVA_OPTIONS"].starts_with("-Dspark.master="));
    // What is hostile stays inside of its own argument.
    let attempt = Attempt {
        plan: &plan,
        jars: &[],
        port: 1,
        token: "hush",
        archived: true,
    };
    let arguments = attempt.arguments();
    assert!(arguments.contains("\"-Dspark.sql.ansi.enabled=a\\n-Dspark.ui.port=1 \\\"b\\\\\"\n"));
    assert!(!arguments.contains("hush"));
    assert_eq!(attempt.environment()[TOKEN_VARIABLE], "hush");
}

#[test]
fn secrets_for_pulling_and_packages_are_named_where_there_are_any() {
    let mut runs = kubernetes();
    runs.pull_secrets = vec!["one".to_owned(), "two".to_owned()];
    runs.packages = vec![Package::try_from("a:b:1".to_owned()).unwrap()];
    let plan = plan(&runs, &pod());
    assert_eq!(
        plan.conf["spark.kubernetes.container.image.pullSecrets"],
        "one,two"
    );
    assert_eq!(plan.conf["spark.jars.packages"], "a:b:1");
    assert!(plan.packages);
}

#[test]
fn an_address_of_the_newer_kind_is_bracketed() {
    let mut pod = pod();
    pod.address = "fd00:10:244::7".parse().unwrap();
    let plan = plan(&kubernetes(), &pod);
    assert_eq!(plan.conf["spark.driver.host"], "[fd00:10:244::7]");
    assert_eq!(plan.conf["spark.driver.bindAddress"], "[fd00:10:244::7]");
    assert!(
        plan.java
            .contains(&"-Djava.net.preferIPv6Addresses=true".to_owned())
    );
}

#[test]
fn java_starts_from_the_archive_of_its_image_until_it_dies_of_it() {
    let mut pod = pod();
    assert_eq!(plan(&kubernetes(), &pod).archive, None);
    pod.image.archive = Some(PathBuf::from("/opt/spark/firesteel.jsa"));
    let plan = plan(&kubernetes(), &pod);
    for archived in [true, false] {
        let attempt = Attempt {
            plan: &plan,
            jars: &[],
            port: 1,
            token: "hush",
            archived,
        };
        let flag = "\"-XX:SharedArchiveFile=/opt/spark/firesteel.jsa\"";
        assert_eq!(attempt.arguments().contains(flag), archived);
    }
}

#[test]
fn the_drivers_environment_is_the_containers_without_what_is_the_keepers() {
    let mut pod = pod();
    let names = |pod: &Pod| -> Vec<String> {
        let plan = plan(&kubernetes(), pod);
        plan.environment.into_keys().collect()
    };
    assert_eq!(names(&pod), ["AWS_REGION", "PATH"]);
    for (name, value) in [
        ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
        ("HTTPS_PROXY", "http://proxy:3128"),
        ("NO_PROXY", "intra.example"),
        ("https_proxy", "http://proxy:3128"),
    ] {
        pod.environment.insert(name.to_owned(), value.to_owned());
    }
    let environment = plan(&kubernetes(), &pod).environment;
    assert_eq!(
        environment["NO_PROXY"],
        "intra.example,10.96.0.1,localhost,127.0.0.1,.svc"
    );
    assert_eq!(
        environment["no_proxy"],
        "10.96.0.1,localhost,127.0.0.1,.svc"
    );
}
