# Runs on the host, in the user's home. Lines in front set ACTION, SHA, TRY (a name for this run of the pipeline), and
# for `release` VERSION, IMAGE, HEALTH_COMMAND, HEALTH_SECONDS and KEEP_RELEASES. releases/<commit> is a release,
# `current` is a link to the live one, and changes in one step. A release may have a deploy.sh, which starts what is to
# run (VERSION, SHA and IMAGE are in its environment). One that does not start or does not become healthy is switched
# back, and kept as releases/failed. Ends with 0, or with 1 and the reason as an annotation of the run.

set -uo pipefail
POLL_SECONDS=2
START_SECONDS=900 # GitHub ends the job after 30 minutes
LOCK_SECONDS=1200 # a rollback waits out a deploy.sh that hangs
ADDRESS='^https?://[^[:space:]]+$'
LOCKED=""

live() { readlink current || echo "nothing"; }

room() {
    local kind used=()
    for kind in -P -iP; do used+=("$(df "$kind" . 2>/dev/null | tail -n 1 | tr -s ' ' | cut -d ' ' -f 5)"); done
    echo "the disk: ${used[0]} of its room and ${used[1]} of its inodes used"
}

# A cancelled or lost connection may take the output away, never the work: the next try reads the result here.
finish() { # status, text
    echo "$2"
    if [ -n "$LOCKED" ]; then printf '%s %s\n%s\n' "$TRY" "$1" "$2" >releases/.result; fi
    exit "$1"
} 2>/dev/null

refuse() { finish 1 "::error title=Release::$1"; }

probe() {
    local tool missing=""
    for tool in flock gzip readlink tar timeout; do command -v "$tool" >/dev/null || missing+=" $tool"; done
    [ -z "$missing" ] || refuse "The host lacks$missing. Install it there, then deploy again. Nothing was changed."
    if [[ ${HEALTH_COMMAND:-} =~ $ADDRESS ]] && ! command -v curl >/dev/null; then
        refuse "EC2_HEALTH_COMMAND is an address and the host lacks curl. Install it there, or set a command. Nothing was changed."
    fi
    if { [ -e current ] && [ ! -L current ]; } || { [ -e releases ] && [ ! -d releases ]; }; then
        refuse "~/current on the host should be a link and ~/releases a folder, and one is something else. Nothing was changed; what ran goes on running. Move it away, then deploy again."
    fi
    if [ -d "releases/$SHA" ]; then echo "chatops-host there"; else echo "chatops-host absent"; fi
}

# The archive follows on the standard input. Each try writes into a folder of its own: the one before may not have
# noticed yet that its connection is lost.
bring() {
    local problem
    local new="releases/.new-$TRY-$ATTEMPT"
    if ! problem=$({ mkdir -p "$new" && tar -xzf - -C "$new" && { [ -d "releases/$SHA" ] || mv -T "$new" "releases/$SHA"; }; } 2>&1); then
        rm -rf "$new"
        refuse "The release could not be written on the host (${problem%%$'\n'*}; $(room)). What is live there was not touched: $(live). Make room or correct the cause, then deploy again."
    fi
    rm -rf "$new"
}

# The link that is to become `current`. The way back is made before anything is started, which may fill the disk.
link() { # the file, what it points at
    ln -sfn "$2" "$1" && [ "$(readlink "$1")" = "$2" ]
}

# Succeeds only where `current` is then a link to $2, made before as $1.
switch() {
    mv -T "$1" current
    [ "$(readlink current)" = "$2" ] || return 1
    touch "$2" # the time of a folder is when it was last live
}

# Writes what deploy.sh is told about the release $1. A rollback finds it there, and needs no room on a full disk.
describe() {
    local text
    text=$(printf '%s=%q\n' VERSION "$VERSION" SHA "$SHA" IMAGE "$IMAGE")
    [ "$(cat "$1/.release" 2>/dev/null)" != "$text" ] || return 0
    printf '%s\n' "$text" >"$1/.release.new" && mv -T "$1/.release.new" "$1/.release"
}

