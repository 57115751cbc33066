"""What is started on a host, by which shell, and when it counts as healthy; against a real sshd on this machine."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.unit.ssh_host import NO_SSHD, SCRIPTS, SSHD, Host, free_port, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not SSHD, reason=NO_SSHD)]


def in_script(folder: Path, line: str, **settings: str) -> str:
    """What this line writes in bash, where it knows the functions of the script that runs on the host."""
    script = (SCRIPTS / "ec2_on_host.sh").read_text()
    assert script.endswith("\nmain\n")
    given = ["bash", "-c", script.removesuffix("main\n") + line]
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)} | settings
    return subprocess.run(given, env=env, cwd=folder, capture_output=True, text=True, timeout=30).stdout.strip()


SERVER = '(while sleep 0.1; do echo on; echo on >&2; date > "$HOME/alive"; done) & echo $! > "$HOME/pid"'


@pytest.mark.parametrize("how", ["{}", "exec 7>&1; cat & {}"])
def test_a_server_in_the_background_holds_up_nothing_and_runs_on(host: Host, how: str) -> None:
    """With the output that deploy.sh was given, and after the session has ended."""
    sha = host.commit("grep SigIgn /proc/$$/status; " + how.format(SERVER))
    began = time.monotonic()
    done = host.release(sha)
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began < 20
    ignored = re.search(r"SigIgn:\t([0-9a-f]{16})", done.stdout)
    assert ignored, "what deploy.sh says is in the log"
    assert int(ignored[1], 16) % 2**31 == 0, "signals are as ever (those above 31 are this machine's own affair)"
    (host.home / "alive").unlink(missing_ok=True)
    wait_for((host.home / "alive").exists)


def test_a_server_in_the_foreground_is_ended_and_named(host: Host, tmp_path: Path) -> None:
    scripts = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, scripts)
    script = (scripts / "ec2_on_host.sh").read_text()
    assert script.count("START_SECONDS=900") == 1
    (scripts / "ec2_on_host.sh").write_text(script.replace("START_SECONDS=900", "START_SECONDS=1"))
    good = host.commit("true")
    assert host.release(good).returncode == 0
    done = host.release(host.commit('echo $$ > "$HOME/pid"; while true; do sleep 0.1; done'), scripts=scripts)
    assert done.returncode == 1
    assert "deploy.sh did not end within 1 seconds (a server must be left in the background)" in done.stdout
    assert host.live() == good
    assert not Path("/proc", (host.home / "pid").read_text().strip()).exists()


BEGUN = b'echo x > "$HOME/started"\n'


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        (b"#!/bin/sh\n" + BEGUN, 0o644),
        (b"#! /bin/bash -e\n" + BEGUN + b"[[ a == a ]]\n", 0o600),
        (BEGUN + b"[[ a == a ]]\n", 0o644),
        (b"#!/usr/bin/env -S python3 -u\nimport os\nopen(os.environ['HOME'] + '/started', 'w').close()\n", 0o644),
    ],
)
def test_deploy_sh_is_started_by_its_own_interpreter_whatever_its_mode(host: Host, content: bytes, mode: int) -> None:
    (host.source / "deploy.sh").write_bytes(content)
    (host.source / "deploy.sh").chmod(mode)
    done = host.release(host.commit())
    assert done.returncode == 0, done.stdout + done.stderr
    assert (host.home / "started").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n \t\n", "is empty"),
        (b"#!/bin/sh\r\n" + BEGUN, "has Windows line ends"),
        (b"#!/bin/sh\necho x\r\n" + BEGUN, "has Windows line ends"),
        (b"#!/opt/none/python4\n" + BEGUN, "names the interpreter /opt/none/python4, which"),
        (b"#!/usr/bin/env fish9\n" + BEGUN, "names the interpreter fish9, which"),
        (b"#!/usr/bin\n" + BEGUN, "names the interpreter /usr/bin, which"),
        (b"\xef\xbb\xbf#!/bin/sh\n" + BEGUN, "begins with a byte order mark"),
        (None, "is not a file"),
        ("nowhere", "is not a file"),
    ],
)
def test_a_deploy_sh_that_cannot_be_started_is_seen(tmp_path: Path, content: bytes | str | None, reason: str) -> None:
    file = tmp_path / "deploy.sh"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        file.symlink_to(content)
    else:
        file.mkdir()
    assert in_script(tmp_path, "unstartable .").startswith(reason)


@pytest.mark.parametrize(
    "content", [b"\x7fELF\x02\x01\x01\0\0 a\r\n", b"#!/usr/bin/env A=b sh\n", b"#!/usr/bin/env python3\n\n", b"true"]
)
def test_any_other_deploy_sh_is_left_to_the_host(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "deploy.sh").write_bytes(content)
    assert in_script(tmp_path, "unstartable .") == ""


def test_what_cannot_be_started_is_refused_before_anything_changes(host: Host) -> None:
    good = host.commit("true")
    assert host.release(good).returncode == 0
    (host.source / "deploy.sh").write_bytes(b"#!/bin/sh\r\n" + BEGUN)
    bad = host.commit()
    done = host.release(bad)
    assert done.returncode == 1
    assert f"deploy.sh of {bad} cannot be started: it has Windows line ends (CRLF)" in done.stdout
    assert f"Live on the host: {good}." in done.stdout
    assert host.live() == good
    assert not (host.home / "started").exists()


def test_a_release_that_waits_too_long_for_another_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "releases").mkdir()
    with (tmp_path / "releases" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = in_script(tmp_path, "LOCK_SECONDS=0; release", ACTION="release", SHA="a" * 40, TRY="x")
    assert said.startswith("::error title=Release::Another release has been under way on the host")
    assert {path.name for path in (tmp_path / "releases").iterdir()} == {".lock"}


ANSWERS = {"/ok": 200, "/empty": 204, "/moved": 301, "/found": 302, "/broken": 500, "/secret": 401}


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(ANSWERS.get(self.path, 200))
        if 300 <= ANSWERS.get(self.path, 200) < 400:
            self.send_header("Location", "/login")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("path", ANSWERS)
def test_an_address_is_healthy_by_its_own_answer(tmp_path: Path, site: str, path: str) -> None:
    """Not by where a redirect leads, not even where the user's .curlrc follows it."""
    (tmp_path / ".curlrc").write_text("location\n")
    url, status = f"{site}{path}", ANSWERS[path]
    said = in_script(tmp_path, 'look && echo healthy || echo "$WHY"', HEALTH_COMMAND=url, HEALTH_SECONDS="9")
    assert said == ("healthy" if status < 300 else f"it was not healthy within 9 seconds: {url} answers {status}")


