// SPDX-License-Identifier: Apache-2.0
// The self-service page: a card begins a visit, its removal or silence ends it, digits by touch, the room's screen.
"use strict";
(() => {
  const one = (what) => document.querySelector(what);
  const all = (what) => [...document.querySelectorAll(what)];
  const body = document.body.dataset;
  const visit = "visit" in body;
  const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
  const send = (what) => one(what)?.requestSubmit();

  // ---- a page shown again by the back button asks anew who stands there
  addEventListener("pageshow", (e) => { if (e.persisted) location.replace(body.home); });

  // ---- the card
  async function listen() {
    let after = "";
    try { after = (await (await fetch(body.listen)).json()).n; } catch { await pause(1000); }
    for (;;) {
      try {
        const asked = performance.now();
        const answer = await fetch(`${body.listen}?after=${after}`);
        const { n, state, said } = await answer.json();
        after = n;
        if (visit && state && state !== "read") { location.replace(body.home); return; }
        if (!visit && state === "read") { send("[data-begin-form]"); return; }
        const line = one("[data-said]");
        if (!state && performance.now() - asked < 1000) await pause(1000); // others wait, too
        if (line && state) { line.textContent = said; line.hidden = !said; }
      } catch { await pause(1000); }
    }
  }
  if (!document.body.matches(".display")) listen();

  // ---- silence
  let idle = null;
  const touched = () => { clearTimeout(idle); idle = setTimeout(() => send("[data-end-form]"), 1000 * Number(body.idleS)); };
  if (!document.body.matches(".display") && location.pathname !== body.home) {
    ["pointerdown", "keydown", "input"].forEach((name) => document.addEventListener(name, touched));
    touched();
  }

  // ---- digits by touch
  const pad = one("[data-pad]");
  if (pad) {
    const box = one("#digits");
    pad.hidden = false;
    one("[data-plain-go]").hidden = true;
    pad.addEventListener("click", (e) => {
      const key = e.target.closest("[data-digit]");
      if (key) box.value = key.dataset.digit ? (box.value + key.dataset.digit).slice(0, box.maxLength) : "";
    });
  }

  // ---- paper
  all("[data-print]").forEach((key) => key.addEventListener("click", () => print()));
  if (one("[data-print-now]")) print();

  // ---- the room's screen
  const room = one("[data-room]");
  if (room) setInterval(async () => {
    try {
      const answer = await fetch(room.dataset.room);
      if (answer.ok) room.innerHTML = await answer.text();
    } catch { /* the next turn asks again */ }
  }, 2000);
})();
