"""What people read in Slack: whole, within Slack's limits, and with nothing in it that a person smuggled in."""

from __future__ import annotations

import copy
import dataclasses
import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from chatops.domain import codec
from chatops.domain.errors import SlackRefused
from chatops.domain.plan import Plan
from chatops.messages import card, details, lines, outcome, reports, who
from chatops.messages.catalogue import date, escape, link, mention, plain, reason_text, say
from chatops.messages.parts import clip
from chatops.slack import posting
from fakes.slack.blocks import accepted
from fakes.slack.limits import MESSAGE_TEXT, UPDATED_TEXT
from tests.unit import views
from tests.unit.views import BACK, CONSOLE, ENDS, ID, PHASES, PLAN, STATES, State

LANGUAGES = ("en", "ko")
Message = dict[str, Any]

OURS = re.compile(
    r"<@[UW][A-Z0-9]{2,20}>"
    r"|<!subteam\^S[A-Z0-9]{2,20}>"
    r"|<!date\^\d+\^\{date_short_pretty\} \{time\}\|[0-9 :-]+ UTC>"
    r"|<https?://[^\s<>|]+\|[^<>]*>"
)
"""The only markup in angle brackets that we write."""
PEOPLE = {"U0DANA001", "U0LEE0001", "U0KIM0001"}


@pytest.fixture(params=LANGUAGES)
def spoken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CHATOPS_LANG", request.param)
    return str(request.param)


def texts(node: Any) -> Iterator[tuple[str, str]]:
    """Every text in a message with its kind: mrkdwn, plain_text, or the name of the field it stands in."""
    if isinstance(node, dict):
        if node.get("type") in ("mrkdwn", "plain_text"):
            yield node["type"], node["text"]
            assert node["type"] == "plain_text" or node["verbatim"] is True, "Slack would look for mentions in it"
            return
        for key, value in node.items():
            if isinstance(value, str):
                yield key, value
            else:
                yield from texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from texts(item)


def check(message: Message, most: int = UPDATED_TEXT) -> None:
    """Slack takes it; and every bracket, mention and entity in it is one that we wrote."""
    blocks = message.get("blocks", [])
    accepted(blocks)
    for block in Block.parse_all(blocks):
        block.validate_json()
    assert 0 < len(message["text"]) <= most
    for kind, text in (("mrkdwn", message["text"]), *texts(blocks)):
        if kind == "mrkdwn":
            bare = OURS.sub("", text)
            assert not set("<>") & set(bare), text
            assert not re.search(r"&(?!amp;|lt;|gt;)", bare), text
            assert text.count("`") % 2 == 0, text
            assert set(re.findall(r"<@(\w+)>", text)) <= PEOPLE, text
            assert set(re.findall(r"<!subteam\^(\w+)>", text)) <= {"S0PLATF01"}, text
        elif kind in ("plain_text", "alt_text"):
            assert not set("<>") & set(text), text
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text), ascii(text)
    json.dumps(message, ensure_ascii=False).encode()


@pytest.mark.parametrize("name", STATES)
def test_slack_takes_the_message_of_every_phase_and_every_end(name: str, spoken: str) -> None:
    check(card.message(views.seen(STATES[name])))


@pytest.mark.parametrize("name", STATES)
def test_the_text_reads_alone(name: str, spoken: str) -> None:
    """For notifications and screen readers: what and where, in whole sentences without gaps."""
    state = STATES[name]
    text = card.message(views.seen(state))["text"]
    assert state["plan"]["version"] in text or state["plan"]["previous"]["version"] in text
    assert state["plan"]["target"] in text
    assert not re.search(r"[{}]|None|  |: *$|: *[.;,]|\(\)|``|^\s|\s$", OURS.sub("x", text)), text
    title, _, rest = text.partition(". ")
    assert title not in rest, "it is said once"
    assert name in PHASES or text.rstrip(".").splitlines()[0] == text.rstrip(".") or "ECS" in text


def test_a_failed_run_is_linked_to_the_failed_jobs_log() -> None:
    state = ENDS["Build Failed"]
    log = f"{views.RUN['run_url']}/job/7"
    assert f"<{log}|run #4411>" in outcome.sentence(views.seen({**state, "build": {**views.BROKE, "log_url": log}}))


