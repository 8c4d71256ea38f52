// The part one points at: controls, pictures and the pixel beside them.

function makeLooking(data) {
  const colours = hexColours(data.colours);
  const names = data.scenes.map((scene) => scene.name);
  const look = { mode: "colour", nm: 550, metric: "rmse", layout: innerWidth < 700 ? "one" : "all", cube: 0 };
  let [scene, cursor, pins] = [null, [0, 0], []];
  let [waiting, wanted] = [false, 0];

  const panels = new Panels({ onmove: (row, column) => point(row, column), onpin: togglePin, onzoom: showZoom }, colours);
  const pixels = new Pixels({ onband: (nm) => setBand(nm), onpin: togglePin, onclear: clearPins, ongo: (row, column) => { point(row, column); panels.keepInView(row, column); } });

  const slider = element("input", { type: "range", id: "band", min: 0, max: 1, step: 1, "aria-label": "Band" });
  const bandLabel = element("output", { for: "band", class: "nm" });
  slider.addEventListener("input", () => setBand(scene.cubes[leading()].wavelengths[Number(slider.value)]));
  let playing = null;
  const play = button("Play", () => (playing ? stop() : start()), { "aria-pressed": "false" });
  const mode = choice("What is shown", [["colour", "Colour"], ["band", "Band"], ["error", "Error"]], "colour", (value) => { look.mode = value; stop(); leaveReference(); showPictures(); });
  const layout = choice("Pictures", [["all", "Side by side"], ["one", "One"]], look.layout, (value) => { look.layout = value; leaveReference(); showPictures(); });
  const metricBox = element("div", { class: "bar-and-metric" });
  const cubeBox = element("div");
  const zoomLabel = element("span", { class: "quiet", role: "status" });
  const zoomBox = element("div", { class: "row zoom", role: "group", "aria-label": "Zoom" },
    button("−", () => panels.zoom(0.5), { "aria-label": "Zoom out" }), button("+", () => panels.zoom(2), { "aria-label": "Zoom in" }), button("Fit", () => panels.zoom(0)), zoomLabel);
  const said = element("p", { class: "quiet said", id: "said" });
  const sceneBox = element("div");
  const box = element("div", { class: "looking", id: "looker" },
    element("div", { class: "controls" }, sceneBox, mode, layout, cubeBox, zoomBox,
      element("div", { class: "row bands" }, element("label", { for: "band" }, "Band"), slider, bandLabel, play), metricBox),
    element("div", { class: "stage" }, element("div", { class: "pictures" }, panels.box, said), pixels.box));

  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && pins.length) clearPins(); });

  function leading() {
    return look.layout === "one" ? look.cube : 0;
  }

  async function choose(index) {
    stop();
    wanted = index;
    box.setAttribute("aria-busy", "true");
    const found = await unpackScene(data.scenes[index]);
    if (index !== wanted) return; // another scene was chosen meanwhile
    scene = found;
    cursor = [Math.floor(scene.rows / 2), Math.floor(scene.columns / 2)];
    pins = [];
    look.cube = Math.min(look.cube, scene.cubes.length - 1);
    const known = Object.keys(ERRORS).filter((name) => scene.scales[name]);
    if (!known.includes(look.metric)) look.metric = known[0] || "rmse";
    if (!known.length && look.mode === "error") { look.mode = "colour"; mode.set("colour", false); }
    mode.children[2].hidden = !known.length;
    layout.hidden = scene.cubes.length < 2;
    box.removeAttribute("aria-busy");
    fillControls(known);
    leaveReference();
    showPictures();
    say();
  }

  // One picture of errors is that of an estimate: the reference has none.
  function leaveReference() {
    if (!scene || look.mode !== "error" || look.layout !== "one" || scene.cubes[look.cube].maps[look.metric]) return;
    look.cube = Math.max(0, scene.cubes.findIndex((cube) => cube.maps[look.metric]));
    cubeBox.querySelector("select").value = String(look.cube);
  }

  function fillControls(known) {
    sceneBox.replaceChildren(...(names.length > 1 ? [select("Scene", names.map((name, i) => [String(i), name]), String(wanted), (value) => choose(Number(value)))] : []));
    cubeBox.replaceChildren(...(scene.cubes.length > 1 ? [select("Cube", scene.cubes.map((cube, i) => [String(i), cube.name]), String(look.cube), (value) => { look.cube = Number(value); look.layout = "one"; layout.set("one", false); showPictures(); })] : []));
    const picked = select("Metric", known.map((name) => [name, ERRORS[name].label]), look.metric, (value) => { look.metric = value; showPictures(); });
    const bar = element("canvas", { class: "bar", role: "img" });
    metricBox.words = element("p", { class: "quiet said", id: "bar-words" });
    metricBox.replaceChildren(picked, bar, metricBox.words);
    metricBox.bar = bar;
  }

  function showPictures() {
    if (!scene) return;
    if (scene.cubes.length < 2) look.layout = "one";
    const cubes = look.layout === "one" ? [scene.cubes[look.cube]] : scene.cubes;
    cubeBox.hidden = look.layout !== "one";
    metricBox.hidden = look.mode !== "error";
    box.firstChild.dataset.mode = look.mode;
    const wavelengths = scene.cubes[leading()].wavelengths;
    slider.max = wavelengths.length - 1;
    const band = bandAt(scene.cubes[leading()], look.nm);
    slider.value = band;
    const nm = `${digits(wavelengths[band], Number.isInteger(wavelengths[band]) ? 0 : 1)} nm`;
    slider.setAttribute("aria-valuetext", nm);
    bandLabel.textContent = nm;
    if (look.mode === "error") drawBar();
    panels.show(scene, cubes, look);
    panels.mark(cursor, pins);
    pixels.show(scene, look, cursor, pins);
  }

  function drawBar() {
    const [best, worst] = scene.scales[look.metric];
    const { label, unit, factor, places } = ERRORS[look.metric];
    const unitText = look.metric === "rmse" && scene.rmse_unit ? scene.rmse_unit : unit;
    const [width, height] = [Math.min(300, Math.max(200, metricBox.clientWidth - 20 || 260)), 34];
    metricBox.bar.style.width = `${width}px`;
    metricBox.bar.style.height = `${height}px`;
    const context = sharpen(metricBox.bar, width, height);
    const [left, right] = [6, width - 22];
    for (let i = 0; i < right - left; i++) {
      context.fillStyle = data.colours[Math.floor((i / (right - left)) * 255)];
      context.fillRect(left + i, 0, 1.5, 13);
    }
    context.fillStyle = ink("text");
    context.font = `12px ${ink("font")}`;
    context.textBaseline = "top";
    context.textAlign = "left";
    const [low, high] = [Math.min(best, worst) * factor, Math.max(best, worst) * factor];
    const all = ticks(low, high, 4);
    let taken = -Infinity;
    const placed = all.map((value) => [value, (value / factor - best) / (worst - best)]).sort((a, b) => a[1] - b[1]);
    placed.forEach(([value, share]) => {
      if (share < -0.001 || share > 1.001) return;
      const at = left + share * (right - left);
      context.fillRect(at, 13, 1, 4);
      const text = tickText(value, all);
      const wide = context.measureText(text).width;
      const start = Math.min(width - wide, Math.max(0, at - wide / 2));
      if (start < taken + 6) return;
      taken = start + wide;
      context.fillText(text, start, 19);
    });
    const words = `${label}${unitText && ` ${unitText}`}: ${digits(best * factor, places)} to ${digits(worst * factor, places)}, one scale for all; 1 of 100 pixels is worse and has the last colour`;
    metricBox.bar.setAttribute("aria-label", words);
    metricBox.words.textContent = `${words}. Each mean is of the pixels here.`;
  }

  function setBand(nm) {
    look.nm = nm;
    if (look.mode !== "band") { look.mode = "band"; mode.set("band", false); }
    showPictures();
  }

  function start() {
    play.textContent = "Stop";
    play.setAttribute("aria-pressed", "true");
    playing = setInterval(() => {
      const { wavelengths } = scene.cubes[leading()];
      setBand(wavelengths[(bandAt(scene.cubes[leading()], look.nm) + 1) % wavelengths.length]);
    }, 180);
  }

  function stop() {
    clearInterval(playing);
    playing = null;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
  }

  function point(row, column) {
    cursor = [row, column];
    panels.cursor = cursor; // the next key may come before the next frame
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      panels.mark(cursor, pins);
      pixels.show(scene, look, cursor, pins);
    });
  }

  function togglePin(row, column) {
    const at = pins.findIndex((pin) => pin[0] === row && pin[1] === column);
    pins = at >= 0 ? pins.filter((_, i) => i !== at) : [...pins, [row, column]].slice(-MOST_PINS);
    point(row, column);
  }

  function clearPins() {
    pins = [];
    point(...cursor);
  }

  function showZoom(zoom) {
    zoomLabel.textContent = zoom > 1.001 ? `${digits(zoom, zoom < 10 && zoom % 1 ? 1 : 0)} ×` : "";
  }

  // By how much the page holds less than the files: pixels and bits.
  function say() {
    const [height, width] = scene.shape;
    const every = scene.step === 1 ? `every pixel, ${height} × ${width}` : `every ${ordinal(scene.step)} row and column, ${scene.rows} × ${scene.columns} of ${height} × ${width} pixels`;
    const largest = Math.max(...scene.cubes.map((cube) => cube.values.step));
    const how = [...new Set(scene.cubes.map((cube) => cube.picture))].join("; ");
    const words = [`Each spectrum is one of the cube's own: ${every}, 16 bit in steps of ${Number(largest.toPrecision(2))} at most.`, `Pictures: ${how}.`, `Grey of a band: 0 to ${Number(scene.white.toPrecision(3))}, with a gamma of 2.2. Hatched: no valid value.`, scene.note ? `${scene.note}.` : ""];
    said.textContent = words.filter(Boolean).join(" ");
  }

  new ResizeObserver(() => panels.layOut()).observe(box);
  box.redraw = () => { if (scene) { pixels.rows.replaceChildren(); showPictures(); } };
  box.go = (name) => { if (names.includes(name)) { choose(names.indexOf(name)); box.scrollIntoView(); } };
  box.has = (name) => names.includes(name);
  box.ready = choose(0);
  return box;
}

function ordinal(number) {
  const ends = number % 100 >= 11 && number % 100 <= 13 ? "th" : ["th", "st", "nd", "rd"][number % 10] || "th";
  return `${number}${ends}`;
}
