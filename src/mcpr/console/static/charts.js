// Charts over the public JSON API. Dragging over one looks closer: the window is in the URL.

const GAP = "\u202f";

function latency(us) {
  if (us == null) return "–";
  if (us < 1000) return `${Math.round(us)}${GAP}µs`;
  const [value, unit] = us < 1e6 ? [us / 1e3, "ms"] : [us / 1e6, "s"];
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.round(value)}${GAP}${unit}`;
}

const colour = (name) => {
  // A canvas knows no light-dark(): let the page say what it comes to.
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const told = getComputedStyle(probe).color;
  probe.remove();
  return told;
};

function look(sinceMs, untilMs) {
  const url = new URL(location.href);
  url.searchParams.set("since", new Date(sinceMs).toISOString());
  url.searchParams.set("until", new Date(Math.max(untilMs, sinceMs + 1)).toISOString());
  url.searchParams.delete("page");
  location.assign(url);
}

const answers = new Map();
function ask(from) {
  if (!answers.has(from)) {
    answers.set(
      from,
      fetch(from).then((answer) => {
        if (!answer.ok) throw new Error(`there is no answer (${answer.status})`);
        return answer.json();
      }),
    );
  }
  return answers.get(from);
}

// The steps in which nothing arrived are not in the answer; a line must not cross them.
function series(answer, names) {
  const rows = answer.rows;
  const step = rows[0].step_ms;
  const byTime = new Map(rows.map((row) => [row.at_ms, row]));
  const first = rows[0].at_ms;
  const last = rows[rows.length - 1].at_ms;
  const columns = [[], ...names.map(() => [])];
  for (let at = first; at <= last; at += step) {
    const row = byTime.get(at);
    columns[0].push(at / 1000);
    names.forEach((name, index) => columns[index + 1].push(row ? row[name] : null));
  }
  return columns;
}

function bySplit(answer) {
  const times = [...new Set(answer.rows.map((row) => row.at_ms))].sort((a, b) => a - b);
  const calls = new Map();
  for (const row of answer.rows) calls.set(row.by, (calls.get(row.by) ?? 0) + row.calls);
  const names = [...calls].sort((a, b) => b[1] - a[1]).slice(0, 6).map(([name]) => name);
  const columns = [times.map((at) => at / 1000)];
  for (const name of names) {
    const told = new Map(answer.rows.filter((row) => row.by === name).map((row) => [row.at_ms, row.p95_us]));
    columns.push(times.map((at) => told.get(at) ?? null));
  }
  return [names, columns];
}

const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3], [4, 2], [1, 2]];
const TONES = ["accent", "good", "warn", "bad", "quiet", "text"];

function plot(figure, columns, lines, value, answer) {
  const box = figure.querySelector(".plot");
  const legend = figure.querySelector(".legend");
  box.replaceChildren();
  legend.replaceChildren();
  // 24 hours, and the day where it changes.
  const times = (_, ticks) =>
    ticks.map((tick, index) => {
      const when = new Date(tick * 1000);
      const hours = when.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
      const day = when.toLocaleDateString("en-CA").slice(5);
      const isNew = index === 0 || new Date(ticks[index - 1] * 1000).getDate() !== when.getDate();
      return hours === "00:00" && ticks[1] - ticks[0] >= 86400 ? day : isNew ? `${hours}\n${day}` : hours;
    });
  const axis = { stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  lines.forEach((line, index) => {
    const key = document.createElement("span");
    key.className = `key${line.dash.length ? (line.dash[0] < 3 ? " dot" : " dash") : ""}`;
    key.style.color = colour(line.tone);
    const name = document.createElement("span");
    name.className = "quiet";
    name.textContent = line.label.slice(0, 40);
    key.append(name);
    legend.append(key);
  });
  const told = document.createElement("span");
  told.className = "quiet";
  legend.append(told);
  const chart = new uPlot(
    {
      width: box.clientWidth,
      height: 200,
      legend: { show: false },
      padding: [8, 24, 0, 0],
      cursor: { drag: { x: true, y: false, setScale: false } },
      scales: { y: { range: (_, low, high) => [0, high > 0 ? high * 1.05 : 1] } },
      axes: [{ ...axis, values: times }, { ...axis, size: 62, values: (_, ticks) => ticks.map(value) }],
      series: [
        {},
        ...lines.map((line) => ({
          label: line.label,
          stroke: colour(line.tone),
          dash: line.dash,
          width: 1.5,
          spanGaps: false,
          points: { show: columns[0].length < 40, size: 4 },
        })),
      ],
      hooks: {
        setCursor: [
          (self) => {
            const at = self.cursor.idx;
            told.textContent =
              at == null
                ? ""
                : ` ${new Date(columns[0][at] * 1000).toLocaleString()}: ${lines
                    .map((line, index) => `${line.label.slice(0, 20)} ${columns[index + 1][at] == null ? "–" : value(columns[index + 1][at])}`)
                    .join(", ")}`;
          },
        ],
        setSelect: [
          (self) => {
            if (self.select.width < 4) return;
            look(self.posToVal(self.select.left, "x") * 1000, self.posToVal(self.select.left + self.select.width, "x") * 1000);
          },
        ],
      },
    },
    columns,
    box,
  );
  return chart;
}

function drawLines(figure, answer) {
  if (answer.rows[0].by != null) {
    const [names, columns] = bySplit(answer);
    const lines = names.map((name, index) => ({ label: `${name || "–"} p95`, tone: TONES[index], dash: DASHES[index] }));
    return plot(figure, columns, lines, latency, answer);
  }
  const names = ["p50_us", "p95_us", "p99_us"];
  const lines = ["p50", "p95", "p99"].map((label, index) => ({ label, tone: ["good", "accent", "bad"][index], dash: DASHES[index] }));
  return plot(figure, series(answer, names), lines, latency, answer);
}

function drawCalls(figure, answer) {
  const sums = new Map();
  for (const row of answer.rows) {
    const sum = sums.get(row.at_ms) ?? { at_ms: row.at_ms, step_ms: row.step_ms, calls: 0, errors: 0 };
    sum.calls += row.calls;
    sum.errors += row.errors;
    sums.set(row.at_ms, sum);
  }
  const columns = series({ rows: [...sums.values()] }, ["calls", "errors"]).map((column, index) =>
    index ? column.map((value) => value ?? 0) : column,
  );
  const lines = [
    { label: "calls", tone: "accent", dash: [] },
    { label: "errors", tone: "bad", dash: [6, 4] },
  ];
  return plot(figure, columns, lines, (value) => (value == null ? "–" : value.toLocaleString("en")), answer);
}

function drawHeat(figure, answer) {
  const box = figure.querySelector(".plot");
  const legend = figure.querySelector(".legend");
  const rows = answer.rows;
  const step = rows[0].step_ms;
  const first = rows[0].at_ms;
  const last = rows[rows.length - 1].at_ms + step;
  const bands = [...new Set(rows.map((row) => row.from_us))].sort((a, b) => a - b);
  const low = Math.log10(Math.max(1, bands[0]));
  const high = Math.log10(Math.max(...rows.map((row) => row.to_us)));
  const most = Math.max(...rows.map((row) => row.calls));
  const canvas = document.createElement("canvas");
  canvas.className = "heat";
  box.replaceChildren(canvas);
  const width = box.clientWidth;
  const height = 200;
  const scale = devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const left = 62;
  const bottom = 18;
  const x = (ms) => left + ((ms - first) / (last - first)) * (width - left - 8);
  const y = (us) => (1 - (Math.log10(Math.max(1, us)) - low) / (high - low || 1)) * (height - bottom - 6) + 6;
  const [ok, bad, quiet] = [colour("accent"), colour("bad"), colour("quiet")];
  for (const row of rows) {
    pen.globalAlpha = 0.18 + 0.82 * (Math.log1p(row.calls) / Math.log1p(most));
    pen.fillStyle = row.errors * 2 >= row.calls ? bad : ok;
    const top = y(row.to_us);
    pen.fillRect(x(row.at_ms), top, Math.max(1, x(row.at_ms + step) - x(row.at_ms) - 1), Math.max(1, y(row.from_us) - top - 1));
  }
  pen.globalAlpha = 1;
  pen.fillStyle = quiet;
  pen.font = "11px system-ui";
  pen.textAlign = "right";
  for (let power = Math.ceil(low); power <= high; power++) pen.fillText(latency(10 ** power), left - 6, y(10 ** power) + 4);
  pen.textAlign = "center";
  for (let part = 0; part <= 4; part++) {
    const ms = first + ((last - first) * (part + 0.5)) / 5;
    const when = new Date(ms);
    const text = last - first > 172800000
      ? when.toLocaleDateString("en-CA").slice(5)
      : when.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    pen.fillText(text, x(ms), height - 4);
  }
  const told = document.createElement("span");
  legend.textContent = "darker: more calls; red: half or more of them failed. ";
  legend.append(told);
  const msAt = (event) => first + ((event.offsetX - left) / (width - left - 8)) * (last - first);
  canvas.addEventListener("mousemove", (event) => {
    const ms = msAt(event);
    const cell = rows.find((row) => row.at_ms <= ms && ms < row.at_ms + step && y(row.to_us) <= event.offsetY && event.offsetY < y(row.from_us));
    told.textContent = cell
      ? `${new Date(cell.at_ms).toLocaleString()}: ${cell.calls.toLocaleString("en")} calls of ${latency(cell.from_us)} to ${latency(cell.to_us)}, ${cell.errors.toLocaleString("en")} errors`
      : "";
  });
  let begun = null;
  canvas.addEventListener("pointerdown", (event) => (begun = msAt(event)));
  canvas.addEventListener("pointerup", (event) => {
    const ended = msAt(event);
    if (begun != null && Math.abs(ended - begun) > (last - first) / 100) look(Math.min(begun, ended), Math.max(begun, ended));
    begun = null;
  });
}

const DRAW = { lines: drawLines, calls: drawCalls, heat: drawHeat };

async function draw(figure) {
  try {
    const answer = await ask(figure.dataset.from);
    if (answer.rows.length) DRAW[figure.dataset.chart](figure, answer);
    else figure.querySelector(".plot").textContent = "Nothing in this time.";
  } catch (error) {
    figure.querySelector(".plot").textContent = String(error.message ?? error);
  }
}

function drawAll() {
  for (const figure of document.querySelectorAll("[data-chart]")) draw(figure);
}

document.addEventListener("themechange", drawAll);
let waits = 0;
addEventListener("resize", () => {
  clearTimeout(waits);
  waits = setTimeout(drawAll, 150);
});
drawAll();
