"""English: a deployment's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

TEXTS: dict[TextKey, str] = {
    "page_title": "Deployment",
    "page_progress": "Progress",
    "page_timeline": "Timeline",
    "page_details": "Details",
    "page_runs": "Runs on GitHub",
    "page_console": "Open in Step Functions",
    "page_loading": "Loading…",
    "page_gone": "There is nothing to see here. The link has ended, or a part of it is missing: links end 7 days after their deployment. Its message in Slack has the whole link.",
    "page_lost": "The connection is lost. Trying again…",
    "page_script": "This page needs JavaScript.",
    "page_plan": "Plan",
    "page_build": "Build",
    "page_approval": "Approval",
    "page_deploy": "Deploy",
    "page_rollout": "Rollout",
    "page_rollback": "Rollback",
    "page_done": "Done",
    "page_is_done": "done",
    "page_is_current": "under way",
    "page_is_failed": "failed",
    "page_is_stopped": "stopped",
    "page_is_waiting": "not yet",
    "page_is_skipped": "not reached",
    "page_asked": "{user} asked to deploy `{version}` to *{target}*",
    "page_asked_rollback": "{user} asked to roll *{target}* back to `{version}`",
    "page_began": "{phase} {run} started",
    "page_vote": "{by} approved",
    "page_rejected": "{by} rejected it after {took}{reason}",
    "page_expired": "Nobody decided within {took}",
    "page_paused": "Paused {where}",
    "page_cancelled": "{by} cancelled it",
    "page_superseded": "{by} asked for a rollback, which goes first",
}
