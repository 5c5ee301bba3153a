// Keeps entered values until they are stored, so that a lost connection loses nothing.
const PREFIX = "draft:";
const form = document.querySelector("form[data-draft]");
// The form's action and its subject identify it. The address of the page cannot: a refused form is
// shown at another address than the one it is opened at again.
const subject = ["assignment", "revision", "part"].map((name) => form?.elements[name]?.value);
const key = PREFIX + [form?.getAttribute("action"), ...subject].join(" ");

// If another question or the last page is shown, everything entered before is stored.
attempt(() => {
  for (const other of Object.keys(sessionStorage)) {
    if (other.startsWith(PREFIX) && other !== key) sessionStorage.removeItem(other);
  }
  if (form) restore(JSON.parse(sessionStorage.getItem(key) ?? "{}"));
});
form?.addEventListener("input", save);
form?.addEventListener("submit", save);

function save() {
  attempt(() => sessionStorage.setItem(key, JSON.stringify(Object.fromEntries(entered()))));
}

function* entered() {
  for (const field of form.elements) {
    const isChoice = field.type === "radio" || field.type === "checkbox";
    if (isChoice && field.checked) yield [field.name, field.value];
    if (isText(field)) yield [field.name, field.value];
  }
}

// Replaces the values that the server sent, which are of the same revision and thus older.
function restore(draft) {
  for (const [name, value] of Object.entries(draft)) {
    const found = form.elements.namedItem(name);
    if (found instanceof RadioNodeList) {
      found.value = value;
    } else if (found && isText(found) && found.value !== value) {
      found.value = value;
      found.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
}

function isText(field) {
  return field.tagName === "TEXTAREA" || field.type === "text";
}

// Storage may be forbidden or full; then nothing is stored.
function attempt(work) {
  try {
    work();
  } catch {
    // The page works without it.
  }
}
