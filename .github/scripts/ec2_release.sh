#!/usr/bin/env bash
# Releases on a host over SSH: brings the commit there, then lets ec2_on_host.sh switch to it, which ends well only
# when the health check does. Nobody else can say whether such a host is well.
#
#   EC2_HOST, EC2_USER, SSH_PRIVATE_KEY, EC2_KNOWN_HOSTS    secrets; EC2_KNOWN_HOSTS is what `ssh-keyscan` shows
#   EC2_PORT              default: 22
#   EC2_HEALTH_COMMAND    run on the host, in the release's folder; for example: curl -fsS http://localhost:8080/health
#   EC2_HEALTH_SECONDS    how long it may take to become healthy; default: 150
#   EC2_KEEP_RELEASES     how many releases stay on the host; default: 5
#   SOURCE, SHA, VERSION, IMAGE
set -euo pipefail
: "${EC2_USER:?Set the secret EC2_USER}" "${SSH_PRIVATE_KEY:?Set the secret SSH_PRIVATE_KEY}"
: "${EC2_KNOWN_HOSTS:?Set the secret EC2_KNOWN_HOSTS to what ssh-keyscan shows for the host}"

refuse() {
    echo "::error title=Release::$1"
    exit 1
}
[[ $SHA =~ ^[0-9a-f]{40}$ ]] || refuse "The event names no commit."
for name in EC2_PORT EC2_HEALTH_SECONDS EC2_KEEP_RELEASES; do
    [[ ${!name:-1} =~ ^[1-9][0-9]{0,4}$ ]] || refuse "$name should hold a whole number from 1 on."
done

keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT
(umask 077 && printf '%s\n' "${SSH_PRIVATE_KEY//$'\r'/}" >"$keys/key" && printf '%s\n' "$EC2_KNOWN_HOSTS" >"$keys/known")
on_host() {
    ssh -F none -i "$keys/key" -p "${EC2_PORT:-22}" -o IdentitiesOnly=yes -o UserKnownHostsFile="$keys/known" \
        -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o BatchMode=yes \
        -o ConnectTimeout=15 -o ServerAliveInterval=15 \
        -- "$EC2_USER@$EC2_HOST" "$@"
}

# A release that is on the host already is switched to as it lies there: that is what was healthy.
if ! on_host "test -d releases/$SHA"; then
    git -C "$SOURCE" archive --format=tar.gz HEAD | on_host \
        "set -e; rm -rf releases/$SHA.new; mkdir -p releases/$SHA.new; tar -xzf - -C releases/$SHA.new; mv -T releases/$SHA.new releases/$SHA"
fi
# The settings travel in front of the script, on its standard input: no shell between here and there reads them.
{
    printf '%s=%q\n' VERSION "$VERSION" SHA "$SHA" IMAGE "${IMAGE:-}" HEALTH_COMMAND "${EC2_HEALTH_COMMAND:-}" \
        HEALTH_SECONDS "${EC2_HEALTH_SECONDS:-150}" KEEP_RELEASES "${EC2_KEEP_RELEASES:-5}"
    cat "$(dirname "${BASH_SOURCE[0]}")/ec2_on_host.sh"
} | on_host bash -s
