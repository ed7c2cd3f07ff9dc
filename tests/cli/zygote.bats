#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031 # `errors` is set by sockctl() in setup.bash
# Zygotes that outlive the command that made them: the background Host, and containers forked by it.

bats_require_minimum_version 1.5.0

load setup

teardown() {
    forget_zygotes
}

# A zygote that has imported little, and so is up soon.
create_small() { # NAME [OPTION...]
    sockctl zygote create "$@"
    echo "status $status, stdout '$output', stderr '$errors'"
    [ "$status" -eq 0 ]
}

# The pid of the background Host that holds a zygote.
host_pid() { # NAME
    "$SOCKCTL" zygote inspect "$1" | json '[0]["host_pid"]'
}

# Where the objects of tests/payloads/native are.
native_objects() {
    echo "${SOCKCTL%/tools/sockctl/sockctl}/tests/payloads/native"
}

# Whether some process holds the background Host's lock.
host_lives() {
    local inode
    inode=$(stat -c %i "$SOCK_STATE_DIR/zygotes/lock")
    grep -Eq "FLOCK .*:$inode " /proc/locks
}

# Waits until a process has ended, without asking again and again.
await_end() { # PID
    timeout 20 python3 -c '
import os, select, sys
try:
    select.select([os.pidfd_open(int(sys.argv[1]))], [], [])
except ProcessLookupError:
    pass' "$1"
}

# Nothing of any Host in our state directory: no process, no socket, no state of the library.
nothing_is_left() {
    [ ! -e "$SOCK_STATE_DIR/zygotes/control" ]
    run -1 host_lives
    run -0 find "$SOCK_STATE_DIR/hosts" -mindepth 1 -type d
    echo "left: $output"
    [ -z "$output" ]
}

@test "a zygote with numpy and pandas answers in a forked container" {
    create_small ds --preload numpy,pandas --python /usr/bin/python3
    [[ $output == numpy*ms*pandas*ms*ds*pid* ]]
    sockctl zygote fork ds --timings -- python -c 'import pandas; print(pandas.__version__)'
    echo "$output $errors"
    [ "$status" -eq 0 ]
    [ "$output" = "$(/usr/bin/python3 -c 'import pandas; print(pandas.__version__)')" ]
    [[ $errors == *fork*us*seccomp*us*total*us* ]]
    sockctl zygote fork ds -- python -c 'import sys; print("pandas" in sys.modules)'
    prints True
}

@test "the interpreter is found by PATH in the root" {
    create_small z --preload json
    sockctl run --zygote z -- python -c 'import sys; print(sys.executable)'
    prints /usr/bin/python3
}

@test "exit statuses are those of run" {
    create_small z
    sockctl zygote fork z -- python -c 'raise SystemExit(7)'
    [ "$status" -eq 7 ]
    sockctl zygote fork z --wall 200ms -- python -c 'import signal; signal.pause()'
    [ "$status" -eq 124 ]
    sockctl zygote fork z -- sh -c true
    fails 127 'python only'
    sockctl zygote fork z -w /no-such-directory -- python -c 1
    fails 125 no-such-directory
}

@test "a forked container has its own environment, files, limits and stdin" {
    mkdir "$WORK/files"
    echo content >"$WORK/files/text"
    create_small z -v "$WORK/files:/files"
    sockctl zygote fork z -e ONLY=this -w /tmp -u 1000:1000 --tmpfs /empty -- python -c '
import os
print(os.environ["ONLY"], os.getcwd(), os.getuid(), os.listdir("/empty"), open("/files/text").read(), end="")'
    prints "this /tmp 1000 [] content"
    run -0 sh -c "echo typed | '$SOCKCTL' zygote fork z -i -- python -c 'print(input())'"
    [ "$output" = typed ]
    sockctl zygote fork z --net loopback -- python -c '
import socket; socket.create_server(("127.0.0.1", 0)); print("up")'
    prints up
}

@test "signals reach the payload, and end one that does not handle them" {
    create_small z
    mkfifo "$WORK/up"
    forked() { # CODE SIGNAL: $status is its end
        "$SOCKCTL" zygote fork z -- python -c "$1" >"$WORK/up" &
        local pid=$!
        grep -q up "$WORK/up"
        kill -s "$2" "$pid"
        status=0
        wait "$pid" || status=$?
    }
    forked 'import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
print("up", flush=True)
signal.pause()' TERM
    [ "$status" -eq 9 ]
    forked 'import signal; print("up", flush=True); signal.pause()' TERM
    [ "$status" -eq 143 ]
}

