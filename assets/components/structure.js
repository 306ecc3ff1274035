// The structure in three dimensions: draws what it is handed, tells which residue was chosen, keeps its camera over every rerun.
const rooms = new WeakMap();
const cameras = (window.bioloomCameras ??= new Map()); // by the page's own key, so that a view opened again stands as it was left
const NONE = "#9AA5A6";

export default function ({ data, parentElement, setTriggerValue }) {
  let room = rooms.get(parentElement);
  if (!room) rooms.set(parentElement, (room = new Room(parentElement)));
  room.send = setTriggerValue;
  room.take(data);
  return () => {
    room.close();
    rooms.delete(parentElement);
  };
}

class Room {
  constructor(parent) {
    this.parts = Object.fromEntries(
      ["stage", "told", "legend", "style", "whole", "near", "measure", "save"].map((name) => [name, parent.querySelector(`.${name}`)]),
    );
    this.picked = [];
    this.ends = [];
    this.arrived = () => this.take(this.data);
    this.heard = (event) => event.detail.from !== this && event.detail.group === this.data?.group && this.glimpse(event.detail.index);
    window.addEventListener("bioloom:structure", this.arrived);
    window.addEventListener("bioloom:hover", this.heard);
    const { style, whole, near, measure, save, stage } = this.parts;
    style.onchange = () => this.dress();
    whole.onclick = () => this.viewer?.zoomTo({}, 300);
    near.onclick = () => this.zoom();
    measure.onclick = () => this.measuring(measure.getAttribute("aria-pressed") !== "true");
    save.onclick = () => this.save();
    stage.onkeydown = (event) => this.key(event);
  }

  take(data) {
    this.data = data;
    if (!data) return;
    const { stage } = this.parts;
    stage.style.height = `${data.height}px`;
    stage.setAttribute("aria-label", data.words);
    stage.setAttribute("aria-description", "Arrows turn, plus and minus zoom, N and P go to the next and previous residue, Enter zooms to it, D measures, 0 shows all.");
    const file = window.bioloomStructures?.get(data.structure);
    if (!file || !this.open()) return;
    if (this.file !== file && this.file?.id !== file.id) this.build(file);
    const paint = JSON.stringify([data.colouring.palette, data.colouring.codes]);
    if (paint !== this.paint) {
      this.paint = paint;
      this.dress();
    }
    this.legend();
    const before = this.picked.join();
    this.picked = data.picked;
    this.mark();
    if (this.picked.length && before !== this.picked.join() && this.own !== this.picked.join()) {
      if (this.parts.measure.getAttribute("aria-pressed") === "true") this.end(this.anchor(this.picked[0]));
      if (data.focus) this.viewer.center(this.within(this.picked), 250);
    }
    this.parts.near.disabled = !this.picked.length;
    this.tell();
    // what a test or a reader of the page's source can see of a canvas
    Object.assign(stage.dataset, { ready: "true", picked: this.picked.join(" "), residues: file.labels.length });
  }

  open() {
    if (this.viewer) return true;
    const { stage, told } = this.parts;
    if (!window.$3Dmol) return false;
    const probe = document.createElement("canvas");
    if (!(probe.getContext("webgl2") || probe.getContext("webgl"))) return this.without();
    try {
      this.viewer = window.$3Dmol.createViewer(stage, { backgroundColor: this.ground(), antialias: true, hoverDuration: 90 });
    } catch {
      return this.without();
    }
    if (!this.viewer) return this.without();
    this.viewer.setViewChangeCallback(() => this.keep());
    told.textContent = "";
    return true;
  }

  without() {
    const { stage, style, whole, near, measure, save } = this.parts;
    stage.replaceChildren(Object.assign(document.createElement("p"), { className: "without" }));
    stage.firstChild.textContent =
      "This browser cannot draw in three dimensions: WebGL is switched off or not supported. " + this.data.words;
    stage.dataset.ready = "without";
    for (const part of [style, whole, near, measure, save]) part.disabled = true;
    return false;
  }

