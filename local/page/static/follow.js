// A list that keeps up: at its end it stays there while it grows; elsewhere it stands still and says that there is more.

const NEAR = 80; // px from the end that count as there

export class Follow {
  // view: what scrolls; more: the button that leads to what is new
  constructor(view, more) {
    this.view = view;
    this.more = more;
    this.there = true;
    view.addEventListener("scroll", () => {
      this.there = view.scrollHeight - view.scrollTop - view.clientHeight < NEAR;
      if (this.there) more.hidden = true;
    }, { passive: true });
    view.addEventListener("load", () => this.grown(false), { capture: true }); // a picture that is larger than it was
    more.addEventListener("click", () => {
      this.end();
      view.focus({ preventScroll: true });
    });
  }

  // Something has changed; isNew: something was added that nobody has seen.
  grown(isNew) {
    if (this.there) this.view.scrollTop = this.view.scrollHeight;
    else if (isNew) this.more.hidden = false;
  }

  end() {
    this.there = true;
    this.more.hidden = true;
    this.view.scrollTop = this.view.scrollHeight;
  }
}
