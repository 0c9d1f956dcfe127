//! From what a profile says of a cluster to what is made there.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Toleration;

use super::kubernetes::{
    Bundle, BundleSource, Executors, Gpu, Kubernetes, LocalDisk, Placement, Prices, Proxy, Size,
    Variable, Volume, VolumeSource,
};
use super::units::{Memory, Span};
use super::values::Values;
use super::values::cluster::{
    Accounts, Authorities, Bears, Cluster, Costs, Count, Disk, Effect, Gpus, Mount, Outside,
    PodSize, Pool, PullPolicy, Role, Value,
};
use super::{catalogs, images, legal};

/// How long a driver in a cluster may take to be ready: a node may have to come first, and an image.
const START_DEADLINE: Span = Span::seconds(10 * 60);

/// How long a driver may be idle.
const IDLE_LIMIT: Span = Span::seconds(60 * 60);

/// How long a driver may be idle whose executors have GPUs.
const IDLE_LIMIT_GPU: Span = Span::seconds(20 * 60);

/// Where images made by `deploy/images` have the program that prints GPUs.
const DISCOVERY: &str = "/opt/spark/bin/getGpusResources.sh";

/// How long a driver may be idle where its profile does not say.
pub(super) fn usual_idle_limit(spec: &Kubernetes) -> Span {
    match spec.gpu {
        Some(_) => IDLE_LIMIT_GPU,
        None => IDLE_LIMIT,
    }
}

/// What `cluster`, the part of `values` about clusters, stands for. `conf` are the settings of the
/// profile, checked.
///
/// # Errors
/// In words, with the key, for what is missing and what Kubernetes would refuse.
pub(super) fn kubernetes(
    values: &Values,
    cluster: &Cluster,
    conf: BTreeMap<String, String>,
) -> Result<Kubernetes, String> {
    let images = cluster.images.clone().unwrap_or_default();
    let (spark_version, image) = images::choose(&images, values.spark_version.as_deref())?;
    let keeper_image = required("keeperImage", cluster.keeper_image.as_deref())?;
    for image in [&image, &keeper_image] {
        check(images::is_image(image), "an image", image)?;
    }
    let namespace = required("namespace", cluster.namespace.as_deref())?;
    check(legal::is_label(&namespace), "a namespace", &namespace)?;
    let pull_secrets = cluster.pull_secrets.clone().unwrap_or_default();
    for name in pull_secrets
        .iter()
        .chain(&cluster.priority_class)
        .chain(&cluster.scheduler)
    {
        check(legal::is_name(name), "a name", name)?;
    }
    let Accounts {
        driver: driver_account,
        executor: executor_account,
        keeper: keeper_account,
    } = cluster.accounts.clone().unwrap_or_default();
    let gpu = cluster.gpu.as_ref().map(gpu).transpose()?.flatten();
    Ok(Kubernetes {
        start_deadline: values.start_deadline.unwrap_or(START_DEADLINE),
        context: cluster.context.clone(),
        namespace,
        spark_version,
        image,
        keeper_image,
        pull_policy: match cluster.pull_policy {
            Some(PullPolicy::Always) => "Always",
            None | Some(PullPolicy::IfNotPresent) => "IfNotPresent",
            Some(PullPolicy::Never) => "Never",
        }
        .to_owned(),
        pull_secrets,
        driver_account: account(driver_account, "firesteel-driver")?,
        executor_account: account(executor_account, "firesteel-executor")?,
        keeper_account: account(keeper_account, "firesteel-keeper")?,
        driver: size("driver", cluster.driver.as_ref(), &DRIVER)?,
        executor: size("executor", cluster.executor.as_ref(), &EXECUTOR)?,
        executors: executors(cluster.executors.as_ref())?,
        gpu,
        placement: placement(cluster)?,
        run_as_user: match cluster.run_as_user {
            Some(0) => return Err("`kubernetes.runAsUser` is 0: nothing runs as root".to_owned()),
            other => other,
        },
        local_disk: disk(cluster.local_disk.as_ref())?,
        volumes: volumes(cluster.volumes.as_ref())?,
        ca_bundle: cluster.ca_bundle.as_ref().map(bundle).transpose()?,
        proxy: cluster.proxy.as_ref().map(proxy).transpose()?,
        environment: environment(cluster.environment.as_ref())?,
        prices: cluster.prices.as_ref().map(prices).transpose()?,
        service: cluster.service.unwrap_or(false),
        priority_class: cluster.priority_class.clone(),
        scheduler: cluster.scheduler.clone(),
        conf: settings(cluster, conf)?,
        packages: values.packages.clone().unwrap_or_default(),
    })
}

