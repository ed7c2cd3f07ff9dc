// Asks /status again and again and shows it. What comes from there is put into the page as text,
// never as markup; elements stay where they are, and only what has changed is written.
"use strict";

const pollTime = 1000; // Milliseconds from an answer to the next question.
const answerTime = 5000;
const rateTime = 5; // Seconds over which calls per second are counted.
const chartTime = 120;
const tokenKey = "sockd token";

const paths = [
  ["warm", "an instance that had just answered"],
  ["paused", "an instance that was resumed"],
  ["spare", "forked ahead from a zygote"],
  ["zygote", "forked from a zygote"],
  ["snapshot", "forked from a zygote's snapshot"],
  ["created", "a new container"],
];

const byId = (id) => document.getElementById(id);

function setText(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

function setAttributes(element, values) {
  for (const [name, value] of Object.entries(values))
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

// Makes the children of `parent` one for each item, in this order. One that is there already, by its
// key, is kept.
function setChildren(parent, items, keyOf, make, fill) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, at) => {
    const key = keyOf(item);
    let child = before.get(key);
    before.delete(key);
    if (!child) {
      child = make(item);
      child.dataset.key = key;
    }
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
    fill(child, item);
  });
  for (const gone of before.values()) gone.remove();
}

const fromTemplate = (id) => byId(id).content.firstElementChild.cloneNode(true);
const inSvg = (name) => document.createElementNS("http://www.w3.org/2000/svg", name);
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

// Figures

const whole = new Intl.NumberFormat("en");
const digits = (number) =>
  number >= 100 || number === 0 ? number.toFixed(0) : number >= 10 ? number.toFixed(1) : number.toFixed(2);

function bytes(number) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  for (; number >= 1024 && at + 1 < units.length; ++at) number /= 1024;
  return `${at === 0 || number >= 100 ? number.toFixed(0) : number.toFixed(1)} ${units[at]}`;
}

function duration(seconds) {
  if (seconds < 0.001) return `${digits(seconds * 1e6)} µs`;
  return seconds < 1 ? `${digits(seconds * 1e3)} ms` : `${digits(seconds)} s`;
}

function roundDuration(seconds) {
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  return seconds < 1 ? `${Math.round(seconds * 1e3)} ms` : `${Math.round(seconds)} s`;
}

function uptime(seconds) {
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  let at = parts.findIndex(([size]) => seconds >= size);
  if (at < 0) at = parts.length - 1;
  const texts = [];
  for (const [size, unit] of parts.slice(at, at + 2)) {
    texts.push(`${Math.floor(seconds / size)} ${unit}`);
    seconds %= size;
  }
  return texts.join(" ");
}

// Totals

const history = []; // {time, calls}: of the last `chartTime` seconds.

function rateSince(seconds) {
  const last = history.at(-1);
  const first = history.find((point) => point.time >= last.time - seconds) ?? last;
  return last.time > first.time ? (last.calls - first.calls) / (last.time - first.time) : 0;
}

function remember(time, calls) {
  // A new daemon counts anew.
  if (history.length > 0 && (calls < history.at(-1).calls || time < history.at(-1).time)) history.length = 0;
  history.push({ time, calls });
  while (history[0].time < time - chartTime) history.shift();
}

function showRate(now) {
  const rates = new Array(chartTime / 2).fill(0); // Two seconds each, the last one at the end.
  for (let at = 1; at < history.length; ++at) {
    const [before, point] = [history[at - 1], history[at]];
    const slot = rates.length - 1 - Math.floor((now - point.time) / 2);
    if (slot >= 0) rates[slot] += (point.calls - before.calls) / 2;
  }
  const most = Math.max(...rates);
  setText(byId("rate"), digits(rateSince(rateTime)));
  setText(byId("rate-most"), most > 0 ? `at most ${digits(most)} in two minutes` : "");
  const items = rates.map((rate, at) => ({ rate, at }));
  setChildren(byId("rate-chart"), items, (item) => String(item.at), () => inSvg("rect"), (bar, { rate, at }) => {
    const height = most > 0 ? (100 * rate) / most : 0;
    setAttributes(bar, {
      x: `${(100 * at) / rates.length}%`, width: `${80 / rates.length}%`, y: `${100 - height}%`, height: `${height}%`,
    });
  });
}

