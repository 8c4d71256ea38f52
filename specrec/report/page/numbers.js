// Numbers as the page prints them, and small things that every part builds elements with.

function digits(value, places) {
  if (value === Infinity || value === -Infinity) return value > 0 ? "∞" : "−∞";
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return value.toFixed(places).replace("-", "−");
}

// JSON has no infinity; the page holds it as a text.
function number(value) {
  return { inf: Infinity, "-inf": -Infinity }[value] ?? value;
}

// A score: four or five digits that count, as the tables of the command line have them.
function score(value) {
  return digits(value, Math.abs(value) >= 1 ? 3 : 5);
}

// A value of a spectrum: enough digits for its 16 bits.
function plainValue(value, step) {
  if (!Number.isFinite(value)) return "–";
  const places = Math.min(7, Math.max(0, Math.ceil(-Math.log10(step || 1))));
  return digits(value, places);
}

// Round numbers between two ends: about `count` of them.
function ticks(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const found = [];
  for (let i = first; i * step <= high + step * 1e-9; i++) found.push(i * step);
  return found;
}

function tickText(value, all) {
  const step = all.length > 1 ? Math.abs(all[1] - all[0]) : Math.abs(value) || 1;
  if (Math.abs(value) >= 1e5) return value.toExponential(1).replace("-", "−");
  return digits(value, Math.min(6, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9) + (step < 1 && !isRound(step) ? 1 : 0))));
}

function isRound(step) {
  const lead = step / 10 ** Math.floor(Math.log10(step) + 1e-9);
  return Math.abs(lead - Math.round(lead)) < 1e-6;
}

// element("td", { class: "number", title: text }, child, "text", ..): text is always set as text.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// A name that breaks after its signs, not inside a word.
function breakable(text) {
  return text.split(/(?<=[[\],=;_/-])/).flatMap((part, i) => (i ? [element("wbr"), part] : [part]));
}

function section(id, heading, ...children) {
  return element("section", { id, "aria-labelledby": `${id}-heading` }, element("h2", { id: `${id}-heading` }, heading), ...children);
}

function button(text, action, attributes = {}) {
  return element("button", { type: "button", onclick: action, ...attributes }, text);
}

// A row of buttons of which one is chosen; arrows move between them, as between radio buttons.
function choice(label, options, chosen, onchange) {
  const group = element("div", { class: "choice", role: "radiogroup", "aria-label": label });
  const set = (value, told = true) => {
    for (const one of group.children) {
      const on = one.dataset.value === value;
      one.setAttribute("aria-checked", String(on));
      one.tabIndex = on ? 0 : -1;
    }
    if (told) onchange(value);
  };
  for (const [value, text] of options) {
    group.append(button(text, () => set(value), { role: "radio", "data-value": value }));
  }
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...group.children];
    const next = all[(all.findIndex((one) => one.tabIndex === 0) + step + all.length) % all.length];
    next.focus();
    set(next.dataset.value);
  });
  set(chosen, false);
  group.set = set;
  return group;
}

function select(label, options, chosen, onchange) {
  const box = element("select", { onchange: () => onchange(box.value) });
  for (const [value, text] of options) box.append(element("option", { value, selected: value === chosen }, text));
  return element("label", { class: "field" }, element("span", {}, label), box);
}

function saveText(name, text, type) {
  const link = element("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function csvText(rows) {
  // a text that a spreadsheet would compute is kept a text
  const guarded = (cell) => (typeof cell === "string" && /^[=+\-@\t\r]/.test(cell) && !Number.isFinite(Number(cell)) ? `'${cell}` : String(cell));
  const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => row.map((cell) => quoted(guarded(cell))).join(",")).join("\r\n") + "\r\n";
}
