"""A deployment's page for everybody who has the link: the page, its files, and what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chatops import ready
from chatops.steps import page

# Read once, when the function starts. What is asked for is looked up by name, never opened as a path.
FILES = {path.name: path.read_text("utf-8") for path in sorted((Path(__file__).parent / "static").iterdir())}

ready.prepare("dynamodb")


def handler(event: Any, _context: Any) -> dict[str, Any]:
    """GET /d/{id}, GET /d/{id}/state, and GET /pages/{name}."""
    route = event.get("routeKey") if isinstance(event, dict) else ""
    if route == "GET /d/{id}/state":
        return page.state(event)
    return page.file(event, FILES) if route == "GET /pages/{name}" else page.shell(FILES["index.html"])
