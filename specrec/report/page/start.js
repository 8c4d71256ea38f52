// Put the page together, and switch between light and dark.

function start() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const main = document.getElementById("main");
  document.getElementById("title").textContent = data.title;
  document.getElementById("lead").textContent = data.lead;
  document.getElementById("foot").textContent = `specrec ${data.version}. This page holds its data and asks no server for anything.`;
  const redrawn = [];
  readNumbers(data);
  if (typeof DecompressionStream === "undefined") {
    main.append(element("p", { class: "warning" }, "This browser is older than 2023 and cannot unpack the cubes of this page; the tables are below."));
  }
  let looking = { has: () => false };
  const results = data.kind === "results";
  const parts = [];
  if (data.scenes.length && typeof DecompressionStream !== "undefined") {
    looking = makeLooking(data);
    redrawn.push(looking);
    parts.push(["looking", results ? "Pixel by pixel" : "Spectra", looking, missingWords(data)]);
  } else if (results) {
    parts.push(["looking", "Pixel by pixel", element("p", { class: "quiet" }, "No cubes were kept with these results: they were computed by an older specrec, or nothing is computed yet. A start with --overwrite keeps them."), missingWords(data)]);
  }
  if (results) {
    parts.push(["table", "Table", makeTable(data)]);
    if (data.robustness) parts.push(["robustness", "Robustness", makeRobustness(data)]);
    if (data.cost) parts.push(["cost", "Cost", makeCost(data)]);
    if (data.failed.length) parts.push(["failed", "What failed", makeFailed(data)]);
    const scores = makeScores(data, looking);
    redrawn.push(scores);
    parts.push(["images", "Image by image", scores], ["methods", "Methods", makeMethods(data)], ["settings", "Settings", makeSettings(data)]);
  }
  main.append(...parts.map(([id, heading, ...children]) => section(id, heading, ...children)));
  if (!main.querySelector("#looking")) main.prepend(element("span", { id: "looking" }));
  if (parts.length > 1) document.getElementById("contents").append(...parts.map(([id, heading]) => element("a", { href: `#${id}` }, heading)));
  const redraw = () => {
    document.querySelectorAll("canvas.swatch").forEach((canvas) => canvas.redraw());
    redrawn.forEach((one) => one.redraw && one.redraw());
  };
  themes(redraw);
  addEventListener("beforeprint", redraw);
}

function readNumbers(data) {
  const all = (numbers) => { for (const [key, value] of Object.entries(numbers)) numbers[key] = Array.isArray(value) ? value.map(number) : number(value); };
  for (const row of data.table || []) all(row.numbers);
  for (const image of data.scores || []) Object.values(image.scores).forEach(all);
  for (const one of Object.values(data.comparisons || {}).flatMap((by) => Object.values(by)).flatMap((found) => found.differences)) {
    for (const key of ["estimate", "low", "high"]) one[key] = number(one[key]);
  }
}

function missingWords(data) {
  if (!data.missing || !data.missing.length) return null;
  return element("details", { class: "quiet" }, element("summary", {}, `Not shown: ${data.missing.length}`), element("ul", {}, ...data.missing.map((text) => element("li", {}, text))));
}

function themes(redraw) {
  const root = document.documentElement;
  const toggle = document.getElementById("theme");
  const say = () => {
    toggle.textContent = isDark() ? "Light" : "Dark";
    toggle.setAttribute("aria-label", isDark() ? "Switch to light" : "Switch to dark");
    toggle.removeAttribute("aria-pressed");
  };
  try {
    const kept = localStorage.getItem("specrec-theme");
    if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  } catch { /* a browser may refuse to keep anything for a file */ }
  toggle.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("specrec-theme", root.dataset.theme); } catch { /* as above */ }
    say();
    redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { say(); redraw(); });
  say();
  redraw();
}

start();
