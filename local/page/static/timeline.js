// What has happened, in people's words, newest first.

import { duration, el } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";

export class Timeline {
  // box: an <ol>; opened(state), where given, is called when somebody wants to see the state behind a line
  constructor(box, names, opened) {
    this.box = box;
    this.names = names;
    this.opened = opened;
    this.drawn = []; // oldest first: {item, signature}
  }

  // lines, oldest first: [{at, sign, text (mrkdwn), state, seconds, now}]
  show(lines) {
    for (const { item } of this.drawn.splice(lines.length)) item.remove();
    lines.forEach((line, index) => {
      const signature = JSON.stringify(line);
      const known = this.drawn[index];
      if (known?.signature === signature) return;
      const item = this.line(line);
      if (known) known.item.replaceWith(item);
      else this.box.prepend(item);
      this.drawn[index] = { item, signature };
    });
  }

  line({ at, sign, text, state, seconds, now }) {
    const moment = new Date(at * 1000);
    const took = now ? "now" : seconds === null ? "" : seconds < 1 ? "< 1s" : duration(seconds);
    return el("li", { class: now ? "line now" : "line" },
      el("time", { class: "faint", datetime: moment.toISOString() }, moment.toLocaleTimeString(undefined, { hour12: false })),
      el("span", { "aria-hidden": "true" }, sign),
      el("span", { class: "said" }, mrkdwn(text, this.names), this.opened && state && [" ", this.link(state)]),
      el("span", { class: "number faint" }, took));
  }

  link(state) {
    return el("button", {
      type: "button", class: "link faint", "aria-label": `Details of ${state}`, onclick: () => this.opened(state),
    }, "details");
  }
}