@pytest.mark.parametrize("end", ["Rejected", "Expired", "Cancelled"])
def test_the_command_to_ask_again_is_the_one_that_was_asked(end: str, spoken: str) -> None:
    assert "`/platform-deploy v1.2.3 prod`" in outcome.sentence(views.seen(ENDS[end]))
    assert "`/platform-rollback v1.2.1 prod`" in outcome.sentence(views.seen({**ENDS[end], "plan": BACK}))


@pytest.mark.parametrize(
    ("commits", "behind", "live", "text"),
    [
        (1, 0, "v1.2.2", "1 commit"),
        (3, 0, "v1.2.2", "3 commits"),
        (0, 1, "v1.2.2", "goes back 1 commit"),
        (1, 2, "v1.2.2", "1 commit added, 2 commits taken back"),
        (1, 2, "v2.0.0", "1 commit added, 2 commits taken back (an older version than the live one)"),
    ],
)
def test_the_card_and_the_dry_run_say_what_is_taken_back(commits: int, behind: int, live: str, text: str) -> None:
    changed = {"url": CONSOLE, "commits": commits, "behind": behind}
    plan = codec.read(Plan, {**PLAN, "changes": changed, "live": {"version": live}})
    shown = lines.changes_text(plan)
    linked, _, older = text.partition(" (")
    assert shown == f"<{CONSOLE}|{linked}>" + (f" · ⚠️ {older.rstrip(')')}" if older else "")
    assert f"*Changes*\n{shown}" in [one["text"] for one in reports.dry_run(plan)["blocks"][1]["fields"]]


def test_a_version_that_is_live_already_is_told_as_that_until_people_have_decided(spoken: str) -> None:
    plan = {**PLAN, "live": {"version": "v1.2.2", "sha": PLAN["sha"]}}
    said = say("already_live", target="prod", version="v1.2.3")
    assert reports.dry_run(views.plan_of(plan))["text"].endswith(f"⚠️ {said}")
    for name in ("planned", "approval", "rollout"):
        shown = card.message(views.seen({**STATES[name], "plan": plan}))
        assert (said in json.dumps(shown, ensure_ascii=False)) is (name != "rollout")
    for other in ({"version": "v1.2.2"}, {"version": "v1.2.3", "sha": "5" * 40}, {}):
        assert lines.notes(views.plan_of({**PLAN, "live": other})) == []
    assert lines.notes(views.plan_of({**PLAN, "live": {"version": "v1.2.3"}})) == [f"⚠️ {said}"]


def test_a_dry_run_says_who_holds_the_target(spoken: str) -> None:
    values = {"target": "prod", "id": ID, "version": "v1.2.2", "user": "U0LEE0001", "since": "", "execution": ""}
    why = {"key": "busy", "values": {**values, "running": {"key": "running_unknown", "values": {}}}}
    plan = views.plan_of({**PLAN, "verdict": "dry_run", "refusal": why})
    assert reports.dry_run(plan)["text"].endswith(f"⚠️ {reason_text(plan.refusal)}")


@pytest.mark.parametrize("name", sorted(ENDS))
def test_an_ended_card_shows_no_rollout_as_going_on(name: str) -> None:
    shown = json.dumps(card.message(views.seen(ENDS[name])))
    for text in ("Rolling out", "Rolling back", "Waiting to start", "In a state that"):
        assert f"*Rollout*\\n{text}" not in shown
        assert f"*Rollout*\\n\\u23ea {text}" not in shown


def test_what_people_should_know_about_a_version_is_shown_until_they_have_decided() -> None:
    plan = {**PLAN, "note": {"key": "tag_and_branch", "values": {"version": "main", "branch": "main@1a2b3c4"}}}
    said = "`main` is a tag and a branch, and the tag is what is deployed. For the branch: `main@1a2b3c4`."
    assert reports.dry_run(views.plan_of(plan))["text"].endswith(f"⚠️ {said}")
    for name in ("planned", "approval", "rollout"):
        shown = json.dumps(card.message(views.seen({**STATES[name], "plan": plan})), ensure_ascii=False)
        assert (said in shown) is (name != "rollout")


