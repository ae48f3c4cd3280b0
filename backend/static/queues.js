// The triage desk's lists follow the live stream of the queue that is shown.
"use strict";

(function () {
  const QUIET_MS = 300;
  let stream = null;
  let timer = null;
  let state = "";

  const queue = () => document.getElementById("queue");
  const isBusy = () => queue().contains(document.activeElement) && document.activeElement.tagName === "SELECT";

  function refresh() {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      // A list that is open under somebody's hand is not taken away.
      if (isBusy()) { refresh(); return; }
      window.htmx.ajax("GET", queue().dataset.url, { target: "#queue", swap: "outerHTML" });
    }, QUIET_MS);
  }

  function show() {
    const sign = document.querySelector("[data-queue-stale]");
    if (sign) { sign.hidden = state !== "stale"; }
  }

  function follow() {
    const shown = queue();
    if (!shown || !shown.dataset.stream) { return; }
    show();
    if (stream !== null && stream.stream === shown.dataset.stream) { return; }
    if (stream !== null) { window.location.reload(); return; }
    stream = new window.LiveStream({
      stream: shown.dataset.stream,
      token: shown.dataset.token,
      lastNo: Number(shown.dataset.lastNo),
      onMessage: refresh,
      onState: (now) => {
        const cameBack = now === "live" && state === "stale";
        state = now;
        document.body.dataset.live = now;
        show();
        if (cameBack) { refresh(); }
      },
    });
  }

  follow();
  document.body.addEventListener("htmx:afterSwap", follow);
})();
