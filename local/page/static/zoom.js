// The graph larger and smaller: by the wheel or a pinch around the pointer, by two buttons around the middle; dragged,
// it moves.

const [SMALLEST, LARGEST] = [0.25, 3];
const BUTTON = 1.25;
const DRAG = 4; // px before a press becomes a drag, so that a click stays one

export class Zoom {
  // view: the box that scrolls; picture: what is in it, as wide as its natural width where that fits
  constructor(view, picture) {
    this.view = view;
    this.picture = picture;
    this.natural = 0;
    this.factor = 1;
    this.fingers = new Map();
    view.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    view.addEventListener("pointerdown", (event) => this.down(event));
    view.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    view.addEventListener("click", (event) => { if (this.dragged) event.stopPropagation(); }, { capture: true });
  }

  // The picture has another size.
  fit(width) {
    this.natural = width;
    this.apply();
  }

  apply() {
    this.picture.style.width = this.factor === 1 ? `min(100%, ${this.natural}px)` : `${this.base() * this.factor}px`;
  }

  base() {
    return Math.min(this.natural, this.view.clientWidth - 16);
  }

  by(ratio, x = this.view.clientWidth / 2, y = this.view.clientHeight / 2) {
    const now = this.picture.getBoundingClientRect().width / this.base();
    const next = Math.min(Math.max(now * ratio, SMALLEST), LARGEST);
    const box = this.view.getBoundingClientRect();
    const before = this.picture.getBoundingClientRect();
    const [u, v] = [(box.left + x - before.left) / before.width, (box.top + y - before.top) / before.height];
    this.factor = Math.abs(next - 1) < 0.02 ? 1 : next;
    this.view.classList.remove("fit");
    this.apply();
    const after = this.picture.getBoundingClientRect();
    this.view.scrollLeft += after.left + u * after.width - box.left - x;
    this.view.scrollTop += after.top + v * after.height - box.top - y;
  }

  larger() { this.by(BUTTON); }

  smaller() { this.by(1 / BUTTON); }

  // A trackpad's pinch arrives as a wheel with ctrlKey. Shift scrolls sideways, as everywhere.
  wheel(event) {
    if (event.shiftKey) return;
    event.preventDefault();
    const box = this.view.getBoundingClientRect();
    const step = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY;
    this.by(Math.exp(-step * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - box.left, event.clientY - box.top);
  }

  down(event) {
    this.dragged = false;
    this.fingers.set(event.pointerId, event);
    this.from = [event.clientX, event.clientY, this.view.scrollLeft, this.view.scrollTop];
  }

  move(event) {
    if (!this.fingers.has(event.pointerId)) return;
    if (this.fingers.size === 2) return this.pinch(event);
    if (event.pointerType !== "mouse") return undefined; // a finger scrolls by itself
    if (!event.buttons) { this.fingers.clear(); return undefined; } // let go outside
    const [x, y, left, top] = this.from;
    if (Math.hypot(event.clientX - x, event.clientY - y) > DRAG) this.dragged = true;
    if (this.dragged) this.view.scrollTo(left + x - event.clientX, top + y - event.clientY);
    return undefined;
  }

  pinch(event) {
    const apart = () => {
      const [a, b] = [...this.fingers.values()];
      return [Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), (a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2];
    };
    const [before] = apart();
    this.fingers.set(event.pointerId, event);
    const [after, x, y] = apart();
    const box = this.view.getBoundingClientRect();
    if (before > 0) this.by(after / before, x - box.left, y - box.top);
  }
}
