"""The execution's input, from the Slack edge or the Step Functions console, validated."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from chatops.domain import codec, command_names
from chatops.domain.command_text import REASON_LIMIT, is_version, suggest
from chatops.domain.errors import Refusal, UnknownSchema
from chatops.domain.release import Release, named
from chatops.domain.target import Target, default_target
from chatops.domain.typed_text import bare, shows_nothing
from chatops.values import dataclass

COMMANDS = ("deploy", "rollback", "status", "history")
_ID = re.compile(r"[A-Z][A-Z0-9]{1,30}")
_RESPONSE_URL = re.compile(r"https?://[^\s\"'<>]{1,500}")


@dataclass(frozen=True)
class Request:
    """Who asks for what, on which target, and where to answer."""

    command: str
    version: str = ""
    target: str = ""
    reason: str = ""
    dry_run: bool = False
    requester: str = ""
    requester_name: str = ""
    channel: str = ""
    response_url: str = ""
    card: str = ""
    break_glass: bool = False
    version_in_reason: bool = False
    command_prefix: str = ""


def _text(source: dict[str, Any], name: str, limit: int) -> str:
    value = source.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refusal("not_a_text", field=name)
    if len(value) > limit:
        raise Refusal("too_long", field=name, count=len(value), limit=limit)
    return value.strip()


def _flag(source: dict[str, Any], name: str) -> bool:
    value = source.get(name, False)
    if not isinstance(value, bool):
        raise Refusal("not_a_boolean", field=name)
    return value


def where(source: object) -> Request:
    """Where to answer, and what was asked for as far as that can be read, from input however broken: never raises."""
    if not isinstance(source, dict):
        return Request("")
    requester = source.get("requester")
    person = requester.get("id") if isinstance(requester, dict) else requester

    def known(value: object, pattern: re.Pattern[str]) -> str:
        return value if isinstance(value, str) and pattern.fullmatch(value) else ""

    return Request(
        command=str(source.get("command", ""))[:20],
        version=_shown(source.get("version")),
        target=_shown(source.get("target")).lower(),
        requester=known(person, _ID),
        channel=known(source.get("channel"), _ID),
        response_url=known(source.get("response_url"), _RESPONSE_URL),
        command_prefix=command_names.typed(source),
    )


def _shown(value: object) -> str:
    return "" if value is None else str(value).strip()[:80]


def _command(source: dict[str, Any]) -> str:
    command = _text(source, "command", 20)
    if command in COMMANDS and command != source["command"]:
        # the state machine has told a question from a deployment by the word as it stands
        raise Refusal("command_blanks", word=command)
    if command not in COMMANDS:
        raise Refusal("unknown_command" if command else "no_command", word=command, known=", ".join(COMMANDS))
    return command


def with_version(request: Request, ledger: list[Release]) -> Request:
    """The request, with the version that its reason begins with where the ledger has such a release."""
    first, _, rest = request.reason.partition(" ")
    if request.version or not request.version_in_reason or named(ledger, bare(first)) is None:
        return request
    return replace(request, version=bare(first), reason=rest)


def read(source: object, known: dict[str, Target]) -> Request:
    """The validated request. Raises Refusal."""
    if not isinstance(source, dict):
        raise Refusal("not_an_object")
    try:
        source = codec.request(source)
    except UnknownSchema as error:
        raise Refusal(error.reason.key, **error.reason.values) from None
    command = _command(source)
    version = bare(_text(source, "version", 300))
    if version and not is_version(version):
        raise Refusal("bad_version", word=version[:80])
    target = _text(source, "target", 64).lower()
    if not target:
        target = default_target(known)
        if not target:
            raise Refusal("which_target", targets=", ".join(known))
    elif target not in known:
        if meant := suggest(target, known):
            raise Refusal("unknown_target", word=target[:40], meant=meant)
        raise Refusal("unknown_word", word=target[:40], targets=", ".join(known))
    dry_run, break_glass = _flag(source, "dry_run"), _flag(source, "break_glass")
    reason = _text(source, "reason", REASON_LIMIT)
    if break_glass and command == "deploy" and shows_nothing(reason):
        raise Refusal("break_glass_reason")
    place = where(source)
    requester = source.get("requester")
    name = requester.get("name") if isinstance(requester, dict) else ""
    return Request(
        command=command,
        version=version,
        target=target,
        reason=reason,
        dry_run=dry_run,
        break_glass=break_glass,
        requester=place.requester,
        requester_name=name[:80] if isinstance(name, str) else "",
        channel=place.channel,
        response_url=place.response_url,
        command_prefix=place.command_prefix,
        card=_text(source, "card", 80),
        version_in_reason=_flag(source, "version_in_reason"),
    )
