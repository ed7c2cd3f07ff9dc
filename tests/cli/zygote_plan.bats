#!/usr/bin/env bats
# shellcheck disable=SC2154 # `errors` is set by sockctl() in setup.bash
# Planning and showing import trees: files in, files out, nothing started.

bats_require_minimum_version 1.5.0

load setup

write_workload() {
    cat >"$WORK/costs.json" <<'JSON'
{"numpy": {"versions": {"1.25.2": {"top": ["numpy"], "cost": {"ms": 50, "mb": 10}}}},
 "pandas": {"versions": {"2.1.0": {"top": ["pandas"], "cost": {"ms": 250, "mb": 20}}}}}
JSON
    cat >"$WORK/workload.json" <<'JSON'
{"funcs": [{"name": "f", "meta": {"requirements_txt": "numpy==1.25.2\npandas==2.1.0\n"}},
           {"name": "g", "meta": {"requirements_txt": "numpy==1.25.2\n"}}]}
JSON
}

plan() {
    sockctl zygote plan --costs "$WORK/costs.json" --workload "$WORK/workload.json" "$@"
}

@test "a plan is a tree with a forecast" {
    write_workload
    plan --nodes 3
    echo "$output $errors"
    [ "$status" -eq 0 ]
    [[ $output == NODE*IMPORT*MEMORY*PACKAGES*numpy==1.25.2*pandas==2.1.0* ]]
    [[ $output == *"3 nodes, 33.0 MiB: 0 ms of 350 ms of imports remain in 2 calls"* ]]
}

@test "a planned tree is read again in both formats" {
    write_workload
    for format in json openlambda; do
        plan --nodes 3 --format "$format"
        [ "$status" -eq 0 ]
        echo "$output" >"$WORK/$format.json"
        sockctl zygote tree show --costs "$WORK/costs.json" --workload "$WORK/workload.json" \
            "$WORK/$format.json"
        echo "$output $errors"
        [ "$status" -eq 0 ]
        [[ $output == *250.0\ ms*"3 nodes"*"0 ms of 350 ms"* ]]
    done
    [ "$(json '["nodes"][0]["name"]' <"$WORK/json.json")" = root ]
    [ "$(json '["children"][0]["packages"]' <"$WORK/openlambda.json")" = "['numpy==1.25.2']" ]
}

@test "a tree is read from stdin and converted" {
    run -0 sh -c "echo '{\"packages\":[],\"children\":[{\"packages\":[\"A==1\"]}]}' |
        '$SOCKCTL' zygote tree show --format json -"
    [ "$(json '["nodes"][1]["packages"]' <<<"$output")" = "['a==1']" ]
}

@test "a memory budget is kept" {
    write_workload
    plan --nodes 3 --memory 12m
    [[ $output == *"2 nodes, 12.0 MiB"* ]]
    plan --nodes 3 --memory 1k
    fails 125 "memory budget"
}

@test "broken files are named in one line" {
    write_workload
    echo '{"version":1,"nodes":[{"name":"root"},{"name":"a","parent":"b"}]}' >"$WORK/tree.json"
    sockctl zygote tree show "$WORK/tree.json"
    fails 125 "tree.json*does not stand before it"
    sockctl zygote tree show "$WORK/costs.json"
    fails 125 "costs.json"
    sockctl zygote tree show "$WORK/none.json"
    fails 125 "none.json"
    sockctl zygote tree show "$WORK"
    fails 125 "directory"
    echo '{"funcs":7}' >"$WORK/workload.json"
    plan --nodes 3
    fails 125 "workload.json"
}

@test "mistakes on the command line are told with the verb's own help" {
    write_workload
    plan
    fails 2 "sockctl zygote plan --help"
    plan --nodes 3 --format yaml
    fails 2 "openlambda"
    plan --nodes 3 --memory much
    fails 2 "--memory"
    plan --nodes 0
    fails 125 "0 nodes"
    sockctl zygote
    fails 2 "sockctl zygote --help"
    sockctl zygote tree
    fails 2 "sockctl zygote tree --help"
    sockctl zygote tree show --workload "$WORK/workload.json" "$WORK/tree.json"
    fails 2 "--costs"
}

@test "every verb of the group explains itself with examples" {
    for verb in "" create fork ls inspect stats rm plan tree "tree show"; do
        # shellcheck disable=SC2086 # one word for each part
        run -0 "$SOCKCTL" zygote $verb --help
        [[ $output == *"Usage: sockctl zygote${verb:+ $verb}"*Examples:* ]]
    done
}
