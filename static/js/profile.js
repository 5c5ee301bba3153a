// Searches, filters and sorts the profile in place. Without this script the whole profile is shown.
const FIRST_ROWS = 24;
const ROWS_PER_FRAME = 80;
const ROWS_PER_MEASUREMENT = 4;

// Numbers and sorting in the page's language, with the page's thousands separator.
const language = document.documentElement.lang;
const alphabet = new Intl.Collator(language);
const numbers = new Intl.NumberFormat(language, { useGrouping: "always" });

const tools = document.querySelector("[data-tools]");
if (tools) setUp();

function setUp() {
  const { title, genre, decade, sort } = tools.elements;
  const texts = tools.dataset;
  const found = tools.querySelector("[data-found]");
  const status = found.querySelector("[role=status]");
  const showAllButton = found.querySelector("button");
  const byStars = [...document.querySelectorAll(".star-group")].map(readGroup);
  const movies = byStars.flatMap((group) => group.movies);
  const container = byStars[0].section.parentElement;
  let groups = byStars;

  const gauge = document.createElement("div");
  let currentUpdate;
  let currentMeasurement;
  let measuredWidth;
  let targetGroup;

  gauge.className = "gauge";
  addEventListener("resize", () => container.clientWidth === measuredWidth || measure());

  if (window.requestIdleCallback) requestIdleCallback(readSome);

  tools.addEventListener("submit", (event) => event.preventDefault());
  title.addEventListener("input", filter);
  for (const choice of [genre, decade]) choice?.addEventListener("change", filter);
  sort.addEventListener("change", () => {
    sortGroups();
    filter();
  });
  showAllButton.addEventListener("click", () => {
    showAll();
    title.focus();
  });
  // The bars link to the groups of ratings, which may be filtered out or sorted differently.
  document.querySelector(".spread")?.addEventListener("click", (event) => {
    const bar = event.target.closest("a");
    if (!bar) return;
    if (groups[0].key) {
      sort.selectedIndex = 0;
      sortGroups();
    }
    targetGroup = bar.hash;
    showAll();
  });
  tools.hidden = false;
  container.classList.add("with-tools");
  measure();

  // Reading thousands of rows takes a while, so a few are read whenever the browser is idle.
  function readSome(idle, from = 0) {
    let next = from;
    while (next < movies.length && idle.timeRemaining() > 2) {
      for (const end = Math.min(next + 20, movies.length); next < end; next += 1) readMovie(movies[next]);
    }
    if (next < movies.length) requestIdleCallback((time) => readSome(time, next));
  }

  function showAll() {
    for (const field of [title, genre, decade]) if (field) field.value = "";
    filter();
  }

  function isFiltered() {
    return Boolean(title.value.trim() || genre?.value || decade?.value);
  }

  function filter() {
    const filtered = isFiltered();
    const wanted = fold(title.value).split(/\s+/).filter(Boolean);
    for (const group of groups) {
      group.shown = 0;
      for (const movie of group.movies) {
        movie.fits = !filtered || matches(readMovie(movie), wanted);
        if (movie.fits) group.shown += 1;
        else movie.row.hidden = true;
      }
      group.section.hidden = group.shown === 0;
      group.count.textContent = filtered
        ? fillIn(texts.group, group.shown, group.movies.length)
        : group.total;
    }
    show();
    announce();
    if (filtered) bringIntoView(groups.find((group) => group.shown)?.section);
  }

  // The rows that fill the screen are inserted at once, the rest in later frames: laying out
  // thousands of rows in one go would delay the next key.
  function show() {
    forgetHeights();
    const update = (currentUpdate = updateRows());
    const target = targetGroup && container.querySelector(targetGroup); // moves until all rows are inserted
    targetGroup = undefined;
    const some = (count) => {
      if (update !== currentUpdate) return;
      for (let left = count; left > 0; left -= 1) {
        if (!update.next().done) continue;
        container.removeAttribute("aria-busy");
        measure();
        target?.scrollIntoView();
        return;
      }
      container.setAttribute("aria-busy", "true");
      requestAnimationFrame(() => setTimeout(() => some(ROWS_PER_FRAME))); // after the paint
    };
    some(FIRST_ROWS);
  }

  function* updateRows() {
    const withStars = groups[0].key;
    for (const { list, movies } of groups) {
      for (const movie of movies) {
        const { row, fits } = movie;
        if (row.parentElement === list && row.hidden !== fits) continue;
        if (withStars && !movie.mark) row.prepend((movie.mark = starMark(movie.stars)));
        row.hidden = !fits;
        if (row.parentElement !== list) list.append(row);
        if (fits) yield;
      }
    }
  }

  // In a long profile, only visible groups are laid out. The heights of the others are measured on
  // copies whenever the browser is idle, so that the page keeps its height while it is scrolled.
  function measure() {
    if (!container.classList.contains("long")) return;
    forgetHeights();
    const work = (currentMeasurement = measureHeights());
    const some = (idle) => {
      do {
        if (work !== currentMeasurement || work.next().done) return;
      } while (idle?.timeRemaining() > 25);
      whenIdle(some);
    };
    container.append(gauge);
    whenIdle(some);
  }

  function forgetHeights() {
    currentMeasurement = undefined;
    for (const { section } of groups) section.style.minBlockSize = "";
  }

  function* measureHeights() {
    measuredWidth = container.clientWidth;
    for (const { section, list, movies } of groups.filter((group) => !group.section.hidden)) {
      const rows = movies.map(({ row }) => row).filter((row) => !row.hidden);
      const [copy, copies] = [section.cloneNode(), list.cloneNode()];
      copy.removeAttribute("id");
      copy.append(section.querySelector("h3").cloneNode(true), copies);
      gauge.replaceChildren(copy);
      const empty = copy.getBoundingClientRect().height;
      let height = empty;
      for (let first = 0; first < rows.length; first += ROWS_PER_MEASUREMENT) {
        const some = rows.slice(first, first + ROWS_PER_MEASUREMENT);
        copies.replaceChildren(...some.map((row) => row.cloneNode(true)));
        height += copy.getBoundingClientRect().height - empty;
        yield;
      }
      // Both, because Chromium keeps an older height if rows are added while the group scrolls out of view.
      section.style.containIntrinsicBlockSize = section.style.minBlockSize = `${height}px`;
    }
    gauge.remove();
  }

  // Scroll to the first result, for people who had scrolled down or have a small screen.
  function bringIntoView(first) {
    const top = first?.getBoundingClientRect().top;
    const sticky = getComputedStyle(tools).position === "sticky";
    if (sticky && top < 0) first.scrollIntoView();
    if (!sticky && (top < 0 || top > 0.4 * innerHeight)) tools.scrollIntoView();
  }

  function matches(movie, wanted) {
    if (genre?.value && !movie.genres.includes(`, ${genre.value}, `)) return false;
    if (decade?.value && movie.decade !== decade.value) return false;
    return wanted.every((word) => movie.title.includes(word));
  }

  // The result in words: visible while a filter is set, announced by screen readers always.
  function announce() {
    const filtered = isFiltered();
    const shown = groups.reduce((sum, group) => sum + group.shown, 0);
    const sentence = filtered ? (shown ? texts.some : texts.nothing) : texts.all;
    const order = sort.selectedOptions[0].textContent;
    status.textContent = fillIn(sentence, shown, movies.length).replace("{order}", order);
    showAllButton.hidden = !filtered;
    found.classList.toggle("visually-hidden", !filtered);
    container.classList.toggle("with-found", filtered);
  }

  function fillIn(sentence, shown, all) {
    return sentence.replace("{shown}", formatCount(shown)).replace("{all}", formatCount(all));
  }

  function sortGroups() {
    const [by, ascending] = sort.value.split(" ");
    for (const { section, list } of groups) {
      section.remove();
      list.replaceChildren(); // `show` brings the rows back in their new order
    }
    if (by === "stars") groups = ascending ? byStars.toReversed().map(lowestFirst) : byStars;
    else groups = groupBy(by, ascending);
    container.append(...groups.map((group) => group.section));
    container.classList.toggle("with-stars", by !== "stars");
  }

  // Groups by first letter or by decade, with headings like those of the ratings.
  function groupBy(by, ascending) {
    const order = movies.map(readMovie);
    const byTitle = (a, b) => alphabet.compare(a.title, b.title);
    if (by === "title") {
      order.sort((a, b) => (a.initial ? 0 : 1) - (b.initial ? 0 : 1) || byTitle(a, b));
    } else {
      const sign = ascending ? 1 : -1;
      order.sort((a, b) => !a.year - !b.year || sign * (a.year - b.year) || byTitle(a, b));
    }
    const made = new Map();
    for (const movie of order) {
      const key = by === "title" ? movie.initial : movie.decade;
      if (!made.has(key)) made.set(key, makeGroup(by, key));
      made.get(key).movies.push(movie);
    }
    for (const group of made.values()) group.total = formatCount(group.movies.length);
    return [...made.values()];
  }

  function makeGroup(by, key) {
    const section = byStars[0].section.cloneNode();
    const heading = document.createElement("h3");
    const count = document.createElement("span");
    const list = byStars[0].list.cloneNode();
    section.removeAttribute("id");
    if (by === "title") heading.textContent = key || texts.otherTitles;
    else heading.textContent = key ? decade.querySelector(`[value="${key}"]`).textContent : texts.yearUnknown;
    count.className = "group-count";
    heading.append(count);
    section.append(heading, list);
    return { key: key || "-", section, list, count, movies: [] };
  }
}

