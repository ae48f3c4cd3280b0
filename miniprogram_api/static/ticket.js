// The ticket on the phone: fetches its changing part again when the queue has moved, and says when it cannot.
"use strict";

(function () {
  const SPREAD_MS = 800;
  const PAYING_MS = 3000;
  const QUIET_MS = 30000;
  const RETRY_MS = 5000;
  const FETCH_MS = 8000;
  const body = document.body;
  let timer = null;
  let fetching = false;
  let again = false;
  let isStreamLive = true;
  let isFresh = true;

  const part = () => document.querySelector("[data-now]");

  function plan(wait) {
    window.clearTimeout(timer);
    timer = window.setTimeout(fetchNow, wait);
  }

  function showState() {
    const words = document.querySelector("[data-live-words]");
    const stale = !isStreamLive || !isFresh;
    if (stale === words.hasAttribute("data-stale")) { return; }
    if (!stale) { plan(0); return; }
    words.setAttribute("data-stale", "");
    words.textContent = body.dataset.wordsStale.replace("TIME", words.dataset.at);
  }

  async function fetchNow() {
    if (fetching) { again = true; return; }
    fetching = true;
    const before = part().dataset.state;
    let isOver = false;
    try {
      const answer = await fetch(body.dataset.nowUrl, {
        cache: "no-store", signal: AbortSignal.timeout(FETCH_MS),
      });
      isOver = answer.status === 410 || answer.status === 404;
      if (!answer.ok) { throw new Error("now " + answer.status); }
      const text = await answer.text();
      const parsed = new DOMParser().parseFromString(text, "text/html").querySelector("[data-now]");
      if (!parsed) { throw new Error("no ticket"); }
      part().replaceWith(document.adoptNode(parsed));
      isFresh = true;
      if (parsed.dataset.state === "called" && before !== "called" && navigator.vibrate) {
        navigator.vibrate([300, 150, 300]);
      }
      plan(parsed.hasAttribute("data-paying") ? PAYING_MS : QUIET_MS);
    } catch (error) {
      isFresh = false;
      plan(RETRY_MS);
    }
    fetching = false;
    if (isOver) { window.location.reload(); return; }
    if (!isFresh || !isStreamLive) { showState(); }
    if (again) { again = false; fetchNow(); }
  }

  plan(part().hasAttribute("data-paying") ? PAYING_MS : QUIET_MS);
  new window.LiveStream({
    stream: body.dataset.stream,
    token: body.dataset.token,
    lastNo: Number(body.dataset.lastNo),
    // A whole hall's phones hear of every call at once; they do not all ask in the same moment.
    onMessage: () => plan(Math.random() * SPREAD_MS),
    onState: (state) => {
      body.dataset.live = state;
      isStreamLive = state === "live";
      showState();
    },
  });
})();