fn required(key: &str, said: Option<&str>) -> Result<String, String> {
    match said {
        Some(said) => Ok(said.to_owned()),
        None => Err(format!("`kubernetes.{key}` is missing")),
    }
}

fn check(fine: bool, what: &str, text: &str) -> Result<(), String> {
    if fine {
        Ok(())
    } else {
        Err(format!("`{text}` is not {what} that Kubernetes takes"))
    }
}

fn account(said: Option<String>, usual: &str) -> Result<String, String> {
    let name = said.unwrap_or_else(|| usual.to_owned());
    check(legal::is_name(&name), "a service account", &name)?;
    Ok(name)
}

/// What a pod gets where nothing is said, and how much of its heap it has outside at least.
struct Usual {
    cores: u16,
    memory: Memory,
    /// With less heap Spark ends at once.
    least: Memory,
    /// Of 100 parts of the heap, and at least.
    overhead: (u64, Memory),
}

/// A driver plans, and collects results.
const DRIVER: Usual = Usual {
    cores: 1,
    memory: Memory::mebibytes(2048),
    least: Memory::LEAST_DRIVER,
    overhead: (10, Memory::mebibytes(512)),
};

/// An executor also has Python workers outside its heap.
const EXECUTOR: Usual = Usual {
    cores: 2,
    memory: Memory::mebibytes(4096),
    least: Memory::LEAST_EXECUTOR,
    overhead: (20, Memory::mebibytes(512)),
};

fn size(key: &str, said: Option<&PodSize>, usual: &Usual) -> Result<Size, String> {
    let said = said.cloned().unwrap_or_default();
    let cores = said.cores.map_or(usual.cores, u16::from);
    let memory = said.memory.unwrap_or(usual.memory);
    if memory < usual.least {
        return Err(format!(
            "`kubernetes.{key}.memory` is {memory}, and Spark needs {} there",
            usual.least
        ));
    }
    let (share, least) = usual.overhead;
    let part = Memory::mebibytes(memory.in_mebibytes() * share / 100);
    let millicores = said.millicores.unwrap_or(u32::from(cores) * 1000);
    if millicores == 0 {
        return Err(format!(
            "`kubernetes.{key}.millicores` is 0: nothing would run"
        ));
    }
    Ok(Size {
        millicores,
        cores,
        memory,
        overhead: said.overhead.unwrap_or(part.max(least)),
    })
}

fn executors(said: Option<&Count>) -> Result<Executors, String> {
    let said = said.cloned().unwrap_or_default();
    let count = Executors {
        min: said.min.unwrap_or(0),
        max: said.max.unwrap_or(10),
        idle: said.idle.unwrap_or(Span::seconds(60)),
        shuffle: said.shuffle.unwrap_or(Span::seconds(10 * 60)),
        cached: said.cached.unwrap_or(Span::seconds(30 * 60)),
    };
    if count.max == 0 || count.min > count.max {
        return Err(format!(
            "`kubernetes.executors` has `min` {} and `max` {}: no query could run",
            count.min, count.max
        ));
    }
    let spans = [
        ("idle", count.idle),
        ("shuffle", count.shuffle),
        ("cached", count.cached),
    ];
    match spans.iter().find(|(_, span)| *span == Span::seconds(0)) {
        Some((key, _)) => Err(format!("`kubernetes.executors.{key}` is 0s")),
        None => Ok(count),
    }
}