  build(file) {
    this.file = file;
    this.surface = null;
    this.ends = [];
    const { viewer } = this;
    viewer.removeAllModels();
    viewer.removeAllShapes();
    viewer.removeAllLabels();
    viewer.removeAllSurfaces();
    this.model = viewer.addModel(file.text, "pdb");
    const atoms = this.model.selectedAtoms({});
    this.residue = new Int32Array(atoms.length).fill(-1);
    for (let at = 0; at + 1 < file.starts.length; at++) this.residue.fill(at, file.starts[at], file.starts[at + 1]);
    this.atoms = atoms;
    const last = file.starts[file.starts.length - 1];
    this.ligands = { index: Array.from({ length: atoms.length - last }, (_, at) => last + at) };
    viewer.setClickable({}, true, (atom) => this.click(atom));
    viewer.setHoverable({}, true, (atom) => this.hover(atom), () => this.hover(null));
    this.paint = null;
    const view = cameras.get(this.camera());
    this.dress();
    if (view) viewer.setView(view);
    else { viewer.zoomTo(); viewer.zoom(1.25); }
    viewer.render();
  }

  dress() {
    if (!this.model) return;
    const { viewer, ligands } = this;
    const { palette, codes } = this.data.colouring;
    const colorfunc = (atom) => palette[codes[this.residue[atom.index]]] ?? NONE;
    const style = this.parts.style.value;
    const spec = {};
    if (style === "cartoon" || style === "both") {
      spec.cartoon = this.file.trace ? { style: "trace", thickness: 0.35, colorfunc } : { arrows: true, colorfunc };
    }
    if (style === "both") spec.stick = { radius: 0.12, colorfunc };
    if (style === "sticks") spec.stick = { radius: 0.18, colorfunc };
    if (style === "surface") spec.cartoon = { colorfunc };
    viewer.setStyle({}, spec);
    if (ligands.index.length) viewer.setStyle(ligands, { stick: { radius: 0.18, colorscheme: "Jmol" }, sphere: { scale: 0.28, colorscheme: "Jmol" } });
    if (style === "surface") this.cover(colorfunc);
    else if (this.surface) {
      viewer.removeAllSurfaces();
      this.surface = null;
    }
    this.mark();
  }

  cover(colorfunc) {
    const look = { opacity: 0.92, colorfunc };
    if (this.surface) {
      this.surface.then?.((id) => { this.viewer.setSurfaceMaterialStyle(id, look); this.viewer.render(); });
      return;
    }
    this.parts.told.textContent = "Working out the surface ...";
    const polymer = { index: Array.from({ length: this.file.starts[this.file.starts.length - 1] }, (_, at) => at) };
    this.surface = this.viewer.addSurface(window.$3Dmol.SurfaceType.VDW, look, polymer, polymer);
    this.surface.then?.(() => { this.parts.stage.dataset.surface = "true"; this.tell(); });
  }

  legend() {
    const { legend } = this.parts;
    const { name, legend: items, ramp, palette } = this.data.colouring;
    const shown = JSON.stringify([name, items]);
    if (this.shown === shown) return;
    this.shown = shown;
    const made = [Object.assign(document.createElement("b"), { textContent: name })];
    const text = (words) => { const span = document.createElement("span"); span.append(words); return span; };
    const box = (colour, css = "") => { const i = document.createElement("i"); i.className = css; i.style.background = colour; return i; };
    if (ramp) {
      const bar = text(items[0][1]);
      bar.append(box(`linear-gradient(90deg, ${palette.join(",")})`, "ramp"), items[items.length - 1][1]);
      made.push(bar);
    } else for (const [colour, words] of items) { const one = text(words); one.prepend(box(colour)); made.push(one); }
    if (this.data.colouring.codes.some((code) => code < 0)) { const one = text("no value"); one.prepend(box(NONE)); made.push(one); }
    legend.replaceChildren(...made);
  }

