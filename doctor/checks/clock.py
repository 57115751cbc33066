"""Does this machine's clock go right? Slack and GitHub refuse signatures of another time."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from chatops.edge.signature import WINDOW
from chatops.github.jwt import DRIFT
from doctor.github import AGENT
from doctor.installation import Installation
from doctor.result import NotLooked, Result, failed, ok, warning

_CAUSES = (
    f"Slack's signatures count for {WINDOW} s: the edge refuses what a clock further off has signed. GitHub takes "
    f"an App's statement up to {DRIFT} s early."
)
_ADVICE = "Set the clock by the network: timedatectl set-ntp true (Linux), or the system's date settings."


def look(installation: Installation, _: str) -> Iterator[Result]:
    """Against the Date of an answer of GitHub's, whoever asks."""
    url = f"{installation.settings.github_api_url}/rate_limit"
    date = installation.web.get(url, {"User-Agent": AGENT}).headers.get("Date", "")
    try:
        theirs = parsedate_to_datetime(date).timestamp()
    except ValueError:
        raise NotLooked("GitHub's answer has no date") from None
    off = installation.now() - theirs
    text = f"This machine's clock is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} GitHub's."
    if abs(off) > WINDOW:
        yield failed(text, _CAUSES, _ADVICE)
    elif abs(off) > DRIFT:
        yield warning(text, _CAUSES, _ADVICE)
    else:
        yield ok(f"This machine's clock and GitHub's are {abs(off):.0f} s apart.")
