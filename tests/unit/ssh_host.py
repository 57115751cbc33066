"""A host to release on: a real sshd on this machine, its user's home, and the runner's environment that leads there."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / ".github" / "scripts"
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
NO_SSHD = "no sshd here: apt install openssh-server"


@dataclass(frozen=True)
class Server:
    folder: Path
    port: int

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def login(self, shell: str = "bash", path: str = "") -> None:
        """The user's login shell from now on, and the PATH that it has."""
        (self.folder / "shell").write_text(shell)
        (self.folder / "path").write_text(path or os.environ["PATH"])


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as free:
            free.bind(("::1", 0))
    except OSError:
        return False
    return True


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """An sshd with its own host key, authorized key and home: accounts' homes are left alone."""
    server = Server(folder, free_port())
    for name in ("host", "user", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    server.home.mkdir()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd insists on it as root
    shell = f"HOME={folder}/home; PATH=$(cat {folder}/path); export HOME PATH; cd; exec $(/bin/cat {folder}/shell)"
    (folder / "config").write_text(
        f"Port {server.port}\nListenAddress 127.0.0.1\nListenAddress ::1\nHostKey {folder}/host\nPidFile none\n"
        f"UsePAM no\nStrictModes no\nAuthorizedKeysFile {folder}/user.pub\nPasswordAuthentication no\n"
        f'PermitRootLogin prohibit-password\nForceCommand {shell} -c "$SSH_ORIGINAL_COMMAND"\n'
    )
    assert SSHD
    running = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
            break
        except OSError:
            assert running.poll() is None, "sshd did not start"
            time.sleep(0.05)  # until it listens
    yield server
    running.terminate()
    running.wait(10)


@dataclass
class Host:
    server: Server
    source: Path
    env: dict[str, str]
    mounted: list[Path] = field(default_factory=list)

    @classmethod
    def fresh(cls, server: Server, folder: Path) -> Host:
        shutil.rmtree(server.home)
        server.home.mkdir()
        server.login()
        source = folder / "source"
        subprocess.run(["git", "init", "-q", str(source)], check=True)
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_OUTPUT": str(folder / "outputs"),
            "SOURCE": str(source),
            "VERSION": "v1.2.3",
            "EC2_HOST": "127.0.0.1",
            "EC2_PORT": str(server.port),
            "EC2_USER": getpass.getuser(),
            "SSH_PRIVATE_KEY": (server.folder / "user").read_text(),
            "EC2_KNOWN_HOSTS": f"[127.0.0.1]:{server.port} {(server.folder / 'host.pub').read_text()}",
            "EC2_HEALTH_COMMAND": "test ! -e sick",
            "EC2_HEALTH_SECONDS": "1",
        }
        return cls(server, source, env)

    @property
    def home(self) -> Path:
        return self.server.home

    def git(self, *words: str) -> str:
        git = ["git", "-C", str(self.source), "-c", "user.name=a", "-c", "user.email=a@b.example"]
        return subprocess.run([*git, *words], check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, deploy: str | None = None, mode: int = 0o755) -> str:
        """A commit of what lies in the source; its deploy.sh is this, in sh."""
        if deploy is not None:
            (self.source / "deploy.sh").write_text(f"#!/bin/sh\n{deploy}\n")
            (self.source / "deploy.sh").chmod(mode)
        self.git("add", ".")
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD")

    def command(self, scripts: Path = SCRIPTS) -> list[str]:
        return [sys.executable, str(scripts / "release.py")]

    def release(self, sha: str, *, scripts: Path = SCRIPTS, **settings: str) -> subprocess.CompletedProcess[str]:
        env = self.env | {"SHA": sha} | settings
        return subprocess.run(self.command(scripts), env=env, capture_output=True, text=True, timeout=60)

    def live(self) -> str:
        return (self.home / "current").readlink().name

    def started(self) -> list[str]:
        """What the releases' deploy.sh wrote there, oldest first."""
        file = self.home / "started"
        return file.read_text().split() if file.exists() else []

    def small_disk(self, options: str) -> None:
        """Put the home on a file system of its own. Needs root."""
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.home)], check=True)
        self.mounted.append(self.home)

    def fill(self, *, inodes: bool) -> None:
        """Nothing more fits on the small disk: no byte, or no file."""
        with suppress(OSError):
            if inodes:
                for number in range(100_000):
                    (self.home / f"file{number}").touch()
            else:
                with (self.home / "ballast").open("wb", buffering=0) as file:
                    while True:
                        file.write(bytes(4096))

    def kill(self, name: str = "pid") -> None:
        """End what deploy.sh left running, by the id that it wrote down."""
        with suppress(OSError, ValueError):
            os.kill(int((self.home / name).read_text()), signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        for place in self.mounted:
            subprocess.run(["umount", "-l", str(place)], check=True)


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.05)
