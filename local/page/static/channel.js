// The channel: messages in order, replies folded under what they answer, and what only one person sees.

import { tint } from "./actors.js";
import { byId, el, plural } from "./dom.js";
import { blocks } from "./blocks.js";
import { Follow } from "./follow.js";
import { mrkdwn } from "./mrkdwn.js";

const MINUTE = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const PREVIEW = 90; // letters of the last reply

export class Channel {
  // press(message, action); become(id): act as somebody else; type(line, id): send a command as that person
  constructor(names, { press, become, type }) {
    this.names = names;
    this.hooks = { press, become, type };
    this.list = byId("messages");
    this.follow = new Follow(this.list, byId("newer"));
    this.messages = new Map();
    this.drawn = new Map(); // by message id: {item, body, replies, thread, signature, pictures}
    this.actor = "";
  }

  replace(messages) {
    this.messages = new Map(messages.map((one) => [one.id, one]));
    this.draw();
  }

  put(message) {
    const isNew = !this.messages.has(message.id);
    this.messages.set(message.id, message);
    if (!this.sees(message)) return;
    const changed = this.drawOne(message);
    this.empty();
    if (changed) this.follow.grown(isNew);
    if (isNew) byId("announcer").textContent = this.spoken(message);
  }

  remove(id) {
    this.messages.delete(id);
    this.drop(id);
    this.empty();
  }

  as(actor) {
    this.actor = actor;
    this.draw();
  }

  sees(message) {
    return !message.ephemeral_to || message.ephemeral_to === this.actor;
  }

  draw() {
    const shown = [...this.messages.values()].filter((one) => this.sees(one)).sort((a, b) => (a.ts < b.ts ? -1 : 1));
    const present = new Set(shown.map((one) => one.id));
    for (const id of [...this.drawn.keys()]) if (!present.has(id)) this.drop(id);
    let changed = false;
    for (const message of shown) changed = this.drawOne(message) || changed;
    this.empty();
    if (changed) this.follow.grown(false);
  }

  drop(id) {
    const drawn = this.drawn.get(id);
    if (!drawn) return;
    const { parent } = drawn;
    drawn.item.remove();
    this.drawn.delete(id);
    if (parent) this.count(parent);
  }

  drawOne(message) {
    const before = this.drawn.get(message.id);
    const signature = JSON.stringify(message);
    if (before?.signature === signature) return false;
    const drawn = before ?? this.frame(message);
    drawn.signature = signature;
    this.fill(drawn, message);
    if (!before) this.place(drawn, message);
    if (drawn.parent) this.count(drawn.parent);
    return true;
  }

  // In the order of their times; nearly always that is the end.
  place(drawn, message) {
    this.drawn.set(message.id, drawn);
    const above = message.thread_ts && message.thread_ts !== message.ts && this.drawn.get(`${message.channel}/${message.thread_ts}`);
    if (above) drawn.parent = above;
    const list = above ? above.replies : this.list;
    let after = list.lastElementChild;
    while (after?.dataset.ts > message.ts) after = after.previousElementSibling;
    if (after) after.after(drawn.item);
    else list.prepend(drawn.item);
  }

  frame(message) {
    const author = this.names.users[message.user] ?? { name: message.user, bot: false };
    const edited = el("span", { class: "faint" });
    const body = el("div", { class: "body" });
    const replies = el("ol", { class: "replies", "aria-label": "Replies", hidden: true });
    const thread = el("button", { type: "button", class: "thread", hidden: true, "aria-expanded": "false" });
    thread.addEventListener("click", () => {
      replies.hidden = !replies.hidden;
      thread.setAttribute("aria-expanded", String(!replies.hidden));
    });
    const item = el("li", { class: message.ephemeral_to ? "message ephemeral" : "message", "data-ts": message.ts },
      el("span", { class: `avatar ${author.bot ? "bot" : tint(author.name)}`, "aria-hidden": "true" },
        author.bot ? "⚙" : author.name.slice(0, 1).toUpperCase()),
      el("div", { class: "content" },
        el("p", { class: "author" }, el("strong", {}, author.name), author.bot && el("span", { class: "app" }, "APP"),
          sent(message), message.ephemeral_to && el("span", { class: "faint" }, "Only visible to you"), edited),
        body, thread, replies));
    return { item, body, replies, thread, edited, parent: null, signature: "", pictures: new Map() };
  }

  fill(drawn, message) {
    const focused = drawn.body.contains(document.activeElement) && document.activeElement.dataset.action;
    const context = {
      names: this.names, pictures: drawn.pictures, used: new Set(), press: (action) => this.hooks.press(message, action),
    };
    const made = message.blocks.length ? blocks(message.blocks, context)
      : [el("div", {}, mrkdwn(message.text, this.names))];
    drawn.body.replaceChildren(...made, ...this.offers(message));
    drawn.edited.textContent = message.edited ? "edited" : "";
    if (focused) {
      const same = [...drawn.body.querySelectorAll("button")].find((one) => one.dataset.action === focused);
      (same ?? this.list).focus();
    }
  }

  // Somebody was refused for who they are: those who may.
  offers(message) {
    if (!message.offer?.length) return [];
    return [el("p", { class: "actions offer" }, message.offer.map((id) => el("button", {
      type: "button", onclick: () => this.hooks.become(id),
    }, `Act as ${this.names.users[id].name}`)))];
  }

  // How many replies there are, and what the last one says.
  count({ thread, replies }) {
    const number = replies.children.length;
    const last = replies.lastElementChild?.querySelector(".body")?.textContent ?? "";
    thread.hidden = number === 0;
    thread.replaceChildren(el("strong", {}, plural(number, "reply", "replies")), " ",
      el("span", { class: "faint" }, last.length > PREVIEW ? `${last.slice(0, PREVIEW)}…` : last));
  }

  empty() {
    const note = this.list.querySelector(".empty");
    if (this.drawn.size) {
      note?.remove();
      return;
    }
    if (note) return;
    const { text, requester, requester_id: id } = this.names.example;
    const offered = (label, line) => el("button", { type: "button", onclick: () => this.hooks.type(line, id) }, label, " ", el("code", {}, line));
    this.list.append(el("li", { class: "empty faint" },
      el("p", {}, "Nothing has happened here yet. Begin as ", requester, this.approval(), ":"),
      el("p", { class: "actions" }, offered("Deploy", `/platform-deploy ${text}`), offered("Ask what runs", "/platform-status")),
      el("p", {}, "GitHub, Slack and ECS are simulated; the Lambdas and the state machine are the real ones.")));
  }

  approval() {
    const { approver } = this.names.example;
    return approver && `, then approve it as ${approver}`;
  }

  spoken(message) {
    const author = this.names.users[message.user]?.name ?? message.user;
    return `${author}: ${el("p", {}, mrkdwn(message.text, this.names)).textContent}`;
  }
}

function sent(message) {
  const moment = new Date(Number(message.ts) * 1000);
  return el("time", { class: "faint", datetime: moment.toISOString(), title: moment.toString() },
    MINUTE.format(moment));
}
