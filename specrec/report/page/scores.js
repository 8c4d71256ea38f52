// The score of every image, by one metric: a strip per method with its quartiles, and a table of scenes.

function quantile(sorted, share) {
  const at = (sorted.length - 1) * share;
  const low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

function makeScores(data, looking) {
  const metrics = data.metrics.filter((metric) => data.scores.some((image) => Object.values(image.scores).some((mine) => metric.name in mine)));
  if (!metrics.length) return element("p", { class: "quiet" }, "No image has been scored yet.");
  let metric = metrics[0];
  const runs = Number(data.settings.protocol.runs);
  const strips = element("div", { class: "strips" });
  const readout = element("p", { class: "quiet readout", role: "status" });
  const table = element("div");
  const meaning = element("p", { class: "quiet" });
  const draw = () => drawStrips(strips, data, metric, readout, looking);
  const show = () => {
    meaning.textContent = `${metric.name}${metric.unit ? `, ${metric.unit}` : ""}, ${metric.higher ? "higher" : "lower"} is better: ${metric.definition}. A dot is a test scene${runs > 1 ? `, its mean over ${runs} runs` : ""}; the box holds the middle half of them, its line is the median.`;
    readout.textContent = "Point at a dot: its scene is marked in every row.";
    draw();
    table.replaceChildren(tableOfScenes(data, metric, looking));
  };
  new ResizeObserver(() => { if (strips.drawn !== strips.clientWidth) draw(); }).observe(strips);
  const pictures = element("div", {}, element("div", { class: "controls" }, select("Metric", metrics.map((one) => [one.name, one.name]), metric.name, (value) => { metric = metrics.find((one) => one.name === value); show(); })), meaning, strips, readout);
  const box = element("div", { class: data.methods.length > 5 ? "" : "twin" }, pictures, element("div", {}, element("h3", {}, "Scene by scene"), table));
  box.redraw = draw; // the table stays, as it is sorted
  show();
  return box;
}

function drawStrips(box, data, metric, readout, looking) {
  const width = box.clientWidth;
  if (!width) return;
  box.drawn = width;
  const methods = data.methods.filter((method) => data.scores.some((image) => image.scores[method.slug]));
  const found = methods.map((method) => data.scores.map((image) => [image.scene, (image.scores[method.slug] || {})[metric.name]]).filter(([, value]) => Number.isFinite(value)));
  const all = found.flat().map(([, value]) => value);
  if (!all.length) return box.replaceChildren();
  const narrow = width < 560;
  const [label, row, top] = [narrow ? 12 : Math.min(230, 40 + 7.4 * Math.max(...methods.map((one) => one.written.length))), narrow ? 40 : methods.length > 5 ? 26 : 44, 6];
  let [low, high] = [Math.min(...all), Math.max(...all)];
  const pad = (high - low) * 0.03 || Math.abs(high) * 0.1 || 1;
  [low, high] = [low - pad, high + pad];
  const across = (value) => label + ((value - low) / (high - low)) * (width - label - 14);
  const height = top + methods.length * row + 28;
  const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${metric.name} of every test scene, by method; the table below holds the numbers` });
  const places = ticks(low, high, Math.max(2, Math.floor((width - label) / 90)));
  for (const value of places) {
    if (value < low || value > high) continue;
    picture.append(svg("line", { x1: across(value), x2: across(value), y1: top, y2: height - 24, class: "grid" }), svg("text", { x: across(value), y: height - 8, "text-anchor": "middle" }, tickText(value, places)));
  }
  methods.forEach((method, i) => {
    const middle = top + i * row + (narrow ? row - 12 : row / 2);
    const values = found[i].map(([, value]) => value).sort((a, b) => a - b);
    picture.append(svg("text", narrow ? { x: label, y: middle - 12 } : { x: label - 12, y: middle + 4, "text-anchor": "end" }, shorten(method.written, narrow ? 48 : 27)));
    if (!values.length) return;
    const [first, median, third] = [0.25, 0.5, 0.75].map((share) => quantile(values, share));
    picture.append(svg("rect", { x: across(first), y: middle - 7, width: Math.max(1, across(third) - across(first)), height: 14, class: "box" }), svg("line", { x1: across(median), x2: across(median), y1: middle - 9, y2: middle + 9, class: "median" }));
    for (const [scene, value] of found[i]) {
      const dot = svg("circle", { cx: across(value), cy: middle, r: 4, fill: lineStyle(data.methods.indexOf(method)).colour, class: "score" });
      dot.dataset.scene = scene;
      dot.dataset.words = `${scene}: ${method.written}, ${metric.name} ${score(value)}`;
      picture.append(dot);
    }
  });
  picture.addEventListener("pointerover", ({ target }) => {
    if (!target.dataset.scene) return;
    for (const dot of picture.querySelectorAll(".score")) dot.classList.toggle("lit", dot.dataset.scene === target.dataset.scene);
    picture.classList.add("choosing");
    readout.textContent = target.dataset.words + (looking.has(target.dataset.scene) ? " (a click shows it above)" : "");
  });
  picture.addEventListener("pointerleave", () => picture.classList.remove("choosing"));
  picture.addEventListener("click", ({ target }) => target.dataset.scene && looking.go(target.dataset.scene));
  box.replaceChildren(picture);
}

function shorten(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function tableOfScenes(data, metric, looking) {
  const methods = data.methods.filter((method) => data.scores.some((image) => image.scores[method.slug]));
  const columns = [{ text: "scene" }, { text: "fold", number: true }, ...methods.map((method) => ({ text: method.written, number: true, higher: metric.higher }))];
  const rows = data.scores.map((image) => {
    const values = methods.map((method) => (image.scores[method.slug] || {})[metric.name] ?? null);
    const known = values.filter((value) => value !== null);
    const best = metric.higher ? Math.max(...known) : Math.min(...known);
    const name = looking.has(image.scene) ? button(image.scene, () => looking.go(image.scene), { class: "link", title: "Look at it" }) : image.scene;
    return { keys: [image.scene, image.fold, ...values], cells: [name, String(image.fold), ...values.map((value) => element("span", { class: value !== null && value === best ? "best" : "" }, score(value)))] };
  });
  return sortable("scenes", `${metric.name} of every test scene`, columns, rows);
}
