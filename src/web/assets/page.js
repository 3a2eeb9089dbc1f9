// The page's hands and ears. What is shown comes from the agent, whole; this script swaps what changed, sends what is tapped
// or typed, and makes the sounds. It decides nothing.
"use strict";
(() => {
  const TICK = 1000;
  const SILENCE = 12000; // three of the agent's signs of life
  const REOPEN = 1500;
  const PATIENCE = 5000;
  const BOUNCE = 500; // a glove that taps twice
  const WEDGE = 80; // no person presses Enter this soon after another key: a scanner does
  const MOST_QUEUED = 32;

  const at = (id) => document.getElementById(id);
  const meta = (name) => document.querySelector(`meta[name="${name}"]`).content;
  const token = meta("tallyman-token");
  const session = meta("tallyman-session");

  // ---- what is shown -------------------------------------------------------------------------------------------------

  const main = at("main");
  let shown = regions(main);
  let heard = null; // the number of the last feedback, once one was seen

  /** The innermost pieces that are replaced on their own, by name. */
  function regions(root) {
    return new Map([...root.querySelectorAll("[data-region]")].map((node) => [node.dataset.region, node.outerHTML]));
  }

  function show(html) {
    const next = document.createElement("template");
    next.innerHTML = html;
    const fresh = regions(next.content);
    const focused = document.activeElement && document.activeElement.id;
    if (shown.size !== fresh.size || [...fresh.keys()].some((name) => !shown.has(name))) {
      main.replaceChildren(next.content);
    } else {
      for (const [name, outer] of fresh) {
        if (shown.get(name) === outer) continue;
        const select = `[data-region="${name}"]`;
        main.querySelector(select).replaceWith(next.content.querySelector(select));
      }
    }
    shown = fresh;
    if (focused && document.activeElement === document.body && at(focused)) at(focused).focus({ preventScroll: true });
    settle();
  }

  /** What the agent can't do for the page: local time, focus, sound. */
  function settle() {
    for (const time of main.querySelectorAll("time[datetime]")) {
      const when = new Date(time.dateTime);
      const today = when.toDateString() === new Date().toDateString();
      const day = today ? {} : { day: "2-digit", month: "2-digit" };
      time.textContent = when.toLocaleString(document.documentElement.lang, { ...day, hour: "2-digit", minute: "2-digit", hour12: false });
    }
    const acknowledge = at("acknowledge");
    if (acknowledge && !at("stage").inert) acknowledge.focus();
    blockStage();
    const feedback = at("feedback");
    const number = feedback.dataset.number;
    if (heard !== null && number !== heard) {
      main.dataset.live = "";
      play(feedback.dataset.sound);
      // A scan answered before anything was typed: the entry is in the way.
      if (!at("entry").hidden && at("entry-text").value === "") closeEntry();
    }
    heard = number;
  }

  /** Behind a refusal, without the agent, or under the entry nothing can be pressed. */
  function blockStage() {
    at("stage").inert = Boolean(at("acknowledge")) || !at("lost").hidden || !at("entry").hidden;
  }

  // ---- the line to the agent -----------------------------------------------------------------------------------------

  let source = null;
  let alive = Date.now();

  function open() {
    if (source) source.close();
    source = new EventSource("/events");
    source.addEventListener("session", (event) => {
      // Another run of the agent has another token, and may have another page.
      if (event.data !== session) location.reload();
    });
    source.addEventListener("alive", found);
    source.addEventListener("message", (event) => {
      found();
      show(JSON.parse(event.data));
    });
    source.addEventListener("error", () => {
      lose();
      if (source.readyState === EventSource.CLOSED) setTimeout(open, REOPEN);
    });
  }

  function found() {
    alive = Date.now();
    if (at("lost").hidden) return;
    at("lost").hidden = true;
    blockStage();
  }

  function lose() {
    at("lost").hidden = false;
    blockStage();
  }

  setInterval(() => {
    if (Date.now() - alive < SILENCE) return;
    alive = Date.now();
    lose();
    open();
  }, TICK);

  // ---- what is sent --------------------------------------------------------------------------------------------------

  let queue = Promise.resolve(true);
  let queued = 0;

  /** One after the other, so that 1 and 2 never arrive as 21. Answers whether it arrived. */
  function send(body) {
    if (queued >= MOST_QUEUED) {
      say(at("local").dataset.notSent);
      return Promise.resolve(false);
    }
    queued += 1;
    queue = queue.then(() => post(body)).finally(() => { queued -= 1; });
    return queue;
  }

  async function post(body) {
    try {
      const reply = await fetch("/input", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Tallyman-Token": token },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (reply.ok) {
        at("local").hidden = true;
        return true;
      }
      const why = await reply.json();
      if (why.code === "token") location.reload();
      say(why.error);
    } catch {
      say(at("local").dataset.notSent);
    }
    return false;
  }

  function say(words) {
    at("local-words").textContent = words;
    at("local").hidden = false;
    play("not-understood");
  }

  function upload(file) {
    const request = new XMLHttpRequest();
    const done = (words) => {
      at("upload").hidden = true;
      if (words) say(words);
    };
    at("upload-progress").value = 0;
    at("upload").hidden = false;
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) at("upload-progress").value = (100 * event.loaded) / event.total;
    });
    request.addEventListener("load", () => {
      // A refused photo is on the screen already, through the agent; only what it could not tell is told here.
      const told = request.status === 202 || request.status === 413 || request.status === 422;
      let words = null;
      if (!told) {
        try { words = JSON.parse(request.responseText).error; } catch { words = at("local").dataset.photoNotSent; }
      }
      done(words);
    });
    for (const broken of ["error", "timeout", "abort"]) {
      request.addEventListener(broken, () => done(at("local").dataset.photoNotSent));
    }
    request.open("POST", "/photo");
    request.timeout = 60000;
    request.setRequestHeader("X-Tallyman-Token", token);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.send(file);
  }

  at("photo-input").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) upload(file);
    event.target.value = ""; // the same file again is a new choice
  });

  // ---- taps ----------------------------------------------------------------------------------------------------------

  let lastTap = { what: "", when: 0 };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { command, open: slot, view, acknowledge, photo } = button.dataset;
    if (command) tap(button, command);
    else if (slot) openEntry(slot);
    else if (view) look(view);
    else if (acknowledge) send({ acknowledge: Number(acknowledge) });
    else if (photo !== undefined) at("photo-input").click();
    else if (button.id === "entry-close") closeEntry();
    else if (button.id === "local-close") at("local").hidden = true;
  });

  function tap(button, command) {
    if (button.getAttribute("aria-disabled") === "true") return;
    // A digit twice is a number; anything else twice within a blink is one tap too many.
    const digit = /^TM-(\d|POINT)$/.test(command);
    const when = Date.now();
    if (!digit && command === lastTap.what && when - lastTap.when < BOUNCE) return;
    lastTap = { what: command, when };
    if (command === "TM-SIGNOFF") closeEntry();
    send({ command });
  }

  function look(view) {
    document.body.dataset.showing = view;
    const focus = view === "mine" ? at("back") : at("line");
    if (focus) focus.focus({ preventScroll: true });
  }

  let lastKey = 0;
  document.addEventListener("keydown", (event) => {
    const when = Date.now();
    if (event.key === "Enter" && when - lastKey < WEDGE && event.target.closest("button")) event.preventDefault();
    if (event.key.length === 1) lastKey = when;
    if (event.key !== "Escape") return;
    if (!at("entry").hidden) closeEntry();
    else if (document.body.dataset.showing === "mine") look("work");
  }, true);

  // ---- typing instead ------------------------------------------------------------------------------------------------

  let opener = null;

  function openEntry(slot) {
    opener = document.activeElement && document.activeElement.id;
    at("entry").hidden = false;
    const radio = at("entry").querySelector(`input[value="${slot}"]`);
    radio.checked = true;
    choose(radio);
    blockStage();
    at("entry-text").focus();
  }

  function closeEntry() {
    at("entry").hidden = true;
    at("entry-text").value = "";
    blockStage();
    if (opener && at(opener)) at(opener).focus({ preventScroll: true });
  }

  function choose(radio) {
    at("entry-title").textContent = radio.dataset.title;
    at("entry").dataset.slot = radio.value;
    at("entry-text").autocapitalize = radio.value === "note" ? "sentences" : "characters";
    at("sign-off-part").hidden = radio.value !== "operator" || at("chip-operator").dataset.state !== "set";
  }

  at("entry").addEventListener("change", (event) => {
    if (event.target.name !== "slot") return;
    choose(event.target);
    at("entry-text").focus();
  });

  at("entry").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = at("entry-text").value;
    if (text.trim() === "") return at("entry-text").focus();
    const arrived = await send({ slot: at("entry").dataset.slot, text });
    if (arrived && at("entry-text").value === text) closeEntry();
  });

  // ---- sounds --------------------------------------------------------------------------------------------------------

  // Each note: pitch in Hz, start and length in milliseconds, loudness.
  const NOTES = {
    "understood": [[1568, 0, 70, 0.25]],
    "saved-online": [[880, 0, 110, 0.35], [1319, 120, 190, 0.35]],
    "saved-offline": [[660, 0, 130, 0.16], [880, 140, 230, 0.16]],
    "matches": [[1047, 0, 90, 0.25], [1047, 130, 90, 0.25]],
    "not-understood": [[247, 0, 140, 0.4], [247, 200, 140, 0.4]],
    "refused": [[165, 0, 200, 0.5], [165, 270, 200, 0.5], [165, 540, 320, 0.5]],
  };
  let audio = null;

  function play(sound) {
    const notes = NOTES[sound];
    if (!notes) return;
    main.dataset.sound = sound;
    audio = audio || new AudioContext();
    if (audio.state !== "running") {
      // A browser stays silent until it is touched; a kiosk allows sound from the start.
      at("silent").hidden = false;
      audio.resume().then(heardAgain, () => {});
      return;
    }
    for (const [pitch, start, length, loudness] of notes) note(pitch, start / 1000, length / 1000, loudness);
  }

  function note(pitch, start, length, loudness) {
    const begin = audio.currentTime + start;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    // Low tones carry overtones, or a handheld's small speaker would swallow them.
    tone.type = pitch < 400 ? "square" : "triangle";
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, begin);
    volume.gain.exponentialRampToValueAtTime(loudness, begin + 0.008);
    volume.gain.setValueAtTime(loudness, begin + length * 0.7);
    volume.gain.exponentialRampToValueAtTime(0.0001, begin + length);
    tone.connect(volume).connect(audio.destination);
    tone.start(begin);
    tone.stop(begin + length + 0.02);
  }

  function heardAgain() {
    if (audio && audio.state === "running") at("silent").hidden = true;
  }

  for (const gesture of ["pointerdown", "keydown"]) {
    document.addEventListener(gesture, () => {
      audio = audio || new AudioContext();
      if (audio.state !== "running") audio.resume().then(heardAgain, () => {});
    }, { capture: true });
  }

  settle();
  open();
})();
