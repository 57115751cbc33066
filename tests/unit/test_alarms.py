"""The alarms mean something and reach somebody; what they and the dashboard look at is what is really written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from chatops import edge as limits
from chatops.domain import metrics as measures
from chatops.domain.deployment import Deployment
from tests.unit.emitted_metrics import Metric, emitted
from tests.unit.resolved_template import STACK, Resolved

RESOLVED = Resolved()
ALARMS = RESOLVED.resources("AWS::CloudWatch::Alarm")
(DASHBOARD,) = RESOLVED.resources("AWS::CloudWatch::Dashboard").values()
BODY: dict[str, Any] = json.loads(DASHBOARD["DashboardBody"])
WIDGETS: list[dict[str, Any]] = BODY["widgets"]
SEARCH = re.compile(
    r"""SEARCH\('\{(?P<schema>[\w/,]+)\} MetricName="(?P<name>\w+)" service="(?P<stack>[\w-]+)"', """
    r"""'(?P<stat>Sum|p50)', (?P<period>\d+)\)"""
)
FROM_AWS: dict[str, tuple[set[str], set[str]]] = {
    # https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
    "AWS/States": (
        {"ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsAborted", "ExecutionsTimedOut", "ExecutionThrottled"},
        {"StateMachineArn"},
    ),
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    "AWS/Lambda": ({"Throttles", "Duration"}, {"FunctionName"}),
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
    "AWS/ApiGateway": ({"Count", "4xx", "5xx"}, {"ApiId", "Stage"}),
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    "AWS/SQS": ({"ApproximateNumberOfMessagesVisible"}, {"QueueName"}),
}


def expressions() -> Iterator[str]:
    for widget in WIDGETS:
        rows = widget["properties"].get("metrics", [])
        yield from (row[0]["expression"] for row in rows if isinstance(row[0], dict))


SEARCHES = [found for text in expressions() for found in SEARCH.finditer(text)]


def watched(alarm: dict[str, Any]) -> Iterator[Metric]:
    """What an alarm looks at."""
    single = [alarm] if "MetricName" in alarm else []
    for each in [*single, *(m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m)]:
        yield each["Namespace"], each["MetricName"], frozenset(d["Name"] for d in each["Dimensions"])


def shown() -> Iterator[Metric]:
    """What the dashboard looks at."""
    for widget in WIDGETS:
        for row in widget["properties"].get("metrics", []):
            if isinstance(row[0], str):
                namespace, name, *pairs = row[:-1]
                yield namespace, name, frozenset(pairs[::2])
    for found in SEARCHES:
        namespace, *dimensions = found["schema"].split(",")
        yield namespace, found["name"], frozenset(dimensions)


def filtered() -> Iterator[Metric]:
    """What a log's filter counts."""
    for each in RESOLVED.resources("AWS::Logs::MetricFilter").values():
        for made in each["MetricTransformations"]:
            dimensions = frozenset(d["Key"] for d in made["Dimensions"])
            yield made["MetricNamespace"], made["MetricName"], dimensions


def test_every_metric_of_ours_that_is_looked_at_is_written_with_exactly_these_dimensions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written = {*emitted(capsys), *filtered()}
    looked_at = {*shown(), *(m for alarm in ALARMS.values() for m in watched(alarm))}
    ours = {metric for metric in looked_at if metric[0] == "ChatOps"}
    assert ours <= written
    assert {"ChangesMade", "ChangesFailed", "LeadTime", "TimeToRestore", "SweepFound"} <= {name for _, name, _ in ours}
    # written by the functions under the stack's name, which is what is asked for
    for namespace, name, dimensions in looked_at - ours:
        names, wanted = FROM_AWS[namespace]
        assert name in names, name
        assert dimensions == wanted, name


def test_the_access_log_names_what_its_filter_counts_by() -> None:
    (api,) = RESOLVED.resources("AWS::Serverless::HttpApi").values()
    line = json.loads(api["AccessLogSettings"]["Format"])
    (counted,) = RESOLVED.resources("AWS::Logs::MetricFilter").values()
    assert line["service"] == STACK, "as the functions' own metrics have it"
    assert line["status"] == "$context.status"
    assert counted["FilterPattern"] == '{ $.status = "429" }'
    assert counted["MetricTransformations"][0]["Dimensions"] == [{"Key": "service", "Value": "$.service"}]


def test_everything_is_asked_for_under_this_stacks_name() -> None:
    text = json.dumps([ALARMS, BODY])
    assert {found["stack"] for found in SEARCHES} == {STACK}
    assert all(text.count("SEARCH(") == len(SEARCH.findall(text)) > 0 for text in expressions())
    assert set(re.findall(r'"Name": "service", "Value": "([^"]+)"', text)) == {STACK}


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_fires_at_the_first_trouble_and_leads_to_the_runbook(name: str) -> None:
    alarm = ALARMS[name]
    text = alarm["AlarmDescription"]
    assert text.endswith(f"Runbook: {alarm['AlarmName'].removeprefix(f'{STACK}-')}")
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    assert 150 < len(text) <= 1024
    assert (alarm["EvaluationPeriods"], alarm["ComparisonOperator"]) == (1, "GreaterThanThreshold")
    # sweep reports every five minutes whatever it finds: silence means that it does not run
    speaks = name == "SweepFoundAlarm"
    assert alarm["TreatMissingData"] == ("missing" if speaks else "notBreaching")
    assert ("InsufficientDataActions" in alarm) is speaks
    # what people decided ends as a success of the machine, and is counted as such
    names = {metric for _, metric, _ in watched(alarm)}
    assert not any(metric.startswith(("ExecutionsSucceeded", "Deployments", "Changes", "4xx")) for metric in names)
    # of several metrics it makes one figure
    parts = alarm.get("Metrics", [])
    measured = [part for part in parts if "MetricStat" in part]
    assert len(measured) <= 10  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html
    assert [part for part in parts if part.get("ReturnData", True)] == parts[: 1 if parts else 0]
    for part in measured:
        expression = parts[0]["Expression"]
        assert "METRICS()" in expression or part["Id"] in expression


