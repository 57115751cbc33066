"""What the page makes of an execution's history: events, the way through the graph, what happened in a state."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from local.page import history
from local.page.server import Page
from tests.unit.page_session import START, Session, entered, event, exited


def failed(number: int, error: str = "GitHubDown", cause: str = "") -> dict[str, Any]:
    return event(number, "LambdaFunctionFailed", lambdaFunctionFailedEventDetails={"error": error, "cause": cause})


def scheduled(number: int) -> dict[str, Any]:
    return event(number, "LambdaFunctionScheduled")


def test_a_wait_that_ran_out_is_no_trouble() -> None:
    told = history.events([entered(1, "Wait For Build"), event(2, "TaskTimedOut"), event(3, "TaskFailed")])
    assert [one["kind"] for one in told] == ["entered", "waited", "trouble"]


def way(events: list[dict[str, Any]], status: str = "RUNNING") -> dict[str, Any]:
    return history.way(history.events(events), status)


def test_edges_are_pairs_of_states_entered_one_after_the_other_and_no_others() -> None:
    """A and C were both visited, but nothing led from A to C."""
    told = way([entered(1, "A"), exited(2, "A"), entered(3, "B"), exited(4, "B"), entered(5, "C"), entered(6, "B")])
    assert told["edges"] == [["A", "B"], ["B", "C"], ["C", "B"]]
    assert told["states"] == {"A": "done", "B": "now", "C": "done"}


def test_a_state_that_an_error_led_out_of_is_caught_and_one_that_tried_again_is_done() -> None:
    retried = [entered(1, "Retried"), scheduled(2), failed(3), scheduled(4), event(5, "LambdaFunctionSucceeded")]
    caught = [exited(6, "Retried"), entered(7, "Caught"), scheduled(8), failed(9), exited(10, "Caught")]
    told = way([*retried, *caught, entered(11, "Settle")])
    assert told["states"] == {"Retried": "done", "Caught": "caught", "Settle": "now"}


def test_how_a_state_was_left_last_counts() -> None:
    told = way(
        [entered(1, "A"), scheduled(2), failed(3), exited(4, "A"), entered(5, "B"), entered(6, "A"), exited(7, "A")]
    )
    assert told["states"]["A"] == "now"
    assert way([entered(1, "A"), failed(2), entered(3, "A"), exited(4, "A"), entered(5, "B")])["states"]["A"] == "done"


def test_where_an_execution_ended_shows_how_it_ended() -> None:
    events = [entered(1, "A"), exited(2, "A"), entered(3, "End")]
    ends = {status: way(events, status)["states"]["End"] for status in ("SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT")}
    assert ends == {"SUCCEEDED": "done", "FAILED": "failed", "ABORTED": "failed", "TIMED_OUT": "failed"}
    assert way([], "RUNNING") == {"states": {}, "edges": []}


def phase(number: int, what: str, name: str = "Build", **details: Any) -> dict[str, Any]:
    """An event of a phase itself; with a name where Step Functions gives one."""
    if what in ("Entered", "Exited"):
        details = {f"state{what}EventDetails": {"name": name, **details}}
    return event(number, f"ParallelState{what}", number, **details)


BUILD = [
    entered(1, "Planned?"),
    exited(2, "Planned?"),
    phase(3, "Entered", input='{"n": 1}'),
    phase(4, "Started"),
    entered(5, "Dispatch", 5, input='{"n": 2}'),
    scheduled(6),
]
DONE = [
    exited(7, "Dispatch", 7, output='{"n": 3}'),
    entered(8, "Build Done"),
    exited(9, "Build Done"),
    phase(10, "Succeeded"),
    phase(11, "Exited", output='{"n": 4}'),
]
BROKE = [failed(7, "GitHubDown", "no answer"), phase(8, "Failed"), phase(9, "Exited", output='{"n": 5}')]


def test_the_execution_is_in_the_state_and_in_the_phase_around_it() -> None:
    told = history.events(BUILD)
    assert history.current_state(told) == "Dispatch"
    assert history.way(told, "RUNNING") == {
        "states": {"Planned?": "done", "Build": "now", "Dispatch": "now"},
        "edges": [["Planned?", "Build"], ["Build", "Dispatch"]],
    }
    assert history.way(told, "TIMED_OUT")["states"] == {"Planned?": "done", "Build": "failed", "Dispatch": "failed"}
    assert [one["state"] for one in history.events([*BUILD, *DONE])][-4:] == ["Build Done"] * 2 + ["Build"] * 2


def test_a_phase_that_is_left_leads_on_from_its_last_state() -> None:
    told = history.events([*BUILD, *DONE])
    assert history.current_state(told) == "Build"
    found = way([*BUILD, *DONE, entered(12, "Built?")])
    assert found["states"] == dict.fromkeys(("Planned?", "Build", "Dispatch", "Build Done"), "done") | {"Built?": "now"}
    assert found["edges"][2:] == [["Dispatch", "Build Done"], ["Build Done", "Build"], ["Build", "Built?"]]


def test_a_phase_that_an_error_led_out_of_is_caught_and_its_way_begins_at_the_frame() -> None:
    found = way([*BUILD, *BROKE, entered(10, "Settle")])
    assert found["states"] == {"Planned?": "done", "Build": "caught", "Dispatch": "caught", "Settle": "now"}
    assert found["edges"][2:] == [["Build", "Settle"]]
    again = way([*BUILD, *BROKE, *BUILD[2:], *DONE, entered(12, "Built?")])
    assert again["states"]["Build"] == "done", "only how it was left last counts"


def test_a_phase_has_its_own_input_output_and_error() -> None:
    (visit,) = history.visits([*BUILD, *DONE], "Build")
    assert (visit["input"], visit["output"], visit["errors"], visit["retries"]) == ({"n": 1}, {"n": 4}, [], 0)
    assert visit["left"] - visit["entered"] == 8
    (inner,) = history.visits([*BUILD, *DONE], "Dispatch")
    assert (inner["input"], inner["output"], inner["left"] - inner["entered"]) == ({"n": 2}, {"n": 3}, 2)
    (broken,) = history.visits([*BUILD, *BROKE], "Build")
    assert [one["detail"] for one in broken["errors"]] == ["GitHubDown: no answer"]
    assert broken["output"] == {"n": 5}


def test_every_visit_has_its_input_output_errors_and_retries() -> None:
    first, second = history.visits(
        [
            entered(1, "Poll", 1, input='{"n": 1}'),
            scheduled(2),
            failed(3, "GitHubDown", '{"errorMessage": "GitHub is down.", "trace": ["x"]}'),
            scheduled(4),
            exited(5, "Poll", 3, output='{"n": 2}'),
            entered(6, "Other", 3, input="{}"),
            failed(7),
            exited(8, "Other", 4, output="{}"),
            entered(9, "Poll", 4, input='{"n": 3}'),
            scheduled(10),
        ],
        "Poll",
    )
    assert (first["input"], first["output"], first["retries"]) == ({"n": 1}, {"n": 2}, 1)
    assert first["left"] - first["entered"] == 2
    assert [(one["type"], one["detail"]) for one in first["errors"]] == [
        ("LambdaFunctionFailed", "GitHubDown: GitHub is down.")
    ]
    assert (second["input"], second["output"], second["left"], second["errors"]) == ({"n": 3}, None, None, [])
    assert second["retries"] == 0


def test_an_end_is_entered_and_left_with_the_execution() -> None:
    (visit,) = history.visits(
        [
            entered(1, "Build Failed", 1, input="{}"),
            event(2, "ExecutionFailed", 2, executionFailedEventDetails={"error": "BuildFailed", "cause": "no"}),
        ],
        "Build Failed",
    )
    assert visit["left"] == START.timestamp() + 2
    assert visit["errors"][0]["detail"] == "BuildFailed: no"


def test_the_page_asks_for_the_visits_of_one_state() -> None:
    session = Session()
    session.sfn.add("d-1", "RUNNING", [entered(1, "Planned?", input='{"a": 1}'), exited(2, "Planned?", output="{}")])
    with closing(Page(session)) as page:
        client = page.app.test_client()
        assert client.get("/api/executions/d-1/states/Planned%3F").json["visits"][0]["input"] == {"a": 1}
        assert client.get("/api/executions/d-1/states/Elsewhere").json == {"visits": []}
        assert client.get("/api/executions/d-2/states/Planned%3F").status_code == 404
