# Sourced by `build`: how each layer is made. A function NAME_layer prints the layer's folder, which holds layer.tar.
# shellcheck shell=bash disable=SC2154,SC2016 # `here` and `images` are build's; shells inside expand their own

java_home=/usr/lib/jvm/java-17-openjdk-amd64
# Debian 12's, whose system the base is.
python_version=3.11

# packed OUT: everything below OUT/root as a layer, the same for the same files; what else is in OUT goes.
packed() {
    tar --directory="$1/root" --sort=name --mtime=@0 --numeric-owner --format=gnu --create --file="$1/layer.tar" .
    find "$1" -mindepth 1 -maxdepth 1 ! -name layer.tar -exec rm -rf {} +
}

# layer NAME KEY FUNCTION ARG...: made by `FUNCTION FOLDER ARG...` if it is not there.
layer() {
    local name=$1 folder="$images/layers/$1-$2"
    shift 2
    if [ ! -d "$folder" ]; then
        # Called in a subshell, with which the lock ends.
        locked "$images/layers/$name.lock" 5000 "build of $name"
        say "making ${folder##*/}"
        whole "$folder" "$@" >&2
    fi
    printf '%s\n' "$folder"
}

# Python with pip, apart from this machine's.
pip() {
    local environment
    environment=$(layer pip "$(hash_of "$(python3 --version)")" make_pip)
    "$environment/bin/python" -m pip --quiet --disable-pip-version-check "$@"
}

make_pip() { python3 -m venv "$1"; }

# The mirrors of Debian 12 that this machine's apt uses, in apt's own words.
debian_sources() {
    if [ -n "${FIRESTEEL_DEBIAN_SOURCES:-}" ]; then
        cat "$FIRESTEEL_DEBIAN_SOURCES"
        return
    fi
    apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 'Component: main' 'Origin: Debian' |
        grep -E ' bookworm(-updates|-security)? main$' | sort -u
}

base_packages=ca-certificates,openjdk-17-jre-headless,python3,tini

base_layer() { layer base "$(hash_of "$(declare -f make_base)" $base_packages)" make_base; }

make_base() {
    need mmdebstrap=mmdebstrap /usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring
    debian_sources >"$1/sources"
    [ -s "$1/sources" ] ||
        fail "this machine's apt knows no mirror of Debian 12. Name one: put its lines of sources.list into a file and set FIRESTEEL_DEBIAN_SOURCES to it."
    local proxy=
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    [ -z "$proxy" ] || export http_proxy=$proxy
    # Java's installation makes links among manual pages, whose folder goes with them.
    SOURCE_DATE_EPOCH=0 mmdebstrap --variant=minbase --include=$base_packages --format=tar \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --essential-hook='mkdir -p "$1/usr/share/man/man1"' \
        --customize-hook='chroot "$1" useradd --uid 185 --user-group --home-dir /opt/spark/work-dir --shell /usr/sbin/nologin spark' \
        bookworm "$1/layer.tar" "$1/sources" >"$1/log" 2>&1 ||
        { tail -n 20 "$1/log" >&2; fail "Debian 12's base could not be made, for the reason above"; }
}

