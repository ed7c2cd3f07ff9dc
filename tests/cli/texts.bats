#!/usr/bin/env bats
# shellcheck disable=SC2154 # `errors` is set by sockctl() in setup.bash
# Help, check, version, completions.

bats_require_minimum_version 1.5.0

load setup

@test "every verb explains itself with examples" {
    local overview
    overview=$("$SOCKCTL" --help)
    [[ $overview == *Examples:* ]]
    for verb in run exec ps inspect stats logs pause resume kill wait rm zygote image package gc check version completion; do
        [[ $overview == *"$verb"* ]]
        run -0 "$SOCKCTL" "$verb" --help
        [[ $output == *"Usage: sockctl $verb"*Examples:* ]]
    done
}

@test "check finds that containers can be started" {
    sockctl check --format json
    echo "$output $errors"
    [ "$status" -eq 0 ]
    [ "$(json '[0].keys() >= {"name", "outcome", "detail", "lost", "remedy"}' <<<"$output")" = True ]
    sockctl check
    [[ $output == CHECK*OUTCOME* ]]
}

@test "version is one line" {
    sockctl version
    [[ $output =~ ^sockctl\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "completion scripts are valid and know every verb" {
    run -0 bash -c "'$SOCKCTL' completion bash | bash -n"
    for shell in bash zsh fish; do
        sockctl completion "$shell"
        [ "$status" -eq 0 ]
        [[ $output == *inspect* && $output == *status-fd* ]]
    done
    sockctl completion tcsh
    fails 2 tcsh
}

@test "completion knows the verbs of a group and their options" {
    complete_line() { # WORD...
        bash -c 'eval "$("$0" completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sockctl
            echo "${COMPREPLY[*]}"' "$SOCKCTL" "$@"
    }
    [[ " $(complete_line sockctl "") " == *" run "*" zygote "* ]]
    [ "$(complete_line sockctl zygote tr)" = tree ]
    [[ " $(complete_line sockctl zygote tree "") " == *" show "* ]]
    [ "$(complete_line sockctl zygote plan --nod)" = --nodes ]
    [ "$(complete_line sockctl zygote create --run)" = --runtime ]
    [ "$(complete_line sockctl run --status)" = --status-fd ]
}

@test "a state directory that others may write to is refused" {
    mkdir -m 777 "$WORK/open"
    sockctl run --state-dir "$WORK/open" -- true
    fails 125 "$WORK/open"
}

@test "a user without a runtime directory is told what to do" {
    [ "$(id -u)" -ne 0 ] || skip "root has /run/sock"
    run -125 env -u SOCK_STATE_DIR -u XDG_RUNTIME_DIR "$SOCKCTL" run -- true
    [[ $output == *XDG_RUNTIME_DIR* ]]
}
