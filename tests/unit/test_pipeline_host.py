"""The pipeline's release on a host, over SSH, against a real sshd on this machine."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / ".github" / "scripts"
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SSHD, reason="no sshd here: apt install openssh-server"),
]


@dataclass
class Host:
    """A machine to release on: its home, and the runner's environment that leads there."""

    home: Path
    source: Path
    env: dict[str, str]

    def commit(self, deploy: str) -> str:
        """A commit whose deploy.sh is this."""
        git = ["git", "-C", str(self.source), "-c", "user.name=a", "-c", "user.email=a@b.example"]
        (self.source / "deploy.sh").write_text(f"#!/bin/sh\n{deploy}\n")
        (self.source / "deploy.sh").chmod(0o755)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
        found = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
        return found.stdout.strip()

    def release(self, sha: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", str(SCRIPTS / "ec2_release.sh")],
            env=self.env | {"SHA": sha} | settings,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def live(self) -> str:
        return (self.home / "current").readlink().name


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """An sshd of its own: own host key, own authorized key, an own home (accounts' homes are left alone)."""
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "user", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "home").mkdir()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd, as root, insists on going
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    home = f'HOME={folder}/home; export HOME; cd; exec bash -c "$SSH_ORIGINAL_COMMAND"'
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/user.pub\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        f"ForceCommand {home}\n"
    )
    assert SSHD
    running = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert running.poll() is None, "sshd did not start"
            time.sleep(0.05)  # until it listens
    yield folder, port
    running.terminate()
    running.wait(10)


@pytest.fixture
def host(server: tuple[Path, int], tmp_path: Path) -> Host:
    folder, port = server
    home = folder / "home"
    shutil.rmtree(home)
    home.mkdir()
    source = tmp_path / "source"
    subprocess.run(["git", "init", "-q", str(source)], check=True)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "SOURCE": str(source),
        "VERSION": "v1.2.3",
        "EC2_HOST": "127.0.0.1",
        "EC2_PORT": str(port),
        "EC2_USER": getpass.getuser(),
        "SSH_PRIVATE_KEY": (folder / "user").read_text(),
        "EC2_KNOWN_HOSTS": f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}",
        "EC2_HEALTH_COMMAND": "test ! -e sick",
        "EC2_HEALTH_SECONDS": "1",
    }
    return Host(home, source, env)


