// Lines of spectra on a canvas, and the styles that tell one line from another: a colour and a dash.

const DASHES = [[], [7, 3], [2, 2.5], [9, 3, 2, 3]];
// Okabe and Ito's colours, darkened for a light page; no two methods share both colour and dash up to 28 of them
const LIGHT = ["#0068a8", "#c84a00", "#007a5a", "#b0508a", "#b07800", "#2f8fc4", "#6b5b95"];
const DARK = ["#56b4e9", "#ff8b4d", "#2fc79a", "#e79ac6", "#f0b43c", "#8fd0f5", "#b3a6e0"];

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// Style -1 is the reference: a thick line in the colour of the text.
function lineStyle(style) {
  if (style < 0) return { colour: ink("text"), dash: [], width: 2.6 };
  const colours = isDark() ? DARK : LIGHT;
  return { colour: colours[style % colours.length], dash: DASHES[style % DASHES.length], width: 1.7 };
}

// Make the canvas as sharp as the screen; drawing is in CSS pixels.
function sharpen(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

function swatch(style) {
  const canvas = element("canvas", { class: "swatch", "aria-hidden": "true" });
  canvas.redraw = () => {
    const width = canvas.clientWidth || 34;
    const context = sharpen(canvas, width, 12);
    strokeLine(context, [[1, 6], [width - 1, 6]], lineStyle(style));
  };
  canvas.redraw();
  return canvas;
}

function strokeLine(context, points, { colour, dash, width }) {
  context.beginPath();
  points.forEach(([left, top], i) => (i ? context.lineTo(left, top) : context.moveTo(left, top)));
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineJoin = "round";
  context.setLineDash(dash);
  context.stroke();
  context.setLineDash([]);
}

// lines: [{ wavelengths, values, style, faint }]; returns how a place becomes a nanometre.
function drawSpectra(canvas, lines, { width, height, axes = true, mark = null, unit = "", empty = "" }) {
  const context = sharpen(canvas, width, height);
  const room = axes ? { left: 52, right: 12, top: 12, bottom: 40 } : { left: 3, right: 3, top: 3, bottom: 3 };
  const grids = lines.map((line) => line.wavelengths);
  const first = Math.min(...grids.map((grid) => grid[0]), Infinity);
  const last = Math.max(...grids.map((grid) => grid[grid.length - 1]), -Infinity);
  const drawn = lines.filter((line) => line.values);
  let [low, high] = [0, 0];
  for (const line of drawn) for (const value of line.values) { low = Math.min(low, value); high = Math.max(high, value); }
  if (!(high > low)) high = low + 1;
  high += (high - low) * 0.04;
  const span = last > first ? last - first : 1;
  context.font = `12px ${ink("font")}`;
  if (axes) {
    const levels = ticks(low, high, levelCount(height));
    room.left = 30 + Math.max(...levels.map((level) => context.measureText(tickText(level, levels)).width));
  }
  const across = (nm) => room.left + ((nm - first) / span) * (width - room.left - room.right);
  const down = (value) => height - room.bottom - ((value - low) / (high - low)) * (height - room.top - room.bottom);
  if (axes && Number.isFinite(first)) drawAxes(context, { first, last, low, high, across, down, width, height, room, unit });
  if (mark !== null) strokeLine(context, [[across(mark), room.top], [across(mark), height - room.bottom]], { colour: ink("accent"), dash: [], width: 1 });
  context.save();
  context.beginPath();
  context.rect(room.left - 1, 0, width - room.left - room.right + 2, height - room.bottom + 1);
  context.clip();
  // the reference last, so that it lies on top of the estimates
  for (const line of [...drawn].sort((a, b) => b.style - a.style)) {
    const style = lineStyle(line.style);
    context.globalAlpha = line.faint ? 0.18 : 1;
    const points = line.values.map((value, i) => [across(line.wavelengths[i]), down(value)]);
    strokeLine(context, points, line.strong ? { ...style, width: 3.2 } : style);
    if (points.length === 1) context.fillRect(points[0][0] - 2, points[0][1] - 2, 4, 4);
  }
  context.restore();
  if (!drawn.length && empty) {
    context.fillStyle = ink("quiet");
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(empty, (room.left + width - room.right) / 2, (room.top + height - room.bottom) / 2);
  }
  return { nanometre: (left) => first + ((left - room.left) / (width - room.left - room.right)) * span };
}

function levelCount(height) {
  return Math.max(3, Math.floor((height - 50) / 46));
}

function drawAxes(context, { first, last, low, high, across, down, width, height, room, unit }) {
  context.fillStyle = ink("quiet");
  context.textBaseline = "middle";
  context.textAlign = "right";
  const levels = ticks(low, high, levelCount(height));
  for (const level of levels) {
    const zero = Math.abs(level) < 1e-12;
    strokeLine(context, [[room.left, down(level)], [width - room.right, down(level)]], { colour: ink(zero ? "line-strong" : "line"), dash: [], width: 1 });
    context.fillText(tickText(level, levels), room.left - 7, down(level));
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  const places = ticks(first, last, Math.max(2, Math.floor(width / 90)));
  for (const nm of places) {
    strokeLine(context, [[across(nm), height - room.bottom], [across(nm), height - room.bottom + 4]], { colour: ink("line-strong"), dash: [], width: 1 });
    context.fillText(tickText(nm, places), Math.min(width - 14, across(nm)), height - room.bottom + 7);
  }
  context.fillText("wavelength, nm", (room.left + width - room.right) / 2, height - 15);
  if (unit) {
    context.save();
    context.translate(9, (room.top + height - room.bottom) / 2);
    context.rotate(-Math.PI / 2);
    context.textBaseline = "middle";
    context.fillText(unit, 0, 0);
    context.restore();
  }
}
