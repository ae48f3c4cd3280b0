/* The kiosk's page: shows the screen the kiosk draws and sends touches back, each with the number
   of the screen it was made on. It decides nothing. */
"use strict";

(() => {
  const glass = document.getElementById("glass");
  const lost = document.getElementById("lost");
  const POLL_SECONDS = 20;
  const ACTIVITY_EVERY_MS = 3000;
  const FINGER_MS = 250;

  let no = -1;
  let title = "";
  let deadline = null; // performance.now() at which the screen's time is up
  let clock = null; // [hospital time in ms, performance.now()]
  let isSending = false;
  let listening = 0;
  let activeAt = 0;
  const voice = new Audio();

  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  function keepTime(screen) {
    deadline = screen.seconds_left === null ? null : performance.now() + screen.seconds_left * 1000;
    clock = [Date.parse(screen.time), performance.now()];
  }

  function show(screen) {
    keepTime(screen);
    if (screen.no === no) {
      tick();
      return;
    }
    const isNew = screen.title !== title;
    no = screen.no;
    title = screen.title;
    listenSoon();
    document.documentElement.lang = screen.language === "zh" ? "zh-CN" : "en";
    document.documentElement.dataset.mode = screen.elderly ? "elderly" : "normal";
    glass.innerHTML = screen.html;
    document.title = screen.title;
    const heading = glass.querySelector("[role=alertdialog] [data-kind=main]") || glass.querySelector("h1");
    if (heading) {
      heading.focus({ preventScroll: true });
    }
    if (screen.elderly && isNew) {
      speak();
    } else if (!screen.elderly) {
      voice.pause();
    }
    tick();
  }

  // A finger still coming down from the screen before must not press what has just appeared.
  function listenSoon() {
    glass.removeAttribute("data-listening");
    clearTimeout(listening);
    listening = setTimeout(() => glass.setAttribute("data-listening", ""), FINGER_MS);
  }

  function speak() {
    voice.src = `/api/voice.wav?no=${no}`;
    // A browser without sound, or a kiosk without a voice: the words are on the screen anyway.
    voice.play().catch(() => undefined);
  }

  async function send(path, body) {
    const answer = await fetch(`${path}?html=1`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (![200, 409, 422].includes(answer.status)) {
      throw new Error(`status ${answer.status}`);
    }
    return answer.json();
  }

  async function touch(button) {
    if (isSending || !glass.hasAttribute("data-listening")) {
      return;
    }
    isSending = true;
    button.setAttribute("aria-busy", "true");
    try {
      const { action, value } = button.dataset;
      show(await send("/api/actions", { no, action, value: value || "" }));
    } catch {
      lost.hidden = false;
    } finally {
      isSending = false;
      button.removeAttribute("aria-busy");
    }
  }

  async function poll() {
    for (;;) {
      try {
        const answer = await fetch(`/api/screen?html=1&after=${no}&wait=${POLL_SECONDS}`);
        if (!answer.ok) {
          throw new Error(`status ${answer.status}`);
        }
        const screen = await answer.json();
        lost.hidden = true;
        if (!isSending) {
          show(screen);
        } else {
          await pause(100);
        }
      } catch {
        lost.hidden = false;
        await pause(1000);
      }
    }
  }

  function tick() {
    const left = deadline === null ? null : Math.max(0, Math.round((deadline - performance.now()) / 1000));
    for (const place of glass.querySelectorAll("[data-seconds]")) {
      place.textContent = left === null ? "–" : String(left);
    }
    for (const place of glass.querySelectorAll("[data-minutes]")) {
      const words = left === null ? "" : `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      place.textContent = words;
    }
    for (const box of glass.querySelectorAll(".k-seconds")) {
      box.toggleAttribute("data-soon", left !== null && left <= 15);
    }
    if (clock) {
      const now = new Date(clock[0] + performance.now() - clock[1]);
      const zone = { timeZone: "Asia/Shanghai" };
      const language = document.documentElement.lang;
      const time = now.toLocaleTimeString("zh-CN", { ...zone, hour: "2-digit", minute: "2-digit" });
      const date = now.toLocaleDateString(language, { ...zone, month: "long", day: "numeric", weekday: "short" });
      glass.querySelectorAll("[data-clock]").forEach((place) => (place.textContent = time));
      glass.querySelectorAll("[data-date]").forEach((place) => (place.textContent = date));
    }
  }

  glass.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-action]");
    if (button && !button.disabled) {
      touch(button);
    }
  });

  document.addEventListener("pointerdown", () => {
    if (performance.now() - activeAt > ACTIVITY_EVERY_MS) {
      activeAt = performance.now();
      send("/api/activity", {})
        .then((screen) => screen.no === no && keepTime(screen))
        .catch(() => undefined); // the poll says when the kiosk is not there
    }
  });

  document.addEventListener("contextmenu", (event) => event.preventDefault());
  setInterval(tick, 500);
  poll();
})();
