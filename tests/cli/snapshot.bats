#!/usr/bin/env bats
# shellcheck disable=SC2154 # `errors` is set by sockctl()
# Snapshots at a prompt: written, listed, restored and refused. tests/checkpoint has the programs in them.

bats_require_minimum_version 1.5.0

load setup

setup() {
    make_state
    export SOCK_SNAPSHOT_STORE=$WORK/snapshots
}

written() { # CONTAINER SNAPSHOT
    sockctl checkpoint "$1" "$2"
    echo "$output $errors"
    [ "$status" -eq 0 ]
}

@test "a container is written down, restored under another name, and goes on" {
    start_idle box
    written box box-1
    [[ $output == "box-1: "*" in 2 processes" ]]
    sockctl snapshot ls --quiet
    prints box-1
    sockctl restore box-1 --name again
    prints again
    sockctl ps --format json
    [ "$(json '[0]["name"]' <<<"$output")" = again ]
    sockctl exec again -- cat /etc/hostname
    [ "$status" -le 1 ]
    sockctl inspect again
    [ "$(json '[0]["timings"][-1]["stage"]' <<<"$output")" = restore ]
}

@test "many copies get numbers, or the names that are given" {
    start_idle box
    written box box-1
    sockctl restore box-1 --count 2 --name copy
    prints $'copy-1\ncopy-2'
    sockctl restore box-1 --count 2 --name this --name that
    prints $'this\nthat'
    sockctl restore box-1 --count 3 --name one --name two
    fails 2 '2 names for 3 containers'
}

@test "a copy shows the command that its original showed" {
    sockctl run -d --name box -- sh -c $'sleep 1000\ntrue'
    written box box-1
    sockctl restore box-1 --name again
    sockctl inspect again
    [ "$(json '[0]["options"]["command"][2]' <<<"$output")" = $'sleep 1000\ntrue' ]
    sockctl ps
    [[ $output == *'sh -c sleep 1000\x0atrue'* && $output != *x5c* ]]
}

@test "limits are the snapshot's, or those of the command line" {
    start_idle box -m 100m
    written box box-1
    sockctl restore box-1 --name old
    sockctl stats old --format json
    [ "$(json '[0]["memory_max"]' <<<"$output")" = 104857600 ]
    sockctl restore box-1 --name new -m 200m
    sockctl stats new --format json
    [ "$(json '[0]["memory_max"]' <<<"$output")" = 209715200 ]
    sockctl restore box-1 -m many
    fails 2 --memory
}

@test "the user is the snapshot's, or that of the command line" {
    start_idle box -u 2001:2002
    written box box-1
    sockctl restore box-1 --name old
    sockctl exec old -- id -u
    prints 2001
    sockctl restore box-1 --name new -u 2003:2004
    sockctl exec new -- sh -c 'id -u; id -g'
    prints $'2003\n2004'
    sockctl restore box-1 -u root
    fails 2 'numbers like 1000 or 1000:1000'
}

@test "--stop ends the container, and --timings prints the stages of a restore" {
    start_idle box
    sockctl checkpoint --stop box box-1
    [ "$status" -eq 0 ]
    sockctl wait box
    [ "$status" -eq 137 ]
    sockctl restore box-1 --timings
    [[ $errors == *cgroup*rootfs*restore*total* ]]
}

@test "a snapshot is shown, verified and removed" {
    start_idle box
    written box box-1
    sockctl snapshot inspect box-1
    [ "$(json '[0]["container"]' <<<"$output")" = box ]
    sockctl snapshot verify box-1
    [[ $output == *"as written" ]]
    sockctl snapshot rm box-1
    [ "$status" -eq 0 ]
    sockctl snapshot ls --quiet
    prints ''
    sockctl restore box-1
    fails 125 'not in the store'
}

@test "inspect shows processes, memory and descriptors" {
    sockctl run -d --name box -- sh -c 'mkfifo /tmp/pipe; exec 6<> /tmp/pipe 7< /usr/bin/env; echo open; exec sleep 1000'
    prints box
    local line
    read -r line < <(timeout 20 "$SOCKCTL" logs -f box)
    [ "$line" = open ]
    written box box-1
    sockctl snapshot inspect box-1
    [ "$(json '[0]["tree"][0]["pid"]' <<<"$output")" = 1 ]
    [ "$(json '[0]["tree"][1]["parent"]' <<<"$output")" = 1 ]
    [[ $(json '[0]["tree"][1]["descriptors"]' <<<"$output") == *"'fifo'"*/tmp/pipe*"'file'"*/usr/bin/env* ]]
    sockctl snapshot inspect --tree box-1
    [ "$status" -eq 0 ]
    [[ $output == *PARENT*PROGRAM*ADDRESSES*'[stack]'*DESCRIPTOR*KIND*fifo*/tmp/pipe*/usr/bin/env* ]]
}

