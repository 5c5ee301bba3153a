// Copy a private link or a completion code. Without this script the text can be selected by hand.
for (const button of document.querySelectorAll("[data-copy]")) {
  const source = button.parentElement.querySelector("[data-copy-source]");
  const status = button.parentElement.querySelector("[data-copy-status]");
  const label = button.textContent;
  source.addEventListener("focus", () => source.select());
  button.hidden = false;
  button.addEventListener("click", async () => {
    source.select();
    try {
      await navigator.clipboard.writeText(source.value);
    } catch {
      // The clipboard is unavailable without https or was denied: copy the selection instead.
      document.execCommand("copy");
    }
    button.textContent = status.textContent = button.dataset.copied;
    setTimeout(() => {
      button.textContent = label;
      status.textContent = "";
    }, 2000);
  });
}
