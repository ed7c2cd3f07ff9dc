# Shared by the bats files: a state directory of the test's own, and nothing left behind.

setup() {
    make_state
}

# For a setup() that does more.
make_state() {
    SOCKCTL=${SOCKCTL:-${SOCK_BUILD_DIR:-build/debug}/tools/sockctl/sockctl}
    # Tests may change directories.
    SOCKCTL=$(realpath "$SOCKCTL")
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/cli-XXXXXX")
    export SOCK_STATE_DIR=$WORK/state
}

teardown() {
    local names
    names=$("$SOCKCTL" ps --quiet)
    # shellcheck disable=SC2086 # one word for each name
    [ -z "$names" ] || timeout 20 "$SOCKCTL" rm --force $names >&2 || true
    timeout 20 "$SOCKCTL" gc >&2 || true
    rm -rf "$WORK"
}

# For tests with zygotes: ends them all, and what was forked from them.
forget_zygotes() {
    local names
    names=$("$SOCKCTL" zygote ls --quiet)
    # shellcheck disable=SC2086 # one word for each name
    [ -z "$names" ] || timeout 30 "$SOCKCTL" zygote rm --force $names >&2 || true
    timeout 20 "$SOCKCTL" gc >&2 || true
    rm -rf "$WORK"
}

# Runs sockctl with stdout in $output, stderr in $errors, the exit status in $status.
sockctl() {
    status=0
    output=$(timeout 20 "$SOCKCTL" "$@" 2>"$WORK/errors" </dev/null) || status=$?
    errors=$(<"$WORK/errors")
}

# The last sockctl() failed like this, and said why on one line.
fails() { # STATUS TEXT
    echo "status $status, stdout '$output', stderr '$errors'"
    [ "$status" -eq "$1" ]
    [ "$(wc -l <"$WORK/errors")" -eq 1 ]
    [[ $errors == sockctl:*$2* ]]
}

# The last sockctl() succeeded, and printed exactly this.
prints() {
    echo "status $status, stdout '$output', stderr '$errors'"
    [ "$status" -eq 0 ]
    [ "$output" = "$1" ]
}

# A value of JSON on stdin: json '["state"]'
json() {
    python3 -c "import json, sys; print(json.load(sys.stdin)$1)"
}

# A detached container whose payload does nothing until it is told to end.
start_idle() { # NAME [OPTION...]
    local name=$1
    shift
    sockctl run -d --name "$name" "$@" -- sleep 1000
    prints "$name"
}
