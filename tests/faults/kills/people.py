"""What people do in each play."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fakes.slack.directory import U_LEE

if TYPE_CHECKING:
    from tests.faults.kills.play import Play


def deploy(play: Play) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.ends()


def approved(play: Play) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.press("approve")
    play.ends()


def rejected(play: Play) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.reject("Not on a Friday.")
    play.ends()


def cancelled_in(step: str) -> Callable[[Play], None]:
    def cancelled(play: Play) -> None:
        play.type("/platform-deploy", "v1.2.3")
        play.until(step)
        play.cancel()
        play.ends()

    return cancelled


def rollback(play: Play) -> None:
    play.type("/platform-rollback", "", "orders cannot be paid")
    play.ends()


def superseded(play: Play) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.until("approval:request")
    play.type("/platform-rollback", "", "orders cannot be paid")
    play.ends(2)


def pressed_back(play: Play) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.ends()
    play.press("roll_back")
    play.ends(2)


def promoted(play: Play) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.press("promote")
    play.ends()


def taken_back(play: Play) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.press("pause_roll_back")
    play.ends()


def unwoken(play: Play) -> None:
    play.type("/platform-deploy", "v1.2.3")
    card = play.card("approve")
    with play.stage.quiet():
        play.stage.world.user.click(card, "approve", U_LEE)  # killed once it is recorded, and nobody presses again
        play.swept()
    play.ends()


def undelivered(play: Play) -> None:
    with play.stage.quiet():
        play.type("/platform-deploy", "v1.2.3")
        play.ends()
        play.swept()


def stopped_in(step: str) -> Callable[[Play], None]:
    def stopped(play: Play) -> None:
        play.type("/platform-deploy", "v1.2.3")
        play.until(step)
        play.stopped()

    return stopped
