// The forms over the page: channels, own montages, the ruler, an annotation, the keys. Each is built anew when it is opened.
function make(name, props = {}, ...children) {
  const { dataset, ...rest } = props;
  const made = Object.assign(document.createElement(name), rest);
  Object.assign(made.dataset, dataset || {});
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function field(text, input) {
  return make("label", {}, make("span", { textContent: text }), input);
}

function openPanel(reader, title, ...content) {
  const { panel } = reader;
  const close = make("button", { type: "button", className: "close", textContent: "Close", onclick: () => closePanel(reader) });
  panel.replaceChildren(make("header", {}, make("b", { textContent: title }), close), ...content);
  panel.hidden = false;
  panel.setAttribute("aria-label", title);
  panel.querySelector("input, textarea, select, button:not(.close)")?.focus({ preventScroll: true });
}

function closePanel(reader) {
  if (reader.panel.hidden) return;
  reader.panel.hidden = true;
  reader.panel.replaceChildren();
  reader.page.focus({ preventScroll: true });
}

function showChannels(reader) {
  const list = make("ol", { className: "channels" });
  const every = [...reader.every];
  const hidden = new Set(reader.view.hidden);
  let waiting = 0;
  const tell = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => reader.change({ order: every, hidden: [...hidden] }), 350);
  };
  const fill = () =>
    list.replaceChildren(
      ...every.map((label, at) => {
        const box = make("input", { type: "checkbox", checked: !hidden.has(label) });
        box.onchange = () => {
          if (box.checked) hidden.delete(label);
          else hidden.add(label);
          tell();
        };
        const move = (by, words, sign) =>
          make("button", {
            type: "button", textContent: sign, title: `${words} ${label}`, ariaLabel: `${words} ${label}`, disabled: !every[at + by],
            onclick: () => {
              every.splice(at + by, 0, every.splice(at, 1)[0]);
              fill();
              list.children[at + by].querySelectorAll("button")[by > 0 ? 1 : 0].focus();
              tell();
            },
          }); // prettier-ignore
        return make("li", {}, make("label", {}, box, make("span", { textContent: label })), move(-1, "Move up", "↑"), move(1, "Move down", "↓"));
      }),
    );
  fill();
  const all = (show) => () => {
    every.forEach((label) => (show ? hidden.delete(label) : hidden.add(label)));
    if (!show && every.length) hidden.delete(every[0]);
    fill();
    tell();
  };
  const reset = () => {
    hidden.clear();
    reader.change({ order: [], hidden: [] });
    closePanel(reader);
  };
  const bad = reader.full.channels.filter((channel) => channel.bad).map((channel) => channel.name);
  openPanel(
    reader,
    "Channels on the page",
    make("div", { className: "row" },
      make("button", { type: "button", textContent: "Show all", onclick: all(true) }),
      make("button", { type: "button", textContent: "First only", onclick: all(false) }),
      make("button", { type: "button", textContent: "As at first", onclick: reset })), // prettier-ignore
    list,
    make("p", { textContent: bad.length ? `Bad channels: ${bad.join(", ")}. Click a name on the page to change that.` : "Click a name on the page to call its channel bad, or to draw it larger." }),
  );
}

function showMontages(reader, name = "") {
  const own = reader.full.own;
  const title = make("input", { type: "text", maxLength: 60, value: name, placeholder: "For example: Mastoids" });
  const rows = make("textarea", { rows: 9, spellcheck: false, value: (own[name] || []).join("\n"), placeholder: "C3-A2\nC4-A1\nO1-avg\nCz-(A1+A2)/2" });
  const kept = make("select", {}, make("option", { value: "", textContent: "A new montage" }), ...Object.keys(own).map((key) => make("option", { value: key, textContent: key })));
  kept.value = name;
  kept.onchange = () => showMontages(reader, kept.value);
  const save = () => {
    const told = title.value.trim();
    if (!told || !rows.value.trim()) return;
    reader.change({ montage: told, order: [], hidden: [] }, { what: "montage", name: told, rows: rows.value.split("\n") });
    closePanel(reader);
  };
  const remove = () => {
    const act = { what: "no montage", name };
    if (reader.montage === name) reader.change({ montage: "", order: [], hidden: [] }, act);
    else reader.act(act);
    closePanel(reader);
  };
  openPanel(
    reader,
    "Own montages",
    field("Montage", kept),
    field("Name", title),
    field("Rows, one a line", rows),
    make("p", { textContent: "A channel or electrode, a minus, and what is taken from it: another one, avg (the mean of all good EEG channels), or a mean such as (A1+A2)/2. Kept on this machine for every recording." }),
    make("div", { className: "row" },
      make("button", { type: "button", className: "main", textContent: "Save and show", onclick: save }),
      name ? make("button", { type: "button", textContent: "Delete", onclick: remove }) : null), // prettier-ignore
  );
}

function showRuler(reader) {
  const bar = make("div", { className: "ruler" });
  bar.style.width = `${100 * reader.pxPerMm}px`;
  const size = make("input", { type: "number", min: 30, max: 300, step: 0.5, value: 100 });
  const save = () => {
    const wide = Number(size.value);
    if (!(wide >= 30 && wide <= 300)) return;
    reader.pxPerMm = (100 * reader.pxPerMm) / wide;
    reader.act({ what: "ruler", px_per_mm: reader.pxPerMm });
    closePanel(reader);
    reader.arrange();
  };
  openPanel(
    reader,
    "True millimetres",
    make("p", { textContent: "Hold a ruler to the screen. How long is this bar? Until it is measured, 96 pixels count as an inch, which few screens keep." }),
    bar,
    field("Its length in mm", size),
    make("div", { className: "row" }, make("button", { type: "button", className: "main", textContent: "Keep", onclick: save })),
  );
}

