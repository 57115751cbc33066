"""Commands on a host over SSH, tried again when the connection is what fails.

ssh ends with 255 for an error of its own, and otherwise with the command's own status (ssh(1), EXIT STATUS). Its own
messages go to a file (-E), apart from what the command writes.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from runner import Refused
from ssh_access import Access

SSH_FAILED = 255
WAITS: Sequence[float] = (1, 2, 4, 8, 16)
"""Seconds before each further try: a host that is rebooting its sshd, or a lost packet, costs time and nothing else."""

HINTS = {
    "Could not resolve hostname": "the name in EC2_HOST is not found",
    "Connection refused": "nothing answers there; does sshd run, and is EC2_PORT right?",
    "timed out": "no answer; is the host up, and does its security group admit GitHub's runners?",
}


class Connection:
    """`run(command, input)` on the host that `access` leads to."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.messages = access.folder / "ssh.log"

    def run(self, command: str, given: Callable[[int], Path], *, lost: str, shown: bool) -> tuple[int, str]:
        """The command's status and its output, which is empty where it was shown in the log.

        `given(attempt)` writes the standard input of an attempt, from 1. Raises Refused when no try gets through,
        with what `lost` says is true of the host then.
        """
        for attempt, wait in enumerate([*WAITS, None], 1):
            self.messages.unlink(missing_ok=True)
            with given(attempt).open("rb") as file:
                output = None if shown else subprocess.PIPE
                done = subprocess.run(
                    [*self._ssh(), command],
                    stdin=file,
                    stdout=output,
                    stderr=subprocess.STDOUT if output else None,
                    check=False,
                )
            if done.returncode != SSH_FAILED:
                return done.returncode, (done.stdout or b"").decode(errors="replace")
            messages = self.messages.read_text(errors="replace") if self.messages.exists() else ""
            reason, final = explain(messages, self.access)
            if final:
                raise Refused(f"{reason} {lost}")
            if wait is None:
                raise Refused(f"{reason} That was the last of {attempt} tries. {lost}")
            print(f"{reason} Trying again in {wait:g} s.", flush=True)
            time.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _ssh(self) -> list[str]:
        options = {
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": str(self.access.known_hosts),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": "15",
            "ServerAliveInterval": "15",
        }
        access = self.access
        words = ["ssh", "-F", "none", "-E", str(self.messages), "-i", str(access.key), "-p", str(access.port)]
        for name, value in options.items():
            words += ["-o", f"{name}={value}"]
        return [*words, "-l", access.user, "--", access.host]


def explain(messages: str, access: Access) -> tuple[str, bool]:
    """What ssh's own messages mean and what to do; and whether trying again is pointless."""
    last = next((line.strip() for line in reversed(messages.splitlines()) if line.strip()), "no message")
    place = f"{access.user} at {access.host}, port {access.port}"
    if "Permission denied" in messages or "Too many authentication failures" in messages:
        text = (
            f"The host does not accept SSH_PRIVATE_KEY for {place}. Put its public key ({access.fingerprint}) into "
            f"~/.ssh/authorized_keys there, or correct EC2_USER ({last})."
        )
    elif "HOST IDENTIFICATION HAS CHANGED" in messages or "Host key verification failed" in messages:
        text = (
            f"The key that {access.host}, port {access.port}, shows is not the one in EC2_KNOWN_HOSTS. If the host was "
            f"made anew, set the secret to what `{access.keyscan}` shows, compared with the host's own keys; otherwise "
            "another machine may be answering in its place."
        )
    elif "Unable to negotiate" in messages:
        text = f"ssh and the host have no way of connecting in common: {last}."
    else:
        hint = next((hint for sign, hint in HINTS.items() if sign in messages), "the connection was lost")
        return f"No connection to {place}: {hint} ({last}).", False
    return text, True
