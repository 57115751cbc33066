// The graph as a list, for a narrow screen: the states that the execution has passed, in order, under their phases.

import { el } from "./dom.js";

const LOOKS = { now: ["●", "now here"], done: ["✓", "passed"], caught: ["⚠", "left by an error"], failed: ["✕", "ended here"] };

export class Passed {
  // states: those of the drawing; opened(name) is called when one is pressed
  constructor(box, states, opened) {
    this.box = box;
    this.phases = new Map(states.map((state) => [state.name, state.phase]));
    this.opened = opened;
    this.drawn = new Map(); // by name: {item, look, inside}
  }

  // looks: {name: look}, in the order in which they were entered first
  show(looks) {
    for (const [name, { item }] of this.drawn) {
      if (name in looks) continue;
      item.remove();
      this.drawn.delete(name);
    }
    for (const [name, look] of Object.entries(looks)) this.put(name, look);
  }

  put(name, look) {
    const known = this.drawn.get(name);
    if (known?.look === look) return;
    const [mark, said] = LOOKS[look];
    const made = el("button", {
      type: "button", class: "link", "aria-label": `${name}, ${said}`, onclick: () => this.opened(name),
    }, el("span", { "aria-hidden": "true" }, `${mark} `), name);
    if (known) {
      known.look = look;
      known.item.className = look;
      known.item.firstChild.replaceWith(made);
      return;
    }
    const inside = el("ol", {});
    const item = el("li", { class: look }, made, inside);
    this.drawn.set(name, { item, look, inside });
    (this.drawn.get(this.phases.get(name))?.inside ?? this.box).append(item);
  }
}
