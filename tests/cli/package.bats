#!/usr/bin/env bats
# shellcheck disable=SC2154 # `errors` is set by sockctl()
# Packages at a prompt: taken in, listed, declared and refused. tests/package has the packages themselves.

bats_require_minimum_version 1.5.0

load setup

setup() {
    make_state
    export SOCK_PACKAGE_CACHE=$WORK/packages
}

add_package() { # NAME==VERSION
    mkdir -p "$WORK/source"
    echo "version = '${1#*==}'" >"$WORK/source/${1%==*}.py"
    sockctl package add "dir:$WORK/source" --name "$1"
    echo "$output $errors"
    [ "$status" -eq 0 ]
}

@test "a package is taken in, listed, imported, verified and removed" {
    add_package demo==1.0
    sockctl package ls --quiet
    prints demo==1.0
    sockctl run --package demo -- /usr/bin/python3 -c 'import demo; print(demo.version)'
    prints 1.0
    sockctl package inspect demo --format json
    [ "$(json '[0]["abi"]' <<<"$output")" = none-any ]
    sockctl package verify demo
    [ "$status" -eq 0 ]
    sockctl package rm demo
    sockctl package gc --format json
    [ "$(json '["trees"]' <<<"$output")" = 1 ]
    sockctl run --package demo -- /usr/bin/python3 -c pass
    fails 125 "not in the package cache"
}

@test "the newest of a name is meant, or the version that is named" {
    add_package demo==1.9
    add_package demo==1.10
    sockctl run --package demo -- /usr/bin/python3 -c 'import demo; print(demo.version)'
    prints 1.10
    sockctl run --package demo==1.9 -- /usr/bin/python3 -c 'import demo; print(demo.version)'
    prints 1.9
}

@test "a directory of packages is still one" {
    mkdir "$WORK/plain"
    echo 'x = 3' >"$WORK/plain/plain.py"
    sockctl run --package "$WORK/plain" -e PYTHONPATH=/packages/plain -- /usr/bin/python3 -c 'import plain; print(plain.x)'
    prints 3
}

@test "mistakes with packages are named" {
    sockctl package add nothing
    fails 2 "FILE.whl"
    sockctl package add "dir:$WORK/missing" --name demo==1
    fails 125 not_found
    mkdir -p "$WORK/nameless/module"
    sockctl package add "dir:$WORK/nameless"
    fails 125 "NAME==VERSION"
    sockctl package add "dir:$WORK" --name demo==1
    fails 125 "the store that it would go to is in it"
    sockctl package add demo.whl --name demo==1
    fails 2 "--name"
    sockctl package inspect 'no such'
    fails 2 "numpy=="
    sockctl run --package 'a b' -- true
    fails 2 "--package"
    sockctl run --package demo --python 2.7 -- true
    fails 2 "3.11"
}
