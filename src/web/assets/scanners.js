// The scanner test page: what is shown comes from the agent, whole. A test goes on only while somebody looks.
"use strict";
(() => {
  const STAY = 10000; // the agent ends a test 60 s after the last of these
  const SILENCE = 12000; // three of the agent's signs of life
  const REOPEN = 1500;
  const PATIENCE = 5000;
  const WEDGE = 80; // no person presses Enter this soon after another key

  const at = (id) => document.getElementById(id);
  const meta = (name) => document.querySelector(`meta[name="${name}"]`).content;
  const token = meta("tallyman-token");
  const session = meta("tallyman-session");
  const tester = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const button = at("test");

  let testing = false;
  let alive = Date.now();
  let source = null;

  async function say(stays) {
    try {
      const reply = await fetch("/scanners/test", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Tallyman-Token": token },
        body: JSON.stringify({ tester, stays }),
        keepalive: !stays, // the page may be on its way out
        signal: stays ? AbortSignal.timeout(PATIENCE) : undefined,
      });
      if (reply.status === 403) location.reload();
    } catch {
      at("lost").hidden = false;
    }
  }

  function test(on) {
    testing = on;
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? button.dataset.stop : button.dataset.start;
    say(on);
  }

  button.addEventListener("click", () => test(!testing));
  document.addEventListener("visibilitychange", () => { if (testing) say(!document.hidden); });
  window.addEventListener("pagehide", () => { if (testing) say(false); });
  setInterval(() => { if (testing && !document.hidden) say(true); }, STAY);

  function open() {
    if (source) source.close();
    source = new EventSource("/scanners/events");
    source.addEventListener("session", (event) => {
      if (event.data !== session) location.reload();
    });
    source.addEventListener("alive", found);
    source.addEventListener("message", (event) => {
      found();
      at("main").innerHTML = JSON.parse(event.data);
    });
    source.addEventListener("error", () => {
      at("lost").hidden = false;
      if (source.readyState === EventSource.CLOSED) setTimeout(open, REOPEN);
    });
  }

  function found() {
    alive = Date.now();
    at("lost").hidden = true;
  }

  setInterval(() => {
    if (Date.now() - alive < SILENCE) return;
    alive = Date.now();
    at("lost").hidden = false;
    open();
  }, 1000);

  // A scanner that the agent doesn't read types here: the Enter behind its code must not press the button.
  let lastKey = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.timeStamp - lastKey < WEDGE) event.preventDefault();
    lastKey = event.timeStamp;
  });
  open();
})();
