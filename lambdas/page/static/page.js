// A deployment's page: asks what to show with the signature that stands in the address behind #, again and again while
// the deployment goes on, and shows it. docs/page.md describes what comes.

import { byId, el } from "./dom.js";
import { link, mrkdwn } from "./mrkdwn.js";
import { strip } from "./strip.js";

const LONGEST_PAUSE = 30;
const lang = document.documentElement.lang;
let etag = "";
let failures = 0;
let timer = 0;
let asking = null;
const shown = new Map();

const signature = () => location.hash.slice(1);

function later(seconds) {
  clearTimeout(timer);
  if (seconds) timer = setTimeout(look, seconds * 1000);
}

async function look() {
  clearTimeout(timer);
  if (document.hidden && etag) return; // visibilitychange looks again
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  try {
    const answer = await fetch(`${location.pathname}/state`, {
      headers: { authorization: `Bearer ${signature()}`, ...(etag ? { "if-none-match": etag } : {}) },
      cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer", signal: mine.signal,
    });
    if (answer.status === 404) return gone();
    if (answer.status !== 304 && !answer.ok) throw new Error(String(answer.status));
    if (answer.ok) {
      const found = await answer.json();
      etag = answer.headers.get("etag") ?? "";
      show(found);
    }
    failures = 0;
    byId("lost").hidden = true;
    later(shown.get("poll"));
  } catch (error) {
    if (mine.signal.aborted) return;
    failures += 1;
    byId("lost").hidden = failures < 2;
    later(Math.min(2 ** failures, LONGEST_PAUSE));
  }
}

function gone() {
  byId("gone").hidden = false;
  for (const id of ["title", "summary", "lost", "shown", "footer"]) byId(id).hidden = true;
}

// Puts the nodes there, unless they come of the same as what stands there: a link keeps the focus.
function put(id, from, nodes) {
  const text = JSON.stringify(from);
  if (shown.get(id) === text) return;
  shown.set(id, text);
  byId(id).replaceChildren(...nodes());
}

function show(found) {
  const users = Object.fromEntries(Object.entries(found.names).map(([id, name]) => [id, { name }]));
  const marked = (text) => mrkdwn(text, { users, channels: {}, groups: {} });
  const named = (part) => [part, found.names];
  shown.set("poll", found.poll_seconds);
  document.title = `${found.sign} ${found.title}`;
  byId("gone").hidden = true;
  byId("title").hidden = false;
  byId("shown").hidden = false;
  byId("footer").hidden = false;
  byId("summary").hidden = !found.summary;
  byId("links").hidden = !found.runs.length;
  put("title", [found.sign, found.title], () => [
    el("span", { "aria-hidden": "true" }, `${found.sign} `), found.title,
  ]);
  put("summary", named(found.summary), () => marked(found.summary));
  put("phases", named(found.phases), () => strip(found.phases, marked));
  put("fields", named(found.fields), () => found.fields.map((field) => {
    const [name, ...rest] = field.split("\n");
    return el("div", {}, el("dt", {}, marked(name)), el("dd", {}, marked(rest.join("\n"))));
  }));
  put("lines", named(found.lines), () => found.lines.map((line) => el("li", {}, marked(line))));
  put("timeline", named(found.timeline), () => found.timeline.map(({ at, text }) => (
    el("li", {}, moment(at), el("span", {}, marked(text))))));
  put("runs", found.runs, () => found.runs.map((run) => el("li", {}, link(run.url, `${run.name} #${run.number}`))));
  put("id", found.id, () => [found.id]);
  byId("console").hidden = !found.console;
  if (found.console) byId("console").setAttribute("href", found.console);
}

function moment(seconds) {
  const at = new Date(seconds * 1000);
  const text = at.toLocaleString(lang, {
    month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  });
  return el("time", { datetime: at.toISOString(), title: at.toString() }, text);
}

addEventListener("hashchange", () => {
  etag = "";
  look();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && shown.get("poll")) look();
});
look();
