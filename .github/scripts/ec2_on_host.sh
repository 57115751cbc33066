# Runs on the host, in the user's home, behind lines that set VERSION, SHA, IMAGE, HEALTH_COMMAND, HEALTH_SECONDS and
# KEEP_RELEASES. releases/<commit> is a release, `current` points at the live one, and changes in one step. A release
# may have a deploy.sh, which starts what is to run (VERSION, SHA and IMAGE are in its environment). One that does not
# start or does not become healthy is switched back, and kept as releases/failed for a look.

set -uo pipefail
POLL_SECONDS=2

switch() {
    ln -sfn "releases/$1" current.new && mv -T current.new current
    touch "releases/$1" # the time of a folder is when it was last live
}

# What is started must not inherit the lock (9): it would hold it for as long as it runs.
start() {
    (
        set -a
        # shellcheck source=/dev/null
        . current/.release
        set +a
        cd current || exit 1
        if [ -x deploy.sh ]; then ./deploy.sh; fi
    ) 9>&-
}

healthy() {
    [ -n "$HEALTH_COMMAND" ] || return 0
    local until=$((SECONDS + HEALTH_SECONDS))
    while true; do
        if (cd current && timeout 15 bash -c "$HEALTH_COMMAND") >/dev/null 2>&1 9>&-; then return 0; fi
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep "$POLL_SECONDS"
    done
}

prune() {
    local name kept=0
    for name in $(cd releases && ls -1t); do
        [[ $name =~ ^[0-9a-f]{40}$ ]] || continue
        kept=$((kept + 1))
        if [ "$kept" -gt "$KEEP_RELEASES" ] && [ "releases/$name" != "$(readlink current)" ]; then
            rm -rf "releases/${name:?}"
        fi
    done
}

main() {
    # From here on it is done or undone, even if the runner goes away in the middle.
    trap '' HUP PIPE
    cd || exit 1
    exec 9>releases/.lock
    if ! flock -w 600 9; then
        echo "::error title=Release::Another release has been under way on the host for ten minutes."
        exit 1
    fi
    local before
    before=$(readlink current 2>/dev/null)
    before=${before#releases/}
    printf '%s=%q\n' VERSION "$VERSION" SHA "$SHA" IMAGE "$IMAGE" >"releases/$SHA/.release"
    switch "$SHA"
    if start && healthy; then
        prune
        echo "Live and healthy: $SHA"
        exit 0
    fi
    if [ -z "$before" ] || [ "$before" = "$SHA" ] || [ ! -d "releases/$before" ]; then
        echo "::error title=Release::$SHA is not healthy, and no other release is on the host to return to."
        exit 1
    fi
    switch "$before"
    local how="is live again and healthy"
    start && healthy || how="is live again and NOT healthy either"
    rm -rf releases/failed
    mv -T "releases/$SHA" releases/failed
    echo "::error title=Release::$SHA did not become healthy. The release before it, $before, $how."
    exit 1
}
# A function, so that the whole script has been read before anything it starts can read from its standard input.
main </dev/null
