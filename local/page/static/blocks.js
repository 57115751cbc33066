// Block Kit as DOM: https://docs.slack.dev/reference/block-kit/blocks

import { el } from "./dom.js";
import { plain, textObject } from "./mrkdwn.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

// `context`: names (of users, channels, groups), press(action), pictures (elements of an earlier drawing by
// address), used (those that are part of this drawing)
export function blocks(list, context) {
  return list.map((block) => {
    const draw = KINDS[block.type];
    return draw ? draw(block, context) : el("p", { class: "faint" }, `[a ${block.type} block, not drawn here]`);
  });
}

const KINDS = {
  header: (block) => el("h3", {}, plain(block.text.text)),
  divider: () => el("hr"),
  section: (block, context) => el("div", { class: "section" },
    el("div", { class: "grow" },
      block.text && el("div", {}, textObject(block.text, context.names)),
      block.fields && el("div", { class: "fields" },
        block.fields.map((field) => el("div", {}, textObject(field, context.names))))),
    block.accessory && element(block.accessory, block, context)),
  context: (block, context) => el("div", { class: "context" }, block.elements.map((item) => (
    item.type === "image" ? picture(item.image_url, item.alt_text, context, "small")
      : el("span", {}, textObject(item, context.names))))),
  actions: (block, context) => el("div", { class: "actions" },
    block.elements.map((item) => element(item, block, context))),
  image: (block, context) => el("figure", {},
    block.title && el("figcaption", {}, plain(block.title.text)),
    picture(block.image_url, block.alt_text, context)),
};

function element(item, block, context) {
  if (item.type === "image") return picture(item.image_url, item.alt_text, context, "accessory");
  if (item.type === "button") return button(item, block, context);
  return el("span", { class: "faint" }, `[a ${item.type}, not drawn here]`);
}

function button(item, block, context) {
  const made = el("button", {
    type: "button", class: item.style, "data-action": item.action_id, "aria-label": item.accessibility_label,
  }, plain(item.text.text));
  made.addEventListener("click", async () => {
    if (made.getAttribute("aria-disabled")) return;
    made.setAttribute("aria-disabled", "true"); // `disabled` would lose the focus
    try {
      await context.press(item);
    } finally {
      made.removeAttribute("aria-disabled");
    }
  });
  return made;
}

// A picture that is drawn again after an edit is the same element, so that a GIF does not start anew each time.
function picture(address, alt, context, size = "") {
  const before = context.pictures.get(address);
  if (before && !context.used.has(before)) {
    context.used.add(before);
    return before;
  }
  // room before it has loaded, so that nothing jumps; a picture of another shape takes its own then
  const room = size ? {} : { width: 480, height: 150 };
  const made = el("img", { src: address, alt, class: size, title: alt, ...room });
  const keep = (shown) => {
    context.pictures.set(address, shown);
    context.used.add(shown);
  };
  const instead = (other) => {
    made.replaceWith(other);
    keep(other);
  };
  keep(made);
  made.addEventListener("error", () => instead(el("p", { class: "faint" }, `[picture: ${alt}]`)), { once: true });
  if (still.matches) made.addEventListener("load", () => instead(firstFrame(made, alt)), { once: true });
  return made;
}

// Whoever asks for less motion gets a GIF's first frame.
function firstFrame(image, alt) {
  const canvas = el("canvas", {
    role: "img", "aria-label": alt, width: image.naturalWidth, height: image.naturalHeight, class: image.className,
  });
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas;
}