function showTotals(status) {
  const now = status.functions.map((each) => each.now);
  const of = (key) => sum(now.map((each) => each[key]));
  const calls = sum(Object.values(status.calls));
  const failed = calls - (status.calls.result ?? 0);
  const { promised, max } = status.memory;
  setText(byId("daemon"), `${status.version}, up ${uptime(status.uptime_seconds)}`);
  setText(byId("promised"), bytes(promised));
  setText(byId("memory-max"), `of ${bytes(max)}`);
  byId("memory").value = max > 0 ? promised / max : 0;
  setText(byId("instances"), whole.format(of("instances")));
  setText(byId("instances-more"), `${whole.format(of("idle"))} idle`);
  setText(byId("waiting"), whole.format(of("waiting")));
  setText(byId("events"), of("events_waiting") > 0 ? `${whole.format(of("events_waiting"))} events` : "");
  setText(byId("calls"), whole.format(calls));
  setText(byId("calls-failed"), failed > 0 ? `${whole.format(failed)} failed` : "");
  remember(status.uptime_seconds, calls);
  showRate(status.uptime_seconds);
}

// Functions

const outcomeText = (outcomes) =>
  Object.entries(outcomes)
    .sort(([one, many], [other, more]) => (other === "result") - (one === "result") || more - many)
    .map(([name, calls]) => `${whole.format(calls)} ${name.replaceAll("_", " ")}`)
    .join(", ");

function functionRow() {
  const row = document.createElement("tr");
  row.setAttribute("role", "row");
  const head = document.createElement("th");
  setAttributes(head, { role: "rowheader", scope: "row" });
  head.append(document.createElement("span"), document.createElement("small"));
  row.append(head);
  for (const column of [...document.querySelectorAll("#functions thead th")].slice(1)) {
    const cell = document.createElement("td");
    cell.setAttribute("role", "cell");
    cell.className = column.className;
    cell.dataset.column = column.textContent;
    row.append(cell);
  }
  return row;
}

function fillFunction(row, each) {
  const [head, version, instances, idle, paused, waiting, events, calls, median, outcomes] = row.children;
  const application = each.application ? `, application ${each.application}` : "";
  const packages = each.packages.length > 0 ? ` with ${each.packages.join(", ")}` : "";
  const total = sum(Object.values(each.calls));
  setText(head.firstChild, each.name);
  setText(head.lastChild, `${each.runtime} ${each.handler}${packages}${application}`);
  setText(version, each.version);
  setText(instances, whole.format(each.now.instances));
  setText(idle, whole.format(each.now.idle));
  setText(paused, whole.format(each.now.paused));
  setText(waiting, whole.format(each.now.waiting));
  setText(events, whole.format(each.now.events_waiting));
  setText(calls, whole.format(total));
  setText(outcomes, outcomeText(each.calls) || "–");
  outcomes.className = total > (each.calls.result ?? 0) ? "outcomes failed" : "outcomes";
  setText(median, each.median_ms === null ? "–" : duration(each.median_ms / 1000));
}

function showFunctions(functions) {
  byId("no-functions").hidden = functions.length > 0;
  byId("functions").hidden = functions.length === 0;
  setChildren(document.querySelector("#functions tbody"), functions, (each) => each.name, functionRow, fillFunction);
}

// Start-up latency: buckets of equal width on an axis of powers of ten.

// In the bucket where half of them are, as if they lay evenly in it.
function medianText(counts, bounds) {
  const half = sum(counts) / 2;
  let below = 0;
  const at = counts.findIndex((count) => (below += count) >= half);
  if (at === 0) return `below ${roundDuration(bounds[0])}`;
  const from = bounds[at - 1];
  if (at === bounds.length) return `above ${roundDuration(from)}`;
  return `about ${duration(bounds[at] - ((bounds[at] - from) * (below - half)) / counts[at])}`;
}

