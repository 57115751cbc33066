"""The Lambda runtime: functions in processes of their own, and how they fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from local.runtime.endpoint import LambdaRuntime, ServiceFault
from local.runtime.environment import base_environment
from local.runtime.process import Zygote
from local.runtime.template import Function, Template, function_arn
from local.runtime.turns import Turns

ROOT = Path(__file__).resolve().parents[2]
WORK = """
    import os, signal, sys, time

    loaded = time.time()

    class TeapotError(Exception):
        '''A function's own error.'''

    def handler(event, context):
        what = event.get("do")
        if what == "raise":
            raise TeapotError("short and stout")
        if what == "exit":
            os._exit(3)
        if what == "leave":
            sys.exit(4)
        if what == "leave well":
            sys.exit(0)
        if what == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "sleep":
            time.sleep(event["seconds"])
        if what == "print":
            print("to stdout é"); print("to stderr", file=sys.stderr); os.write(1, b"raw\\n")
        if what == "return":
            return {"set": {1, 2}, "nan": float("nan"), "large": "x" * 6_300_000}[event["which"]]
        if what == "context":
            return {name: getattr(context, name) for name in (
                "aws_request_id", "function_name", "function_version", "invoked_function_arn", "memory_limit_in_mb",
            )} | {"left": context.get_remaining_time_in_millis()}
        if what == "environment":
            return dict(os.environ)
        if what == "path":
            return sys.path
        if what == "modules":
            return {"app": sys.modules["app"].__file__, "shared": __import__("common").NAME}
        return {"pid": os.getpid(), "event": event}
"""
BROKEN = "import nothing_like_this"
HEADLESS = "value = 1"
FAILING = "raise RuntimeError('at import')"
TYPO = "def handler(event, context)"


def write(folder: Path, name: str, code: str) -> Path:
    place = folder / name
    place.mkdir(parents=True)
    (place / "app.py").write_text(dedent(code))
    return place


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("functions")


@pytest.fixture(scope="module")
def template(folder: Path) -> Template:
    shared = folder / "shared"
    shared.mkdir()
    (shared / "common.py").write_text("NAME = 'from the layer'")
    codes = {"work": WORK, "other": WORK, "broken": BROKEN, "headless": HEADLESS, "failing": FAILING, "typo": TYPO}
    functions = {
        name: Function(name, write(folder, name, code), "app.handler", {"OWN": name}, 1, 256)
        for name, code in codes.items()
    }
    return Template(functions=functions, layer_dirs=(shared,))


@pytest.fixture(scope="module")
def runtime(template: Template, folder: Path) -> Iterator[LambdaRuntime]:
    with LambdaRuntime(template, {"ADDED": "1"}, log_dir=folder / "logs") as running:
        yield running


def pid(runtime: LambdaRuntime, name: str = "work") -> int:
    return int(runtime.invoke(name, {}).payload["pid"])


def gone(process: int, within: float = 30.0) -> bool:
    """Whether it ends in time. A zombie has ended: some machines' first process reaps only every other second."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        with suppress(OSError):  # where there is a /proc
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        time.sleep(0.01)
    return False


def test_a_function_answers_and_stays_warm(runtime: LambdaRuntime) -> None:
    before = runtime.invocations["work"]
    first, second = (runtime.invoke("work", {"a": "é"}) for _ in range(2))
    assert (first.error, first.payload["event"]) == (None, {"a": "é"})
    assert second.payload["pid"] == first.payload["pid"] != os.getpid()
    assert not second.cold
    assert runtime.invocations["work"] == before + 2


def test_functions_do_not_share_a_process_nor_a_module(runtime: LambdaRuntime, folder: Path) -> None:
    assert pid(runtime, "other") != pid(runtime)
    for name in ("work", "other"):
        found = runtime.invoke(name, {"do": "modules"}).payload
        assert found == {"app": str(folder / name / "app.py"), "shared": "from the layer"}


def test_functions_find_their_own_folder_and_the_layer_first_and_not_this_repository(
    runtime: LambdaRuntime, folder: Path
) -> None:
    path = runtime.invoke("work", {"do": "path"}).payload
    assert path[:2] == [str(folder / "work"), str(folder / "shared")]
    assert not {"", str(ROOT)} & set(path)


