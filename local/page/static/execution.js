// The execution behind the channel: how it stands in people's words, its graph, what has happened, its events.

import { api } from "./api.js";
import { byId, duration, el } from "./dom.js";
import { Divider } from "./divider.js";
import { Events } from "./events.js";
import { Graph } from "./graph.js";
import { Passed } from "./passed.js";
import { Details } from "./state.js";
import { Phases } from "./phases.js";
import { Tabs } from "./tabs.js";
import { Timeline } from "./timeline.js";

const NEWEST = ""; // the list's first entry: whatever runs, else what came last
const TONES = { now: "●", wait: "●", good: "✓", bad: "✕", neutral: "■" };

export class Execution {
  constructor(drawing, names) {
    const open = (name) => this.details.open(name).catch((error) => this.problem(error.message));
    this.graph = new Graph(drawing, open);
    this.passed = new Passed(byId("passed"), drawing.states, open);
    this.strip = new Phases(byId("strip"), (name) => this.graph.reveal(name).then(() => this.narrow.matches && open(name)));
    this.timeline = new Timeline(byId("timeline"), names, open);
    this.events = new Events(byId("history"), open);
    this.details = new Details(drawing, {
      opened: (name) => {
        this.graph.mark(name);
        byId("tab-state").textContent = `State: ${name}`;
        this.tabs.select("state-panel");
      },
      closed: (name) => {
        this.graph.mark("");
        byId("tab-state").textContent = "State";
        this.tabs.select("timeline-panel");
        this.graph.focus(name);
      },
    });
    this.tabs = new Tabs(byId("tabs"), (id) => this.events.show(id === "events-panel"));
    this.divider = new Divider(byId("divider"));
    this.narrow = matchMedia("(max-width: 850px)");
    this.narrow.addEventListener("change", () => this.shown && this.passed.show(this.narrow.matches ? this.shown.way.states : {}));
    this.list = [];
    this.name = "";
    this.shown = null;
    this.loading = this.again = false;
    byId("executions").addEventListener("change", (event) => { location.hash = event.target.value && `#/${event.target.value}`; });
    byId("copy").addEventListener("click", () => this.copy());
    addEventListener("hashchange", () => this.refresh());
    setInterval(() => this.tick(), 500);
  }

  static async load(names) {
    return new Execution(await api("graph"), names);
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
        if (this.name) await this.show(await api(`executions/${encodeURIComponent(this.name)}?since=${this.since()}`));
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

  since() {
    return this.name === this.shown?.name ? this.events.last : 0;
  }

  // A deep link says which (#/name). Else the one on show stays as long as it runs, and after its end until another
  // one starts: a quick /platform-status on the way takes nothing off the screen.
  choose() {
    const linked = decodeURIComponent(location.hash.replace(/^#\/?/, ""));
    this.name = linked || this.newest()?.name || "";
    const label = (one) => [one.label, time(one.started)].filter(Boolean).join(" · ");
    const now = this.list.find((one) => one.name === this.name);
    const options = [[NEWEST, linked || !now ? "the newest" : label(now)], ...this.list.map((one) => [one.name, label(one)])];
    if (linked && !now) options.push([linked, linked]);
    const select = byId("executions");
    const signature = JSON.stringify(options);
    if (select.dataset.signature !== signature) {
      select.dataset.signature = signature;
      select.replaceChildren(...options.map(([value, text]) => el("option", { value }, text)));
    }
    select.value = linked || NEWEST;
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
    const moved = found.status !== this.shown?.status;
    this.shown = { ...found, asOf: performance.now() };
    const { story } = found;
    byId("no-execution").hidden = true;
    byId("facts").hidden = byId("end").hidden = false;
    write("title", story.title);
    write("end", `${TONES[story.tone]} ${story.end}`);
    byId("end").className = `end-word ${story.tone}`;
    write("status", found.status);
    write("tab-events", `Events (${found.count})`);
    this.problem([found.error, found.cause].filter(Boolean).join(": "));
    this.tick();
    this.strip.show(story.phases);
    this.timeline.show(story.timeline);
    this.events.add(found.events);
    if (this.narrow.matches) this.passed.show(found.way.states);
    await this.graph.show(found.way, this.events.visits, found.state);
    if (moved && found.status !== "RUNNING") byId("announcer").textContent = `${story.title}: ${story.end}`;
  }

  clear() {
    this.shown = null;
    this.events.clear();
    this.strip.show([]);
    this.timeline.show([]);
    this.passed.show({});
    byId("facts").hidden = byId("end").hidden = true;
    byId("no-execution").hidden = false;
    write("title", "No deployment yet");
    write("tab-events", "Events");
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
    write("elapsed", duration(this.shown.elapsed + since));
  }

  problem(text) {
    write("trouble", text);
    byId("trouble").hidden = !text;
  }

  async copy() {
    await navigator.clipboard.writeText(this.name);
    byId("announcer").textContent = `Copied ${this.name}`;
  }
}

function write(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

const time = (seconds) => seconds && new Date(seconds * 1000).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
