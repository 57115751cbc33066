"""The right half of the page: a state's details, deep links, the page's own controls."""

from __future__ import annotations

from tests.browser.conftest import Bot, Open
from tests.browser.hands import asked, become, command, press, state, status, unfold


def test_a_state_shows_its_input_output_and_retries_and_a_deep_link_survives_a_reload(opened: Open, bot: Bot) -> None:
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    command(page, "/platform-deploy v1.2.3")
    asked(page)
    unfold(page, "Build")
    state(page, "Poll Build").click()
    details = page.locator("#details")
    details.get_by_text("retries").wait_for()
    details.get_by_text("Visit ").wait_for()
    assert details.get_by_label("Output", exact=True).is_hidden(), "what changed comes first, the whole is folded"
    details.locator(".changes dt", has_text="$.build.").first.wait_for()
    details.get_by_label("Search in input and output").fill("v1.2.3")
    assert '$.plan.version = "v1.2.3"' in details.get_by_label("Input", exact=True).inner_text()
    assert "sha256" not in details.get_by_label("Output", exact=True).inner_text()
    details.get_by_label("Search in input and output").fill("")
    details.locator("summary", has_text="Output").click()
    assert '"build"' in details.get_by_label("Output", exact=True).inner_text()
    before = details.get_by_text("Visit ").inner_text()
    details.get_by_role("button", name="Earlier").click()
    assert details.get_by_text("Visit ").inner_text() != before
    page.get_by_role("tab", name="Timeline").click()
    page.locator("#timeline .line", has_text="Waiting for @lee or @kim").wait_for()

    page.get_by_role("button", name="Copy id").click()
    name = bot.get("executions")["executions"][0]["name"]
    page.locator("#announcer", has_text=f"Copied {name}").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == name

    become(page, "dana")
    press(page, "Cancel")
    status(page, "SUCCEEDED")
    page.goto(f"{bot.url}/#/{name}")
    page.reload()
    state(page, "Cancelled").locator("xpath=self::*[contains(@class, 'done')]").wait_for()
    assert page.locator("#executions").input_value() == name
    label = page.locator("#executions option:checked").inner_text()
    assert label.startswith("v1.2.3 → dev · dana · Cancelled · "), "the list says what a person knows"
    page.locator("#end", has_text="Cancelled").wait_for()

    page.goto(f"{bot.url}/#/d-nothere")
    page.reload()
    page.get_by_text("There is no execution d-nothere.").wait_for()


def test_an_error_is_shown_where_it_happened_and_the_end_says_why(opened: Open) -> None:
    page = opened()
    page.get_by_role("button", name="Scenarios").click()
    page.get_by_role("button", name="build-fails").click()
    page.get_by_role("status").filter(has_text="Played “build-fails”").wait_for()
    status(page, "FAILED")
    page.locator("#trouble", has_text="BuildFailed").wait_for()
    end = state(page, "Build Failed")
    assert "failed" in end.get_attribute("class")
    assert "ended here" in end.get_attribute("aria-label")
    end.click()
    page.locator("#details .errors", has_text="BuildFailed").wait_for()

    page.get_by_role("button", name="Reset").click()
    page.get_by_text("Nothing has happened here yet.").wait_for()
    page.get_by_text("None yet.").wait_for()
    assert page.locator("#playing").is_hidden()


def test_the_speed_is_chosen_on_the_page(opened: Open, bot: Bot) -> None:
    page = opened()
    page.locator('[data-speed="10"][aria-pressed="true"]').wait_for()
    page.locator("[data-speed='1']").click()
    page.locator('[data-speed="1"][aria-pressed="true"]').wait_for()
    assert page.locator("[data-speed='10']").get_attribute("aria-pressed") == "false"
    assert bot.get("stage")["speed"] == 1


def test_the_whole_graph_fits_and_the_current_state_comes_into_view(opened: Open) -> None:
    page = opened(reduced_motion="reduce")
    command(page, "/platform-deploy v1.2.3")
    asked(page)
    now = state(page, "Request Approval").locator("xpath=self::*[contains(@class, 'now')]")
    now.wait_for()
    box, machine = now.bounding_box(), page.locator("#machine").bounding_box()
    assert machine["y"] <= box["y"] <= machine["y"] + machine["height"]
    for name in ("Dispatch Build", "Dispatch Deploy"):
        assert state(page, name).count() == 0, "only the phase that the execution is in is unfolded"
    unfold(page, "Deploy")
    state(page, "Dispatch Deploy").wait_for()
    page.locator('[data-state="Deploy"] .title').click()
    state(page, "Dispatch Deploy").wait_for(state="detached")
    page.keyboard.press("Enter")  # the focus is where was clicked
    state(page, "Dispatch Deploy").wait_for()
    page.get_by_role("button", name="Whole").click()
    page.wait_for_function(
        "document.querySelector('.picture').clientHeight <= document.getElementById('machine').clientHeight"
    )

    width = "document.querySelector('.picture').getBoundingClientRect().width"
    before = page.evaluate(width)
    box = state(page, "Settle").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -400)
    page.wait_for_function(f"{width} > 1.5 * {before}")
    after = state(page, "Settle").bounding_box()
    assert abs(after["y"] + after["height"] / 2 - box["y"] - box["height"] / 2) < 4, "what is under the pointer stays"
    larger = page.evaluate(width)
    page.get_by_role("button", name="Smaller").click()
    assert page.evaluate(width) < larger


def test_the_history_is_made_smaller_and_stays_so(opened: Open) -> None:
    page = opened()
    height = "document.querySelector('.below').clientHeight"
    before = page.evaluate(height)
    bar = page.get_by_role("separator", name="Height of the history")
    box = bar.bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 3)
    page.mouse.down()
    page.mouse.move(box["x"] + 50, box["y"] + 103)
    page.mouse.up()
    dragged = page.evaluate(height)
    assert 80 < before - dragged < 120
    bar.press("ArrowDown")
    assert page.evaluate(height) < dragged
    kept = page.evaluate(height)
    page.reload()
    page.get_by_text("live", exact=True).wait_for()
    assert page.evaluate(height) == kept
