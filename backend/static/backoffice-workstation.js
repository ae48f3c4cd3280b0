/* The doctor's workstation: a chosen drug brings its usual directions and asks for the quantity; the end of a
   visit is confirmed in place. Everything else is htmx and backoffice-keys.js. */
(() => {
  "use strict";

  /* -- A drug chosen from the list: directions filled in, quantity next, Enter orders. -- */
  document.addEventListener("xl:chosen", (event) => {
    const form = event.target.closest("[data-drug]");
    if (!form) return;
    for (const name of ["route", "dose", "frequency"]) {
      form.elements[name].value = event.detail[name] || "";
    }
    form.querySelector("[data-directions]").hidden = false;
    const quantity = form.querySelector("[data-quantity]");
    quantity.focus();
    quantity.select();
  });

  /* Another word is typed: what was filled in belongs to no drug any more. */
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("[data-drug]");
    if (!form || event.target.getAttribute("role") !== "combobox") return;
    form.querySelector("[data-directions]").hidden = true;
  });

  /* -- The end of a visit: opening moves to the confirming button, Esc goes back. -- */
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target.id !== "finish" || !event.target.open) return;
      (event.target.querySelector("[data-confirm]") || event.target.querySelector("summary")).focus();
      event.target.scrollIntoView({ block: "nearest" });
    },
    true,
  );

  function closeFinish() {
    const panel = document.getElementById("finish");
    if (!panel?.open) return;
    panel.open = false;
    panel.querySelector("summary").focus();
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-finish-close]")) closeFinish();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.closest?.("#finish")) closeFinish();
  });
})();
