// The history as in the Step Functions console, newest first. Rows are made while somebody looks at them.

import { byId, clock, duration, el } from "./dom.js";

export class Events {
  // body: a <tbody>; opened(state) is called when one is pressed
  constructor(body, opened) {
    this.body = body;
    this.opened = opened;
    this.visible = false;
    byId("all-events").addEventListener("change", (event) => body.classList.toggle("moves", !event.target.checked));
    this.clear();
  }

  clear() {
    this.waiting = [];
    this.visits = new Map(); // how often each state was entered
    this.last = 0; // the id of the newest event
    this.body.replaceChildren();
  }

  // events, oldest first, that came after those that are known
  add(events) {
    for (const event of events) {
      this.last = event.id;
      this.waiting.push(event);
      if (event.kind === "entered") this.visits.set(event.state, (this.visits.get(event.state) ?? 0) + 1);
    }
    this.draw();
  }

  show(visible) {
    this.visible = visible;
    this.draw();
  }

  draw() {
    if (!this.visible || !this.waiting.length) return;
    this.body.prepend(...this.waiting.splice(0).reverse().map((event) => this.row(event)));
  }

  row(event) {
    return el("tr", { class: event.kind || "inside" },
      el("td", {}, String(event.id)),
      el("td", {}, event.type, event.detail && el("div", { class: "detail" }, event.detail)),
      el("td", {}, event.state && this.link(event.state)),
      el("td", { class: "number" }, duration(event.elapsed)),
      el("td", { class: "number" }, clock(event.at)));
  }

  link(state) {
    // for the pointer: the graph has the same for the keyboard, without a stop for every row
    return el("button", { type: "button", class: "link", tabindex: -1, onclick: () => this.opened(state) }, state);
  }
}
