// The phases of a deployment in a row: a mark, the name, who or what, and how long; the state also in a word.

import { el } from "./dom.js";

const MARKS = { done: "✓", current: "●", failed: "✕", stopped: "■", waiting: "○", skipped: "–" };

// `marked` makes nodes of mrkdwn.
export const strip = (phases, marked) => phases.map((phase) => (
  el("li", { class: `phase ${phase.state}`, "aria-current": phase.state === "current" && "step" },
    el("span", { class: "mark", "aria-hidden": "true" }, MARKS[phase.state] ?? ""),
    el("span", { class: "name" }, phase.name),
    el("span", { class: "hidden" }, `: ${phase.said}`),
    phase.took && el("span", { class: "took" }, phase.took),
    phase.detail && el("span", { class: "detail" }, marked(phase.detail)))));
