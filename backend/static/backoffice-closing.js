/* The drawer: adds up the pieces while they are typed. What counts is added up again by the server. */
(() => {
  "use strict";

  const yuan = (fen) => {
    const sign = fen < 0 ? "-" : "";
    const size = Math.abs(fen);
    return `${sign}¥${Math.floor(size / 100).toLocaleString("en-US")}.${String(size % 100).padStart(2, "0")}`;
  };

  const count = (drawer) => {
    let fen = 0;
    for (const input of drawer.querySelectorAll("[data-pieces]")) {
      const pieces = Number.parseInt(input.value, 10);
      if (pieces > 0) fen += pieces * Number(input.dataset.pieces);
    }
    const float = Number.parseFloat(drawer.querySelector("[data-float]").value);
    if (float > 0) fen -= Math.round(float * 100);
    const difference = fen - Number(drawer.dataset.cash);
    drawer.querySelector("[data-counted]").textContent = yuan(fen);
    const shown = drawer.querySelector("[data-difference]");
    shown.textContent = yuan(difference);
    shown.toggleAttribute("data-wrong", difference !== 0);
  };

  document.addEventListener("input", (event) => {
    const drawer = event.target.closest?.("[data-drawer]");
    if (drawer) count(drawer);
  });
  document.addEventListener("DOMContentLoaded", () => {
    for (const drawer of document.querySelectorAll("[data-drawer]")) count(drawer);
  });
})();
