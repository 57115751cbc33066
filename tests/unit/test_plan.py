"""What plan makes of GitHub's own words."""

from __future__ import annotations

import pytest

from chatops.errors import InvalidRequest
from chatops.github import versions
from chatops.github.versions import Commit
from chatops.steps import plan
from chatops.targets import Target


@pytest.mark.parametrize("tag", ["$(reboot)", "a b", "v1..2", "`v1`"])
def test_the_newest_releases_tag_is_held_to_the_allow_list_too(tag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Commit(tag, "e3c8241a6e0881bad7a9721d12c6698a35e1e833", "", "")
    monkeypatch.setattr(versions, "resolve", lambda *_: found)
    with pytest.raises(InvalidRequest, match="bad_version"):
        plan._version(None, "", Target("dev", "acme/checkout-api", "dev_deploy"))  # type: ignore[arg-type]