def test_what_people_decided_is_no_failed_change() -> None:
    for end in ("Rejected", "Expired", "Cancelled", "Refused", "Reported"):
        assert measures.of(end, Deployment("d-1"), 0, 1.0) == {}


def test_every_function_that_is_refused_its_place_raises_an_alarm() -> None:
    throttled = {
        dimension["Value"]
        for alarm in ALARMS.values()
        for part in alarm.get("Metrics", [])
        for dimension in part.get("MetricStat", {}).get("Metric", {}).get("Dimensions", [])
        if part["MetricStat"]["Metric"]["MetricName"] == "Throttles"
    }
    # an event of sweep's or wake's waits for its place, and lies in the queue with the alarm if it gets none
    # reconcile runs only after another step has failed for ten minutes, and is tried for two hours itself
    others = {"SweepFunction", "WakeFunction", "ReconcileFunction"}
    everybody = RESOLVED.resources("AWS::Serverless::Function").keys() - others
    assert throttled == {f"<{name}>" for name in everybody}


def test_slow_means_later_than_the_edges_own_limit_and_sooner_than_slacks() -> None:
    assert limits.BUDGET * 1000 < ALARMS["SlackSlowAlarm"]["Threshold"] < 3000


def test_the_api_is_throttled_as_the_parameters_say() -> None:
    (api,) = Resolved({"ApiRateLimit": "7", "ApiBurstLimit": "9"}).resources("AWS::Serverless::HttpApi").values()
    settings = api["DefaultRouteSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == ("7", "9")


TOPIC, MAIL = {"AlarmTopicArn": "arn:aws:sns:eu-west-1:1:ops"}, {"AlarmEmail": "ops@example.com"}
OWN = {"AWS::SNS::Topic", "AWS::SNS::TopicPolicy"}


@pytest.mark.parametrize(
    ("given", "made", "heard_by"),
    [
        ({}, OWN, "<AlarmTopic>"),
        (MAIL, {*OWN, "AWS::SNS::Subscription"}, "<AlarmTopic>"),
        (TOPIC, set(), TOPIC["AlarmTopicArn"]),
        (TOPIC | MAIL, set(), TOPIC["AlarmTopicArn"]),
    ],
    ids=["nothing given", "an address", "a topic", "both: the topic"],
)
def test_alarms_reach_somebody(given: dict[str, str], made: set[str], heard_by: str) -> None:
    resolved = Resolved(given)
    assert {kind for kind in {*OWN, "AWS::SNS::Subscription"} if resolved.resources(kind)} == made
    for name, alarm in resolved.resources("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == [heard_by], name
        assert alarm.get("InsufficientDataActions", [heard_by]) == [heard_by], name
    for mail in resolved.resources("AWS::SNS::Subscription").values():
        assert mail == {"TopicArn": "<AlarmTopic>", "Protocol": "email", "Endpoint": "ops@example.com"}
    assert resolved.outputs()["AlarmTopicArn"] == heard_by


def test_the_dashboard_shows_every_alarm_and_nothing_over_something_else() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"""
    (alarms,) = [widget for widget in WIDGETS if widget["type"] == "alarm"]
    assert sorted(alarms["properties"]["alarms"]) == sorted(f"<{name}.Arn>" for name in ALARMS)
    taken: set[tuple[int, int]] = set()
    for widget in WIDGETS:
        columns = range(widget["x"], widget["x"] + widget["width"])
        assert columns.stop <= 24
        cells = {(x, y) for x in columns for y in range(widget["y"], widget["y"] + widget["height"])}
        assert not cells & taken, widget["properties"]["title"]
        taken |= cells
        if widget["type"] == "metric":
            assert widget["properties"]["region"] == "eu-west-1"
            assert widget["properties"]["view"] in ("timeSeries", "singleValue")


def test_the_outputs_lead_where_people_go_next() -> None:
    outputs = RESOLVED.outputs()
    base = "https://<HttpApi>.execute-api.eu-west-1.amazonaws.com/prod"
    assert outputs["ChatOpsUrl"] == base
    assert outputs["ChatOpsAudience"] == "platform-deploy:123456789012:eu-west-1:platform-deploy"
    assert outputs["SlackRequestUrl"] == f"{base}/slack/events"
    assert outputs["DashboardConsole"].endswith("#dashboards/dashboard/<Dashboard>")
    assert outputs["StateMachineConsole"].endswith("#/statemachines/view/<DeployStateMachine>")
    trusted = (f"<{name}FunctionRole.Arn>" for name in ("Plan", "Ecs", "Promote", "Reconcile", "Restore"))
    assert outputs["TargetRoleTrusts"] == ",".join(trusted)
