// The phone's small conveniences: a chosen or pasted picture is scanned at once, the lists stay
// fresh, a button pressed twice counts once. Everything also works without this file.
"use strict";

const FRESH_EVERY_MS = 2000;

function scanPictures() {
  const form = document.getElementById("scan-form");
  const picture = document.getElementById("picture");
  if (!form || !picture) return;
  picture.addEventListener("change", () => {
    if (picture.files.length) form.submit();
  });
  document.addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"));
    if (!pasted) return;
    event.preventDefault();
    const carrier = new DataTransfer();
    carrier.items.add(pasted);
    picture.files = carrier.files;
    form.submit();
  });
}

function submitOnce() {
  for (const form of document.querySelectorAll("form")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  // A page that comes back from the browser's history may be used again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form")) delete form.dataset.sent;
  });
}

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(window.location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["lists", "notices"]) {
    const old = document.getElementById(id);
    const next = fresh.getElementById(id);
    if (old && next && old.innerHTML !== next.innerHTML && !old.contains(document.activeElement)) {
      old.replaceWith(next);
    }
  }
}

function stayFresh() {
  if (!document.getElementById("lists")) return;
  setInterval(() => {
    // The sandbox may be restarting; the next round tries again.
    refresh().catch((error) => console.info("refresh failed", error.message));
  }, FRESH_EVERY_MS);
}

scanPictures();
submitOnce();
stayFresh();
