// Paints segments on the score grid of rules.html: by mouse, finger or keyboard.
//
// In:  <table class="score-grid"> whose cells hold a <select>; <fieldset class="palette"> with a radio for
//      each segment.
// Out: the same selects with other values, and one "change" for each stroke, for which htmx asks what moves.
//
// Without this the selects are there to be used; with it they are out of sight and carry the form.
"use strict";

(() => {
  function enhance() {
    const palette = document.querySelector("fieldset.palette[hidden]");
    if (!palette) return;
    palette.hidden = false;
    document.getElementById("how").hidden = false;
    const grids = [...document.querySelectorAll("table.score-grid")];
    const brush = () => palette.querySelector("input:checked");
    // Cells by place, of all planes one below the other: rows of five.
    const rows = grids.flatMap((grid) => [...grid.tBodies[0].rows].map((row) => [...row.cells].filter((cell) => cell.dataset.cell)));
    const tints = [...palette.querySelectorAll(".swatch")].map((one) => one.className.split(" ").find((name) => name.startsWith("tint-")));
    const keys = [...palette.querySelectorAll("input")].map((one) => one.value);
    const names = [...palette.querySelectorAll("label")].map((one) => one.lastElementChild.textContent);

    for (const grid of grids) {
      grid.classList.add("painted");
      grid.setAttribute("role", "grid");
      grid.setAttribute("aria-describedby", grid.dataset.how);
    }
    rows.flat().forEach((cell, index) => {
      cell.tabIndex = index === 0 ? 0 : -1;
      cell.setAttribute("role", "gridcell");
    });

    function paint(cell) {
      const select = cell.querySelector("select"), key = brush().value, place = keys.indexOf(key);
      if (select.value === key) return null;
      // A cell that several claimed has one segment from now on.
      for (const more of cell.querySelectorAll("input")) more.remove();
      select.value = key;
      cell.querySelector("b").textContent = String(place + 1);
      cell.querySelector("i").textContent = names[place];
      cell.className = tints[place];
      cell.classList.toggle("changed", cell.dataset.was !== undefined && cell.dataset.was !== key);
      return select;
    }

    const changed = (select) => select?.dispatchEvent(new Event("change", { bubbles: true }));
    let last = null, isDown = false;

    function focus(cell) {
      for (const other of rows.flat()) other.tabIndex = other === cell ? 0 : -1;
      cell.focus({ preventScroll: true });
    }

    const cellAt = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest("table.score-grid td[data-cell]");
    for (const grid of grids) {
      grid.addEventListener("pointerdown", (event) => {
        const cell = event.target.closest("td[data-cell]");
        if (!cell || event.button !== 0) return;
        event.preventDefault();
        isDown = true;
        focus(cell);
        last = paint(cell) ?? last;
      });
      grid.addEventListener("pointermove", (event) => {
        if (!isDown) return;
        const cell = cellAt(event);
        if (cell) last = paint(cell) ?? last;
      });
      grid.addEventListener("keydown", (event) => {
        const cell = event.target.closest("td[data-cell]");
        if (!cell) return;
        const at = rows.findIndex((row) => row.includes(cell)), across = rows[at].indexOf(cell);
        const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
        if (step) {
          event.preventDefault();
          const next = rows[at + step[0]]?.[across + step[1]];
          if (next) { focus(next); next.scrollIntoView({ block: "nearest" }); }
        } else if (event.key === " " || event.key === "Enter") {
          event.preventDefault();
          changed(paint(cell));
        }
      });
    }
    const end = () => { if (isDown) { isDown = false; changed(last); last = null; } };
    ends.forEach((old) => { for (const name of ENDINGS) document.removeEventListener(name, old); });
    ends = [end];
    for (const name of ENDINGS) document.addEventListener(name, end);
  }

  const ENDINGS = ["pointerup", "pointercancel"];
  let ends = [];
  enhance();
  document.addEventListener("htmx:after:swap", enhance);
})();