def test_an_address_where_nothing_answers_is_not_healthy(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    said = in_script(tmp_path, 'look && echo healthy || echo "$WHY"', HEALTH_COMMAND=url, HEALTH_SECONDS="9")
    assert f"{url} answers nothing (curl: (7) " in said


def test_a_redirect_to_a_login_is_not_healthy(host: Host, site: str) -> None:
    """curl's --fail takes it for healthy."""
    done = host.release(host.commit("true"), EC2_HEALTH_COMMAND=f" {site}/moved\n")
    assert done.returncode == 1
    assert f"{site}/moved answers 301" in done.stdout
    assert host.release(host.commit("true # again"), EC2_HEALTH_COMMAND=f"{site}/ok").returncode == 0


def test_what_was_not_checked_is_not_called_healthy(host: Host) -> None:
    done = host.release(host.commit("true"), EC2_HEALTH_COMMAND="")
    assert done.returncode == 0
    assert "Its health was not checked: EC2_HEALTH_COMMAND is not set." in done.stdout


@pytest.mark.parametrize("shell", ["bash", "dash", "busybox sh"])
def test_every_login_shell_will_do(host: Host, shell: str) -> None:
    assert shutil.which(shell.split(maxsplit=1)[0]), f"apt install {shell.split(maxsplit=1)[0]}"
    host.server.login(shell)
    good = host.commit('echo "$VERSION" > "$HOME/started"; cat')
    assert host.release(good, VERSION="v1 'a' $b").returncode == 0
    assert (host.home / "started").read_text() == "v1 'a' $b\n"
    done = host.release(host.commit("exit 1"))
    assert f"The release before it, {good}, is live again and healthy" in done.stdout


def test_a_host_with_busyboxs_tools_will_do(host: Host, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    subprocess.run([shutil.which("busybox") or "", "--install", "-s", str(tools)], check=True)
    for tool in ("bash", "flock"):  # which Alpine has as an applet, and Debian's busybox does not
        (tools / tool).unlink(missing_ok=True)
        (tools / tool).symlink_to(shutil.which(tool) or "")
    host.server.login(str(tools / "sh"), str(tools))
    good = host.commit('echo "$VERSION" > "$HOME/started"')
    assert host.release(good).returncode == 0
    done = host.release(host.commit("exit 1"), EC2_KEEP_RELEASES="1")
    assert f"The release before it, {good}, is live again and healthy" in done.stdout
    assert host.release(host.commit("true"), EC2_KEEP_RELEASES="1").returncode == 0
    assert not (host.home / "releases" / good).exists()


def test_a_login_that_talks_does_no_harm(host: Host, tmp_path: Path) -> None:
    shell = tmp_path / "talks"
    shell.write_text('#!/bin/sh\necho "Welcome"; echo "Last login: never" >&2; exec bash "$@"\n')
    shell.chmod(0o755)
    host.server.login(str(shell))
    assert host.release(host.commit("true")).returncode == 0


@pytest.mark.parametrize("missing", ["bash", "flock", "curl"])
def test_what_the_host_lacks_is_named(host: Host, tmp_path: Path, missing: str) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in {"bash", "curl", "flock", "gzip", "readlink", "tar", "timeout", "rm"} - {missing}:
        (tools / tool).symlink_to(shutil.which(tool) or "")
    host.server.login(shutil.which("dash") or "", str(tools))
    done = host.release(host.commit("true"), EC2_HEALTH_COMMAND="http://localhost/")
    assert done.returncode == 1
    assert f"no {missing}" in done.stdout or f"lacks {missing}" in done.stdout
    assert "Nothing was changed" in done.stdout


def test_a_user_who_may_not_run_commands_is_told_in_the_hosts_own_text(host: Host, tmp_path: Path) -> None:
    shell = tmp_path / "nologin"
    shell.write_text('#!/bin/sh\necho "Please login as the user ec2-user rather than the user root."\nexit 142\n')
    shell.chmod(0o755)
    host.server.login(str(shell))
    done = host.release(host.commit("true"))
    assert done.returncode == 1
    assert "did not run the script" in done.stdout
    assert "Please login as the user ec2-user" in done.stdout
