// Tables: sorted by a click on a head, and the table of the results with what is known of its differences.

// columns: [{ text, title, number, sort }]; rows: [{ cells: [node or text], keys: [for sorting], kind }].
function sortable(id, caption, columns, rows) {
  const body = element("tbody");
  const heads = columns.map((column, i) => column.plain ? element("td") : element("th", { scope: "col", class: column.number ? "number" : "", "aria-sort": "none" }, button("", () => sort(i), { class: "sorter", title: column.title || null })));
  heads.forEach((head, i) => columns[i].plain || head.firstChild.append(...breakable(columns[i].text)));
  const table = element("table", { id, class: "sorted" }, element("caption", { class: "unseen" }, caption), element("thead", {}, element("tr", {}, ...heads)), body);
  const lines = rows.map((row) => ({
    row, line: element("tr", { class: row.kind || "" }, ...row.cells.map((cell, i) => element(i ? "td" : "th", { scope: i ? null : "row", class: columns[i].number ? "number" : "" }, cell))),
  }));
  body.append(...lines.map((one) => one.line));
  function sort(i) {
    const before = heads[i].getAttribute("aria-sort");
    const first = columns[i].higher ? "descending" : "ascending";
    const now = before === "none" ? first : before === "ascending" ? "descending" : "ascending";
    heads.forEach((head, k) => columns[k].plain || head.setAttribute("aria-sort", k === i ? now : "none"));
    const sign = now === "ascending" ? 1 : -1;
    const missing = (key) => key === null || key === undefined || key === "";
    const ordered = [...lines].sort(({ row: a }, { row: b }) => {
      const [one, other] = [a.keys[i], b.keys[i]];
      if (missing(one) || missing(other)) return missing(one) - missing(other); // what has no number is last, either way
      if (typeof one === "number" && typeof other === "number") return sign * (one < other ? -1 : one > other ? 1 : 0); // infinities too
      return sign * String(one).localeCompare(String(other), undefined, { numeric: true });
    });
    body.append(...ordered.map((one) => one.line));
  }
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table);
}

// A method with its line; a name that is cut is whole after a tap.
function named(style, text, ...more) {
  const name = element("span", { class: "name", title: text, onclick: () => name.classList.toggle("whole") }, text);
  return element("span", { class: "named" }, style === null ? "" : swatch(style), name, ...more);
}

const KINDS = { reported: "reported", ceiling: "diagnostic", missing: "" };

function makeTable(data) {
  const columns = data.metrics;
  const parts = [...new Set(data.table.map((row) => row.part))].filter(Boolean);
  const place = element("div");
  const words = element("p", { class: "quiet", id: "marks" });
  const against = element("div");
  const compared = columns.filter((metric) => Object.values(data.comparisons).some((by) => by[metric.name]));
  let part = parts.includes("weighted") ? "weighted" : parts[0];
  let metric = (compared[0] || {}).name;
  const compare = () => against.replaceChildren(comparisonOf(data, metric, part));
  const show = () => {
    place.replaceChildren(tableOf(data, columns, part));
    words.textContent = wordsOfMarks(data, part);
    if (metric) compare();
  };
  const box = element("div");
  if (parts.length > 1) box.append(element("div", { class: "controls" }, select("Part", parts.map((one) => [one, one]), part, (value) => { part = value; show(); })));
  box.append(place, words);
  const beside = element("div");
  if (compared.length) {
    beside.append(element("h3", {}, "Against the best"), element("div", { class: "controls" }, select("Metric", compared.map((one) => [one.name, one.name]), metric, (value) => { metric = value; compare(); })), against);
  }
  show();
  return element("div", { class: "twin table" }, box, beside);
}