def test_a_host_gets_the_commit_and_starts_it(host: Host) -> None:
    sha = host.commit('echo "$VERSION|$SHA|$IMAGE" > "$HOME/deployed"; cat')
    done = host.release(sha, IMAGE="repo@sha256:1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.live() == sha
    assert (host.home / "deployed").read_text() == f"v1.2.3|{sha}|repo@sha256:1\n"
    assert "PRIVATE KEY" not in done.stdout + done.stderr


@pytest.mark.parametrize("why", ["touch sick", "exit 3"])
def test_a_release_that_fails_is_switched_back_and_the_one_before_started_again(host: Host, why: str) -> None:
    good = host.commit('echo "$VERSION" >> "$HOME/started"')
    assert host.release(good).returncode == 0
    bad = host.commit(f'echo "$VERSION" >> "$HOME/started"; {why}')
    done = host.release(bad, VERSION="v2.0.0")
    assert done.returncode == 1
    assert f"{bad} did not become healthy. The release before it, {good}, is live again and healthy." in done.stdout
    assert host.live() == good
    assert (host.home / "started").read_text().split() == ["v1.2.3", "v2.0.0", "v1.2.3"]
    assert (host.home / "releases" / "failed" / "deploy.sh").exists(), "kept for a look"
    assert not (host.home / "releases" / bad).exists(), "the next try brings it anew"


def test_a_first_release_that_fails_says_that_there_is_nothing_to_return_to(host: Host) -> None:
    done = host.release(host.commit("touch sick"))
    assert done.returncode == 1
    assert "no other release is on the host" in done.stdout


def test_a_rollback_switches_to_what_lies_there_without_bringing_it_again(host: Host) -> None:
    old = host.commit("echo built > artefact")
    assert host.release(old).returncode == 0
    (host.home / "releases" / old / "kept").touch()
    assert host.release(host.commit("true")).returncode == 0
    assert host.release(old, SOURCE="/nonexistent").returncode == 0
    assert host.live() == old
    assert (host.home / "current" / "kept").exists()


def test_the_last_releases_stay_and_the_live_one_always(host: Host) -> None:
    made = [host.commit(f"echo {number}") for number in range(3)]
    for number, sha in enumerate(made):
        assert host.release(sha, EC2_KEEP_RELEASES="2").returncode == 0
        os.utime(host.home / "releases" / sha, (number, number))  # their times differ, without waiting for it
    left = {path.name for path in (host.home / "releases").iterdir() if path.is_dir()}
    assert left == set(made[1:])


def test_what_runs_on_does_not_hold_up_the_next_release(host: Host) -> None:
    """A service that deploy.sh left running must not inherit the lock."""
    sha = host.commit('sleep 30 >/dev/null 2>&1 & echo $! > "$HOME/pid"')
    assert host.release(sha).returncode == 0
    try:
        assert host.release(host.commit("true")).returncode == 0
    finally:
        os.kill(int((host.home / "pid").read_text()), 9)


def test_nothing_of_the_event_becomes_a_command_on_the_host(host: Host) -> None:
    sha = host.commit('printf %s "$VERSION" > "$HOME/version"')
    evil = 'v1\'; touch "$HOME/pwned"; $(touch $HOME/pwned) `touch $HOME/pwned`\n touch $HOME/pwned'
    assert host.release(sha, VERSION=evil, IMAGE=evil).returncode == 0
    assert (host.home / "version").read_text() == evil
    assert not (host.home / "pwned").exists()
    refused = host.release(evil)
    assert (refused.returncode, refused.stdout) == (1, "::error title=Release::The event names no commit.\n")
    assert not (host.home / "pwned").exists()


def test_another_hosts_key_or_another_users_is_refused(host: Host, server: tuple[Path, int]) -> None:
    folder, port = server
    sha = host.commit("true")
    wrong = f"[127.0.0.1]:{port} {(folder / 'other.pub').read_text()}"
    assert host.release(sha, EC2_KNOWN_HOSTS=wrong).returncode != 0
    assert host.release(sha, SSH_PRIVATE_KEY=(folder / "other").read_text()).returncode != 0
    assert not (host.home / "releases").exists()


@pytest.mark.parametrize("how", ["well", "refused", "unhealthy", "cancelled"])
def test_the_key_is_gone_from_the_runner_however_it_ends(host: Host, tmp_path: Path, how: str) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    env = {"TMPDIR": str(kept)}
    if how == "cancelled":
        sha = host.commit('touch "$HOME/begun"; sleep 20')
        running = subprocess.Popen(
            ["bash", str(SCRIPTS / "ec2_release.sh")], env=host.env | env | {"SHA": sha}, start_new_session=True
        )
        for _ in range(400):
            if (host.home / "begun").exists():
                break
            time.sleep(0.05)  # until the host has begun
        assert any(kept.rglob("key"))
        os.killpg(running.pid, signal.SIGTERM)  # as GitHub ends a cancelled step
        assert running.wait(20) != 0
    else:
        sha = host.commit("touch sick" if how == "unhealthy" else "true")
        done = host.release(sha, **env, **({"EC2_KNOWN_HOSTS": "other ssh-ed25519 AAAA"} if how == "refused" else {}))
        assert (done.returncode == 0) is (how == "well")
    assert list(kept.iterdir()) == []


def test_only_the_secrets_host_key_counts(host: Host, tmp_path: Path) -> None:
    """Not what the runner itself trusts, nor a name in its ssh settings."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(host.env["EC2_KNOWN_HOSTS"])
    (tmp_path / ".ssh" / "config").write_text("Host *\n  StrictHostKeyChecking no\n")
    done = host.release(host.commit("true"), EC2_KNOWN_HOSTS="other ssh-ed25519 AAAA")
    assert done.returncode != 0
    assert "Host key verification failed" in done.stderr
    script = (SCRIPTS / "ec2_release.sh").read_text()
    assert "GlobalKnownHostsFile=/dev/null" in script
    assert "StrictHostKeyChecking=yes" in script


def test_a_missing_secret_and_a_wrong_setting_are_named(host: Host) -> None:
    sha = host.commit("true")
    assert "EC2_KNOWN_HOSTS" in host.release(sha, EC2_KNOWN_HOSTS="").stderr
    assert "EC2_KEEP_RELEASES should hold" in host.release(sha, EC2_KEEP_RELEASES="0").stdout
