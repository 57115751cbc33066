// Slack's mrkdwn as DOM nodes: https://docs.slack.dev/messaging/formatting-message-text

import { el } from "./dom.js";

const EMOJI = {
  white_check_mark: "✅", x: "❌", warning: "⚠️", rocket: "🚀", hourglass_flowing_sand: "⏳", hourglass: "⌛",
  arrows_counterclockwise: "🔄", rewind: "⏪", leftwards_arrow_with_hook: "↩️", lock: "🔒", no_entry: "⛔",
  tada: "🎉", eyes: "👀", rotating_light: "🚨", bulb: "💡", octagonal_sign: "🛑", gear: "⚙️",
};
const WORD = "\\p{L}\\p{N}_";
const TOKEN = new RegExp([
  "`(?<code>[^`\\n]+)`",
  "<(?<angle>[^<>\\n]+)>",
  `(?<![${WORD}*])\\*(?<bold>\\S|\\S[^*\\n]*?\\S)\\*(?![${WORD}*])`,
  `(?<![${WORD}])_(?<italic>\\S|\\S[^_\\n]*?\\S)_(?![${WORD}])`,
  `(?<![${WORD}~])~(?<strike>\\S|\\S[^~\\n]*?\\S)~(?![${WORD}~])`,
  ":(?<emoji>[a-z0-9_+-]+):",
  "(?<line>\\n)",
].join("|"), "gu");

// Slack sends these three characters escaped, and only these.
export const unescape = (text) => text.replace(/&(lt|gt|amp);/g, (_, name) => ({ lt: "<", gt: ">", amp: "&" })[name]);

export const plain = (text) => text.replace(/:([a-z0-9_+-]+):/g, (all, name) => EMOJI[name] ?? all);

export function mrkdwn(text, names) {
  return text.split(/```\n?([\s\S]*?)\n?```\n?/g).flatMap((part, index) => {
    if (index % 2) return part ? [el("pre", {}, el("code", {}, unescape(part)))] : [];
    return quoted(part, names);
  });
}

// A text object of Block Kit, either kind.
export const textObject = (one, names) => (one.type === "mrkdwn" ? mrkdwn(one.text, names) : [plain(one.text)]);

function quoted(text, names) {
  const nodes = [];
  for (const run of text.split(/((?:^(?:&gt;|>) ?.*(?:\n|$))+)/gm)) {
    if (/^(&gt;|>)/.test(run)) {
      const inner = run.replace(/\n$/, "").replace(/^(?:&gt;|>) ?/gm, "");
      nodes.push(el("blockquote", {}, inline(inner, names)));
    } else if (run) nodes.push(...inline(run, names));
  }
  return nodes;
}

function inline(text, names) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(TOKEN)) {
    if (found.index > at) nodes.push(unescape(text.slice(at, found.index)));
    nodes.push(token(found, names));
    at = found.index + found[0].length;
  }
  if (at < text.length) nodes.push(unescape(text.slice(at)));
  return nodes;
}

function token(found, names) {
  const { code, angle, bold, italic, strike, emoji } = found.groups;
  if (code) return el("code", {}, unescape(code));
  if (angle) return angled(angle, names);
  if (bold) return el("strong", {}, inline(bold, names));
  if (italic) return el("em", {}, inline(italic, names));
  if (strike) return el("s", {}, inline(strike, names));
  if (emoji) return EMOJI[emoji] ?? found[0];
  return el("br");
}

function angled(inside, names) {
  const [target, label] = inside.split(/\|([\s\S]*)/);
  if (target.startsWith("@")) return mention(`@${names.users[target.slice(1)]?.name ?? label ?? target.slice(1)}`);
  if (target.startsWith("#")) return mention(`#${names.channels[target.slice(1)] ?? label ?? target.slice(1)}`);
  if (target.startsWith("!subteam^")) return mention(`@${names.groups[target.slice(9)] ?? label ?? target.slice(9)}`);
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!")) return mention(`@${target.slice(1)}`);
  return link(unescape(target), unescape(label ?? target));
}

const mention = (text) => el("span", { class: "mention" }, text);

export function link(address, label) {
  if (!/^(https?|mailto):/i.test(address)) return label;
  const own = address.startsWith(`${location.origin}/#`);
  return el("a", own ? { href: address.slice(location.origin.length) }
    : { href: address, target: "_blank", rel: "noopener noreferrer" }, label);
}

const DATES = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  time: { hour: "2-digit", minute: "2-digit" },
  time_secs: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
};

// The page's own, which its words are in.
const language = () => document.documentElement.lang || undefined;

// <!date^1392734382^{date_short_pretty} {time}|fallback>, in the reader's own zone
function date(target, fallback) {
  const [, seconds, format = ""] = target.split("^");
  const moment = new Date(Number(seconds) * 1000);
  if (Number.isNaN(moment.getTime())) return unescape(fallback ?? target);
  const shown = unescape(format).replace(/\{(\w+)\}/g, (all, name) => {
    const style = DATES[name.replace("_pretty", "")];
    if (!style) return all;
    return (name.endsWith("_pretty") && near(moment)) || moment.toLocaleString(language(), style);
  });
  return el("time", { datetime: moment.toISOString(), title: moment.toString() }, shown);
}

function near(moment) {
  const midnight = (day) => new Date(day.getFullYear(), day.getMonth(), day.getDate());
  const days = Math.round((midnight(moment) - midnight(new Date())) / 86400000);
  return Math.abs(days) <= 1 && new Intl.RelativeTimeFormat(language(), { numeric: "auto" }).format(days, "day");
}
