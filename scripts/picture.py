"""`make picture`: the state machine as the local page draws it, for the documentation: docs/phases.svg with all phases
folded, docs/flow.svg with all of them unfolded.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from local.page import graph
from local.page.graph import LINE
from local.page.layout import Json

ROOT = Path(__file__).resolve().parents[1]
DEFINITION = ROOT / "statemachine" / "deploy.asl.json"

STYLE = """
text { font: 600 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; text-anchor: middle }
text { fill: #1d1c1d }
.start { text-anchor: start; font-size: 13px }
.state { fill: #fff; stroke: #77777a }
.frame { fill: #f4f7fb; stroke: #a9b6c6 }
.succeed { stroke: #007a5a }
.fail { stroke: #c01343 }
.edge { fill: none; stroke: #77777a; stroke-width: 1.1 }
.catch { stroke: #c4c4c8; stroke-dasharray: 4 3 }
#arrow { fill: #77777a }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e7e8 }
  .state { fill: #1a1d21; stroke: #85898e }
  .frame { fill: #22272e; stroke: #56616d }
  .succeed { stroke: #5fcb9c }
  .fail { stroke: #ff8fa6 }
  .edge { stroke: #85898e }
  .catch { stroke: #5a6068 }
  #arrow { fill: #85898e }
}
"""
ARROW = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0.5 L8,4 L0,7.5 z"/></marker>'
)


def pictures() -> dict[Path, str]:
    """What stands in each file."""
    definition = DEFINITION.read_text("utf-8")
    folded, unfolded = graph.drawing(definition), graph.drawing(definition, graph.phases(definition))
    return {ROOT / "docs" / "phases.svg": picture(folded), ROOT / "docs" / "flow.svg": picture(unfolded)}


def picture(drawing: Json) -> str:
    """A drawing as SVG, light and dark by itself; the same text for the same definition."""
    size = f"{drawing['width']} {drawing['height']}"
    width, height = drawing["width"], drawing["height"]
    size = f'width="{width}" height="{height}" role="img"'
    seen = sorted((one for one in drawing["states"] if "at" in one), key=lambda one: one["frame"] == "")
    frames = [_state(one) for one in seen if one["frame"]]
    states = [_state(one) for one in seen if not one["frame"]]
    edges = [_edge(one) for one in drawing["edges"] if "points" in one]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size}>',
        "<title>The state machine, as statemachine/deploy.asl.json defines it</title>",
        f"<style>{STYLE}</style>",
        ARROW,
        *frames,
        *sorted(edges, key=lambda one: "catch" not in one),
        *states,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _state(one: Json) -> str:
    (x, y), (width, height) = one["at"], one["size"]
    left, top = x - width / 2, y - height / 2
    kind = "frame" if one["frame"] else f"state {one['type'].lower()}"
    corner = height / 2 if one["type"] in ("Choice", "Succeed", "Fail") else 5
    box = f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{width}" height="{height}" rx="{corner}"/>'
    if one["frame"] == "unfolded":
        return box + f'<text class="start" x="{left + 12:.1f}" y="{top + 19:.1f}">{escape(one["name"])}</text>'
    first = y + 4 - LINE * (len(one["lines"]) - 1) / 2
    texts = (f'<text x="{x}" y="{first + at * LINE:.1f}">{escape(text)}</text>' for at, text in enumerate(one["lines"]))
    return box + "".join(texts)


def _edge(one: Json) -> str:
    kind = "edge catch" if one["catch"] else "edge"
    points = " ".join(f"{x},{y}" for x, y in one["points"])
    return f'<polyline class="{kind}" points="{points}" marker-end="url(#arrow)"/>'


if __name__ == "__main__":
    for file, drawn in pictures().items():
        file.write_text(drawn, "utf-8")
