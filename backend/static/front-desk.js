/* The front desk: what change to give while the cash is typed. The server computes it again. */
(() => {
  "use strict";

  const YUAN = /^[¥￥]?(\d{1,9})(?:\.(\d{1,2}))?元?$/;

  function fenOf(text) {
    const match = YUAN.exec(text.replace(/[\s,]/g, ""));
    return match ? Number(match[1]) * 100 + Number((match[2] ?? "0").padEnd(2, "0")) : null;
  }

  const words = (fen) => `¥${(fen / 100).toFixed(2)}`;

  document.addEventListener("input", (event) => {
    const due = Number(event.target.dataset?.dueFen);
    if (!due) return;
    const out = event.target.form.querySelector("[data-change]");
    const fen = fenOf(event.target.value);
    if (fen === null) out.textContent = "\u00a0";
    else if (fen < due) out.textContent = `${out.dataset.wordsShort} ${words(due - fen)}`;
    else out.textContent = `${out.dataset.wordsChange} ${words(fen - due)}`;
  });
})();
