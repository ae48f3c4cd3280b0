/* The keyboard in the back office: / and ?, data-hotkey, arrows in lists ([data-list] with
   [data-item]s), and the ARIA combobox ([data-combo]) that searches as one types. */
(() => {
  "use strict";

  const STORE = "xinglin.single-keys";
  const singleKeysOn = () => localStorage.getItem(STORE) !== "off";
  const isTyping = (node) =>
    node instanceof HTMLElement &&
    (node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName)) &&
    !/^(checkbox|radio|button|submit)$/.test(node.type);
  /* checkVisibility: what a closed <details> holds has rectangles all the same. */
  const isVisible = (node) => node.getClientRects().length > 0 && node.checkVisibility();

  /* -- Hotkeys -- */
  function nameOf(event) {
    const key = event.key.toLowerCase();
    const byCode = /^(Key|Digit)(.)$/.exec(event.code);
    const plain = event.altKey && byCode ? byCode[2].toLowerCase() : key;
    return `${event.ctrlKey ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${plain}`;
  }

  function pressHotkey(event) {
    const name = nameOf(event);
    const isSingle = name.length === 1;
    if (isSingle && (isTyping(event.target) || !singleKeysOn())) return;
    if (document.querySelector("dialog[open]") && isSingle) return;
    const matches = document.querySelectorAll(`[data-hotkey="${CSS.escape(name)}"]`);
    const target = [...matches].filter(isVisible).pop();
    if (!target || target.matches(":disabled, [aria-disabled='true']")) return;
    event.preventDefault();
    if (isTyping(target)) target.focus();
    else target.click();
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.metaKey) return;
    if (event.key === "/" && !isTyping(event.target) && singleKeysOn()) {
      const search = document.querySelector("[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
      return;
    }
    if (event.key === "?" && !isTyping(event.target) && singleKeysOn()) {
      openShortcuts();
      return;
    }
    if (event.key === "Escape" && event.target.matches?.("[data-search]")) event.target.blur();
    if (moveInList(event)) return;
    pressHotkey(event);
  });

  /* -- The sheet of shortcuts, written from the page's own data-hotkey elements. -- */
  function openShortcuts() {
    const sheet = document.getElementById("shortcuts");
    if (!sheet || sheet.open) return;
    const list = sheet.querySelector("[data-shortcuts-page]");
    list.replaceChildren();
    for (const node of document.querySelectorAll("[data-hotkey]")) {
      if (!isVisible(node)) continue;
      const dt = document.createElement("dt");
      for (const part of node.dataset.hotkey.split("+")) {
        const key = document.createElement("kbd");
        key.textContent = part.charAt(0).toUpperCase() + part.slice(1);
        dt.append(key, " ");
      }
      const dd = document.createElement("dd");
      const copy = node.cloneNode(true);
      copy.querySelectorAll("kbd").forEach((k) => k.remove());
      dd.textContent = node.getAttribute("aria-label") || copy.textContent.trim();
      list.append(dt, dd);
    }
    sheet.querySelector("[data-shortcuts-toggle]").checked = singleKeysOn();
    sheet.showModal();
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-shortcuts-open]")) openShortcuts();
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("[data-shortcuts-toggle]")) return;
    localStorage.setItem(STORE, event.target.checked ? "on" : "off");
  });

  /* -- Lists: arrows move, Home and End jump, Enter opens the item's first link. -- */
  function moveInList(event) {
    const search = event.target.closest?.("[data-search], [data-list-input]");
    const list =
      event.target.closest?.("[data-list]") ||
      (search && event.key === "ArrowDown" ? document.querySelector("[data-list]") : null);
    if (!list || isComboInput(event.target)) return false;
    const items = [...list.querySelectorAll("[data-item]")].filter(isVisible);
    if (!items.length) return false;
    const here = items.indexOf(event.target.closest("[data-item]"));
    const inField = isTyping(event.target) && !search;
    let next = -1;
    if (event.key === "ArrowDown") next = Math.min(here + 1, items.length - 1);
    else if (event.key === "ArrowUp") next = here - 1;
    else if (event.key === "Home" && here >= 0) next = 0;
    else if (event.key === "End" && here >= 0) next = items.length - 1;
    else if (event.key === "Enter" && here >= 0 && event.target === items[here]) {
      event.preventDefault();
      openItem(items[here]);
      return true;
    } else return false;
    if (inField) return false;
    event.preventDefault();
    if (next < 0) document.querySelector("[data-list-input], [data-search]")?.focus();
    else focusItem(items, next);
    return true;
  }

  function focusItem(items, index) {
    items.forEach((item, i) => item.setAttribute("tabindex", i === index ? "0" : "-1"));
    items[index].focus();
    items[index].scrollIntoView({ block: "nearest" });
  }

  function openItem(item) {
    if (item.matches("a, button")) item.click();
    else item.querySelector("[data-open], a, button")?.click();
  }

  document.addEventListener("click", (event) => {
    const item = event.target.closest?.("[data-item]");
    if (!item || event.target.closest("a, button, input, select, label, form")) return;
    if (!getSelection().isCollapsed) return;
    openItem(item);
  });

  function makeListsReachable() {
    for (const list of document.querySelectorAll("[data-list]")) {
      const items = [...list.querySelectorAll("[data-item]")];
      if (!items.length || items.some((item) => item.getAttribute("tabindex") === "0")) continue;
      items.forEach((item, i) => item.setAttribute("tabindex", i === 0 ? "0" : "-1"));
    }
  }
  document.addEventListener("DOMContentLoaded", makeListsReachable);
  document.addEventListener("htmx:afterSettle", makeListsReachable);

  /* -- Combobox -- */
  const isComboInput = (node) => node.matches?.('[data-combo] [role="combobox"]');
  const choices = (list) => [...list.querySelectorAll('[role="option"]:not([aria-disabled])')];

  function parts(node) {
    const combo = node.closest("[data-combo]");
    return {
      combo,
      input: combo.querySelector('[role="combobox"]'),
      list: combo.querySelector('[role="listbox"]'),
      value: combo.querySelector("[data-combo-value]"),
    };
  }

  function showList(node, open) {
    const { input, list } = parts(node);
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) input.removeAttribute("aria-activedescendant");
  }

  function mark(node, index) {
    const { input, list } = parts(node);
    choices(list).forEach((option, i) => {
      option.setAttribute("aria-selected", String(i === index));
      if (i !== index) return;
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    });
  }

  function choose(option) {
    const { combo, input, value } = parts(option);
    input.value = option.dataset.words;
    value.value = option.dataset.value;
    showList(option, false);
    combo.dispatchEvent(
      new CustomEvent("xl:chosen", { bubbles: true, detail: { ...option.dataset } }),
    );
    if (combo.hasAttribute("data-combo-submit")) combo.closest("form").requestSubmit();
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    const list = event.detail.target;
    if (!list.matches?.('[data-combo] [role="listbox"]')) return;
    const { input } = parts(list);
    const prefix = `${list.id}-`;
    list.querySelectorAll('[role="option"]').forEach((option, i) => {
      option.id = `${prefix}${i}`;
    });
    showList(list, document.activeElement === input && input.value.trim() !== "");
    if (choices(list).length) mark(list, 0);
  });

  document.addEventListener("input", (event) => {
    if (!isComboInput(event.target)) return;
    parts(event.target).value.value = "";
    if (event.target.value.trim() === "") showList(event.target, false);
  });

  document.addEventListener(
    "keydown",
    (event) => {
      if (!isComboInput(event.target) || event.isComposing) return;
      const { list } = parts(event.target);
      const options = choices(list);
      const here = options.findIndex((o) => o.getAttribute("aria-selected") === "true");
      if (event.key === "Escape" && !list.hidden) showList(event.target, false);
      else if (event.key === "Enter" && !list.hidden && options[here]) choose(options[here]);
      else if (event.key === "ArrowDown" && options.length) {
        if (list.hidden) showList(event.target, true);
        mark(event.target, (here + 1) % options.length);
      } else if (event.key === "ArrowUp" && options.length) {
        mark(event.target, (here - 1 + options.length) % options.length);
      } else return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );

  /* Press, not click: the input would lose focus and close the list first. */
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest?.('[data-combo] [role="option"]:not([aria-disabled])');
    if (!option) return;
    event.preventDefault();
    choose(option);
  });
  document.addEventListener("focusout", (event) => {
    if (isComboInput(event.target)) showList(event.target, false);
  });
})();
