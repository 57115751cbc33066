"""The scheduler itself: it reaches every order, only those, and finds a race that is there."""

from __future__ import annotations

from collections import Counter
from math import comb
from typing import Any

import pytest

from tests.faults.interleave import Scene, every, point, replay, some


def letters(seen: Counter[str], *words: str) -> Scene:
    """Workers that write their letters one at a time."""
    written: list[str] = []

    def write(word: str) -> None:
        for letter in word:
            point()
            written.append(letter)

    return Scene([lambda word=word: write(word) for word in words], lambda _: seen.update(["".join(written)]))  # type: ignore[misc]


def test_every_order_is_run_exactly_once() -> None:
    seen: Counter[str] = Counter()
    assert every(lambda: letters(seen, "abc", "xyz")) == comb(6, 3)
    assert set(seen.values()) == {1}
    assert len(seen) == comb(6, 3)
    three: Counter[str] = Counter()
    assert every(lambda: letters(three, "ab", "x", "1")) == 12 == len(three)


def test_with_few_switches_there_are_few_orders_and_all_of_those() -> None:
    seen: Counter[str] = Counter()
    every(lambda: letters(seen, "abc", "xyz"), switches=0)
    assert set(seen) == {"abcxyz", "xyzabc"}
    every(lambda: letters(seen, "abc", "xyz"), switches=1)
    assert set(seen) == {"abcxyz", "xyzabc", "axyzbc", "abxyzc", "xabcyz", "xyabcz"}


def counting(steps: list[int]) -> Scene:
    """Two who read a number and write it back one higher, as nobody should."""
    box = [0]

    def add() -> None:
        point()
        number = box[0]
        point()
        box[0] = number + 1

    def check(_: list[Any]) -> None:
        steps.append(box[0])
        assert box[0] == 2

    return Scene([add, add], check)


def test_a_lost_update_is_found_and_comes_again_by_its_turns() -> None:
    with pytest.raises(AssertionError, match="turns"):
        every(lambda: counting([]))
    with pytest.raises(AssertionError, match="turns"):
        replay(lambda: counting([]), [0, 1, 0, 1])
    replay(lambda: counting([]), [0, 0, 1, 1])


def test_the_same_seed_makes_the_same_orders() -> None:
    first, second = list[int](), list[int]()
    for steps in (first, second):
        with pytest.raises(AssertionError):
            some(lambda steps=steps: counting(steps), 50, seed=7)  # type: ignore[misc]
    assert first == second


def test_what_a_worker_raises_is_told_to_the_check() -> None:
    def fall() -> None:
        raise ValueError

    told: list[Any] = []
    every(lambda: Scene([fall, lambda: 3], told.append))
    assert isinstance(told[0][0], ValueError)
    assert told[0][1] == 3
