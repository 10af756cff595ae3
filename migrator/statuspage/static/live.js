// Keeps the page up to date: the server sends the part that changes, drawn and
// escaped, and what differs is put in its place.
"use strict";
(() => {
  const main = document.getElementById("main");
  const live = document.getElementById("live");
  const text = document.getElementById("live-text");
  const said = document.getElementById("said");
  const patience = 30; // seconds without news after which the page says so
  let read = Date.parse(live.dataset.at);
  let heard = Date.now();
  let skew = 0; // of this clock to the server's
  let connected = false;

  const words = new Map();
  for (const part of main.querySelectorAll("[data-said]")) words.set(part.id, part.dataset.said);

  // open tells which details are open, and where the focus is, so that a new part
  // looks as the one before.
  function replace(before, after) {
    const open = new Map();
    for (const d of before.querySelectorAll("details[id]")) open.set(d.id, d.open);
    const scrolled = [...before.querySelectorAll(".scroll")].map((s) => s.scrollLeft);
    const focus = before.contains(document.activeElement) ? path(before, document.activeElement) : null;
    before.replaceWith(after);
    for (const d of after.querySelectorAll("details[id]")) if (open.has(d.id)) d.open = open.get(d.id);
    after.querySelectorAll(".scroll").forEach((s, i) => { if (scrolled[i]) s.scrollLeft = scrolled[i]; });
    if (focus) {
      let e = after;
      for (const i of focus) e = e && e.children[i];
      if (e) e.focus({ preventScroll: true });
    }
  }

  function path(top, e) {
    const steps = [];
    for (; e !== top; e = e.parentElement) steps.unshift([...e.parentElement.children].indexOf(e));
    return steps;
  }

  function show(html) {
    const next = document.createElement("template");
    next.innerHTML = html;
    const parts = [...next.content.children];
    const kept = new Set(parts.map((p) => p.id));
    for (const old of [...main.children]) if (!kept.has(old.id)) old.remove();
    let place = main.firstElementChild;
    for (const part of parts) {
      const old = document.getElementById(part.id);
      if (!old) {
        main.insertBefore(part, place);
        continue;
      }
      if (old !== place) main.insertBefore(old, place);
      place = old.nextElementSibling;
      if (markup(old) !== markup(part)) replace(old, part);
    }
    const news = [];
    for (const part of main.querySelectorAll("[data-said]")) {
      if (words.get(part.id) !== part.dataset.said) news.push(part.dataset.said);
      words.set(part.id, part.dataset.said);
    }
    if (news.length) said.textContent = news.join("; ");
  }

  // markup leaves out what the reader has opened.
  function markup(e) {
    const copy = e.cloneNode(true);
    for (const d of copy.querySelectorAll("details[open]")) d.removeAttribute("open");
    return copy.outerHTML;
  }

  function tell() {
    const away = document.getElementById("away");
    const silent = (Date.now() - heard) / 1000 > patience || !connected && !source;
    live.classList.toggle("on", connected && !away);
    live.classList.toggle("lost", Boolean(away) || !connected);
    const age = read > 0 ? Math.max(0, Math.round((Date.now() - skew - read) / 1000)) : -1;
    const ago = age < 0 ? "not read yet" : age < 5 ? "just now" : "as of " + span(age) + " ago";
    text.textContent = connected ? (away ? "database away, " + ago : "live, " + ago) : silent ? "no answer from the server, " + ago : "connecting, " + ago;
  }

  function span(s) {
    if (s < 60) return s + " s";
    if (s < 3600) return Math.floor(s / 60) + " min";
    return Math.floor(s / 3600) + " h " + (Math.floor(s / 60) % 60) + " min";
  }

  let source = null;
  function connect() {
    source = new EventSource("events");
    source.onmessage = (e) => {
      const update = JSON.parse(e.data);
      const at = Date.parse(update.at);
      if (at > read && at > 0) skew = Math.min(Date.now() - at, skew || Infinity);
      read = at;
      document.getElementById("where").textContent = update.database;
      document.title = "Crossfade" + (update.database && ": " + update.database);
      heard = Date.now();
      connected = true;
      show(update.html);
      tell();
    };
    source.onerror = () => {
      connected = false;
      if (source.readyState === EventSource.CLOSED) { // turned away: too many, or no token any more
        source = null;
        setTimeout(reload, 10000);
      }
      tell();
    };
  }

  // reload shows the page anew where no stream is to be had; a server that is gone
  // leaves what is there.
  async function reload() {
    try {
      const answer = await fetch("./", { method: "HEAD" });
      if (answer.ok || answer.status === 401) return location.reload();
    } catch { /* it is still gone */ }
    setTimeout(reload, 10000);
  }

  connect();
  setInterval(tell, 1000);
})();
