// The opening rush on the phone: asks as often as the server says, changes numbers in place, and shows another face
// only when the state changes. The place in the line is kept by the server: closing the page loses nothing.
"use strict";

(function () {
  const FETCH_MS = 8000;
  const RETRY_MS = 5000;
  const PAYING_MS = 3000;
  const SLOW_MS = 30000;
  /** Which face belongs to which state of the line; another one is fetched. */
  const FACES = { early: "waiting", waiting: "waiting", your_turn: "turn", sold_out: "sold_out", none: "join" };
  /** Faces that many look at for long: they ask for a few numbers, not for the page. */
  const POLLING = ["waiting", "sold_out"];
  const body = document.body;
  let timer = null;

  const part = () => document.querySelector("[data-now]");
  // In a waiting list the page itself is asked for: an offer shows there first.
  const isPolling = () => POLLING.includes(part().dataset.face) && !part().hasAttribute("data-waits");
  const get = (url) => fetch(url, { cache: "no-store", signal: AbortSignal.timeout(FETCH_MS) });

  function plan(wait) {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, wait);
  }

  function set(selector, text) {
    const found = part().querySelector(selector);
    if (found && found.textContent !== text) { found.textContent = text; }
  }

  function showConnection(isStale) {
    const words = part().querySelector("[data-live-words]");
    if (!words) { return; }
    words.toggleAttribute("data-stale", isStale);
    words.textContent = isStale ? words.dataset.staleWords : words.dataset.freshWords;
  }

  async function fetchFace() {
    const answer = await get(body.dataset.pageUrl);
    if (answer.status === 404 || answer.status === 410) { window.location.reload(); return; }
    if (!answer.ok) { throw new Error("page " + answer.status); }
    const text = await answer.text();
    const parsed = new DOMParser().parseFromString(text, "text/html").querySelector("[data-now]");
    if (!parsed) { throw new Error("no face"); }
    const before = part().dataset.face;
    part().replaceWith(document.adoptNode(parsed));
    if (parsed.dataset.face === "turn" && before !== "turn" && navigator.vibrate) {
      navigator.vibrate([300, 150, 300]);
    }
    planNext();
  }

  function showNumbers(line) {
    set("[data-ahead]", String(line.ahead));
    set("[data-left]", String(line.places_left));
    const minutes = part().querySelector("[data-minutes]");
    if (minutes) {
      const words = minutes.dataset.words;
      set("[data-minutes]", line.minutes
        ? words.replace("LOW", line.minutes[0]).replace("HIGH", line.minutes[1])
        : minutes.dataset.unknown);
    }
    const doubtful = part().querySelector("[data-doubtful]");
    if (doubtful) { doubtful.hidden = !line.doubtful; }
  }

  async function ask() {
    try {
      const face = part().dataset.face;
      if (!isPolling()) { await fetchFace(); return; }
      const answer = await get(body.dataset.nowUrl);
      if (!answer.ok) { throw new Error("now " + answer.status); }
      const line = await answer.json();
      if (FACES[line.state] !== face) { await fetchFace(); return; }
      const isOpeningNow = line.state === "waiting" && face === "waiting" && !part().querySelector("[data-doubtful]");
      if (isOpeningNow) { await fetchFace(); return; }
      showNumbers(line);
      showConnection(false);
      plan(line.next * 1000);
    } catch (error) {
      showConnection(true);
      plan(RETRY_MS);
    }
  }

  function planNext() {
    const face = part().dataset.face;
    if (part().hasAttribute("data-paying")) { plan(PAYING_MS); return; }
    if (isPolling() || face === "early") { plan(Number(part().dataset.next) * 1000); return; }
    // Somebody chooses or reads: their page is not pulled from under their thumb.
    if (face === "turn" || face === "join") { return; }
    plan(SLOW_MS);
  }

  planNext();
})();
