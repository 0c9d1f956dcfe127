# Sourced by the scripts of the test cluster: where things are, and how long anything may take.
# shellcheck shell=bash disable=SC2034 # what is set here is used where it is sourced

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=../../deploy/images/lib.sh
. "$root/deploy/images/lib.sh"

cluster_cache=$(firesteel_cache)/cluster

# The programs of the cluster and of the autoscaler, as `build` makes them: another recipe is another folder.
bin_folder() {
    command -v go >/dev/null || fail "Go is missing. Install Go 1.24 or newer."
    printf '%s/bin-%s\n' "$cluster_cache" "$(hash_of "$here/build" "$here/kube/main.go" "$here/pause/main.go" "$(go env GOVERSION GOARCH)")"
}

autoscaler_folder() {
    command -v go >/dev/null || fail "Go is missing. Install Go 1.24 or newer."
    printf '%s/autoscaler-%s\n' "$cluster_cache" "$(hash_of "$here/build" "$(go env GOVERSION GOARCH)")"
}

# within SECONDS COMMAND...: runs it again and again until it succeeds; false when it did not in time.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.1
    done
}

# Debian keeps what is root's apart.
export PATH=$PATH:/usr/sbin:/sbin

state=$cluster_cache/state
namespace=firesteel
node=node1
# The cluster's own network: its bridge has the first address, on which alone the servers for pods listen.
bridge=cni0
gateway=10.244.0.1

# in_state [DIR]: from here on the cluster is the one whose state is DIR, by default the one of this user.
in_state() {
    state=${1:-$state}
    mkdir -p "$state"
    state=$(cd "$state" && pwd -P)
}

kubectl() { command timeout 60 "$(cat "$state/run/bin")/kubectl" --kubeconfig="$state/admin.kubeconfig" --request-timeout=20s "$@"; }

ctr() { command timeout 300 ctr --address "$state/run/containerd.sock" --namespace k8s.io "$@"; }

# processes: all that `start` ever started for this state and that still live, whatever became of the files about them.
# Containers' own processes are not among them, but in the control groups of pods.
processes() {
    { grep -lzxF "FIRESTEEL_CLUSTER=$state" /proc/[0-9]*/environ 2>/dev/null || true; } | cut -d/ -f3
    # Where this state has a cluster, its kubelet is the only one on this machine: `up` refuses to start beside another.
    [ ! -f "$state/run/network" ] || find /sys/fs/cgroup -path '*/kubepods*' -name cgroup.procs -exec cat {} + 2>/dev/null || true
}

# start NAME COMMAND...: in a session of its own, with its output in log/NAME.log.
start() {
    local name=$1
    shift
    FIRESTEEL_CLUSTER=$state setsid "$@" >"$state/log/$name.log" 2>&1 </dev/null 9>&- &
    echo $! >"$state/run/$name.pid"
    # Its end is looked for by `runs`; the shell need not tell.
    disown
}

# runs NAME: whether what `start NAME` started lives, and is not another process that got its number.
runs() {
    local pid
    pid=$(cat "$state/run/$1.pid" 2>/dev/null) && grep -qzxF "FIRESTEEL_CLUSTER=$state" "/proc/$pid/environ" 2>/dev/null
}

# gone: whether nothing of this state lives any more. A zombie's environment is empty.
gone() { [ -z "$(processes)" ]; }

# The kernel's settings that the cluster's programs change, put back when it ends.
kernel_settings=(net.ipv4.ip_forward net.ipv4.conf.all.route_localnet net.bridge.bridge-nf-call-iptables
    vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes)

# guard -I|-D: Karpenter serves its metrics and health on all addresses of the machine, whatever it is told; nobody else may ask.
guard() {
    local table
    for table in iptables ip6tables; do
        while $table "$1" INPUT ! -i lo -p tcp -m multiport --dports 8180,8181 -j DROP 2>/dev/null; do
            [ "$1" = -D ] || break
        done
    done
}

# stop: ends the cluster, or what a killed run left of it. All is ended at once and by force: its data are thrown away anyway,
# and so this way works after any other end too.
stop() {
    local target table
    for _ in 1 2 3; do
        processes | xargs -r kill -KILL 2>/dev/null || true
        within 5 gone && break
    done
    gone || fail "these processes of the cluster do not end: $(processes | tr '\n' ' ')"
    # Innermost first. A lazy unmount, because a dead container's file systems can be busy for a moment.
    while read -r target; do
        umount -l "$(printf %b "$target")" || true
    done < <(findmnt -rno TARGET | grep -F "$state/" | sort -r || true)
    [ ! -f "$state/run/network" ] || find /sys/fs/cgroup -depth -type d -path '*/kubepods*' -exec rmdir {} + 2>/dev/null || true
    if [ -f "$state/run/network" ]; then
        # Where containerd always puts its shims' sockets; those that nobody listens on are dead.
        for target in /run/containerd/s/*; do
            grep -qF "$target" /proc/net/unix || rm -f "$target"
        done
        for table in iptables ip6tables; do
            $table-save 2>/dev/null | grep -vE -- '^:(KUBE|CNI)-|^-A (KUBE|CNI)-|-[jg] (KUBE|CNI)-' | $table-restore 2>/dev/null || true
        done
        guard -D
        iptables -D FORWARD -i "$bridge" -o "$bridge" -j ACCEPT 2>/dev/null || true
        ip link del "$bridge" 2>/dev/null || true
        sysctl -qep "$state/run/network" || true
    fi
    # Images stay in containerd/root: they take longest to make.
    rm -rf "$state"/{run,etcd,kubelet,cni,*.kubeconfig}
}

# another_cluster: whether the environment names a cluster that is not ours to start or end.
another_cluster() {
    [ -n "${KUBECONFIG:-}" ] && [ -n "${FIRESTEEL_TEST_IMAGE:-}" ] && [[ $(realpath -m "$KUBECONFIG") != "$state"/* ]]
}