def test_however_late_slack_takes_the_message_it_says_how_long_the_deployment_took() -> None:
    ended = {**ENDS["Deployed"], "outcome": {**ENDS["Deployed"]["outcome"], "seconds": 18.2}}
    seen = views.seen(ended)
    late = dataclasses.replace(seen, now=seen.now + 63)
    assert "Took 18s" in card.message(seen)["text"]
    assert card.message(late) == card.message(seen)
    assert details.reply(late) == details.reply(seen)


def test_the_card_says_who_cannot_see_it() -> None:
    approval = {**PLAN["approval"], "outside": ["U0KIM0001"]}
    text = json.dumps(card.message(views.seen({**PHASES["approval"], "plan": {**PLAN, "approval": approval}})))
    assert "<@U0KIM0001> can't see this channel. Invite them" in text
    assert "can't see this channel" not in json.dumps(card.message(views.seen(PHASES["approval"])))


def test_of_many_people_it_says_how_many_more_there_are() -> None:
    many = tuple(f"U0MANY{n:03}" for n in range(12))
    assert who.people(many).endswith("<@U0MANY009> and 2 more")
    assert who.people(many[:10]).endswith("<@U0MANY009>")
    assert say("approved_by", people=many).endswith("and 2 more.")


@pytest.mark.parametrize(("kind", "desired", "shown"), [("ecs", 0, True), ("ecs", 4, False), ("codedeploy", 0, False)])
def test_a_version_of_which_nothing_runs_is_live_and_said_to_be_untried(kind: str, desired: int, shown: bool) -> None:
    """ECS calls the rollout of a service that wants no task complete at once."""
    rollout = {**views.HEALTHY, "running": desired, "desired": desired}
    up = {**views.UP, "plan": {**views.PLAN, "kind": kind}, "rollout": rollout}
    message = str(card.message(views.seen({**up, "outcome": views._outcome("Deployed")})))
    assert ("⚠️ The service is set to run 0 tasks" in message) == shown


def test_who_approves_sees_that_nothing_was_tested() -> None:
    phase = PHASES["approval"]
    untested, tested = (
        card.message(views.seen({**phase, "build": {**phase["build"], "outputs": {"tests": told}}}))
        for told in ("none", "passed")
    )
    assert "⚠️ Nothing was tested" in str(untested)
    assert "Nothing was tested" not in str(tested)


# buttons and pictures


def buttons(state: State) -> dict[str, dict[str, Any]]:
    found = [b for b in card.message(views.seen(state))["blocks"] if b["type"] == "actions"]
    return {e["action_id"]: e for b in found for e in b["elements"]}


@pytest.mark.parametrize("name", STATES)
def test_a_button_carries_the_deployment_id_and_nothing_secret(name: str) -> None:
    """At a pause also which: its mark is a hash."""
    state = copy.deepcopy(STATES[name])
    for fact in state.values():
        fact |= {"token": "AQCEAAAAKgAAAAM", "ticket": "tkt-canary"}
    message = card.message(views.seen(state))
    assert not re.search(r"AQCE|canary", json.dumps(message))
    for action, button in buttons(state).items():
        pause = action in ("promote", "pause_roll_back")
        assert button["value"] == (f"{ID}/{views.PAUSE['mark']}" if pause else ID)
        assert set(button) <= {"type", "text", "action_id", "value", "style", "confirm"}
        assert pause or action in ("approve", "reject", "cancel", "roll_back")
        assert action == "reject" or "confirm" in button


def test_buttons_are_there_exactly_while_they_can_do_something() -> None:
    assert set(buttons(PHASES["approval"])) == {"approve", "reject", "cancel"}
    assert set(buttons(PHASES["approval of a rollback"])) == {"approve", "reject", "cancel"}
    assert set(buttons(PHASES["approved"])) == {"cancel"}
    assert set(buttons(PHASES["rollout"])) == {"cancel"}
    assert set(buttons(PHASES["paused"])) == {"promote", "pause_roll_back"}
    assert set(buttons(PHASES["CodeDeploy waits"])) == {"promote", "pause_roll_back"}
    assert set(buttons(PHASES["promoted"])) == {"cancel"}, "what was decided is not asked again"
    assert buttons(PHASES["nobody promoted it"]) == {}
    assert buttons(PHASES["restoring"]) == {}
    assert buttons(PHASES["rollback stage"]) == {}
    assert not any({"approve", "reject"} & set(buttons(ENDS[name])) for name in ENDS)