fn gpu(said: &Gpus) -> Result<Option<Gpu>, String> {
    let gpu = Gpu {
        amount: said.amount.unwrap_or(1),
        vendor: said
            .vendor
            .clone()
            .unwrap_or_else(|| "nvidia.com".to_owned()),
        discovery_script: said
            .discovery_script
            .clone()
            .unwrap_or_else(|| DISCOVERY.to_owned()),
        rapids: said.rapids.unwrap_or(false),
    };
    check(legal::is_name(&gpu.vendor), "a domain", &gpu.vendor)?;
    if !gpu.discovery_script.starts_with('/') {
        return Err(format!(
            "`kubernetes.gpu.discoveryScript` is `{}`, which does not begin with /",
            gpu.discovery_script
        ));
    }
    if gpu.rapids && gpu.amount > 1 {
        return Err(format!(
            "`kubernetes.gpu.amount` is {}: RAPIDS uses one GPU of each executor",
            gpu.amount
        ));
    }
    Ok((gpu.amount > 0).then_some(gpu))
}

fn placement(cluster: &Cluster) -> Result<Placement, String> {
    let said = cluster.placement.clone().unwrap_or_default();
    let (driver_nodes, driver_tolerations) = pool(said.driver)?;
    let (executor_nodes, executor_tolerations) = pool(said.executors)?;
    Ok(Placement {
        driver_nodes,
        driver_tolerations,
        executor_nodes,
        executor_tolerations,
    })
}

fn pool(said: Option<Pool>) -> Result<(BTreeMap<String, String>, Vec<Toleration>), String> {
    let Pool { nodes, tolerations } = said.unwrap_or_default();
    let nodes = nodes.unwrap_or_default();
    for (key, value) in &nodes {
        check(legal::is_label_key(key), "a label", key)?;
        check(legal::is_label_value(value), "a label's value", value)?;
    }
    let tolerations = tolerations.unwrap_or_default().into_iter().map(toleration);
    Ok((nodes, tolerations.collect::<Result<_, _>>()?))
}

fn toleration(said: Bears) -> Result<Toleration, String> {
    if let Some(key) = &said.key {
        check(legal::is_label_key(key), "a taint", key)?;
    }
    if let Some(value) = &said.value {
        check(legal::is_label_value(value), "a taint's value", value)?;
    }
    if said.key.is_none() && said.value.is_some() {
        return Err("a toleration has a `value` and no `key`".to_owned());
    }
    let operator = if said.value.is_some() {
        "Equal"
    } else {
        "Exists"
    };
    let effect = said.effect.map(|effect| match effect {
        Effect::NoSchedule => "NoSchedule",
        Effect::PreferNoSchedule => "PreferNoSchedule",
        Effect::NoExecute => "NoExecute",
    });
    Ok(Toleration {
        key: said.key,
        operator: Some(operator.to_owned()),
        value: said.value,
        effect: effect.map(str::to_owned),
        toleration_seconds: None,
    })
}

fn disk(said: Option<&Disk>) -> Result<LocalDisk, String> {
    let Disk {
        size,
        storage_class,
    } = said.cloned().unwrap_or_default();
    if let Some(class) = &storage_class {
        check(legal::is_name(class), "a storage class", class)?;
        if size.is_none() {
            return Err("`kubernetes.localDisk` has a `storageClass` and no `size`".to_owned());
        }
    }
    Ok(LocalDisk {
        size,
        storage_class,
    })
}

fn volumes(said: Option<&BTreeMap<String, Mount>>) -> Result<Vec<Volume>, String> {
    said.into_iter()
        .flatten()
        .map(|(name, mount)| volume(name, mount))
        .collect()
}

fn volume(name: &str, said: &Mount) -> Result<Volume, String> {
    let here = format!("`kubernetes.volumes.{name}`");
    let ours = ["firesteel-", "spark-", "pod-", "kube-"];
    if !legal::is_label(name) || ours.iter().any(|ours| name.starts_with(ours)) {
        return Err(format!("{here}: `{name}` is no name for a volume"));
    }
    let source = match (&said.claim, &said.nfs) {
        (Some(claim), None) => {
            check(legal::is_name(claim), "a claim", claim)?;
            VolumeSource::Claim(claim.clone())
        }
        (None, Some(nfs)) => VolumeSource::Nfs {
            server: nfs.server.clone(),
            path: nfs.path.clone(),
        },
        _ => return Err(format!("{here} needs one of `claim` and `nfs`")),
    };
    let path = said.path.clone().unwrap_or_default();
    if !legal::is_free_folder(&path) {
        return Err(format!(
            "{here}: nothing can be mounted at `{path}`; write a `path` such as /data"
        ));
    }
    let has = |role| said.on.as_ref().is_none_or(|on| on.contains(&role));
    Ok(Volume {
        name: name.to_owned(),
        source,
        path,
        read_only: said.read_only.unwrap_or(false),
        driver: has(Role::Driver),
        executors: has(Role::Executors),
    })
}

