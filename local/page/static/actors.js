// Who one is: those whom one can act as, as faces above the composer.

import { byId, el } from "./dom.js";

const ANYBODY = "developer"; // a role that needs no word

export class Actors {
  // people: [{id, name, role}]; changed(person) is called at once and with everybody whom one becomes
  constructor(people, changed) {
    this.people = people;
    this.changed = changed;
    const remembered = sessionStorage.getItem("actor");
    this.inputs = new Map(people.map((one) => [one.id, el("input", {
      type: "radio", name: "actor", value: one.id, onchange: () => this.become(one.id),
    })]));
    byId("actors").append(...people.map((one) => el("label", { class: "actor" }, this.inputs.get(one.id),
      el("span", { class: `face ${tint(one.name)}`, "aria-hidden": "true" }, one.name.slice(0, 1)),
      el("span", {}, one.name, one.role !== ANYBODY && el("span", { class: "role" }, `, ${one.role}`)))));
    this.become(this.inputs.has(remembered) ? remembered : people[0].id);
  }

  become(id) {
    this.id = id;
    this.inputs.get(id).checked = true;
    sessionStorage.setItem("actor", id);
    this.changed(this.people.find((one) => one.id === id));
  }
}

// The same colour for the same name everywhere.
export const tint = (name) => `tint-${[...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6}`;
