"""What is wrong with the settings of the local run, found before anything is started."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from chatops.domain.errors import InvalidConfiguration
from chatops.domain.target import Target
from chatops.github import jwt
from chatops.settings import config, targets_file
from chatops.settings import secrets as names
from doctor import secret_forms
from local import settings, socket_mode

PORT, LAMBDA_PORT = 8765, 9301
_HIGHEST_PORT = 65535
_ANYTHING = {"CHATOPS_TABLE": "-", "CHATOPS_STATE_MACHINE_ARN": "-"}
"""What the local run sets itself."""
T = TypeVar("T")


class Wrong(Exception):
    """Settings that should hold something else; the text has a line for each."""


@dataclass(frozen=True)
class Checked:
    """The settings, in order. `workspace`: the functions' variables where Slack is the real one."""

    targets: dict[str, Target]
    port: int
    lambda_port: int
    lambda_host: str
    engine: str
    workspace: dict[str, str]


def checked() -> Checked:
    """Everything that `make run`, `make demo` and `make doctor LOCAL=1` read. Raises Wrong."""
    env = os.environ
    problems: list[str] = []

    def take(read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except InvalidConfiguration as error:
            problems.append(error.text)
        except ValueError as error:
            problems.append(f"{error}.")
        return otherwise

    workspace: dict[str, str] = take(lambda: socket_mode.environment(env) if socket_mode.wanted(env) else {}, {})
    variables = settings.variables(workspace)
    take(lambda: config.load({**_ANYTHING, **_addresses(env), **variables}), None)
    found: dict[str, Target] = take(lambda: targets_file.load(settings.targets_path(), variables), {})
    engine = take(lambda: _engine(env), "")
    port = take(lambda: _port(env, "PORT", PORT), 0)
    # an engine outside this process has been told 9301; nobody else minds which port it is
    lambda_port = take(lambda: _port(env, "LAMBDA_PORT", LAMBDA_PORT if engine else 0), 0)
    if port and port == lambda_port:
        problems.append(f"LAMBDA_PORT is {port}, and so is PORT; it should hold another port.")
    host = take(lambda: _host(env), "")
    problems += [text for name in secret_forms.NAMES if (text := _secret(env, name))]
    app = bool(variables["GITHUB_APP_ID"]) and not any(text.startswith("GITHUB_APP_ID") for text in problems)
    if app and (unfit := secret_forms.problem(names.GITHUB_APP_KEY, key := env.get(names.GITHUB_APP_KEY, "").strip())):
        problems.append(unfit)
    elif app:
        take(lambda: jwt.signed(variables["GITHUB_APP_ID"], key, 0), "")
    if problems:
        raise Wrong("\n".join(dict.fromkeys(problems)))
    return Checked(found, port, lambda_port, host, engine, workspace)


def _addresses(env: Mapping[str, str]) -> dict[str, str]:
    """The addresses of external services that the environment sets, each as it should be. Raises
    InvalidConfiguration."""
    return {name: config.address(env, name) for name in settings.SEAMS if config.text(env, name)}


def _secret(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "").strip()
    return secret_forms.problem(name, value) if value else ""


def _port(env: Mapping[str, str], variable: str, default: int) -> int:
    text = env.get(variable, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 5) or int(text) > _HIGHEST_PORT:
        raise ValueError(f"{variable} is {text[:80]!r}; it should hold a port number")
    return int(text)


def _engine(env: Mapping[str, str]) -> str:
    name = "ENGINE" if env.get("ENGINE", "").strip() else "AWS_ENDPOINT_URL_SFN"
    try:
        return config.address(env, name)
    except InvalidConfiguration:
        raise ValueError(
            f"{name} is {env[name].strip()[:80]!r}; it should hold the URL of a Step Functions endpoint, "
            "http://host:port" + (", or docker for make run and make test" if name == "ENGINE" else "")
        ) from None


def _host(env: Mapping[str, str]) -> str:
    """An engine in a container cannot reach the loopback of this machine."""
    host = env.get("LAMBDA_HOST", "").strip() or "127.0.0.1"
    try:
        with socket.socket() as probe:
            probe.bind((host, 0))
    except (OSError, UnicodeError):
        raise ValueError(f"LAMBDA_HOST is {host[:80]!r}; it should hold an address of this machine") from None
    return host