@test "a client that is killed takes its container with it" {
    create_small z
    mkfifo "$WORK/up"
    "$SOCKCTL" zygote fork z -- python -c 'import signal; print("up", flush=True); signal.pause()' >"$WORK/up" &
    local client=$!
    grep -q up "$WORK/up"
    sockctl zygote rm z
    fails 125 '--force'
    kill -KILL "$client"
    wait "$client" || true
    sockctl zygote rm --force z
    [ "$status" -eq 0 ]
    nothing_is_left
}

@test "zygotes are listed, inspected and measured" {
    sockctl zygote ls --format json
    prints '[]'
    create_small z --preload json,csv --spares 2
    sockctl zygote fork z -- python -c 1
    sockctl zygote ls
    [[ $output == NAME*MODULES*PRIVATE*z*ready*json,csv* ]]
    sockctl zygote ls --format json
    [ "$(json '[0]["forks"]' <<<"$output")" = 1 ]
    [ "$(json '[0]["spares"]' <<<"$output")" = 2 ]
    [ "$(json '[0]["memory"]["rss"] > 4 << 20' <<<"$output")" = True ]
    [ "$(json '[0]["import_ns"] > 0' <<<"$output")" = True ]
    sockctl zygote inspect z
    [ "$(json '[0]["options"]["image"]' <<<"$output")" = host ]
    sockctl zygote stats z
    [[ $output == NAME*FORKS*z* ]]
}

@test "a native zygote runs the objects that it has loaded" {
    create_small z --runtime native -v "$(native_objects):/objects" --spares 1 \
        --preload /objects/tool.so,/objects/later_zero.so
    [[ $output == /objects/tool.so*ms*/objects/later_zero.so*ms*z*pid* ]]
    sockctl zygote fork z -- tool say 'two words'
    [ "$status" -eq 7 ]
    [ "$output" = '1 tool say two words' ]
    sockctl run --zygote z -- later_zero.so
    prints '1 later_zero.so'
    sockctl zygote fork z -- python -c 1
    fails 127 python
    sockctl zygote inspect z
    [ "$(json '[0]["runtime"]' <<<"$output")" = native ]
}

@test "an object that cannot be loaded is named, and nothing is left" {
    sockctl zygote create z --runtime native -v "$(native_objects):/objects" --preload /objects/plain.so
    fails 125 'import_modules: /objects/plain.so: it has no sock_handler_v1'
    nothing_is_left
    sockctl zygote create z --runtime native -v "$(native_objects):/objects" --preload /objects/crashes.so
    fails 125 /objects/crashes.so
    nothing_is_left
}

@test "an import that fails is named, and nothing is left" {
    mkdir "$WORK/modules"
    echo 'raise ValueError("broken on purpose")' >"$WORK/modules/broken.py"
    sockctl zygote create z --preload json,no_such_module
    echo "$output"
    fails 125 'no_such_module: ModuleNotFoundError'
    nothing_is_left
    sockctl zygote create z -v "$WORK/modules:/modules" --path /modules --preload broken
    fails 125 'broken: ValueError: broken on purpose'
    nothing_is_left
}

@test "who gives up waiting for an endless import leaves nothing" {
    mkdir "$WORK/modules"
    echo 'while True: pass' >"$WORK/modules/endless.py"
    mkfifo "$WORK/up"
    "$SOCKCTL" zygote create z -v "$WORK/modules:/modules" --path /modules --preload json,endless >"$WORK/up" &
    local client=$!
    grep -q json "$WORK/up"
    local host
    host=$(host_pid z)
    kill "$client"
    wait "$client" || true
    await_end "$host"
    nothing_is_left
}

@test "names are unique, and unknown ones are refused with what to do" {
    sockctl zygote fork z -- python -c 1
    fails 125 'no such zygote; sockctl zygote create z'
    create_small z
    sockctl zygote create z
    fails 125 'sockctl zygote rm z'
    for verb in inspect stats rm; do
        sockctl zygote "$verb" other
        fails 125 'no such zygote'
    done
}

