// Answers by key where wanted, sends one answer only, and measures how long the question was visible.
const form = document.querySelector("form.answer");
// Buttons that answer, or radios where the page asks for more than the choice.
const choices = ["1", "2", "0"].map((key, nth) => ({
  key,
  element: form.querySelectorAll("[name=choice]")[nth],
}));

// A key still held from the last page must not answer this one; a second answer is not sent.
const IGNORE_KEYS_MS = 400;
const RESEND_AFTER_MS = 10_000; // after a cancelled request the answer can be sent again
let ready = Infinity;
let sent = -Infinity;

addEventListener("pageshow", () => {
  ready = performance.now() + IGNORE_KEYS_MS;
  sent = -Infinity;
});

form.addEventListener("submit", (event) => {
  const now = performance.now();
  if (now - sent < RESEND_AFTER_MS) {
    event.preventDefault();
    return;
  }
  sent = now;
  form.elements.visible_ms.value = Math.round(visibleTime());
  form.elements.client_at.value = new Date().toISOString();
  // A browser that translates the page names the language there.
  form.elements.page_language.value = document.documentElement.lang;
});

// -- keys: shown and active on devices with a mouse or similar, which usually have a keyboard --

const hint = document.querySelector("[data-keys]");
const toggle = hint.querySelector("input");
const FIELDS = "input:not([type=checkbox], [name=choice]), select, textarea, [contenteditable]";
const pointer = matchMedia("(any-hover: hover) and (any-pointer: fine)");

toggle.checked = readStored("localStorage", "keys") !== "off";
toggle.addEventListener("change", () => {
  store("localStorage", "keys", toggle.checked ? "on" : "off");
});
pointer.addEventListener("change", showHint);
showHint();

function showHint() {
  hint.hidden = !pointer.matches;
}

addEventListener("keydown", (event) => {
  if (!pointer.matches || !toggle.checked || event.defaultPrevented || event.repeat) return;
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target.closest?.(FIELDS)) return;
  const arrow = ["ArrowLeft", "ArrowRight"].indexOf(event.key);
  const choice = choices.find(({ key }) => key === digit(event))?.element;
  if (arrow >= 0 && !event.shiftKey && event.target.type !== "radio") {
    const mirrored = getComputedStyle(form).direction === "rtl";
    choices[mirrored ? 1 - arrow : arrow].element.focus();
    event.preventDefault();
  } else if (choice && event.timeStamp >= ready) {
    event.preventDefault();
    if (choice.type === "radio") choose(choice);
    else form.requestSubmit(choice);
  }
});

// A key only selects the radio; the form is sent later.
function choose(radio) {
  radio.focus();
  radio.click();
}

// Some keyboards type a digit only with Shift; its key counts without Shift too.
function digit(event) {
  if (["0", "1", "2"].includes(event.key)) return event.key;
  return event.shiftKey ? "" : { Digit0: "0", Digit1: "1", Digit2: "2" }[event.code];
}

// -- comment: the number of characters left ------------------------------------------------------

const comment = form.elements.comment;
const charactersLeft = comment && document.getElementById("comment-room");
comment?.addEventListener("input", () => {
  const left = comment.maxLength - comment.value.length;
  const number = new Intl.NumberFormat(document.documentElement.lang).format(left);
  charactersLeft.textContent = charactersLeft.dataset.room.replace("{number}", number);
});

// -- time: how long the page was visible, kept across reloads of the same question ----------------

const question = `visible:${form.elements.assignment.value}`;
let seenBefore = Number(readStored("sessionStorage", question)) || 0;
let seenSince = document.hidden ? null : performance.now();

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    seenSince ??= performance.now();
    return;
  }
  seenBefore = visibleTime();
  seenSince = null;
  store("sessionStorage", question, seenBefore);
});
addEventListener("pagehide", () => store("sessionStorage", question, visibleTime()));

function visibleTime() {
  return seenBefore + (seenSince === null ? 0 : performance.now() - seenSince);
}

// Storage may be forbidden or full; then nothing is stored.
function readStored(storage, key) {
  try {
    return window[storage].getItem(key);
  } catch {
    return null;
  }
}

function store(storage, key, value) {
  try {
    window[storage].setItem(key, value);
  } catch {
    // The page works without it.
  }
}
