// The cards of the methods, the settings of the run, and what failed.

function pairs(entries) {
  return element("dl", {}, ...entries.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function makeMethods(data) {
  const cards = data.methods.map((method, i) => {
    const reference = method.reference ? element("p", { class: "quiet" }, method.reference, method.link ? " " : "", method.link ? element("a", { href: method.link, rel: "noreferrer" }, "open") : "") : null;
    const settings = Object.entries(method.settings);
    return element("article", { class: "card", "aria-label": method.written },
      element("h3", {}, swatch(i), element("span", {}, ...breakable(method.written))), element("p", {}, method.summary), reference, pairs(Object.entries(method.facts)),
      settings.length ? element("details", {}, element("summary", {}, `${settings.length} parameter${settings.length > 1 ? "s" : ""}`), pairs(settings)) : null,
      method.broken.length ? element("p", { class: "warning" }, `What failed beside its scores: ${method.broken.join("; ")}`) : null,
      element("p", { class: "quiet" }, method.versions.plugin ? `from ${method.versions.plugin}` : "not computed yet"));
  });
  return element("div", { class: "cards" }, ...cards);
}

function makeSettings(data) {
  const { protocol, versions, folds, unused, scenes } = data.settings;
  const kept = Object.entries(protocol).filter(([, value]) => value !== "none");
  const facts = Object.entries(scenes);
  const keys = facts.length ? Object.keys(facts[0][1]) : [];
  const rows = facts.map(([name, values]) => ({ keys: [name, ...keys.map((key) => values[key])], cells: [name, ...keys.map((key) => (key === "sha256" ? element("code", {}, values[key]) : factText(values[key])))] }));
  return element("div", {},
    pairs([...kept, ["versions", versions.join(", ")]]),
    element("details", {}, element("summary", {}, `Folds: ${folds.length}`), ...folds.map((fold, i) => element("p", {}, element("b", {}, `Fold ${i} `), `tests ${fold.test.join(", ")}; trains on ${fold.train.join(", ")}`)), unused.length ? element("p", {}, `In no fold: ${unused.join(", ")}`) : null),
    element("details", {}, element("summary", {}, `Data: ${facts.length} scenes with the hashes of their contents`), sortable("data-table", "Data of the scenes", [{ text: "scene" }, ...keys.map((key) => ({ text: key, number: typeof facts[0][1][key] === "number" }))], rows)));
}

function factText(value) {
  return typeof value === "number" ? String(Number(value.toPrecision(6))) : value ?? "none";
}

function makeFailed(data) {
  return element("ul", { class: "failed" }, ...data.failed.map((text) => element("li", {}, text)));
}
