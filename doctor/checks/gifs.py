"""Are the pictures where the messages say, and does Slack take them?"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from doctor.installation import Installation
from doctor.result import NoAnswer, NotLooked, Result, failed, ok, skipped

VARIABLES = {"deploying": "GIF_DEPLOYING", "success": "GIF_DEPLOY_SUCCESS", "failure": "GIF_DEPLOY_FAIL"}
_CAUSES = "Slack refuses a message whose picture it cannot fetch: the bot sends it once more without the picture."
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def look(installation: Installation, _: str) -> Iterator[Result]:
    """A GET of each picture, as Slack makes one."""
    pictures = {name: url for name, url in installation.settings.gifs.items() if url}
    if not pictures:
        yield skipped(
            "No pictures are configured here, and the stack's address is not known.", "Name the stack (STACK=…)."
        )
        return
    problems = [result for name, url in pictures.items() for result in _picture(installation, name, url)]
    yield from problems
    if not problems:
        yield ok(f"All {len(pictures)} pictures are there: {', '.join(pictures.values())}.")


def _picture(installation: Installation, name: str, url: str) -> Iterator[Result]:
    if url.startswith(f"{installation.api_url}/") and ("request URL", "") in installation.broken:
        raise NotLooked("the stack's own address serves them; see request URL")
    todo = f"Set {VARIABLES[name]} (or GIF_BASE_URL) to an https address of a GIF for everybody, or leave it unset."
    parts = urlsplit(url)
    if parts.scheme != "https" and not (installation.local and parts.hostname in _LOOPBACK):
        yield failed(f"The picture {url} is no https address.", _CAUSES, todo)
        return
    try:
        answer = installation.web.get(url)
    except NoAnswer as why:
        yield failed(f"The picture {url} cannot be fetched: {why}.", _CAUSES, todo)
        return
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if answer.status != 200:
        yield failed(f"The picture {url} is answered {answer.status}.", _CAUSES, todo)
    elif kind != "image/gif" or not answer.body.startswith(b"GIF8"):
        yield failed(f"{url} is no GIF: its type is {kind or 'not given'}.", _CAUSES, todo)
