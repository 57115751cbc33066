"""Every platform answers the same calls. A made-up one goes through rollout, restore and live by the real steps."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chatops.domain.deployment import Deployment
from chatops.domain.errors import ServiceRefused
from chatops.domain.plan import Plan
from chatops.domain.release import Release
from chatops.domain.target import Target
from chatops.platforms.pipeline import Pipeline
from chatops.platforms.platform import Platform
from chatops.platforms.registry import of_kind, platform
from chatops.platforms.rollout import RolloutState
from chatops.steps import ecs, reconcile, restore, target_lock
from chatops.store import locks, releases, stages
from chatops.store.table import Table
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.made_up_platform import HEALTHY, MOVING, MadeUp
from tests.unit.stage_session import HOLDER, ID, PLAN
from tests.unit.steps import call

ROOT = Path(__file__).parents[2]
NEW, BEFORE = "repo@sha256:1", "repo@sha256:0"
ON_RECORD = Release("v1.1.0", image=BEFORE, deployment_id="d-before", verified_at="2026-01-01T00:00:00.000Z")


@pytest.fixture
def state(rows: Table, time: Time) -> dict[str, Any]:
    """A deployment whose deploy stage has brought NEW to a target that ran BEFORE."""
    stored.begin(rows, ID, HOLDER.execution_arn, PLAN, locks.taking("dev", HOLDER))
    rows.transact(releases.adding("dev", ON_RECORD))
    stages.prepare(rows, ID, "deploy", "dev", 3600)
    stages.note(rows, ID, "deploy", tried_at=time(), dispatched_at=time(), run_id=7)
    return {"plan": PLAN, "deploy": {"stage": "deploy", "state": "succeeded", "done": True, "outputs": {"image": NEW}}}


def look(state: dict[str, Any], mode: str, on: MadeUp) -> dict[str, Any]:
    state[mode] = call(ecs.run, {"mode": mode, "deployment_id": ID, "state": state}, on)
    return dict(state[mode])


def test_a_rollout_is_followed_until_it_is_healthy(state: dict[str, Any], time: Time) -> None:
    on = MadeUp(runs=NEW)
    assert look(state, "rollout", on)["state"] == "moving"
    time.pass_by(10)
    on.says = HEALTHY
    assert (look(state, "rollout", on)["state"], state["rollout"]["done"]) == ("healthy", True)


def test_what_failed_is_put_back(state: dict[str, Any], time: Time) -> None:
    on = MadeUp(replace(MOVING, state=RolloutState.FAILED, reason="out of memory"), runs=NEW)
    found = look(state, "rollout", on)
    assert found["why"]["values"] == {"status": "SHIFTING", "said": ": out of memory"}
    state["rollback"] = call(restore.run, {"deployment_id": ID, "state": state}, on)
    assert (state["rollback"], on.runs) == ({"how": "shifted"}, BEFORE)
    assert look(state, "restored", on)["state"] == "moving"
    time.pass_by(10)
    on.says = HEALTHY
    assert look(state, "restored", on)["state"] == "healthy"


def test_after_an_error_it_is_asked(state: dict[str, Any]) -> None:
    event = {"deployment_id": ID, "state": state}
    assert call(reconcile.run, event, MadeUp(MOVING))["state"] == "rolling_out"
    assert call(reconcile.run, event, MadeUp(HEALTHY))["state"] == "deployed"


def test_what_is_live_has_its_name_in_the_ledger(state: dict[str, Any], rows: Table) -> None:
    busy = target_lock.obstacle("dev", "d-other", "deploy", MadeUp(runs=BEFORE))
    assert busy is None or "v1.1.0" in str(busy.values["running"])
    locks.free(rows, "dev", ID)
    status = {"mode": "status", "request": {"command": "status", "target": "dev"}}
    found = call(ecs.run, status, MadeUp(HEALTHY, runs=BEFORE))
    assert (found["kind"], found["version"], found["rollout"]["running"]) == ("made-up", "v1.1.0", 4)
    assert call(ecs.run, status, MadeUp(runs=NEW))["drift"] == {"running": NEW, "recorded": "v1.1.0"}


TARGETS = (
    Target("dev", "acme/shop", "dev_deploy", cluster="c", service="s"),
    Target("dev", "acme/shop", "dev_deploy", codedeploy_application="a", codedeploy_group="g"),
    Target("dev", "acme/shop", "dev_deploy"),
)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.kind)
def test_a_target_has_the_platform_of_its_kind(target: Target) -> None:
    assert platform(target).kind == of_kind(target.kind).kind == target.kind
    assert platform(target).pipeline_only == Plan(kind=target.kind).pipeline_only


@pytest.mark.parametrize("kind", ["ecs", "codedeploy", "none"])
def test_a_platform_answers_every_call(kind: str) -> None:
    """As mypy holds for those that are registered, and this for the one that is made up."""
    calls = {name for name in vars(Platform) if not name.startswith("_")} | set(Platform.__annotations__)
    assert calls <= set(dir(of_kind(kind))) | {"target"}
    assert calls <= set(dir(MadeUp))


SETTINGS = re.compile(r"settings/targets(_file)?\.py|domain/(target|plan|record)\.py|platforms/\w+\.py")


def test_where_only_the_pipeline_restores_it_is_told_how() -> None:
    plan = Plan(target="dev", kind="none", previous=ON_RECORD)
    with pytest.raises(ServiceRefused, match=re.escape("run the pipeline's rollback stage for `v1.1.0`")):
        Pipeline(TARGETS[2]).restore(Deployment("d-1", "arn", plan))


def test_nobody_else_asks_what_kind_of_platform_it_is() -> None:
    """Neither by its kind nor by the settings that only one of them has. `Plan.pipeline_only` alone repeats a choice of
    the state machine."""
    shared = ROOT / "lambdas/shared/chatops"
    asking = {
        path.relative_to(shared).as_posix()
        for path in shared.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Compare) and {"kind", "'ecs'", "'codedeploy'"} & words(node))
        or (isinstance(node, ast.Attribute) and node.attr in ("cluster", "codedeploy_application"))
    }
    assert "platforms/ecs_service.py" in asking
    assert not {path for path in asking if not SETTINGS.search(path)}


def words(node: ast.AST) -> set[str]:
    """The constants and the attributes in an expression."""
    found = [each for each in ast.walk(node) if isinstance(each, ast.Constant | ast.Attribute)]
    return {repr(each.value) if isinstance(each, ast.Constant) else each.attr for each in found}
