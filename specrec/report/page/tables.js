// Tables: sorted by a click on a head, and the table of the results with what is known of its differences.

// columns: [{ text, title, number, sort }]; rows: [{ cells: [node or text], keys: [for sorting], kind }].
function sortable(id, caption, columns, rows) {
  const body = element("tbody");
  const heads = columns.map((column, i) => column.plain ? element("td") : element("th", { scope: "col", class: column.number ? "number" : "", "aria-sort": "none" }, button(column.text, () => sort(i), { class: "sorter", title: column.title || null })));
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
      return sign * (typeof one === "number" ? one - other : String(one).localeCompare(String(other)));
    });
    body.append(...ordered.map((one) => one.line));
  }
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table);
}

const KINDS = { reported: "reported", ceiling: "diagnostic", missing: "" };

function makeTable(data) {
  const columns = data.metrics.filter((metric) => metric.column);
  const parts = [...new Set(data.table.map((row) => row.part))].filter(Boolean);
  const box = element("div");
  const place = element("div");
  const against = element("div");
  const compared = columns.filter((metric) => data.comparisons[metric.name]);
  let part = parts.includes("weighted") ? "weighted" : parts[0];
  let metric = (compared[0] || {}).name;
  const show = () => place.replaceChildren(tableOf(data, columns, part));
  const compare = () => against.replaceChildren(...(metric ? [comparisonOf(data, metric)] : []));
  if (parts.length > 1) box.append(element("div", { class: "controls" }, select("Part", parts.map((one) => [one, one]), part, (value) => { part = value; show(); })));
  box.append(place);
  if (compared.length) {
    box.append(element("h3", {}, "Against the best"), element("div", { class: "controls" }, select("Metric", compared.map((one) => [one.name, one.name]), metric, (value) => { metric = value; compare(); })), against);
  }
  show();
  compare();
  return box;
}

function tableOf(data, metrics, part) {
  const rows = data.table.filter((row) => row.part === part || row.kind === "missing");
  const best = Object.fromEntries(metrics.map(({ name, higher }) => {
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
      element("span", { class: "named" }, row.slug in styles ? swatch(styles[row.slug]) : "", row.method, KINDS[row.kind] ? element("span", { class: "quiet" }, ` ${KINDS[row.kind]}`) : ""),
      ...metrics.map(({ name }) => numberCell(row, name, best[name], data.comparisons[name], part)),
      ...(noted ? [row.note] : []),
    ],
  }));
  return sortable("results", `Results, ${part}`, head, lines);
}

function numberCell(row, name, best, comparison, part) {
  if (!row.numbers[name]) return "–";
  const [mean, spread] = row.numbers[name];
  const own = comparison && comparison.part === part ? comparison.standing[row.slug] : "";
  const tied = own === "tied";
  return element("span", { class: row.kind === "method" && mean === best ? "best" : "", title: tied ? "tied with the best" : null },
    tied ? element("span", { class: "tied", "aria-label": "tied with the best" }, "≈ ") : "", score(mean), spread === null ? "" : element("span", { class: "quiet" }, ` ± ${score(spread)}`));
}

function stylesOf(data) {
  return Object.fromEntries(data.methods.map((method, i) => [method.slug, i]));
}

function comparisonOf(data, name) {
  const found = data.comparisons[name];
  const ends = found.differences.flatMap((one) => [one.low, one.high, one.estimate]).filter((one) => one !== null);
  const range = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const styles = stylesOf(data);
  const head = [{ text: "method" }, { text: "difference", number: true }, { text: "95 % interval", number: true }, { text: "", plain: true }, { text: "p (Holm)", number: true }, { text: "verdict" }];
  const rows = found.differences.map((one) => ({
    keys: [one.method, one.estimate, one.low, one.estimate, one.p_holm, one.tied ? "tied" : "worse"],
    cells: [
      element("span", { class: "named" }, swatch(styles[one.slug] ?? 0), one.method), score(one.estimate),
      one.low === null ? "–" : `${score(one.low)} to ${score(one.high)}`, intervalPicture(one, range),
      one.p_holm === null ? "–" : one.p_holm < 0.0001 ? "< 0.0001" : digits(one.p_holm, 4), one.tied ? "≈ tied" : "worse",
    ],
  }));
  const words = `Best by ${name}: ${found.best}. ${found.scenes} test scenes, paired; a difference counts where Wilcoxon’s corrected p is under 0.05 and the interval leaves out 0; else the method is tied (≈).`;
  return element("div", {}, element("p", { class: "quiet" }, words + (found.decidable ? "" : " So few scenes can show no difference at all.")), sortable("against", `Against the best by ${name}`, head, rows));
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
  if (low !== null) picture.append(svg("line", { x1: across(low), x2: across(high), y1: 8, y2: 8, class: "range" }));
  if (estimate !== null) picture.append(svg("circle", { cx: across(estimate), cy: 8, r: 3.5, class: "dot" }));
  return picture;
}