  click(atom) {
    const at = this.residue[atom.index];
    if (at < 0) return this.say("A ligand or an ion; only residues can be selected.");
    if (this.parts.measure.getAttribute("aria-pressed") === "true") return this.end(atom);
    this.pick(at);
  }

  pick(at) {
    const again = this.picked.includes(at);
    this.picked = again ? [] : [at];
    this.own = this.picked.join();
    this.mark();
    this.tell();
    this.send("picked", { residue: again ? -1 : at, index: again ? -1 : (this.data.places[at] ?? -1), moment: Date.now() });
  }

  hover(atom) {
    const at = atom ? this.residue[atom.index] : -1;
    this.under = at;
    this.parts.stage.dataset.hovered = at;
    this.parts.stage.style.cursor = at >= 0 ? "pointer" : "";
    this.tell();
    const index = at >= 0 ? (this.data.places[at] ?? -1) : -1;
    window.dispatchEvent(new CustomEvent("bioloom:hover", { detail: { from: this, group: this.data.group, index } }));
  }

  // another part of the page points at a letter: show where it is
  glimpse(index) {
    if (!this.model) return;
    if (this.ghost) this.viewer.removeShape(this.ghost);
    this.ghost = null;
    const at = index < 0 ? -1 : this.data.places.indexOf(index);
    if (at >= 0) {
      const { x, y, z } = this.anchor(at);
      this.ghost = this.viewer.addSphere({ center: { x, y, z }, radius: 1.5, color: this.ink(), opacity: 0.45 });
    }
    this.under = at;
    this.viewer.render();
    this.tell();
  }

  mark() {
    if (!this.model) return;
    const { viewer, file } = this;
    if (this.shape) viewer.removeShape(this.shape);
    if (this.label) viewer.removeLabel(this.label);
    this.shape = this.label = null;
    if (this.picked.length) {
      const shape = (this.shape = viewer.addShape({ color: this.ink() }));
      for (const at of this.picked) {
        const [from, to] = [file.starts[at], file.starts[at + 1]];
        for (let i = from; i < to; i++) {
          const atom = this.atoms[i];
          shape.addSphere({ center: atom, radius: 0.42 });
          for (const j of atom.bonds) if (j > i && j < to) shape.addCylinder({ start: atom, end: this.atoms[j], radius: 0.24, fromCap: 1, toCap: 1 });
        }
      }
      this.label = viewer.addLabel(file.labels[this.picked[0]], {
        position: this.anchor(this.picked[0]), inFront: true, fontSize: 13, fontColor: this.ground(), backgroundColor: this.ink(),
        backgroundOpacity: 0.85, screenOffset: { x: 12, y: -12 },
      });
    }
    viewer.render();
  }

  measuring(on) {
    this.parts.measure.setAttribute("aria-pressed", String(on));
    if (!on) this.clear();
    this.tell();
  }

  clear() {
    for (const part of this.drawn ?? []) part.text === undefined ? this.viewer.removeShape(part) : this.viewer.removeLabel(part);
    this.drawn = [];
    this.ends = [];
    delete this.parts.stage.dataset.distance;
    this.viewer?.render();
  }

