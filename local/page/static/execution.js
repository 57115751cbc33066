// The execution behind the channel: its status, where it is, and its history as in the Step Functions console.

import { api, byId, duration, el } from "./dom.js";

const STATUS = {
  RUNNING: ["▶", "running"], SUCCEEDED: ["✓", "good"], FAILED: ["✕", "bad"], TIMED_OUT: ["⏱", "bad"],
  ABORTED: ["■", "bad"], PENDING_REDRIVE: ["↻", "running"],
};
const NEWEST = ""; // the list's first entry: whatever runs, else what came last

export class Execution {
  constructor() {
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

  // Fetch what there is, and draw it. Calls that come meanwhile are one more round.
  async refresh() {
    if (this.loading) { this.again = true; return; }
    this.loading = true;
    try {
      do {
        this.again = false;
        this.list = (await api("executions")).executions;
        this.choose();
        if (this.name) this.show(await api(`executions/${encodeURIComponent(this.name)}`));
        else this.clear();
      } while (this.again);
    } catch (error) {
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
    const options = [[NEWEST, "Follow the newest"], ...this.list.map((one) => [one.name, `${one.name} · ${one.status}`])];
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

  show(found) {
    if (found.name !== this.shown?.name) this.clear();
    const [icon, look] = STATUS[found.status] ?? ["?", ""];
    const moved = found.status !== this.shown?.status;
    this.shown = { ...found, asOf: performance.now() };
    byId("no-execution").hidden = true;
    byId("shown").hidden = byId("copy").hidden = false;
    byId("status").replaceChildren(el("span", { class: `status ${look}` },
      el("span", { "aria-hidden": "true" }, `${icon} `), found.status));
    byId("state").textContent = found.state || "–";
    this.problem([found.error, found.cause].filter(Boolean).join(": "));
    this.tick();
    for (const event of found.events) this.row(event);
    this.filter();
    if (moved && found.status !== "RUNNING") byId("announcer").textContent = `Execution ${found.name}: ${found.status}, ${found.state}`;
  }

  row(event) {
    if (this.rows.has(event.id)) return;
    const time = new Date(event.at * 1000);
    const clock = `${time.toLocaleTimeString(undefined, { hour12: false })}.${String(time.getMilliseconds()).padStart(3, "0")}`;
    const made = el("tr", { class: event.kind || "inside" },
      el("td", {}, String(event.id)),
      el("td", {}, event.type, event.detail && el("div", { class: "detail" }, event.detail)),
      el("td", {}, event.state),
      el("td", { class: "number" }, duration(event.elapsed)),
      el("td", { class: "number" }, el("time", { datetime: time.toISOString() }, clock)));
    this.rows.set(event.id, made);
    byId("history").prepend(made); // newest first, as in the console
  }

  filter() {
    const all = byId("all-events").checked;
    for (const row of this.rows.values()) row.hidden = !all && row.className === "inside";
  }

  clear() {
    this.shown = null;
    this.rows.clear();
    byId("history").replaceChildren();
    byId("shown").hidden = byId("copy").hidden = true;
    byId("no-execution").hidden = false;
    this.problem("");
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