function showAnnotation(reader, mark) {
  const known = [...new Set(reader.marks.map((one) => one.label))].slice(0, 60);
  const labels = make("datalist", { id: "labels" }, ...known.map((text) => make("option", { value: text })));
  const label = make("input", { type: "text", maxLength: 200, value: mark.label || "", required: true });
  label.setAttribute("list", "labels");
  const onset = make("input", { type: "number", step: 0.001, min: 0, max: reader.full.duration, value: mark.onset.toFixed(3) });
  const duration = make("input", { type: "number", step: 0.001, min: 0, value: mark.duration.toFixed(3) });
  const channels = make("input", { type: "text", value: mark.channels.join(", "), placeholder: "all" });
  const save = () => {
    if (!label.value.trim()) return label.focus();
    const where = channels.value.split(",").map((name) => name.trim()).filter(Boolean);
    reader.act({ what: "annotate", id: mark.id ?? null, label: label.value.trim(), onset: Number(onset.value), duration: Number(duration.value), channels: where });
    reader.measure(null);
    closePanel(reader);
  };
  const form = make("form", { onsubmit: (event) => (event.preventDefault(), save()) },
    labels,
    field("Label", label),
    make("div", { className: "two" }, field("Onset, s", onset), field("Duration, s", duration)),
    field("Channels", channels),
    make("p", { textContent: "A label that begins with 'bad' takes the stretch out of every analysis." }),
    make("div", { className: "row" },
      make("button", { type: "submit", className: "main", textContent: "Save" }),
      mark.id ? make("button", { type: "button", textContent: "Delete", onclick: () => (reader.act({ what: "delete", id: mark.id }), closePanel(reader)) }) : null)); // prettier-ignore
  openPanel(reader, mark.id ? (mark.origin === "file" ? "Annotation of the file" : "Annotation") : "New annotation", form);
  label.select();
}

function showChannel(reader, trace) {
  const factor = reader.local.factors[trace.label] || 1;
  const scale = (by) => () => {
    reader.local.factors[trace.label] = (reader.local.factors[trace.label] || 1) * by;
    reader.redraw();
  };
  const names = trace.channels.slice(0, 6);
  openPanel(
    reader,
    trace.label,
    make("p", { textContent: `${trace.kind.toUpperCase()}, ${trace.rate.toLocaleString("en")} samples a second${factor === 1 ? "" : `, drawn ${roundText(factor)} times as large`}.` }),
    make("div", { className: "row" },
      ...names.map((name) => {
        const bad = reader.full.channels.find((channel) => channel.name === name)?.bad;
        const words = bad ? `${name} is good again` : `${name} is a bad channel`;
        return make("button", { type: "button", textContent: words, onclick: () => (reader.act({ what: "bad", name }), closePanel(reader)) });
      })), // prettier-ignore
    make("div", { className: "row" },
      make("button", { type: "button", textContent: "Larger", onclick: scale(1.5) }),
      make("button", { type: "button", textContent: "Smaller", onclick: scale(1 / 1.5) }),
      make("button", { type: "button", textContent: "As the others", onclick: () => (delete reader.local.factors[trace.label], reader.redraw()) }),
      make("button", { type: "button", textContent: "Hide", onclick: () => (reader.change({ hidden: [...reader.view.hidden, trace.label] }), closePanel(reader)) })), // prettier-ignore
  );
}

const HELP = [
  ["→ ←", "next page, page before"],
  ["Shift + → ←", "one second"],
  ["Home, End", "beginning, end"],
  ["+ −", "larger, smaller (only the selected trace, where one is)"],
  ["↑ ↓", "select a trace"],
  ["R, V, L, T", "as recorded, average, longitudinal, transverse montage"],
  ["O", "next own montage"],
  ["N", "notch off, 50 Hz, 60 Hz"],
  ["U", "negative up or positive up"],
  ["Click a name", "select its trace; call its channel bad, scale or hide it"],
  ["Drag", "measure duration, rate and amplitude of the trace under the pointer"],
  ["A", "annotate the measured stretch, or the time under the pointer"],
  ["B", "measured stretch is bad; without one, the selected trace's channel"],
  ["J", "next stretch of signal after a break"],
  ["G", "go to a time"],
  ["Esc", "close, unselect"],
  ["?", "these keys"],
];

function showHelp(reader) {
  const rows = HELP.map(([keys, words]) => make("tr", {}, make("th", { textContent: keys, scope: "row" }), make("td", { textContent: words })));
  openPanel(reader, "Keys", make("table", { className: "keys" }, make("tbody", {}, ...rows)));
}

function showGoto(reader) {
  const input = make("input", { type: "text", placeholder: reader.full.clock ? "1:02:03 from the beginning, or 23:15:00 on the clock" : "1:02:03", value: "" });
  const go = () => {
    const found = reader.readTime(input.value);
    if (found === null) return input.select();
    closePanel(reader);
    reader.go(found);
  };
  const clock = reader.full.clock ? make("label", { className: "check" }, make("input", { type: "checkbox", className: "clock" }), make("span", { textContent: "time of day" })) : null;
  openPanel(
    reader,
    "Go to",
    make("form", { onsubmit: (event) => (event.preventDefault(), go()) }, field("Hours:minutes:seconds, or seconds", input), clock,
      make("div", { className: "row" }, make("button", { type: "submit", className: "main", textContent: "Go" }))), // prettier-ignore
  );
}
