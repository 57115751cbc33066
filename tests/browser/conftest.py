"""`make run` as it is, and a real Chromium to use its page with.

Playwright drives the Chromium of the machine and downloads none. Every test sees to it that the page said nothing to
the console, asked nobody but the local run, and read nothing as HTML.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from local.scenario import Scenario

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 90
"""Seconds: for machines that have much else to do; where they have not, nothing takes a tenth of it."""
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NO_HTML = """
window.readAsHtml = [];
const told = (name) => window.readAsHtml.push(name);
for (const name of ["innerHTML", "outerHTML"]) {
  const found = Object.getOwnPropertyDescriptor(Element.prototype, name);
  Object.defineProperty(Element.prototype, name, { ...found, set(value) { told(name); found.set.call(this, value); } });
}
for (const [owner, name] of [[Element.prototype, "insertAdjacentHTML"], [Document.prototype, "write"]]) {
  const found = owner[name];
  owner[name] = function (...given) { told(name); return found.apply(this, given); };
}
"""
"""Before the page's own scripts: notes every way in which text becomes HTML."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@dataclass
class Bot:
    """The local run in a process of its own."""

    url: str
    process: subprocess.Popen[str]

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/{path}", timeout=10) as answer:
            return json.load(answer)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        asked = urllib.request.Request(
            f"{self.url}/api/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.load(answer)

    def anew(self) -> None:
        """Everything anew, and fast."""
        before = self._patiently(lambda: self.get("stage")["session"])
        self.post("reset", {})
        self._patiently(lambda: self.get("stage")["session"] != before)
        self.post("speed", {"speed": 10})

    def _patiently(self, asked: Callable[[], Any]) -> Any:
        """The answer, once there is one: between two sessions nobody answers, and a session that ends takes along
        what it was about to say."""
        for _ in range(PATIENCE * 20):
            try:
                if found := asked():
                    return found
            except (OSError, HTTPException):
                pass
            time.sleep(0.05)  # another process is waited for; nothing here tells when it is there
        raise TimeoutError("the local run did not begin anew")


@pytest.fixture(scope="session")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """`make run` with one target that wants an approval and is looked at every second."""
    targets = tmp_path_factory.mktemp("bot") / "targets.yaml"
    targets.write_text(Scenario("", "", "", lambda _: None, {"approval": 600}, approval=True).targets())
    here = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "GITHUB_", "AWS_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "local.run"],
        cwd=ROOT,
        env=here
        | {"PORT": "0", "CHATOPS_TARGETS_FILE": str(targets), "PYTHONPATH": f"{ROOT / 'lambdas' / 'shared'}:{ROOT}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    while "Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line, f"make run ended: {said}"
        said += line
    found = re.search(r"page +(http://\S+)", said)
    assert found
    yield Bot(found[1], process)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser, once for all tests."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("There is no Chromium here: `apt install chromium`, and these tests run.")
    why = "Playwright is not installed: `make check` installs it, and these tests run."
    playwright = pytest.importorskip("playwright.sync_api", reason=why)
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


Open = Callable[..., Any]


@pytest.fixture
def opened(bot: Bot, chromium: Any) -> Iterator[Open]:
    """`opened(path, **context)`: the page in a window of its own; what it must not have done is asked at the end."""
    bot.anew()
    contexts, pages, trouble = [], [], []

    def made(path: str = "/", **settings: Any) -> Any:
        context = chromium.new_context(**{"viewport": {"width": 1400, "height": 900}, **settings})
        context.add_init_script(NO_HTML)
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.on("console", lambda told: trouble.append(told.text) if told.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda asked: trouble.append(asked.url) if _elsewhere(bot, asked.url) else None)
        page.goto(bot.url + path)
        page.get_by_text("live", exact=True).wait_for()
        contexts.append(context)
        pages.append(page)
        return page

    yield made
    for page in pages:
        trouble += page.evaluate("window.readAsHtml")
    for context in contexts:
        context.close()
    # a session that ends takes its connections along
    assert [one for one in trouble if "Failed to load resource" not in one and "ERR_" not in one] == []


def _elsewhere(bot: Bot, url: str) -> bool:
    return not url.startswith((f"{bot.url}/", "data:"))
