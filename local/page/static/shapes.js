// The parts of the graph's picture: boxes, frames, transitions, arrowheads.

import { svg } from "./dom.js";

const CORNER = 5;
const LINE = 14;
const ROUND = ["Choice", "Succeed", "Fail"];
export const TITLE = 26; // the height of a frame's title, in px

// A state, around its own middle: it is moved as a whole.
export function box(state) {
  const [width, height] = state.size;
  const round = ROUND.includes(state.type) ? height / 2 : 4;
  return [
    svg("rect", { x: -width / 2, y: -height / 2, width, height, rx: round }),
    state.lines.map((text, index) => svg("text", {
      y: 4 + (index - (state.lines.length - 1) / 2) * LINE, "aria-hidden": "true",
    }, `${text} `)),
  ];
}

// How a state stands: a disc on its outline, so that nothing of the outline is torn.
export function mark(state) {
  const [width, height] = state.size;
  const inside = ROUND.includes(state.type) ? (height / 2) * (1 - Math.SQRT1_2) : 1;
  const [x, y] = [width / 2 - inside, -height / 2 + inside];
  return svg("g", { class: "icon", transform: `translate(${x}, ${y})`, "aria-hidden": "true" },
    svg("circle", { r: 7 }), svg("circle", { class: "dot", r: 2.5 }), svg("text", { y: 3.5 }));
}

// A phase: folded to a box of a state's size, or a frame around its states. Its title folds and unfolds it.
export function frame(state) {
  const [width, height] = state.size;
  const folded = state.frame === "folded";
  const [x, y] = [-width / 2, -height / 2];
  const title = folded ? { y: 4 } : { x: x + 24, y: y + 18, class: "start" };
  return [
    folded && svg("rect", { class: "behind", x: x + 4, y: y + 4, width, height, rx: 5 }),
    svg("rect", { class: "outline", x, y, width, height, rx: 5 }),
    svg("rect", { class: "title", x, y, width, height: folded ? height : TITLE, rx: 5 }),
    !folded && svg("path", { class: "chevron", d: `M${x + 10},${y + 11} l4,5 l4,-5`, "aria-hidden": "true" }),
    svg("text", { ...title, "aria-hidden": "true" }, state.name),
  ];
}

export function transition(edge) {
  const kind = edge.catch ? "catch" : "plain";
  const words = [`${edge.from} → ${edge.to}`, edge.when && `${edge.catch ? "on error" : "if"}: ${edge.when}`];
  return svg("path", {
    d: path(edge.points), class: `edge ${kind}`, "data-kind": kind, "data-edge": `${edge.from}→${edge.to}`,
    "marker-end": `url(#arrow-${kind})`,
    ...(edge.when ? {} : { "pointer-events": "none" }), // what says nothing more is in nobody's way
  }, svg("title", {}, words.filter(Boolean).join(", ")));
}

export const arrow = (name) => svg("marker", {
  id: `arrow-${name}`, class: `arrow ${name}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7,
  markerUnits: "userSpaceOnUse", orient: "auto",
}, svg("path", { d: "M0,0.5 L8,4 L0,7.5 z" }));

// Right angles with round corners.
function path(points) {
  const parts = [`M${points[0].join(",")}`];
  for (let at = 1; at < points.length - 1; at += 1) {
    const [before, here, after] = [points[at - 1], points[at], points[at + 1]];
    const radius = Math.min(CORNER, far(before, here) / 2, far(here, after) / 2);
    parts.push(`L${toward(here, before, radius)}`, `Q${here.join(",")} ${toward(here, after, radius)}`);
  }
  return [...parts, `L${points.at(-1).join(",")}`].join(" ");
}

const far = (a, b) => Math.hypot(b[0] - a[0], b[1] - a[1]);

function toward(from, to, distance) {
  const share = distance / (far(from, to) || 1);
  return [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share].join(",");
}
