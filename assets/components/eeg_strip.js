// The whole recording above the page: amplitude from the pyramid, breaks, marks, the hypnogram where there is one, and where the page is.
const STRIP = 46;
const SLEEP = 62;
const STAGES = ["W", "R", "N1", "N2", "N3"];

function stripHeight(reader) {
  return STRIP + 16 + (reader.full.stages.length ? SLEEP : 0);
}

function drawStrip(reader, canvas) {
  const { full, look: colours } = reader;
  const width = reader.plot.width;
  const height = stripHeight(reader);
  const [left, right] = [GUTTER, width - 10];
  const ctx = prepareCanvas(canvas, width, height);
  const x = (seconds) => left + (seconds / full.duration) * (right - left);
  const top = full.stages.length ? SLEEP : 0;
  ctx.textBaseline = "middle";
  ctx.font = `11px ${FONT}`;
  if (top) drawStages(reader, ctx, x);
  ctx.fillStyle = colours.soft;
  ctx.fillText("Whole", 8, top + STRIP / 2 - 7);
  ctx.fillText("recording", 8, top + STRIP / 2 + 7);
  drawEnvelope(reader, ctx, left, right, top);
  for (const [from, to] of full.gaps) {
    const gap = Math.max(x(to) - x(from), 1);
    ctx.fillStyle = colours.ground;
    ctx.fillRect(x(from), top, gap, STRIP);
    hatch(ctx, x(from), top, gap, STRIP, colours.grey, 5);
  }
  for (const mark of reader.marks) {
    ctx.fillStyle = mark.bad ? colours.bad : colours.accent;
    if (mark.bad) {
      ctx.globalAlpha = 0.35;
      ctx.fillRect(x(mark.onset), top, Math.max(x(mark.onset + mark.duration) - x(mark.onset), 1), STRIP);
      ctx.globalAlpha = 1;
    }
    ctx.fillRect(x(mark.onset), top + STRIP - 5, 1.2, 5);
  }
  ctx.strokeStyle = colours.line;
  ctx.lineWidth = 1;
  ctx.strokeRect(left + 0.5, top + 0.5, right - left - 1, STRIP - 1);
  drawHours(reader, ctx, x, left, right, top + STRIP);
  const [one, two] = [x(reader.at), x(Math.min(reader.at + reader.view.page_s, full.duration))];
  const wide = Math.max(two - one, 3);
  ctx.strokeStyle = colours.accent;
  ctx.lineWidth = 2;
  ctx.strokeRect((one + two) / 2 - wide / 2, 1, wide, top + STRIP - 2);
}

function drawEnvelope(reader, ctx, left, right, top) {
  const { strip, look: colours } = reader;
  if (!strip) return;
  const [low, high] = strip;
  const sizes = Array.from(low, (v, n) => (high[n] - v) / 2).filter((v) => v >= 0).sort((a, b) => a - b);
  const most = (sizes[Math.floor(sizes.length * 0.98)] || 1) * 1.15;
  const middle = top + STRIP / 2;
  const scale = STRIP / 2 / most;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, right - left, STRIP);
  ctx.clip();
  ctx.fillStyle = colours.soft;
  for (let n = 0; n < low.length; n++) {
    if (Number.isNaN(low[n])) continue;
    const x = left + (n / low.length) * (right - left);
    ctx.fillRect(x, middle - high[n] * scale, (right - left) / low.length + 0.3, Math.max((high[n] - low[n]) * scale, 0.7));
  }
  ctx.restore();
}

function drawHours(reader, ctx, x, left, right, y) {
  const { full, look: colours } = reader;
  const steps = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 21600];
  const step = steps.find((n) => (full.duration / n) * 74 <= right - left) || 43200;
  ctx.font = `10.5px ${FONT}`;
  ctx.fillStyle = colours.soft;
  ctx.strokeStyle = colours.strong;
  for (let at = 0; at <= full.duration; at += step) {
    const px = Math.round(x(at)) + 0.5;
    ctx.beginPath();
    ctx.moveTo(px, y);
    ctx.lineTo(px, y + 3);
    ctx.stroke();
    const text = reader.timeText(at);
    const width = ctx.measureText(text).width;
    ctx.fillText(text, Math.min(Math.max(px - width / 2, left), right - width), y + 10);
  }
}

function drawStages(reader, ctx, x) {
  const { full, look: colours } = reader;
  const level = (stage) => 7 + STAGES.indexOf(stage) * 11.5;
  ctx.fillStyle = colours.soft;
  ctx.font = `10px ${FONT}`;
  STAGES.forEach((stage) => {
    ctx.fillText(stage, GUTTER - 18, level(stage));
    ctx.fillStyle = colours.faint;
    ctx.fillRect(GUTTER, level(stage), reader.plot.width - GUTTER - 10, 1);
    ctx.fillStyle = colours.soft;
  });
  ctx.fillText("Sleep", 8, 12);
  ctx.fillText("stages", 8, 25);
  ctx.strokeStyle = colours.text;
  ctx.lineWidth = 1.2;
  ctx.beginPath();
  let before = null;
  full.stages.forEach(([at, stage], n) => {
    if (!STAGES.includes(stage)) {
      before = null;
      return;
    }
    const to = full.stages[n + 1]?.[0] ?? Math.min(at + 30, full.duration);
    if (before === null) ctx.moveTo(x(at), level(stage));
    else ctx.lineTo(x(at), level(stage));
    ctx.lineTo(x(to), level(stage));
    before = stage;
    if (stage === "R") ctx.fillRect(x(at), level(stage) - 2, x(to) - x(at), 4); // REM is drawn thick, as in every hypnogram
  });
  ctx.stroke();
}

function stageAt(reader, seconds) {
  let found = "";
  for (const [at, stage] of reader.full.stages) {
    if (at > seconds) break;
    found = stage;
  }
  return found;
}
