// Keys, the switch between light and dark, and the live tail. Nothing here makes markup of text.

const field = (selector) => document.querySelector(selector);

// Light and dark.
function switchTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  document.cookie = `mcpr_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=strict`;
  document.dispatchEvent(new Event("themechange"));
}
field("#theme")?.addEventListener("click", switchTheme);
field("#keys")?.addEventListener("click", () => field("#help").showModal());

field(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

// A choice is a wish to see it; empty fields do not belong into the URL.
for (const form of document.querySelectorAll('form[method="get"]')) {
  form.addEventListener("submit", () => {
    for (const input of form.elements) if (input.name && !input.value) input.disabled = true;
  });
}
for (const select of document.querySelectorAll("select[data-submit]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

// Keys.
let isGoing = false;
let at = -1;

function moveTo(step) {
  const rows = [...document.querySelectorAll("main tbody tr")];
  if (!rows.length) return;
  rows[at]?.removeAttribute("data-at");
  at = Math.min(rows.length - 1, Math.max(0, at + step));
  rows[at].setAttribute("data-at", "");
  rows[at].scrollIntoView({ block: "nearest" });
  rows[at].querySelector("a")?.focus({ preventScroll: true });
}

const keys = {
  "/": () => (field("[data-filter]") ?? field("#server"))?.focus(),
  "?": () => field("#help").showModal(),
  "[": () => field('[data-key="["]')?.click(),
  "]": () => field('[data-key="]"]')?.click(),
  ".": () => field("#live")?.click(),
  d: switchTheme,
  j: () => moveTo(1),
  k: () => moveTo(-1),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && event.target.matches("input, select")) event.target.blur();
  if (event.target.closest("input, select, textarea, dialog[open]")) return;
  if (isGoing) {
    isGoing = false;
    field(`[data-go="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  if (event.key === "g") {
    isGoing = true;
    setTimeout(() => (isGoing = false), 1500);
    return;
  }
  const act = keys[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

// The live tail: rows come as texts, links and tones, and become elements here.
const MOST_ROWS = 500;
const live = field("#live");

function rowOf(cells, classes) {
  const row = document.createElement("tr");
  cells.forEach(([text, href, tone, title], index) => {
    const cell = document.createElement("td");
    cell.className = classes[index];
    const told = document.createElement(href ? "a" : "span");
    if (href) told.href = href;
    if (tone) told.className = tone;
    if (title) told.title = title;
    told.textContent = text;
    cell.append(told);
    row.append(cell);
  });
  return row;
}

function follow(button) {
  const body = field("#log tbody");
  const state = field("#live-state");
  const classes = [...document.querySelectorAll("#log thead th")].map((head) => head.className);
  const source = new EventSource(button.dataset.from);
  let leftOut = 0;
  const tell = (text) => {
    state.textContent = leftOut ? `${text}; a sample, ${leftOut.toLocaleString("en")} rows left out` : text;
  };
  source.addEventListener("open", () => tell("following"));
  source.addEventListener("error", () => tell("waiting for mcpr"));
  source.addEventListener("trouble", (event) => tell(JSON.parse(event.data)));
  source.addEventListener("sampled", (event) => {
    leftOut += Number(event.data);
    tell("following");
  });
  source.addEventListener("message", (event) => {
    const rows = JSON.parse(event.data);
    if (rows.length) field("#log .none")?.remove();
    for (const cells of rows) body.prepend(rowOf(cells, classes));
    while (body.rows.length > MOST_ROWS) body.lastElementChild.remove();
  });
  return source;
}

if (live) {
  let source = null;
  live.addEventListener("click", () => {
    const url = new URL(location.href);
    if (source) {
      source.close();
      source = null;
      field("#live-state").textContent = "";
      url.searchParams.delete("follow");
    } else {
      source = follow(live);
      url.searchParams.set("follow", "1");
    }
    history.replaceState(null, "", url);
    live.setAttribute("aria-pressed", String(Boolean(source)));
  });
  if (new URL(location.href).searchParams.get("follow") === "1") live.click();
}
