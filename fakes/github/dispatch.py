"""Reading POST /repos/{owner}/{repo}/dispatches, with the limits and the words of GitHub's refusals.

https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from fakes.github.errors import ApiError

MOST_PROPERTIES = 10
LONGEST_EVENT_TYPE = 100
PAYLOAD_BYTES = 64 * 1024


def _invalid(text: str) -> ApiError:
    return ApiError(422, f"Invalid request.\n\n{text}")


def read_event(body: bytes) -> tuple[str, Mapping[str, object]]:
    """The event's type and client_payload; ApiError 400 or 422 with GitHub's message for what it refuses."""
    try:
        event = json.loads(body or b"null")
    except ValueError:
        raise ApiError(400) from None
    if not isinstance(event, dict):
        raise _invalid(f"For 'links/0/schema', {_ruby(event)} is not an object.")
    if unknown := sorted(set(event) - {"event_type", "client_payload"}):
        names = ", ".join(f'"{name}"' for name in unknown)
        raise _invalid(f"{names} {'is not a permitted key' if len(unknown) == 1 else 'are not permitted keys'}.")
    if "event_type" not in event:
        raise _invalid('"event_type" wasn\'t supplied.')
    return _event_type(event["event_type"]), _payload(event.get("client_payload", {}))


def _event_type(value: object) -> str:
    if not isinstance(value, str):
        raise _invalid(f"For 'properties/event_type', {_ruby(value)} is not a string.")
    if not value:
        raise _invalid("At least 1 character is required; only 0 were supplied.")
    if len(value) > LONGEST_EVENT_TYPE:
        raise _invalid(f"Only {LONGEST_EVENT_TYPE} characters are allowed; {len(value)} were supplied.")
    return value


def _payload(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _invalid(f"For 'properties/client_payload', {_ruby(value)} is not an object.")
    if len(value) > MOST_PROPERTIES:
        raise _invalid(f"No more than {MOST_PROPERTIES} properties are allowed; {len(value)} were supplied.")
    if len(json.dumps(value, ensure_ascii=False).encode()) >= PAYLOAD_BYTES:
        raise ApiError(422, "client_payload is too large")
    return value


def _ruby(value: object) -> str:
    """A value as GitHub's Ruby prints it in messages."""
    return "nil" if value is None else json.dumps(value)
