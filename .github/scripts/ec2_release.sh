#!/usr/bin/env bash
# Releases on a host over SSH. The host keeps one folder a commit under ~/releases and ~/current points at the live
# one; its deploy.sh, if the commit has one, starts what is to run (VERSION, SHA and IMAGE are in its environment).
# Ends well only when the health check does: nobody else can say whether such a host is well.
#
#   EC2_HOST, EC2_USER, SSH_PRIVATE_KEY, EC2_KNOWN_HOSTS    secrets
#   EC2_HEALTH_COMMAND    run on the host, by default none; for example: curl -fsS http://localhost:8080/health
#   SOURCE, SHA, VERSION, IMAGE
set -euo pipefail
: "${EC2_USER:?Set the secret EC2_USER}" "${SSH_PRIVATE_KEY:?Set the secret SSH_PRIVATE_KEY}"
: "${EC2_KNOWN_HOSTS:?Set the secret EC2_KNOWN_HOSTS to what ssh-keyscan shows for the host}"

keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT
(umask 077 && printf '%s\n' "$SSH_PRIVATE_KEY" >"$keys/key" && printf '%s\n' "$EC2_KNOWN_HOSTS" >"$keys/known")
on_host() {
    ssh -i "$keys/key" -o IdentitiesOnly=yes -o UserKnownHostsFile="$keys/known" -o StrictHostKeyChecking=yes \
        -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15 -- "$EC2_USER@$EC2_HOST" "$@"
}

if [[ ! $SHA =~ ^[0-9a-f]{40}$ ]]; then
    echo "::error title=Release::The event names no commit."
    exit 1
fi
# %q quotes for the shell on the other side, which reads the words once more.
settings=$(printf 'VERSION=%q SHA=%q IMAGE=%q' "$VERSION" "$SHA" "${IMAGE:-}")

git -C "$SOURCE" archive --format=tar.gz HEAD |
    on_host "mkdir -p releases/$SHA.new && tar -xzf - -C releases/$SHA.new && rm -rf releases/$SHA && mv releases/$SHA.new releases/$SHA"
on_host "export $settings; ln -sfn releases/$SHA current.new && mv -T current.new current && cd current && if [ -x deploy.sh ]; then ./deploy.sh; fi"

if [[ -n ${EC2_HEALTH_COMMAND:-} ]]; then
    for _ in $(seq 30); do
        if on_host "$EC2_HEALTH_COMMAND" >/dev/null; then
            echo "Healthy."
            exit 0
        fi
        sleep 5
    done
    echo "::error title=Release::The host is not healthy two and a half minutes after the release."
    exit 1
fi
