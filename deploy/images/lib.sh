# Sourced by the scripts that build images and the test cluster: words, Debian packages, locks, folders that are whole or absent.
# shellcheck shell=bash

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

# firesteel_cache: where everything is kept that is made once, outside the checkout.
firesteel_cache() { printf '%s/firesteel\n' "${XDG_CACHE_HOME:-$HOME/.cache}"; }

# need PROGRAM=PACKAGE...: installs the Debian packages whose programs (or, with a slash, files) are not there.
need() {
    local pair missing=()
    for pair in "$@"; do
        case ${pair%%=*} in
            /*) [ -e "${pair%%=*}" ] ;;
            *) PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%=*}" >/dev/null ;;
        esac || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || fail "needs root to install what is missing. Install it first: apt-get install ${missing[*]}"
    command -v apt-get >/dev/null || fail "lacks the programs of these Debian packages, and there is no apt-get to install them: ${missing[*]}"
    say "installing ${missing[*]}"
    local log
    log=$(mktemp)
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "apt-get could not install ${missing[*]}, for the reason above"
    fi
    rm -f "$log"
}

# locked FILE SECONDS WHAT: waits until nobody else holds FILE, which this process then holds until it ends.
# Nothing that outlives the script may inherit the lock: start such things with `9>&-`.
locked() {
    mkdir -p "$(dirname "$1")"
    exec 9>"$1"
    flock --nonblock 9 && return
    say "waiting for another $3"
    flock --timeout "$2" 9 || fail "another $3 has held $1 for $2 seconds. See what it does: fuser -v $1"
}

# hash_of FILE_OR_TEXT...: a short name for exactly these contents.
hash_of() {
    local item
    for item in "$@"; do
        if [ -f "$item" ]; then sha256sum <"$item"; else printf '%s\n' "$item"; fi
    done | sha256sum | cut -c1-16
}

# whole FOLDER FUNCTION ARG...: FOLDER, made by `FUNCTION NEW_FOLDER ARG...` if it is not there. It appears under its name only
# when it is whole. Others of the same name and another key (NAME-KEY) are removed, and so is what a killed run left behind.
whole() {
    local folder=$1 function=$2
    shift 2
    rm -rf "${folder%-*}"-*.new
    [ ! -d "$folder" ] || return 0
    mkdir -p "$folder.new"
    # In a subshell of its own, so that `set -e` holds in it and its end is looked at here.
    (
        set -euo pipefail
        "$function" "$folder.new" "$@"
    ) &
    wait $! || fail "${folder##*/} could not be made"
    local old
    for old in "${folder%-*}"-*; do
        [ "$old" = "$folder.new" ] || ! [[ ${old#"${folder%-*}-"} =~ ^[0-9a-f]{16}$ ]] || rm -rf "$old"
    done
    sync -f "$folder.new"
    mv "$folder.new" "$folder"
}