def image(state: State, gifs: dict[str, str]) -> str:
    message = card.message(views.seen(state, gifs))
    check(message)
    return next((b["image_url"] for b in message["blocks"] if b["type"] == "image"), "")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *[("build runs", "deploying"), ("rollout", "deploying"), ("restoring", "deploying")],
        *[("Deployed", "success"), ("Restored", "success"), ("Rolled Back", "failure"), ("Build Failed", "failure")],
        *[("Deploy Failed", "failure"), ("Rollback Failed", "failure"), ("Stopped", "failure")],
        *[("planned", ""), ("approval", ""), ("Rejected", ""), ("Expired", ""), ("Cancelled", ""), ("Refused", "")],
    ],
)
def test_the_picture_goes_with_the_outcome(name: str, kind: str) -> None:
    assert image(STATES[name], views.GIFS) == (views.GIFS[kind] if kind else "")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            " ",
            "deploying.gif",
            "/gifs/deploying.gif",
            "ftp://x/y.gif",
            "javascript:alert(1)",
            "https://",
            "http:/x",
        ),
        *("https://x/a b.gif", "https://x/a.gif\n", "https://x/<!channel>", 'https://x/".gif', "https://x/a|b"),
        *("https://x/\x00.gif", "https://x/\ud800.gif", "https://x/" + "a" * 3000, "data:image/gif;base64,R0lGOD"),
    ],
)
def test_a_picture_that_slack_would_not_take_is_left_out(url: str) -> None:
    for name in ("build runs", "Deployed", "Rolled Back"):
        assert image(STATES[name], dict.fromkeys(views.GIFS, url)) == ""
    assert image(STATES["Deployed"], {}) == ""


def test_a_picture_that_slack_cannot_fetch_does_not_keep_the_message_away(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Message] = []

    def call(method: str, **message: Any) -> dict[str, Any]:
        sent.append(message)
        if any(b["type"] == "image" for b in message["blocks"]):
            raise SlackRefused(method, "invalid_blocks")
        return {"ok": True, "ts": "1.2", "channel": "C0DEPLOY1"}

    monkeypatch.setattr("chatops.slack.client.call", call)
    message = card.message(views.seen(ENDS["Deployed"]))
    answer, whole = posting._fitting("chat.postMessage", channel="C0DEPLOY1", **message)
    assert (answer["ts"], whole) == ("1.2", True)
    assert sent[1]["blocks"] == [b for b in sent[0]["blocks"] if b["type"] != "image"]
    assert sent[1]["text"] == sent[0]["text"]


# what people and APIs wrote

PIECES = [
    *("<!channel>", "<!here>", "<!everyone>", "<@U0OUT0001>", "<@W123>", "<#C0DEPLOY1>", "<!subteam^S0EVIL01>"),
    *(
        "<!date^0^{date}|x>",
        "<https://evil.example|prod>",
        "<mailto:x@y.z|x>",
        "<",
        ">",
        "&",
        "&lt;",
        "&amp;lt;",
        "&#60;",
    ),
    *("`", "```", "*", "_", "~", "|", "^", "!", "@here", "@channel", "#general", "\\", '"', "'", "$(id)", "{version}"),
    *(
        "\n",
        "\r\n",
        "\t",
        "\x00",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\u2028",
        "\u2029",
        "\u202e",
        "\u2066",
        "\u200f",
        "\ud800",
    ),
    *(
        "{why}",
        "{{}}",
        "%s",
        "&&&&&&&&&&",
        "<<<<<<<<<<",
        "한국어",
        "🚀",
        "e\u0301",
        "\u202e",
        "a" * 40,
        " ",
        "https://x.example/",
    ),
]


def hostile(chance: random.Random) -> str:
    """Up to a few thousand characters of what one would try, or anything at all."""
    kind = chance.random()
    if kind < 0.1:
        return "".join(chr(chance.choice([chance.randrange(0x80), chance.randrange(0x11000)])) for _ in range(30))
    if kind < 0.2:
        return chance.choice(PIECES) * chance.randrange(1, 1500)
    return "".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 30)))


