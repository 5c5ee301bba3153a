// Answer by key, if wished, and once; say for how long the question was really on the screen.
const form = document.querySelector("form.cards");
const buttons = [...form.querySelectorAll("button[name=choice]")];

// The keys of the last page must not answer this one, and one answer is enough.
const SETTLE = 400;
const PATIENCE = 10_000; // a page that was stopped on its way can be answered again
let ready = Infinity;
let sent = -Infinity;

addEventListener("pageshow", () => {
  ready = performance.now() + SETTLE;
  sent = -Infinity;
});

form.addEventListener("submit", (event) => {
  const now = performance.now();
  if (now - sent < PATIENCE) {
    event.preventDefault();
    return;
  }
  sent = now;
  form.elements.visible_ms.value = Math.round(visibleTime());
});

// -- keys: shown, and alive, where there is a mouse or the like beside which a keyboard lies ----

const hint = document.querySelector("[data-keys]");
const toggle = hint.querySelector("input");
const FIELDS = "input:not([type=checkbox]), select, textarea, [contenteditable]";
const desk = matchMedia("(any-hover: hover) and (any-pointer: fine)");

toggle.checked = remembered("localStorage", "keys") !== "off";
toggle.addEventListener("change", () => {
  remember("localStorage", "keys", toggle.checked ? "on" : "off");
});
desk.addEventListener("change", showHint);
showHint();

function showHint() {
  hint.hidden = !desk.matches;
}

addEventListener("keydown", (event) => {
  if (!desk.matches || !toggle.checked || event.defaultPrevented || event.repeat) return;
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target.closest?.(FIELDS)) return;
  const arrow = ["ArrowLeft", "ArrowRight"].indexOf(event.key);
  const choice = ["1", "2"].indexOf(digit(event));
  if (arrow >= 0 && !event.shiftKey) {
    const mirrored = getComputedStyle(form).direction === "rtl";
    buttons[mirrored ? 1 - arrow : arrow].focus();
    event.preventDefault();
  } else if (choice >= 0 && event.timeStamp >= ready) {
    event.preventDefault();
    form.requestSubmit(buttons[choice]);
  }
});

// Some keyboards give a digit only with Shift; the key that bears it counts all the same.
function digit(event) {
  if (event.key === "1" || event.key === "2") return event.key;
  return event.shiftKey ? "" : { Digit1: "1", Digit2: "2" }[event.code];
}

// -- time: what passes while the page can be seen, kept across reloads of the same question -----

const question = `visible:${form.elements.assignment.value}`;
let seenBefore = Number(remembered("sessionStorage", question)) || 0;
let seenSince = document.hidden ? null : performance.now();

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    seenSince ??= performance.now();
    return;
  }
  seenBefore = visibleTime();
  seenSince = null;
  remember("sessionStorage", question, seenBefore);
});
addEventListener("pagehide", () => remember("sessionStorage", question, visibleTime()));

function visibleTime() {
  return seenBefore + (seenSince === null ? 0 : performance.now() - seenSince);
}

// Storage may be forbidden or full; then nothing is remembered.
function remembered(storage, key) {
  try {
    return window[storage].getItem(key);
  } catch {
    return null;
  }
}

function remember(storage, key, value) {
  try {
    window[storage].setItem(key, value);
  } catch {
    // as said
  }
}
