// The channel: messages in order, replies under what they answer, and what only one person sees.

import { byId, el } from "./dom.js";
import { blocks } from "./blocks.js";
import { mrkdwn } from "./mrkdwn.js";

export class Channel {
  constructor(names, press) {
    this.names = names;
    this.press = press;
    this.list = byId("messages");
    this.messages = new Map();
    this.drawn = new Map(); // by message id: {item, body, replies, signature, pictures}
    this.actor = "";
  }

  replace(messages) {
    this.messages = new Map(messages.map((one) => [one.id, one]));
    this.draw();
  }

  put(message) {
    const isNew = !this.messages.has(message.id);
    this.messages.set(message.id, message);
    this.draw();
    if (isNew && this.sees(message)) byId("announcer").textContent = this.spoken(message);
  }

  remove(id) {
    this.messages.delete(id);
    this.draw();
  }

  as(actor) {
    this.actor = actor;
    this.draw();
  }

  sees(message) {
    return !message.ephemeral_to || message.ephemeral_to === this.actor;
  }

  draw() {
    const near = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 80;
    const shown = [...this.messages.values()].filter((one) => this.sees(one))
      .sort((a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0));
    const present = new Set(shown.map((one) => one.id));
    for (const [id, { item }] of this.drawn) {
      if (!present.has(id)) {
        item.remove();
        this.drawn.delete(id);
      }
    }
    let changed = false;
    for (const message of shown) changed = this.drawOne(message, present) || changed;
    this.empty(shown.length === 0);
    if (changed && near) this.list.scrollTop = this.list.scrollHeight;
  }

  drawOne(message, present) {
    const before = this.drawn.get(message.id);
    const signature = JSON.stringify(message);
    const drawn = before ?? this.frame(message);
    if (!before) {
      this.drawn.set(message.id, drawn);
      const parent = `${message.channel}/${message.thread_ts}`;
      const isReply = message.thread_ts && message.thread_ts !== message.ts && present.has(parent);
      (isReply ? this.drawn.get(parent).replies : this.list).append(drawn.item);
    }
    if (drawn.signature === signature) return false;
    drawn.signature = signature;
    this.fill(drawn, message);
    return true;
  }

  frame(message) {
    const author = this.names.users[message.user] ?? { name: message.user, bot: false };
    const sent = new Date(Number(message.ts) * 1000);
    const edited = el("span", { class: "faint" });
    const body = el("div", { class: "body" });
    const replies = el("ol", { class: "replies", "aria-label": "Replies" });
    const item = el("li", { class: message.ephemeral_to ? "message ephemeral" : "message" },
      el("span", { class: author.bot ? "avatar bot" : "avatar", "aria-hidden": "true" },
        author.bot ? "⚙" : author.name.slice(0, 1).toUpperCase()),
      el("div", { class: "content" },
        el("p", { class: "author" }, el("strong", {}, author.name), author.bot && el("span", { class: "app" }, "APP"),
          el("time", { class: "faint", datetime: sent.toISOString(), title: sent.toString() },
            sent.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" })),
          message.ephemeral_to && el("span", { class: "faint" }, "Only visible to you"), edited),
        body, replies));
    return { item, body, replies, edited, signature: "", pictures: new Map() };
  }

  fill(drawn, message) {
    const focused = drawn.body.contains(document.activeElement) && document.activeElement.dataset.action;
    const context = {
      names: this.names, pictures: drawn.pictures, used: new Set(), press: (action) => this.press(message, action),
    };
    const made = message.blocks.length ? blocks(message.blocks, context)
      : [el("div", {}, mrkdwn(message.text, this.names))];
    drawn.body.replaceChildren(...made);
    drawn.edited.textContent = message.edited ? "edited" : "";
    if (focused) {
      const same = [...drawn.body.querySelectorAll("button")].find((one) => one.dataset.action === focused);
      (same ?? this.list).focus();
    }
  }

  empty(isEmpty) {
    const note = this.list.querySelector(".empty");
    if (isEmpty && !note) {
      this.list.append(el("li", { class: "empty faint" },
        el("p", {}, "Nothing has happened here yet. Try ", el("code", {}, `/platform-deploy ${this.names.example.text}`),
          ` as ${this.names.example.requester}${this.approval()}.`),
        el("p", {}, "GitHub, Slack and ECS are simulated; the Lambdas and the state machine are the real ones.")));
    } else if (!isEmpty) note?.remove();
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