function makeRobustness(data) {
  const { part, methods, rows, notes, picture } = data.robustness;
  const head = [{ text: "condition" }, ...methods.map(({ method }) => ({ text: method, number: true })), { text: "order" }, { text: "tau", title: "Kendall’s rank correlation with the clean order: 1 the same, -1 the reverse", number: true }];
  const text = (error) => (!error ? "–" : element("span", { class: error.best ? "best" : "" }, error.times === null ? error.text : `${error.text} (${digits(error.times, 2)})`));
  const lines = rows.map(({ condition, errors, order, tau }) => ({
    keys: [condition, ...methods.map(({ slug }) => (errors[slug] ? errors[slug].number : null)), order, tau],
    cells: [condition, ...methods.map(({ slug }) => text(errors[slug])), order, tau === null ? "" : digits(tau, 2)],
  }));
  const words = "How errors grow as photos get worse.";
  return element("div", {},
    element("p", { class: "quiet" }, `RMSE in 8-bit levels (${part}); in brackets: times the method’s clean error on the same pixels. Bold: the least of its row.`),
    sortable("conditions", "Errors under each condition", head, lines),
    element("details", { class: "quiet" }, element("summary", {}, "Where the order changes, and what the conditions are"), element("ul", {}, ...notes.map((note) => element("li", {}, note)))),
    picture ? element("figure", {}, element("img", { src: picture, alt: words, class: "drawn" }), element("figcaption", { class: "quiet" }, words)) : null);
}

function makeCost(data) {
  const { columns, rows, notes, picture } = data.cost;
  const styles = stylesOf(data);
  const head = [{ text: "method" }, ...columns.map((one) => ({ text: one.head, title: one.meaning, number: true }))];
  const lines = rows.map((row) => ({ keys: [row.method, ...row.numbers], cells: [named(styles[row.slug] ?? null, row.method), ...row.texts] }));
  const words = "Errors against cost: towards the lower left is better where lower errors are; the line: nothing below it costs less.";
  return element("div", {},
    sortable("costs", "Cost of each method", head, lines),
    element("details", { class: "quiet" }, element("summary", {}, "On what it was measured, and how"), element("ul", {}, ...notes.map((text) => element("li", {}, text)))),
    picture ? element("figure", {}, element("img", { src: picture, alt: words, class: "drawn" }), element("figcaption", { class: "quiet" }, words)) : null);
}

function wordsOfMarks(data, part) {
  const found = Object.values(data.comparisons[part] || {});
  const open = Object.entries(data.comparisons[part] || {}).filter(([, one]) => !one.decidable).map(([name]) => name);
  const runs = Number(data.settings.protocol.runs);
  return [
    "Bold: the best of its column.",
    found.some((one) => one.decidable && one.differences.some((other) => other.tied)) ? "≈: not told apart from the best over the test scenes." : "",
    open.length ? `Too few test scenes to tell methods apart by ${open.length === found.length ? "any metric" : open.join(", ")}: nothing is marked there.` : "",
    runs > 1 ? `±: the standard deviation over ${runs} runs.` : "",
  ].filter(Boolean).join(" ");
}

function tableOf(data, metrics, part) {
  const rows = data.table.filter((row) => row.part === part || row.kind === "missing");
  const compared = data.comparisons[part] || {};
  const best = Object.fromEntries(metrics.map(({ name, higher }) => {
    const first = compared[name] && rows.find((row) => compared[name].standing[row.slug] === "best");
    if (first) return [name, first.numbers[name][0]];
    const values = rows.filter((row) => row.kind === "method" && row.numbers[name]).map((row) => row.numbers[name][0]).filter((one) => one !== null);
    return [name, higher ? Math.max(...values) : Math.min(...values)];
  }));
  const noted = rows.some((row) => row.note);
  const head = [
    { text: "method" },
    ...metrics.map(({ name, unit, higher, definition }) => ({ text: `${name} ${higher ? "↑" : "↓"}`, title: [definition, unit && `unit: ${unit}`].filter(Boolean).join("; "), number: true, higher })),
    ...(noted ? [{ text: "note" }] : []),
  ];
  const styles = stylesOf(data);
  const lines = rows.map((row) => ({
    kind: row.kind,
    keys: [row.method, ...metrics.map(({ name }) => (row.numbers[name] ? row.numbers[name][0] : null)), ...(noted ? [row.note] : [])],
    cells: [
      named(row.slug in styles ? styles[row.slug] : null, row.method, KINDS[row.kind] ? element("span", { class: "quiet" }, ` ${KINDS[row.kind]}`) : ""),
      ...metrics.map(({ name }) => numberCell(row, name, best[name], compared[name])),
      ...(noted ? [row.note] : []),
    ],
  }));
  return sortable("results", `Results, ${part}`, head, lines);
}

