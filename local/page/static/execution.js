// The execution behind the channel: its status, where it is, and its history as in the Step Functions console.

import { api, byId, clock, duration, el } from "./dom.js";
import { Graph } from "./graph.js";
import { Details } from "./state.js";

const STATUS = {
  RUNNING: ["▶", "running"], SUCCEEDED: ["✓", "good"], FAILED: ["✕", "bad"], TIMED_OUT: ["⏱", "bad"],
  ABORTED: ["■", "bad"], PENDING_REDRIVE: ["↻", "running"],
};
const NEWEST = ""; // the list's first entry: whatever runs, else what came last

export class Execution {
  constructor(drawing) {
    this.graph = new Graph(drawing, (name) => this.details.open(name).catch((error) => this.problem(error.message)));
    this.details = new Details(drawing, {
      opened: (name) => this.graph.mark(name),
      closed: (name) => { this.graph.mark(""); this.graph.focus(name); },
    });
    this.list = [];
    this.chosen = NEWEST;
    this.name = "";
    this.shown = null;
    this.rows = new Map();
    this.loading = this.again = false;
    byId("executions").addEventListener("change", (event) => { location.hash = event.target.value && `#/${event.target.value}`; });
    byId("all-events").addEventListener("change", () => this.filter());
    byId("copy").addEventListener("click", () => this.copy());
    addEventListener("hashchange", () => this.refresh());
    setInterval(() => this.tick(), 500);
  }

  static async load() {
    return new Execution(await api("graph"));
  }

  // Fetch what there is, and draw it. Calls that come meanwhile are one more round.
  async refresh() {
    if (this.loading) { this.again = true; return; }
    this.loading = true;
    try {
      do {
        this.again = false;
        this.list = (await api("executions")).executions;
        this.choose();
        if (this.name) await this.show(await api(`executions/${encodeURIComponent(this.name)}`));
        else this.clear();
        await this.details.refresh(this.name);
      } while (this.again);
    } catch (error) {
      if (this.name !== this.shown?.name) this.clear();
      this.problem(error.message);
    } finally {
      this.loading = false;
    }
  }

  // A deep link says which (#/name). Else the one on show stays as long as it runs, and after its end until another
  // one starts: a quick /platform-status on the way takes nothing off the screen.
  choose() {
    const linked = decodeURIComponent(location.hash.replace(/^#\/?/, ""));
    this.chosen = linked || NEWEST;
    this.name = linked || this.newest()?.name || "";
    const options = [[NEWEST, linked || !this.name ? "the newest" : `${this.name} (the newest)`], ...this.list.map((one) => [one.name, `${one.name} · ${one.status}`])];
    if (linked && !this.list.some((one) => one.name === linked)) options.push([linked, linked]);
    const select = byId("executions");
    const signature = JSON.stringify(options);
    if (select.dataset.signature !== signature) {
      select.dataset.signature = signature;
      select.replaceChildren(...options.map(([value, label]) => el("option", { value }, label)));
    }
    select.value = this.chosen;
  }

  newest() {
    const now = this.list.find((one) => one.name === this.name);
    if (now?.status === "RUNNING") return now;
    const running = this.list.find((one) => one.status === "RUNNING");
    if (running) return running;
    return now && this.list[0].started < now.stopped ? now : this.list[0];
  }

  async show(found) {
    if (found.name !== this.shown?.name) this.clear();
    const [icon, look] = STATUS[found.status] ?? ["?", ""];
    const moved = found.status !== this.shown?.status;
    this.shown = { ...found, asOf: performance.now() };
    byId("no-execution").hidden = true;
    byId("history-table").hidden = byId("copy").hidden = byId("outcome").hidden = false;
    byId("status").replaceChildren(el("span", { class: `status ${look}` },
      el("span", { "aria-hidden": "true" }, `${icon} `), found.status));
    this.problem([found.error, found.cause].filter(Boolean).join(": "));
    this.tick();
    for (const event of found.events) this.row(event);
    this.filter();
    await this.graph.show(found.way, counted(found.events), found.state);
    if (moved && found.status !== "RUNNING") byId("announcer").textContent = `Execution ${found.name}: ${found.status}, ${found.state}`;
  }

  row(event) {
    if (this.rows.has(event.id)) return;
    const made = el("tr", { class: event.kind || "inside" },
      el("td", {}, String(event.id)),
      el("td", {}, event.type, event.detail && el("div", { class: "detail" }, event.detail)),
      el("td", {}, event.state && this.link(event.state)),
      el("td", { class: "number" }, duration(event.elapsed)),
      el("td", { class: "number" }, clock(event.at)));
    this.rows.set(event.id, made);
    byId("history").prepend(made); // newest first, as in the console
  }

  link(state) {
    // for the pointer: the graph has the same for the keyboard, without a stop for every row
    const made = el("button", { type: "button", class: "link", tabindex: -1 }, state);
    made.addEventListener("click", () => this.details.open(state).catch((error) => this.problem(error.message)));
    return made;
  }

  filter() {
    const all = byId("all-events").checked;
    for (const row of this.rows.values()) row.hidden = !all && row.className === "inside";
  }

  clear() {
    this.shown = null;
    this.rows.clear();
    byId("history").replaceChildren();
    byId("history-table").hidden = byId("copy").hidden = byId("outcome").hidden = true;
    byId("no-execution").hidden = false;
    this.graph.clear();
    this.problem("");
  }

  // Another session: what was linked to is gone.
  anew() {
    this.name = "";
    this.details.name && this.details.close();
    if (location.hash) history.replaceState(null, "", location.pathname);
    this.clear();
  }

  tick() {
    if (!this.shown) return;
    const since = this.shown.status === "RUNNING" ? (performance.now() - this.shown.asOf) / 1000 : 0;
    byId("elapsed").textContent = duration(this.shown.elapsed + since);
  }

  problem(text) {
    byId("trouble").textContent = text;
    byId("trouble").hidden = !text;
  }

  async copy() {
    await navigator.clipboard.writeText(this.name);
    byId("announcer").textContent = `Copied ${this.name}`;
  }
}

function counted(events) {
  const counts = new Map();
  for (const { kind, state } of events) if (kind === "entered") counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}