function bucketName(at, bounds) {
  if (at === 0) return `at most ${roundDuration(bounds[0])}`;
  const from = roundDuration(bounds[at - 1]);
  return at < bounds.length ? `${from} to ${roundDuration(bounds[at])}` : `above ${from}`;
}

const isPowerOfTen = (number) => Math.abs(Math.log10(number) - Math.round(Math.log10(number))) < 1e-9;

function drawHistogram(svg, counts, bounds) {
  const most = Math.max(...counts, 1);
  const [top, bottom] = [10, 74]; // Percent of the height, below which the axis has its labels.
  const [left, width] = [8, 92 / counts.length]; // Percent of the width.
  const shapes = [];
  const add = (name, key, attributes, text = "") => shapes.push({ name, key, attributes, text });
  for (const [count, y] of [[most, top], [0, bottom]]) {
    add("line", `y${y}`, { x1: `${left}%`, x2: "100%", y1: `${y}%`, y2: `${y}%` });
    add("text", `count${y}`, { x: `${left - 1}%`, y: `${y}%`, "text-anchor": "end", dy: "0.35em" }, whole.format(count));
  }
  bounds.forEach((bound, at) => {
    if (!isPowerOfTen(bound)) return;
    const x = `${left + width * (at + 1)}%`;
    add("line", `x${at}`, { x1: x, x2: x, y1: `${bottom}%`, y2: `${bottom + 6}%` });
    add("text", `bound${at}`, { x, y: `${bottom + 22}%`, "text-anchor": "middle" }, roundDuration(bound));
  });
  counts.forEach((count, at) => {
    // One among thousands is still seen.
    const height = count > 0 ? Math.max(((bottom - top) * count) / most, 2) : 0;
    add("rect", `bar${at}`, {
      x: `${left + width * (at + 0.06)}%`, width: `${width * 0.88}%`, y: `${bottom - height}%`, height: `${height}%`,
    }, `${bucketName(at, bounds)}: ${whole.format(count)}`);
  });
  setChildren(svg, shapes, (shape) => shape.key, makeShape, (element, shape) => {
    setAttributes(element, shape.attributes);
    setText(shape.name === "rect" ? element.firstChild : element, shape.text);
  });
}

function makeShape({ name }) {
  const element = inSvg(name);
  if (name === "rect") element.append(inSvg("title"));
  return element;
}

function showStarts({ bounds_seconds: bounds, paths: starts }) {
  const known = new Set(paths.map(([path]) => path));
  const others = Object.keys(starts).filter((path) => !known.has(path));
  const all = [...paths, ...others.map((path) => [path, ""])];
  setChildren(byId("starts"), all, ([path]) => path, () => fromTemplate("path-template"), (figure, [path, hint]) => {
    const counts = starts[path]?.counts ?? [];
    const total = sum(counts);
    const text = total === 0 ? "none yet" : `${whole.format(total)} ${total === 1 ? "call" : "calls"}, ` +
      (path === "warm" ? "nothing to wait for" : `median ${medianText(counts, bounds)}`);
    const svg = figure.querySelector("svg");
    setText(figure.querySelector("b"), path);
    setText(figure.querySelector(".hint"), hint);
    setText(figure.querySelector(".count"), text);
    figure.className = total === 0 ? "empty" : "";
    setAttributes(svg, { "aria-label": `Histogram of start-up times, ${path}: ${text}` });
    if (total > 0) drawHistogram(svg, counts, bounds);
  });
}

// Zygotes

function livingText(node) {
  if (node.replicas > 0) return node.replicas === 1 ? "lives" : `${whole.format(node.replicas)} live`;
  return node.stored > 0 ? "in a snapshot" : "does not live";
}

