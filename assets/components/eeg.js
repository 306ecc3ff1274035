// The EEG reader: keys, pointer, and the talk with the server. The pages ahead are fetched while one is read.
const readers = new WeakMap();
const SENSITIVITIES = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 500];
const CHOICES = {
  page_s: [5, 10, 15, 20, 30, 60, 120, 300].map((n) => [n, n < 60 ? `${n} s` : `${n / 60} min`]),
  sensitivity: SENSITIVITIES.map((n) => [n, `${n} µV/mm`]),
  low_cut: [null, 0.1, 0.3, 0.5, 1, 1.6, 3, 5, 10].map((n) => [n, n === null ? "off" : `${n} Hz`]),
  high_cut: [null, 15, 30, 35, 40, 70, 100, 200].map((n) => [n, n === null ? "off" : `${n} Hz`]),
  notch: [null, 50, 60].map((n) => [n, n === null ? "off" : `${n} Hz`]),
};
const MONTAGE_KEYS = { r: "referential", v: "average", l: "longitudinal", t: "transverse" };
const MOST_ASKED = 12; // tiles at once
const LOT_BYTES = 1e6;
const CALM = 400; // milliseconds after a jump before more is fetched: the next jump need not wait for that
const PATIENCE = 12000; // milliseconds after which a question that got no answer is asked again

export default function ({ data, parentElement, setTriggerValue }) {
  let reader = readers.get(parentElement);
  if (!reader) readers.set(parentElement, (reader = new Reader(parentElement)));
  reader.send = setTriggerValue;
  if (data) reader.take(unpack(data));
  return () => {
    reader.close();
    readers.delete(parentElement);
  };
}

class Reader {
  constructor(parent) {
    const get = (selector) => parent.querySelector(selector);
    this.root = get(".reader");
    [this.page, this.over, this.band] = [get("canvas.page"), get("canvas.over"), get("canvas.strip")];
    [this.stage, this.panel, this.note, this.wait] = [get(".stage"), get(".panel"), get(".note"), get(".wait")];
    [this.told, this.acts, this.where, this.live, this.notes] = [get(".told"), get(".acts"), get(".where"), get(".live"), get(".notes")];
    this.tiles = new Tiles();
    this.local = { sensitivity: 7, factors: {}, negativeUp: true };
    this.number = Date.now(); // of questions; acts carry it so that none is done twice
    this.queue = [];
    this.direction = 1;
    this.traces = [];
    this.marks = [];
    this.listen();
  }

  // --- what the server tells -----------------------------------------------------------------------------------

  take(head) {
    this.root.dataset.bytes = head.bytes;
    const answered = head.id === this.asking;
    if (answered || !this.asking) {
      clearTimeout(this.timer);
      this.asking = 0;
    } else if (!head.full) return; // an answer to a question that was asked anew
    if (head.full) this.takeFull(head);
    if (!this.full) return this.ask({ full: true });
    // an answer to a question from before the last change of the view is not this view's
    if (!this.unsent && (answered || !this.dirty)) {
      this.dirty = false;
      this.view = head.view;
      Object.assign(this, { traces: head.traces, every: head.every, montage: head.montage, look_: head.look });
      this.tiles.take(head);
      this.stage.classList.remove("old");
      this.say(head.error);
      const staged = this.full.staged ? [`Sleep stages: ${this.full.staged}.`] : [];
      this.notes.textContent = [...head.notes, ...staged].join(" ");
      this.fillBar();
    }
    if (head.goto && head.goto.moment !== this.gone) this.arrive(head.goto);
    if (head.tiles.length) this.weight = head.bytes / head.tiles.length;
    const stale = head.version !== this.version;
    this.arrange();
    clearTimeout(this.later);
    if (stale && !head.full) this.ask({ full: true });
    else if (head.tiles.length > 3 || !this.ready() || this.unsent || this.queue.length) this.refill();
    else this.later = setTimeout(() => this.refill(), CALM);
  }

