"""What people do in each play."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fakes.slack.directory import U_LEE
from tests.simulator.points import point

if TYPE_CHECKING:
    from tests.simulator.play import HoursDriver


def deploy(play: HoursDriver) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.ends()


def approved(play: HoursDriver) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.until("approval:request")
    play.press("approve")
    play.ends()


def rejected(play: HoursDriver) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.reject("Not on a Friday.")
    play.ends()


def cancelled_in(step: str) -> Callable[[HoursDriver], None]:
    def cancelled(play: HoursDriver) -> None:
        play.type("/platform-deploy", "v1.2.3")
        play.until(step)
        play.cancel()
        play.ends()

    return cancelled


def rollback(play: HoursDriver) -> None:
    play.type("/platform-rollback", "", "orders cannot be paid")
    play.ends()


def superseded(play: HoursDriver) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.until("approval:request")
    play.type("/platform-rollback", "", "orders cannot be paid")
    play.ends(2)


def pressed_back(play: HoursDriver) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.ends()
    play.press("roll_back")
    play.ends(2)


def promoted(play: HoursDriver) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.press("promote")
    play.ends()


def taken_back(play: HoursDriver) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.press("pause_roll_back")
    play.ends()


def unwoken(play: HoursDriver) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.until("approval:request")
    card = play.card("approve")
    play.user.click(card, "approve", U_LEE)  # its process dies once it is recorded, and nobody presses again
    if point(play.scenario.kills[0]) not in play.seen.fired:
        play.press("approve")
    play.ends()


def undelivered(play: HoursDriver) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.ends()


def stopped_in(step: str) -> Callable[[HoursDriver], None]:
    def stopped(play: HoursDriver) -> None:
        play.type("/platform-deploy", "v1.2.3")
        play.until(step)
        play.stopped()

    return stopped


def stopped_in_build(play: HoursDriver) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.claimed("build")
    play.stopped()
