// SPDX-License-Identifier: Apache-2.0
// Keyboard, search lists and the few things a page does by itself. Everything works without it, only slower.
//
//   data-find                 the search box: F2 and /
//   data-key="Ctrl+Enter"     pressed when that key is: Ctrl+Enter, F8, Esc, Ctrl+Z, 1-4, R
//   data-items                the service list: F4, then the digit in its links' data-digit; data-items-url elsewhere
//   form[data-walk]           Enter goes to the next field (data-walk="submit": and submits at the last)
//   data-list                 arrows and J K move among its tabindex rows; Enter opens the row's link
//   data-choice               a group of radio buttons: up, down, J K another group; A B C a value; Enter on, then save
//   data-combo                a text box with hits below it: data-combo-input, data-combo-hits
//   data-menu-find            a box that narrows the links below data-menu; arrows move among them, Enter opens
//   form[data-batch]          a bar that appears with a selection
"use strict";
(() => {
  const all = (where, what) => [...where.querySelectorAll(what)];
  const one = (what) => document.querySelector(what);
  const shown = (el) => el && !el.disabled && el.getClientRects().length > 0;
  const typing = (el) => el.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName) && !/^(checkbox|radio|button|submit)$/.test(el.type));
  const composing = (e) => e.isComposing || e.keyCode === 229;
  const officer = document.body.dataset.officer;

  // ---- keys -----------------------------------------------------------------------------------------------------
  const store = (area, name, value) => {
    try { return value === undefined ? area.getItem(name) : area.setItem(name, value); } catch { return null; }
  };
  const singleKeys = () => store(localStorage, `single-keys-off:${officer}`) !== "1";
  const nameOf = (e) => (e.ctrlKey ? "Ctrl+" : "") + (e.key.length === 1 ? e.key.toUpperCase() : e.key);

  function press(key) {
    const scope = one("dialog[open]") || document;
    const target = all(scope, `[data-key="${key}"]`).find(shown);
    if (target) target.click();
    return Boolean(target);
  }

  function find() {
    const box = one("[data-find]");
    if (!box) return false;
    box.focus();
    box.select();
    return true;
  }

  function items() {
    const list = one("[data-items]");
    const away = one("[data-items-url]")?.dataset.itemsUrl;
    if (!list) return follow(away && `${away}#digit`);
    const first = list.querySelector("a[data-digit]") || list.querySelector("a");
    if (first) first.focus();
    return Boolean(first);
  }

  const follow = (url) => { if (url) location.assign(url); return Boolean(url); };

  function veil(on) {
    document.body.classList.toggle("veil", on);
    store(sessionStorage, "veil", on ? "1" : "0");
    all(document, "[data-veil-sign]").forEach((el) => { el.hidden = !on; });
  }

  function escape(e) {
    const combo = e.target.closest?.("[data-combo]");
    if (combo && close(combo)) return true;
    if (one("dialog[open]")) return false;
    if (press("Esc")) return true;
    const box = one("[data-find]");
    if (box && box.closest("main")) { box.value = ""; box.focus(); return true; }
    return false;
  }

  const always = {
    F1: () => { const keys = one("#keys"); if (keys.open) keys.close(); else keys.showModal(); return true; },
    F2: find,
    F4: items,
    F8: () => press("F8"),
    F9: () => { veil(!document.body.classList.contains("veil")); return true; },
    Escape: escape,
    "Ctrl+Enter": () => press("Ctrl+Enter"),
  };

  function single(e) {
    if (typing(e.target) || e.altKey || e.metaKey) return false;
    const key = nameOf(e);
    if (key === "Ctrl+Z") return press(key);
    if (!singleKeys() || e.ctrlKey) return false;
    if (key === "/") return find();
    const item = /^\d$/.test(key) && e.target.closest("[data-items]")?.querySelector(`[data-digit="${key}"]`);
    if (item) { item.click(); return true; }
    return /^[1-9A-Z]$/.test(key) && !"JK".includes(key) && press(key);
  }

  document.addEventListener("keydown", (e) => {
    if (composing(e)) return;
    const acts = always[nameOf(e)];
    if (acts ? acts(e) : inMenu(e) || inCombo(e) || inList(e) || inChoice(e) || walk(e) || single(e)) e.preventDefault();
  });

  // ---- Enter walks from field to field --------------------------------------------------------------------------
  function walk(e) {
    const form = e.key === "Enter" && !e.ctrlKey && e.target.matches("input, select") && e.target.closest("form[data-walk]");
    if (!form) return false;
    const fields = [...form.elements].filter((el) => /^(INPUT|SELECT|TEXTAREA)$/.test(el.tagName) && el.type !== "hidden" && !el.readOnly && shown(el));
    const next = fields[fields.indexOf(e.target) + 1];
    if (next) { next.focus(); next.select?.(); return true; }
    if (form.dataset.walk === "submit") return false;
    all(document, '[data-key="Ctrl+Enter"]').find(shown)?.focus();
    return true;
  }

  // ---- a list moves only while it has the focus -----------------------------------------------------------------
  function inList(e) {
    const row = e.target.closest("[data-list] [tabindex]");
    if (!row || typing(e.target)) return false;
    if (e.key === "Enter" && row === e.target && row.tagName !== "A") {
      row.querySelector("a, button")?.click();
      return true;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key] || (singleKeys() && !e.ctrlKey && { J: 1, K: -1 }[e.key.toUpperCase()]);
    if (!step) return false;
    const rows = all(row.closest("[data-list]"), "[tabindex]");
    const next = rows[rows.indexOf(row) + step];
    if (next) {
      rows.forEach((el) => { el.tabIndex = -1; });
      next.tabIndex = 0;
      next.focus();
    }
    return true;
  }

  // ---- groups of values to choose from ---------------------------------------------------------------------------
  function inChoice(e) {
    const group = e.target.matches("input[type=radio]") && e.target.closest("[data-choice]");
    if (!group || e.ctrlKey || e.altKey || e.metaKey) return false;
    const values = all(group, "input[type=radio]");
    const letter = singleKeys() ? "ABC".indexOf(e.key.toUpperCase()) : -1;
    if (e.key.length === 1 && letter >= 0) { values[letter]?.click(); values[letter]?.focus(); return true; }
    const step = { ArrowDown: 1, ArrowUp: -1, Enter: 1 }[e.key] || (singleKeys() && { J: 1, K: -1 }[e.key.toUpperCase()]);
    if (!step) return false;
    const groups = all(document, "[data-choice]").filter(shown);
    const next = groups[groups.indexOf(group) + step];
    if (next) (next.querySelector(":checked") || next.querySelector("input[type=radio]")).focus();
    else if (e.key === "Enter") all(document, '[data-key="Ctrl+Enter"]').find(shown)?.focus();
    return true;
  }
  document.addEventListener("input", (e) => {
    const own = e.target.matches("[data-own]") && e.target.closest("[data-choice]")?.querySelector("input[value=other]");
    if (own) own.checked = true;
  });

  // ---- search boxes ---------------------------------------------------------------------------------------------
  const HIT = "[role=option]:not([aria-disabled])";
  const parts = (combo) => ({ input: combo.querySelector("[data-combo-input]"), hits: combo.querySelector("[data-combo-hits]") });

  function open(combo) {
    const { input, hits } = parts(combo);
    // An answer to what was typed before the hits were closed does not open them again.
    hits.hidden = "closed" in combo.dataset || !input.value.trim() || !hits.children.length;
    input.setAttribute("aria-expanded", String(!hits.hidden));
    const first = hits.querySelector("[aria-selected=true]");
    if (first && !hits.hidden) input.setAttribute("aria-activedescendant", first.id);
    else input.removeAttribute("aria-activedescendant");
  }

  function close(combo) {
    const { input, hits } = parts(combo);
    if (hits.hidden) return false;
    hits.hidden = true;
    combo.dataset.closed = "";
    input.setAttribute("aria-expanded", "false");
    return true;
  }

  function choose(hit) {
    if (hit.dataset.href) return follow(hit.dataset.href);
    const combo = hit.closest("[data-combo]");
    const { input } = parts(combo);
    const value = combo.querySelector("[data-combo-value]");
    if (!value) return false;
    value.value = hit.dataset.value;
    input.value = hit.dataset.text;
    close(combo);
    value.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  }

  function inCombo(e) {
    const combo = e.target.matches("[data-combo-input]") && e.target.closest("[data-combo]");
    if (!combo) return false;
    const { input, hits } = parts(combo);
    const options = hits.hidden ? [] : all(hits, HIT);
    const at = options.findIndex((el) => el.ariaSelected === "true");
    if (e.key === "Enter" && options[at]) return choose(options[at]);
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!step || !options.length) return false;
    const next = options[(at + step + options.length) % options.length];
    options.forEach((el) => { el.ariaSelected = String(el === next); });
    input.setAttribute("aria-activedescendant", next.id);
    next.scrollIntoView({ block: "nearest" });
    return true;
  }

  document.addEventListener("mousedown", (e) => {
    const hit = e.target.closest(`[data-combo-hits] ${HIT}`);
    if (hit) { e.preventDefault(); choose(hit); return; }
    all(document, "[data-combo]").filter((el) => !el.contains(e.target)).forEach(close);
  });
  document.addEventListener("input", (e) => {
    const combo = e.target.matches("[data-combo-input]") && e.target.closest("[data-combo]");
    if (!combo) return;
    const value = combo.querySelector("[data-combo-value]");
    if (value) value.value = "";
    delete combo.dataset.closed;
    if (!e.target.value.trim()) close(combo);
  });

  // ---- the menu: narrowed while one types, arrows move the focus among what is left -------------------------------
  const menuBox = () => one("[data-menu-find]");
  const menuRows = () => all(document, "[data-menu] a");
  const menuLeft = () => menuRows().filter(shown);
  const menuText = () => plain(menuBox().value).toLowerCase().replace(/['’\s]/g, "").slice(0, 40);

  function narrow() {
    const text = menuText();
    const fits = (row) => (/^\d+$/.test(text) ? row.dataset.no.startsWith(text) : row.dataset.words.includes(text));
    menuRows().forEach((row) => { row.closest("li").hidden = !fits(row); });
    all(document, "[data-menu] section").forEach((group) => { group.hidden = !group.querySelector("li:not([hidden])"); });
    const left = menuLeft();
    // Enter opens the one with exactly that number, else the first.
    const first = text && (left.find((row) => row.dataset.no === text) || left[0]);
    menuRows().forEach((row) => row.classList.toggle("on", row === first));
    one("[data-menu-none]").hidden = left.length > 0;
    const count = one("[data-menu-count]");
    count.textContent = text ? count.dataset.words.replace("{n}", left.length) : "";
  }

  function inMenu(e) {
    const box = menuBox();
    // A letter typed at the list goes on in the box.
    if (box && e.target.closest("[data-menu] a") && e.key.length === 1 && !/[\s\d]/.test(e.key) && !e.ctrlKey && !e.altKey) { box.focus(); return false; }
    const rows = box && (e.target === box || e.target.closest("[data-menu]")) ? menuLeft() : [];
    const chosen = rows.find((row) => row.classList.contains("on"));
    if (e.key === "Enter" && e.target === box && chosen) return follow(chosen.href);
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!step || !rows.length) return false;
    const at = e.target === box ? rows.indexOf(chosen || rows[0]) - (step > 0 && !chosen ? 1 : 0) : rows.indexOf(e.target);
    const next = rows[at + step];
    if (next) next.focus();
    else if (step < 0) box.focus();
    return true;
  }
  document.addEventListener("input", (e) => { if (e.target === menuBox()) narrow(); });
  if (location.hash === "#digit") items();  // F4 was pressed on another page: the next key is a digit

  // ---- fields: what an input method or a habit leaves behind is tidied, and shown in groups ------------------------
  const plain = (text) => text.normalize("NFKC").trim();
  const bare = (text) => plain(text).replace(/\s/g, "");
  const grouped = (text, cuts) => cuts.map((cut, i) => text.slice(i ? cuts[i - 1] : 0, cut)).filter(Boolean).join(" ");
  const tidy = {
    resident_id: (text) => bare(text).toUpperCase(),
    phone: (text) => bare(text).replace(/-/g, (dash, at) => (at < 5 ? dash : "")),
    bank_account: bare,
    money: (text) => bare(text).replace(/,/g, ""),
    date: (text) => bare(text).replace(/^(\d{4})[./年]?(\d{2})[./月]?(\d{2})日?$/, "$1-$2-$3"),
    month: (text) => bare(text).replace(/^(\d{4})[./年]?(\d{2})月?$/, "$1-$2"),
  };
  const dressed = {
    resident_id: (text) => (text.length === 18 ? grouped(text, [6, 14, 18]) : text),
    phone: (text) => (/^1\d{10}$/.test(text) ? grouped(text, [3, 7, 11]) : text),
    bank_account: (text) => text.replace(/(\d{4})(?=\d)/g, "$1 "),
  };
  const dress = (el) => { const text = (tidy[el.dataset.kind] || ((v) => v))(el.value); el.value = (dressed[el.dataset.kind] || ((v) => v))(text); };
  const fields = (where) => all(where, "input[data-kind]").filter((el) => tidy[el.dataset.kind]);

  document.addEventListener("focusout", (e) => { if (e.target.dataset?.kind in tidy) dress(e.target); });
  document.addEventListener("formdata", (e) => {
    fields(e.target).forEach((el) => { if (el.name && !el.disabled) e.formData.set(el.name, tidy[el.dataset.kind](el.value)); });
  });

  // ---- links in the summary lead to the field, not only to its label ------------------------------------------------
  document.addEventListener("click", (e) => {
    const link = e.target.closest(".summary a[href^='#l-']");
    const field = link && document.getElementById(`f-${link.hash.slice(3)}`);
    if (field) { e.preventDefault(); document.getElementById(link.hash.slice(1))?.scrollIntoView({ block: "nearest" }); field.focus(); }
    if (e.target.closest("[data-print]")) window.print();
    if (e.target.closest("[data-history-back]") && history.length > 1) { e.preventDefault(); history.back(); }
  });

  // ---- selection in a table -------------------------------------------------------------------------------------
  document.addEventListener("change", (e) => {
    const form = e.target.closest("form[data-batch]");
    if (e.target.matches("[data-single-keys]")) store(localStorage, `single-keys-off:${officer}`, e.target.checked ? "0" : "1");
    if (!form) return;
    const boxes = all(form, "input[name=selected]");
    if (e.target.matches("[data-batch-all]")) boxes.forEach((box) => { box.checked = e.target.checked; });
    boxes.forEach((box) => box.closest("tr")?.classList.toggle("on", box.checked));
    const bar = form.querySelector("[data-batch-bar]");
    const count = boxes.filter((box) => box.checked).length;
    bar.hidden = !count;
    bar.querySelector("[data-batch-count]").textContent = bar.dataset.words.replace("{n}", count);
  });

  // ---- pictures of papers ---------------------------------------------------------------------------------------
  // A photo of a phone is ten times what a reader needs, and the line is slow: it is made smaller before it is sent.
  const LONGEST = 1700;
  async function smaller(file) {
    if (!/^image\/(jpeg|png)$/.test(file.type)) return file;
    const picture = await createImageBitmap(file).catch(() => null);
    const scale = picture && Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    if (!picture || (scale === 1 && file.size < 400000)) return file;
    const canvas = Object.assign(document.createElement("canvas"), { width: picture.width * scale, height: picture.height * scale });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const made = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", 0.75); });
    return made && made.size < file.size ? new File([made], "scan.jpg", { type: "image/jpeg" }) : file;
  }
  document.addEventListener("change", async (e) => {
    if (!e.target.matches("input[data-shrink]")) return;
    const chosen = new DataTransfer();
    for (const file of e.target.files) chosen.items.add(await smaller(file));
    e.target.files = chosen.files;
    e.target.dispatchEvent(new Event("shrunk"));
  });

  // ---- htmx -----------------------------------------------------------------------------------------------------
  document.addEventListener("htmx:configRequest", (e) => {
    const asked = e.detail.elt.matches("[data-combo-input]");
    if (asked) e.detail.parameters.q = plain(e.detail.elt.value).replace(/['’]/g, "");
  });
  document.addEventListener("htmx:afterSwap", (e) => {
    const combo = e.detail.target.closest("[data-combo]");
    if (combo) open(combo);
    if (e.detail.target.id === "status") sayLink(e.detail.target);
    settle(e.detail.target);
    // A part that took the focus away with it gives it to its own heading, never to the body.
    if (document.activeElement === document.body) e.detail.target.querySelector("[tabindex='-1']")?.focus();
  });
  document.addEventListener("htmx:sendError", (e) => {
    if (e.detail.elt.id === "status") return;
    const line = one("#notice");
    line.textContent = "";
    line.append(Object.assign(document.createElement("div"), { className: "notice turn", textContent: document.body.dataset.noAnswer }));
  });
  const say = (text) => { one("#say").textContent = text; };
  document.addEventListener("say", (e) => say(e.detail.value));
  let link = null;
  function sayLink(bar) {
    const now = bar.querySelector("[data-status=link]")?.textContent.trim().split(/\s/)[0] ?? "";
    if (link !== null && now !== link) say(now);
    link = now;
  }

  function settle(where) {
    fields(where).forEach(dress);
    all(where, "[data-gone-after-s]").forEach((el) => setTimeout(() => el.remove(), 1000 * Number(el.dataset.goneAfterS)));
  }

  // ---- a card on the reader opens its person's page ------------------------------------------------------------------
  const cards = one("[data-cards]");
  const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
  let listening = null;

  function noteCard(kind, text, n) {
    const line = one("#notice");
    all(line, "[data-card]").forEach((el) => el.remove());
    if (!text) return;
    const note = Object.assign(document.createElement("div"), { className: `notice ${kind}`, textContent: text });
    note.dataset.card = "";
    if (n) {
      const open = Object.assign(document.createElement("button"), { className: "btn btn-plain", textContent: cards.dataset.open });
      open.addEventListener("click", () => takeCard(n));
      note.append(" ", open);
    }
    line.append(note);
  }

  async function takeCard(n) {
    const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
    const answer = await fetch(cards.dataset.take, { method: "POST", headers: { "X-CSRFToken": token, Accept: "application/json" }, body: new URLSearchParams({ n }) });
    if (answer.status === 200) follow((await answer.json()).url);
  }

  async function hearCard({ n, state, said }) {
    const sign = one("[data-card-sign]");
    if (sign && cards.dataset[state]) sign.textContent = cards.dataset[state];
    noteCard("turn", state === "problem" ? said : "");
    if (state !== "read") return;
    // A form that is being filled is not left by itself: whoever fills it decides.
    if (all(document, "form[data-walk]").some(shown)) { noteCard("go", cards.dataset.read, n); return; }
    if (!document.hasFocus()) await pause(200); // of two windows side by side, the one in use comes first
    await takeCard(n);
  }

  async function listen() {
    const stop = new AbortController();
    listening = stop;
    while (!stop.signal.aborted) {
      try {
        const after = store(sessionStorage, "card-n") ?? "";
        const asked = performance.now();
        const answer = await fetch(`${cards.dataset.cards}?after=${after}`, { signal: stop.signal, headers: { Accept: "application/json" } });
        if (answer.status === 401) return;
        if (!answer.ok) throw new Error("not heard");
        const happened = await answer.json();
        store(sessionStorage, "card-n", String(happened.n));
        await hearCard(happened);
        // Let go early because others wait, too: asking again at once would only push them out in turn.
        if (!happened.state && performance.now() - asked < 1000) await pause(1000);
      } catch { await pause(1000); }
    }
  }

  function attend() {
    listening?.abort();
    if (document.visibilityState === "visible") listen();
  }
  if (cards) { document.addEventListener("visibilitychange", attend); attend(); }
  addEventListener("pagehide", () => listening?.abort());

  // ---- at load --------------------------------------------------------------------------------------------------
  settle(document);
  veil(store(sessionStorage, "veil") === "1");
  const single_box = one("[data-single-keys]");
  if (single_box) single_box.checked = singleKeys();
})();
