#!/usr/bin/env python3
"""Draw the project's three GIFs: `python scripts/draw_gifs.py [folder]`, by default into lambdas/gifs/.

They are drawn, not collected, so that nobody else's rights hang on them. Everything is shapes; the letters
come from the font inside Pillow (Aileron, CC0). The same Pillow draws the same bytes. Nothing else needs
Pillow: `pip install pillow` where these are to be drawn anew.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(__file__).resolve().parent.parent / "lambdas" / "gifs"
WIDTH, HEIGHT = 480, 150
FINE = 4  # drawn so many times larger, then scaled down: Pillow's shapes have no smooth edges of their own
COLOURS = 63  # one more is kept for what is transparent
BOXES, BOX_WIDTH, BOX_HEIGHT, GAP = 5, 72, 46, 14
LEFT, TOP = 30, 78

Colour = tuple[int, int, int]
PANEL: Colour = (17, 24, 39)
IDLE, IDLE_EDGE, IDLE_BAR = (23, 37, 66), (45, 78, 140), (44, 62, 98)
BLUE, GREEN, RED, GREY = (37, 99, 235), (22, 163, 74), (220, 38, 38), (51, 65, 85)
PALE_BLUE, PALE_GREEN, PALE_RED, WHITE = (147, 197, 253), (134, 239, 172), (252, 165, 165), (255, 255, 255)


@dataclass(frozen=True)
class Frame:
    """One picture, and how many milliseconds it stays."""

    image: Image.Image
    milliseconds: int


class Banner:
    """A dark rounded banner to draw on, in the coordinates of the finished picture."""

    def __init__(self, title: str, colour: Colour) -> None:
        self._image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), PANEL)
        self._draw = ImageDraw.Draw(self._image)
        self._draw.text(
            (LEFT * FINE, 24 * FINE),
            title,
            fill=colour,
            font=ImageFont.load_default(28 * FINE),
            stroke_width=FINE // 2,
            stroke_fill=colour,
        )

    def box(self, index: int, lit: float, colour: Colour, drop: float = 0.0) -> None:
        """A container; `lit` 0 (idle) to 1 (in `colour`), `drop` in pixels below its place."""
        left, top = LEFT + index * (BOX_WIDTH + GAP), TOP + drop
        area = (left, top, left + BOX_WIDTH, top + BOX_HEIGHT)
        self._rounded(area, 8, _mix(IDLE, colour, lit), _mix(IDLE_EDGE, _mix(colour, WHITE, 0.35), lit))
        bar = _mix(IDLE_BAR, WHITE, lit * 0.9)
        for row, length in ((13, 44), (27, 28)):
            self._rounded((left + 14, top + row, left + 14 + length, top + row + 7), 3, bar)

    def badge(self, colour: Colour) -> None:
        """The disc that a mark stands on, in the upper right corner."""
        x, y, radius = _MARK
        circle = [(x - radius) * FINE, (y - radius) * FINE, (x + radius) * FINE, (y + radius) * FINE]
        self._draw.ellipse(circle, fill=colour)

    def stroke(self, points: list[tuple[float, float]], part: float) -> None:
        """The first `part` (0 to 1) of a white line through `points`, relative to the badge's centre."""
        x, y, _ = _MARK
        walked = [((x + a) * FINE, (y + b) * FINE) for a, b in _walk(points, part)]
        if part <= 0:
            return
        self._draw.line(walked, fill=WHITE, width=5 * FINE, joint="curve")
        for a, b in walked:  # round ends and corners
            self._draw.ellipse([a - 2.5 * FINE, b - 2.5 * FINE, a + 2.5 * FINE, b + 2.5 * FINE], fill=WHITE)

    def done(self, milliseconds: int) -> Frame:
        return Frame(self._image.resize((WIDTH, HEIGHT), Image.Resampling.BOX), milliseconds)

    def _rounded(
        self, area: tuple[float, float, float, float], radius: int, fill: Colour, edge: Colour | None = None
    ) -> None:
        scaled = tuple(round(one * FINE) for one in area)
        width = 2 * FINE if edge else 0
        self._draw.rounded_rectangle(scaled, radius * FINE, fill=fill, outline=edge, width=width)


_MARK = (WIDTH - 54, 40, 19)
CHECK = [(-9.0, 0.5), (-2.5, 7.0), (9.0, -6.5)]
CROSS = [(-7.0, -7.0), (7.0, 7.0)], [(7.0, -7.0), (-7.0, 7.0)]


