"use strict";

// The time line: what is shown of the run is [from, to] in milliseconds; everything with a moment follows it.
(() => {
  const lanes = document.getElementById("lanes");
  if (!lanes) return;
  const detail = document.getElementById("detail");
  const axis = document.getElementById("axis");
  const call = [Number(lanes.dataset.from), Number(lanes.dataset.to)];
  const all = [0, Number(lanes.dataset.end) * 1.01];
  let shown = call;
  const timed = [...lanes.querySelectorAll("[data-at]")].map((element) => ({
    element,
    at: Number(element.dataset.at),
    until: element.dataset.until === undefined ? null : Number(element.dataset.until),
  }));
  const plots = [...document.querySelectorAll("svg.plot")];

  const part = (ms) => (ms - shown[0]) / (shown[1] - shown[0]);
  const percent = (value) => `${(value * 100).toFixed(3)}%`;

  const draw = () => {
    for (const { element, at, until } of timed) {
      const x = percent(part(at));
      if (element.tagName === "circle") {
        element.setAttribute("cx", x);
      } else if (element.tagName === "rect") {
        element.setAttribute("x", x);
        element.setAttribute("width", percent(Math.max(part(until) - part(at), 0)));
      } else if (until !== null) {
        // A bar's name keeps to what is seen of the bar, and goes where it has no room.
        const from = Math.max(part(at), 0);
        const room = Math.min(part(until), 1) - from;
        element.setAttribute("x", percent(from));
        element.style.display = room < 0.08 ? "none" : "";
      } else {
        element.setAttribute("x", x);
      }
    }
    const span = shown[1] - shown[0];
    const step = [1, 2, 5].map((n) => n * 10 ** Math.floor(Math.log10(span / 8)))
      .concat(10 ** (Math.floor(Math.log10(span / 8)) + 1)).find((n) => n >= span / 8);
    axis.replaceChildren();
    for (let at = Math.ceil(shown[0] / step) * step; at < shown[1] - step / 2; at += step) {
      const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
      text.setAttribute("x", percent(part(at)));
      text.setAttribute("y", "14");
      text.textContent = step < 1000 ? `${Math.round(at)} ms` : `${(at / 1000).toFixed(0)} s`;
      axis.append(text);
    }
    const whole = call[1] - call[0];
    for (const plot of plots) {
      const x = ((shown[0] - call[0]) / whole) * 1000;
      plot.setAttribute("viewBox", `${x} 0 ${(span / whole) * 1000} 100`);
    }
  };
  const show = (from, to) => {
    const span = Math.min(Math.max(to - from, 20), all[1]);
    const begin = Math.min(Math.max(from, all[0]), all[1] - span);
    shown = [begin, begin + span];
    draw();
  };
  const zoom = (factor, about = (shown[0] + shown[1]) / 2) =>
    show(about - (about - shown[0]) * factor, about + (shown[1] - about) * factor);
  const move = (share) => {
    const by = (shown[1] - shown[0]) * share;
    show(shown[0] + by, shown[1] + by);
  };

  // Going through the marks that are shown.
  let current = null;
  const marks = () => [...lanes.querySelectorAll(".mark")]
    .filter((mark) => !mark.hasAttribute("hidden") && !mark.closest("[hidden]"))
    .map((mark) => ({ mark, at: Number((mark.querySelector("circle") ?? mark).dataset.at) }))
    .sort((one, other) => one.at - other.at);
  const choose = (mark) => {
    current?.classList.remove("at");
    current = mark;
    mark.classList.add("at");
    detail.textContent = `${mark.closest(".lane").dataset.node}, ${mark.dataset.what}`;
  };
  const step = (by) => {
    const list = marks();
    if (!list.length) return;
    const place = list.findIndex(({ mark }) => mark === current);
    const first = list.findIndex(({ at }) => at >= shown[0]);
    const next = place < 0 ? Math.max(first, 0) : Math.min(Math.max(place + by, 0), list.length - 1);
    const { mark, at } = list[next];
    if (at < shown[0] || at > shown[1]) {
      const half = (shown[1] - shown[0]) / 2;
      show(at - half, at + half);
    }
    choose(mark);
  };

  const does = {
    in: () => zoom(0.5), out: () => zoom(2), left: () => move(-0.25), right: () => move(0.25),
    call: () => show(...call), all: () => show(...all),
  };
  const keys = {
    "+": "in", "=": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right", 0: "call", a: "all",
  };
  lanes.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-do]");
    if (button) does[button.dataset.do]();
    const mark = event.target.closest(".mark");
    if (mark) choose(mark);
  });
  lanes.addEventListener("pointerover", (event) => {
    const mark = event.target.closest(".mark");
    if (mark) choose(mark);
  });
  lanes.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "n") step(1);
    else if (event.key === "p") step(-1);
    else if (keys[event.key]) does[keys[event.key]]();
    else return;
    event.preventDefault();
  });
  lanes.addEventListener("wheel", (event) => {
    const track = event.target.closest("svg.track");
    if (!track || !(event.ctrlKey || event.shiftKey)) return;
    event.preventDefault();
    const box = track.getBoundingClientRect();
    const about = shown[0] + ((event.clientX - box.left) / box.width) * (shown[1] - shown[0]);
    zoom((event.deltaY || event.deltaX) > 0 ? 1.25 : 0.8, about);
  }, { passive: false });
  let drag = null;
  lanes.addEventListener("pointerdown", (event) => {
    const track = event.target.closest("svg.track");
    if (track) drag = { x: event.clientX, width: track.getBoundingClientRect().width, from: shown };
  });
  addEventListener("pointermove", (event) => {
    if (!drag) return;
    const by = ((drag.x - event.clientX) / drag.width) * (drag.from[1] - drag.from[0]);
    show(drag.from[0] + by, drag.from[1] + by);
  });
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { drag = null; });
  lanes.addEventListener("change", (event) => {
    const kind = event.target.dataset.kind;
    if (!kind) return;
    for (const mark of lanes.querySelectorAll(`.mark[data-kind="${kind}"]`)) {
      mark.toggleAttribute("hidden", !event.target.checked);
    }
  });
  draw();
})();

