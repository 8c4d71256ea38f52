// The pictures: one canvas per cube, all with one view and one crosshair. Places are kept pixels until they are printed.

const WIDE = 930; // CSS pixels: pictures and spectra stand side by side
const [GAP_TO_PIXEL, LEAST_PIXEL] = [30, 450];

const ERRORS = {
  rmse: { label: "RMSE", short: "RMSE", unit: "of 255 levels", factor: 1, places: 2 },
  sam: { label: "Spectral angle", short: "angle\u00a0°", unit: "°", factor: 180 / Math.PI, places: 2 },
  de2000: { label: "CIEDE2000", short: "\u0394E\u00a02000", unit: "", factor: 1, places: 2 },
  rrmse: { label: "Relative RMSE", short: "rel. RMSE", unit: "", factor: 1, places: 3 },
  gfc: { label: "Goodness of fit", short: "GFC", unit: "(1 is best)", factor: 1, places: 4 },
};

function bandAt(cube, nm) {
  let best = 0;
  cube.wavelengths.forEach((one, i) => { if (Math.abs(one - nm) < Math.abs(cube.wavelengths[best] - nm)) best = i; });
  return best;
}

function hexColours(list) {
  return list.map((text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)));
}

// Paint a cube as colours, as one band in grey, or as its errors; what has no value is hatched.
function paintCube(scene, cube, look, colours) {
  const picture = document.createElement("canvas");
  picture.width = scene.columns;
  picture.height = scene.rows;
  const context = picture.getContext("2d");
  const image = context.createImageData(scene.columns, scene.rows);
  const map = look.mode === "error" ? cube.maps[look.metric] : null;
  const band = bandAt(cube, look.nm);
  const [best, worst] = scene.scales[look.metric] || [0, 1];
  for (let pixel = 0; pixel < scene.rows * scene.columns; pixel++) {
    let colour = null;
    if (map) {
      const error = map(pixel);
      if (!Number.isNaN(error)) colour = colours[Math.round(255 * Math.min(1, Math.max(0, (error - best) / (worst - best))))];
    } else if (cube.valid[pixel]) {
      if (look.mode === "band") {
        const grey = Math.round(255 * Math.min(1, Math.max(0, cube.values.value(pixel, band) / scene.white)) ** (1 / 2.2));
        colour = [grey, grey, grey];
      } else colour = [cube.rgb[3 * pixel], cube.rgb[3 * pixel + 1], cube.rgb[3 * pixel + 2]];
    }
    if (!colour) {
      const [row, column] = [Math.floor(pixel / scene.columns), pixel % scene.columns];
      colour = (row + column) % 4 < 2 ? [128, 128, 128] : [168, 168, 168];
    }
    image.data.set([...colour, 255], 4 * pixel);
  }
  context.putImageData(image, 0, 0);
  return picture;
}

function meanError(scene, cube, metric) {
  const map = cube.maps[metric];
  if (!map) return NaN;
  let [sum, count] = [0, 0];
  for (let pixel = 0; pixel < scene.rows * scene.columns; pixel++) {
    const error = map(pixel);
    if (!Number.isNaN(error)) { sum += error; count++; }
  }
  return count ? sum / count : NaN;
}

class Panels {
  // told: { onmove(row, column), onpin(row, column), onzoom(zoom) }
  constructor(told, colours) {
    this.told = told;
    this.colours = colours;
    this.box = element("div", { class: "panels" });
    this.view = { zoom: 1, row: 0, column: 0 };
    addEventListener("resize", () => this.layOut());
  }

  show(scene, cubes, look) {
    const same = this.scene === scene && this.cubes && this.cubes.length === cubes.length && cubes.every((cube, i) => cube === this.cubes[i]);
    if (this.scene !== scene) this.view = { zoom: 1, row: 0, column: 0 };
    Object.assign(this, { scene, cubes, look });
    if (!same) {
      const focused = [...this.box.querySelectorAll("canvas")].indexOf(document.activeElement);
      this.panels = cubes.map((cube) => this.panel(cube));
      this.box.replaceChildren(...this.panels.map((panel) => panel.figure));
      if (focused >= 0) this.panels[Math.min(focused, this.panels.length - 1)].canvas.focus({ preventScroll: true });
    }
    for (const panel of this.panels) {
      panel.picture = paintCube(scene, panel.cube, look, this.colours);
      this.caption(panel);
    }
    this.layOut();
  }

