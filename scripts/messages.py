"""`make messages`: every message that people can read, as Slack shows it: one page for itself, and pictures of it.

Draws tests/unit/messages.json with the local page's own renderer, in each language, light and dark, into the folder
`messages` or the one that is given. The pictures need Chromium and Playwright; the page needs neither.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[1]
STATIC = (ROOT / "local" / "page" / "static", ROOT / "lambdas" / "page" / "static")
TEMPLATE = Path(__file__).with_suffix(".html")
GIFS = ROOT / "lambdas" / "gifs"
PICTURES = {"deploying": "deploying.gif", "success": "deploy_complete.gif", "failure": "failed.gif"}
RECORDED = ROOT / "tests" / "unit" / "messages.json"
MODULES = ("dom.js", "mrkdwn.js", "blocks.js")
STYLES = ("colours.css", "style.css", "channel.css")
_IMPORT = re.compile(r"^import .*?;\n", re.MULTILINE | re.DOTALL)
_PAGE = {"answer": 36, "reply": 36}
"""Messages in one picture, by their kind; 9 of the others, which are longer."""
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
NAMES = {
    "users": {"U0DANA001": {"name": "dana"}, "U0LEE0001": {"name": "lee"}, "U0KIM0001": {"name": "kim"}},
    "channels": {"C0DEPLOY1": "deployments"},
    "groups": {"S0PLATF01": "platform"},
}


def _read(name: str) -> str:
    return next(folder / name for folder in STATIC if (folder / name).exists()).read_text("utf-8")


def page(recorded: dict[str, Any]) -> str:
    """The page, with the renderer, the messages and the pictures in it."""
    modules = (_IMPORT.sub("", _read(name)).replace("export ", "") for name in MODULES)
    data = json.dumps([NAMES, recorded], ensure_ascii=False).replace("</", "<\\/")
    for kind, name in PICTURES.items():
        inside = f"data:image/gif;base64,{base64.b64encode((GIFS / name).read_bytes()).decode()}"
        data = data.replace(f"https://gifs.example/{kind}.gif", inside)
    made = TEMPLATE.read_text("utf-8").replace("/* STYLE */", "\n".join(map(_read, STYLES)))
    return made.replace("/* MODULES */", "\n".join(modules)).replace("/* DATA */", data)


def shots(recorded: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each picture's name, and the page's fragment that shows what is in it."""
    for code, messages in recorded.items():
        end = 0
        for kind, names in groupby(messages, lambda name: name.partition(":")[0]):
            begin, end = end, end + len(list(names))
            step = _PAGE.get(kind, 9)
            for number, at in enumerate(range(begin, end, step), 1):
                yield f"{code}-{kind.replace(' ', '-')}-{number:02}", f"{code},{at},{min(at + step, end)}"


def main(arguments: list[str]) -> int:
    """Exit status 0: what was written is printed."""
    out = Path(arguments[0] if arguments else "messages")
    out.mkdir(parents=True, exist_ok=True)
    recorded = json.loads(RECORDED.read_text("utf-8"))
    file = out / "index.html"
    file.write_text(page(recorded), "utf-8")
    print(f"{file}: {sum(map(len, recorded.values()))} messages")
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        browser = None
    if browser is None:
        print("No pictures: they need Chromium, and Playwright of requirements/dev.txt.")
        return 0
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for name, fragment in shots(recorded):
            tab = opened.new_page(viewport={"width": 1400, "height": 300})
            tab.goto(f"{file.resolve().as_uri()}#{fragment}")
            tab.locator("section").first.wait_for(timeout=10_000)  # else its script has failed
            for theme in THEMES:
                tab.emulate_media(color_scheme=theme)
                tab.screenshot(path=str(out / f"{name}-{theme}.png"), full_page=True)
            tab.close()
        opened.close()
    print(f"{out}: {len(THEMES) * len(list(shots(recorded)))} pictures")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
