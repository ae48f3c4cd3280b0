// The triage desk's lists follow the live stream of the queue that is shown.
"use strict";

(function () {
  const QUIET_MS = 300;
  let stream = null;
  let timer = null;
  let state = "";

  let acting = 0;

  const queue = () => document.getElementById("queue");
  const isChosen = () => queue().contains(document.activeElement) && document.activeElement.tagName === "SELECT";
  const isBusy = () => acting > 0 || isChosen();

  function refresh() {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      // A list that is open under somebody's hand is not taken away.
      if (isBusy()) { refresh(); return; }
      // Nobody asked for it: it keeps no session awake.
      const headers = { "X-Background": "1" };
      window.htmx.ajax("GET", queue().dataset.url, { source: "#queue", target: "#queue", swap: "outerHTML", headers })
        .catch(() => {}); // gave way to an act, or failed: then htmx has said so, and the stream asks again
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

  // An act and a refresh under way together: the refresh's older list would take the form away before its answer
  // came, and what was done would not be shown. The act brings the list of after it, so the refresh gives way.
  const isAct = (event) => event.detail.requestConfig.verb !== "get" && queue()?.contains(event.detail.elt);

  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.defaultPrevented || !isAct(event)) { return; }
    acting += 1;
    window.htmx.trigger("#queue", "htmx:abort");
    event.detail.xhr.addEventListener("loadend", () => { acting -= 1; });
  });

  follow();
  document.body.addEventListener("htmx:afterSwap", follow);
})();
