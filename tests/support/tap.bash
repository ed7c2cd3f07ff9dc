# shellcheck shell=bash
# The Test Anything Protocol for shell scripts: `plan 2`, then two times `check NAME COMMAND...`,
# then `finish`. What a command prints is shown when it fails.

tap_number=0
tap_failed=0

plan() {
    echo "1..$1"
}

# report STATUS NAME OUTPUT
report() {
    tap_number=$((tap_number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $tap_number - $2"
    else
        tap_failed=1
        echo "not ok $tap_number - $2"
        printf '# %s\n' "${3//$'\n'/$'\n# '}"
    fi
}

# check NAME COMMAND...: the command succeeds.
check() {
    local name=$1 status=0 output
    shift
    output=$("$@" 2>&1) || status=$?
    report "$status" "$name" "$output"
}

# check_says NAME PATTERN COMMAND...: it succeeds, and prints what the shell pattern matches.
check_says() {
    local name=$1 pattern=$2 status=0 output
    shift 2
    output=$("$@" 2>&1) || status=$?
    # shellcheck disable=SC2053 # a pattern is meant
    if [ "$status" -eq 0 ] && ! [[ $output == $pattern ]]; then
        status=1
        output+=$'\n'"expected: $pattern"
    fi
    report "$status" "$name" "$output"
}

# skip NAME REASON
skip() {
    tap_number=$((tap_number + 1))
    echo "ok $tap_number - $1 # SKIP $2"
}

finish() {
    exit "$tap_failed"
}
