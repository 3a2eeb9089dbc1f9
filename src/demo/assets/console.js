"use strict";
// One listener for all buttons, also those that the live part brings later.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { fire, network } = button.dataset;
  if (fire !== undefined) send("/fire", { code: fire });
  if (network !== undefined) send("/network", { connected: network === "true" }).then(refresh);
});

function send(path, body) {
  return fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

const live = document.getElementById("live");
let shown = "";
async function refresh() {
  try {
    const text = await (await fetch("/cases")).text();
    // Only a change is drawn, so that a press is never lost to a redraw.
    if (text !== shown) live.innerHTML = shown = text;
  } catch {
    live.textContent = "The demo has stopped.";
  }
}
setInterval(refresh, 700);
