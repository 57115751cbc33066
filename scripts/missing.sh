#!/bin/sh
# Says what `make check` needs from the machine and does not find, and how to get it. Exit 1 if anything is missing.
set -eu
rc=0
need() { # what it is for, how to get it, names that will do
    what=$1 how=$2
    shift 2
    for name; do
        if command -v "$name" >/dev/null 2>&1; then return; fi
    done
    echo "make check needs $1 ($what): $how" >&2
    rc=1
}
need "validators from npm" "apt install nodejs" node
need "validators from npm" "apt install npm" npm
PATH="$PATH:/usr/sbin" need "the pipeline's release over SSH" "apt install openssh-server" sshd
need "a host's login shell" "apt install busybox" busybox
need "a host's health" "apt install curl" curl
need "browser tests" "apt install chromium" chromium chromium-browser google-chrome
exit $rc