  takeFull(head) {
    const first = !this.full;
    this.full = head.full;
    this.version = head.version;
    this.strip = head.arrays.strip?.rows;
    this.marks = head.full.marks.map(([id, onset, duration, label, channels, origin, bad]) => ({ id, onset, duration, label, channels, origin, bad }));
    this.pxPerMm = head.full.px_per_mm || 96 / 25.4;
    if (first) {
      Object.assign(this.local, head.full.local, { factors: { ...head.full.local?.factors } });
      this.view = head.view;
      this.at = this.inside(head.full.at);
      // a reader that is opened again stands where it stood, not where it was sent before
      if (head.goto && head.goto.at !== head.full.at) this.gone = head.goto.moment;
    }
  }

  // what was looked for stands a little inside the page
  arrive({ at, duration, moment }) {
    this.gone = moment;
    this.at = this.inside(Math.floor(at - 0.2 * this.view.page_s));
    this.measure(duration ? { from: at, to: at + duration, label: "" } : null);
  }

  say(error) {
    this.note.hidden = !error;
    if (error) this.note.textContent = `${error.message} ${error.hint}`;
  }

  // --- what the server is asked --------------------------------------------------------------------------------

  ask(more = {}) {
    if (more.act) this.queue.push(more.act);
    if (more.full) this.wantFull = true;
    if (this.asking || !this.send) return;
    const act = this.queue[0];
    const tiles = this.missing();
    this.asking = ++this.number;
    this.send("asked", { id: this.asking, view: this.view, local: this.local, at: this.at, tiles, full: !!this.wantFull, act: act || null, version: this.version });
    this.queue.shift();
    this.wantFull = false;
    this.unsent = false;
    this.timer = setTimeout(() => {
      this.asking = 0;
      if (act) this.queue.unshift(act);
      this.ask({ full: true });
    }, PATIENCE);
  }

  // numbers of the tiles to fetch now: the page itself, then ahead, then behind
  missing() {
    if (!this.full) return [];
    const { page_s: page } = this.view;
    const here = Math.floor(this.at / page + 1e-9);
    const last = Math.ceil(this.full.duration / page) - 1;
    const [ahead, behind] = page <= 15 ? [24, 6] : page <= 30 ? [10, 4] : page <= 60 ? [4, 2] : [1, 1];
    const found = [];
    const want = (n) => n >= 0 && n <= last && !this.has(n) && !found.includes(n) && found.push(n);
    want(here);
    want(here + 1);
    for (let n = 1; n <= ahead; n++) want(here + n * this.direction);
    for (let n = 1; n <= behind; n++) want(here - n * this.direction);
    // a page that is waited for comes with few others, so that it comes soon; heavy pages come in smaller lots, so that none holds up a turn
    return found.slice(0, this.has(here) ? Math.max(3, Math.min(MOST_ASKED, Math.floor(LOT_BYTES / (this.weight || 1)))) : 3);
  }

  has(number) {
    return !this.dirty && this.tiles.has(number);
  }

  // pages after this one that are here already
  ahead() {
    let n = Math.floor(this.at / this.view.page_s + 1e-9);
    const here = n;
    while (this.has(n + 1)) n++;
    return n - here;
  }

  ready() {
    const { page_s: page } = this.view;
    const last = Math.ceil(this.full.duration / page) - 1;
    for (let n = Math.floor(this.at / page + 1e-9); n * page < this.at + page - 1e-9 && n <= last; n++) if (!this.has(n)) return false;
    return true;
  }

  refill() {
    if (this.asking) return;
    const far = this.full.around && (this.at < this.full.around[0] || this.at + this.view.page_s > this.full.around[1]);
    const missing = this.missing();
    // several at a time, but always well ahead of need: a journey takes long when the machine has other work
    const here = Math.floor(this.at / this.view.page_s + 1e-9);
    const near = missing.some((n) => Math.abs(n - here) <= 4);
    if (this.unsent || this.queue.length || far || near || missing.length >= 6) this.ask({ full: far || undefined });
  }

  act(what) {
    this.ask({ act: { ...what, number: ++this.number } });
  }

  // another view; with an act that it needs, such as the montage that it shows
  change(what, act) {
    this.view = { ...this.view, ...what };
    this.dirty = this.unsent = true;
    this.stage.classList.add("old");
    this.fillBar();
    this.ask({ act: act && { ...act, number: ++this.number } });
  }

