// Panels of which one is shown: https://www.w3.org/WAI/ARIA/apg/patterns/tabs/

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

export class Tabs {
  // list: the tablist, its tabs naming their panels by aria-controls; shown(id) is called with the panel that appears
  constructor(list, shown) {
    this.tabs = [...list.querySelectorAll('[role="tab"]')];
    this.shown = shown;
    for (const tab of this.tabs) tab.addEventListener("click", () => this.select(panel(tab).id));
    list.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      const at = this.tabs.indexOf(document.activeElement);
      const next = this.tabs[(at + step + this.tabs.length) % this.tabs.length];
      this.select(panel(next).id);
      next.focus();
    });
    this.select(panel(this.tabs[0]).id);
  }

  select(id) {
    if (id === this.current) return;
    this.current = id;
    for (const tab of this.tabs) {
      const on = panel(tab).id === id;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      panel(tab).hidden = !on;
    }
    this.shown?.(id);
  }
}

const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