# python_packages ROOT REQUIREMENTS: into where the image's own Python finds them.
python_packages() {
    local site=$1/usr/local/lib/python$python_version/dist-packages
    pip install --no-compile --target "$site" --only-binary=:all: --implementation cp --python-version $python_version \
        --platform manylinux2014_x86_64 --platform manylinux_2_28_x86_64 --requirement "$2"
    rm -rf "$site"/{pyarrow/include,pyarrow/tests,pandas/tests,numpy/*/tests}
    # What a package has beside its modules is looked for below /usr/local.
    [ ! -d "$site/share" ] || mv "$site/share" "$1/usr/local/share"
    [ ! -d "$site/bin" ] || { sed -i '1s/^#!.*/#!\/usr\/bin\/python3/' "$site"/bin/* && mv "$site/bin" "$1/usr/local/bin"; }
}

python_layer() { layer "$1" "$(hash_of "$(declare -f make_python python_packages)" "$2" "$(basename "$3")")" make_python "$2"; }

make_python() {
    python_packages "$1/root" "$2"
    packed "$1"
}

spark_layer() { layer "spark-$1" "$(hash_of "$(declare -f make_spark)" "$1")" make_spark "$1"; }

# PyPI's package is the whole of Spark; what is not run in a cluster stays out.
make_spark() {
    pip install --no-compile --no-deps --target "$1/package" "pyspark==$2"
    mkdir -p "$1/root/opt/spark/work-dir" "$1/root/opt/spark/python"
    mv "$1"/package/pyspark/{bin,jars} "$1/root/opt/spark"
    mv "$1/package/pyspark/python/lib" "$1/root/opt/spark/python"
    find "$1/root/opt/spark/bin" -name '*.cmd' -delete
    chmod -R u=rwX,go=rX "$1/root"
    packed "$1"
}

aws_layer() { layer aws "$(hash_of "$(declare -f make_aws)" "$here/spark/aws.sha256" "$here/spark/cut-bundle.py")" make_aws "$2"; }

# Ivy is in Spark, knows Maven Central by itself, and reads this machine's settings where it is given some.
make_aws() {
    local jars=$1/root/opt/spark/jars
    need java=default-jre-headless
    mkdir -p "$jars" "$1/fetched"
    tar --directory="$1" --extract --file="$2/layer.tar" --wildcards './opt/spark/jars/ivy-*.jar'
    java -jar "$1"/opt/spark/jars/ivy-*.jar ${FIRESTEEL_IVY_SETTINGS:+-settings "$FIRESTEEL_IVY_SETTINGS"} \
        -dependency org.apache.hadoop hadoop-aws 3.5.0 -confs default -cache "$1/cache" \
        -retrieve "$1/fetched/[artifact]-[revision].[ext]" >"$1/log" 2>&1 ||
        { tail -n 20 "$1/log" | cut -c1-500 >&2; fail "hadoop-aws could not be fetched, for the reason above"; }
    (cd "$1/fetched" && sha256sum --quiet --check "$here/spark/aws.sha256")
    python3 "$here/spark/cut-bundle.py" "$1"/fetched/bundle-*.jar "$jars/aws-sdk-s3.jar"
    mv "$1"/fetched/{hadoop-aws,analyticsaccelerator-s3,wildfly-openssl}-*.jar "$jars"
    packed "$1"
}

files_layer() { layer files "$(find "$here/spark/opt" -type f -print0 | sort -z | xargs -0 sha256sum | sed "s#$here##" | hash_of "$(cat)" "$(declare -f make_files)")" make_files; }

make_files() {
    mkdir "$1/root"
    cp -r "$here/spark/opt" "$1/root"
    packed "$1"
}

archive_layer() {
    local version=$1
    shift
    layer "archive-$version" "$(hash_of "$(declare -f make_archive)" "$here/spark/class-data.py" "${@##*/}")" make_archive "$@"
}

# In namespaces of its own: nothing that runs in there is on this machine's network, and no mount outlives it.
make_archive() {
    local out=$1 below
    shift
    need unshare=util-linux ip=iproute2
    mkdir -p "$out/unpacked" "$out/root/opt/spark"
    for below in "$@"; do tar --directory="$out/unpacked" --extract --file="$below/layer.tar"; done
    cp "$here/spark/class-data.py" "$out/unpacked/tmp"
    echo 127.0.0.1 localhost >"$out/unpacked/etc/hosts"
    timeout 2400 unshare --mount --uts --net --pid --fork --kill-child bash -euc '
        hostname localhost
        ip link set lo up
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        exec chroot --userspec=185:185 "$1" env -i PATH=/usr/bin:/bin LANG=C.UTF-8 HOME=/tmp SPARK_LOCAL_IP=127.0.0.1 SPARK_HOME=/opt/spark \
            JAVA_HOME="$2" PYTHONPATH="$(cd "$1" && printf "/%s:" opt/spark/python/lib/*.zip)" python3 /tmp/class-data.py /tmp/firesteel.jsa
    ' make_archive "$out/unpacked" "$java_home"
    install -m 644 "$out/unpacked/tmp/firesteel.jsa" "$out/root/opt/spark"
    packed "$out"
}

keeper_layer() { layer keeper "$(hash_of "$(declare -f make_keeper)" "$1")" make_keeper "$1"; }

make_keeper() {
    install -D --mode=755 "$2" "$1/root/firesteel-launcher"
    packed "$1"
}

notebook_layer() { layer notebook "$(hash_of "$(declare -f make_notebook)" "$1" "$(basename "$2")")" make_notebook "$@"; }

# The kernelspec is written by the program itself, in there: that it runs in the image is seen here, and not first in a pod.
make_notebook() {
    local program=$2 in=$1/unpacked file
    mkdir -p "$in"
    tar --directory="$in" --extract --file="$3/layer.tar"
    install --strip --mode=755 "$program" "$in/usr/local/bin/firesteel"
    # It looks for itself in /proc.
    unshare --mount --pid --fork --kill-child bash -euc '
        mount -t proc proc "$1/proc"
        exec chroot "$1" /usr/local/bin/firesteel install --prefix /usr/local
    ' make_notebook "$in" >"$1/log" 2>&1 || {
        cat "$1/log" >&2
        fail "$program does not run on Debian 12, on which the image is based. Build it on a system that is not newer."
    }
    chroot "$in" useradd --uid 1000 --gid users --create-home jovyan
    for file in etc/passwd etc/group etc/shadow etc/gshadow usr/local/bin/firesteel usr/local/share/jupyter/kernels home/jovyan; do
        mkdir -p "$1/root/$(dirname $file)"
        cp -a "$in/$file" "$1/root/$file"
    done
    packed "$1"
}

# sbom_layer NAME VERSION PACKAGE LAYER_FOLDER...: what the image is made of, in the image. PACKAGE is our crate in it, or nothing.
sbom_layer() {
    local image=$1
    shift
    layer "sbom-$image" "$(hash_of "$(declare -f make_sbom)" "$here/sbom.py" "$root/Cargo.lock" "$1" "$2" "${@:3}")" make_sbom "$image" "$@"
}

make_sbom() {
    local out=$1 image=$2 version=$3 package=$4
    shift 4
    mkdir -p "$out/root/usr/local/share/sbom"
    [ -z "$package" ] || (cd "$root" && command cargo metadata --locked --format-version 1 --filter-platform x86_64-unknown-linux-gnu >"$out/metadata")
    "$here/sbom.py" "$image" "$version" "$out/metadata" "$package" "${@/%//layer.tar}" >"$out/root/usr/local/share/sbom/$image.cdx.json"
    packed "$out"
}
