"""What a function does while Lambda starts it. It has a whole processor then; later the share that its memory buys.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module

from chatops import aws
from chatops.domain.errors import InvalidConfiguration
from chatops.messages.catalogue import language, texts
from chatops.network import tls
from chatops.observability import logger, safe
from chatops.settings import secrets
from chatops.settings.config import settings
from chatops.settings.targets import targets


def prepare(*services: str, patience: float = 1.0, holding: tuple[str, ...] = (), live: bool = False) -> None:
    """Read the settings, the targets and the texts, and make the clients of these AWS services.

    `patience`: as the handler will ask `aws.client`. `holding`: names of secrets to read, each in less than a second,
    and with a token also what asks the service it is for. `live`: also the clients by which the targets' services are
    looked at. Never raises: what fails here is logged, and tried again by whoever needs it.
    """
    try:
        settings()
    except InvalidConfiguration:
        return  # the handler says what is wrong
    _done(_texts)
    _done(targets)
    for service in services:
        _done(partial(aws.client, service, patience=patience))
    _done(tls.web if {secrets.SLACK_BOT_TOKEN, secrets.GITHUB_TOKEN} & set(holding) else tls.aws)
    for name in holding:
        _done(partial(secrets.read, name, patience=_READING))
    if secrets.SLACK_BOT_TOKEN in holding:
        _done(partial(import_module, "slack_sdk"))
    if live:
        _done(_live_clients)
    if "chatops.github.client" in sys.modules and settings().github_app_id:
        _done(_github_app)


_READING = 0.14
"""Of a step's timeouts: two secrets that nobody answers for take two of the ten seconds that a start may take."""


def _done(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - a function that cannot start answers nobody
        logger.warning("left to the handler", error=type(error).__name__, reason=safe(error))


def _texts() -> None:
    for code in {"en", language()}:  # logs and errors are in English
        texts(code)


_MOST = 8
"""Clients of targets' services: a role's takes a tenth of a second of the ten that a start may take."""


def _live_clients() -> None:
    from chatops.platforms.registry import of_kind  # the Slack edge asks no platform

    places = [(of_kind(t.kind).client, t.region, t.role_arn) for t in targets().values()]
    for service, region, role in list(dict.fromkeys(place for place in places if place[0]))[:_MOST]:
        aws.client(service, region=region, role_arn=role)


def _github_app() -> None:
    import_module("chatops.github.app")
    import_module("cryptography.hazmat.primitives.serialization")  # which reads the App's key
