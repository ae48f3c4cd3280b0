"""What a kiosk's glass is like, and what must be true of whatever it shows."""

from __future__ import annotations

from playwright.sync_api import ViewportSize

GLASS: ViewportSize = {"width": 1080, "height": 1920}

# What a person standing before it needs: nothing cut off, words and buttons large enough.
MEASURE = """() => {
  const least = document.documentElement.dataset.mode === "elderly" ? 44 : 32;
  const found = [];
  const main = document.querySelector(".k-main");
  if (main.scrollHeight > main.clientHeight + 1) found.push("does not fit: " + main.dataset.screen);
  for (const element of document.querySelectorAll("#glass *")) {
    if (element.closest("svg")) continue;
    const box = element.getBoundingClientRect();
    if (!box.width) continue;
    if (box.right > 1081 || box.left < -1) found.push("beside the glass: " + element.className);
    const size = parseFloat(getComputedStyle(element).fontSize);
    const isText = !element.children.length && element.textContent.trim();
    if (isText && size > 0 && size < least) found.push("small: " + element.textContent);
    if (element.tagName === "BUTTON" && Math.min(box.width, box.height) < 96)
      found.push("small target: " + element.textContent);
  }
  return found;
}"""