@test "a damaged snapshot is refused, listed and named" {
    start_idle box
    written box box-1
    local pages
    pages=$(echo "$SOCK_SNAPSHOT_STORE"/snapshots/box-1/images/pages-*.img | cut -d' ' -f1)
    printf x | dd of="$pages" bs=1 seek=4000 conv=notrunc status=none
    sockctl snapshot verify box-1
    [ "$status" -eq 1 ]
    [[ $output == *damaged && $errors == *"$(basename "$pages")"* ]]
    sockctl restore box-1 --name never
    fails 125 "$(basename "$pages")"
    sockctl ps --quiet
    prints box
    echo '{}' >"$SOCK_SNAPSHOT_STORE/snapshots/box-1/manifest"
    sockctl snapshot ls
    [[ $output == *box-1*damaged* ]]
}

@test "what cannot be written down says why, in one line" {
    start_idle box --net host
    sockctl checkpoint box box-1
    fails 125 'not made for this'
    sockctl checkpoint nobody box-1
    fails 125 nobody
}

@test "a zygote is written down, and forked from when all else is gone" {
    sockctl zygote create ds --preload json
    [ "$status" -eq 0 ]
    sockctl checkpoint --stop ds ds-1
    echo "$output $errors"
    [ "$status" -eq 0 ]
    [[ $output == "ds-1: "*" in 1 process" ]]
    sockctl zygote ls --format json
    prints '[]'
    sockctl snapshot ls --format json
    [ "$(json '[0]["kind"]' <<<"$output")" = zygote ]
    sockctl snapshot inspect --tree ds-1
    [[ $output == *ADDRESSES*libc.so*'[vdso]'* ]]
    sockctl restore ds-1 --timings
    [ "$output" = ds ]
    [[ $errors == *"restore "*"total "* ]]
    sockctl zygote inspect ds
    [ "$(json '[0]["modules"][0]["name"]' <<<"$output")" = json ]
    [ "$(json '[0]["snapshot"]' <<<"$output")" = ds-1 ]
    sockctl zygote fork ds --timings -- python3 -c 'import sys; print("json" in sys.modules)'
    [ "$output" = True ]
    [[ $errors == *"fork "* ]]
    sockctl restore ds-1
    fails 125 'ds'
    sockctl restore ds-1 --count 2 --name copy
    prints $'copy-1\ncopy-2'
    sockctl zygote rm ds copy-1 copy-2
    [ "$status" -eq 0 ]
}

@test "a container is forked from the snapshot of a zygote that is not there" {
    sockctl zygote create ds --preload decimal
    sockctl checkpoint --stop ds ds-1
    sockctl run --snapshot ds-1 --timings -m 64m -e A=b -w /tmp -- \
        python3 -c 'import os, sys; print("decimal" in sys.modules, os.getcwd(), os.environ["A"]); sys.exit(3)'
    echo "$output $errors"
    [ "$status" -eq 3 ]
    [ "$output" = "True /tmp b" ]
    [[ $errors == *"restore "*"total "* ]]
    sockctl run --snapshot ds-1 -- ls
    fails 127 'python only'
    sockctl run --snapshot ds-1 -d -- python3
    fails 2 '--detach'
    sockctl run --snapshot missing -- python3
    fails 125 missing
}

@test "what cannot be made of a zygote's snapshot is refused" {
    sockctl zygote create ds
    sockctl checkpoint ds ds-1
    sockctl checkpoint ds ds-1
    fails 125 'the name is in use'
    sockctl checkpoint nobody nobody-1
    fails 125 nobody
    sockctl restore ds-1 --count 2
    fails 2 '--count'
    sockctl restore ds-1 --name other -m 10m
    fails 2 '--memory'
    sockctl zygote rm ds
    truncate -s -1 "$SOCK_SNAPSHOT_STORE"/snapshots/ds-1/images/pages
    sockctl restore ds-1
    fails 125 'images/pages'
    sockctl zygote ls --format json
    prints '[]'
}