  end(atom) {
    if (this.ends.length === 2) this.clear();
    this.ends.push(atom);
    if (this.ends.length === 2) {
      const [a, b] = this.ends;
      const apart = Math.hypot(a.x - b.x, a.y - b.y, a.z - b.z);
      const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, z: (a.z + b.z) / 2 };
      this.drawn = [
        this.viewer.addCylinder({ start: a, end: b, radius: 0.1, dashed: true, color: this.ink() }),
        this.viewer.addLabel(`${apart.toFixed(2)} Å`, { position: middle, inFront: true, fontSize: 13, fontColor: this.ground(), backgroundColor: this.ink(), backgroundOpacity: 0.85 }),
      ];
      this.viewer.render();
      this.parts.stage.dataset.distance = apart.toFixed(2);
      this.send("measured", { residues: this.ends.map((end) => this.residue[end.index]), atoms: this.ends.map((end) => end.atom), distance: Number(apart.toFixed(2)) });
    }
    this.tell();
  }

  tell() {
    if (!this.file) return;
    const name = (atom) => `${this.file.labels[this.residue[atom.index]]} ${atom.atom}`;
    if (this.parts.measure.getAttribute("aria-pressed") === "true") {
      const [a, b] = this.ends;
      if (b) return this.say(`${name(a)} to ${name(b)}: ${this.parts.stage.dataset.distance} Å.`);
      return this.say(a ? `From ${name(a)} to ... choose the second residue.` : "Choose two residues, here or in the sequence.");
    }
    const at = this.under >= 0 ? this.under : (this.picked[0] ?? -1);
    if (at < 0) return this.say(this.surface && !this.parts.stage.dataset.surface ? "Working out the surface ..." : "Click a residue to select it; drag turns, wheel zooms.");
    const value = this.data.colouring.words[at];
    this.say(`${this.file.labels[at]}${value ? `: ${this.data.colouring.name} ${value}` : ""}`);
  }

  say(words) {
    if (this.parts.told.textContent !== words) this.parts.told.textContent = words;
  }

  key(event) {
    if (!this.model || event.ctrlKey || event.metaKey || event.altKey) return;
    const { viewer } = this;
    const turn = (angle, axis) => () => viewer.rotate(angle, axis);
    const step = (by) => () => {
      const last = this.file.labels.length - 1;
      const at = this.picked.length ? Math.min(last, Math.max(0, this.picked[0] + by)) : by > 0 ? 0 : last;
      if (at !== this.picked[0]) this.pick(at);
    };
    const acts = {
      ArrowLeft: turn(-10, "y"), ArrowRight: turn(10, "y"), ArrowUp: turn(-10, "x"), ArrowDown: turn(10, "x"),
      "+": () => viewer.zoom(1.2), "=": () => viewer.zoom(1.2), "-": () => viewer.zoom(0.83), 0: () => viewer.zoomTo({}, 300),
      n: step(1), p: step(-1), Enter: () => this.zoom(), d: () => this.measuring(this.parts.measure.getAttribute("aria-pressed") !== "true"),
    };
    const act = acts[event.key] ?? acts[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
    viewer.render();
  }

  zoom() {
    if (this.picked.length) this.viewer.zoomTo({ ...this.within(this.picked), expand: 8 }, 300);
  }

  save() {
    const link = document.createElement("a");
    link.href = this.viewer.pngURI();
    link.download = `${this.data.name}.png`;
    link.click();
  }

  within(residues) {
    return { index: residues.flatMap((at) => Array.from({ length: this.file.starts[at + 1] - this.file.starts[at] }, (_, i) => this.file.starts[at] + i)) };
  }

  anchor(at) {
    const atoms = this.atoms.slice(this.file.starts[at], this.file.starts[at + 1]);
    return atoms.find((atom) => atom.atom === "CA") ?? atoms.find((atom) => atom.atom === "P") ?? atoms.find((atom) => atom.atom === "C1'") ?? atoms[0];
  }

  ink() { return this.colour("--st-text-color", "#1A2426"); }

  ground() { return this.colour("--st-background-color", "#FFFFFF"); }

  colour(name, otherwise) { return getComputedStyle(this.parts.stage).getPropertyValue(name).trim() || otherwise; }

  camera() { return `${this.data.name}:${this.data.structure}`; }

  keep() {
    if (!this.file) return;
    const view = this.viewer.getView();
    cameras.set(this.camera(), view);
    this.parts.stage.dataset.view = view.map((part) => part.toFixed(3)).join(" ");
  }

  close() {
    window.removeEventListener("bioloom:structure", this.arrived);
    window.removeEventListener("bioloom:hover", this.heard);
    if (this.viewer) {
      this.keep();
      // browsers hold few WebGL contexts: a closed view gives its own back
      this.parts.stage.querySelector("canvas")?.getContext("webgl2")?.getExtension("WEBGL_lose_context")?.loseContext();
    }
  }
}
