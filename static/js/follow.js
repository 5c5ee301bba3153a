// Refreshes the progress of a draft while the page is visible; reloads it when the jobs are done.
const progress = document.querySelector("[data-follow]");

async function refresh() {
  if (document.hidden) return;
  const response = await fetch(progress.dataset.follow, { redirect: "error" });
  if (!response.ok) return;
  progress.innerHTML = await response.text();
  if (progress.querySelector("[data-done]")) location.reload();
}

setInterval(() => refresh().catch(() => {}), 2000);