def test_the_environment_is_lambdas_and_the_functions_not_ours(
    runtime: LambdaRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_PERSONAL_ACCESS_TOKEN", "ghp_canary")
    process = pid(runtime)
    runtime.invoke("work", {"do": "exit"})
    assert pid(runtime) != process
    environment = runtime.invoke("work", {"do": "environment"}).payload
    assert "GITHUB_PERSONAL_ACCESS_TOKEN" not in environment
    wanted = {"OWN": "work", "ADDED": "1", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test"}
    wanted |= {"AWS_LAMBDA_FUNCTION_NAME": "work", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256"}
    assert wanted.items() <= environment.items()
    assert environment["LAMBDA_TASK_ROOT"].endswith("/work")


def test_what_of_our_environment_is_passed_on() -> None:
    ours = {"PATH": "/bin", "TZ": "UTC", "SLACK_BOT_TOKEN": "xoxb", "PYTHONPATH": "/x"}
    assert base_environment(ours) == {"PATH": "/bin", "TZ": "UTC", "NO_PROXY": "*", "no_proxy": "*"}
    proxied = base_environment({"HTTPS_PROXY": "http://p", "no_proxy": "corp"})
    assert proxied["HTTPS_PROXY"] == "http://p"
    assert proxied["NO_PROXY"] == proxied["no_proxy"] == "corp,127.0.0.1,localhost,::1"


def test_the_context(runtime: LambdaRuntime) -> None:
    invocation = runtime.invoke("work", {"do": "context"})
    left = invocation.payload.pop("left")
    assert 0 < left <= 1000
    assert invocation.payload == {
        "aws_request_id": invocation.request_id,
        "function_name": "work",
        "function_version": "$LATEST",
        "invoked_function_arn": function_arn("work"),
        "memory_limit_in_mb": "256",
    }


def test_an_exception_is_reported_and_the_process_lives_on(runtime: LambdaRuntime) -> None:
    process = pid(runtime)
    invocation = runtime.invoke("work", {"do": "raise"})
    assert invocation.error == "TeapotError"
    assert invocation.payload["errorMessage"] == "short and stout"
    assert 'raise TeapotError("short and stout")' in "".join(invocation.payload["stackTrace"])
    assert "TeapotError: short and stout" in invocation.log
    assert pid(runtime) == process


@pytest.mark.parametrize(
    ("what", "kind", "how"),
    [
        ("exit", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("leave", "Runtime.ExitError", "Runtime exited with error: exit status 4"),
        ("leave well", "Runtime.ExitError", "Runtime exited without providing a reason"),
        ("crash", "Runtime.ExitError", "Runtime exited with error: signal: segmentation fault"),
        ("kill", "Runtime.OutOfMemory", "Runtime exited with error: signal: killed"),
    ],
)
def test_a_process_that_ends_has_lambdas_error_and_the_next_call_gets_a_fresh_one(
    runtime: LambdaRuntime, what: str, kind: str, how: str
) -> None:
    process = pid(runtime)
    invocation = runtime.invoke("work", {"do": what})
    text = f"RequestId: {invocation.request_id} Error: {how}"
    assert (invocation.error, invocation.payload["errorMessage"]) == (kind, text)
    again = runtime.invoke("work", {})
    assert (again.cold, again.error) == (True, None)
    assert again.payload["pid"] != process
    assert gone(process)


def test_a_process_killed_between_two_calls_costs_one_of_them(runtime: LambdaRuntime) -> None:
    process = pid(runtime)
    os.kill(process, 9)
    assert runtime.invoke("work", {}).error == "Runtime.OutOfMemory"
    assert runtime.invoke("work", {}).error is None


def test_a_timeout_kills_the_process(runtime: LambdaRuntime) -> None:
    process = pid(runtime)
    begun = time.monotonic()
    invocation = runtime.invoke("work", {"do": "sleep", "seconds": 30})
    assert 0.9 < time.monotonic() - begun < 15
    assert invocation.error == "Sandbox.Timedout"
    assert invocation.payload["errorMessage"].endswith(f"{invocation.request_id} Task timed out after 1.00 seconds")
    assert gone(process)
    assert runtime.invoke("work", {}).error is None


@pytest.mark.parametrize("which", ["set", "nan", "large"])
def test_what_cannot_be_an_answer(runtime: LambdaRuntime, which: str) -> None:
    invocation = runtime.invoke("work", {"do": "return", "which": which})
    wanted = "Function.ResponseSizeTooLarge" if which == "large" else "Runtime.MarshalError"
    assert invocation.error == invocation.payload["errorType"] == wanted


def test_code_that_cannot_be_loaded_names_what_is_wrong_and_is_tried_anew(runtime: LambdaRuntime, folder: Path) -> None:
    missing = runtime.invoke("broken", {})
    assert missing.error == "Runtime.ImportModuleError"
    assert "No module named 'nothing_like_this'" in missing.payload["errorMessage"]
    assert runtime.invoke("headless", {}).error == "Runtime.HandlerNotFound"
    assert runtime.invoke("failing", {}).error == "RuntimeError"
    assert runtime.invoke("typo", {}).error == "Runtime.UserCodeSyntaxError"
    (folder / "broken" / "app.py").write_text("def handler(event, context):\n    return 'fixed'\n")
    assert runtime.invoke("broken", {}).payload == "fixed"


def test_what_a_function_prints_goes_to_its_log(runtime: LambdaRuntime, folder: Path) -> None:
    invocation = runtime.invoke("work", {"do": "print"})
    assert invocation.log == "to stdout é\nto stderr\n"
    log = (folder / "logs" / "work.log").read_text()
    for line in ("to stdout é", "to stderr", "raw", f"START RequestId: {invocation.request_id}"):
        assert line in log
    assert oct((folder / "logs" / "work.log").stat().st_mode)[-3:] == "600"


def test_calls_at_once_get_processes_of_their_own(runtime: LambdaRuntime) -> None:
    with ThreadPoolExecutor(4) as threads:
        calls = threads.map(lambda _: runtime.invoke("work", {"do": "sleep", "seconds": 0.3}).payload, range(4))
        pids = {payload["pid"] for payload in calls}
    assert len(pids) == 4


def test_unknown_functions_and_faults_on_demand(runtime: LambdaRuntime) -> None:
    with pytest.raises(KeyError):
        runtime.invoke("nobody", {})
    before = runtime.invocations["work"]
    asked: list[Any] = []

    def once(name: str, event: Any) -> ServiceFault | None:
        asked.append((name, event))
        return ServiceFault(429, "TooManyRequestsException") if len(asked) == 1 else None

    runtime.faults = once
    try:
        with pytest.raises(ServiceFault, match="TooManyRequestsException"):
            runtime.invoke("work", {"n": 1})
        assert runtime.invoke("work", {"n": 2}).error is None
    finally:
        runtime.faults = None
    assert asked == [("work", {"n": 1}), ("work", {"n": 2})]
    assert runtime.invocations["work"] == before + 1


def test_a_watcher_sees_each_call(runtime: LambdaRuntime) -> None:
    seen: list[Any] = []
    runtime.on_invocation = lambda name, event, invocation: seen.append((name, event, invocation.error))
    try:
        runtime.invoke("work", {"do": "raise"})
    finally:
        runtime.on_invocation = None
    assert seen == [("work", {"do": "raise"}, "TeapotError")]


def test_idle_processes_end_and_at_most_max_warm_are_kept(template: Template) -> None:
    with LambdaRuntime(template, max_warm=1, idle_seconds=0.3) as runtime:
        first, second = pid(runtime, "work"), pid(runtime, "other")
        assert gone(first)
        assert pid(runtime, "other") == second
        assert gone(second)
        assert len(runtime.pids()) == 1
        assert runtime.invoke("other", {}).cold


def test_closing_ends_every_process_even_a_busy_one(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Zygote, "kept", None)
    runtime = LambdaRuntime(template)
    idle = pid(runtime)
    with ThreadPoolExecutor(1) as threads:
        busy = threads.submit(runtime.invoke, "other", {"do": "sleep", "seconds": 0.9})
        while len(runtime.pids()) < 3:
            time.sleep(0.01)
        processes = runtime.pids()
        runtime.close()
        assert busy.exception(10) or busy.result().error, "it did not sleep to its end"
        assert idle in processes
        assert all(gone(process) for process in processes)
        assert busy.exception() is not None or json.dumps(busy.result().payload)
    runtime.close()


PROGRAM = """
    import signal, sys, threading
    from pathlib import Path
    from local.runtime.endpoint import LambdaRuntime
    from local.runtime.template import Function, Template

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that runs us in its background ignores it

    functions = {"work": Function("work", Path(sys.argv[1]), "app.handler", {}, 30)}
    with LambdaRuntime(Template(functions=functions)) as runtime:
        print(runtime.invoke("work", {}).payload["pid"], *runtime.pids(), flush=True)
        threading.Thread(target=runtime.invoke, args=("work", {"do": "sleep", "seconds": 20}), daemon=True).start()
        threading.Event().wait()
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_the_main_process(folder: Path, template: Template, how: signal.Signals) -> None:
    """Ctrl-C reaches the whole group of the terminal; SIGKILL gives nobody the chance to tidy up."""
    program = [sys.executable, "-c", dedent(PROGRAM), str(template.functions["work"].code_dir)]
    main = subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    )
    assert main.stdout
    processes = [int(number) for number in main.stdout.readline().split()]
    time.sleep(0.2)
    os.killpg(main.pid, how)
    _, errors = main.communicate(timeout=10)
    assert all(gone(process) for process in processes)
    # The program's own KeyboardInterrupt, and not one from any of the others.
    assert errors.count("KeyboardInterrupt") == (1 if how is signal.SIGINT else 0)


def test_calls_that_a_person_waits_for_come_first() -> None:
    turns, order = Turns(1), list[str]()
    begun, go = threading.Event(), threading.Event()

    def work(name: str, *, first: bool) -> None:
        with turns.turn(first=first):
            order.append(name)
            begun.set()
            assert go.wait(10)

    with ThreadPoolExecutor(3) as threads:
        threads.submit(work, "one", first=False)
        assert begun.wait(10)
        for number, (name, first) in enumerate((("two", False), ("edge", True)), 1):
            threads.submit(work, name, first=first)
            while turns.waiting < number:
                threading.Event().wait(0.001)
        go.set()
    assert order == ["one", "edge", "two"]


def test_no_more_work_at_once_than_may(template: Template) -> None:
    with LambdaRuntime(template, max_busy=2) as runtime, ThreadPoolExecutor(6) as threads:
        calls = threads.map(lambda _: runtime.invoke("work", {"do": "sleep", "seconds": 0.1}).payload, range(6))
        assert len({payload["pid"] for payload in calls}) <= 2
