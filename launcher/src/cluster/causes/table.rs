//! The causes. A row is: name, title, what it is about, what comes of it, how far it is known; then
//! what happened, and what to do about it.
//!
//! Sentences about a pod begin with `{pod}`, so that they can be said of a driver, of an executor
//! or of several.

use super::Certainty::{Likely, Sure};
use super::Course::{AtOnce, Ended, Waits};
use super::{Kind, Row};

macro_rules! causes {
    ($(# $section:literal $($name:ident $title:literal ($kind:ident, $course:ident, $certainty:ident) $happens:literal $remedy:literal)*)*) => {
        /// A cause.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Why {
            $($(#[doc = $happens] $name,)*)*
        }

        /// All causes, in sections.
        pub(crate) const SECTIONS: &[(&str, &[Why])] = &[$(($section, &[$(Why::$name),*])),*];

        impl Why {
            /// What there is to say of it.
            pub(crate) const fn row(self) -> Row {
                match self {
                    $($(Self::$name => Row {
                        title: $title,
                        kind: Kind::$kind,
                        course: $course,
                        certainty: $certainty,
                        happens: $happens,
                        remedy: $remedy,
                    },)*)*
                }
            }
        }
    };
}

causes! {
    # "The way to the cluster"

    NoConfiguration "No cluster is known" (Cluster, AtOnce, Sure)
        "No cluster is known here: {said}"
        "Set KUBECONFIG, or `kubernetes.context` in the profile; `kubectl config get-contexts` lists them."
    Unusable "The kubeconfig cannot be used" (Cluster, AtOnce, Sure)
        "The cluster at {server} cannot be used: {said}"
        "Correct the kubeconfig; `kubectl get pods` must work."
    Unreachable "The API cannot be reached" (Cluster, AtOnce, Sure)
        "The cluster at {server} cannot be reached to {what}: {said}"
        "See whether the network and the cluster are up; `kubectl get pods` tells as well."
    Silent "The API does not answer" (Cluster, AtOnce, Sure)
        "The cluster at {server} did not answer in time to {what}"
        "See whether the network and the cluster are up; `kubectl get pods` tells as well."
    CertificateUnknown "The API's certificate is not trusted" (Cluster, AtOnce, Sure)
        "The cluster at {server} shows a certificate that is not trusted here: {said}"
        "Fetch a new kubeconfig, or correct its `certificate-authority-data` and `server`; whoever runs the cluster knows both."
    CertificateExpired "The API's certificate has expired" (Cluster, AtOnce, Likely)
        "The certificate of the cluster at {server} is no longer valid by the clock here: {said}"
        "Compare `date -u` with another clock. Where it is right, have whoever runs the cluster renew the certificate."
    ClockBehind "The clock is behind" (Cluster, AtOnce, Likely)
        "The certificate of the cluster at {server} is not valid yet by the clock here: {said}"
        "Set the clock here right, which is behind; `date -u` shows it."
    NotKnown "The API does not know you" (Access, AtOnce, Sure)
        "The cluster at {server} does not know you"
        "Log in to the cluster again, as for `kubectl`, and run the cell again. Where that does not help, compare `date -u` with another clock."
    RightMissing "A right is missing" (Access, AtOnce, Sure)
        "You may not {what} in namespace `{namespace}`: {said}"
        "Ask whoever runs the cluster to bind the Role `firesteel-user` of `deploy/rbac` to you. What is missing of it is the rule `{rule}`. A cluster whose API server was started a moment ago says this too: then run the cell again."
    Forbidden "Forbidden" (Access, AtOnce, Likely)
        "You may not {what} in namespace `{namespace}`: {said}"
        "Ask whoever runs the cluster for the Role `firesteel-user` of `deploy/rbac`."
    NamespaceMissing "The namespace is missing" (Cluster, AtOnce, Sure)
        "There is no namespace `{namespace}` in the cluster at {server}"
        "Correct `kubernetes.namespace` in the profile, or have the namespace made."
    NamespaceEnding "The namespace is being deleted" (Cluster, AtOnce, Sure)
        "Namespace `{namespace}` is being deleted and takes nothing new"
        "Run the cell again when the namespace was made anew, or name another by `kubernetes.namespace` in the profile."
    NotTaken "The API does not take a value" (Profile, AtOnce, Sure)
        "The cluster does not take what the profile asks for: {said}"
        "Correct the profile; `%dryrun` shows what is made of it."
    ServerFailed "The API fails" (Cluster, AtOnce, Sure)
        "The cluster at {server} failed to {what} ({code}): {said}"
        "Run the cell again in a moment."

    # "What the namespace lets in"

    QuotaExceeded "A quota is used up" (Cluster, Waits, Sure)
        "Quota `{quota}` of namespace `{namespace}` has no room for {thing}: {resources}"
        "Wait until something of it is given back, stop drivers that nobody uses by `firesteel drivers stop`, or ask whoever runs the cluster for more quota."
    QuotaTooSmall "A quota is too small" (Cluster, AtOnce, Sure)
        "Quota `{quota}` of namespace `{namespace}` is too small for {thing}: {resources}"
        "Ask for less by {keys} in the profile, or ask whoever runs the cluster for that much quota."
    QuotaWantsFigures "A quota wants figures" (Cluster, AtOnce, Sure)
        "Quota `{quota}` of namespace `{namespace}` takes no pod that does not say its {said}"
        "Ask whoever runs the cluster for a LimitRange in the namespace with a default for it."
    LimitRange "A limit range is in the way" (Cluster, AtOnce, Sure)
        "The limit range of namespace `{namespace}` does not let {thing} in: {said}"
        "Change {keys} in the profile, or ask whoever runs the cluster for another LimitRange."
    PodSecurity "Pod Security is in the way" (Cluster, AtOnce, Sure)
        "Pod Security of namespace `{namespace}` does not let {thing} in: {said}"
        "Take what it names out of the profile, such as `nfs` volumes (claim a volume of the same server instead), or choose another namespace."
    Webhook "A webhook refuses" (Cluster, AtOnce, Sure)
        "Webhook `{policy}` of the cluster does not let {thing} in: {said}"
        "Change the profile as it asks, or ask whoever runs the cluster about `{policy}`."
    Policy "An admission policy refuses" (Cluster, AtOnce, Sure)
        "Policy `{policy}` of the cluster does not let {thing} in: {said}"
        "Change the profile as it asks, or ask whoever runs the cluster about `{policy}`."
    WebhookFailed "A webhook does not answer" (Cluster, Waits, Sure)
        "The cluster must ask webhook `{policy}` about {thing} and gets no answer: {said}"
        "Tell whoever runs the cluster that `{policy}` does not answer; run the cell again when it does."
    AccountMissing "A service account is missing" (Cluster, AtOnce, Sure)
        "There is no service account `{account}` in namespace `{namespace}` for {thing}"
        "Have whoever runs the cluster do `kubectl apply --namespace {namespace} -f deploy/rbac`, or correct `kubernetes.accounts` in the profile."
    PriorityClassMissing "A priority class is missing" (Cluster, AtOnce, Sure)
        "The cluster has no priority class `{class}`, which {thing} is to have"
        "Correct `kubernetes.priorityClass` in the profile."
    NotLetIn "Refused for another reason" (Cluster, Waits, Likely)
        "Namespace `{namespace}` does not let {thing} in: {said}"
        "Correct the profile, or ask whoever runs the cluster."
    SecretGone "The driver's Secret is gone" (Cluster, AtOnce, Sure)
        "The Secret `{secret}` of the running Spark driver was removed, so that nobody new can come to it, nor can executors"
        "End the driver by `firesteel drivers stop`, and run the cell again."
    NameTaken "The name is taken" (Cluster, AtOnce, Sure)
        "There is a Job `{job}` in namespace `{namespace}` that is not Firesteel's"
        "Remove it, or choose another namespace in the profile."

    # "Waiting for a node"

    NoRoom "No node has room" (Cluster, Waits, Sure)
        "{pod} cannot be placed on any node: {said}"
        "Wait until something is free or an autoscaler has made a node, or change the profile: less {key} may fit."
    TooLarge "No node is so large" (Cluster, Waits, Sure)
        "{pod} cannot be placed on any node: it asks for {asked}, and the largest node has {largest} ({said})"
        "Ask for less by {key} in the profile. Only an autoscaler that makes larger nodes helps else: wait for it, or ask whoever runs the cluster."
    NoDevice "No node has a free GPU" (Cluster, Waits, Sure)
        "{pod} cannot be placed on any node: {said}"
        "Wait until something is free or an autoscaler has made a node, or change the profile: every {key} is in use, or no node has so many."
    LabelsUnmet "No node has the labels" (Cluster, Waits, Sure)
        "{pod} cannot be placed on any node: {said}"
        "Wait until something is free or an autoscaler has made a node, or change the profile: {key} asks for {labels} that no free node has."
    TaintsUnmet "Nodes have taints" (Cluster, Waits, Sure)
        "{pod} cannot be placed on any node: {said}"
        "Wait until something is free or an autoscaler has made a node, or change the profile: {key} lacks taints that nodes have."
    ClaimPending "A volume is not there yet" (Cluster, Waits, Sure)
        "{pod} cannot be placed on any node: {said}"
        "Wait until something is free or an autoscaler has made a node, or change the profile: see `kubernetes.volumes` and `kubernetes.localDisk`. A volume can be bound to some nodes, such as those of one zone, and then room has to be there."
    ClaimUnbound "A volume is not made" (Cluster, Waits, Sure)
        "{pod} waits for its volume {claim}: {said}"
        "Have whoever runs the cluster make the volume or its storage class, or correct {key} in the profile."
    NotPlaced "No node takes it for another reason" (Cluster, Waits, Likely)
        "{pod} cannot be placed on any node: {said}"
        "Wait until something is free or an autoscaler has made a node, or change the profile."
    NodeComes "The autoscaler makes a node" (Cluster, Waits, Sure)
        "{pod} waits for a node that the autoscaler makes: {said}"
        "Wait some minutes; the start goes on by itself when the node is there."
    NodeNeverComes "The autoscaler makes no node" (Cluster, Waits, Sure)
        "{pod} cannot be placed on any node, and the autoscaler makes none for it: {said}"
        "Wait until something is free, change the profile (`kubernetes.placement` and what its pods ask for), or ask whoever runs the cluster for more or other nodes."

    # "Images"

    ImageNotFound "There is no such image" (Cluster, AtOnce, Sure)
        "{pod} cannot get image {image}: {said}"
        "Correct `{key}` in the profile."
    ImageNameWrong "An image's name is none" (Cluster, AtOnce, Sure)
        "{pod} cannot get image {image}: {said}"
        "Correct `{key}` in the profile."
    ImageDenied "The registry does not give the image" (Cluster, AtOnce, Likely)
        "{pod} cannot get image {image}: {said}"
        "Correct `{key}` in the profile, or name in `kubernetes.pullSecrets` a Secret that opens the registry."
    ImageOfOtherPlatform "The image is for another processor" (Cluster, AtOnce, Sure)
        "{pod} cannot get image {image}: {said}"
        "`{key}` in the profile has no variant for the node's processor: use another image, or other nodes by `kubernetes.placement`."
    ImageNeverPulled "The image may not be pulled" (Cluster, AtOnce, Sure)
        "{pod} cannot get image {image}: {said}"
        "Change `kubernetes.pullPolicy` in the profile, or bring the image to the nodes."
    RegistryUnreachable "The registry cannot be reached" (Cluster, Waits, Sure)
        "{pod} cannot get image {image}: {said}"
        "The node cannot talk to the registry; tell whoever runs the cluster."
    RegistryBusy "The registry has given enough" (Cluster, Waits, Sure)
        "{pod} cannot get image {image}: {said}"
        "Wait; the node tries again."
    NodeFull "The node's disk is full" (Cluster, Waits, Sure)
        "{pod} cannot get image {image}: {said}"
        "The node's disk is full; tell whoever runs the cluster."
    ImageNotPulled "The image is not there for another reason" (Cluster, Waits, Likely)
        "{pod} cannot get image {image}: {said}"
        "See `{key}` and `kubernetes.pullSecrets` in the profile; the node tries again."
    SlowPull "A large image is on its way" (Cluster, Waits, Sure)
        "{pod} waits for image {image}, which its node has been fetching for {time}"
        "Wait; a node fetches an image once. Kubernetes does not say how much of it is there."

    # "Containers, volumes and networks"

    SecretMissing "A Secret is missing" (Cluster, AtOnce, Sure)
        "{pod} cannot be started: {said}"
        "Have the Secret made in the driver's namespace, or correct the name in `kubernetes.environment` or `kubernetes.caBundle` of the profile."
    ConfigMapMissing "A ConfigMap is missing" (Cluster, AtOnce, Sure)
        "{pod} cannot be started: {said}"
        "Have the ConfigMap made in the driver's namespace, or correct the name in `kubernetes.caBundle` of the profile."
    KeyMissing "A key of a Secret or ConfigMap is missing" (Cluster, AtOnce, Sure)
        "{pod} cannot be started: {said}"
        "Have the key put in, or correct it in `kubernetes.environment` or `kubernetes.caBundle` of the profile."
    RunsAsRoot "The image runs as root" (Cluster, AtOnce, Sure)
        "{pod} cannot be started: {said}"
        "Set `kubernetes.runAsUser` in the profile to the number of a user of the image (185 in Spark's own), or use an image that runs as another user than root."
    NoSuchProgram "The image lacks a program" (Cluster, AtOnce, Sure)
        "{pod} cannot be started: {said}"
        "The image lacks what is started in it: use an image of Spark with its own entry point in `kubernetes.images`."
    NotStarted "A container cannot be made" (Cluster, Waits, Likely)
        "{pod} cannot be started: {said}"
        "See whether everything that the profile names is there, such as Secrets and their keys, and whether the image runs as another user than root."
    NotMounted "A volume cannot be mounted" (Cluster, Waits, Sure)
        "{pod} waits for its volume {volume}: {said}"
        "{see}; the node tries again. Else tell whoever runs the cluster."
    NotAttached "A volume cannot be attached" (Cluster, Waits, Sure)
        "{pod} waits for a volume to be attached to its node: {said}"
        "Where another node holds the volume, end the pod there that uses it; else tell whoever runs the cluster."
    NoSandbox "The node cannot make the pod's network" (Cluster, Waits, Sure)
        "{pod} waits for its node {node} to make its network: {said}"
        "Tell whoever runs the cluster; the node tries again."
    NodeStuck "The node does not get ready" (Cluster, Waits, Likely)
        "{pod} cannot be started: {its} {nodes} did not get volumes and network ready"
        "See whether the profile's volumes are there and free; `kubectl describe pod` shows what the node waits for."
    NodeRefused "The node refuses the pod" (Cluster, Ended, Sure)
        "{pod} {was} refused by {its} {nodes} ({reason}): {said}"
        "What the node had free was taken meanwhile. Run the cell again."

    # "Pods that ended"

    OutOfMemory "Killed for memory" (Memory, Ended, Sure)
        "{pod} {was} killed for using more than {its} {limit} of memory (OOMKilled){heap}"
        "Raise {overhead} (Python workers and buffers) or {memory} (Java's heap) in the profile."
    Evicted "Evicted" (Killed, Ended, Sure)
        "{pod} {was} evicted by {its} {nodes}: {said}"
        "{again}"
    DiskExceeded "Evicted for its disk" (Killed, Ended, Sure)
        "{pod} {was} evicted by {its} {nodes}: {said}"
        "{disk}"
    Drained "The node is drained" (Killed, Ended, Sure)
        "{pod} {was} evicted, because {its} {nodes} is drained by a person or an autoscaler"
        "{again}"
    Preempted "Preempted" (Killed, Ended, Sure)
        "{pod} {was} preempted by pods of higher priority"
        "{again}"
    NodeGone "The node is gone" (Killed, Ended, Sure)
        "{pod} {was} lost with {its} {nodes} {name}"
        "{again}"
    Overrun "It ran longer than it may" (Deadline, Ended, Sure)
        "{pod} ran longer than {its} deadline"
        "{again}"
    Deleted "Deleted" (Killed, Ended, Sure)
        "{pod} {was} deleted by a person or a program"
        "{again}"
    HeapFull "Java's heap was full" (Exited, Ended, Sure)
        "{pod} ran out of Java's heap (exit code {code}): {said}"
        "Raise {memory} in the profile."
    KilledByOthers "Killed" (Killed, Ended, Likely)
        "{pod} {was} killed (exit code {code}): {said}"
        "Often that is for want of memory: raise {overhead} in the profile if it happens again."
    ToldToEnd "Told to end" (Killed, Ended, Sure)
        "{pod} {was} told to end (exit code {code}): {said}"
        "{again}"
    NoFolder "No folder on disk" (Exited, Ended, Sure)
        "{pod} could not make a folder on disk (exit code {code}): {said}"
        "See `kubernetes.localDisk` in the profile."
    DriverNotHeard "The driver is not heard any more" (Exited, Ended, Sure)
        "{pod} could not reach the driver any more (exit code {code}): {said}"
        "`%logs executor` and its number shows more while it is there."
    DriverUnreachable "Executors cannot reach the driver" (Exited, Ended, Likely)
        "{pod} ended because it could not reach the driver (exit code {code}): {said}"
        "Ask whoever runs the cluster to let pods of the namespace reach each other at ports 7078 and 7079: mostly a NetworkPolicy or a service mesh is in the way."
    Uncaught "An exception that nothing caught" (Exited, Ended, Sure)
        "{pod} failed of an exception that nothing caught (exit code {code}): {said}"
        "{again}"
    Exited "Its program ended" (Exited, Ended, Sure)
        "{pod} ended with exit code {code}: {said}"
        "{again}"
    CrashLoop "Executors end again and again" (Exited, Ended, Sure)
        "{count} executors in a row ended within a minute of their start, and Spark makes more; the last one {said}"
        "Interrupt the cell and mend that first. {remedy}"

    # "Spark in its pod"

    ConfRefused "Spark refuses its configuration" (Profile, Ended, Sure)
        "Spark does not take the configuration of profile `{profile}`: {said}"
        "Correct {key} in `conf` of the profile and run the cell again."
    PackagesUnresolved "Packages do not resolve" (Packages, Ended, Sure)
        "The packages of profile `{profile}` cannot be fetched: {said}"
        "Correct `packages` in the profile, or see to it that Maven Central can be reached from where the driver is; `packages` are fetched by its Java."
    PackagesUnreachable "The packages' repository cannot be reached" (Packages, Ended, Sure)
        "The packages of profile `{profile}` cannot be fetched, because their repository cannot be reached: {said}"
        "Put the packages into the image, or have whoever runs the cluster let pods reach the repository. Java does not read `kubernetes.proxy`: where only a proxy leads outside, an operator sets `-Dhttps.proxyHost` and `-Dhttps.proxyPort` in `spark.driver.extraJavaOptions`."
    DriverRightMissing "Spark may not make executors" (Access, Ended, Sure)
        "Spark may not {what}: {said}"
        "Have whoever runs the cluster do `kubectl apply --namespace {namespace} -f deploy/rbac`. What is missing of the Role `firesteel-driver` is the rule `{rule}`. A cluster whose API server was started a moment ago says this too: then run the cell again."
    ExecutorsRefused "Executors are not let in" (Cluster, Waits, Sure)
        "{sentence}, so that Spark works with fewer executors or waits for the first"
        "{remedy}"
    ApiUnreachable "Spark cannot reach the cluster's API" (Cluster, Ended, Sure)
        "Spark in the driver's pod cannot reach the cluster's API: {said}"
        "Ask whoever runs the cluster to let pods of the namespace reach its API: mostly a NetworkPolicy or a service mesh is in the way."
    DiskFull "The driver's disk is full" (Disk, Ended, Sure)
        "The Spark driver ran out of disk space; it spills to {folder}"
        "Its node has no disk left for it: choose nodes with more by `kubernetes.placement.driver.nodes`, or tell whoever runs the cluster. What executors write is elsewhere (`kubernetes.localDisk`)."
    PortsTaken "Ports were taken" (Port, Ended, Sure)
        "The ports chosen for the Spark driver were taken by other programs"
        "Something else in the pod, mostly an injected sidecar, listens at port 7078, 7079 or 4040: have it moved, and run the cell again."
    HeapNotGiven "Java cannot get its heap" (Memory, Ended, Sure)
        "Java cannot get the {heap} of heap that profile `{profile}` gives the Spark driver"
        "Set `kubernetes.driver.memory` in the profile to less, or `kubernetes.driver.overhead` to more."
    HeapTooSmall "The heap is too small" (Memory, Ended, Sure)
        "{heap} of heap is too little for Spark"
        "Set `kubernetes.driver.memory` in the profile to 1g or more."
    DriverHeapFull "The driver's heap was full" (Memory, Ended, Sure)
        "The Spark driver's heap of {heap} was full"
        "Set `kubernetes.driver.memory` in profile `{profile}` to more, or fetch less; the next cell starts a new driver."
    DriverOutOfMemory "The driver was killed for memory" (Memory, Ended, Sure)
        "The Spark driver was killed because its pod ran out of memory (OOM): its heap of {heap} and what it needs beside were more than the {limit} that the pod may have"
        "Give the driver of profile `{profile}` more memory outside the heap (`kubernetes.driver.overhead`); the next cell starts a new driver."
    DriverKilled "The driver was killed" (Killed, Ended, Sure)
        "The Spark driver was killed in its pod (signal 9), and not for want of memory"
        "See who or what killed it; the next cell starts a new driver."
    DriverSignalled "The driver was killed by a signal" (Killed, Ended, Sure)
        "The Spark driver was killed by signal {signal}"
        "The next cell starts a new driver."
    JavaTooOld "Java is too old" (Runtime, Ended, Sure)
        "{java} is too old for Spark"
        "Add Java 17 or later to image `{image}`, and set JAVA_HOME in it."
    JavaNotRun "Java cannot be run" (Runtime, Ended, Sure)
        "{java} cannot be run"
        "See whether image `{image}` is for this processor."
    JarBroken "A jar is broken" (Jars, Ended, Likely)
        "{said}"
        "Make image `{image}` again."
    TooManyLost "Too many executors were lost" (Exited, Ended, Sure)
        "The Spark driver lost too many executors in a short time and gave up"
        "See by `%logs` why they failed; the next cell starts a new driver."
    NotReady "Spark was not ready in time" (Deadline, Ended, Sure)
        "The Spark driver was not ready after {time} and was ended"
        "Give the driver more cores in the profile, or set `startDeadline` to more."
    DriverExited "The driver ended" (Exited, Ended, Likely)
        "The Spark driver exited {when} with code {code}: {said}"
        "The end of its log tells more; `%logs` shows it. The next cell starts a new driver."

    # "The start as a whole"

    TooLate "The start deadline has passed" (Deadline, Ended, Sure)
        "The Spark driver of profile `{profile}` did not start within {time}: {said}"
        "{remedy} A longer `startDeadline` in the profile waits longer."
    NotWaitedFor "Nobody waited for it any more" (Deadline, Ended, Sure)
        "The Spark driver of profile `{profile}` was given up while it started: no notebook said any more that it waits"
        "Run the cell again. A computer that sleeps or is cut off waits for nothing."
    Removed "The driver was removed" (Stopped, Ended, Sure)
        "The Spark driver of profile `{profile}` was removed from the cluster"
        "The next cell starts a new driver."
    KeeperLost "The keeper cannot be reached" (KeeperLost, Ended, Likely)
        "The keeper of the Spark driver of profile `{profile}` cannot be reached: {said}"
        "See whether you may forward ports to pods, and whether the network is up; run the cell again."
}
