"""The Lambda runtime freezes what has answered: nothing of it goes on before the next invocation, and nothing stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import pytest

from local.runtime.endpoint import LambdaRuntime
from local.runtime.template import Function, Template
from tests.unit.test_runtime import ROOT, gone, write

GOES_ON = """
    import os, subprocess, sys, threading, time
    from pathlib import Path

    TICKS = '''
    import os, sys, time
    while True:
        with open(sys.argv[1], "a") as file:
            file.write(f"{os.getpid()}\\\\n")
        time.sleep(0.01)
    '''

    def tick(file):
        while True:
            with open(file, "a") as opened:
                opened.write(f"{os.getpid()}\\n")
            time.sleep(0.01)

    def start(how, file):
        program = [sys.executable, "-c", __import__("textwrap").dedent(TICKS), file]
        if how == "thread":
            threading.Thread(target=tick, args=(file,), daemon=True).start()
        if how == "child":
            subprocess.Popen(program)
        if how == "session":
            subprocess.Popen(program, start_new_session=True)
        if how == "daemon":  # whose parent is gone
            parent = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"
            subprocess.run([sys.executable, "-c", parent, *program], check=True)
        while not Path(file).exists():
            time.sleep(0.005)

    def handler(event, context):
        if "start" in event:
            start(event["start"], event["file"])
        if event.get("fail"):
            raise RuntimeError("after it was started")
        if event.get("end"):
            os._exit(3)
        time.sleep(event.get("seconds", 0))
        return os.getpid()
"""
WAYS = ["thread", "child", "session", "daemon"]
if sys.platform != "linux":  # there is no /proc in which to find who has left the process group
    WAYS = ["thread", "child"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    code = write(tmp_path_factory.mktemp("functions"), "goes_on", GOES_ON)
    names = ("one", "two", *(f"{way}-{fails}" for way in WAYS for fails in (True, False)))
    return Template(functions={name: Function(name, code, "app.handler", {}, 3) for name in names})


@pytest.fixture(scope="module")
def runtime(template: Template) -> Iterator[LambdaRuntime]:
    with LambdaRuntime(template, max_warm=20) as running:
        yield running


class Ticks:
    """What ticks as long as it is not frozen."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "ticks"

    def stand_still(self) -> bool:
        before = self.file.stat().st_size
        time.sleep(0.15)
        return self.file.stat().st_size == before

    def go_on(self) -> bool:
        before, deadline = self.file.stat().st_size, time.monotonic() + 2
        while self.file.stat().st_size == before and time.monotonic() < deadline:
            time.sleep(0.005)
        return self.file.stat().st_size > before

    def pids(self) -> set[int]:
        return set(map(int, self.file.read_text().split()))


@pytest.fixture
def ticks(tmp_path: Path) -> Ticks:
    return Ticks(tmp_path)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("how", WAYS)
def test_what_goes_on_after_the_answer_stands_still_until_the_next_invocation(
    runtime: LambdaRuntime, ticks: Ticks, how: str, fails: bool
) -> None:
    name = f"{how}-{fails}"
    error = runtime.invoke(name, {"start": how, "file": str(ticks.file), "fail": fails}).error
    assert error == ("RuntimeError" if fails else None)
    with ThreadPoolExecutor(1) as threads:
        for _ in range(2):
            assert ticks.stand_still()
            again = threads.submit(runtime.invoke, name, {"seconds": 0.2})
            assert ticks.go_on()
            assert not again.result().cold
        assert ticks.stand_still()


@pytest.mark.parametrize(("how", "ended"), [*((way, {"end": True}) for way in WAYS[1:]), (WAYS[-1], {"seconds": 30})])
def test_a_function_that_dies_takes_with_it_what_it_started(
    runtime: LambdaRuntime, ticks: Ticks, how: str, ended: dict[str, object]
) -> None:
    assert runtime.invoke("one", {"start": how, "file": str(ticks.file), **ended}).error
    assert all(gone(pid) for pid in ticks.pids())


def test_one_function_is_not_thawed_by_another(runtime: LambdaRuntime, ticks: Ticks) -> None:
    runtime.invoke("one", {"start": "child", "file": str(ticks.file)})
    runtime.invoke("two", {})
    assert ticks.stand_still()


def test_a_process_that_is_killed_while_it_is_frozen_costs_one_call_and_is_reaped(
    runtime: LambdaRuntime, ticks: Ticks
) -> None:
    process = runtime.invoke("one", {"start": WAYS[-1], "file": str(ticks.file)}).payload
    os.kill(process, signal.SIGKILL)
    assert runtime.invoke("one", {}).error == "Runtime.OutOfMemory"  # what Lambda calls a SIGKILL
    assert all(gone(pid) for pid in (process, *ticks.pids()))
    assert runtime.invoke("one", {}).error is None


def test_frozen_processes_end_when_they_are_idle_or_too_many(template: Template, ticks: Ticks) -> None:
    with LambdaRuntime(template, max_warm=1, idle_seconds=0.5) as runtime:
        runtime.invoke("one", {"start": WAYS[-1], "file": str(ticks.file)})
        other = runtime.invoke("two", {}).payload
        assert all(gone(pid) for pid in ticks.pids())
        assert gone(other)


PROGRAM = """
    import signal, sys, threading
    from pathlib import Path
    from local.runtime.endpoint import LambdaRuntime
    from local.runtime.template import Function, Template

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that runs us in its background ignores it

    functions = {"one": Function("one", Path(sys.argv[1]), "app.handler", {}, 30)}
    with LambdaRuntime(Template(functions=functions)) as runtime:
        runtime.invoke("one", {"start": sys.argv[2], "file": sys.argv[3]})
        print(*runtime.pids(), flush=True)
        threading.Event().wait()
"""


def _program(template: Template, way: str, ticks: Ticks) -> tuple[subprocess.Popen[str], list[int]]:
    """It, and the runtime's processes once its function has answered: the one that forks comes first."""
    program = [sys.executable, "-c", dedent(PROGRAM), str(template.functions["one"].code_dir), way, str(ticks.file)]
    main = subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT, start_new_session=True
    )
    assert main.stdout
    return main, [int(pid) for pid in main.stdout.readline().split()]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_frozen_outlives_the_main_process(template: Template, ticks: Ticks, how: signal.Signals) -> None:
    main, processes = _program(template, WAYS[-1], ticks)
    os.killpg(main.pid, how)
    main.communicate(timeout=10)
    assert len(processes) == 2
    assert all(gone(pid) for pid in {*processes, *ticks.pids()})


def test_nothing_frozen_outlives_the_process_that_forks(template: Template, ticks: Ticks) -> None:
    main, processes = _program(template, "child", ticks)
    os.kill(processes[0], signal.SIGKILL)
    main.kill()
    main.communicate(timeout=10)
    assert all(gone(pid) for pid in {*processes, *ticks.pids()})