  // --- moving --------------------------------------------------------------------------------------------------

  inside(at) {
    const most = Math.max(0, this.full.duration - this.view.page_s);
    return Math.min(Math.max(0, Math.round(at * 1000) / 1000), Math.ceil(most));
  }

  go(at) {
    const to = this.inside(at);
    this.direction = to >= this.at ? 1 : -1;
    this.at = to;
    this.redraw();
    this.refill();
  }

  turn(pages) {
    this.go(this.at + pages * this.view.page_s);
  }

  beyondBreak() {
    const next = this.full.gaps.find(([, to]) => to > this.at + 1e-3);
    if (next) this.go(next[1]);
  }

  readTime(text) {
    const parts = text.trim().split(":").map(Number);
    if (!text.trim() || parts.some((n) => !(n >= 0)) || parts.length > 3) return null;
    let seconds = parts.reduce((sum, n) => sum * 60 + n, 0);
    if (this.panel.querySelector(".clock")?.checked) {
      const clock = this.full.clock.split(":").map(Number).reduce((sum, n) => sum * 60 + n, 0);
      if (parts.length === 2) seconds *= 60;
      seconds = (seconds - clock + 86400) % 86400;
    }
    return seconds;
  }

  // --- drawing -------------------------------------------------------------------------------------------------

  arrange() {
    if (!this.full || !this.view) return;
    const width = this.root.clientWidth;
    if (!width) return;
    this.look = palette(this.root);
    this.plot = layout(width, this.traces, 0.6 * window.innerHeight);
    this.redraw();
  }

  redraw() {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = 0;
    if (!this.plot || !this.full) return;
    this.at = this.inside(this.at);
    const ready = this.ready();
    const began = performance.now();
    this.stage.style.height = `${this.plot.height}px`;
    if (!this.dirty) {
      drawPage(this, this.page);
      drawStrip(this, this.band);
    }
    drawOver(this, this.over);
    this.wait.hidden = ready || this.dirty;
    this.words();
    this.page.dataset.ahead = this.ahead();
    if (ready) {
      Object.assign(this.page.dataset, { at: this.at, look: this.look_, drawn: (performance.now() - began).toFixed(1) });
      this.tiles.trim(Math.floor(this.at / this.view.page_s));
    }
  }

  timeText(seconds, parts = 0) {
    if (!this.full.clock) return clockText(seconds, parts);
    const clock = this.full.clock.split(":").map(Number).reduce((sum, n) => sum * 60 + n, 0);
    return clockText((clock + seconds) % 86400, parts);
  }

