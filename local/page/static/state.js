// One state of the execution on show: what it is, where it leads, and of every stay in it the input, output, errors, retries.

import { changed, searchable } from "./changes.js";
import { api } from "./api.js";
import { byId, clock, el, plural } from "./dom.js";

export class Details {
  constructor(drawing, { opened, closed }) {
    this.hooks = { opened, closed };
    this.states = new Map(drawing.states.map((state) => [state.name, state]));
    this.leads = drawing.edges;
    this.box = byId("details");
    this.name = "";
    this.execution = "";
    this.visits = [];
    this.at = -1; // which visit; -1: the newest
    this.box.addEventListener("keydown", (event) => { if (event.key === "Escape") this.close(); });
  }

  async open(name) {
    this.name = name;
    this.at = -1;
    this.visits = [];
    this.hooks.opened(name);
    await this.refresh();
    byId("details-title").focus();
  }

  close() {
    const { name } = this;
    this.name = "";
    this.box.hidden = true;
    byId("no-state").hidden = false;
    this.hooks.closed(name);
  }

  // Of the execution on show; called when it has moved, too.
  async refresh(execution = this.execution) {
    if (execution !== this.execution) this.at = -1;
    this.execution = execution;
    if (!this.name) return;
    const asked = `executions/${encodeURIComponent(execution)}/states/${encodeURIComponent(this.name)}`;
    this.visits = execution ? (await api(asked)).visits : [];
    this.draw();
  }

  draw() {
    const state = this.states.get(this.name);
    const index = this.at < 0 ? this.visits.length - 1 : this.at;
    const visit = this.visits[index];
    const signature = JSON.stringify([this.name, this.visits.length, index, visit]);
    this.box.hidden = false;
    byId("no-state").hidden = true;
    if (signature === this.signature) return;
    this.signature = signature;
    const held = document.activeElement?.dataset.part;
    this.box.replaceChildren(
      el("h3", { id: "details-title", class: "small", tabindex: -1, "data-part": "title" }, state.name, " ",
        el("span", { class: "faint" }, state.frame ? "phase" : state.type)),
      state.phase && this.phase(state.phase) || "", state.about && el("p", {}, state.about) || "",
      visit ? this.visit(visit, index) : el("p", { class: "faint" }, "This execution has not been here."), this.ways() || "");
    if (held) this.box.querySelector(`[data-part="${held}"]`)?.focus();
  }

  phase(name) {
    const made = el("button", { type: "button", class: "link", "data-part": "phase" }, name);
    made.addEventListener("click", () => this.open(name));
    return el("p", { class: "faint" }, "In the phase ", made);
  }

  ways() {
    const ways = this.leads.filter((edge) => edge.from === this.name);
    return ways.length > 0 && el("details", {}, el("summary", {}, "Leads to ", ways.map((edge) => edge.to).join(", ")),
      el("ul", { class: "ways" }, ways.map((edge) => el("li", {}, el("strong", {}, edge.to),
        edge.catch ? ` on an error: ${edge.when}` : edge.when && ` if ${edge.when}`.replace(/^ if otherwise$/, " otherwise")))));
  }

  visit(visit, index) {
    const step = (by, label, part) => {
      const made = el("button", { type: "button", "data-part": part, disabled: !this.visits[index + by] }, label);
      made.addEventListener("click", () => {
        this.at = index + by === this.visits.length - 1 ? -1 : index + by;
        this.draw();
      });
      return made;
    };
    const stayed = visit.left ? `stayed ${(visit.left - visit.entered).toFixed(3)} s` : "is here now";
    return el("div", { class: "visit" },
      el("div", { class: "row" },
        this.visits.length > 1 && [step(-1, "‹ Earlier", "earlier"), step(1, "Later ›", "later")],
        el("p", {}, el("strong", {}, `Visit ${index + 1} of ${this.visits.length}`), " entered ", clock(visit.entered), `, ${stayed}, `,
          el("strong", {}, plural(visit.retries, "retry", "retries")))),
      visit.errors.length > 0 && el("div", {}, el("h4", { class: "small" }, "Error"),
        el("ul", { class: "errors" }, visit.errors.map((error) => (
          el("li", { class: "trouble" }, el("strong", {}, error.type), error.detail && ` ${error.detail}`))))),
      visit.left && visit.output !== null && el("div", {}, el("h4", { class: "small" }, "What it changed"), changed(visit.input, visit.output)),
      searchable([["Input", visit.input], ["Output", visit.left ? visit.output : undefined]]));
  }
}