function fillNode(item, { node, children, most }) {
  const part = (selector) => item.firstElementChild.querySelector(selector);
  setText(part(".name"), node.name);
  setText(part(".living"), livingText(node));
  part(".living").className = node.replicas > 0 ? "living is" : "living";
  setText(part(".packages"), node.packages.join(", ") || "the interpreter alone");
  setText(part(".memory"), node.memory > 0 ? bytes(node.memory) : "–");
  setText(part(".hits"), digits(node.hits));
  setText(part(".forks"), whole.format(node.forks));
  setText(part(".import"), node.import_ms > 0 ? duration(node.import_ms / 1000) : "–");
  setText(part(".failure"), node.failure);
  setAttributes(part(".bar rect"), { width: `${(100 * node.memory) / most}%` });
  fillTree(item.lastElementChild, children);
}

function fillTree(list, nodes) {
  list.hidden = nodes.length === 0;
  setChildren(list, nodes, ({ node }) => node.name, () => fromTemplate("node-template"), fillNode);
}

// A node comes after its parent.
function treeOf(zygotes, most) {
  const known = new Map();
  const roots = [];
  for (const node of zygotes) {
    const entry = { node, most, children: [] };
    known.set(node.name, entry);
    (known.get(node.parent)?.children ?? roots).push(entry);
  }
  return roots;
}

function showCaches(caches) {
  const most = Math.max(...caches.flatMap((cache) => cache.zygotes.map((node) => node.memory)), 1);
  byId("no-caches").hidden = caches.length > 0;
  setChildren(byId("caches"), caches, (cache) => cache.name, () => fromTemplate("cache-template"), (article, cache) => {
    const lives = cache.zygotes.filter((node) => node.replicas > 0);
    const memory = sum(lives.map((node) => node.memory * node.replicas));
    const whose = cache.application ? `Application ${cache.application}` : "Functions without an application";
    setText(article.querySelector("h3"), `${whose}: ${lives.length} of ${cache.zygotes.length} live, ${bytes(memory)}`);
    fillTree(article.querySelector("ul"), treeOf(cache.zygotes, most));
  });
}

// Asking

function say(text, kind) {
  setText(byId("state"), text);
  byId("state").className = kind;
  byId("status").classList.toggle("stale", kind !== "live");
}

// Headers have bytes, each as one character.
function bearer(token) {
  return `Bearer ${String.fromCharCode(...new TextEncoder().encode(token))}`;
}

function askForToken(text) {
  sessionStorage.removeItem(tokenKey);
  byId("status").hidden = true;
  if (byId("token-form").hidden) {
    byId("token-form").hidden = false;
    byId("token").focus();
  }
  say(text, "bad");
}

async function ask() {
  const token = sessionStorage.getItem(tokenKey);
  const answer = await fetch("/status", {
    headers: token === null ? {} : { Authorization: bearer(token) },
    cache: "no-store",
    signal: AbortSignal.timeout(answerTime),
  });
  if (answer.status === 401) {
    askForToken(token === null ? "sockd wants its token." : "That is not sockd's token.");
    return false;
  }
  if (!answer.ok) {
    say(`sockd answers ${answer.status}.`, "bad");
    return true;
  }
  show(await answer.json());
  return true;
}

function show(status) {
  byId("token-form").hidden = true;
  byId("status").hidden = false;
  showTotals(status);
  showFunctions(status.functions);
  showStarts(status.starts);
  showCaches(status.import_caches);
  say("Live", "live");
}

let lastAnswer = "";
let isPolling = false;

// Until a token is wanted: who gives one goes on.
async function poll() {
  isPolling = true;
  try {
    isPolling = await ask();
    if (!isPolling) return;
    lastAnswer = new Date().toLocaleTimeString();
  } catch (failure) {
    const gone = failure instanceof TypeError || failure.name === "TimeoutError";
    if (!gone) console.error(failure);
    const since = lastAnswer ? ` since ${lastAnswer}` : "";
    say(gone ? `sockd has not answered${since}.` : "sockd's answer cannot be shown.", "bad");
  }
  setTimeout(poll, pollTime);
}

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(tokenKey, byId("token").value);
  byId("token").value = "";
  say("Asking sockd …", "");
  if (!isPolling) poll();
});

poll();