  words() {
    const { full, at, view } = this;
    const end = Math.min(at + view.page_s, full.duration);
    const since = full.clock ? ` (${this.timeText(at)})` : "";
    this.where.textContent = `${clockText(at)} to ${clockText(end)}${since} of ${clockText(full.duration)}`;
    const marks = this.marksIn(at, end);
    const breaks = full.gaps.filter(([from, to]) => from < end && to > at);
    const stage = full.stages.length ? stageAt(this, at) : "";
    const text = [
      `${clockText(at)} to ${clockText(end)}`,
      `montage ${full.montages[this.montage] || this.montage}, ${this.traces.length} traces`,
      full.simulated ? "simulated recording" : "",
      stage ? `sleep stage ${stage}` : "",
      breaks.length ? `nothing recorded for ${breaks.map(([from, to]) => spanText(to - from)).join(" and ")}` : "",
      marks.length ? `${marks.length} ${marks.length === 1 ? "annotation" : "annotations"}: ${marks.slice(0, 5).map((mark) => mark.label).join(", ")}` : "no annotation",
    ].filter(Boolean).join("; ");
    this.page.setAttribute("aria-label", `EEG page, ${text}. Arrow keys turn pages, question mark shows the keys.`);
    this.band.setAttribute("aria-valuemin", 0);
    this.band.setAttribute("aria-valuemax", Math.round(full.duration));
    this.band.setAttribute("aria-valuenow", Math.round(at));
    this.band.setAttribute("aria-valuetext", clockText(at));
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => (this.live.textContent = text), 700);
    if (!this.pointer && !this.stretch) this.told.textContent = full.simulated ? "Simulated recording: no person's brain made it." : "";
  }

  marksIn(from, to) {
    return this.marks.filter((mark) => mark.onset < to && mark.onset + mark.duration >= from);
  }

  // --- controls ------------------------------------------------------------------------------------------------

  fillBar() {
    const values = { ...this.view, sensitivity: this.local.sensitivity };
    for (const select of this.root.querySelectorAll("select[data-set]")) {
      const name = select.dataset.set;
      let choices = CHOICES[name];
      if (name === "montage") {
        choices = [...Object.entries(this.full.montages), ...Object.keys(this.full.own).map((key) => [key, key])];
        values.montage = this.dirty ? this.view.montage || this.montage : this.montage;
      }
      if (!choices.some(([value]) => value === values[name])) choices = [...choices, [values[name], `${values[name]}`]];
      const text = JSON.stringify(choices);
      if (select.dataset.choices !== text) {
        select.dataset.choices = text;
        select.replaceChildren(...choices.map(([value, words]) => make("option", { value: JSON.stringify(value), textContent: words })));
      }
      select.value = JSON.stringify(values[name]);
    }
  }

  set(name, value) {
    if (name === "sensitivity") {
      this.local.sensitivity = value;
      this.fillBar();
      this.redraw();
    } else if (name === "montage") this.change({ montage: value, order: [], hidden: [] });
    else this.change({ [name]: value });
  }

  scale(by) {
    const factors = this.local.factors;
    if (this.selected) factors[this.selected] = (factors[this.selected] || 1) * (by > 0 ? 1.25 : 0.8);
    else {
      const near = SENSITIVITIES.reduce((a, b) => (Math.abs(b - this.local.sensitivity) < Math.abs(a - this.local.sensitivity) ? b : a));
      const at = SENSITIVITIES.indexOf(near) - by;
      this.local.sensitivity = SENSITIVITIES[Math.min(Math.max(at, 0), SENSITIVITIES.length - 1)];
      this.fillBar();
    }
    this.redraw();
  }

  listen() {
    this.root.querySelectorAll("select[data-set]").forEach((select) => {
      select.onchange = () => {
        this.set(select.dataset.set, JSON.parse(select.value));
        this.page.focus({ preventScroll: true });
      };
    });
    const open = { channels: showChannels, montages: showMontages, ruler: showRuler, help: showHelp, goto: showGoto };
    this.root.querySelectorAll("[data-open]").forEach((button) => (button.onclick = () => this.full && open[button.dataset.open](this)));
    this.root.querySelectorAll("[data-turn]").forEach((button) => (button.onclick = () => this.turn(Number(button.dataset.turn))));
    const does = { annotate: () => this.annotate(), bad: () => this.bad(), clear: () => this.measure(null) };
    this.root.querySelectorAll("[data-do]").forEach((button) => (button.onclick = does[button.dataset.do]));
    this.root.onkeydown = (event) => this.full && this.key(event);
    this.page.onpointerdown = (event) => this.full && this.down(event);
    this.page.onpointermove = (event) => this.full && this.move(event);
    this.page.onpointerup = (event) => this.full && this.up(event);
    this.page.onpointerleave = () => this.leave();
    this.page.ondblclick = (event) => this.double(event);
    this.band.onpointerdown = (event) => {
      this.band.setPointerCapture(event.pointerId);
      this.jump(event);
    };
    this.band.onpointermove = (event) => event.buttons && this.jump(event);
    this.sizes = new ResizeObserver(() => this.arrange());
    this.sizes.observe(this.root);
  }

  key(event) {
    const typed = event.composedPath()[0];
    if (event.key === "Escape") {
      event.stopPropagation();
      if (!this.panel.hidden) return closePanel(this);
      this.selected = null;
      this.say(null);
      return this.measure(null);
    }
    event.stopPropagation(); // a letter here must not reach the shortcuts of the page around
    if (typed.closest("input, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typed.closest("select") && !/^[+\-]$/.test(event.key)) return;
    if (typed.closest("button") && /^(Enter| )$/.test(event.key)) return;
    const letter = event.key.toLowerCase();
    const keys = {
      arrowright: () => this.step(event, 1),
      arrowleft: () => this.step(event, -1),
      pagedown: () => this.step(event, 1),
      pageup: () => this.step(event, -1),
      home: () => this.go(0),
      end: () => this.go(this.full.duration),
      arrowdown: () => this.pick(1),
      arrowup: () => this.pick(-1),
      "+": () => this.scale(1),
      "=": () => this.scale(1),
      "-": () => this.scale(-1),
      n: () => this.change({ notch: { 50: 60, 60: null }[this.view.notch] ?? (this.view.notch ? null : 50) }),
      u: () => ((this.local.negativeUp = !this.local.negativeUp), this.redraw()),
      o: () => this.ownMontage(),
      a: () => this.annotate(),
      b: () => this.bad(),
      j: () => this.beyondBreak(),
      g: () => showGoto(this),
      "?": () => showHelp(this),
    };
    if (letter in MONTAGE_KEYS) this.set("montage", MONTAGE_KEYS[letter]);
    else if (letter in keys) keys[letter]();
    else return;
    event.preventDefault();
  }

  step(event, way) {
    if (event.repeat && !this.ready()) return; // a held key never runs past pages that were not shown
    if (event.shiftKey) this.go(this.at + way);
    else this.turn(way);
  }

  ownMontage() {
    const names = Object.keys(this.full.own);
    if (!names.length) return showMontages(this);
    this.set("montage", names[(names.indexOf(this.montage) + 1) % names.length]);
  }

  pick(by) {
    const at = this.rowOf(this.selected);
    const to = at < 0 ? (by > 0 ? 0 : this.traces.length - 1) : Math.min(Math.max(at + by, 0), this.traces.length - 1);
    this.selected = this.traces[to]?.label ?? null;
    this.redraw();
  }

  rowOf(label) {
    return this.traces.findIndex((trace) => trace.label === label);
  }

  // --- the pointer ---------------------------------------------------------------------------------------------

  place(event) {
    const box = this.page.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const { plot, at, view } = this;
    const time = at + ((px - plot.left) / (plot.right - plot.left)) * view.page_s;
    let row = 0;
    plot.rows.forEach((y, n) => Math.abs(y - py) < Math.abs(plot.rows[row] - py) && (row = n));
    return { px, py, time, row };
  }

  valueAt(row, time) {
    for (const one of this.tiles.of(row, this.at, this.at + this.view.page_s, this.view.page_s)) {
      const n = Math.round((time - one.start) / one.dt - (one.pairs ? 0.5 : 0));
      if (n >= 0 && n < one.count) return one.range(n);
    }
    return null;
  }

  move(event) {
    const { px, time, row } = this.place(event);
    const trace = this.traces[row];
    if (this.drag) {
      const [from, to] = [Math.min(this.drag.time, time), Math.max(this.drag.time, time)].map((t) => this.within(t));
      if (Math.abs(px - this.drag.px) > 3) this.measure({ from, to, label: this.drag.label });
    }
    if (!trace || px < this.plot.left || px > this.plot.right) return this.leave();
    const found = this.valueAt(row, time);
    const { px: scale, centre } = scaleOf(this, row);
    const stretches = centre === null ? this.tiles.of(row, this.at, this.at + this.view.page_s, this.view.page_s) : null;
    const level = centre ?? meanOf(stretches, this.at, this.at + this.view.page_s);
    const middle = found ? (found[0] + found[1]) / 2 : 0;
    this.pointer = { time, y: found ? this.plot.rows[row] + (middle - level) * scale : null };
    drawOver(this, this.over);
    if (!this.stretch) this.told.textContent = `${this.moment(time)}, ${trace.label}: ${this.valueWords(found, trace)}`;
  }

  moment(time) {
    return this.full.clock ? `${clockText(time, 3)} (${this.timeText(time)})` : clockText(time, 3);
  }

  valueWords(found, trace) {
    if (!found) return "not recorded";
    const [low, high] = found;
    return low === high ? valueText(low, trace.unit) : `${valueText(low, "").trim()} to ${valueText(high, trace.unit)}`;
  }

  leave() {
    this.pointer = null;
    if (!this.plot || !this.full) return;
    drawOver(this, this.over);
    if (!this.stretch) this.told.textContent = "";
  }

  within(time) {
    return Math.min(Math.max(time, this.at), Math.min(this.at + this.view.page_s, this.full.duration));
  }

  down(event) {
    this.page.focus({ preventScroll: true });
    const { px, py, time, row } = this.place(event);
    if (px < this.plot.left) {
      const trace = this.traces[row];
      const again = this.selected === trace?.label;
      this.selected = trace?.label ?? null;
      this.redraw();
      if (trace && (again || event.detail > 1)) closePanel(this);
      if (trace && !again) showChannel(this, trace);
      if (again) {
        this.selected = null;
        this.redraw();
      }
      event.preventDefault();
      return;
    }
    const flag = this.flags.find((one) => px >= one.left && px <= one.left + one.width && py >= one.top && py <= one.top + 15);
    if (flag) {
      event.preventDefault();
      return showAnnotation(this, flag.mark);
    }
    if (py < this.plot.top || py > this.plot.bottom) return;
    this.page.setPointerCapture(event.pointerId);
    this.drag = { px, time: this.within(time), label: this.traces[row]?.label };
    if (!event.shiftKey) this.measure(null);
  }

  up() {
    this.drag = null;
  }

  double(event) {
    const { px, time } = this.place(event);
    if (px >= this.plot.left) showAnnotation(this, { onset: this.within(time), duration: 0, channels: [] });
  }

  jump(event) {
    if (!this.full) return;
    const box = this.band.getBoundingClientRect();
    const share = (event.clientX - box.left - this.plot.left) / (this.plot.right - this.plot.left);
    const page = this.view.page_s;
    // whole pages, so that reading on from here uses pages that are fetched already
    this.go(Math.floor((share * this.full.duration) / page) * page);
  }

  measure(stretch) {
    this.stretch = stretch;
    this.acts.hidden = !stretch;
    if (stretch) {
      const row = this.rowOf(stretch.label);
      const trace = this.traces[row];
      let [low, high] = [Infinity, -Infinity];
      if (trace)
        for (const one of this.tiles.of(row, stretch.from, stretch.to, this.view.page_s)) {
          const [first, last] = one.places(stretch.from, stretch.to);
          for (let n = first; n < last; n++) {
            const found = one.range(n);
            if (found) [low, high] = [Math.min(low, found[0]), Math.max(high, found[1])];
          }
        }
      const long = stretch.to - stretch.from;
      stretch.measured = high >= low ? [low, high] : null;
      const size = stretch.measured ? `; ${trace.label} ${valueText(high - low, trace.unit)} peak to peak (${valueText(low, "").trim()} to ${valueText(high, trace.unit)})` : "";
      this.told.textContent = `${clockText(stretch.from, 3)}: ${spanText(long)}, ${(1 / long).toFixed(2)} Hz${size}`;
    } else this.told.textContent = "";
    if (this.plot) drawOver(this, this.over);
  }

  annotate() {
    const { stretch, pointer } = this;
    if (stretch) showAnnotation(this, { onset: stretch.from, duration: stretch.to - stretch.from, channels: [] });
    else showAnnotation(this, { onset: pointer ? this.within(pointer.time) : this.at, duration: 0, channels: [] });
  }

  bad() {
    if (this.stretch) {
      const { from, to } = this.stretch;
      this.act({ what: "annotate", id: null, label: "bad", onset: from, duration: to - from, channels: [] });
      return this.measure(null);
    }
    const trace = this.traces[this.rowOf(this.selected)];
    if (!trace) return this.say({ message: "Nothing is selected.", hint: "Drag over a stretch, or click a channel's name, then press B." });
    if (trace.channels.length === 1) this.act({ what: "bad", name: trace.channels[0] });
    else showChannel(this, trace);
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.later);
    clearTimeout(this.speaking);
    cancelAnimationFrame(this.frame);
    this.sizes.disconnect();
  }
}