  caption(panel) {
    const { cube } = panel;
    const { mode, metric, nm } = this.look;
    const parts = [];
    let says = "in colour";
    if (mode === "band") {
      says = `${digits(cube.wavelengths[bandAt(cube, nm)], 0)} nm`;
      parts.push(says);
    } else if (mode === "error") {
      const error = ERRORS[metric];
      says = cube.maps[metric] ? `${error.label}, mean ${digits(meanError(this.scene, cube, metric) * error.factor, error.places)}` : "in colour";
      parts.push(cube.maps[metric] ? says.split(", ")[1] : cube.style < 0 ? "in colour" : "no error map: other wavelengths");
    }
    panel.caption.replaceChildren(element("b", { title: cube.title }, ...breakable(cube.name)), ...parts.map((text) => element("span", { class: "quiet" }, text)));
    panel.canvas.setAttribute("aria-label", `${cube.name}, ${says}. Arrow keys move the pixel, Shift for ten, Enter pins it, Escape clears the pins, plus and minus zoom.`);
  }

  panel(cube) {
    const canvas = element("canvas", { tabindex: "0", role: "application", "data-cube": cube.name });
    const caption = element("figcaption");
    const panel = { cube, canvas, caption, figure: element("figure", {}, canvas, caption) };
    let pressed = null;
    const place = (event) => this.at(canvas, event.clientX, event.clientY);
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      pressed = { x: event.clientX, y: event.clientY, view: { ...this.view }, moved: false };
      if (event.pointerType === "mouse" && this.view.zoom > 1) canvas.setPointerCapture(event.pointerId);
      this.told.onmove(...place(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (pressed && this.view.zoom > 1) {
        const [across, down] = [event.clientX - pressed.x, event.clientY - pressed.y];
        pressed.moved ||= Math.hypot(across, down) > 5;
        if (pressed.moved) return this.pan(pressed.view, across, down, canvas);
      }
      this.told.onmove(...place(event));
    });
    canvas.addEventListener("pointerup", (event) => {
      if (pressed && !pressed.moved && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) < 8) this.told.onpin(...place(event));
      pressed = null;
    });
    canvas.addEventListener("pointercancel", () => { pressed = null; });
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.25 : 0.8, place(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
    return panel;
  }

  key(event) {
    const { scene } = this;
    const step = event.shiftKey ? 10 : 1;
    let [row, column] = this.cursor || [0, 0];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    switch (event.key) {
      case "ArrowUp": row -= step; break;
      case "ArrowDown": row += step; break;
      case "ArrowLeft": column -= step; break;
      case "ArrowRight": column += step; break;
      case "Home": column = 0; break;
      case "End": column = scene.columns - 1; break;
      case "PageUp": row = 0; break;
      case "PageDown": row = scene.rows - 1; break;
      case "Enter": case " ": event.preventDefault(); this.told.onpin(row, column); return;
      case "+": case "=": event.preventDefault(); this.zoom(2); return;
      case "-": event.preventDefault(); this.zoom(0.5); return;
      case "0": event.preventDefault(); this.zoom(0); return;
      default: return;
    }
    event.preventDefault();
    row = Math.min(scene.rows - 1, Math.max(0, row));
    column = Math.min(scene.columns - 1, Math.max(0, column));
    this.told.onmove(row, column);
    this.keepInView(row, column);
  }

  at(canvas, clientX, clientY) {
    const box = canvas.getBoundingClientRect();
    const { rows, columns } = this.seen();
    const row = Math.floor(this.view.row + ((clientY - box.top) / box.height) * rows);
    const column = Math.floor(this.view.column + ((clientX - box.left) / box.width) * columns);
    return [Math.min(this.scene.rows - 1, Math.max(0, row)), Math.min(this.scene.columns - 1, Math.max(0, column))];
  }

  seen() {
    return { rows: this.scene.rows / this.view.zoom, columns: this.scene.columns / this.view.zoom };
  }

  zoom(factor, around = this.cursor) {
    const before = this.seen();
    const [row, column] = around || [this.scene.rows / 2, this.scene.columns / 2];
    const most = Math.max(1, Math.min(this.scene.rows, this.scene.columns) / 4);
    const share = [(row + 0.5 - this.view.row) / before.rows, (column + 0.5 - this.view.column) / before.columns].map((one) => (one >= 0 && one <= 1 ? one : 0.5));
    this.view.zoom = factor ? Math.min(most, Math.max(1, this.view.zoom * factor)) : 1;
    const after = this.seen();
    this.moveTo(row + 0.5 - share[0] * after.rows, column + 0.5 - share[1] * after.columns);
  }

