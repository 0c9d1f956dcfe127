#!/bin/bash
# What a container of this image runs. With the one argument `executor`, as Spark starts its executors on Kubernetes, it is an
# executor made from Spark's own environment variables; with anything else, that command.
set -euo pipefail

[ "${1:-}" = executor ] || exec "$@"

# Relative paths of an executor, such as those of files it is sent, are below where it starts: with a read-only root only its
# scratch volumes can be written.
if ! [ -w . ]; then
    local_dirs=${SPARK_LOCAL_DIRS:-/tmp}
    cd "${local_dirs%%,*}"
fi

# In the order of their numbers, of which there may be more than nine.
options=()
while read -r name; do
    options+=("${!name}")
done < <(compgen -v | grep -E '^SPARK_JAVA_OPT_[0-9]+$' | sort -t_ -k4,4n)

# Spark gives an executor the name of the file with its secret, but not the master without which it does not open it.
[[ ${options[*]} == *-Dspark.master=* ]] || options+=(-Dspark.master=k8s://https://kubernetes.default.svc)

# The archive fits one list of jars only, in one order; what else is wanted comes after it, or it would be of no use.
jars=$(LC_ALL=C && printf '%s:' /opt/spark/jars/*.jar)
class_path=${jars%:}${SPARK_EXTRA_CLASSPATH:+:$SPARK_EXTRA_CLASSPATH}${SPARK_CONF_DIR:+:$SPARK_CONF_DIR}${HADOOP_CONF_DIR:+:$HADOOP_CONF_DIR}
archive=/opt/spark/firesteel.jsa
[ ! -r $archive ] || [[ ${options[*]} == *SharedArchiveFile* ]] || options=(-XX:SharedArchiveFile=$archive "${options[@]}")

# tini passes signals on and reaps what Python workers leave.
exec tini -s -- "$JAVA_HOME/bin/java" "${options[@]}" "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" -cp "$class_path" \
    org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
    --driver-url "$SPARK_DRIVER_URL" \
    --executor-id "$SPARK_EXECUTOR_ID" \
    --cores "$SPARK_EXECUTOR_CORES" \
    --app-id "$SPARK_APPLICATION_ID" \
    --hostname "$SPARK_EXECUTOR_POD_IP" \
    --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" \
    --podName "$SPARK_EXECUTOR_POD_NAME"
