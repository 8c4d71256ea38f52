// What is known of one pixel: its spectra, its errors, the pins, and the numbers to take away.

const MOST_PINS = 8;
const READ = ["rmse", "sam", "de2000"];

function spectrum(cube, pixel) {
  return cube.valid[pixel] ? cube.wavelengths.map((_, band) => cube.values.value(pixel, band)) : null;
}

class Pixels {
  // told: { onband(nm), onpin(row, column), ongo(row, column), onclear() }
  constructor(told) {
    this.told = told;
    this.hidden = new Set();
    this.strong = null;
    this.position = element("output", { id: "position", "aria-live": "polite" });
    this.plot = element("canvas", { id: "plot", role: "img" });
    this.plot.addEventListener("click", (event) => {
      const box = this.plot.getBoundingClientRect();
      told.onband(this.scaleOfPlot.nanometre(event.clientX - box.left));
    });
    this.rows = element("tbody");
    this.head = element("tr");
    this.readout = element("table", { id: "readout", class: "numbers" }, element("caption", { class: "unseen" }, "Errors of this pixel"), element("thead", {}, this.head), this.rows);
    this.more = element("p", { class: "quiet more", hidden: true }, "▾ more rows: scroll this table");
    this.pinned = element("div", { id: "pins", class: "pins" });
    this.numbers = element("table", { id: "spectrum", class: "numbers" });
    this.details = element("details", { ontoggle: () => this.fillNumbers() }, element("summary", {}, "The numbers of these spectra"), element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "The numbers of these spectra" }, this.numbers));
    this.copied = element("span", { class: "quiet", role: "status" });
    this.box = element("div", { class: "pixel" },
      element("h3", { class: "position" }, this.position), this.plot,
      element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Errors of this pixel", onscroll: () => this.hint() }, this.readout),
      this.more,
      this.pinned,
      element("div", { class: "row" }, button("Copy", () => this.copy()), button("Save CSV", () => this.save()), this.copied),
      this.details);
    this.size = new ResizeObserver(() => { this.drawPlot(); this.hint(); });
    this.size.observe(this.box);
  }

  show(scene, look, cursor, pins) {
    Object.assign(this, { scene, look, cursor, pins });
    this.fill();
    this.drawPlot();
    this.showPins();
    if (this.details.open) this.fillNumbers();
    this.hint();
  }

  hint() {
    const box = this.readout.parentElement;
    this.more.hidden = box.scrollHeight <= box.clientHeight + 4;
    this.more.style.visibility = box.scrollTop + box.clientHeight >= box.scrollHeight - 4 ? "hidden" : "visible";
  }

  metrics() {
    const known = new Set(this.scene.cubes.flatMap((cube) => Object.keys(cube.maps)));
    const wanted = this.look.mode === "error" && !READ.includes(this.look.metric) ? [...READ, this.look.metric] : READ;
    return wanted.filter((name) => known.has(name));
  }

  fill() {
    const { scene, look } = this;
    const [row, column] = this.cursor;
    const pixel = row * scene.columns + column;
    const names = this.metrics();
    this.position.textContent = `Row ${row * scene.step}, column ${column * scene.step}`;
    const nm = digits(scene.cubes[0].wavelengths[bandAt(scene.cubes[0], look.nm)], 0);
    const heads = [["th", "", "cube"], ...names.map((name) => ["th", "number", ERRORS[name].short]), ["th", "number", `${nm} nm`]];
    this.head.replaceChildren(...heads.map(([tag, kind, text]) => element(tag, { class: kind, scope: "col" }, text)));
    if (this.rows.children.length !== scene.cubes.length || this.drawnScene !== scene) {
      this.drawnScene = scene;
      this.rows.replaceChildren(...scene.cubes.map((cube) => this.line(cube)));
    }
    scene.cubes.forEach((cube, i) => {
      const line = this.rows.children[i];
      const errors = names.map((name) => (cube.maps[name] ? digits(cube.maps[name](pixel) * ERRORS[name].factor, ERRORS[name].places) : cube.style < 0 ? "" : "–"));
      const value = cube.valid[pixel] ? plainValue(cube.values.value(pixel, bandAt(cube, look.nm)), cube.values.step) : "not valid";
      while (line.children.length > 1) line.lastChild.remove();
      line.append(...errors.map((text, k) => element("td", { class: "number", "data-metric": names[k] }, text)), element("td", { class: "number", "data-value": "band" }, value));
      line.classList.toggle("off", this.hidden.has(cube.name));
    });
  }

  line(cube) {
    const name = button("", () => {
      this.hidden.has(cube.name) ? this.hidden.delete(cube.name) : this.hidden.add(cube.name);
      name.setAttribute("aria-pressed", String(!this.hidden.has(cube.name)));
      this.rows.querySelectorAll(".whole").forEach((other) => other.classList.remove("whole"));
      name.classList.add("whole"); // a finger has no title to read a cut name from
      this.fill();
      this.drawPlot();
      this.showPins();
    }, { class: "legend", "aria-pressed": String(!this.hidden.has(cube.name)), title: `${cube.name}: show or hide its line` });
    name.append(swatch(cube.style), element("span", {}, cube.name));
    const line = element("tr", { "data-cube": cube.name }, element("th", { scope: "row" }, name));
    const stress = (on) => { this.strong = on ? cube.name : null; this.drawPlot(); };
    line.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && stress(true));
    line.addEventListener("pointerleave", () => stress(false));
    name.addEventListener("focus", () => stress(true));
    name.addEventListener("blur", () => stress(false));
    return line;
  }

  lines([row, column]) {
    const pixel = row * this.scene.columns + column;
    return this.scene.cubes.filter((cube) => !this.hidden.has(cube.name)).map((cube) => ({
      wavelengths: cube.wavelengths, values: spectrum(cube, pixel), style: cube.style,
      strong: this.strong === cube.name, faint: this.strong !== null && this.strong !== cube.name,
    }));
  }

  drawPlot() {
    if (!this.scene) return;
    const width = this.box.clientWidth;
    if (!width) return;
    const height = Math.round(Math.min(340, Math.max(220, width * 0.62)));
    this.plot.style.height = `${height}px`;
    const unit = [this.scene.quantity, this.scene.units && this.scene.units !== "1" ? this.scene.units : ""].filter(Boolean).join(", ");
    this.scaleOfPlot = drawSpectra(this.plot, this.lines(this.cursor), { width, height, mark: this.look.mode === "band" ? this.look.nm : null, unit, empty: "no valid spectrum at this pixel" });
    const shown = this.scene.cubes.filter((cube) => !this.hidden.has(cube.name)).map((cube) => cube.name).join(", ");
    this.plot.setAttribute("aria-label", `Spectra at ${this.position.textContent}: ${shown || "none"}. Their numbers are in the table below.`);
  }

  showPins() {
    this.pinned.hidden = !this.pins.length;
    const cards = this.pins.map((pin, i) => {
      const canvas = element("canvas", { "aria-hidden": "true" });
      const words = `Row ${pin[0] * this.scene.step}, column ${pin[1] * this.scene.step}`;
      const card = element("div", { class: "pin" },
        button("", () => this.told.ongo(...pin), { class: "plain", title: `Go to ${words}` }),
        button("×", () => this.told.onpin(...pin), { class: "plain close", "aria-label": `Remove pin ${i + 1}` }));
      card.firstChild.append(element("span", {}, element("b", {}, String(i + 1)), ` ${words}`), canvas);
      canvas.style.width = "132px";
      canvas.style.height = "62px";
      drawSpectra(canvas, this.lines(pin), { width: 132, height: 62, axes: false, empty: "not valid" });
      return card;
    });
    if (cards.length) cards.push(button("Clear pins", () => this.told.onclear(), { class: "clear" }));
    this.pinned.replaceChildren(...cards);
  }

  table() {
    const { scene } = this;
    const pixel = this.cursor[0] * scene.columns + this.cursor[1];
    const all = [...new Set(scene.cubes.flatMap((cube) => cube.wavelengths))].sort((a, b) => a - b);
    const head = ["nm", ...scene.cubes.map((cube) => cube.name)];
    const rows = all.map((nm) => [String(Number(nm.toFixed(3))), ...scene.cubes.map((cube) => {
      const band = cube.wavelengths.indexOf(nm);
      return band < 0 || !cube.valid[pixel] ? "" : plainValue(cube.values.value(pixel, band), cube.values.step);
    })]);
    return [head, ...rows];
  }

  fillNumbers() {
    if (!this.scene || !this.details.open) return;
    const [head, ...rows] = this.table();
    this.numbers.replaceChildren(
      element("caption", {}, `${this.position.textContent}: ${this.scene.quantity || "value"} at each wavelength`),
      element("thead", {}, element("tr", {}, ...head.map((text, i) => element("th", { scope: "col", class: i ? "number" : "" }, text)))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((text, i) => element(i ? "td" : "th", i ? { class: "number" } : { scope: "row" }, text))))),
    );
  }

  async copy() {
    const text = this.table().map((row) => row.join("\t").replaceAll("−", "-")).join("\n");
    try {
      await navigator.clipboard.writeText(text);
      this.copied.textContent = "Copied";
    } catch {
      this.details.open = true;
      this.fillNumbers();
      getSelection().selectAllChildren(this.numbers);
      this.copied.textContent = "Selected: copy it with your keyboard";
    }
    setTimeout(() => { this.copied.textContent = ""; }, 4000);
  }

  // One row per number: it fits cubes of any wavelengths. The pins, and the pixel pointed at.
  save() {
    const { scene } = this;
    const rows = [["scene", "row", "column", "cube", "wavelength_nm", "value"]];
    const places = [...this.pins, this.cursor].filter((place, i, all) => all.findIndex((one) => one[0] === place[0] && one[1] === place[1]) === i);
    for (const [row, column] of places) {
      for (const cube of scene.cubes) {
        const values = spectrum(cube, row * scene.columns + column) || [];
        values.forEach((value, band) => rows.push([scene.name, row * scene.step, column * scene.step, cube.name, cube.wavelengths[band], Number(value.toPrecision(8))]));
      }
    }
    saveText("spectra.csv", csvText(rows), "text/csv");
  }
}