PLACES: list[Callable[[State, str], None]] = [
    lambda s, x: s["plan"].update(version=x),
    lambda s, x: s["plan"].update(title=x),
    lambda s, x: s["plan"].update(reason=x),
    lambda s, x: s["plan"].update(live={"version": x}, previous={"version": x, "task_definition": x}),
    lambda s, x: s["plan"].update(target=x, sha=x),
    lambda s, x: s["plan"].update(requester={"id": x, "name": x}),
    lambda s, x: s["plan"].update(url=x, changes={**s["plan"]["changes"], "url": x, "commits": 1}),
    lambda s, x: s["plan"].update(changes={"url": CONSOLE, "commits": 2, "authors": [x, x], "pulls": [7]}),
    lambda s, x: s["plan"].update(url=f"https://{x}"),
    *[
        lambda s, x, stage=stage: s.get(stage, {}).update(job=x, step=x, conclusion=x)
        for stage in ("build", "deploy", "rollback")
    ],
    lambda s, x: s.get("build", {}).update(run_url=f"https://github.com/{x}"),
    lambda s, x: s.get("rollout", {}).update(events=[x, x, x], status=x, lifecycle_stage=x),
    lambda s, x: s.get("restored", {}).update(events=[x, x, x], status=x),
    lambda s, x: s.get("approval", {}).update(reason=x, by=x, deadline=x),
    lambda s, x: s.get("approval", {}).update(eligible=[x], votes={x: 1.0}),
    lambda s, x: s.get("outcome", {}).update(by=x, said=x, place={"cluster": x, "service": x}),
    lambda s, x: (
        s.get("outcome", {}).get("why", {}).update(values={"said": x, "status": x, "event_type": x, "version": x})
    ),
]


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.weekly])])
def test_thousands_of_hostile_strings_reach_slack_as_words(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each string stands in several places of a message, every phase and end in turn, in both languages."""
    chance = random.Random(20251009)  # noqa: S311 - the same strings every time
    names = list(STATES)
    for number in range(count):
        if number % 500 == 0:
            monkeypatch.setenv("CHATOPS_LANG", LANGUAGES[number // 500 % 2])
        state = copy.deepcopy(STATES[names[number % len(names)]])
        text = hostile(chance)
        for place in chance.sample(PLACES, 4):
            place(state, text)
        seen = views.seen(state)
        check(card.message(seen))
        check(details.reply(seen))


STATUS: State = {
    "target": "prod",
    "kind": "ecs",
    "version": "v1.2.3",
    "since": "2025-10-09T09:53:20.000Z",
    "holder": {"deployment_id": ID, "version": "v1.2.4", "requester": "U0DANA001", "since": "2025-10-09T09:53:20.000Z"},
    "last": [
        {"version": "v1.2.3", "requester": "U0DANA001", "started_at": "2025-10-09T09:53:20.000Z", "end": "Deployed"},
        {"version": "v1.2.4", "requester": "", "started_at": "2025-10-09T09:53:20.000Z", "end": ""},
    ],
    "rollout": {"running": 4, "desired": 4, "pending": 0, "status": "SUCCESSFUL", "events": ["steady state."]},
    "drift": {"running": "v1.2.2", "recorded": "v1.2.3"},
}


def test_hostile_strings_in_reports_and_refusals_are_words_too(spoken: str) -> None:
    chance = random.Random(7)  # noqa: S311 - the same strings every time
    for _ in range(100):
        x = hostile(chance)
        rows = [{"version": x, "requester": x, "started_at": x, "end": x}] * 20
        holder = {"deployment_id": x, "version": x, "requester": x, "since": x}
        rollout = {**STATUS["rollout"], "status": x, "events": [x, x, x]}
        drift = {"running": x, "recorded": x}
        check(
            reports.status(
                views.status_of(
                    {
                        **STATUS,
                        "target": x,
                        "version": x,
                        "last": rows,
                        "holder": holder,
                        "rollout": rollout,
                        "drift": drift,
                    }
                )
            )
        )
        check(reports.status(views.status_of({**STATUS, "error": x, "since": x})))
        check(reports.status(views.status_of({"refusal": {"key": "bad_version", "values": {"word": x}}})))
        check(reports.dry_run(views.plan_of({**PLAN, "version": x, "title": x, "url": x, "live": {"version": x}})))
        keys = ("unknown_target", "busy", "github_refused", "cancel_unknown", "click_not_asked", "click_expired")
        for key in (*keys, "help_targets"):
            names = ("word", "meant", "target", "user", "since", "version", "id", "running", "said", "status", "end")
            check({"text": say(key, dict.fromkeys((*names, "repository", "targets", "deciders"), x))}, MESSAGE_TEXT)
            assert not set("<>") & set(plain(key, dict.fromkeys(names, x)))


@pytest.mark.parametrize(
    "fact",
    [
        STATUS,
        {**STATUS, "holder": {}, "drift": None, "last": [], "version": "", "since": ""},
        {**STATUS, "kind": "none", "rollout": {}},
        {**STATUS, "last": STATUS["last"] * 10},
        {},
    ],
)
def test_slack_takes_every_status(fact: State, spoken: str) -> None:
    message = reports.status(views.status_of(fact))
    check(message)
    assert not re.search(r"[{}]|None|  ", OURS.sub("x", message["text"]))


@pytest.mark.parametrize("plan", [PLAN, BACK, {**PLAN, "approval": {"required": False}, "changes": {}, "live": {}}])
def test_slack_takes_every_dry_run(plan: State, spoken: str) -> None:
    message = reports.dry_run(views.plan_of(plan))
    check(message)
    assert not re.search(r"[{}]|None|  |\s$", OURS.sub("x", message["text"]))


# the pieces


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("<!channel>", "&lt;!channel&gt;"),
        ("&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;"),
        ("`rm`", "'rm'"),
        (" two\nlines\x00 ", "two lines"),
        ("\u202etxt.exe", "txt.exe"),
        (12, "12"),
    ],
)
def test_what_somebody_wrote_is_escaped_once(text: object, shown: str) -> None:
    assert escape(text) == shown


def test_a_long_text_is_cut_before_it_is_escaped() -> None:
    assert escape("&" * 600, 10) == "&amp;" * 9 + "…"


@pytest.mark.parametrize("user", ["", "dana", "<!channel>", "S0PLATF01", "U", "U0DANA001>", "u0dana001", "U0DANA001\n"])
def test_only_a_users_id_becomes_a_mention(user: str) -> None:
    assert mention("U0DANA001") == "<@U0DANA001>"
    assert mention(user) == "an operator"


@pytest.mark.parametrize(
    "url", ["", "javascript:x", "https://x|y", "https://x>y", "https://x y", "//x", "https://x\x00"]
)
def test_only_a_web_address_becomes_a_link(url: str) -> None:
    assert link("https://x.example/?a=1", "a|b>c") == "<https://x.example/?a=1|a|b&gt;c>"
    assert link(url, "<label>") == "&lt;label&gt;"


@pytest.mark.parametrize("text", ["", "yesterday", "<!channel>", "2026-13-01", "0001-01-01T00:00:00+23:59"])
def test_only_a_time_becomes_a_date(text: str) -> None:
    shown = "<!date^1760003600^{date_short_pretty} {time}|2025-10-09 09:53 UTC>"
    assert date("2025-10-09T09:53:20.000Z") == date("2025-10-09T18:53:20+09:00") == shown
    assert date(text) == escape(text)


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("as it is", 8, "as it is"),
        ("too long by far", 8, "too lon…"),
        ("1 &lt; 2", 6, "1 …"),
        ("see <https://x.example|there>", 20, "see …"),
        ("run `make check` now", 10, "run …"),
        ("&amp;&amp;&amp;", 12, "&amp;&amp;…"),
    ],
)
def test_a_cut_never_leaves_half_of_anything(text: str, limit: int, kept: str) -> None:
    assert clip(text, limit) == kept
    assert len(clip(text, limit)) <= limit


def test_a_value_cannot_bring_placeholders_of_its_own() -> None:
    assert say("unknown_target", word="{meant}", meant="prod") == "Unknown target `{meant}`. Did you mean `prod`?"
