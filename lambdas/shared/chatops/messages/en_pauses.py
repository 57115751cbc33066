"""English: a rollout that waits for people at a pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

TEXTS: dict[TextKey, str] = {
    "title_paused": "Promotion needed: {version} → {target}",
    "field_strategy": "*Strategy*\n`{strategy}`",
    "field_strategy_traffic": "*Strategy*\n`{strategy}` · {traffic} of the traffic",
    "pause_at": "`{stage}`",
    "pause_at_traffic": "`{stage}` ({traffic} of the traffic)",
    "line_paused": "Paused at {where}. Waiting for {people} to promote it or roll it back",
    "line_pause_promoted": "Promoted at {where} by {by} after {took}",
    "line_pause_passed": "Went on at {where} after {took}, continued outside this bot",
    "line_pause_expired": "Nobody decided at {where} within {took}",
    "line_pause_rolled_back": "Rolled back at {where} by {by} after {took}",
    "promote": "Promote",
    "confirm_promote_title": "Promote?",
    "confirm_promote_text": "The rollout of {version} to {target} goes on from here.",
    "confirm_pause_text": "The rollout of {version} stops here, and {target} goes back to {before}.",
    "promotion_ping": "{people}: `{version}` → *{target}* is paused at {where}. Please promote it or roll it back by {deadline}; after that {then}.",
    "promotion_then_rollback": "it is rolled back",
    "promotion_then_continue": "ECS goes on by itself",
    "promotion_reminder": "{people}: `{version}` → *{target}* still waits at {where} to be promoted or rolled back; {left} left.",
    "end_pause_restored": "{user} rolled `{version}` back at {where}, {waited} after it paused; *{target}* runs `{before}` again, confirmed ({took}).",
    "end_unpromoted": "Nobody promoted `{version}` at {where} within {waited}, so it was rolled back; *{target}* runs `{before}` again, confirmed ({took}). To ask again: `/platform-deploy {version} {target}`.",
    "click_not_promoter": "Only {people} may promote `{id}`.",
    "click_not_your_pause": "Only {people} and {user} may roll `{id}` back.",
    "click_promote_own": "You asked for `{id}` yourself, and nobody else has approved it. It waits for {people}.",
    "click_promoted": "You promoted `{id}`. Its rollout goes on.",
    "click_pause_rolled_back": "You rolled `{id}` back. Its message says how it ends.",
    "click_pause_expired": "Nobody decided about `{id}` in time; this pause ended {ago} ago.",
    "click_pause_passed": "This pause of `{id}` ended {ago} ago: it was continued outside this bot.",
    "decision_promoted": "promoted",
    "decision_rolled_back": "rolled back",
}
