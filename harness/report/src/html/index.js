"use strict";

// What is shown is in the address, after "#", so that it can be sent to somebody.
(() => {
  const form = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const nothing = document.getElementById("nothing");
  const boxes = [...form.querySelectorAll("input[name=verdict]")];
  const rows = [...document.querySelectorAll("tr[data-scenario]")];

  const read = () => {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const verdicts = wanted.get("verdict")?.split(" ");
    for (const box of boxes) box.checked = !verdicts || verdicts.includes(box.value);
    form.elements.text.value = wanted.get("text") ?? "";
    if (form.elements.configuration) form.elements.configuration.value = wanted.get("configuration") ?? "";
  };
  const write = () => {
    const wanted = new URLSearchParams();
    const verdicts = boxes.filter((box) => box.checked).map((box) => box.value);
    if (verdicts.length < boxes.length) wanted.set("verdict", verdicts.join(" "));
    if (form.elements.text.value) wanted.set("text", form.elements.text.value);
    if (form.elements.configuration?.value) wanted.set("configuration", form.elements.configuration.value);
    history.replaceState(null, "", `#${wanted}`);
  };
  const show = () => {
    const verdicts = boxes.filter((box) => box.checked).map((box) => box.value);
    const text = form.elements.text.value.toLowerCase();
    const configuration = form.elements.configuration?.value ?? "";
    let count = 0;
    for (const row of rows) {
      let any = false;
      for (const cell of row.querySelectorAll(".cell")) {
        const about = `${row.dataset.scenario} ${cell.textContent}`.toLowerCase();
        const is = verdicts.includes(cell.dataset.verdict) && about.includes(text)
          && (!configuration || cell.closest("td").dataset.configuration === configuration);
        cell.hidden = !is;
        any ||= is;
        count += is ? 1 : 0;
      }
      row.hidden = !any;
    }
    nothing.hidden = count > 0;
    shown.textContent = `${count} shown`;
  };
  form.addEventListener("input", () => { write(); show(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => { read(); show(); });
  read();
  show();
})();