fn bundle(said: &Authorities) -> Result<Bundle, String> {
    let key = said.key.clone().unwrap_or_else(|| "ca.crt".to_owned());
    check(legal::is_data_key(&key), "a key", &key)?;
    let source = match (&said.config_map, &said.secret) {
        (Some(name), None) => BundleSource::ConfigMap(name.clone()),
        (None, Some(name)) => BundleSource::Secret(name.clone()),
        _ => return Err("`kubernetes.caBundle` needs one of `configMap` and `secret`".to_owned()),
    };
    let (BundleSource::ConfigMap(name) | BundleSource::Secret(name)) = &source;
    check(legal::is_name(name), "a name", name)?;
    Ok(Bundle { source, key })
}

fn proxy(said: &Outside) -> Result<Proxy, String> {
    let Outside {
        http,
        https,
        no_proxy,
    } = said.clone();
    for address in http.iter().chain(&https) {
        let known = ["http://", "https://"]
            .iter()
            .any(|scheme| address.starts_with(scheme));
        if !known || address.contains(|c: char| c.is_control() || c == ' ' || c == '@') {
            return Err(
                "`kubernetes.proxy`: an address begins with http:// or https:// and has no \
                 password; take that from a Secret by `environment`"
                    .to_owned(),
            );
        }
    }
    Ok(Proxy {
        http,
        https,
        no_proxy: no_proxy.unwrap_or_default(),
    })
}

fn environment(
    said: Option<&BTreeMap<String, Value>>,
) -> Result<BTreeMap<String, Variable>, String> {
    let mut environment = BTreeMap::new();
    for (name, value) in said.into_iter().flatten() {
        if !legal::is_free_variable(name) {
            return Err(format!(
                "`kubernetes.environment` has `{name}`, which no profile can set"
            ));
        }
        let value = match value {
            Value::Plain(text) => {
                if text.contains('\0') {
                    return Err(format!("`kubernetes.environment.{name}` has a NUL"));
                }
                Variable::Plain(text.clone())
            }
            Value::Secret(of) => {
                check(legal::is_name(&of.secret), "a Secret", &of.secret)?;
                check(legal::is_data_key(&of.key), "a key", &of.key)?;
                Variable::Secret {
                    secret: of.secret.clone(),
                    key: of.key.clone(),
                }
            }
        };
        environment.insert(name.clone(), value);
    }
    Ok(environment)
}

fn prices(said: &Costs) -> Result<Prices, String> {
    let all = [said.cpu, said.memory, said.gpu, said.node];
    if all.into_iter().flatten().any(|price| price < 0.0) {
        return Err("`kubernetes.prices` has a price below nothing".to_owned());
    }
    Ok(Prices {
        currency: said.currency.clone().unwrap_or_else(|| "USD".to_owned()),
        cpu: said.cpu,
        memory: said.memory,
        gpu: said.gpu,
        node: said.node,
    })
}

/// The profile's settings, with those of catalogs and of the warehouse beneath them.
fn settings(
    cluster: &Cluster,
    conf: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, String> {
    let catalogs = cluster.catalogs.clone().unwrap_or_default();
    catalogs::check(&catalogs)?;
    let mut settings = catalogs::settings(&catalogs);
    if let Some(warehouse) = &cluster.warehouse {
        if !warehouse.contains(":/") && !warehouse.starts_with('/') {
            return Err(format!(
                "`kubernetes.warehouse` is `{warehouse}`; write a folder or a bucket, such as \
                 s3a://tables/{{user}}"
            ));
        }
        settings.insert("spark.sql.warehouse.dir".to_owned(), warehouse.clone());
    }
    settings.extend(conf);
    Ok(settings)
}

#[cfg(test)]
mod tests;
