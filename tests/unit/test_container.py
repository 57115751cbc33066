"""`make run` and `make test` with ENGINE=docker, with a fake for Docker on PATH."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import container

ROOT = Path(__file__).parents[2]
FAKE = Path(__file__).with_name("fake_docker.py")
SHOW = "import os; print(os.environ['ENGINE'], os.environ['LAMBDA_HOST'])"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The fake's folder: it is the only `docker` on PATH."""
    (tmp_path / "bin").mkdir()
    link = tmp_path / "bin" / "docker"
    link.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n')
    link.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_DOCKER", str(tmp_path))
    monkeypatch.setenv("ENGINE_PORT", str(free_port()))
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'lambdas' / 'shared'}:{ROOT}")
    for name in ("LAMBDA_HOST", "LAMBDA_PORT", "ENGINE"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    if (tmp_path / "pid").exists():
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        pytest.fail("the container was left behind")


def calls(docker: Path) -> list[str]:
    """What was asked of it, without the file that every `compose` names."""
    said = (docker / "calls").read_text().splitlines() if (docker / "calls").exists() else []
    return [line.replace(f"--file {container.COMPOSE} ", "") for line in said]


def run(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local.container", *words], cwd=ROOT, capture_output=True, text=True, timeout=60, **more
    )


def test_a_command_runs_on_the_engine_which_is_taken_away_after_it(docker: Path) -> None:
    """It hangs up at first, as Step Functions Local does while it starts. The command's status is the status."""
    done = run(sys.executable, "-c", f"{SHOW}; raise SystemExit(7)")
    assert done.stdout == f"http://127.0.0.1:{os.environ['ENGINE_PORT']} 127.0.0.1\n", done.stderr
    assert done.returncode == 7
    assert [line for line in calls(docker) if line.startswith("compose") and "version" not in line] == [
        "compose up --detach --quiet-pull stepfunctions-local",
        "compose down --timeout 5",
    ]


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        ("docker", "there is no docker command here. Install Docker"),
        ("compose", "docker-compose-v2"),
        ("daemon", "sudo systemctl start docker"),
        ("up", "Docker could not start the engine"),
    ],
)
def test_without_docker_it_is_said_what_is_missing_and_what_to_do(
    docker: Path, monkeypatch: pytest.MonkeyPatch, lacks: str, said: str
) -> None:
    (docker / "lacks").write_text(lacks)
    if lacks == "docker":
        monkeypatch.setenv("PATH", str(docker / "nothing"))
    done = run(sys.executable, "-c", SHOW)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Without ENGINE the bot runs on its built-in engine" in done.stderr
    assert "Traceback" not in done.stderr
    assert not any(" up " in line for line in calls(docker)) or lacks == "up"


def test_an_engine_that_never_answers_shows_its_last_words(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (docker / "lacks").write_text("answers")
    monkeypatch.setattr(container, "READY_SECONDS", 0.2)
    with pytest.raises(container.NoEngine, match="does not answer"):
        container.engine(container.Docker(), container.Command(), [sys.executable, "-c", SHOW])
    assert calls(docker)[-2:] == ["compose logs --tail 20 stepfunctions-local", "compose down --timeout 5"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_stops_it_stops_the_command_and_the_engine(docker: Path, number: signal.Signals) -> None:
    """Ctrl-C goes to the whole group, the command too; SIGTERM comes to us alone and is handed on."""
    ready = docker / "ready"
    words = [sys.executable, "-c", f"import pathlib, time; pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"]
    started = subprocess.Popen(
        [sys.executable, "-m", "local.container", *words], cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True
    )
    for _ in range(400):
        if ready.exists():
            break
        time.sleep(0.05)  # until the command runs
    (os.killpg if number == signal.SIGINT else os.kill)(started.pid, number)
    assert started.wait(20) != 0
    assert calls(docker)[-1] == "compose down --timeout 5"


def test_the_functions_listen_where_the_container_looks_for_them(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux the bridge's address is this machine's; Docker Desktop's is not, and leads to the loopback. The
    address is the first of the bridge's IPv4 ones."""
    assert container.lambda_host("127.0.0.1") == "127.0.0.1"
    assert container.lambda_host("203.0.113.7") == container.lambda_host("") == container.LOOPBACK
    for there, found in (("fd00::1 172.17.0.1 ", "172.17.0.1"), ("", "")):
        monkeypatch.setenv("FAKE_GATEWAY", there)
        assert container.Docker().gateway() == found


def test_compose_runs_the_engine_that_ci_runs_and_leads_to_our_functions() -> None:
    (ours,) = yaml.safe_load(container.COMPOSE.read_text())["services"].values()
    ci = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    (service,) = [each for job in ci["jobs"].values() for each in job.get("services", {}).values()]
    assert service["image"] == ours["image"]
    assert service["env"] == {
        name: value.replace("${LAMBDA_PORT:-9301}", "9301").replace("${WAIT_TIME_SCALE:-1}", "1")
        for name, value in ours["environment"].items()
    }
    assert service["options"] == f"--add-host={ours['extra_hosts'][0]}"


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has all of 127/8")
def test_make_test_runs_the_state_machine_on_it(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the Makefile, on an engine in another process that looks for the functions at another address."""
    port = free_port()
    monkeypatch.setenv("FAKE_GATEWAY", "127.0.0.2")
    monkeypatch.setenv("LAMBDA_PORT", str(port))
    engine = [sys.executable, "-m", "local.engine", os.environ["ENGINE_PORT"], f"http://127.0.0.2:{port}", "0.02"]
    monkeypatch.setenv("FAKE_ENGINE", " ".join(engine))
    make = shutil.which("make")
    assert make
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PYTEST"))}
    arguments = [
        "ENGINE=docker",
        "PYTEST_ARGS=-p no:cacheprovider -k 'test_a_dry_run_does_nothing or test_nonsense_is_refused'",
    ]
    done = subprocess.run([make, "test", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
