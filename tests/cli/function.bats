#!/usr/bin/env bats
# shellcheck disable=SC2154 # `errors` is set by sockctl()
# Functions at a prompt, and the daemon that `sockctl serve` starts. tests/sockd has what it does.

bats_require_minimum_version 1.5.0

load setup

setup() {
    make_state
    export SOCKD_STATE=$WORK/sockd
    HELLO=$(realpath examples/functions/hello)
}

teardown() {
    # Only the shell that started it may wait for it.
    if [ -n "${DAEMON:-}" ]; then
        kill -TERM "$DAEMON"
        wait "$DAEMON" || true
    fi
    rm -rf "$WORK"
}

serve() {
    "$SOCKCTL" serve --daemon "$SOCKD_STATE" -- --listen 127.0.0.1:0 >"$WORK/said" 2>&1 3>&- </dev/null &
    DAEMON=$!
    until_ready
}

until_ready() {
    local tries=0
    until grep -q ready "$WORK/said"; do
        tries=$((tries + 1))
        [ "$tries" -lt 400 ] || { cat "$WORK/said" >&2; return 1; }
        read -rt 0.05 <> <(:) || true
    done
}

@test "a function is created, called, changed and removed" {
    serve
    sockctl fn create hello "$HELLO"
    prints 'hello version 1'
    sockctl fn create hello "$HELLO"
    fails 125 'it is there already'
    sockctl fn invoke hello --event '{"name": "you"}' --timings
    [ "$status" -eq 0 ]
    [ "$output" = '{"text": "Hello, you!"}' ]
    [[ $errors == @(zygote|spare):*queue*start*call* ]]
    cp -r "$HELLO" "$WORK/copy"
    sed -i 's/Hello/Good morning/' "$WORK/copy/function.toml"
    sockctl fn update hello "$WORK/copy"
    prints 'hello version 2'
    printf '{"name": "you"}' >"$WORK/event"
    sockctl fn invoke hello --event "@$WORK/event"
    prints '{"text": "Good morning, you!"}'
    sockctl fn logs hello -n 1
    [[ $(json '["printed"]' <<<"$output") == 'greeting you for '* ]]
    sockctl fn ls
    [[ $output == NAME*HANDLER*hello*2*main:handler*64.0\ MiB* ]]
    sockctl fn ls --format json
    [ "$(json '[0]["version"]' <<<"$output")" = 2 ]
    sockctl fn inspect hello
    [ "$(json '[0]["timeout_ms"]' <<<"$output")" = 3000 ]
    sockctl fn rm hello
    [ "$status" -eq 0 ]
    sockctl fn ls --quiet
    prints ''
    sockctl fn invoke hello
    fails 125 'there is no function'
    sockctl fn update hello "$HELLO"
    fails 125 'there is none of this name'
}

@test "serve takes the state of its settings" {
    unset SOCKD_STATE
    printf 'state = "%s"\nlisten = ["127.0.0.1:0"]\n' "$WORK/its-own" >"$WORK/config"
    "$SOCKCTL" serve -- --config "$WORK/config" >"$WORK/said" 2>&1 3>&- </dev/null &
    DAEMON=$!
    until_ready
    sockctl fn ls --daemon "$WORK/its-own" --quiet
    prints ''
    [ -d "$WORK/its-own/functions" ]
}

