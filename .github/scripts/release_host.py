"""Releases on a host over SSH: brings the commit there, then lets ec2_on_host.sh switch to it.

That script ends well only when the release is healthy, since nobody else can say whether such a host is. Settings,
besides those of ssh_access.py:

    EC2_HEALTH_COMMAND    an address that must answer 200 to 299, without a redirect, to the host itself; or a command
                          that is run there, in the release's folder
    EC2_HEALTH_SECONDS    how long it may take to become healthy; default: 150
    EC2_KEEP_RELEASES     how many releases stay on the host; default: 5
"""

from __future__ import annotations

import re
import secrets
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import commit_archive
import ssh_access
from runner import Aws, Refused
from ssh_connection import Connection

ON_HOST = Path(__file__).with_name("ec2_on_host.sh")
SHA = re.compile(r"[0-9a-f]{40}")
LOST = {
    "probe": "Nothing was changed on the host.",
    "bring": "What is live on the host was not touched.",
    "release": "What is live on the host is not known: look there at ~/current. Deploying again is safe.",
}
"""What is true of the host when the connection is lost for good."""
NO_BASH = 127
"""What a login shell ends with when it does not find the command."""


def release(env: Mapping[str, str], _: Aws) -> dict[str, str]:
    """Bring the release to the host, start it there and wait until it is healthy. Raises Refused."""
    sha = env["SHA"]
    if not SHA.fullmatch(sha):
        raise Refused("The event names no commit.")
    given = {
        "HEALTH_COMMAND": env.get("EC2_HEALTH_COMMAND", "").strip(),
        "HEALTH_SECONDS": str(ssh_access.number(env, "EC2_HEALTH_SECONDS", 150)),
        "KEEP_RELEASES": str(ssh_access.number(env, "EC2_KEEP_RELEASES", 5)),
    }
    with tempfile.TemporaryDirectory() as folder:
        access = ssh_access.read(env, Path(folder))
        host = Host(Connection(access), sha, given, Path(folder))
        if not host.has_the_release():
            archive = Path(folder) / "release.tar.gz"
            commit_archive.pack(Path(env["SOURCE"]), sha, archive)
            host.bring(archive)
        host.switch({"VERSION": env["VERSION"], "IMAGE": env.get("IMAGE", "")})
    return {"image": env["IMAGE"]} if env.get("IMAGE") else {}


class Host:
    """The three things that ec2_on_host.sh does there."""

    def __init__(self, connection: Connection, sha: str, given: Mapping[str, str], folder: Path) -> None:
        self.connection = connection
        self.given = {"SHA": sha, "TRY": secrets.token_hex(8), **given}
        self.input = folder / "input"

    def has_the_release(self) -> bool:
        """Whether the commit is there already: it is then switched to as it is there, which is what was healthy."""
        said = self._run("probe", shown=False)
        answers = re.findall(r"^chatops-host (there|absent)$", said, re.MULTILINE)
        if not answers:
            raise Refused(
                "The host took the connection but did not run the script. It needs bash, and a user who may run "
                f"commands. It answered: {said.strip()[-300:] or 'nothing'}"
            )
        return bool(answers[-1] == "there")

    def bring(self, archive: Path) -> None:
        self._run("bring", archive)

    def switch(self, release: Mapping[str, str]) -> None:
        self._run("release", release=release)

    def _run(
        self, action: str, archive: Path | None = None, release: Mapping[str, str] | None = None, *, shown: bool = True
    ) -> str:
        """Run the script there; what it wrote, where the log does not show it. Raises Refused unless it ends with 0.

        Everything travels on bash's standard input, settings first: no shell between here and there reads any of it.
        """

        def written(attempt: int) -> Path:
            settings = {"ACTION": action, "ATTEMPT": str(attempt), **self.given, **(release or {})}
            lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
            with self.input.open("wb") as file:
                file.write(lines.encode() + ON_HOST.read_bytes())
                if archive:
                    with archive.open("rb") as packed:
                        shutil.copyfileobj(packed, file)
            return self.input

        status, output = self.connection.run("bash -s", written, lost=LOST[action], shown=shown)
        if status == NO_BASH:
            raise Refused("The host has no bash: install it there, then deploy again. Nothing was changed.")
        if status == 1 and shown:
            raise Refused("The host did not take the release; the reason stands above.")
        if status == 1 and "::error" in output:
            print(output, end="", flush=True)
            raise Refused("The host cannot take the release; the reason stands above.")
        if status and action != "probe":
            raise Refused(
                f"The script on the host ended with the status {status}. Look there at ~/current and "
                "~/current/.deploy.log, then deploy again."
            )
        return output
