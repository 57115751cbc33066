// The phases of a deployment from left to right: how each stands, and a word about it.

import { el } from "./dom.js";

const LOOKS = {
  done: ["✓", "passed"], now: ["●", "now here"], failed: ["✕", "failed"], caught: ["⚠", "left by an error"],
  stopped: ["■", "ended here by people"], skipped: ["–", "not part of it"], "": ["", "not yet"],
};

export class Phases {
  // box: an <ol>; chosen(state), where given, is called when somebody presses a phase
  constructor(box, chosen) {
    this.box = box;
    this.chosen = chosen;
    this.drawn = new Map(); // by name: {item, signature}
  }

  // phases: [{name, state, look, note}]
  show(phases) {
    const wanted = new Set(phases.map((one) => one.name));
    for (const [name, { item }] of this.drawn) {
      if (wanted.has(name)) continue;
      item.remove();
      this.drawn.delete(name);
    }
    phases.forEach((phase, index) => this.put(phase, index));
  }

  put(phase, index) {
    const known = this.drawn.get(phase.name);
    const signature = JSON.stringify(phase);
    const item = known?.item ?? el("li");
    if (this.box.children[index] !== item) this.box.insertBefore(item, this.box.children[index] ?? null);
    if (known?.signature === signature) return;
    this.drawn.set(phase.name, { item, signature });
    const held = item.contains(document.activeElement);
    const made = this.phase(phase);
    item.className = phase.look || "later";
    item.replaceChildren(made);
    if (held) made.focus();
  }

  phase({ name, state, look, note }) {
    const [mark, said] = LOOKS[look] ?? LOOKS[""];
    const inside = [
      el("strong", {}, mark && el("span", { class: "mark", "aria-hidden": "true" }, `${mark} `), name,
        el("span", { class: "hidden" }, ` ${said}${note && ","}`)), " ",
      el("span", { class: "note", title: note, "aria-hidden": !note && "true" }, note || "–"),
    ];
    if (!this.chosen || !state) return el("span", { class: "phase" }, inside);
    return el("button", { type: "button", class: "phase", "data-phase": name, onclick: () => this.chosen(state) }, inside);
  }
}
