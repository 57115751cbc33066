// The state machine as a graph: laid out by the server, drawn here, lit by what an execution has passed.

import { api, byId, plural, svg } from "./dom.js";

const CORNER = 5;
const LOOKS = { now: ["▶", "now here"], done: ["✓", "passed"], caught: ["⚠", "left by an error"], failed: ["✕", "ended here"] };
const ARROWS = { Up: [0, -1], Down: [0, 1], Left: [-1, 0], Right: [1, 0] };
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Graph {
  // chosen(name) is called when somebody opens a state
  constructor(drawing, chosen) {
    this.drawing = drawing;
    this.chosen = chosen;
    this.box = byId("machine");
    this.states = new Map(drawing.states.map((state) => [state.name, state]));
    this.drawn = new Map();
    this.edges = new Map(drawing.edges.map((edge) => [`${edge.from}→${edge.to}`, line(edge)]));
    this.now = "";
    this.touched = -Infinity;
    this.draw();
    byId("legend").append(...Object.values(LOOKS).map(([icon, word]) => `${icon} ${word}  `), "┄ on an error");
    byId("whole").addEventListener("click", () => this.whole());
    for (const kind of ["wheel", "pointerdown", "keydown"]) {
      this.box.addEventListener(kind, () => { this.touched = performance.now(); }, { passive: true });
    }
  }

  static async load(chosen) {
    return new Graph(await api("graph"), chosen);
  }

  draw() {
    const { width, height } = this.drawing;
    this.lines = svg("g", { "aria-hidden": "true" });
    this.lines.append(...this.edges.values());
    const boxes = this.drawing.states.map((state) => this.state(state));
    this.picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "picture" },
      svg("defs", {}, ["plain", "lit", "catch"].map((name) => arrow(name))), this.lines, boxes);
    this.picture.addEventListener("keydown", (event) => this.key(event));
    this.box.replaceChildren(this.picture);
    this.rove(this.drawing.states[0].name);
  }

  state(state) {
    const [x, y] = state.at;
    const [width, height] = state.size;
    const round = ["Choice", "Succeed", "Fail"].includes(state.type) ? height / 2 : 4;
    const title = svg("title", {}, state.about);
    const icon = svg("text", { class: "icon", x: x + width / 2 - 2, y: y - height / 2 + 5, "aria-hidden": "true" });
    const name = state.lines.map((text, index) => svg("text", {
      x, y: y + 4 + (index - (state.lines.length - 1) / 2) * 14, "aria-hidden": "true",
    }, `${text} `));
    const made = svg("g", { class: `state ${state.type.toLowerCase()}`, role: "button", tabindex: -1, "data-state": state.name },
      title, svg("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: round }), name, icon);
    made.addEventListener("click", () => { this.rove(state.name); this.chosen(state.name); });
    this.drawn.set(state.name, { made, icon });
    this.say(state.name, "", 0);
    return made;
  }

  // way: {states: {name: look}, edges: [[from, to]]}; visits: how often each state was entered
  show(way, visits) {
    for (const [name, { made, icon }] of this.drawn) {
      const look = way.states[name] ?? "";
      made.classList.remove(...Object.keys(LOOKS));
      if (look) made.classList.add(look);
      icon.textContent = LOOKS[look]?.[0] ?? "";
      this.say(name, look, visits.get(name) ?? 0);
    }
    const lit = new Set(way.edges.map(([from, to]) => `${from}→${to}`));
    for (const [key, edge] of this.edges) {
      const on = lit.has(key);
      if (on === edge.classList.contains("lit")) continue;
      edge.classList.toggle("lit", on);
      edge.setAttribute("marker-end", `url(#arrow-${on ? "lit" : edge.dataset.kind})`);
      if (on) this.lines.append(edge); // above those that are not
    }
    const now = Object.keys(way.states).find((name) => ["now", "failed"].includes(way.states[name])) ?? way.edges.at(-1)?.[1];
    if (now && now !== this.now) this.follow(now);
    this.now = now ?? "";
  }

  clear() {
    this.show({ states: {}, edges: [] }, new Map());
    if (performance.now() - this.touched > 4000) this.box.scrollTo({ top: 0 });
  }

  say(name, look, visits) {
    const state = this.states.get(name);
    const parts = [name, state.type, look ? LOOKS[look][1] : "not entered", visits > 1 && plural(visits, "visit")];
    this.drawn.get(name).made.setAttribute("aria-label", parts.filter(Boolean).join(", "));
  }

  // The state where the execution is comes into view, unless somebody is looking around.
  follow(name) {
    if (performance.now() - this.touched < 4000) return;
    const [x, y] = this.states.get(name).at;
    const scale = this.picture.clientWidth / this.drawing.width;
    this.box.scrollTo({
      left: x * scale - this.box.clientWidth / 2, top: y * scale - this.box.clientHeight / 2,
      behavior: still.matches ? "auto" : "smooth",
    });
  }

  whole() {
    const whole = this.box.classList.toggle("fit");
    byId("whole").setAttribute("aria-pressed", String(whole));
    if (!whole && this.now) this.follow(this.now);
  }

  mark(name) {
    for (const [other, { made }] of this.drawn) made.setAttribute("aria-pressed", String(other === name));
  }

  // One stop for the Tab key; the arrow keys go from state to state, Enter opens one.
  key(event) {
    const name = event.target.closest?.("[data-state]")?.dataset.state;
    if (!name) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.chosen(name);
      return;
    }
    const direction = ARROWS[event.key.replace("Arrow", "")];
    if (!direction) return;
    event.preventDefault();
    const next = this.nearest(this.states.get(name), direction);
    if (next) {
      this.rove(next);
      this.focus(next);
    }
  }

  nearest(from, [right, down]) {
    let best = null;
    for (const state of this.states.values()) {
      const [dx, dy] = [state.at[0] - from.at[0], state.at[1] - from.at[1]];
      const along = dx * right + dy * down;
      const across = Math.abs(right ? dy : dx);
      if (along <= 1 || across > 3 * along) continue;
      const far = along + 2 * across;
      if (!best || far < best.far) best = { far, name: state.name };
    }
    return best?.name;
  }

  rove(name) {
    for (const [other, { made }] of this.drawn) made.setAttribute("tabindex", other === name ? 0 : -1);
  }

  focus(name) {
    this.drawn.get(name)?.made.focus();
  }
}

function line(edge) {
  const kind = edge.catch ? "catch" : "plain";
  const words = [`${edge.from} → ${edge.to}`, edge.when && `${edge.catch ? "on error" : "if"}: ${edge.when}`];
  return svg("path", {
    d: path(edge.points), class: `edge ${kind}`, "data-kind": kind, "data-edge": `${edge.from}→${edge.to}`,
    "marker-end": `url(#arrow-${kind})`,
  }, svg("title", {}, words.filter(Boolean).join(", ")));
}

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

const arrow = (name) => svg("marker", {
  id: `arrow-${name}`, class: `arrow ${name}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7,
  markerUnits: "userSpaceOnUse", orient: "auto",
}, svg("path", { d: "M0,0.5 L8,4 L0,7.5 z" }));