  pan(from, across, down, canvas) {
    const { rows, columns } = this.seen();
    this.moveTo(from.row - (down / canvas.clientHeight) * rows, from.column - (across / canvas.clientWidth) * columns);
  }

  keepInView(row, column) {
    const { rows, columns } = this.seen();
    const { view } = this;
    this.moveTo(
      row < view.row ? row : row + 1 > view.row + rows ? row + 1 - rows : view.row,
      column < view.column ? column : column + 1 > view.column + columns ? column + 1 - columns : view.column,
    );
  }

  moveTo(row, column) {
    const { rows, columns } = this.seen();
    this.view.row = Math.min(this.scene.rows - rows, Math.max(0, row));
    this.view.column = Math.min(this.scene.columns - columns, Math.max(0, column));
    this.draw();
    this.told.onzoom(this.view.zoom);
  }

  // The largest pictures of which all fit the window, as far as it is high enough; the rest is for the spectra.
  layOut() {
    const stage = this.box.closest(".stage");
    if (!this.scene || !stage || !stage.clientWidth) return;
    const beside = stage.clientWidth > WIDE;
    const width = beside ? stage.clientWidth - GAP_TO_PIXEL - LEAST_PIXEL : stage.clientWidth;
    const count = this.panels.length;
    const gap = 10;
    const aspect = this.scene.columns / this.scene.rows;
    const line = this.look.mode === "error" ? 0 : 66; // of the metric and its words, so that pictures do not change when it comes
    const tall = Math.max(420, window.innerHeight - (stage.getBoundingClientRect().top + scrollY) - line - 16);
    const least = Math.min(count, !beside && count > 4 ? 3 : 2); // two side by side: one below the other are far from the table
    let [side, across] = [0, 1];
    for (let columns = least; columns <= Math.min(count, 8); columns++) {
      const rows = Math.ceil(count / columns);
      const high = Math.max(beside ? 130 : 240, tall / rows - 32);
      const fits = Math.floor(Math.min((width - gap * (columns - 1)) / columns, high * aspect));
      if (fits > side) [side, across] = [fits, columns];
    }
    this.box.style.gridTemplateColumns = `repeat(${across}, ${side}px)`;
    stage.style.gridTemplateColumns = beside ? `${across * side + (across - 1) * gap}px minmax(0, 1fr)` : "";
    for (const panel of this.panels) {
      panel.size = [side, Math.max(24, Math.round(side / aspect))];
      panel.canvas.style.width = `${panel.size[0]}px`;
      panel.canvas.style.height = `${panel.size[1]}px`;
    }
    this.draw();
  }

  mark(cursor, pins) {
    this.cursor = cursor;
    this.pins = pins;
    this.draw();
  }

  draw() {
    if (!this.scene) return;
    const { rows, columns } = this.seen();
    for (const panel of this.panels) {
      if (!panel.size) continue;
      const [width, height] = panel.size;
      const context = sharpen(panel.canvas, width, height);
      context.imageSmoothingEnabled = false;
      context.drawImage(panel.picture, this.view.column, this.view.row, columns, rows, 0, 0, width, height);
      const place = ([row, column]) => [((column + 0.5 - this.view.column) / columns) * width, ((row + 0.5 - this.view.row) / rows) * height];
      const size = [width / columns, height / rows];
      (this.pins || []).forEach((pin, i) => drawPin(context, place(pin), i + 1));
      if (this.cursor) drawCrosshair(context, place(this.cursor), size, width, height);
    }
  }
}

function drawCrosshair(context, [left, top], [wide, high], width, height) {
  const [w, h] = [Math.max(7, wide), Math.max(7, high)];
  const lines = [[[left, 0], [left, top - h]], [[left, top + h], [left, height]], [[0, top], [left - w, top]], [[left + w, top], [width, top]]];
  for (const [colour, thick] of [["rgba(0,0,0,.55)", 3], ["rgba(255,255,255,.9)", 1]]) {
    for (const line of lines) strokeLine(context, line, { colour, dash: [], width: thick });
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.strokeRect(left - w / 2, top - h / 2, w, h);
  }
}

function drawPin(context, [left, top], number) {
  context.beginPath();
  context.arc(left, top, 9, 0, 2 * Math.PI);
  context.fillStyle = "#111";
  context.fill();
  context.strokeStyle = "#fff";
  context.lineWidth = 1.5;
  context.stroke();
  context.fillStyle = "#fff";
  context.font = `bold 11px ${ink("font")}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(number), left, top + 0.5);
}