@test "a snapshot goes to another store as one file, and is restored there" {
    start_idle box
    written box box-1
    sockctl snapshot export box-1 "$WORK/box-1.tar"
    prints "box-1 to $WORK/box-1.tar"
    [ "$(stat -c %a "$WORK/box-1.tar")" = 600 ]
    [ "$(tar -tf "$WORK/box-1.tar" | sed -n 1,2p)" = $'box-1/\nbox-1/manifest' ]
    sockctl snapshot export box-1 "$WORK/box-1.tar"
    fails 125 'already'
    export SOCK_SNAPSHOT_STORE=$WORK/other
    sockctl snapshot import "$WORK/box-1.tar"
    echo "$output $errors"
    [[ $status -eq 0 && $output == "box-1: "*" in 2 processes" && -z $errors ]]
    sockctl snapshot import "$WORK/box-1.tar"
    fails 125 'the name is in use'
    sockctl snapshot import /dev/stdin --name x
    fails 125 'empty'
    sockctl snapshot import "$WORK/box-1.tar" --name box-2 --format json
    [ "$(json '["name"]' <<<"$output")" = box-2 ]
    sockctl snapshot verify box-1 box-2
    [ "$status" -eq 0 ]
    sockctl restore box-2 --name again
    prints again
}

@test "a file that is no snapshot, or a damaged one, leaves nothing" {
    echo text >"$WORK/x.tar"
    sockctl snapshot import "$WORK/x.tar"
    fails 125 'x.tar'
    sockctl snapshot import "$WORK/missing.tar"
    fails 125 'missing.tar'
    sockctl snapshot import "$WORK"
    fails 2 'a directory'
    start_idle box
    written box box-1
    sockctl snapshot export box-1 "$WORK/box-1.tar"
    truncate -s 20000 "$WORK/box-1.tar"
    sockctl snapshot import "$WORK/box-1.tar" --name cut
    fails 125 'box-1.tar'
    sockctl snapshot ls --quiet
    prints box-1
    sockctl snapshot gc
    prints 'removed 0 unfinished snapshots'
}

@test "an import says which image is not here, and the restore refuses" {
    export SOCK_IMAGE_STORE=$WORK/elsewhere
    start_idle box
    written box box-1
    sockctl snapshot export box-1 "$WORK/box-1.tar"
    # What export writes of a container that ran from an image, which is not here.
    python3 - "$WORK/box-1.tar" "$WORK/needs.tar" <<'PY'
import hashlib, io, json, sys, tarfile
with tarfile.open(sys.argv[1]) as old, tarfile.open(sys.argv[2], "w", format=tarfile.PAX_FORMAT) as new:
    for info in old:
        data = old.extractfile(info).read() if info.isreg() else b""
        if info.name == "box-1/manifest":
            manifest = json.loads(data)
            manifest["origins"] = ["image:@sha256:" + "7" * 64]
            data = json.dumps(manifest).encode()
            digest = f"sha256:{hashlib.sha256(data).hexdigest()}\n".encode()
        if info.name == "box-1/digest":
            data = digest
        info.size = len(data)  # Holes are written out.
        info.pax_headers = {key: value for key, value in info.pax_headers.items() if "sparse" not in key}
        new.addfile(info, io.BytesIO(data))
PY
    sockctl snapshot import "$WORK/needs.tar" --name needs
    echo "$output $errors"
    [ "$status" -eq 0 ]
    [[ $errors == *"needs image:@sha256:7777"* ]]
    sockctl restore needs --name never
    fails 125 '7777'
}

@test "snapshots are compared for people and for machines" {
    start_idle box
    written box box-1
    written box box-2
    sockctl snapshot diff box-1 box-2
    echo "$output $errors"
    [ "$status" -eq 0 ]
    [[ $output == WHAT*box-1*box-2*"IN COMMON"*memory*pages* ]]
    sockctl snapshot diff box-1 box-2 --format json
    [ "$(json '["fields"]' <<<"$output")" = '[]' ]
    [ "$(json '["pages"]["common"] > 0' <<<"$output")" = True ]
    sockctl snapshot diff box-1
    fails 2 SNAPSHOT
    sockctl snapshot diff box-1 box-3
    fails 125 box-3
}
