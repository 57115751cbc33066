// The state machine as a graph: laid out by the server, drawn here, lit by what an execution has passed. The phase in
// which the execution is stands unfolded; whoever opens another one keeps it open.

import { api } from "./api.js";
import { byId, plural, svg } from "./dom.js";
import { arrow, box, frame, mark, TITLE, transition } from "./shapes.js";
import { Zoom } from "./zoom.js";

const LOOKS = { now: ["●", "now here"], done: ["✓", "passed"], caught: ["⚠", "left by an error"], failed: ["✕", "ended here"] };
const ARROWS = { Up: [0, -1], Down: [0, 1], Left: [-1, 0], Right: [1, 0] };
const PATIENCE = 4000; // ms after somebody has looked around in which nothing moves by itself
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Graph {
  // chosen(name) is called when somebody opens a state
  constructor(drawing, chosen) {
    this.chosen = chosen;
    this.box = byId("machine");
    this.layouts = new Map([["", drawing]]);
    this.kept = new Set(); // phases that somebody unfolded
    this.shut = ""; // the current phase, where somebody folded it
    this.way = { states: {}, edges: [] };
    this.visits = new Map();
    this.now = this.marked = this.stop = "";
    this.drawn = new Map();
    this.touched = -Infinity;
    this.frames = svg("g");
    this.lines = svg("g", { "aria-hidden": "true" });
    this.boxes = svg("g");
    this.picture = svg("svg", { class: "picture" },
      svg("defs", {}, ["plain", "lit", "catch"].map((name) => arrow(name))), this.frames, this.lines, this.boxes);
    this.picture.addEventListener("keydown", (event) => this.key(event));
    this.box.replaceChildren(this.picture);
    this.zoom = new Zoom(this.box, this.picture);
    this.draw(drawing);
    byId("legend").append(...Object.values(LOOKS).map(([icon, word]) => `${icon} ${word}  `), "┄ on an error");
    byId("whole").addEventListener("click", () => this.whole());
    byId("taken").addEventListener("click", () => this.taken());
    byId("larger").addEventListener("click", () => this.larger(1));
    byId("smaller").addEventListener("click", () => this.larger(-1));
    this.picture.classList.add("taken");
    for (const kind of ["wheel", "pointerdown", "keydown"]) {
      this.box.addEventListener(kind, () => { this.touched = performance.now(); }, { passive: true });
    }
  }

  // ------------------------------------------------------------------------------------------------ drawing

  draw(drawing) {
    const { width, height } = drawing;
    this.drawing = drawing;
    this.states = new Map(drawing.states.map((state) => [state.name, state]));
    this.picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.zoom.fit(width);
    this.edges = new Map(drawing.edges.filter((edge) => edge.points).map((edge) => [`${edge.from}→${edge.to}`, transition(edge)]));
    this.lines.replaceChildren(...this.edges.values());
    const shown = drawing.states.filter((state) => state.at);
    for (const [name, { made }] of this.drawn) {
      if (this.states.get(name).at) continue;
      made.remove();
      this.drawn.delete(name);
    }
    for (const state of shown) this.put(state);
    this.rove(this.drawn.has(this.stop) ? this.stop : this.states.get(this.stop)?.phase || shown[0].name);
    this.paint();
  }

  // A state that was there before moves to where it is now.
  put(state) {
    const known = this.drawn.get(state.name);
    const made = known?.made ?? svg("g", { class: `state ${state.type.toLowerCase()}`, role: "button", "data-state": state.name });
    const icon = mark(state);
    made.replaceChildren(svg("title", {}, state.about), ...(state.frame ? frame(state) : box(state)).flat().filter(Boolean), icon);
    made.style.transform = `translate(${state.at[0]}px, ${state.at[1]}px)`;
    if (state.frame) {
      made.classList.toggle("unfolded", state.frame === "unfolded");
      made.setAttribute("aria-expanded", String(state.frame === "unfolded"));
    }
    this.drawn.set(state.name, { made, icon });
    if (known) return;
    made.addEventListener("click", (event) => {
      this.rove(state.name);
      if (state.frame && !event.target.classList.contains("outline")) this.toggle(state.name);
      else this.chosen(state.name);
    });
    (state.frame ? this.frames : this.boxes).append(made);
  }

  // A state, a phase or an end, chosen elsewhere, comes into view; a phase unfolds.
  async reveal(name) {
    if (!this.states.has(name)) return;
    if (this.states.get(name).frame === "folded") await this.toggle(name);
    this.look(name);
  }

  // way: {states: {name: look}, edges: [[from, to]]}; visits: how often each state was entered; state: the current one
  async show(way, visits, state) {
    const moved = state !== this.now;
    [this.way, this.visits, this.now] = [way, visits, state];
    const phase = this.here();
    if (phase !== this.shut) this.shut = "";
    this.paint();
    await this.fold();
    if (moved && state) this.follow();
  }

  clear() {
    this.kept.clear();
    this.show({ states: {}, edges: [] }, new Map(), "");
    if (!this.busy()) this.box.scrollTo({ top: 0 });
  }

  paint() {
    for (const [name, { made, icon }] of this.drawn) {
      const look = this.way.states[name] ?? "";
      made.classList.remove(...Object.keys(LOOKS));
      if (look) made.classList.add(look);
      icon.lastChild.textContent = look === "now" ? "" : LOOKS[look]?.[0] ?? "";
      icon.toggleAttribute("hidden", !look);
      made.setAttribute("aria-label", this.said(this.states.get(name), look));
      made.setAttribute("aria-pressed", String(name === this.marked));
    }
    this.picture.classList.toggle("begun", this.way.edges.length > 0);
    const lit = new Set(this.way.edges.map(([from, to]) => `${from}→${to}`));
    for (const [key, edge] of this.edges) {
      const on = lit.has(key);
      if (on === edge.classList.contains("lit")) continue;
      edge.classList.toggle("lit", on);
      edge.setAttribute("marker-end", `url(#arrow-${on ? "lit" : edge.dataset.kind})`);
      if (on) this.lines.append(edge); // above those that are not
    }
  }

  said(state, look) {
    const visits = this.visits.get(state.name) ?? 0;
    const kind = state.frame ? "phase" : state.type;
    return [state.name, kind, look ? LOOKS[look][1] : "not entered", visits > 1 && plural(visits, "visit")].filter(Boolean).join(", ");
  }

  // ------------------------------------------------------------------------------------------------ folding

  here() {
    const state = this.states.get(this.now);
    return state?.frame ? state.name : state?.phase ?? "";
  }

  // Draw with those phases unfolded that should be.
  async fold() {
    const wanted = new Set([...this.kept, this.here()].filter((name) => name && name !== this.shut));
    const key = [...wanted].sort().map((name) => `unfolded=${encodeURIComponent(name)}`).join("&");
    this.wanted = key;
    if (!this.layouts.has(key)) this.layouts.set(key, await api(`graph?${key}`));
    if (key === this.wanted && this.layouts.get(key) !== this.drawing) this.draw(this.layouts.get(key));
  }

  // What was pressed stays where it is on the screen.
  async toggle(name) {
    const before = this.top(name);
    if (this.states.get(name).frame === "folded") {
      this.kept.add(name);
      if (this.shut === name) this.shut = "";
    } else {
      this.kept.delete(name);
      if (this.here() === name) this.shut = name;
    }
    await this.fold();
    this.box.scrollTop += (this.top(name) - before) * this.scale();
  }

  top(name) {
    const state = this.states.get(name);
    return state.at[1] - state.size[1] / 2;
  }

  // ------------------------------------------------------------------------------------------------ looking

  busy() {
    return performance.now() - this.touched < PATIENCE;
  }

  scale() {
    return this.picture.getBoundingClientRect().width / this.drawing.width;
  }

  // The state where the execution is comes into view, unless somebody is looking around.
  follow() {
    if (!this.busy()) this.look(this.now);
  }

  look(name) {
    const [x, y] = this.point(this.states.get(name));
    const scale = this.scale();
    const above = this.states.get(name).frame === "unfolded" ? 2 * TITLE : this.box.clientHeight / 2;
    this.box.scrollTo({
      left: x * scale - this.box.clientWidth / 2, top: y * scale - above,
      behavior: still.matches ? "auto" : "smooth",
    });
  }

  larger(by) {
    if (by > 0) this.zoom.larger();
    else this.zoom.smaller();
    byId("whole").setAttribute("aria-pressed", "false");
  }

  whole() {
    const whole = this.box.classList.toggle("fit");
    byId("whole").setAttribute("aria-pressed", String(whole));
    if (!whole && this.now) this.follow();
  }

  taken() {
    byId("taken").setAttribute("aria-pressed", String(this.picture.classList.toggle("taken")));
  }

  mark(name) {
    this.marked = name;
    for (const [other, { made }] of this.drawn) made.setAttribute("aria-pressed", String(other === name));
  }

  // Where a state stands for the eye: a frame, at its title.
  point(state) {
    if (!state.at) return this.point(this.states.get(state.phase));
    return state.frame === "unfolded" ? [state.at[0], this.top(state.name) + TITLE / 2] : state.at;
  }

  // ------------------------------------------------------------------------------------------------ the keyboard

  // One stop for the Tab key; the arrow keys go from state to state, Enter opens one, or folds and unfolds a phase.
  key(event) {
    const name = event.target.closest?.("[data-state]")?.dataset.state;
    if (!name) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (this.states.get(name).frame) this.toggle(name);
      else this.chosen(name);
      return;
    }
    const direction = ARROWS[event.key.replace("Arrow", "")];
    if (!direction) return;
    event.preventDefault();
    const next = this.nearest(this.point(this.states.get(name)), direction);
    if (next) {
      this.rove(next);
      this.focus(next);
    }
  }

  nearest(from, [right, down]) {
    let best = null;
    for (const name of this.drawn.keys()) {
      const to = this.point(this.states.get(name));
      const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
      const along = dx * right + dy * down;
      const across = Math.abs(right ? dy : dx);
      if (along <= 1 || across > 3 * along) continue;
      const far = along + 2 * across;
      if (!best || far < best.far) best = { far, name };
    }
    return best?.name;
  }

  rove(name) {
    this.stop = name;
    for (const [other, { made }] of this.drawn) made.setAttribute("tabindex", other === name ? 0 : -1);
  }

  focus(name) {
    (this.drawn.get(name) ?? this.drawn.get(this.states.get(name)?.phase))?.made.focus();
  }
}
