#!/usr/bin/env bats
# shellcheck disable=SC2154 # `errors` is set by sockctl() in setup.bash
# Containers in the foreground: output, exit statuses, limits, refusals.

bats_require_minimum_version 1.5.0

load setup

@test "the example of the README runs python in a container" {
    sockctl run --timings -m 64m --pids 16 --net isolated -- \
        python3 -c 'import os; print(os.getpid(), os.listdir("/"))'
    echo "$output $errors"
    [ "$status" -eq 0 ]
    [[ $output == *"["* ]]
    [[ $errors == *clone*us*total*us* ]]
}

@test "stdout and stderr stay apart" {
    sockctl run -- sh -c 'echo out; echo err >&2'
    [ "$status" -eq 0 ]
    [ "$output" = out ]
    [ "$errors" = err ]
}

@test "stdin is empty without -i and ours with it" {
    run -0 sh -c "echo typed | '$SOCKCTL' run -- cat"
    [ -z "$output" ]
    run -0 sh -c "echo typed | '$SOCKCTL' run -i -- cat"
    [ "$output" = typed ]
}

@test "the exit status is the payload's" {
    sockctl run -- sh -c 'exit 7'
    [ "$status" -eq 7 ]
    sockctl run -- sh -c 'kill -TERM $$'
    [ "$status" -eq 143 ]
}

@test "a program that is not there is 127, one that cannot run 126" {
    sockctl run -- no-such-program
    fails 127 no-such-program
    sockctl run -- /etc/passwd
    fails 126 /etc/passwd
}

@test "a root that is not there is our own error" {
    sockctl run --rootfs /no/such/root -- true
    fails 125 /no/such/root
}

@test "a payload that takes too long is ended with 124" {
    sockctl run --wall 300ms -- sleep 1000
    fails 124 'time limit'
}

@test "a payload that takes too much memory is ended with 137 and a line" {
    sockctl run -m 32m -- python3 -c 'b = bytearray(256 << 20); print(len(b))'
    if [[ $errors == *"(unsupported)"* || $errors == *"(denied)"* ]]; then
        skip "no memory controller: $errors"
    fi
    fails 137 'memory limit'
}

@test "mistakes are one line and exit status 2" {
    local arguments
    while read -r -a arguments; do
        echo "sockctl ${arguments[*]}"
        sockctl "${arguments[@]}"
        fails 2 ''
    done <<'TXT'
run
run --
run --no-such-option true
run -m 64q -- true
run -m
run --wall forever -- true
run --user root -- true
run -v nowhere -- true
run --net nowhere -- true
run --name ../up -- true
run --seccomp loose -- true
run --userns 0 -- true
run -d -t -- true
nonsense
kill -s NOPE x
ps --no-such-option
TXT
}

@test "arguments of the payload are not options of ours" {
    sockctl run echo --help -m -- x
    prints '--help -m -- x'
    sockctl run -- echo -- --name
    prints '-- --name'
}

@test "the environment is what was asked for" {
    COPIED=yes run -0 "$SOCKCTL" run -e A=1 -e COPIED -- env
    [[ $output == *A=1* && $output == *COPIED=yes* && $output == *HOME=/* ]]
    [[ $output != *SOCK_STATE_DIR* ]]
}

@test "a bind is read-only unless it says rw" {
    mkdir -m 777 "$WORK/shared"
    chmod 755 "$WORK"
    sockctl run -v "$WORK/shared:/mnt" -- sh -c 'echo x >/mnt/file'
    [ "$status" -ne 0 ]
    sockctl run -v "$WORK/shared:/mnt:rw" -- sh -c 'echo x >/mnt/file'
    echo "$errors"
    [ "$status" -eq 0 ]
    [ "$(cat "$WORK/shared/file")" = x ]
}

@test "results are JSON on a descriptor and in a file" {
    run -0 sh -c "'$SOCKCTL' run --status-fd 3 --meta '$WORK/meta' -- true 3>'$WORK/events'"
    [ "$(head -n 1 "$WORK/events" | json '["event"]')" = started ]
    [ "$(tail -n 1 "$WORK/events" | json '["event"]')" = exited ]
    [ "$(json '["kind"]' <"$WORK/meta")" = exited ]
    [ "$(json '["code"]' <"$WORK/meta")" = 0 ]
}

@test "results are not written through a link or into a pipe" {
    mkdir "$WORK/volume"
    echo precious >"$WORK/precious"
    ln -s "$WORK/precious" "$WORK/volume/link"
    ln -s "$WORK" "$WORK/volume/up"
    mkfifo "$WORK/volume/pipe"
    for name in link up/precious pipe; do
        run -125 timeout 20 "$SOCKCTL" run --meta "$WORK/volume/$name" -- true
    done
    [ "$(cat "$WORK/precious")" = precious ]
}

@test "a reader that goes away ends the payload" {
    run -0 bash -c "timeout 20 '$SOCKCTL' run -- yes | head -n 1"
    [ "$output" = y ]
}

@test "much output arrives complete" {
    run -0 bash -c "'$SOCKCTL' run -- head -c 20000000 /dev/zero | wc -c"
    [ "$output" -eq 20000000 ]
}

@test "a signal goes on to the payload" {
    mkfifo "$WORK/ready"
    "$SOCKCTL" run -- sh -c 'trap "exit 9" TERM; echo up; sleep 1000 & wait' \
        >"$WORK/ready" 3>&- &
    local pid=$!
    read -r <"$WORK/ready"
    kill -TERM "$pid"
    wait "$pid" || [ $? -eq 9 ]
}

@test "with -t the payload has a terminal of our size, and ours comes back" {
    run -0 script -qec "stty rows 33 cols 99; '$SOCKCTL' run -it -- sh -c 'tty; stty size'; stty -a" \
        /dev/null </dev/null
    echo "$output"
    [[ $output == *"33 99"* ]]
    [[ $output != *"not a tty"* ]]
    [[ $output == *" echo "* && $output == *" icanon "* ]]
}

@test "global options may stand before the verb" {
    # shellcheck disable=SC2016 # for the shell inside
    sockctl --state-dir "$WORK/other" run -- sh -c 'echo $0 "$@"' run -- exec
    prints "run -- exec"
}
