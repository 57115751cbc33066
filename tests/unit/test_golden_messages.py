"""Every message in every language is as `messages.json` has it, and Slack takes each.

`WRITE_MESSAGES=1 pytest tests/unit/test_golden_messages.py` writes that file anew; its diff is what people will read
otherwise. `make messages` draws it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from chatops.settings import config
from fakes.slack.blocks import accepted, accepted_view
from fakes.slack.limits import UPDATED_TEXT
from tests.unit.every_message import Message, messages

FILE = Path(__file__).with_name("messages.json")
SIGNS = ("✅", "⏪", "❌", "⏹️", "⏳")
RAW = re.compile(
    r"\b(?:IN_PROGRESS|SUCCESSFUL|ROLLBACK_[A-Z_]+|[A-Z]+_TRAFFIC_SHIFT|startup_failure|timed_out|InProgress)\b"
)


def written(every: dict[str, dict[str, Message]]) -> str:
    """One line for each text and block, so that a diff shows what has changed."""
    lines = []
    for code, made in every.items():
        shown = ",\n".join(f"  {json.dumps(name)}: {_one(message)}" for name, message in made.items())
        lines.append(f"{json.dumps(code)}: {{\n{shown}\n}}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _one(message: Message) -> str:
    parts = []
    for key, value in message.items():
        if isinstance(value, list):
            blocks = ",\n      ".join(json.dumps(block, ensure_ascii=False) for block in value)
            parts.append(f'"{key}": [\n      {blocks}\n    ]')
        else:
            parts.append(f'"{key}": {json.dumps(value, ensure_ascii=False)}')
    return "{" + ",\n    ".join(parts) + "}"


@pytest.fixture
def every(environment: pytest.MonkeyPatch) -> dict[str, dict[str, Message]]:
    made = {}
    for code in config.LANGUAGES:
        environment.setenv("CHATOPS_LANG", code)
        made[code] = messages()
    return made


def test_people_read_what_is_recorded(every: dict[str, dict[str, Message]]) -> None:
    if os.environ.get("WRITE_MESSAGES"):
        FILE.write_text(written(every), "utf-8")
    recorded: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    for code, made in every.items():
        for name, message in made.items():
            assert message == recorded[code].get(name), f"{code}, {name}: if it is meant, WRITE_MESSAGES=1 records it"
        assert set(recorded[code]) == set(made)


def test_slack_takes_each_and_none_shows_what_only_machines_say(every: dict[str, dict[str, Message]]) -> None:
    for made in every.values():
        for name, message in made.items():
            if "view" in message:
                accepted_view(message["view"])
                continue
            accepted(message.get("blocks", []))
            assert 0 < len(message["text"]) <= UPDATED_TEXT, name
            assert not RAW.search(json.dumps(message)), name
            assert not name.startswith(("card", "reply")) or message["text"].startswith(SIGNS), name


def test_no_failure_has_a_sign_or_a_picture_of_success(every: dict[str, dict[str, Message]]) -> None:
    for made in every.values():
        for name, message in made.items():
            if "Failed" in name:
                assert message["text"].startswith("❌"), name
                assert "success.gif" not in json.dumps(message), name
