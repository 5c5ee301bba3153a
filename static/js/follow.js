// Refreshes the progress of a draft while the page is visible; reloads it when the jobs are done.
const place = document.querySelector("[data-follow]");

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(place.dataset.follow, { redirect: "error" });
  if (!answer.ok) return;
  place.innerHTML = await answer.text();
  if (place.querySelector("[data-done]")) location.reload();
}

setInterval(() => refresh().catch(() => {}), 2000);
