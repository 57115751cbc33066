"""Every order in which two or three workers can call the table, one after the other, forced.

Luck finds a race when two threads happen to meet. Here they always meet: each worker stops before every call of a far
end until it is its turn, and the turns are run through systematically, each in a session made anew.

- `every()`: all orders. With a and b calls that is (a+b over a): right for short rivals.
- `every(switches=2)`: all orders with at most so many switches away from a worker that could have gone on. Races need
  few of them; two find nearly all (Musuvathi and Qadeer, "Iterative context bounding", PLDI 2007).
- `some(n, seed)`: n orders by chance. The seed is printed and makes the same ones again.

A failure says the turns that led to it: `replay(scene, turns)` plays them again.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Worker = Callable[[], object]
Choose = Callable[[list[int]], int]
_PATIENCE = 30.0


@dataclass(frozen=True)
class Scene:
    """A fresh session: who acts in it at once, and what must hold afterwards (it is told what each returned, or the
    exception that it raised)."""

    workers: Sequence[Worker]
    check: Callable[[list[Any]], object]


@dataclass
class _Actor:
    work: Worker
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    done: bool = False
    result: Any = None


class _Turns:
    """One run: exactly one worker moves at a time."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.actors = [_Actor(work) for work in workers]
        self.stopped = threading.Semaphore(0)

    def play(self, choose: Choose) -> list[Any]:
        for actor in self.actors:
            thread = threading.Thread(target=self._act, args=(actor,), daemon=True)
            thread.start()
            self._move(actor)  # to its first call: nobody sees what comes before it
        while alive := [n for n, actor in enumerate(self.actors) if not actor.done]:
            self._move(self.actors[choose(alive)])
        return [actor.result for actor in self.actors]

    def _move(self, actor: _Actor) -> None:
        actor.go.release()
        assert self.stopped.acquire(timeout=_PATIENCE), "a worker waits for something else than its turn"

    def _act(self, actor: _Actor) -> None:
        _HERE.turns, _HERE.actor = self, actor
        actor.go.acquire()
        try:
            actor.result = actor.work()
        except Exception as error:  # noqa: BLE001 - what a worker raises is what the check is told
            actor.result = error
        finally:
            actor.done = True
            self.stopped.release()


_HERE = threading.local()


def point() -> None:
    """The current worker stops here until it is its turn; everybody else goes on."""
    turns: _Turns | None = getattr(_HERE, "turns", None)
    if turns is not None:
        turns.stopped.release()
        _HERE.actor.go.acquire()


class Pointed:
    """A client that stops before each of these operations."""

    def __init__(self, client: Any, operations: Sequence[str]) -> None:
        self._client, self._operations = client, frozenset(operations)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name not in self._operations:
            return found

        def stopping(*arguments: Any, **named: Any) -> Any:
            point()
            return found(*arguments, **named)

        return stopping


def _run(scene: Scene, choose: Choose) -> list[int]:
    taken: list[int] = []

    def noted(alive: list[int]) -> int:
        taken.append(choose(alive))
        return taken[-1]

    results = _Turns(scene.workers).play(noted)
    try:
        scene.check(results)
    except AssertionError as error:
        raise AssertionError(f"turns {taken} gave {results}: {error}") from error
    return taken


def replay(made: Callable[[], Scene], turns: Sequence[int]) -> None:
    """Those turns again, as a failure printed them."""
    left = list(turns)
    _run(made(), lambda alive: left.pop(0) if left and left[0] in alive else alive[0])


class _Search:
    """Depth first through the choices: `prefix` is decided, what follows takes the first way that there is."""

    def __init__(self, switches: int | None) -> None:
        self.switches, self.prefix = switches, list[int]()
        self.begin()

    def begin(self) -> None:
        self.trail, self.last, self.left = list[tuple[int, int]](), -1, self.switches

    def choose(self, alive: list[int]) -> int:
        first = [self.last] if self.last in alive else []
        ways = first + ([] if first and self.left == 0 else [n for n in alive if n not in first])
        way = self.prefix[len(self.trail)] if len(self.trail) < len(self.prefix) else 0
        self.trail.append((way, len(ways)))
        if first and way and self.left is not None:
            self.left -= 1
        self.last = ways[way]
        return self.last

    def next(self) -> bool:
        while self.trail and self.trail[-1][0] + 1 >= self.trail[-1][1]:
            self.trail.pop()
        if not self.trail:
            return False
        self.prefix = [way for way, _ in self.trail[:-1]] + [self.trail[-1][0] + 1]
        return True


def every(made: Callable[[], Scene], switches: int | None = None) -> int:
    """All orders, each in a scene of its own; how many there were."""
    search, count = _Search(switches), 0
    while True:
        search.begin()
        _run(made(), search.choose)
        count += 1
        if not search.next():
            print(f"{count} orders")  # noqa: T201 - shown with -s, and where a test fails
            return count


def some(made: Callable[[], Scene], count: int, seed: int) -> int:
    """So many orders by chance."""
    print(f"seed {seed}")  # noqa: T201 - what makes a failure come again
    for n in range(count):
        chance = random.Random(f"{seed}/{n}")  # noqa: S311 - a test's
        _run(made(), chance.choice)
    return count
