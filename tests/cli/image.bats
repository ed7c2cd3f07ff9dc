#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016 # `errors` is set by sockctl(); scripts are the payload's
# Images at a prompt: what is imported, shown, run and refused. tests/image has the images themselves.

bats_require_minimum_version 1.5.0

load setup

import_root() { # NAME: an image of this machine's shell and its libraries, with a config
    export SOCK_IMAGE_STORE=$WORK/images
    mkdir -p "$WORK/tree/bin" "$WORK/tree/srv"
    cp /bin/sh "$WORK/tree/bin/sh"
    local library
    for library in $(ldd /bin/sh | grep -o '/[^ ]*'); do
        mkdir -p "$WORK/tree$(dirname "$library")"
        cp "$library" "$WORK/tree$library"
    done
    sockctl image import "dir:$WORK/tree" --name "$1"
    echo "$output $errors"
    [ "$status" -eq 0 ]
}

@test "an image is imported, listed, run, verified and removed" {
    import_root app:v1
    sockctl image ls --quiet
    prints app:v1
    sockctl run --image app:v1 -- /bin/sh -c 'echo "in $PWD"'
    prints "in /"
    sockctl run --image app:v1 -e A=b -w /srv -- /bin/sh -c 'echo "$A in $PWD"'
    prints "b in /srv"
    sockctl image verify app:v1
    [ "$status" -eq 0 ]
    sockctl image rm app:v1
    sockctl image gc --format json
    [ "$(json '["layers"]' <<<"$output")" = 1 ]
    sockctl run --image app:v1 -- /bin/sh -c true
    fails 125 not_found
}

@test "an image in use is not collected" {
    import_root app
    sockctl run -d --name holder --image app -- /bin/sh -c 'while :; do read -r _ </dev/null; done'
    prints holder
    sockctl image rm app
    sockctl image gc --format json
    echo "$output"
    [ "$(json '["in_use"]' <<<"$output")" = 1 ]
    sockctl rm --force holder
    sockctl image gc --format json
    [ "$(json '["layers"]' <<<"$output")" = 1 ]
}

@test "what a start reads is recorded, listed, and used by the next" {
    import_root app:v1
    sockctl image prefetch app:v1
    [ "$status" -eq 0 ]
    sockctl image prefetch app:v1 --record -- /bin/sh -c 'echo out'
    [ "$status" -eq 0 ]
    [[ $output == *"out"*"recorded "*" files, "*"of: /bin/sh -c echo out"* ]]
    sockctl image prefetch app:v1
    [[ $output == *"COMMAND"*"/bin/sh -c echo out"* ]]
    sockctl image prefetch app:v1 -- /bin/sh
    [[ $output == "prefetch: "*" files, "*" asked for in "* ]]
    sockctl run --timings --image app:v1 -- /bin/sh -c 'echo out'
    prints out
    [[ $errors == *"prefetch: in memory already"* ]]
    sockctl run --prefetch sometimes --image app:v1 -- /bin/sh -c 'echo out'
    fails 2 --prefetch
    sockctl image prefetch app:v1 --engine fast -- /bin/sh
    fails 2 --engine
    sockctl image prefetch host
    fails 2 "no store"
    sockctl image prefetch app:v1 -- /bin/true
    fails 125 "nothing was recorded"
}

@test "an image is mounted, is in use meanwhile, and unmounted" {
    import_root app
    mkdir "$WORK/mnt"
    ln -s mnt "$WORK/link"
    sockctl image mount app "$WORK/link"
    [ "$status" -eq 0 ]
    [ -x "$WORK/mnt/bin/sh" ]
    ! touch "$WORK/mnt/new" || false
    grep -q " $WORK/mnt ro,nosuid,nodev" /proc/self/mountinfo
    sockctl image mount app "$WORK/mnt"
    fails 125 "exists"
    sockctl image rm app
    sockctl image gc --format json
    [ "$(json '["in_use"]' <<<"$output")" = 1 ]
    [ -x "$WORK/mnt/bin/sh" ]
    sockctl image umount "$WORK/mnt"
    [ "$status" -eq 0 ]
    [ ! -e "$WORK/mnt/bin" ]
    sockctl image umount "$WORK/mnt"
    fails 125 "no image was mounted"
    sockctl image gc --format json
    [ "$(json '["layers"]' <<<"$output")" = 1 ]
}

@test "mistakes are named" {
    export SOCK_IMAGE_STORE=$WORK/images
    sockctl image import nowhere
    fails 2 "oci:DIR"
    sockctl image import "oci:$WORK/missing"
    fails 125 not_found
    sockctl image inspect 'no such name'
    fails 2 "image name"
    sockctl run --image missing
    fails 125 missing
    import_root app
    sockctl run --image app
    fails 2 "no command"
}
