"""A deployment whose planning broke: there is no plan, so what is said comes from the request alone. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatops.domain.reason import Reason
from chatops.domain.request import Request
from chatops.messages.catalogue import plain, say
from chatops.messages.parts import tidy

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey


def title(asked: Request) -> str:
    """What was not done, plain text: the version and the target that were asked for, or what stands for them."""
    if asked.command not in ("deploy", "rollback"):
        return plain("title_not_carried_out")
    rollback = asked.command == "rollback"
    version = asked.version or Reason("the_last" if rollback else "the_latest")
    key: TextKey = "title_not_rolled_back" if rollback else "title_deploy_failed"
    return plain(key, version=version, target=asked.target or Reason("the_default"))


def sentence(asked: Request, why: Reason | None, deployment_id: str, url: str, *, read: bool) -> str:
    """In mrkdwn: what was not done, which step failed of what, and where its execution is. `read`: the table was, and
    holds nothing of this deployment."""
    error = why.values.get("error") if why else ""
    named = f", {error}" if error else ""
    values = {"title": title(asked), "id": deployment_id, "execution": url, "why": why, "error": named}
    return tidy(say("end_unplanned" if read else "end_unplanned_unsure", values))
