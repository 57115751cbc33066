"""Answers to both questions against everything, at the same time: one decision, nothing decided after the end, and
everybody is told."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from chatops.domain import codec
from chatops.domain.deployment import Deployment
from chatops.domain.errors import CancelRecorded, TargetBusy
from chatops.domain.question import Answer, Question
from chatops.domain.record import Outcome
from chatops.domain.results import RolloutResult
from chatops.edge import interactions, replies
from chatops.platforms.ecs import Ecs
from chatops.platforms.rollout import Pause, Rollout, RolloutState
from chatops.settings.targets import targets
from chatops.steps import approval, promotion, settle
from chatops.store import cancels, questions, stages
from tests.faults.interleave import Scene, Worker, every, some
from tests.faults.races.fakes import DANA, KIM, LEE, TARGET, Fake, Moment
from tests.unit.steps import call

ID, HOUR = "d-asked", 3600
PAUSE = Pause("ecs-pause-1", "arn")
PAUSED = Rollout(RolloutState.PAUSED, "IN_PROGRESS", lifecycle_stage="BAKE_TIME", traffic=10.0, pause=PAUSE)
ON = Rollout(RolloutState.MOVING, "IN_PROGRESS", lifecycle_stage="CLEAN_UP")
BUILT = {"stage": "build", "state": "succeeded", "done": True, "claimed": True}
ANSWERS = {
    "approve": Answer.APPROVED,
    "reject": Answer.REJECTED,
    "promote": Answer.PROMOTED,
    "pause_roll_back": Answer.ROLLED_BACK,
}


def press(button: str, user: str, value: str) -> None:
    """A click; for Reject… the modal, sent off."""
    url = f"https://hooks.slack.com/actions/{button}-{user}"
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": user},
        "channel": {"id": "C0DEPLOY1"},
        "response_url": url,
        "actions": [{"action_id": button, "value": value}],
    }
    if button == "reject":
        values = {"values": {"reason": {"reason": {"value": "no"}}}}
        private = json.dumps({"id": value, "response_url": url})
        view = {"callback_id": "reject", "private_metadata": private, "state": values}
        payload = {"type": "view_submission", "user": {"id": user}, "view": view}
    answer = interactions.answer(payload)
    assert answer["statusCode"] == 200
    if answer["body"]:  # the modal stays open with what is said there
        view = json.loads(answer["body"])["view"]
        replies.slack.respond(url, text=view["blocks"][0]["text"]["text"])


def stop(fake: Fake, mark: str) -> Answer | None:
    """Stopped in the console, and settled by sweep. What had been decided by then."""
    state = {"plan": fake.planned(ID), "build": BUILT}
    settle.settle(Deployment.of({"deployment_id": ID, "state": state}), Outcome("Stopped", execution_status="ABORTED"))
    return asked(fake, mark).decision


def asked(fake: Fake, mark: str) -> Question:
    found = questions.get(fake.rows, ID, mark)
    assert found is not None
    return found


# -- an approval -------------------------------------------------------------------------------------------------------


def read(fake: Fake, **facts: Any) -> dict[str, Any]:
    """The state machine's Read Decision."""
    state = {"plan": fake.planned(ID), "build": BUILT, **facts}
    return call(approval.run, {"deployment_id": ID, "execution_arn": "arn", "mode": "read", "state": state})


def supersede(fake: Fake) -> None:
    """A rollback goes ahead."""
    for _ in range(9):
        try:
            fake.take("d-back")
        except TargetBusy:
            continue
        return


def waiting(fake: Fake) -> None:
    """v3 waits for an approval; a rollback to v1 has been asked for."""
    fake.deploy("d-one", "v1")
    fake.deploy("d-two", "v2")
    fake.patch.setenv("DEPLOY_APPROVAL_REQUIRED", "true")
    fake.forget_targets()
    fake.time.pass_by(1)
    assert fake.plan(ID, version="v3")["approval"]["required"]
    assert fake.plan("d-back", "rollback", "")["verdict"] == "go"
    assert read(fake)["decision"] == "pending"


