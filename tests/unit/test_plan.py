"""What plan makes of GitHub's own words."""

from __future__ import annotations

import pytest

from chatops import clock
from chatops.domain.errors import Refusal
from chatops.domain.target import Target
from chatops.github import versions
from chatops.github.versions import Commit
from chatops.steps import plan
from chatops.store import locks
from chatops.store.table import Table
from fakes.github import Fault
from tests.unit.conftest import Time
from tests.unit.stage_session import ID, staged


@pytest.mark.parametrize("tag", ["$(reboot)", "a b", "v1..2", "`v1`"])
def test_the_newest_releases_tag_is_held_to_the_allow_list_too(tag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Commit(tag, "e3c8241a6e0881bad7a9721d12c6698a35e1e833", "", "")
    monkeypatch.setattr(versions, "resolve", lambda *_: found)
    with pytest.raises(Refusal, match="bad_version"):
        plan._version(None, "", Target("dev", "acme/checkout-api", "dev_deploy"))  # type: ignore[arg-type]


LIMITS = {
    "retry after": ({"Retry-After": "1800"}, 1800),
    "used up": ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1760000900"}, 901),
    "no header": ({}, 60),
}


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("path", ["/git/ref/tags/v9", "/tags$"])
def test_a_rate_limit_is_refused_in_words_and_takes_nothing(
    name: str, path: str, rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked of GitHub: people are told until when, and the target stays free."""
    headers, seconds = LIMITS[name]
    with staged(rows, time, monkeypatch, "build") as stage:
        locks.free(rows, "dev", ID)
        time.at = 1_760_000_000.0
        body = {"message": "You have exceeded a secondary rate limit."}
        stage.fake.faults.append(Fault(path=path, status=403, headers=headers, body=body, times=None))
        asked = {"command": "deploy", "target": "dev", "version": "v9", "requester": {"id": "U0DANA001"}}
        monkeypatch.setattr(plan.policy, "requester", lambda *_: {})
        made = plan.run({"deployment_id": "d-two", "execution_arn": "arn:x", "request": asked})
        assert (made["verdict"], made["refusal"]["key"]) == ("refused", "github_pause")
        assert made["refusal"]["values"] == {"until": clock.iso(1_760_000_000.0 + seconds)}
        assert stage.holder() == ""
