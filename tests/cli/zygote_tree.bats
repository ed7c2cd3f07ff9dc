#!/usr/bin/env bats
# shellcheck disable=SC2154 # `errors` is set by sockctl() in setup.bash
# Import trees held by the background Host: apply, fork by packages, inspect, export.

bats_require_minimum_version 1.5.0

load setup

setup() {
    make_state
    for version in alpha/1.0 beta/2.0 gamma/3.0; do
        mkdir -p "$WORK/packages/$version"
        echo "where = __file__" > "$WORK/packages/$version/${version%/*}.py"
    done
    cat > "$WORK/tree.json" << 'END'
{"version": 1, "nodes": [
    {"name": "root"},
    {"name": "a", "parent": "root", "packages": ["alpha==1.0"], "modules": ["alpha"]},
    {"name": "ab", "parent": "a", "packages": ["beta==2.0"], "modules": ["beta"]}]}
END
}

teardown() {
    forget_zygotes
}

# Which of our modules a fork has before its first statement.
imported() { # NAME [OPTION...]
    sockctl zygote fork "$@" -- python -c \
        'import sys; print(*sorted({"alpha", "beta", "gamma"} & set(sys.modules)))'
    echo "status $status, stdout '$output', stderr '$errors'"
    [ "$status" -eq 0 ]
}

# Until a fork comes from a node's snapshot: it is verified by another thread.
await_stored() { # NAME NODE
    timeout 30 python3 -c '
import subprocess, sys
sockctl, name, node = sys.argv[1:]
command = [sockctl, "zygote", "fork", name, "--timings", "-r", "alpha==1.0", "-r", "beta==2.0", "--", "python", "-c", ""]
while f"forked from {node}\x27s snapshot" not in subprocess.run(command, stderr=subprocess.PIPE, text=True).stderr:
    pass' "$SOCKCTL" "$1" "$2"
}

# Until a node lives that was missed: tending is another thread's. Each look is a request.
await_zygote() { # NAME NODE
    timeout 30 python3 -c '
import json, subprocess, sys
sockctl, name, node = sys.argv[1:]
def replicas():
    told = json.loads(subprocess.check_output([sockctl, "zygote", "inspect", name]))
    return sum(n["replicas"] for n in told[0]["nodes"] if n["name"] == node)
while not replicas():
    pass' "$SOCKCTL" "$1" "$2"
}

@test "a tree that was started ahead serves by what is declared" {
    sockctl zygote tree apply web "$WORK/tree.json" --packages "$WORK/packages" --ahead --grow-to 0
    echo "$output $errors"
    [ "$status" -eq 0 ]
    [[ $output == *"started     a"*"started     ab"*"web: 3 of 3 zygotes live"* ]]
    imported web -r alpha==1.0 -r beta==2.0 -r gamma==3.0 --timings
    [ "$output" = "alpha beta" ]
    [[ $errors == *"forked from ab; not imported there: gamma==3.0"* ]]
    imported web -r beta==2.0
    [ -z "$output" ]
}

@test "a payload sees the packages that it declared and no others" {
    sockctl zygote tree apply web "$WORK/tree.json" --packages "$WORK/packages"
    sockctl zygote fork web -r gamma==3.0 -- python -c 'import gamma; print(gamma.where)'
    prints /packages/gamma/3.0/gamma.py
    sockctl zygote fork web -r gamma==3.0 -- python -c 'import beta'
    [ "$status" -eq 1 ]
    [[ $errors == *"No module named 'beta'"* ]]
}

@test "a tree grows by what is missed, and is exported" {
    sockctl zygote tree apply any --packages "$WORK/packages"
    [ "$status" -eq 0 ]
    imported any -r alpha==1.0 -r gamma==3.0
    [ -z "$output" ]
    await_zygote any node-1
    imported any -r alpha==1.0 -r gamma==3.0
    [ "$output" = "alpha gamma" ]
    sockctl zygote tree export any --format openlambda
    [ "$(json '["children"][0]["packages"]' <<< "$output")" = "['alpha==1.0', 'gamma==3.0']" ]
    "$SOCKCTL" zygote tree export any > "$WORK/grown.json"
    sockctl zygote tree show "$WORK/grown.json"
    [[ $output == *node-1*alpha==1.0* ]]
}

@test "zygotes are kept in snapshots, and found there by the next tree" {
    sockctl zygote tree apply web "$WORK/tree.json" --packages "$WORK/packages" --ahead --stored "$WORK/shelf"
    echo "$output $errors"
    [[ $output == *"stored      a"* && $output == *"stored      ab"* ]]
    sockctl zygote rm web
    [ "$status" -eq 0 ]
    sockctl zygote tree apply web "$WORK/tree.json" --packages "$WORK/packages" --stored "$WORK/shelf"
    await_stored web ab
    imported web -r alpha==1.0 -r beta==2.0 --timings
    [ "$output" = "alpha beta" ]
    [[ $errors == *"forked from ab's snapshot"* && $errors == *"restore"* ]]
    [ "$("$SOCKCTL" zygote inspect web | json '[0]["nodes"][2]["replicas"]')" = 0 ]
    sockctl zygote tree apply other --stored-max 1g
    [ "$status" -eq 2 ]
    [[ $errors == *--stored* ]]
}

@test "zygote ls, inspect and stats know of trees" {
    sockctl zygote tree apply web "$WORK/tree.json"
    sockctl zygote ls
    [[ $output == *"tree: 1 of 3 live"* ]]
    sockctl zygote inspect web
    [ "$(json '[0]["kind"]' <<< "$output")" = tree ]
    sockctl zygote stats web
    [[ $output == *web* ]]
    sockctl zygote rm web
    [ "$status" -eq 0 ]
}

@test "mistakes are named, and nothing is left" {
    sockctl zygote tree apply web /nowhere.json
    [ "$status" -eq 125 ]
    [[ $errors == *"/nowhere.json"* ]]
    echo '{"version": 1, "nodes": 5}' > "$WORK/bad.json"
    sockctl zygote tree apply web "$WORK/bad.json"
    [ "$status" -eq 125 ]
    sockctl zygote tree apply web --packages "$WORK/missing"
    [ "$status" -eq 125 ]
    [[ $errors == *missing* ]]
    sockctl zygote tree apply 'no/name'
    fails 2 'no/name'
    sockctl zygote tree export web
    [ "$status" -eq 125 ]
    [[ $errors == *"no such zygote"* ]]
    sockctl zygote create one
    sockctl zygote tree export one
    [ "$status" -eq 125 ]
    [[ $errors == *"without a tree"* ]]
    sockctl zygote fork one -r alpha==1.0 -- python -c pass
    [ "$status" -eq 125 ]
    sockctl zygote fork one -r '==' -- python -c pass
    fails 2 'like numpy=='
}
