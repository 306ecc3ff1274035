// The sequence as letters in blocks of ten under the user's own numbering, painted by a track; click and arrow keys select.
const strips = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let strip = strips.get(parentElement);
  if (!strip) strips.set(parentElement, (strip = new Strip(parentElement)));
  strip.send = setTriggerValue;
  strip.take(data);
  return () => {
    strip.close();
    strips.delete(parentElement);
  };
}

class Strip {
  constructor(parent) {
    this.box = parent.querySelector(".strip");
    this.note = parent.querySelector(".note");
    this.letters = [];
    this.box.onclick = (event) => this.clicked(event);
    this.box.onkeydown = (event) => this.key(event);
    this.box.onmouseover = (event) => this.over(this.at(event));
    this.box.onmouseleave = () => this.over(-1);
    this.heard = (event) => event.detail.from !== this && event.detail.group === this.data?.group && this.glimpse(event.detail.index);
    window.addEventListener("bioloom:hover", this.heard);
  }

  take(data) {
    this.data = data;
    const text = JSON.stringify([data.letters, data.places, data.start]);
    if (text !== this.text) this.write(text);
    const paint = JSON.stringify([data.colouring.palette, data.colouring.codes, data.colouring.levels]);
    if (paint !== this.painted) this.paint(paint);
    if (!this.waiting) this.select(data.picked, this.told !== data.picked);
    this.told = data.picked;
  }

  write(text) {
    const { letters, places, start } = this.data;
    this.text = text;
    this.painted = null;
    this.place = (at) => (places ? places[at] : start + at + 1);
    const blocks = [];
    this.letters = [...letters].map((letter, at) => {
      const jump = at > 0 && this.place(at) !== this.place(at - 1) + 1;
      if (at === 0 || (this.place(at) - 1) % 10 === 0 || jump) {
        const block = document.createElement("span");
        block.className = "block";
        block.append(Object.assign(document.createElement("small"), { textContent: this.place(at).toLocaleString("en") }));
        blocks.push(block);
      }
      const cell = document.createElement("b");
      if (jump) cell.className = "gap";
      cell.dataset.at = at;
      cell.append(Object.assign(document.createElement("u"), { textContent: letter }), document.createElement("s"));
      blocks[blocks.length - 1].append(cell);
      return cell;
    });
    this.box.replaceChildren(...blocks);
    this.box.setAttribute("aria-label", this.data.words);
    this.box.setAttribute("aria-valuemin", this.place(0));
    this.box.setAttribute("aria-valuemax", this.place(letters.length - 1));
    this.on = this.seen = -1;
  }

  paint(paint) {
    this.painted = paint;
    const { palette, codes, levels } = this.data.colouring;
    const signed = levels.some((level) => level < 0);
    this.box.classList.toggle("signed", signed);
    const ink = palette.map(inkOn);
    this.letters.forEach((cell, at) => {
      const [letter, bar] = cell.children;
      letter.style.background = codes[at] < 0 ? "" : palette[codes[at]];
      letter.style.color = codes[at] < 0 ? "" : ink[codes[at]];
      cell.style.setProperty("--h", Math.abs(levels[at]) * (signed ? 1 : 1.2));
      bar.className = levels[at] < 0 ? "under" : "";
    });
  }

  select(index, reveal) {
    const at = index - this.data.start;
    if (this.on !== at) {
      this.letters[this.on]?.classList.remove("on");
      this.on = at >= 0 && at < this.letters.length ? at : -1;
      this.letters[this.on]?.classList.add("on");
      if (reveal && this.on >= 0) this.show(this.letters[this.on]);
    }
    this.box.dataset.picked = this.on < 0 ? "" : this.on + this.data.start;
    this.box.setAttribute("aria-valuenow", this.place(Math.max(this.on, 0)));
    this.box.setAttribute("aria-valuetext", this.on < 0 ? "none selected" : this.words(this.on));
    this.tell();
  }

  // only the box scrolls, never the page
  show(cell) {
    const { box } = this;
    const top = cell.getBoundingClientRect().top - box.getBoundingClientRect().top;
    if (top < 0 || top > box.clientHeight - 40) box.scrollTop += top - box.clientHeight / 3;
  }

  at(event) {
    const cell = event.target.closest?.("b");
    return cell ? Number(cell.dataset.at) : -1;
  }

  clicked(event) {
    const at = this.at(event);
    if (at < 0) return;
    this.pick(at === this.on ? -1 : at, 0);
  }

  pick(at, wait) {
    this.select(at < 0 ? -1 : at + this.data.start, true);
    clearTimeout(this.waiting);
    // a held arrow key runs over many letters: the last one is told
    const tell = () => {
      this.waiting = 0;
      this.told = this.on < 0 ? -1 : this.on + this.data.start;
      this.send("picked", { index: this.told, moment: Date.now() });
    };
    if (wait) this.waiting = setTimeout(tell, wait);
    else tell();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const line = Math.max(1, this.line());
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: line, ArrowUp: -line, PageDown: 100, PageUp: -100 };
    const last = this.letters.length - 1;
    let to;
    if (event.key in steps) to = this.on < 0 ? (steps[event.key] > 0 ? 0 : last) : Math.min(last, Math.max(0, this.on + steps[event.key]));
    else if (event.key === "Home") to = 0;
    else if (event.key === "End") to = last;
    else if (event.key === "Escape") to = -1;
    else return;
    event.preventDefault();
    if (to !== this.on) this.pick(to, 160);
  }

  // letters in a line as it is laid out now
  line() {
    const top = this.letters[0]?.offsetTop;
    const next = this.letters.findIndex((cell) => cell.offsetTop !== top);
    return next < 0 ? 10 : next;
  }

  over(at) {
    if (this.under === at) return;
    this.under = at;
    this.tell();
    const index = at < 0 ? -1 : at + this.data.start;
    window.dispatchEvent(new CustomEvent("bioloom:hover", { detail: { from: this, group: this.data.group, index } }));
  }

  glimpse(index) {
    this.letters[this.seen]?.classList.remove("seen");
    this.seen = index < 0 ? -1 : index - this.data.start;
    this.letters[this.seen]?.classList.add("seen");
  }

  words(at) {
    const value = this.data.colouring.words[at];
    return `${this.data.letters[at]} ${this.place(at)}${value ? `: ${this.data.colouring.name} ${value}` : ""}`;
  }

  tell() {
    const at = this.under >= 0 ? this.under : this.on;
    this.note.textContent = at >= 0 ? this.words(at) : "Click a letter, or use the arrow keys.";
  }

  close() {
    clearTimeout(this.waiting);
    window.removeEventListener("bioloom:hover", this.heard);
  }
}

// black or white, whichever reads better on a colour (WCAG relative luminance)
function inkOn(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#FFFFFF";
}