def approval_goes_on(fake: Fake, decision: Answer | None, *, cancelled: bool) -> None:
    """The rest of the execution: it reads the truth and settles."""
    result = read(fake)
    if cancelled and decision in (None, Answer.APPROVED):
        stages.prepare(fake.rows, ID, "deploy", "dev", 60)
        assert stages.claim(fake.rows, ID, "deploy", 1), "what was cancelled is not deployed"
    elif decision is Answer.APPROVED:
        assert result["decision"] == "approved"
    else:
        state = {"plan": fake.planned(ID), "build": BUILT, "approval": result}
        end = {Answer.REJECTED: "Rejected", Answer.EXPIRED: "Expired"}
        assert call(settle.run, {"deployment_id": ID, "state": state})["end"] == end[decision or Answer.EXPIRED]


# -- a promotion -------------------------------------------------------------------------------------------------------


def look(fake: Fake, found: Rollout = PAUSED) -> dict[str, Any]:
    """What Check Rollout makes of the pause, or of its end."""
    before = RolloutResult("paused", pause=PAUSE.result(), seen_at=fake.time.at)
    seen = promotion.Observation(fake.rows, ID, targets()[TARGET], fake.time.at, 0, before)
    step = promotion.at if found.pause else promotion.since
    return codec.as_json(step(seen, found, found.result()))


def live(fake: Fake) -> str:
    """The rollout went on without us, and is healthy: Settle."""
    try:
        return str(fake.succeed(ID)["end"])
    except CancelRecorded:
        return "CancelRecorded"


def paused(fake: Fake) -> None:
    """v2 is rolled out over v1, and paused; both approvers are asked."""
    fake.deploy("d-one", "v1")
    fake.time.pass_by(1)
    assert fake.plan(ID, version="v2", channel="C0DEPLOY1")["verdict"] == "go"
    assert look(fake)["state"] == "paused"
    questions.address(fake.rows, ID, PAUSE.mark, [LEE, KIM])


def promotion_goes_on(fake: Fake, decision: Answer | None, *, cancelled: bool) -> None:
    """Promote, whatever the rollout's result still says, reads the table."""
    state = {"plan": fake.planned(ID), "rollout": {"state": "promoted", "pause": codec.as_json(PAUSE.result())}}
    continued: list[str] = []

    class Fake(Ecs):
        def proceed(self, pause: Pause) -> bool:
            continued.append(pause.id)
            return True

    call(promotion.promote, {"deployment_id": ID, "state": state}, Fake)
    assert bool(continued) == (decision is Answer.PROMOTED and not cancelled)


# -- both --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """One of the two questions: how it comes about, what may happen to it, and how the execution goes on."""

    name: str
    mark: str
    begin: Callable[[Fake], None]
    presses: tuple[str, ...]
    machine: dict[str, Callable[[Fake], object]]
    goes_on: Callable[..., None]

    def __str__(self) -> str:
        return self.name

    def acts(self, fake: Fake) -> dict[str, Worker]:
        def expire() -> None:
            fake.time.at += HOUR
            self.machine["look"](fake)

        made: dict[str, Worker] = {"expire": expire, "stop": lambda: stop(fake, self.mark)}
        for name in self.presses:
            button, _, user = name.partition("-")
            value = f"{ID}/{self.mark}" if self.mark and button != "cancel" else ID
            made[name] = lambda button=button, user=user, value=value: press(button, user, value)  # type: ignore[misc]
        for name, act in self.machine.items():
            made[name] = lambda act=act: act(fake)  # type: ignore[misc]
        return made

    def names(self) -> list[str]:
        return [*self.presses, *(name for name in ("expire", *self.machine, "stop") if name != "look")]

    def possible(self, names: tuple[str, ...]) -> bool:
        """One person does one thing at a time, and so does the state machine of a rollout."""
        users = [name.partition("-")[2] for name in names if "-" in name]
        machine = {"expire", "elsewhere", "live", "stop"} & set(names) if self.mark else ()
        return len(set(users)) == len(users) and len(machine) < 2


