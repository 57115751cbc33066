"""Every difference between moto 5.2.5 and AWS that this project's flow would notice, one patch each.

Each patch is one function whose docstring says what AWS does, where AWS documents it, and what moto does. Each has a
test that passes with it and fails without it. Patches replace moto's private functions, so moto is pinned: another
version may have moved them, or no longer need them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib.metadata import version

from local.engine.patches import api, dynamodb, errors, functions, paths, speed, stop, timing, tokens
from local.engine.patches.patcher import Patches, Settings

MOTO = "5.2.5"
Patch = Callable[[Patches, Settings], None]

# In the order in which they are applied: where two replace the same thing, the later one builds on the
# earlier.
PATCHES: tuple[Patch, ...] = (
    stop.history_ends_with_the_execution,
    stop.late_events_of_a_task_are_dropped,
    stop.output_is_there_when_the_status_says_so,
    stop.stop_takes_effect_at_once,
    stop.machine_timeout_ends_token_waits,
    tokens.one_answer_a_token,
    tokens.failure_keeps_its_cause,
    tokens.output_must_be_json,
    tokens.early_answer_is_kept,
    tokens.fresh_token_for_each_attempt,
    functions.one_client_for_all_tasks,
    functions.service_errors_have_names,
    api.definitions_are_checked,
    api.one_execution_a_name,
    api.input_is_limited_and_json,
    api.describe_tells_all,
    api.list_tells_when_it_stopped,
    api.history_has_pages,
    paths.definite_paths_give_values,
    paths.choice_needs_its_variable,
    paths.null_has_no_paths,
    paths.times_are_json,
    errors.runtime_errors_cannot_be_caught,
    dynamodb.transactions_copy_what_they_touch,
    dynamodb.writes_are_serializable,
    timing.waits_scale,
    timing.retries_scale,
    speed.definitions_are_parsed_once,
    speed.answers_are_written_from_what_they_hold,
    speed.failures_are_not_printed,
)


class UnexpectedMotoError(RuntimeError):
    """Another version of moto than the one that the patches were written for."""


def apply(settings: Settings, without: Collection[str] = ()) -> Patches:
    """Patch moto, except for the patches named in `without`; `undo` of what is returned removes them all."""
    check_version(version("moto"))
    unknown = set(without) - {patch.__name__ for patch in PATCHES}
    if unknown:
        raise ValueError(f"no such patches: {', '.join(sorted(unknown))}")
    patches = Patches()
    if without:
        speed.forget_programs()
        patches.on_undo(speed.forget_programs)
    for patch in PATCHES:
        if patch.__name__ not in without:
            patch(patches, settings)
    return patches


def check_version(found: str) -> None:
    """Raises UnexpectedMotoError unless `found` is the pinned version."""
    if found != MOTO:
        raise UnexpectedMotoError(
            f"the embedded engine corrects moto {MOTO}, but moto {found} is installed. Install moto=={MOTO}. "
            "To move to the new one, set MOTO in local/engine/patches/__init__.py and run "
            "tests/statemachine/test_engine_patches.py: it says which patches still apply and which are obsolete."
        )
