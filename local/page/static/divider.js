// The bar between the graph and what is below it: dragged, or moved with the arrow keys, it makes the lower part
// smaller or larger. https://www.w3.org/WAI/ARIA/apg/patterns/windowsplitter/

const KEY = "below";
const [LEAST, MOST, STEP] = [8, 85, 5]; // percent of the height that both have

export class Divider {
  // bar: the separator, between the two in one column
  constructor(bar) {
    this.bar = bar;
    this.column = bar.parentElement;
    const kept = Number(localStorage.getItem(KEY));
    if (kept) this.set(kept);
    bar.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      bar.focus();
      bar.setPointerCapture(event.pointerId);
    });
    bar.addEventListener("pointermove", (event) => {
      if (bar.hasPointerCapture(event.pointerId)) this.set(this.share(event.clientY));
    });
    bar.addEventListener("keydown", (event) => {
      const step = { ArrowUp: STEP, ArrowDown: -STEP }[event.key];
      if (!step) return;
      event.preventDefault();
      this.set(Number(bar.getAttribute("aria-valuenow")) + step);
    });
  }

  // How much lies below this height of the window, in percent.
  share(y) {
    const top = this.bar.previousElementSibling.getBoundingClientRect().top;
    const bottom = this.column.getBoundingClientRect().bottom;
    return ((bottom - y) / (bottom - top)) * 100;
  }

  set(share) {
    const held = Math.round(Math.min(Math.max(share, LEAST), MOST));
    this.column.style.setProperty("--below", `${held}fr`);
    this.column.style.setProperty("--above", `${100 - held}fr`);
    this.bar.setAttribute("aria-valuenow", String(held));
    localStorage.setItem(KEY, String(held));
  }
}
