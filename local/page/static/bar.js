// The page's own controls: how fast time goes, the scenarios, everything anew.

import { api } from "./api.js";
import { byId, el } from "./dom.js";

const SPEEDS = [1, 10];
const STATES = { playing: "▶ Playing", played: "✓ Played", stopped: "■ Left" };

export class Bar {
  // problem(text) tells what could not be done; anew() is called when another session has come
  constructor({ problem, anew }) {
    this.hooks = { problem, anew };
    this.session = null;
    this.listed = "";
    byId("speed").append(...SPEEDS.map((speed) => {
      const made = el("button", { type: "button", "data-speed": speed, title: "of GitHub, ECS and Wait states; deadlines are real" }, `${speed}×`);
      made.addEventListener("click", () => this.ask("speed", { speed }).then((told) => told && this.show(told)));
      return made;
    }));
    byId("reset").addEventListener("click", () => this.restart("reset", {}));
  }

  async refresh() {
    this.show(await api("stage"));
  }

  show(told) {
    if (this.session !== null && told.session !== this.session) this.hooks.anew();
    this.session = told.session;
    for (const button of byId("speed").children) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === told.speed));
    }
    const listed = JSON.stringify(told.scenarios);
    if (listed !== this.listed) {
      this.listed = listed;
      byId("scenario-list").replaceChildren(...told.scenarios.map((one) => this.entry(one)));
    }
    const { scenario } = told;
    byId("playing").hidden = !scenario;
    byId("playing").textContent = scenario
      ? `${STATES[scenario.state]} “${scenario.name}”: ${scenario.about}${scenario.note && ` (${scenario.note})`}` : "";
  }

  entry({ name, about, missing }) {
    const made = el("button", { type: "button", disabled: Boolean(missing) },
      el("strong", {}, name), " ", el("span", { class: "faint" }, missing || about));
    made.addEventListener("click", () => {
      byId("scenarios").hidePopover();
      this.restart("scenario", { name });
    });
    return el("li", {}, made);
  }

  async restart(path, body) {
    if (await this.ask(path, body)) byId("connection").textContent = "beginning anew …";
  }

  async ask(path, body) {
    this.hooks.problem("");
    try {
      return await api(path, body);
    } catch (error) {
      this.hooks.problem(error.message);
      return null;
    }
  }
}
