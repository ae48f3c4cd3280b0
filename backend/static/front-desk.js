/* The front desk: what change to give while the cash is typed. The server computes it again. */
(() => {
  "use strict";

  const YUAN = /^[¥￥]?(\d{1,9})(?:\.(\d{1,2}))?元?$/;

  function fenOf(text) {
    const match = YUAN.exec(text.replace(/[\s,]/g, ""));
    return match ? Number(match[1]) * 100 + Number((match[2] ?? "0").padEnd(2, "0")) : null;
  }

  const words = (fen) => `¥${(fen / 100).toFixed(2)}`;

  // What is due now: the part that was named, or all of it.
  function dueOf(form, cash) {
    const part = form.querySelector("[data-part]");
    return (part && fenOf(part.value)) ?? Number(cash.dataset.dueFen);
  }

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    const cash = form?.querySelector("[data-due-fen]");
    if (!cash || !event.target.matches("[data-due-fen], [data-part]")) return;
    const due = dueOf(form, cash);
    const out = form.querySelector("[data-change]");
    const fen = fenOf(cash.value);
    if (fen === null) out.textContent = "\u00a0";
    else if (fen < due) out.textContent = `${out.dataset.wordsShort} ${words(due - fen)}`;
    else out.textContent = `${out.dataset.wordsChange} ${words(fen - due)}`;
  });
})();
