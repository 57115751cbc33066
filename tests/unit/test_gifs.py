"""The three pictures, and the Lambda that serves them."""

from __future__ import annotations

import ast
import base64
import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from lambdas.gifs import app
from local.gateway import http_api_event, to_response

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "lambdas" / "gifs"
NAMES = ("deploying.gif", "deploy_complete.gif", "failed.gif")


def get(name: str, **headers: str) -> dict[str, Any]:
    event = http_api_event("GET", f"/gifs/{name}", headers=headers, route="/gifs/{name}")
    return app.handler(event, None)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_answered_as_it_lies_in_the_folder(name: str) -> None:
    status, headers, body = to_response(get(name))
    assert (status, body) == (200, (FOLDER / name).read_bytes())
    assert dict(headers)["content-type"] == "image/gif"
    assert dict(headers)["cache-control"] == "public, max-age=86400, immutable"


def test_pictures_have_different_tags_that_depend_on_their_content_alone() -> None:
    tags = [get(name)["headers"]["etag"] for name in NAMES]
    assert len(set(tags)) == len(NAMES)
    assert tags == [get(name)["headers"]["etag"] for name in NAMES]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_whoever_has_the_picture_gets_304_without_a_body(form: str) -> None:
    tag = get("failed.gif")["headers"]["etag"]
    answer = get("failed.gif", **{"If-None-Match": form.format(tag)})
    assert answer["statusCode"] == 304
    assert "body" not in answer
    assert answer["headers"]["etag"] == tag
    assert to_response(answer)[2] == b""


def test_whoever_has_another_picture_gets_this_one() -> None:
    other = get("deploying.gif")["headers"]["etag"]
    assert get("failed.gif", **{"If-None-Match": other})["statusCode"] == 200


@pytest.mark.parametrize(
    "name",
    [
        *("", "app.py", "../app.py", "..%2Fapp.py", "%2e%2e%2fapp.py", "/etc/passwd", "Failed.gif", "failed"),
        *("failed.gif/", "failed.gif\x00", "./failed.gif", "*.gif", "a" * 5000),
    ],
)
def test_any_other_name_is_404(name: str) -> None:
    for event in ({"pathParameters": {"name": name}}, {"pathParameters": {"name": name.replace("%2F", "/")}}):
        assert app.handler(event, None)["statusCode"] == 404


def test_an_event_without_path_parameters_is_404() -> None:
    assert app.handler({}, None)["statusCode"] == 404
    assert app.handler({"pathParameters": None, "headers": None}, None)["statusCode"] == 404


def test_the_function_imports_nothing_but_the_standard_library() -> None:
    tree = ast.parse((FOLDER / "app.py").read_text("utf-8"))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.partition(".")[0] for module in modules} <= sys.stdlib_module_names


def blocks(content: bytes) -> tuple[tuple[int, int], int, bool]:
    """Size, number of pictures, and whether it begins again, read from the GIF's own blocks.

    https://www.w3.org/Graphics/GIF/spec-gif89a.txt
    """
    assert content[:6] == b"GIF89a"
    size = (int.from_bytes(content[6:8], "little"), int.from_bytes(content[8:10], "little"))
    at, pictures, loops = 13 + _table(content[10]), 0, False
    while content[at] != 0x3B:  # the trailer
        if content[at] == 0x2C:  # a picture: descriptor, colour table, code size, data
            pictures += 1
            at += 10 + _table(content[at + 9]) + 1
        else:
            loops = loops or content[at + 3 : at + 14] == b"NETSCAPE2.0"
            at += 2
        while content[at]:  # sub-blocks, each with its length in front
            at += 1 + content[at]
        at += 1
    return size, pictures, loops


def _table(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_small_and_moves(name: str) -> None:
    content = (FOLDER / name).read_bytes()
    size, pictures, _ = blocks(content)
    assert len(content) < 200_000
    assert size == (480, 150)
    assert pictures > 10


def test_what_goes_on_loops_and_an_outcome_plays_once() -> None:
    loops = {name: blocks((FOLDER / name).read_bytes())[2] for name in NAMES}
    assert loops == {"deploying.gif": True, "deploy_complete.gif": False, "failed.gif": False}


def test_a_picture_fits_into_an_answer() -> None:
    """Lambda's answers may have 6 MB, API Gateway's 10 MB: far more than these need even in base64."""
    assert all(len(base64.b64encode(content)) < 300_000 for content in app.PICTURES.values())


@pytest.fixture(scope="module")
def script() -> Any:
    pytest.importorskip("PIL", reason="Pillow is not installed: the pictures cannot be drawn again to compare")
    spec = importlib.util.spec_from_file_location("draw_gifs", ROOT / "scripts" / "draw_gifs.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["draw_gifs"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["draw_gifs"]


@pytest.mark.parametrize("name", NAMES)
def test_the_script_draws_what_is_committed(script: Any, tmp_path: Path, name: str) -> None:
    """Compared picture by picture: another Pillow may pack the same pictures into other bytes."""
    from PIL import Image, ImageSequence

    def pictures(path: Path) -> list[tuple[bytes, Any]]:
        with Image.open(path) as film:
            return [(one.convert("RGBA").tobytes(), one.info.get("duration")) for one in ImageSequence.Iterator(film)]

    assert set(script.FILMS) == set(NAMES)
    drawn = script.draw(name, tmp_path)
    assert pictures(drawn) == pictures(FOLDER / name)
    first = drawn.read_bytes()
    assert script.draw(name, tmp_path).read_bytes() == first


def test_the_last_picture_of_an_outcome_stays(script: Any) -> None:
    for name in ("deploy_complete.gif", "failed.gif"):
        *_, last = script.FILMS[name].frames()
        assert last.milliseconds >= 2000
