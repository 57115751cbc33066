"""`make run` where it cannot start: what happened, and what to do."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import checked
from local.run import _way_out

ROOT = Path(__file__).parents[2]


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made.getsockname()[1]


def run(**more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("PORT", "LAMBDA_PORT", "ENGINE")}
    command = [sys.executable, "-m", "local.run"]
    return subprocess.run(
        command, cwd=ROOT, env={**kept, "PORT": "0", **more}, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("name", ["PORT", "LAMBDA_PORT"])
def test_a_port_that_is_taken_is_told_once_with_what_to_do(taken: int, name: str) -> None:
    done = run(**{name: str(taken)})
    assert done.returncode == 1
    assert done.stderr.startswith(f"The bot could not start: cannot listen on 127.0.0.1:{taken}")
    assert f"{name}=… " in done.stderr
    assert done.stderr.count("\n") == 1, "nothing but that"


def test_what_is_no_port_is_named() -> None:
    port = "²"  # other ports and settings: below, without a process of their own
    done = run(PORT=port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"PORT is {port!r}; it should hold a port number.\n"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CHATOPS_LANG", "fr", "CHATOPS_LANG is 'fr'; it should hold one of en, ko."),
        (
            "CHATOPS_TARGETS_FILE",
            "/nowhere/mine.yaml",
            "mine.yaml: there is no such file (/nowhere/mine.yaml). CHATOPS_T",
        ),
        ("CHATOPS_TARGETS_FILE", "/", "that is a folder (/)"),
        ("CHATOPS_TARGETS_FILE", "x" * 5000, "CHATOPS_TARGETS_FILE should hold the path of a targets.yaml."),
        (
            "SLACK_CHANNEL_ID",
            "#deployments",
            "SLACK_CHANNEL_ID is '#deployments'; it should hold the id of a Slack cha",
        ),
        ("SLACK_APPROVERS", "@lee", "SLACK_APPROVERS has '@lee'; it should hold Slack ids"),
        ("DEPLOY_APPROVAL_REQUIRED", "maybe", "DEPLOY_APPROVAL_REQUIRED is 'maybe'; it should hold true or false."),
        ("GIF_DEPLOY_FAIL", "failed.gif", "GIF_DEPLOY_FAIL is 'failed.gif'; it should hold an address"),
        ("LOG_LEVEL", "verbose", "LOG_LEVEL is 'verbose'; it should hold one of DEBUG"),
        ("SLACK_API_URL", "localhost", "SLACK_API_URL is 'localhost'; it should hold an address"),
        ("AWS_ENDPOINT_URL_ECS", "localhost:1", "AWS_ENDPOINT_URL_ECS is 'localhost:1'; it should hold an address"),
        ("GITHUB_APP_ID", "my app", "GITHUB_APP_ID is 'my app'; it should hold the App's id"),
        ("GITHUB_APP_ID", "12345", "GITHUB_APP_PRIVATE_KEY is not set; it should hold the private key"),
        ("SLACK_BOT_TOKEN", "xoxp-1", "SLACK_BOT_TOKEN holds something else; a bot token begins with xoxb-"),
        ("SLACK_BOT_TOKEN", "xoxb-é", "SLACK_BOT_TOKEN has a character that is not ASCII"),
        ("SLACK_SIGNING_SECRET", "a b", "SLACK_SIGNING_SECRET has a blank or a line break inside"),
        ("GITHUB_PERSONAL_ACCESS_TOKEN", "xoxb-1", "GITHUB_PERSONAL_ACCESS_TOKEN holds something else"),
        ("SLACK_APP_TOKEN", "xoxb-1", "SLACK_APP_TOKEN should hold an app-level token (xapp-"),
        ("ENGINE", "docker2", "ENGINE is 'docker2'; it should hold the URL of a Step Functions endpoint"),
        ("AWS_ENDPOINT_URL_SFN", "sfn", "AWS_ENDPOINT_URL_SFN is 'sfn'; it should hold the URL of a Step Functions"),
        ("PORT", "80a", "PORT is '80a'; it should hold a port number."),
        ("PORT", "-1", "PORT is '-1'; it should hold a port number."),
        ("PORT", "65536", "PORT is '65536'; it should hold a port number."),
        ("PORT", "٣", "PORT is '٣'; it should hold a port number."),
        ("LAMBDA_PORT", "9" * 5000, "LAMBDA_PORT is '999"),
        ("LAMBDA_HOST", "203.0.113.1", "LAMBDA_HOST is '203.0.113.1'; it should hold an address of this machine."),
    ],
)
def test_a_wrong_setting_is_told_before_anything_starts(
    environment: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    clear(environment)
    environment.setenv(name, value)
    with pytest.raises(checked.Wrong) as wrong:
        checked.checked()
    assert says in str(wrong.value)
    assert str(wrong.value).count("\n") == 0, "one message"
    assert len(str(wrong.value)) < 500 or len(value) > 1000


@pytest.mark.parametrize("inside", ["", "AAAA", "é"])
def test_an_apps_key_that_cannot_sign_is_told_before_anything_starts(
    environment: pytest.MonkeyPatch, inside: str
) -> None:
    clear(environment)
    environment.setenv("GITHUB_APP_ID", "12345")
    environment.setenv("GITHUB_APP_PRIVATE_KEY", f"-----BEGIN KEY-----\n{inside}\n-----END KEY-----")
    with pytest.raises(checked.Wrong, match=r"^GITHUB_APP_PRIVATE_KEY .* should hold .*\Z"):
        checked.checked()


def clear(environment: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("SLACK_", "GITHUB_", "CHATOPS_", "AWS_", "LOG_"))]:
        environment.delenv(name)
    for name in ("PORT", "LAMBDA_PORT", "LAMBDA_HOST", "ENGINE"):
        environment.delenv(name, raising=False)


def test_blank_settings_are_the_defaults_and_all_wrong_ones_are_told_at_once(environment: pytest.MonkeyPatch) -> None:
    clear(environment)
    for name in ("CHATOPS_LANG", "CHATOPS_TARGETS_FILE", "PORT", "SLACK_BOT_TOKEN", "ENGINE", "LAMBDA_HOST"):
        environment.setenv(name, "  ")
    found = checked.checked()
    assert (found.port, found.lambda_port, found.lambda_host, found.engine) == (8765, 0, "127.0.0.1", "")
    assert list(found.targets) == ["dev", "staging", "batch", "vm"]
    environment.setenv("CHATOPS_LANG", "fr")
    environment.setenv("PORT", "x")
    environment.setenv("CHATOPS_TARGETS_FILE", "/nowhere")
    with pytest.raises(checked.Wrong) as wrong:
        checked.checked()
    assert len(str(wrong.value).splitlines()) == 3


SLOW = [pytest.param(words, marks=pytest.mark.slow) for words in (["local.demo"], ["doctor", "--local"])]


@pytest.mark.parametrize("module", [["local.run"], *SLOW])
def test_the_commands_say_it_and_start_nothing(module: list[str]) -> None:
    env = {
        **os.environ,
        "CHATOPS_TARGETS_FILE": "/nowhere/mine.yaml",
        "PYTHONPATH": f"{ROOT / 'lambdas/shared'}:{ROOT}",
    }
    command = [sys.executable, "-m", *module]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert done.stderr.startswith("mine.yaml: there is no such file")
    assert "Traceback" not in done.stderr
    assert "running already" not in done.stderr


@pytest.fixture
def unreadable(tmp_path: Path) -> dict[str, str]:
    """Somebody whose AWS configuration is broken, and whose profile is in no file."""
    (tmp_path / ".aws").mkdir()
    for name in ("config", "credentials"):
        (tmp_path / ".aws" / name).write_text("no section\n", "utf-8")
    path = f"{ROOT / 'lambdas/shared'}:{ROOT}"
    return {**os.environ, "HOME": str(tmp_path), "AWS_PROFILE": "nowhere", "PORT": "0", "PYTHONPATH": path}


@pytest.mark.slow
@pytest.mark.parametrize("command", [["local.demo", "status"], ["doctor", "--local", "--quiet"]])
def test_the_local_run_does_not_read_anybodys_aws_configuration(unreadable: dict[str, str], command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=unreadable, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_make_run_does_not_either(unreadable: dict[str, str]) -> None:
    command = [sys.executable, "-m", "local.run"]
    with subprocess.Popen(command, cwd=ROOT, env=unreadable, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline().startswith("The bot is up after ")
        started.send_signal(signal.SIGINT)
        assert started.wait(30) == 0


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.EADDRINUSE, "cannot listen on 127.0.0.1:80 (in use)"), "Is it running already? PORT=… picks"),
        (OSError(errno.EACCES, "cannot listen on 127.0.0.1:80 (denied)"), "Ports below 1024 are the system's. PORT=… "),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), ""),
        (PermissionError(errno.EACCES, "Permission denied"), ""),
        (OSError(errno.ENOSPC, "No space left on device"), ""),
    ],
)
def test_only_a_port_that_is_taken_may_be_running_already(error: OSError, says: str) -> None:
    assert _way_out(error).startswith(says)
    assert bool(_way_out(error)) is bool(says)
