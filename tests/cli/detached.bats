#!/usr/bin/env bats
# shellcheck disable=SC2154 # `errors` is set by sockctl() in setup.bash
# Detached containers: their monitor, their log, everything that can be done with them.

bats_require_minimum_version 1.5.0

load setup

@test "a detached container runs, is listed, ends and is removed" {
    start_idle box
    sockctl ps --format json
    [ "$(json '[0]["name"]' <<<"$output")" = box ]
    [ "$(json '[0]["state"]' <<<"$output")" = running ]
    sockctl kill box
    [ "$status" -eq 0 ]
    sockctl wait box
    [ "$status" -eq 137 ]
    sockctl inspect box
    [ "$(json '[0]["state"]' <<<"$output")" = exited ]
    [ "$(json '[0]["exit"]["code"]' <<<"$output")" = 137 ]
    sockctl rm box
    [ "$status" -eq 0 ]
    sockctl ps --quiet
    prints ''
}

@test "a command of several lines is one line of the list, and none of it is for the terminal" {
    sockctl run -d --name lines -- sh -c $'echo \xc3\xa4\nsleep 60\x1b[31m'
    [ "$status" -eq 0 ]
    sockctl ps
    [ "$(wc -l <<<"$output")" -eq 2 ]
    [[ $output == *'sh -c echo \xc3\xa4\x0asleep 60\x1b[31m' ]]
    sockctl rm -f lines
    [ "$status" -eq 0 ]
}

@test "a name is made up when none is given" {
    sockctl run -d -- true
    [[ $output =~ ^sock-[0-9a-f]{8}$ ]]
    sockctl wait "$output"
    [ "$status" -eq 0 ]
}

@test "a name in use is refused, with what to do" {
    start_idle box
    sockctl run -d --name box -- true
    fails 125 'sockctl rm box'
}

@test "a container that cannot start leaves nothing" {
    sockctl run -d --name box -- no-such-program
    fails 127 no-such-program
    sockctl ps --quiet
    prints ''
}

@test "wait gives the payload's exit status" {
    sockctl run -d --name box -- sh -c 'exit 5'
    sockctl wait box
    [ "$status" -eq 5 ]
}

@test "with --rm it removes itself" {
    start_idle box --rm
    local directory=$SOCK_STATE_DIR/containers/box
    "$SOCKCTL" kill box
    # Either it is gone already, or it is when we are told of its end.
    sockctl wait box
    [ ! -e "$directory" ]
}

@test "a running container is removed by force only" {
    start_idle box
    sockctl rm box
    fails 125 '--force'
    sockctl rm --force box
    [ "$status" -eq 0 ]
}

@test "the log keeps both streams apart" {
    sockctl run -d --name box -- sh -c 'echo out; echo err >&2'
    sockctl wait box
    sockctl logs box
    [ "$output" = out ]
    [ "$errors" = err ]
    sockctl logs --format jsonl box
    [ "$(head -n 1 <<<"$output" | json '["stream"]')" = stdout ]
}

@test "a tail is the last lines, and following ends with the container" {
    sockctl run -d --name box -- sh -c 'seq 100; echo last'
    sockctl logs -f --tail 1 box
    [ "$status" -eq 0 ]
    [[ $output == *last ]]
    sockctl logs --tail 2 box
    prints $'100\nlast'
}

@test "a log stays below its bound" {
    sockctl run -d --name box --log-max 1m -- sh -c 'yes 0123456789 | head -n 300000'
    sockctl wait box
    [ "$status" -eq 0 ]
    local size
    size=$(du --bytes --total "$SOCK_STATE_DIR"/containers/box/log* | tail -n 1 | cut -f 1)
    echo "$size bytes"
    [ "$size" -le $((1 << 20)) ]
    sockctl logs --tail 1 box
    prints 0123456789
}

@test "exec runs a further process with its own stdio and status" {
    start_idle box -e OUTER=1
    sockctl exec -e INNER=1 -w /tmp box -- sh -c 'pwd; echo err >&2; exit 3'
    [ "$status" -eq 3 ]
    [ "$output" = /tmp ]
    [ "$errors" = err ]
    run -0 sh -c "echo typed | '$SOCKCTL' exec -i box cat"
    [ "$output" = typed ]
    sockctl exec box no-such-program
    fails 127 no-such-program
}

@test "exec -t gives a terminal of our size" {
    start_idle box
    run -0 script -qec "stty rows 33 cols 99; '$SOCKCTL' exec -it box stty size" /dev/null </dev/null
    echo "$output"
    [[ $output == *"33 99"* ]]
}

@test "a paused container stands still until it is resumed" {
    start_idle box
    sockctl pause box
    if [[ $errors == *"(unsupported)"* ]]; then skip "no freezer: $errors"; fi
    echo "$errors"
    [ "$status" -eq 0 ]
    sockctl ps --format json
    [ "$(json '[0]["state"]' <<<"$output")" = paused ]
    sockctl resume box
    [ "$status" -eq 0 ]
    sockctl exec box true
    [ "$status" -eq 0 ]
}

@test "a paused container can be killed" {
    start_idle box
    sockctl pause box
    if [[ $errors == *"(unsupported)"* ]]; then skip "no freezer: $errors"; fi
    sockctl kill box
    [ "$status" -eq 0 ]
    sockctl wait box
    [ "$status" -eq 137 ]
}

@test "kill sends the signal that was named" {
    sockctl run -d --name box -- sh -c 'trap "exit 9" USR1; echo up; sleep 1000 & wait'
    "$SOCKCTL" logs -f box | grep -q up
    sockctl kill -s USR1 box
    [ "$status" -eq 0 ]
    sockctl wait box
    [ "$status" -eq 9 ]
}

@test "stats are numbers in JSON and a table for people" {
    start_idle box
    sockctl stats --format json box
    echo "$output $errors"
    [ "$(json '[0]["name"]' <<<"$output")" = box ]
    sockctl stats
    [[ $output == NAME*box* ]]
}

@test "gc removes what a killed monitor left, and only that" {
    start_idle alive
    start_idle box
    local monitor payload
    sockctl inspect box
    monitor=$(json '[0]["monitor_pid"]' <<<"$output")
    payload=$(json '[0]["pid"]' <<<"$output")
    kill -KILL "$monitor"
    # The container ends with its monitor.
    timeout 10 tail --pid "$payload" -f /dev/null
    sockctl ps --format json
    [ "$(json '[1]["state"]' <<<"$output")" = dead ]
    sockctl exec box true
    fails 125 'sockctl gc'
    sockctl gc
    [ "$status" -eq 0 ]
    sockctl ps --quiet
    prints alive
}

@test "verbs refuse a container that is not there" {
    for verb in inspect logs pause resume kill wait rm; do
        sockctl "$verb" nobody
        fails 125 nobody
    done
}
