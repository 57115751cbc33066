"""The corpus beside this file: requests by hand, one line each, with what cannot be written down in {braces}."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.hostile_requests import NOW, SIGNATURE, TIMESTAMP, event, sign

BODY = b"command=%2Fplatform-deploy&text=v1.2.3"
_WORDS = {
    "{good}": sign(BODY),
    "{good:v1}": sign(BODY).replace("v0", "v1"),
    "{good:upper}": sign(BODY).upper(),
    "{good:cut}": sign(BODY)[:-1],
    "{sign:another}": sign(BODY, NOW, "another"),
    "{sign:}": sign(BODY, NOW, ""),
    "{other}": sign(b"text=other"),
    "{now}": str(NOW),
    "{digits}": "9" * 5000,
}


def _meant(value: Any) -> Any:
    if isinstance(value, str):
        for word, text in _WORDS.items():
            value = value.replace(word, text)
    elif isinstance(value, list):
        value = [_meant(one) for one in value]
    elif isinstance(value, dict):
        value = {name: _meant(one) for name, one in value.items()}
    return value


def _headers(line: dict[str, Any]) -> Any:
    if "headers" in line:
        return _meant(line["headers"])
    if len(line) == 1:
        return {}
    at = str(NOW + line.get("at", 0))
    found = {TIMESTAMP: _meant(line.get("timestamp", at)), SIGNATURE: sign(BODY, at)}
    if isinstance(found[TIMESTAMP], str):
        found[SIGNATURE] = sign(BODY, found[TIMESTAMP])
    return found | ({SIGNATURE: _meant(line["signature"])} if "signature" in line else {})


def corpus() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line's reason and its event. Without a field, what is right stands in its place."""
    text = (Path(__file__).parent / "corpus" / "hostile_requests.json").read_text(encoding="utf-8")
    for line in json.loads(text):
        made = event(BODY, _headers(line))
        made |= {"body": line["body"]} if "body" in line else {}
        yield line["why"], made | ({"isBase64Encoded": line["encoded"]} if "encoded" in line else {})
