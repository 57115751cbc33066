"""The list of everywhere that moto 5.2.5 differs from AWS and this project's flow would notice.

Each mend is one function that says what AWS does, where AWS says so, and what moto does. Each has a test
that passes with it and fails without it, so that none outlives its reason. They reach into moto's insides,
which is why moto is pinned: another version may have moved them, or no longer need them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib.metadata import version

from local.engine import (
    mend_api,
    mend_dynamodb,
    mend_errors,
    mend_lambda,
    mend_paths,
    mend_speed,
    mend_stop,
    mend_timing,
    mend_tokens,
)
from local.engine.patches import Patches, Settings

MOTO = "5.2.5"
Mend = Callable[[Patches, Settings], None]

# In the order in which they are applied: where two replace the same thing, the later one builds on the
# earlier.
MENDS: tuple[Mend, ...] = (
    mend_stop.history_ends_with_the_execution,
    mend_stop.late_events_of_a_task_are_dropped,
    mend_stop.output_is_there_when_the_status_says_so,
    mend_stop.stop_takes_effect_at_once,
    mend_stop.machine_timeout_ends_token_waits,
    mend_tokens.one_answer_a_token,
    mend_tokens.failure_keeps_its_cause,
    mend_tokens.output_must_be_json,
    mend_tokens.early_answer_is_kept,
    mend_tokens.fresh_token_for_each_attempt,
    mend_lambda.one_client_for_all_tasks,
    mend_lambda.service_errors_have_names,
    mend_api.definitions_are_checked,
    mend_api.one_execution_a_name,
    mend_api.input_is_limited_and_json,
    mend_api.describe_tells_all,
    mend_api.list_tells_when_it_stopped,
    mend_api.history_has_pages,
    mend_paths.definite_paths_give_values,
    mend_paths.choice_needs_its_variable,
    mend_paths.null_has_no_paths,
    mend_paths.times_are_json,
    mend_errors.runtime_errors_cannot_be_caught,
    mend_dynamodb.transactions_copy_what_they_touch,
    mend_dynamodb.writes_are_serializable,
    mend_timing.waits_scale,
    mend_timing.retries_scale,
    mend_speed.definitions_are_parsed_once,
    mend_speed.answers_are_written_from_what_they_hold,
    mend_speed.failures_are_not_printed,
)


class UnexpectedMotoError(RuntimeError):
    """Another moto than the one that the mends were written for."""


def apply(settings: Settings, without: Collection[str] = ()) -> Patches:
    """Mend moto, except for the mends named in `without`; `undo` of what is returned takes it all back."""
    check_version(version("moto"))
    unknown = set(without) - {mend.__name__ for mend in MENDS}
    if unknown:
        raise ValueError(f"no such mends: {', '.join(sorted(unknown))}")
    patches = Patches()
    if without:
        mend_speed.forget_programs()
        patches.on_undo(mend_speed.forget_programs)
    for mend in MENDS:
        if mend.__name__ not in without:
            mend(patches, settings)
    return patches


def check_version(found: str) -> None:
    """Raises UnexpectedMotoError unless `found` is the pinned version."""
    if found != MOTO:
        raise UnexpectedMotoError(
            f"the embedded engine corrects moto {MOTO}, but moto {found} is installed. Install moto=={MOTO}. "
            "To move to the new one, set MOTO in local/engine/mends.py and run "
            "tests/statemachine/test_engine_mends.py: it says which mends still apply and which are obsolete."
        )
