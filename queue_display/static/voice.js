// Spoken calls, one after the other: each WAV is played twice, and the next call waits until the one before has ended.
"use strict";

(function () {
  const TURNS = 2;
  const MOST_WAITING = 20;
  const TOO_OLD_MS = 60000;
  const LONGEST_MS = 20000;
  const MOST_LOGGED = 40;

  class Voice {
    // options: urlOf(callId), now() in ms by the server's clock, onRefused() when the browser wants a touch first
    constructor(options) {
      this.urlOf = options.urlOf;
      this.now = options.now;
      this.onRefused = options.onRefused;
      this.waiting = [];
      this.speaking = false;
      this.refused = false;
      this.log = [];
    }

    say(callId, calledAt) {
      this.waiting.push({ callId: callId, at: calledAt });
      this.waiting.splice(0, Math.max(0, this.waiting.length - MOST_WAITING));
      this.next();
    }

    // After a touch the browser lets sound through.
    allow() {
      this.refused = false;
      this.next();
    }

    async next() {
      if (this.speaking || this.refused) { return; }
      this.speaking = true;
      while (this.waiting.length > 0 && !this.refused) {
        const call = this.waiting[0];
        const fresh = this.now() - call.at < TOO_OLD_MS;
        if (!fresh || await this.speak(call.callId) !== "refused") { this.drop(call); }
      }
      this.speaking = false;
    }

    drop(call) {
      const index = this.waiting.indexOf(call);
      if (index >= 0) { this.waiting.splice(index, 1); }
    }

    async speak(callId) {
      for (let turn = 1; turn <= TURNS; turn += 1) {
        const outcome = await this.play(callId, turn);
        if (outcome !== "ended") { return outcome; }
      }
      return "ended";
    }

    // Resolves to ended | failed | refused; a sound that never ends is given up, so that the queue never stops.
    play(callId, turn) {
      return new Promise((resolve) => {
        const audio = new Audio(this.urlOf(callId));
        let timer = null;
        const finish = (outcome) => {
          window.clearTimeout(timer);
          audio.onended = audio.onerror = null;
          this.note(callId, turn, outcome);
          resolve(outcome);
        };
        timer = window.setTimeout(() => { audio.pause(); finish("failed"); }, LONGEST_MS);
        audio.onended = () => finish("ended");
        audio.onerror = () => finish("failed");
        audio.play().then(() => this.note(callId, turn, "began")).catch((error) => {
          if (error.name !== "NotAllowedError") { finish("failed"); return; }
          this.refused = true;
          finish("refused");
          this.onRefused();
        });
      });
    }

    note(callId, turn, what) {
      this.log.push([callId, turn, what].join(":"));
      this.log.splice(0, Math.max(0, this.log.length - MOST_LOGGED));
      document.body.dataset.voiceLog = this.log.join(" ");
    }
  }

  window.ScreenVoice = Voice;
})();
