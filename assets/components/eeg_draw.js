// The page on a canvas: traces at true millimetres, time, breaks, marks; and what lies under the pointer.
const TOP = 38;
const FOOT = 22;
const GUTTER = 96;
const KINDS = { eog: ["#0072B2", "#56B4E9"], ecg: ["#B84A00", "#F0822F"], emg: ["#A8487F", "#E39CC4"], other: ["#007A58", "#2FC39A"] };
const FONT = '"Source Sans", system-ui, sans-serif';

// seconds as 1:02:03, with milliseconds where asked
function clockText(seconds, parts = 0) {
  const scale = 10 ** parts;
  let left = Math.round(Math.abs(seconds) * scale);
  const rest = left % scale;
  left = Math.floor(left / scale);
  const text = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60].map((n, at) => (at ? String(n).padStart(2, "0") : n)).join(":");
  return (seconds < 0 ? "-" : "") + text + (parts ? "." + String(rest).padStart(parts, "0") : "");
}

function spanText(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(1)} s`;
  return seconds < 7200 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function valueText(value, unit) {
  const size = Math.abs(value);
  const text = size >= 100 ? value.toFixed(0) : size >= 1 ? value.toFixed(1) : value.toFixed(2);
  return `${text.replace("-", "\u2212")} ${unit === "uV" ? "µV" : unit}`.trim();
}

function palette(host) {
  const style = getComputedStyle(host);
  const get = (name, other) => style.getPropertyValue(name).trim() || other;
  const ground = get("--st-background-color", "#ffffff");
  const dark = brightness(ground) < 0.4;
  return {
    dark,
    ground,
    text: get("--st-text-color", "#1a2426"),
    line: get("--st-border-color", "#d3dcdb"),
    accent: dark ? "#56B4E9" : "#0072B2",
    bad: dark ? "#F0822F" : "#B84A00",
    faint: dark ? "rgba(227,234,233,.10)" : "rgba(26,36,38,.09)",
    strong: dark ? "rgba(227,234,233,.24)" : "rgba(26,36,38,.22)",
    grey: dark ? "#7d8a8c" : "#8b9698",
    soft: dark ? "#a9b6b5" : "#4e5b5d",
  };
}

function brightness(colour) {
  const canvas = (brightness.canvas ||= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true }));
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
  return (0.3 * r + 0.59 * g + 0.11 * b) / 255;
}

function prepareCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.height = `${height}px`;
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return ctx;
}

function hatch(ctx, x, y, width, height, colour, apart = 8) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.beginPath();
  const from = Math.floor((x - height) / apart) * apart; // the pattern stays in place while edges move
  for (let at = from; at < x + width; at += apart) {
    ctx.moveTo(at, y + height);
    ctx.lineTo(at + height, y);
  }
  ctx.stroke();
  ctx.restore();
}

// where everything lies on a page of this width
function layout(width, traces, room) {
  const units = traces.reduce((sum, trace, n) => sum + 1 + (trace.apart && n ? 0.6 : 0), 0) || 1;
  const height = Math.round(Math.max(Math.min(units * 27, Math.max(room, 380)), units * 12.5, 150));
  const unit = height / units;
  const rows = [];
  let y = TOP;
  traces.forEach((trace, n) => {
    if (trace.apart && n) y += 0.6 * unit;
    rows.push(y + unit / 2);
    y += unit;
  });
  return { width, left: GUTTER, right: width - 10, top: TOP, bottom: TOP + height, height: TOP + height + FOOT, unit, rows };
}

// pixels a unit, and what is taken off each value before it is drawn
function scaleOf(reader, row) {
  const trace = reader.traces[row];
  const factor = reader.local.factors[trace.label] || 1;
  if (trace.unit === "uV") {
    const own = { ecg: 10, emg: 2 }[trace.kind] || 1;
    const perMm = (reader.local.sensitivity * own) / factor;
    const up = trace.kind === "eeg" || trace.kind === "eog" ? (reader.local.negativeUp ? 1 : -1) : -1;
    return { px: (up * reader.pxPerMm) / perMm, perMm, own: own !== 1 || factor !== 1, centre: reader.view.low_cut ? 0 : null };
  }
  const [low, high] = reader.full.scales[trace.label] || [-1, 1];
  const px = (-0.8 * factor * reader.plot.unit) / (high - low);
  return { px, perMm: reader.pxPerMm / -px, own: true, centre: (low + high) / 2 };
}

function drawPage(reader, canvas) {
  const { plot, at, look: colours } = reader;
  const ctx = prepareCanvas(canvas, plot.width, plot.height);
  const page = reader.view.page_s;
  const x = (seconds) => plot.left + ((seconds - at) / page) * (plot.right - plot.left);
  ctx.textBaseline = "middle";
  drawGrid(reader, ctx, x);
  drawBreaks(reader, ctx, x);
  drawMarks(reader, ctx, x);
  drawLabels(reader, ctx);
  ctx.save();
  ctx.beginPath();
  ctx.rect(plot.left, plot.top - 6, plot.right - plot.left, plot.bottom - plot.top + 12);
  ctx.clip();
  ctx.lineJoin = "round";
  reader.traces.forEach((trace, row) => drawTrace(reader, ctx, row, x));
  ctx.restore();
  drawScale(reader, ctx, colours);
}

function drawGrid(reader, ctx, x) {
  const { plot, at, look: colours, view } = reader;
  const step = [1, 2, 5, 10, 20, 30, 60].find((n) => (view.page_s / n) * 55 <= plot.right - plot.left) || 60;
  const fine = view.page_s <= 30 ? 1 : step;
  ctx.font = `11px ${FONT}`;
  ctx.lineWidth = 1;
  for (let n = Math.ceil(at / fine - 1e-9); n * fine <= at + view.page_s + 1e-9; n++) {
    const px = Math.round(x(n * fine)) + 0.5;
    const major = (n * fine) % step === 0;
    ctx.strokeStyle = (n * fine) % 5 === 0 || fine >= 5 ? colours.strong : colours.faint;
    ctx.beginPath();
    ctx.moveTo(px, plot.top);
    ctx.lineTo(px, plot.bottom);
    ctx.stroke();
    if (!major) continue;
    ctx.fillStyle = colours.soft;
    const text = reader.timeText(n * fine);
    const half = ctx.measureText(text).width / 2;
    ctx.fillText(text, Math.min(Math.max(px - half, plot.left - half), plot.right - 2 * half), plot.bottom + 12);
  }
}

function drawBreaks(reader, ctx, x) {
  const { plot, at, look: colours, view, full } = reader;
  const end = at + view.page_s;
  const breaks = [...full.gaps];
  if (end > full.duration) breaks.push([full.duration, Infinity]);
  for (const [from, to] of breaks) {
    if (to <= at || from >= end) continue;
    const [one, two] = [Math.max(x(from), plot.left), Math.min(x(to), plot.right)];
    hatch(ctx, one, plot.top, two - one, plot.bottom - plot.top, colours.strong);
    ctx.strokeStyle = colours.grey;
    ctx.strokeRect(one, plot.top, two - one, plot.bottom - plot.top);
    const text = to === Infinity ? "End of the recording" : `Nothing recorded for ${spanText(to - from)}`;
    tag(ctx, text, Math.min(Math.max((one + two) / 2, plot.left + 90), plot.right - 90), plot.top + 14, colours);
    if (to - from >= view.page_s && from <= at && to >= end && to !== Infinity)
      tag(ctx, `Press J to go on at ${reader.timeText(to)}`, (plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2, colours);
  }
}

function tag(ctx, text, middle, y, colours) {
  ctx.font = `600 12px ${FONT}`;
  const width = ctx.measureText(text).width + 12;
  ctx.fillStyle = colours.ground;
  ctx.fillRect(middle - width / 2, y - 9, width, 18);
  ctx.fillStyle = colours.text;
  ctx.fillText(text, middle - width / 2 + 6, y);
}

// annotations at their true time: a line and a flag, a band where they last
function drawMarks(reader, ctx, x) {
  const { plot, at, look: colours, view } = reader;
  const lanes = [-Infinity, -Infinity];
  reader.flags = [];
  for (const mark of reader.marksIn(at, at + view.page_s)) {
    const [one, two] = [Math.max(x(mark.onset), plot.left), Math.min(x(mark.onset + mark.duration), plot.right)];
    const ink = mark.bad ? colours.bad : colours.accent;
    if (mark.duration > 0) {
      ctx.fillStyle = ink;
      ctx.fillRect(one, plot.top - 3, Math.max(two - one, 1), 3); // events that follow each other would shade the whole page
      for (const [top, height] of mark.bad || mark.channels.length ? rowsOf(reader, mark) : []) {
        ctx.globalAlpha = 0.13;
        ctx.fillRect(one, top, Math.max(two - one, 1), height);
        ctx.globalAlpha = 0.35;
        if (mark.bad) hatch(ctx, one, top, Math.max(two - one, 1), height, ink, 12);
        ctx.globalAlpha = 1;
      }
    }
    ctx.strokeStyle = ink;
    ctx.setLineDash(mark.origin === "file" ? [4, 3] : []);
    ctx.beginPath();
    if (mark.onset >= at) {
      ctx.moveTo(Math.round(one) + 0.5, 4);
      ctx.lineTo(Math.round(one) + 0.5, plot.bottom);
    }
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.font = `11.5px ${FONT}`;
    const text = mark.label.length > 34 ? `${mark.label.slice(0, 33)}…` : mark.label;
    const width = ctx.measureText(text).width + 8;
    const lane = lanes.findIndex((end) => end < one);
    if (lane < 0) continue;
    lanes[lane] = one + width + 4;
    const left = Math.min(one, plot.right - width);
    ctx.fillStyle = colours.ground;
    ctx.fillRect(left, 2 + lane * 16, width, 15);
    ctx.strokeStyle = ink;
    ctx.strokeRect(Math.round(left) + 0.5, 2.5 + lane * 16, Math.round(width), 14);
    ctx.fillStyle = colours.text;
    ctx.fillText(text, left + 4, 10 + lane * 16);
    reader.flags.push({ mark, left, top: 2 + lane * 16, width });
  }
}

function rowsOf(reader, mark) {
  const { plot } = reader;
  if (!mark.channels.length) return [[plot.top, plot.bottom - plot.top]];
  return reader.traces.flatMap((trace, row) =>
    trace.channels.some((name) => mark.channels.includes(name)) ? [[plot.rows[row] - plot.unit / 2, plot.unit]] : [],
  );
}

function drawLabels(reader, ctx) {
  const { plot, look: colours } = reader;
  const size = Math.max(9, Math.min(12.5, plot.unit * 0.62));
  reader.traces.forEach((trace, row) => {
    const y = plot.rows[row];
    const scale = scaleOf(reader, row);
    const on = reader.selected === trace.label;
    if (on) {
      ctx.fillStyle = colours.accent;
      ctx.globalAlpha = 0.18;
      ctx.fillRect(2, y - plot.unit / 2, plot.left - 6, plot.unit);
      ctx.globalAlpha = 1;
      ctx.fillRect(0, y - plot.unit / 2, 3, plot.unit);
    }
    ctx.font = `${on ? "600 " : ""}${size}px ${FONT}`;
    ctx.fillStyle = trace.bad ? colours.grey : colours.text;
    const text = trace.bad ? `${trace.label} bad` : trace.label;
    const two = scale.own && plot.unit > 22;
    ctx.fillText(text, 8, two ? y - 6 : y, plot.left - 14);
    if (trace.bad) {
      ctx.fillRect(8, two ? y - 6 : y, Math.min(ctx.measureText(trace.label).width, plot.left - 16), 1);
    }
    if (!scale.own) return;
    const name = ctx.measureText(text).width;
    ctx.font = `10px ${FONT}`;
    ctx.fillStyle = colours.soft;
    const own = `${roundText(scale.perMm)} ${trace.unit === "uV" ? "µV" : trace.unit || "units"}/mm`;
    if (two) ctx.fillText(own, 8, y + 7, plot.left - 14);
    else if (name < plot.left - 50) ctx.fillText(own, name + 13, y, plot.left - name - 18);
  });
}

function roundText(value) {
  return Number(value.toPrecision(2)).toString();
}

function inkOf(reader, trace) {
  const { look: colours } = reader;
  if (trace.bad) return colours.grey;
  if (trace.kind === "eeg") return colours.text;
  return (KINDS[trace.kind] || KINDS.other)[colours.dark ? 1 : 0];
}

function drawTrace(reader, ctx, row, x) {
  const { plot, at, view, traces } = reader;
  const end = at + view.page_s;
  const stretches = reader.tiles.of(row, at, end, view.page_s);
  if (!stretches.length) return;
  const { px, centre } = scaleOf(reader, row);
  const level = centre ?? meanOf(stretches, at, end);
  const y0 = plot.rows[row];
  ctx.strokeStyle = inkOf(reader, traces[row]);
  ctx.lineWidth = traces[row].bad ? 0.7 : 1;
  ctx.beginPath();
  const perSecond = (plot.right - plot.left) / view.page_s;
  let pen = false;
  for (const one of stretches) {
    const [first, last] = one.places(at, end);
    const { values, gain, offset, pairs } = one;
    const scale = gain * px;
    const base = y0 + (offset - level) * px;
    const left = x(one.start);
    const dx = one.dt * perSecond;
    if (!pairs && dx >= 0.6) {
      for (let n = first; n < last; n++) {
        const v = values[n];
        if (v === NOTHING) pen = false;
        else if (pen) ctx.lineTo(left + n * dx, base + v * scale);
        else {
          ctx.moveTo(left + n * dx, base + v * scale);
          pen = true;
        }
      }
      continue;
    }
    // more values than pixels: from the first to the last through both extremes of each column
    let column = NaN, low = 0, high = 0, open = 0, close = 0;
    const flush = () => {
      if (Number.isNaN(column)) return;
      if (pen) ctx.lineTo(column, base + open * scale);
      else ctx.moveTo(column, base + open * scale);
      pen = true;
      if (high !== low) {
        ctx.lineTo(column, base + low * scale);
        ctx.lineTo(column, base + high * scale);
        ctx.lineTo(column, base + close * scale);
      }
    };
    for (let n = first; n < last; n++) {
      const small = values[pairs ? 2 * n : n];
      if (small === NOTHING) {
        flush();
        column = NaN;
        pen = false;
        continue;
      }
      const large = pairs ? values[2 * n + 1] : small;
      const here = Math.round((left + n * dx) * 2) / 2;
      if (here !== column) {
        flush();
        column = here;
        low = small;
        high = large;
        open = small;
      } else {
        if (small < low) low = small;
        if (large > high) high = large;
      }
      close = large;
    }
    flush();
  }
  ctx.stroke();
}

// without a low cut a trace is drawn around its own mean on the page
function meanOf(stretches, from, to) {
  let sum = 0;
  let count = 0;
  for (const one of stretches) {
    const [first, last] = one.places(from, to);
    for (let n = first; n < last; n++) {
      const found = one.range(n);
      if (!found) continue;
      sum += (found[0] + found[1]) / 2;
      count++;
    }
  }
  return count ? sum / count : 0;
}

// five millimetres of the screen and what they stand for, in the free corner over the labels
function drawScale(reader, ctx, colours) {
  const { plot, pxPerMm, local, view } = reader;
  const height = 5 * pxPerMm;
  const speed = (plot.right - plot.left) / view.page_s / pxPerMm;
  const [left, middle] = [12, 19];
  ctx.strokeStyle = colours.text;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  for (const y of [middle - height / 2, middle + height / 2]) {
    ctx.moveTo(left - 3, y);
    ctx.lineTo(left + 3, y);
  }
  ctx.moveTo(left, middle - height / 2);
  ctx.lineTo(left, middle + height / 2);
  ctx.stroke();
  ctx.font = `10.5px ${FONT}`;
  ctx.fillStyle = colours.soft;
  const lines = [`${roundText(5 * local.sensitivity)} µV, 5 mm`, `${speed.toFixed(speed < 10 ? 1 : 0)} mm/s`, local.negativeUp ? "negative up" : "positive up"];
  lines.forEach((line, n) => ctx.fillText(line, left + 7, 8 + n * 11.5, plot.left - left - 10));
}

// the pointer's line, and the stretch that was measured
function drawOver(reader, canvas) {
  const { plot, at, look: colours, view, pointer, stretch } = reader;
  const ctx = prepareCanvas(canvas, plot.width, plot.height);
  const x = (seconds) => plot.left + ((seconds - at) / view.page_s) * (plot.right - plot.left);
  if (stretch && stretch.to > at && stretch.from < at + view.page_s) {
    const [one, two] = [Math.max(x(stretch.from), plot.left), Math.min(x(stretch.to), plot.right)];
    ctx.globalAlpha = 0.12;
    ctx.fillStyle = colours.accent;
    ctx.fillRect(one, plot.top, two - one, plot.bottom - plot.top);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colours.accent;
    ctx.strokeRect(Math.round(one) + 0.5, plot.top + 0.5, Math.round(two - one), plot.bottom - plot.top - 1);
    const row = reader.rowOf(stretch.label);
    if (row >= 0 && stretch.measured) {
      const { px, centre } = scaleOf(reader, row);
      const level = centre ?? meanOf(reader.tiles.of(row, at, at + view.page_s, view.page_s), at, at + view.page_s);
      ctx.setLineDash([3, 3]);
      for (const value of stretch.measured) {
        const y = plot.rows[row] + (value - level) * px;
        ctx.beginPath();
        ctx.moveTo(one, y);
        ctx.lineTo(two, y);
        ctx.stroke();
      }
      ctx.setLineDash([]);
    }
  }
  if (pointer && pointer.time >= at && pointer.time <= at + view.page_s) {
    ctx.strokeStyle = colours.soft;
    ctx.lineWidth = 1;
    ctx.beginPath();
    const px = Math.round(x(pointer.time)) + 0.5;
    ctx.moveTo(px, plot.top);
    ctx.lineTo(px, plot.bottom);
    ctx.stroke();
    if (pointer.y !== null) {
      ctx.fillStyle = colours.accent;
      ctx.beginPath();
      ctx.arc(px, pointer.y, 3, 0, 7);
      ctx.fill();
    }
  }
}