// Safari has no requestIdleCallback.
function whenIdle(work) {
  if (window.requestIdleCallback) requestIdleCallback(work);
  else setTimeout(work, 50);
}

function formatCount(count) {
  if (count < 1000) return numbers.format(count); // formatToParts is slower
  const parts = numbers.formatToParts(count);
  return parts.map(({ type, value }) => (type === "group" ? tools.dataset.thousands : value)).join("");
}

function readGroup(section) {
  const list = section.querySelector("ul");
  const count = section.querySelector(".group-count");
  const stars = section.dataset.stars;
  const movies = [...list.children].map((row) => {
    if (stars) return { row, stars };
    const mark = row.firstElementChild; // where ratings differ, each row has its own
    return { row, mark, stars: mark.textContent };
  });
  return { key: "", section, list, count, total: count.textContent, movies };
}

// Movies of the same rating keep their order.
function lowestFirst(group) {
  const runs = [];
  for (const movie of group.movies) {
    if (runs.at(-1)?.[0].stars === movie.stars) runs.at(-1).push(movie);
    else runs.push([movie]);
  }
  return { ...group, movies: runs.reverse().flat() };
}

// The keys for searching and sorting a movie, read from its row when they are first needed.
function readMovie(movie) {
  if (movie.title === undefined) {
    const [title, year, genres] = [...movie.row.children].slice(movie.mark ? 1 : 0);
    movie.title = fold(title.textContent);
    movie.year = Number(year.textContent);
    movie.decade = movie.year ? String(movie.year - (movie.year % 10)) : "";
    movie.genres = `, ${genres.textContent.replaceAll("\u2011", "-")}, `;
    movie.initial = /^(?!\p{Script=Han})\p{L}/u.exec(movie.title)?.[0].toUpperCase() ?? "";
  }
  return movie;
}

// Removes accents and case: "amelie" finds "Amélie".
function fold(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

function starMark(stars) {
  const mark = document.createElement("span");
  mark.className = "movie-stars";
  mark.textContent = stars;
  return mark;
}