@test "a function comes out of a zip or tar file" {
    serve
    python3 -m zipfile -c "$WORK/hello.zip" "$HELLO"/*
    tar -czf "$WORK/hello.tar.gz" -C "$HELLO" .
    sockctl fn create zipped "$WORK/hello.zip"
    prints 'zipped version 1'
    sockctl fn create packed "$WORK/hello.tar.gz"
    prints 'packed version 1'
    local name
    for name in zipped packed; do
        sockctl fn invoke "$name" --event '{"name": "you"}'
        prints '{"text": "Hello, you!"}'
    done
    sockctl fn update zipped "$WORK/hello.tar.gz"
    prints 'zipped version 2'
    # A zip file of a directory has it in its paths.
    python3 -m zipfile -c "$WORK/around.zip" "$HELLO"
    sockctl fn update zipped "$WORK/around.zip"
    fails 2 'function.toml'
    head -c 100 "$WORK/hello.zip" >"$WORK/cut.zip"
    sockctl fn update zipped "$WORK/cut.zip"
    fails 2 'archive'
    python3 -c 'import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as file:
    file.writestr("../escape", "x")' "$WORK/hostile.zip"
    sockctl fn create hostile "$WORK/hostile.zip"
    fails 2 'no such path can be in it'
    [ -z "$(find "$WORK" -name escape)" ]
    sockctl fn ls --quiet
    prints $'packed\nzipped'
}

@test "what cannot be a function is one line" {
    serve
    mkdir "$WORK/empty" "$WORK/linked"
    sockctl fn create f "$WORK/empty"
    fails 2 'function.toml'
    ln -s /etc/passwd "$WORK/linked/function.toml"
    sockctl fn create f "$WORK/linked"
    fails 2 'only files and directories'
    sockctl fn create f "$WORK/missing"
    fails 125 missing
    sockctl fn create ../f "$HELLO"
    fails 2 'letters, digits'
}

@test "a function that fails is exit status 1, with the error" {
    serve
    mkdir "$WORK/f"
    printf 'handler = "main:handler"\n' >"$WORK/f/function.toml"
    printf 'def handler(event):\n    return 1 / 0\n' >"$WORK/f/main.py"
    sockctl fn create f "$WORK/f"
    sockctl fn invoke f
    [ "$status" -eq 1 ]
    [ "$(json '["errorType"]' <<<"$output")" = ZeroDivisionError ]
}

@test "without a daemon there is one line that says so" {
    sockctl fn ls
    fails 125 'is sockd running? sockctl serve starts it'
}

@test "an event waits on the disk, and is shown when it was given up" {
    serve
    mkdir "$WORK/bad"
    printf 'handler = "main:handler"\nretries = 0\n' >"$WORK/bad/function.toml"
    printf 'def handler(event):\n    raise ValueError("not today")\n' >"$WORK/bad/main.py"
    sockctl fn create bad "$WORK/bad"
    sockctl fn dead-letters bad --quiet
    fails 2 --quiet
    sockctl fn invoke bad --event '{}' --async
    [ "$status" -eq 0 ]
    local request=$output tries=0
    until sockctl fn dead-letters bad && [[ $output == *raised* ]]; do
        tries=$((tries + 1))
        [ "$tries" -lt 400 ]
        read -rt 0.05 <> <(:) || true
    done
    [[ $output == REQUEST*"$request"*1*raised*'not today'* ]]
    sockctl fn dead-letters bad --format json
    [ "$(json '[0]["request_id"]' <<<"$output")" = "$request" ]
    sockctl fn dead-letters bad --deliver --forget
    fails 2 excludes
    sed -i 's/raise .*/return 1/' "$WORK/bad/main.py"
    sockctl fn update bad "$WORK/bad"
    sockctl fn dead-letters bad --deliver
    prints '1 wait again'
    sockctl fn dead-letters bad --forget
    sockctl fn dead-letters bad --format json
    prints '[]'
}

@test "logs are followed" {
    serve
    sockctl fn create hello "$HELLO"
    "$SOCKCTL" fn logs hello -n 0 -f >"$WORK/followed" 3>&- &
    local follower=$! tries=0
    sockctl fn invoke hello --event '{"name": "you"}'
    until grep -q 'greeting you' "$WORK/followed"; do
        tries=$((tries + 1))
        [ "$tries" -lt 400 ]
        sockctl fn invoke hello --event '{"name": "you"}'
    done
    kill "$follower"
    wait "$follower" || true
}

@test "settings are shown and judged" {
    printf 'queue = 7\nlisten = ["127.0.0.1:1"]\n' >"$WORK/good.toml"
    sockctl config show "$WORK/good.toml"
    [[ $output == *"queue = 7"*"drain_time = '20s'"* ]]
    printf '%s\n' "$output" >"$WORK/shown.toml"
    sockctl config validate "$WORK/shown.toml"
    prints ''
    printf 'queue = "many"\n' >"$WORK/bad.toml"
    run "$SOCKCTL" config validate "$WORK/bad.toml"
    [ "$status" -eq 1 ]
    [[ $output == *'setting queue'*'1 to 1000000'* ]]
    sockctl config validate
    fails 2 'FILE is required'
}
