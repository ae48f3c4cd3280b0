// The one client of live streams (backend/kernel/live.py). It follows a stream, applies each message once and in
// order, asks for what it missed when a beat or a message shows a gap, and says when live data has stopped.
"use strict";

(function () {
  const STALE_AFTER_MS = 11000;
  let socket = null;

  function connection() {
    if (socket === null) {
      socket = window.io("/live", { transports: ["websocket"], reconnectionDelayMax: 5000 });
    }
    return socket;
  }

  class LiveStream {
    // options: stream, token, lastNo (number or null), onMessage(payload, no), onState("live" | "stale" | "refused")
    constructor(options) {
      this.stream = options.stream;
      this.token = options.token || "";
      this.lastNo = options.lastNo === undefined ? null : options.lastNo;
      this.onMessage = options.onMessage || function () {};
      this.onState = options.onState || function () {};
      this.state = "";
      this.asking = false;
      this.socket = connection();
      this.socket.on("connect", () => this.follow());
      this.socket.on("disconnect", () => { this.asking = false; this.setState("stale"); });
      this.socket.on("live", (message) => this.take(message));
      this.socket.on("beat", (beat) => this.heard(beat));
      if (this.socket.connected) { this.follow(); }
      this.touch();
    }

    setState(state) {
      if (state !== this.state) { this.state = state; this.onState(state); }
    }

    touch() {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.silent(), STALE_AFTER_MS);
    }

    silent() {
      this.setState("stale");
      this.touch();
      // Half-open connections look connected for long; a fresh one tells the truth.
      this.asking = false;
      this.socket.disconnect().connect();
    }

    follow() {
      if (this.asking) { return; }
      this.asking = true;
      const ask = { stream: this.stream, token: this.token, last_no: this.lastNo };
      this.socket.emit("follow", ask, (answer) => {
        this.asking = false;
        if (answer.refused) { window.clearTimeout(this.timer); this.setState("refused"); return; }
        answer.missed.forEach((message) => this.apply(message));
        // A number below the one we asked with: the stream began anew. Else never backwards: a message may have
        // overtaken this answer. Forwards also past what is too old to be kept.
        if (ask.last_no !== null && answer.no < ask.last_no) { this.lastNo = answer.no; }
        this.lastNo = Math.max(this.lastNo ?? 0, answer.no);
        this.setState("live");
        this.touch();
      });
    }

    take(message) {
      if (message.stream !== this.stream) { return; }
      this.touch();
      if (this.lastNo !== null && message.no > this.lastNo + 1) { this.follow(); return; }
      this.apply(message);
    }

    heard(beat) {
      if (beat.stream !== this.stream) { return; }
      this.touch();
      if (this.lastNo !== null && beat.no > this.lastNo) { this.follow(); return; }
      this.setState("live");
    }

    apply(message) {
      if (this.lastNo !== null && message.no <= this.lastNo) { return; }
      this.lastNo = message.no;
      this.onMessage(message.payload, message.no);
    }
  }

  window.LiveStream = LiveStream;
})();
