// What a state changed: the paths at which its output differs from its input. And JSON to search in.

import { el, plural } from "./dom.js";

const LONGEST = 120; // letters of a value in a line; the whole stands below

// [path, value] of every leaf; an empty object or array is one
function leaves(value, path = "$") {
  if (value === null || typeof value !== "object" || Object.keys(value).length === 0) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => (
    leaves(inner, Array.isArray(value) ? `${path}[${key}]` : /^\w+$/.test(key) ? `${path}.${key}` : `${path}["${key}"]`)));
}

// [{path, before, after}], in the output's order; undefined: was not, or is no more, there
export function changes(input, output) {
  const [before, after] = [new Map(leaves(input)), new Map(leaves(output))];
  const differ = (path) => JSON.stringify(before.get(path)) !== JSON.stringify(after.get(path));
  return [...new Set([...after.keys(), ...before.keys()])].filter(differ)
    .map((path) => ({ path, before: before.get(path), after: after.get(path) }));
}

const shown = (value) => {
  const text = JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
};

export function changed(input, output) {
  const found = changes(input, output);
  if (!found.length) return el("p", { class: "faint" }, "It changed nothing.");
  return el("dl", { class: "changes" }, found.map(({ path, before, after }) => el("div", {},
    el("dt", {}, el("code", {}, path)),
    el("dd", {}, before !== undefined && [el("del", {}, shown(before)), " "],
      after === undefined ? el("span", { class: "faint" }, "removed") : el("ins", {}, shown(after))))));
}

// Input and output as a whole, folded; a word that is searched for leaves the lines that have it, and unfolds them.
export function searchable(parts) {
  const present = parts.filter(([, value]) => value !== undefined && value !== null);
  const found = el("span", { class: "faint", role: "status" });
  const made = present.map(([title, value]) => {
    const code = el("code");
    const all = typeof value === "string" ? value : JSON.stringify(value, null, 2);
    code.textContent = all;
    const box = el("details", {}, el("summary", {}, title), el("pre", { tabindex: 0, "aria-label": title }, code));
    return { box, code, all, lines: leaves(value).map(([path, leaf]) => `${path} = ${JSON.stringify(leaf)}`) };
  });
  const field = el("input", { type: "search", "data-part": "search", "aria-label": "Search in input and output", placeholder: "Search in input and output" });
  field.addEventListener("input", () => {
    const word = field.value.trim().toLowerCase();
    let count = 0;
    for (const { box, code, all, lines } of made) {
      const fitting = lines.filter((line) => line.toLowerCase().includes(word));
      code.textContent = word ? fitting.join("\n") || "nothing" : all;
      box.open = Boolean(word);
      count += fitting.length;
    }
    found.textContent = word ? plural(count, "line") : "";
  });
  return el("div", { class: "whole" }, el("div", { class: "row" }, field, found), made.map((one) => one.box));
}
