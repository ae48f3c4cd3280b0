// A hall screen: fetches its board again after every live message, speaks calls, shows when live data has stopped.
"use strict";

(function () {
  const ZONE = "Asia/Shanghai";
  const REFRESH_MS = 60000;
  const RETRY_MS = 3000;
  const PAGE_MS = 10000;
  const FETCH_MS = 8000;
  const body = document.body;
  const date = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, month: "long", day: "numeric" });
  const weekday = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, weekday: "long" });
  const clock = new Intl.DateTimeFormat("zh-CN", {
    timeZone: ZONE, hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  let offset = 0;
  let page = 0;
  let fetching = false;
  let again = false;
  let isStreamLive = false;
  let isBoardFresh = true;
  let lastGood = 0;
  let retry = null;

  const one = (selector) => document.querySelector(selector);
  const now = () => Date.now() + offset;

  function readClock() {
    offset = Date.parse(one("[data-board]").dataset.at) - Date.now();
    lastGood = now();
  }

  function tick() {
    const moment = new Date(now());
    one("[data-clock]").textContent = clock.format(moment);
    one("[data-date]").textContent = date.format(moment) + " " + weekday.format(moment);
  }

  function showState() {
    const stale = !isStreamLive || !isBoardFresh;
    if (stale === body.hasAttribute("data-stale")) { return; }
    body.toggleAttribute("data-stale", stale);
    one("[data-stale-words]").textContent =
      body.dataset.wordsStale.replace("TIME", clock.format(new Date(lastGood)));
    one("[data-stale-sign]").hidden = !stale;
  }

  function showPage() {
    const pages = Number(one("[data-board]").dataset.pages);
    page = pages > 0 ? page % pages : 0;
    document.querySelectorAll("tr[data-page]").forEach((row) => {
      row.hidden = Number(row.dataset.page) !== page;
    });
    const sign = one("[data-page-now]");
    if (sign) { sign.textContent = String(page + 1); }
  }

  function firstCall() {
    const call = one("[data-call]");
    return call ? call.dataset.call : "";
  }

  async function fetchBoard() {
    if (fetching) { again = true; return; }
    fetching = true;
    window.clearTimeout(retry);
    const before = firstCall();
    try {
      const answer = await fetch(body.dataset.boardUrl, {
        cache: "no-store", signal: AbortSignal.timeout(FETCH_MS),
      });
      if (!answer.ok) { throw new Error("board " + answer.status); }
      const text = await answer.text();
      const parsed = new DOMParser().parseFromString(text, "text/html").querySelector("[data-board]");
      if (!parsed) { throw new Error("no board"); }
      one("[data-board]").replaceWith(document.adoptNode(parsed));
      readClock();
      showPage();
      if (firstCall() !== before && firstCall() !== "") { one("[data-call]").dataset.fresh = ""; }
      isBoardFresh = true;
    } catch (error) {
      isBoardFresh = false;
      retry = window.setTimeout(fetchBoard, RETRY_MS);
    }
    fetching = false;
    showState();
    if (again) { again = false; fetchBoard(); }
  }

  const cover = one("[data-sound]");
  const voice = new window.ScreenVoice({
    urlOf: (callId) => body.dataset.voiceUrl.replace("CALL", callId),
    now: now,
    onRefused: () => { cover.hidden = false; body.dataset.pointer = ""; },
  });
  cover.addEventListener("click", () => {
    cover.hidden = true;
    delete body.dataset.pointer;
    voice.allow();
  });

  readClock();
  tick();
  showPage();
  window.setInterval(tick, 1000);
  window.setInterval(() => { page += 1; showPage(); }, PAGE_MS);
  window.setInterval(fetchBoard, REFRESH_MS);
  new window.LiveStream({
    stream: body.dataset.stream,
    token: body.dataset.token,
    lastNo: Number(body.dataset.lastNo),
    onMessage: (payload) => {
      if (payload.kind === "call" && body.dataset.voice === "on") {
        voice.say(payload.call_id, Date.parse(payload.at));
      }
      fetchBoard();
    },
    onState: (state) => {
      const cameBack = state === "live" && body.dataset.live === "stale";
      body.dataset.live = state;
      isStreamLive = state === "live";
      if (cameBack) { fetchBoard(); }
      showState();
    },
  });
})();