// The log: only the lines that are in sight are elements.
(() => {
  const source = document.getElementById("log-text");
  const box = document.getElementById("log-lines");
  const form = document.getElementById("log-filter");
  const count = document.getElementById("log-count");
  if (!source) return;
  const rowHeight = 22;
  const lines = source.textContent.split("\n").filter(Boolean).map((line) => line.split("\t"));
  source.remove();
  const sheet = document.createElement("div");
  sheet.style.position = "relative";
  box.append(sheet);
  let wanted = lines;

  const draw = () => {
    const first = Math.max(Math.floor(box.scrollTop / rowHeight) - 20, 0);
    const last = Math.min(first + Math.ceil(box.clientHeight / rowHeight) + 40, wanted.length);
    sheet.replaceChildren(...wanted.slice(first, last).map(([time, node, kind, level, text], index) => {
      const row = document.createElement("div");
      row.className = `row level-${level}`;
      row.style.top = `${(first + index) * rowHeight}px`;
      for (const part of [`${time} s`, node, kind, text]) {
        const span = document.createElement("span");
        span.textContent = part;
        row.append(span);
      }
      return row;
    }));
  };
  const filter = () => {
    const { node, kind, text } = Object.fromEntries(new FormData(form));
    const sought = text.toLowerCase();
    wanted = lines.filter((line) =>
      (!node || line[1] === node)
      && (kind === "*" || (kind === "" ? line[3] !== "D" : line[2] === kind))
      && (!sought || line[4].toLowerCase().includes(sought)));
    sheet.style.height = `${wanted.length * rowHeight}px`;
    count.textContent = `${wanted.length} of ${lines.length}`;
    box.scrollTop = 0;
    draw();
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  box.addEventListener("scroll", draw, { passive: true });
  addEventListener("resize", draw);
  filter();
})();
