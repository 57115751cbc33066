// The two dialogs of Slack: "are you sure?", and modals with inputs. <dialog> keeps the focus inside, Esc closes it.

import { el } from "./dom.js";
import { blocks } from "./blocks.js";
import { plain, textObject } from "./mrkdwn.js";

// Resolves to whether the person said yes.
export function confirm(asked, names) {
  return new Promise((resolve) => {
    const yes = el("button", { type: "button", class: asked.style ?? "primary" }, plain(asked.confirm.text));
    const no = el("button", { type: "button", autofocus: true }, plain(asked.deny.text));
    const box = el("dialog", { "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
      el("h2", { id: "confirm-title" }, plain(asked.title.text)),
      el("p", { id: "confirm-text" }, textObject(asked.text, names)),
      el("div", { class: "actions end" }, no, yes));
    let answer = false;
    yes.addEventListener("click", () => { answer = true; box.close(); });
    no.addEventListener("click", () => box.close());
    box.addEventListener("close", () => { box.remove(); resolve(answer); });
    document.body.append(box);
    box.showModal();
  });
}

// One modal on the screen. submit(values by block_id) and cancel() are told by promises that may fail.
export class Modal {
  constructor(view, names, { submit, cancel }) {
    this.id = view.id;
    this.drawn = JSON.stringify(view.content);
    this.hooks = { submit, cancel };
    this.inputs = new Map();
    const { content } = view;
    const context = { names, press: async () => {}, pictures: new Map(), used: new Set() };
    const body = content.blocks.flatMap((block) => (
      block.type === "input" ? [this.input(block)] : blocks([block], context)));
    this.trouble = el("p", { class: "trouble", role: "alert", hidden: true });
    this.send = content.submit && el("button", { class: "primary", type: "submit" }, plain(content.submit.text));
    const close = el("button", { type: "button" }, plain(content.close?.text ?? "Close"));
    const form = el("form", { novalidate: true }, el("h2", { id: "modal-title" }, plain(content.title.text)),
      body, this.trouble, el("div", { class: "actions end" }, close, this.send));
    this.box = el("dialog", { "aria-labelledby": "modal-title" }, form);
    form.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    close.addEventListener("click", () => this.hooks.cancel().catch((error) => this.show({ "": error.message })));
    this.box.addEventListener("cancel", (event) => { event.preventDefault(); close.click(); });
    document.body.append(this.box);
    this.box.showModal();
    this.show(view.errors);
  }

  input(block) {
    const { element } = block;
    const id = `input-${block.block_id}`;
    const field = control(element, id);
    const error = el("p", { id: `${id}-error`, class: "trouble", role: "alert", hidden: true });
    const hint = block.hint && el("p", { id: `${id}-hint`, class: "hint faint" }, plain(block.hint.text));
    field.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
    this.inputs.set(block.block_id, { field, error, block });
    return el("div", { class: "input" },
      el("label", { for: id }, plain(block.label.text), block.optional ? " (optional)" : ""), field, hint, error);
  }

  async submit() {
    if (this.send.getAttribute("aria-disabled")) return;
    const missing = {};
    const values = {};
    for (const [id, { field, block }] of this.inputs) {
      // as Slack does: what is empty is caught here, and is null where it may be
      if (!field.value.trim() && !block.optional) missing[id] = "Please complete this required field.";
      values[id] = field.value || null;
    }
    this.show(missing);
    if (Object.keys(missing).length) return;
    this.send.setAttribute("aria-disabled", "true");
    try {
      await this.hooks.submit(values);
    } catch (error) {
      this.show({ "": error.message });
    } finally {
      this.send.removeAttribute("aria-disabled");
    }
  }

  // Errors by block_id; "" is about the whole.
  show(errors) {
    for (const [id, { field, error }] of this.inputs) {
      error.textContent = errors[id] ?? "";
      error.hidden = !errors[id];
      field.setAttribute("aria-invalid", String(Boolean(errors[id])));
    }
    this.trouble.textContent = errors[""] ?? "";
    this.trouble.hidden = !errors[""];
    this.inputs.get(Object.keys(errors)[0])?.field.focus();
  }

  close() {
    this.box.close();
    this.box.remove();
  }
}

function control(element, id) {
  const properties = { id, name: id, maxlength: element.max_length, placeholder: element.placeholder?.text };
  const field = element.multiline ? el("textarea", { ...properties, rows: 3 })
    : el("input", { ...properties, type: "text" });
  field.value = element.initial_value ?? "";
  return field;
}