# Prints what keeps deploy.sh of the release $1 from being started.
unstartable() {
    cd "$1" || return
    [ -e deploy.sh ] || [ -L deploy.sh ] || return
    [ -f deploy.sh ] || { echo "is not a file" && return; }
    local first interpreter argument
    first=$(head -n 1 deploy.sh | tr -d '\0' | head -c 300)
    case $first in
    $'\x7fELF'*) ;;
    $'\xef\xbb\xbf'*) echo "begins with a byte order mark: save it without" && return ;;
    *)
        grep -q '[^[:space:]]' deploy.sh || { echo "is empty" && return; }
        ! grep -q $'\r$' deploy.sh || { echo "has Windows line ends (CRLF): commit it with LF" && return; }
        ;;
    esac
    if [[ $first =~ ^#![[:space:]]*([^[:space:]]+)[[:space:]]*([^[:space:]]*) ]]; then
        interpreter=${BASH_REMATCH[1]} argument=${BASH_REMATCH[2]}
        if [ ! -f "$interpreter" ] || [ ! -x "$interpreter" ]; then
            echo "names the interpreter $interpreter, which the host does not have" && return
        fi
        if [[ ${interpreter##*/} = env && $argument =~ ^[^-=]+$ ]] && ! command -v "$argument" >/dev/null; then
            echo "names the interpreter $argument, which the host does not have" && return
        fi
    fi
}

# What deploy.sh leaves running keeps the output that it was given: a file, since the connection would otherwise stay
# open as long as it runs. It inherits neither the lock (9) nor signals that are ignored here.
start() {
    [ -e current/deploy.sh ] || return 0
    local log=current/.deploy.log pid status began=$SECONDS
    { echo "deploy.sh, $(date)" >>"$log"; } 2>/dev/null || log=/dev/null
    exec 8<"$log"
    cat <&8 >/dev/null
    (
        exec 8<&- 9>&-
        trap - HUP INT PIPE QUIT
        unset VERSION IMAGE
        set -a
        # shellcheck source=/dev/null
        [ ! -f current/.release ] || . current/.release
        set +a
        cd current || exit
        [ -x deploy.sh ] || chmod u+x deploy.sh
        exec timeout -k 10 "$START_SECONDS" bash -c ./deploy.sh
    ) >>"$log" 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        cat <&8
        sleep 0.2 2>/dev/null || sleep 1
    done
    wait "$pid"
    status=$?
    cat <&8
    exec 8<&-
    [ -z "$(tail -c 1 "$log")" ] || echo # an annotation must begin its line
    WHY="deploy.sh ended with the status $status"
    if [ $((SECONDS - began)) -ge "$START_SECONDS" ]; then
        WHY="deploy.sh did not end within $START_SECONDS seconds (a server must be left in the background)"
    fi
    return "$status"
}

# Once. An address is healthy by its own answer: a redirect, to a login for example, is none.
look() {
    if [[ $HEALTH_COMMAND =~ $ADDRESS ]]; then
        local said code
        said=$(curl -q -gsS -o /dev/null -w '%{http_code}' --max-time 15 "$HEALTH_COMMAND" 2>&1 9>&-)
        code=${said: -3} # behind what curl has to say of an error
        [ "$code" != 000 ] || code="nothing (${said%%$'\n'*})"
        WHY="it was not healthy within $HEALTH_SECONDS seconds: $HEALTH_COMMAND answers $code"
        [[ $code =~ ^2[0-9][0-9]$ ]]
    else
        (cd current && exec timeout 15 bash -c "$HEALTH_COMMAND") >/dev/null 2>&1 9>&-
        local status=$?
        WHY="it was not healthy within $HEALTH_SECONDS seconds: EC2_HEALTH_COMMAND ends with the status $status"
        return "$status"
    fi
}

healthy() {
    [ -n "$HEALTH_COMMAND" ] || return 0
    local until=$((SECONDS + HEALTH_SECONDS))
    until look; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep "$POLL_SECONDS"
    done
}

# Folders that are read-only, such as those of Go's module cache, keep what is in them from being removed.
remove() {
    chmod -R u+w "$1" 2>/dev/null
    rm -rf "$1"
}

prune() {
    local name kept=0
    find releases -mindepth 1 -maxdepth 1 -name '.new-*' -mmin +60 -exec chmod -R u+w {} + -exec rm -rf {} +
    for name in $(cd releases && ls -1t); do
        [[ $name =~ ^[0-9a-f]{40}$ ]] || continue
        kept=$((kept + 1))
        if [ "$kept" -gt "$KEEP_RELEASES" ] && [ "releases/$name" != "$(readlink current)" ]; then
            remove "releases/${name:?}" || echo "::warning title=Release::releases/$name could not be removed from the host."
        fi
    done
}

release() {
    # From here on it is done or undone, even if the runner goes away in the middle.
    trap '' HUP PIPE
    local before problem name until new="releases/$SHA"
    { exec 9>releases/.lock; } || refuse "The host's ~/releases cannot be written to. What is live was not touched: $(live)."
    until=$((SECONDS + LOCK_SECONDS))
    until flock -n 9; do
        [ "$SECONDS" -lt "$until" ] || refuse "Another release has been under way on the host for $((LOCK_SECONDS / 60)) minutes. This one changed nothing."
        sleep 1
    done
    LOCKED=1
    if [ "$(head -n 1 releases/.result 2>/dev/null | cut -d ' ' -f 1)" = "$TRY" ]; then
        echo "The connection was lost; this is how the release ended meanwhile:"
        tail -n +2 releases/.result
        exit "$(head -n 1 releases/.result | cut -d ' ' -f 2)"
    fi
    before=$(readlink current)
    name=${before#releases/}
    [ -d "$new" ] || refuse "The release $SHA is not on the host any more. What is live was not touched: $(live). Deploy again."
    problem=$(unstartable "$new")
    if [ -n "$problem" ]; then
        refuse "deploy.sh of $SHA cannot be started: it $problem. Nothing was changed. Live on the host: ${name:-nothing}."
    fi
    if ! problem=$({ describe "$new" && { [ -z "$before" ] || link current.back "$before"; } && link current.new "$new" &&
        switch current.new "$new"; } 2>&1); then
        rm -f current.new current.back
        refuse "The host could not be switched to $SHA (${problem%%$'\n'*}; $(room)). Nothing was started. Live on the host: ${name:-nothing}. Make room or correct the cause, then deploy again."
    fi
    if start && healthy; then
        if [ "$(readlink current)" != "$new" ]; then
            refuse "$SHA was started, but ~/current on the host points at $(live): something else switched it meanwhile."
        fi
        rm -f current.back
        prune
        [ -n "$HEALTH_COMMAND" ] || finish 0 "Live: $SHA. Its health was not checked: EC2_HEALTH_COMMAND is not set."
        finish 0 "Live and healthy: $SHA"
    fi
    problem="$SHA was switched to, and $WHY."
    if [ -z "$before" ] || [ "$before" = "$new" ] || [ ! -d "$before" ]; then
        rm -f current.back
        refuse "$problem It is still what \`current\` points at: no other release is on the host to return to."
    fi
    switch current.back "$before" || refuse "$problem The release before it, $name, could not be put back: \`current\` points at $(live)."
    local how="is live again and healthy"
    [ -n "$HEALTH_COMMAND" ] || how="is live again (no EC2_HEALTH_COMMAND says whether it is healthy)"
    start && healthy || how="is live again and NOT healthy either: $WHY"
    remove releases/failed
    mv -T "$new" releases/failed || how+=" ($new could not be moved to releases/failed: remove it before the next try)"
    refuse "$problem The release before it, $name, $how."
}

# A function, so that all of the script has been read before anything that it starts could read from its input.
main() {
    cd || refuse "The host has no home folder for this user. Nothing was changed."
    case $ACTION in
    bring) bring ;;
    probe) probe </dev/null ;;
    release) release </dev/null ;;
    esac
    exit
}
main