def deploying() -> Iterator[Frame]:
    """A wave of work goes along the containers, over and over."""
    steps = 30
    for step in range(steps):
        banner = Banner("DEPLOYING", PALE_BLUE)
        for index in range(BOXES):
            phase = (step / steps - index / (BOXES + 1)) % 1
            lit = max(0.0, math.cos(phase * 2 * math.pi)) ** 0.8
            banner.box(index, lit, BLUE, drop=-4 * lit)
        yield banner.done(60)


def deploy_complete() -> Iterator[Frame]:
    """One container after the other turns green, then a check mark is drawn and stays."""
    steps = 26
    for step in range(steps + 1):
        banner = Banner("LIVE", PALE_GREEN)
        for index in range(BOXES):
            lit = _ease((step - 3 * index) / 5)
            banner.box(index, lit, GREEN, drop=-4 * math.sin(lit * math.pi))
        if step >= 17:
            banner.badge(GREEN)
            banner.stroke(CHECK, _ease((step - 17) / 8))
        yield banner.done(60 if step < steps else 2000)


def failed() -> Iterator[Frame]:
    """Two containers come up, the third trips and goes red, the rest stay dark; then a cross is drawn."""
    steps = 28
    for step in range(steps + 1):
        banner = Banner("FAILED", PALE_RED)
        broken = _ease((step - 9) / 4)
        for index in range(BOXES):
            lit = _ease((step - 3 * index) / 5)
            if index < 2:
                banner.box(index, lit, _mix(BLUE, GREY, broken), drop=-4 * math.sin(lit * math.pi))
            elif index == 2:
                banner.box(index, lit, _mix(BLUE, RED, broken), drop=5 * broken)
            else:
                banner.box(index, 0, BLUE)
        if step >= 15:
            banner.badge(RED)
            banner.stroke(CROSS[0], _ease((step - 15) / 5))
            banner.stroke(CROSS[1], _ease((step - 20) / 5))
        yield banner.done(60 if step < steps else 2000)


@dataclass(frozen=True)
class Film:
    """A GIF's pictures, and whether it begins again.

    What goes on loops. An outcome plays once and stands still: it is read later too, and a channel full of
    old failures should not flicker (https://www.w3.org/WAI/WCAG22/Understanding/pause-stop-hide).
    """

    frames: Callable[[], Iterator[Frame]]
    loops: bool


FILMS = {
    "deploying.gif": Film(deploying, loops=True),
    "deploy_complete.gif": Film(deploy_complete, loops=False),
    "failed.gif": Film(failed, loops=False),
}


def draw(name: str, folder: Path) -> Path:
    """Write one of FILMS; returns its path."""
    film = FILMS[name]
    frames = list(film.frames())
    palette = _palette([frame.image for frame in frames])
    outside = _outside()
    flat = []
    for frame in frames:
        indexed = frame.image.quantize(palette=palette, dither=Image.Dither.NONE)
        indexed.paste(COLOURS, mask=outside)
        flat.append(indexed)
    again = {"loop": 0} if film.loops else {}
    path = folder / name
    flat[0].save(
        path,
        format="GIF",
        save_all=True,
        append_images=flat[1:],
        duration=[frame.milliseconds for frame in frames],
        transparency=COLOURS,
        disposal=1,
        optimize=False,
        **again,
    )
    return path


def _palette(pictures: list[Image.Image]) -> Image.Image:
    """One palette for all pictures: with one of its own for each, still parts would shimmer."""
    some = pictures[:: max(1, len(pictures) // 8)] + pictures[-1:]
    sheet = Image.new("RGB", (WIDTH, HEIGHT * len(some)))
    for row, picture in enumerate(some):
        sheet.paste(picture, (0, row * HEIGHT))
    return sheet.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _outside() -> Image.Image:
    """A mask of the four corners, which are transparent: the banner lies on light and on dark pages."""
    mask = Image.new("1", (WIDTH, HEIGHT), 1)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, WIDTH - 1, HEIGHT - 1), 12, fill=0)
    return mask


def _mix(one: Colour, other: Colour, part: float) -> Colour:
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _ease(part: float) -> float:
    """0 to 1, slow at both ends; what lies outside is cut off."""
    inside = min(max(part, 0.0), 1.0)
    return inside * inside * (3 - 2 * inside)


def _walk(points: list[tuple[float, float]], part: float) -> list[tuple[float, float]]:
    """The beginning of a line through `points`, `part` of its whole length."""
    pairs = list(itertools.pairwise(points))
    left = sum(math.dist(a, b) for a, b in pairs) * part
    walked = [points[0]]
    for a, b in pairs:
        length = math.dist(a, b)
        share = min(1.0, left / length)
        walked.append((a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share))
        left -= length
        if left <= 0:
            break
    return walked


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for name in FILMS:
        path = draw(name, folder)
        print(f"{path}  {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
