// The device bench page: forms become JSON calls, and what lies on the devices is asked for again and again.
"use strict";

(() => {
  const body = document.body;
  const words = (name) => body.dataset[`words${name}`];
  const api = body.dataset.api;
  const index = Number(body.dataset.index);
  const POLL_MS = 1200;
  let shownReceipt = null;

  // -- Sending ---------------------------------------------------------------

  function valuesOf(fields) {
    const values = {};
    for (const field of fields) {
      if (!field.name || (field.type === "radio" && !field.checked)) continue;
      if (field.type === "checkbox") {
        if (!("number" in field.dataset)) values[field.name] = field.checked;
        else if (field.checked) values[field.name] = Number(field.value);
      } else if (field.tagName === "SELECT" && field.value === "") values[field.name] = null;
      else values[field.name] = field.value;
    }
    return values;
  }

  async function send(form, method, path, { upload, fields } = {}) {
    const options = { method };
    if (upload) options.body = upload;
    else if (method !== "DELETE") {
      if (form.enctype === "multipart/form-data") options.body = new FormData(form);
      else {
        options.headers = { "Content-Type": "application/json" };
        options.body = JSON.stringify(valuesOf(fields || form.elements));
      }
    }
    const buttons = [...form.querySelectorAll("button")];
    buttons.forEach((button) => { button.disabled = true; });
    try {
      const answer = await fetch(api + path, options);
      tell(form, answer.ok ? null : await answer.json(), answer.ok);
    } catch {
      tell(form, { title: words("Lost"), fields: {} }, false);
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
      refresh();
    }
  }

  function tell(form, problem, isDone) {
    const place = form.querySelector("[data-answer]");
    const faults = (problem && problem.fields) || {};
    for (const field of form.elements) {
      if (field.name) field.setAttribute("aria-invalid", String(field.name in faults));
    }
    const details = Object.entries(faults).map(([name, fault]) => `${labelOf(form, name)}：${fault}`);
    place.dataset.tone = isDone ? "ok" : "bad";
    place.textContent = isDone ? words("Done") : [problem.title, ...details].join(" ");
    if (details.length) form.querySelectorAll("details").forEach((part) => { part.open = true; });
  }

  function labelOf(form, name) {
    const field = form.elements.namedItem(name);
    const label = field && field.closest && field.closest("label");
    return label ? label.firstChild.textContent.trim() : name;
  }

  document.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.target, event.target.dataset.send, event.target.dataset.path);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-send]");
    if (button) send(button.form, button.dataset.send, button.dataset.path);
  });

  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (!form || !("auto" in form.dataset)) return;
    // Only what was touched: the rest of the form may lag behind the device by one look.
    send(form, form.dataset.send, form.dataset.path, { fields: [event.target] });
  });

  // A screenshot pasted anywhere on the page is held under the scanner.
  document.addEventListener("paste", (event) => {
    const picture = [...event.clipboardData.files].find((file) => file.type.startsWith("image/"));
    if (!picture) return;
    event.preventDefault();
    const upload = new FormData();
    upload.append("picture", picture);
    const form = document.querySelector("form[enctype]");
    send(form, form.dataset.send, form.dataset.path, { upload });
  });

  // -- Prepared cards --------------------------------------------------------

  function fillFrom(select) {
    const card = JSON.parse(select.selectedOptions[0].dataset.card);
    for (const [name, value] of Object.entries(card)) {
      const field = select.form.elements.namedItem(name);
      if (field) field.value = value;
    }
  }

  document.querySelectorAll("[data-people], [data-cards]").forEach((select) => {
    select.addEventListener("change", () => fillFrom(select));
    fillFrom(select);
  });

  // -- Showing ---------------------------------------------------------------

  function setState(name, text, tone) {
    const place = document.querySelector(`[data-state="${name}"]`);
    if (place.textContent !== text) place.textContent = text;
    place.dataset.tone = tone;
  }

  function show(kiosk) {
    const card = kiosk.id_card;
    setState("id-card", card ? `${card.name} ${card.number}` : words("EmptyReader"), card ? "ok" : "idle");
    const hospital = kiosk.hospital_card;
    setState("hospital-card", hospital ? `${hospital.number}（${hospital.uid}）` : words("EmptyReader"), hospital ? "ok" : "idle");
    setState("printer", kiosk.printer.words, kiosk.printer.online ? "ok" : "bad");
    document.querySelectorAll("[data-reflect]").forEach((field) => {
      if (field === document.activeElement && field.tagName === "SELECT") return;
      const value = field.dataset.reflect.split(".").reduce((part, name) => part[name], kiosk);
      if (field.type === "checkbox") field.checked = value;
      else if (field.type === "radio") field.checked = field.value === value;
      else field.value = value || "";
    });
    if (kiosk.latest_receipt !== shownReceipt) showReceipts(kiosk.latest_receipt);
  }

  async function showReceipts(latest) {
    const receipts = await (await fetch(`${api}/receipts`)).json();
    shownReceipt = latest;
    document.querySelector("[data-empty]").hidden = receipts.length > 0;
    document.querySelector("[data-count]").textContent = receipts.length ? `${receipts.length}` : "";
    document.querySelector("[data-receipts]").replaceChildren(...receipts.map((receipt) => {
      const item = document.createElement("li");
      if (!receipt.complete) item.dataset.torn = "";
      const line = document.createElement("p");
      const state = document.createElement("strong");
      state.textContent = receipt.complete ? words("Complete") : words("Torn");
      const time = document.createElement("time");
      time.dateTime = receipt.printed_at;
      time.textContent = new Date(receipt.printed_at).toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai" });
      line.append(state, time);
      const picture = document.createElement("img");
      picture.src = receipt.image_url;
      picture.alt = `${words("Receipt")} ${receipt.text}`;
      item.append(line, picture, ...receipt.links.map(phoneLink));
      return item;
    }));
  }

  // What a phone would open after scanning the paper.
  function phoneLink(address) {
    const link = document.createElement("a");
    link.href = address;
    link.target = "_blank";
    link.rel = "noreferrer";
    link.textContent = words("Scan");
    return link;
  }

  function summaryOf(kiosk) {
    const marks = [];
    if (kiosk.id_card) marks.push(kiosk.id_card.name);
    if (kiosk.hospital_card) marks.push(kiosk.hospital_card.number);
    marks.push(kiosk.printer.words);
    return marks.join(" · ");
  }

  async function refresh() {
    const lost = document.querySelector("[data-lost]");
    try {
      const { kiosks } = await (await fetch("/api/kiosks")).json();
      lost.hidden = true;
      for (const kiosk of kiosks) {
        document.querySelector(`[data-summary="${kiosk.index}"]`).textContent = summaryOf(kiosk);
      }
      show(kiosks[index]);
    } catch {
      lost.hidden = false;
      lost.textContent = words("Lost");
    }
  }

  refresh();
  setInterval(refresh, POLL_MS);
})();
