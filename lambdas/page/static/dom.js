// Elements are made of text nodes and properties only: what people and services write is never read as HTML.

export const el = (tag, properties, ...children) => filled(document.createElement(tag), properties, children);

export const svg = (tag, properties, ...children) => (
  filled(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children));

function filled(made, properties = {}, children = []) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const byId = (id) => document.getElementById(id);

export function duration(seconds) {
  const whole = Math.max(Math.floor(seconds), 0);
  const two = (number) => String(number).padStart(2, "0");
  if (whole >= 3600) return `${Math.floor(whole / 3600)}h ${two(Math.floor((whole % 3600) / 60))}m`;
  return whole >= 60 ? `${Math.floor(whole / 60)}m ${two(whole % 60)}s` : `${whole}s`;
}

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

// made once: a formatter is far dearer than what it formats
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hour12: false });

export function clock(seconds) {
  const time = new Date(seconds * 1000);
  const shown = `${TIME.format(time)}.${String(time.getMilliseconds()).padStart(3, "0")}`;
  return el("time", { datetime: time.toISOString() }, shown);
}