function numberCell(row, name, best, comparison) {
  if (!row.numbers[name]) return "–";
  const [mean, spread] = row.numbers[name];
  const same = comparison && comparison.decidable && comparison.standing[row.slug] === "tied";
  const words = "not told apart from the best";
  return element("span", { class: row.kind === "method" && mean === best ? "best" : "", title: same ? words : null },
    same ? element("span", { class: "tied", role: "img", "aria-label": words }, "≈ ") : "", score(mean), spread === null ? "" : element("span", { class: "quiet" }, ` ± ${score(spread)}`));
}

function stylesOf(data) {
  return Object.fromEntries(data.methods.map((method, i) => [method.slug, i]));
}

function comparisonOf(data, name, part) {
  const found = (data.comparisons[part] || {})[name];
  if (!found) return element("p", { class: "quiet" }, `Nothing is compared by ${name} on ${part}.`);
  const ends = found.differences.flatMap((one) => [one.low, one.high, one.estimate]).filter(Number.isFinite);
  const verdict = (one) => (!found.decidable ? "undecided" : one.tied ? "≈ not told apart" : "worse");
  const range = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const styles = stylesOf(data);
  const head = [{ text: "method" }, { text: "difference", number: true }, { text: "95 % interval", number: true }, { text: "", plain: true }, { text: "p (Holm)", number: true }, { text: "verdict" }];
  const rows = found.differences.map((one) => ({
    keys: [one.method, one.estimate, one.low, one.estimate, one.p_holm, verdict(one)],
    cells: [
      named(styles[one.slug] ?? 0, one.method), score(one.estimate),
      one.low === null ? "–" : `${score(one.low)} to ${score(one.high)}`, intervalPicture(one, range),
      one.p_holm === null ? "–" : one.p_holm < 0.0001 ? "< 0.0001" : digits(one.p_holm, 4), verdict(one),
    ],
  }));
  const left = Object.entries(found.left_out);
  const words = [
    `Best by ${name} on ${part}: ${found.best}. ${found.scenes} test scenes, paired.`,
    found.decidable ? "A difference counts where Wilcoxon’s corrected p is under 0.05 and the interval leaves out 0; else the method is not told apart (≈)." : "So few scenes can show no difference at all, whatever the scores.",
    left.length ? `Not compared: ${left.map(([method, why]) => `${method} (${why})`).join(", ")}.` : "",
  ].filter(Boolean).join(" ");
  return element("div", {}, element("p", { class: "quiet" }, words), sortable("against", `Against the best by ${name}`, head, rows));
}

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function intervalPicture({ low, high, estimate }, [least, most]) {
  const across = (value) => 6 + ((value - least) / (most - least || 1)) * 148;
  const picture = svg("svg", { width: 160, height: 16, "aria-hidden": "true", class: "interval" }, svg("line", { x1: across(0), x2: across(0), y1: 0, y2: 16, class: "zero" }));
  if (Number.isFinite(low) && Number.isFinite(high)) picture.append(svg("line", { x1: across(low), x2: across(high), y1: 8, y2: 8, class: "range" }));
  if (Number.isFinite(estimate)) picture.append(svg("circle", { cx: across(estimate), cy: 8, r: 3.5, class: "dot" }));
  return picture;
}
