"""A request to the Web API, as Slack reads it: what it takes from the query, the body and the headers.

https://docs.slack.dev/apis/web-api (Basic overview, POST bodies)
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from werkzeug.wrappers import Request

from fakes.slack.errors import SlackError
from fakes.slack.store import Json
from fakes.slack.web_api import FORM, JSON, Method

MULTIPART, TEXT = "multipart/form-data", "text/plain"
_CHARSETS = {"utf-8", "iso-8859-1"}
_NAME = re.compile(r"\w{1,64}", re.ASCII)
_UNREADABLE = {
    "blocks": "invalid_blocks_format",
    "metadata": "invalid_metadata_format",
    "attachments": "invalid_attachments",
}
"""Arguments that are structures, with the error word for a text that is not JSON."""
STRUCTURES = frozenset({*_UNREADABLE, "view", "unfurls"})


class Unreadable(SlackError):
    """The request itself, whatever it asks for, is not one that Slack reads."""


@dataclass
class Reading:
    """What was read. `misread`: what was sent and Slack does not read, or wants otherwise. `warnings`: Slack's own."""

    token: str = ""
    arguments: Json = field(default_factory=dict)
    misread: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read(request: Request, method: Method, found: Reading) -> None:
    """Fill `found` from the request. Raises Unreadable."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    found.token = token.strip() if kind == "Bearer" else ""
    if request.method not in method.verbs:
        raise Unreadable("invalid_arguments", f"the method is called by {' or '.join(sorted(method.verbs))}")
    found.arguments = request.args.to_dict()
    if found.arguments.pop("token", None):
        found.misread.append("a token in the query is not read")
    if request.method == "POST":
        _body(request, method, found)
    _names(found.arguments)
    found.misread += [f"there is no parameter {name}" for name in found.arguments if name not in method.parameters]
    _structures(found.arguments, method)


def complete(method: Method, found: Reading) -> None:
    """Raises SlackError where a required argument is absent."""
    absent = [name for name in method.required if found.arguments.get(name) is None]
    if absent:
        found.misread.append(f"required, and not there: {', '.join(absent)}")
        raise SlackError(method.missing, *(f"missing required field: {name}" for name in absent))


def _body(request: Request, method: Method, found: Reading) -> None:
    body, kind = request.get_data(cache=True), request.mimetype
    if not body:
        return
    if not kind:
        raise Unreadable("missing_post_type")
    if kind not in (FORM, JSON, MULTIPART, TEXT):
        raise Unreadable("invalid_post_type")
    charset = request.mimetype_params.get("charset", "").lower()
    if charset and charset not in _CHARSETS:
        raise Unreadable("invalid_charset")
    if kind in (FORM, MULTIPART):
        found.arguments |= request.form.to_dict()
        found.token = found.token or str(found.arguments.get("token", ""))
    elif kind not in method.consumes:
        found.misread.append(f"a body of {kind} is not read")
    else:
        found.arguments |= _object(body, method)
        if not charset:
            found.warnings.append("missing_charset")
    if found.arguments.pop("token", None) and kind == JSON:
        found.misread.append("a token in a JSON body is not read")
    if kind == FORM and charset:
        found.warnings.append("superfluous_charset")


def _object(body: bytes, method: Method) -> Json:
    try:
        value = json.loads(body)
    except ValueError:
        raise Unreadable(_known(method, "invalid_json")) from None
    if not isinstance(value, dict):
        raise Unreadable(_known(method, "json_not_object"))
    for name, one in value.items():
        if isinstance(one, list | dict) and name not in STRUCTURES:
            raise Unreadable("invalid_array_arg")
    return value


def _names(arguments: Json) -> None:
    if any("[" in name for name in arguments):
        raise Unreadable("invalid_array_arg")
    if not all(_NAME.fullmatch(name) for name in arguments):
        raise Unreadable("invalid_arg_name")


def _structures(arguments: Json, method: Method) -> None:
    """Structures may come as JSON text."""
    for name in STRUCTURES & arguments.keys():
        if isinstance(arguments[name], str) and arguments[name]:
            try:
                arguments[name] = json.loads(arguments[name])
            except ValueError:
                raise SlackError(_known(method, _UNREADABLE.get(name, "invalid_arguments"))) from None


def _known(method: Method, word: str) -> str:
    return word if word in method.errors else "invalid_arguments"