APPROVAL = Kind(
    "approval",
    "",
    waiting,
    (f"approve-{LEE}", f"approve-{KIM}", f"reject-{KIM}", f"cancel-{DANA}"),
    {"look": read, "supersede": supersede},
    approval_goes_on,
)
PROMOTION = Kind(
    "promotion",
    PAUSE.mark,
    paused,
    (f"promote-{LEE}", f"promote-{KIM}", f"pause_roll_back-{KIM}", f"cancel-{DANA}"),
    {"look": look, "elsewhere": lambda fake: look(fake, ON), "live": live},
    promotion_goes_on,
)
KINDS = (APPROVAL, PROMOTION)


def one_decision(fake: Fake, kind: Kind, names: tuple[str, ...], results: list[Any]) -> None:
    for result in results:
        assert not isinstance(result, Exception), result
    question, cancel = asked(fake, kind.mark), cancels.get(fake.rows, ID)
    pressed, told = [name for name in names if "-" in name], dict(fake.told)
    assert sorted(user for user, _ in fake.told) == sorted(pressed), "whoever pressed is told, once"
    for name in pressed:
        button, _, user = name.partition("-")
        if button == "cancel":
            stands = cancel is not None and (cancel.kind, cancel.by) == ("cancelled", user)
        else:
            stands = question.decision is not None and question.holds(ANSWERS[button], user)
        assert told[name].startswith("⚠️") != stands, f"{name} was told {told[name]!r}; {question=} {cancel=}"
    rolled_back = question.decision is Answer.ROLLED_BACK
    assert (cancel is not None and cancel.kind == "rolled_back") == rolled_back, "the decision and the cancel are one"
    if "stop" in names:
        assert question.decision == results[names.index("stop")], "nothing is decided after the end"
        assert fake.ended(ID) == "Stopped"
    if "live" in names:
        ended = results[names.index("live")]
        assert (ended == "CancelRecorded") == bool(cancel), "rolled back, or told that it was too late"
    if not fake.ended(ID):
        kind.goes_on(fake, question.decision, cancelled=bool(cancel))


def prepared(fake: Fake, kind: Kind) -> Moment:
    kind.begin(fake)
    return fake.snapshot()


def scene(fake: Fake, kind: Kind, kept: Moment, names: tuple[str, ...]) -> Scene:
    fake.restore(kept)
    acts = kind.acts(fake)
    return Scene([acts[name] for name in names], lambda results: one_decision(fake, kind, names, results))


@pytest.mark.parametrize(
    ("kind", "both"),
    [
        (APPROVAL, (f"approve-{LEE}", f"reject-{KIM}")),
        (PROMOTION, (f"pause_roll_back-{KIM}", "live")),
    ],
    ids=str,
)
def test_an_answer_beside_another_end(fake: Fake, kind: Kind, both: tuple[str, ...]) -> None:
    kept = prepared(fake, kind)
    every(lambda: scene(fake, kind, kept, both), switches=1)


def several(count: int) -> list[tuple[Kind, tuple[str, ...]]]:
    return [(k, names) for k in KINDS for names in itertools.combinations(k.names(), count) if k.possible(names)]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "both"), several(2), ids=lambda it: it.name if isinstance(it, Kind) else "-".join(it))
def test_any_two_at_once_in_more_orders(fake: Fake, kind: Kind, both: tuple[str, ...]) -> None:
    kept = prepared(fake, kind)
    every(lambda: scene(fake, kind, kept, both), switches=1)
    some(lambda: scene(fake, kind, kept, both), 5, seed=2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_any_three_at_once_in_orders_by_chance(fake: Fake, kind: Kind) -> None:
    kept = prepared(fake, kind)
    for _, three in (case for case in several(3) if case[0] is kind):
        some(lambda three=three: scene(fake, kind, kept, three), 3, seed=33)  # type: ignore[misc]


def test_everything_at_once_from_threads(fake: Fake) -> None:
    kept = prepared(fake, APPROVAL)
    for _ in range(3):
        fake.restore(kept)
        acts = APPROVAL.acts(fake)
        crowd = {name: acts[name] for name in APPROVAL.names() if name not in ("stop", "expire", f"approve-{KIM}")}
        with ThreadPoolExecutor(len(crowd)) as threads:
            results = [job.result() for job in [threads.submit(act) for act in crowd.values()]]
        one_decision(fake, APPROVAL, tuple(crowd), results)
