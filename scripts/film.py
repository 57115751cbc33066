"""`make film`: docs/demo.gif, a deployment as one sees it on the page of `make run`, from the command to live, and
docs/page.png, where it waits for an approval.

Drives the page in Chromium and takes a picture whenever something has changed. Needs Chromium, a font with emoji
(fonts-noto-color-emoji), Playwright (requirements/dev.txt), and Pillow, which nothing else needs (`.venv/bin/pip
install pillow`).
"""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
OUT, STILL = ROOT / "docs" / "demo.gif", ROOT / "docs" / "page.png"
WIDTH, HEIGHT = 1200, 760
COLOURS = 128
SHORTEST, LONGEST = 140, 900
"""Milliseconds that a picture stays: what happens in a moment is still seen, and nobody waits for a machine."""
SPEED = 10
COMMAND = "/platform-deploy v1.2.3"


@dataclass
class Film:
    """Pictures, and how long each stays, in milliseconds."""

    page: Any
    pictures: list[bytes] = field(default_factory=list)
    stays: list[int] = field(default_factory=list)
    at: float = 0.0

    def look(self) -> None:
        """Take a picture; one that shows nothing new lets the one before stay longer."""
        now, picture = time.monotonic(), self.page.screenshot(animations="disabled", caret="hide")
        passed, self.at = int((now - self.at) * 1000) if self.pictures else 0, now
        if self.stays:
            self.stays[-1] = min(self.stays[-1] + passed, LONGEST)
        if not self.pictures or picture != self.pictures[-1]:
            self.pictures.append(picture)
            self.stays.append(SHORTEST)

    def until(self, done: Callable[[], bool], seconds: float = 300) -> None:
        """Look until it is done. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                raise TimeoutError("the page did not come to what was waited for")
            self.look()
            self.page.wait_for_timeout(300)
        self.look()

    def hold(self, milliseconds: int) -> None:
        """Let the last picture stay so long, whatever LONGEST says."""
        self.look()
        self.stays[-1] = milliseconds

    def save(self, path: Path) -> None:
        """One palette for all: with one for each, what stands still would shimmer."""
        opened = [Image.open(io.BytesIO(one)).convert("RGB") for one in self.pictures]
        some = opened[:: max(1, len(opened) // 6)] + opened[-1:]
        sheet = Image.new("RGB", (WIDTH, HEIGHT * len(some)))
        for row, one in enumerate(some):
            sheet.paste(one, (0, row * HEIGHT))
        palette = sheet.quantize(COLOURS, dither=Image.Dither.NONE)
        first, *rest = (one.quantize(palette=palette, dither=Image.Dither.NONE) for one in opened)
        first.save(path, save_all=True, append_images=rest, duration=self.stays, loop=0, optimize=True)


@contextmanager
def running() -> Iterator[str]:
    """The address of a local run of its own."""
    here = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "GITHUB_", "AWS_"))}
    command = [sys.executable, "-m", "local.run"]
    with subprocess.Popen(command, cwd=ROOT, env=here | {"PORT": "0"}, stdout=subprocess.PIPE, text=True) as process:
        said = ""
        while process.stdout and "Ctrl-C" not in said and (line := process.stdout.readline()):
            said += line
        found = re.search(r"page +(http://\S+)", said)
        if not found:
            raise RuntimeError(f"make run did not begin: {said}")
        try:
            yield found[1]
        finally:
            process.send_signal(signal.SIGINT)


def become(page: Any, name: str) -> None:
    page.locator("#actors").get_by_role("radio", name=name).check()


def play(film: Film) -> None:
    """Dana asks, lee approves, the version is live."""
    page = film.page
    buttons = page.get_by_role("list", name="Messages").get_by_role("button", name="Approve", exact=True)
    film.hold(900)
    for length in (*range(4, len(COMMAND), 4), len(COMMAND)):
        page.get_by_label("Slash command").fill(COMMAND[:length])
        film.hold(90)
    film.hold(700)
    page.keyboard.press("Enter")
    film.until(lambda: bool(buttons.count()))
    page.wait_for_timeout(700)
    film.hold(2200)
    STILL.write_bytes(film.pictures[-1])
    become(page, "lee")
    page.wait_for_timeout(300)
    film.hold(900)
    buttons.click()
    page.wait_for_timeout(200)
    film.hold(1300)
    page.get_by_role("dialog").get_by_role("button").last.click()
    live = page.get_by_role("heading", name="v1.2.3 is live in dev")
    film.until(lambda: bool(live.count()) and page.locator("#status", has_text="SUCCEEDED").count() > 0)
    page.wait_for_timeout(700)
    film.hold(1800)
    live.first.evaluate("heading => heading.scrollIntoView({ block: 'start' })")
    page.wait_for_timeout(200)
    film.hold(4000)


def main(arguments: list[str]) -> int:
    """Exit status 0, and what was written is printed."""
    from playwright.sync_api import sync_playwright

    out = Path(arguments[0]) if arguments else OUT
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        print("There is no Chromium here.", file=sys.stderr)
        return 1
    with running() as url, sync_playwright() as started:
        opened = started.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = opened.new_page(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce")
        page.goto(url)
        page.get_by_text("live", exact=True).wait_for()
        page.request.post(f"{url}/api/speed", data={"speed": SPEED})
        film = Film(page)
        play(film)
        opened.close()
    film.save(out)
    print(f"{out}: {len(film.pictures)} pictures, {sum(film.stays) / 1000:.0f} s, {out.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
