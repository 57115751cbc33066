"""Every request that a test makes of the Slack fake is one that Slack reads as it was meant.

The fake holds each against Slack's description of the method (fakes/slack/web_api.yaml) and notes what Slack would not
read. A test that sends such a request on purpose clears the fake's notes.
"""

from __future__ import annotations

from typing import Any

import pytest

from fakes.slack import Slack

NOTES: list[str] = []
"""Of all fakes of this process: tests run one after the other, and a fake may outlive its test."""


def watch(patch: pytest.MonkeyPatch) -> None:
    """From here on all fakes note here."""
    build = Slack.__init__

    def built(self: Slack, *args: Any, **named: Any) -> None:
        build(self, *args, **named)
        self.misread = NOTES

    patch.setattr(Slack, "__init__", built)


def check() -> None:
    """Raises AssertionError where anything has been noted since the last check."""
    found = list(dict.fromkeys(NOTES))
    NOTES.clear()
    assert found == [], f"Slack does not read these requests as they were meant: {found}"