@test "mistakes on the command line are refused" {
    sockctl zygote create -- -x
    [ "$status" -eq 2 ]
    sockctl zygote create z --preload numpy,,pandas
    fails 2 --preload
    sockctl zygote create z --path relative
    fails 2 --path
    sockctl zygote create z --runtime java
    fails 2 --runtime
    sockctl zygote create z --runtime native --python python3
    fails 2 --python
    sockctl zygote create z --runtime native --path /objects
    fails 2 --path
    sockctl zygote create z --spares 65
    fails 2 --spares
    sockctl zygote create z -m lots
    fails 2 --memory
    sockctl zygote fork z
    fails 2 'sockctl zygote fork --help'
    sockctl zygote fork z --net host -- python -c 1
    fails 2 --net
    sockctl run --zygote z -d -- python -c 1
    fails 2 --detach
    sockctl run --zygote z --userns auto -- python -c 1
    fails 2 --userns
}

@test "after rm nothing is left, and the Host has ended" {
    create_small one
    create_small two --spares 1
    local host
    host=$(host_pid one)
    sockctl zygote rm one
    [ "$status" -eq 0 ]
    [ "$(host_pid two)" = "$host" ]
    sockctl zygote rm two
    [ "$status" -eq 0 ]
    nothing_is_left
    await_end "$host"
}

@test "a Host that is told to end leaves nothing" {
    create_small z --spares 1
    local host
    host=$(host_pid z)
    kill "$host"
    await_end "$host"
    nothing_is_left
}

@test "a Host that is killed leaves nothing, and the next one takes its place" {
    create_small z --spares 1
    mkfifo "$WORK/up"
    local host client zygote
    host=$(host_pid z)
    sockctl zygote inspect z
    zygote=$(json '[0]["pid"]' <<<"$output")
    "$SOCKCTL" zygote fork z -- python -c 'import signal; print("up", flush=True); signal.pause()' \
        >"$WORK/up" 2>"$WORK/errors" &
    client=$!
    grep -q up "$WORK/up"
    kill -KILL "$host"
    status=0
    wait "$client" || status=$?
    errors=$(<"$WORK/errors")
    fails 125 'the background Host has ended'
    await_end "$zygote"
    run -1 host_lives
    sockctl zygote ls --quiet
    prints ''
    sockctl zygote fork z -- python -c 1
    fails 125 'no such zygote'
    sockctl gc
    nothing_is_left
    create_small z
    sockctl zygote fork z -- python -c 'print("again")'
    prints again
    sockctl zygote rm z
    nothing_is_left
}

@test "a zygote that has died is told of, and can be removed" {
    create_small z
    sockctl zygote inspect z
    local zygote
    zygote=$(json '[0]["pid"]' <<<"$output")
    kill -KILL "$zygote"
    await_end "$zygote"
    sockctl zygote ls --format json
    [ "$(json '[0]["state"]' <<<"$output")" = dead ]
    sockctl zygote fork z -- python -c 1
    fails 125 'the zygote has died'
    sockctl zygote rm z
    [ "$status" -eq 0 ]
    nothing_is_left
}

@test "a state directory in a directory that others may write to is refused" {
    mkdir -m 1777 "$WORK/open"
    sockctl zygote create z --state-dir "$WORK/open/state"
    fails 125 'others may write'
}

@test "doctor finds a sound zygote sound, and names what a module keeps" {
    mkdir "$WORK/modules"
    printf 'import random\nrandom.random = random.Random(1).random\nkept = open("/etc/hosts")\n' \
        > "$WORK/modules/careless.py"
    create_small sound --preload random,uuid
    sockctl zygote doctor sound
    echo "$output $errors"
    [ "$status" -eq 0 ]
    [[ $output == *threads*ok*user_namespace*ok*siblings*ok* ]]
    create_small careless -v "$WORK/modules:/modules" --path /modules --preload careless
    sockctl zygote doctor careless
    echo "$output $errors"
    [ "$status" -eq 1 ]
    [[ $output == *descriptors*degraded*/etc/hosts* ]]
    [[ $output == *siblings*failed*"two forks have the same random"* ]]
}

@test "profile measures modules, and names those that cannot be forked from" {
    mkdir "$WORK/modules"
    printf 'import threading, time\nthreading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n' \
        > "$WORK/modules/threaded.py"
    sockctl zygote profile -v "$WORK/modules:/modules" --path /modules json threaded --format json
    echo "$output $errors"
    [ "$status" -eq 1 ]
    [ "$(json '[0]["fork_safe"]' <<<"$output")" = True ]
    [ "$(json '[1]["fork_safe"]' <<<"$output")" = False ]
    [[ $output == *"threaded has started a thread"* ]]
    sockctl zygote profile json
    [ "$status" -eq 0 ]
    [[ $output == *MODULE*json*ms*yes* ]]
}
