"""`make messages`: the page that draws every message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scripts import messages


def test_every_message_is_drawn(chromium: Any, tmp_path: Path) -> None:
    recorded = json.loads(messages.RECORDED.read_text("utf-8"))
    file = tmp_path / "index.html"
    file.write_text(messages.page(recorded), "utf-8")
    page, wrong = chromium.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(file.as_uri())
    assert wrong == []
    drawn = page.locator("section .message").all_inner_texts()
    assert (len(drawn), [text for text in drawn if not text.strip()]) == (sum(map(len, recorded.values())), [])
    page.close()
