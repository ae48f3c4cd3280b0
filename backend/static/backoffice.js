/* What every back office page does around its requests: the CSRF header, one act per
   press, problems shown where they arose, toasts. Keyboard: backoffice-keys.js. */
(() => {
  "use strict";

  const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token();
  });

  /* -- A button hit ten times acts once: the form is busy until its answer came. -- */
  const isChange = (verb) => verb && verb.toLowerCase() !== "get";

  function setBusy(form, busy, submitter) {
    form.dataset.busy = busy ? "1" : "";
    for (const button of form.querySelectorAll('button[type="submit"], button:not([type])')) {
      button.setAttribute("aria-disabled", String(busy));
      if (!busy || button === submitter) button.toggleAttribute("data-in-flight", busy);
    }
    if (busy) submitter?.setAttribute("aria-busy", "true");
    else form.querySelectorAll("[aria-busy]").forEach((b) => b.removeAttribute("aria-busy"));
  }

  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (form.method === "dialog") return;
      if (form.dataset.busy === "1") {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      const byHtmx = form.matches("[hx-post],[hx-put],[hx-patch],[hx-delete],[hx-get]");
      if (!byHtmx && isChange(form.getAttribute("method"))) setBusy(form, true, event.submitter);
    },
    true,
  );

  /* Back from the next page (bfcache): nothing is in flight any more. */
  window.addEventListener("pageshow", () => {
    document.querySelectorAll('form[data-busy="1"]').forEach((form) => setBusy(form, false));
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, requestConfig } = event.detail;
    clearProblems(elt);
    if (!isChange(requestConfig.verb)) return;
    if (elt.dataset.busy === "1") {
      event.preventDefault();
      return;
    }
    if (elt.tagName === "FORM") {
      setBusy(elt, true, requestConfig.triggeringEvent?.submitter);
    } else {
      elt.dataset.busy = "1";
      elt.setAttribute("aria-busy", "true");
    }
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt } = event.detail;
    if (elt.tagName === "FORM") setBusy(elt, false);
    else {
      delete elt.dataset.busy;
      elt.removeAttribute("aria-busy");
    }
  });

  /* -- Problems: shown in the nearest [data-problems], nothing typed is lost. -- */
  function problemSlot(from) {
    for (let node = from; node instanceof Element; node = node.parentElement) {
      const slot = node.querySelector(":scope [data-problems]");
      if (slot) return slot;
    }
    return document.getElementById("problems");
  }

  function clearProblems(from) {
    problemSlot(from)?.replaceChildren();
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { detail } = event;
    if (detail.xhr.status < 400) return;
    if (!detail.serverResponse.includes("data-problem-fragment")) return;
    detail.target = problemSlot(detail.requestConfig.elt);
    detail.swapOverride = "innerHTML show:none";
    detail.shouldSwap = true;
  });

  function localProblem(from, what, next) {
    const words = document.body.dataset;
    const box = document.createElement("div");
    box.className = "xl-problem";
    const mark = document.createElement("i");
    mark.className = "ti ti-wifi-off";
    mark.setAttribute("aria-hidden", "true");
    const text = document.createElement("div");
    const strong = document.createElement("strong");
    strong.textContent = words[what];
    const p = document.createElement("p");
    p.textContent = words[next];
    text.append(strong, p);
    box.append(mark, text);
    problemSlot(from)?.replaceChildren(box);
  }

  document.addEventListener("htmx:sendError", (event) =>
    localProblem(event.detail.elt, "wordsOffline", "wordsOfflineNext"),
  );
  document.addEventListener("htmx:timeout", (event) =>
    localProblem(event.detail.elt, "wordsTimeout", "wordsTimeoutNext"),
  );

  /* After a form comes back with errors, the first wrong field has the focus. */
  document.addEventListener("htmx:afterSettle", (event) => {
    event.detail.elt?.querySelector?.('[aria-invalid="true"]')?.focus();
  });

  /* -- A table wider than its place is scrolled by keyboard too: it can be focused and says what it is. -- */
  function reachWideTables() {
    for (const box of document.querySelectorAll(".table-responsive")) {
      const isWide = box.scrollWidth > box.clientWidth;
      if (!isWide) {
        for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
        continue;
      }
      const title = box.querySelector("caption") ?? box.closest(".card")?.querySelector(".card-title");
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", title?.textContent.trim() || document.title);
    }
  }

  document.addEventListener("htmx:afterSettle", reachWideTables);
  document.addEventListener("DOMContentLoaded", reachWideTables);
  window.addEventListener("resize", reachWideTables);

  /* -- A role whose work has no department is offered for the whole hospital only. -- */
  function offerDepartments(role) {
    const { department } = role.form.elements;
    department.disabled = role.dataset.hospitalWide.split(" ").includes(role.value);
    if (department.disabled) department.value = "";
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-hospital-wide]")) offerDepartments(event.target);
  });
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-hospital-wide]").forEach(offerDepartments);
  });

  /* -- Toasts leave by themselves, but never while pointed at or focused. -- */
  function armToast(toast) {
    const seconds = Number(toast.dataset.toast);
    toast.dataset.armed = "1";
    if (!seconds) return;
    const leave = () => {
      if (toast.matches(":hover, :focus-within")) setTimeout(leave, 2000);
      else toast.remove();
    };
    setTimeout(leave, seconds * 1000);
  }

  function armToasts() {
    document.querySelectorAll("[data-toast]:not([data-armed])").forEach(armToast);
  }

  document.addEventListener("htmx:afterSettle", armToasts);
  document.addEventListener("htmx:oobAfterSwap", armToasts);
  document.addEventListener("DOMContentLoaded", armToasts);
  document.addEventListener("click", (event) => {
    event.target.closest?.("[data-toast-close]")?.closest("[data-toast]")?.remove();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const toast = event.detail.elt.closest?.("[data-toast]");
    if (toast && event.detail.successful) toast.remove();
  });
})();
