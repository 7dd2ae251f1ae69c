// The grid of containers, one square each, and the count of each state.
// @ts-check

import { element, glyph, part, say } from "./parts.js";
import { count, memory, states } from "./words.js";

/** @typedef {import("../snapshot.ts").ShownContainer} ShownContainer */

/** From so many on the squares are smaller. */
const manyContainers = 200;

/** @type {Map<number, HTMLElement>} */
const cells = new Map();
/** The one that the Tab key leads to. @type {number | undefined} */
let current;

/** @param {readonly ShownContainer[]} containers */
export function showContainers(containers) {
  showCounts(containers);
  const grid = part("grid");
  grid.dataset.size = containers.length > manyContainers ? "many" : "few";
  const present = new Set(containers.map(({ id }) => id));
  for (const [id, cell] of cells) {
    if (present.has(id)) continue;
    const hadFocus = cell === document.activeElement;
    const next = cell.nextElementSibling ?? cell.previousElementSibling;
    cell.remove();
    cells.delete(id);
    if (hadFocus && next instanceof HTMLElement) next.focus();
  }
  // A container's place is that of its number.
  for (const container of [...containers].sort((one, other) => one.id - other.id)) showOne(grid, container);
  if (current === undefined || !cells.has(current)) makeCurrent(cells.keys().next().value);
  const shown = containers.find(({ id }) => id === current);
  if (shown && part("grid-detail").dataset.asked) say("grid-detail", textOf(shown));
}

/** @param {HTMLElement} grid @param {ShownContainer} container */
function showOne(grid, container) {
  const { id, state } = container;
  const known = cells.get(id);
  const cell = known ?? element("button", { type: "button", class: "cell", tabindex: "-1" });
  const text = textOf(container);
  if (cell.getAttribute("aria-label") !== text) {
    cell.setAttribute("aria-label", text);
    cell.title = text;
  }
  if (cell.dataset.state !== state) {
    cell.dataset.state = state;
    cell.replaceChildren(glyph(state));
  }
  if (known !== undefined) return;
  cell.dataset.id = String(id);
  cells.set(id, cell);
  grid.append(cell);
}

/** @param {ShownContainer} container */
function textOf({ id, kind, state, memoryMB, sort, isBooted, hasLevel, hasLibraries }) {
  const word = state === "gone" ? "gone" : `${state}, ${states[state]}`;
  return `Container ${id}: ${word}; ${kind}, ${memory(memoryMB)}, ${[
    sort === "lean" ? "lean" : "Docker",
    ...(isBooted ? ["booted"] : []),
    ...(hasLibraries ? ["with libraries"] : []),
    ...(hasLevel ? ["at an action checkpoint"] : []),
  ].join(", ")}`;
}

/** @param {readonly ShownContainer[]} containers */
function showCounts(containers) {
  say("containers-count", count(containers.length));
  const legend = part("states");
  for (const [state, meaning] of Object.entries(states)) {
    let item = /** @type {HTMLElement | null} */ (legend.querySelector(`[data-state=${state}]`));
    if (item === null) {
      const swatch = element("span", { class: "key" }, [glyph(state)]);
      item = element("li", { "data-state": state, title: meaning }, [swatch, `${state} `, element("b")]);
      legend.append(item);
    }
    const of = containers.filter((container) => container.state === state).length;
    const number = /** @type {HTMLElement} */ (item.lastElementChild);
    if (number.textContent !== String(of)) number.textContent = String(of);
    item.classList.toggle("zero", of === 0);
  }
}

/** @param {number | undefined} id */
function makeCurrent(id) {
  if (current !== undefined) cells.get(current)?.setAttribute("tabindex", "-1");
  current = id;
  if (id !== undefined) cells.get(id)?.setAttribute("tabindex", "0");
}

/** How many squares are in a row. @param {HTMLElement} grid */
function columnsOf(grid) {
  return getComputedStyle(grid).gridTemplateColumns.split(" ").length;
}

/** One stop for the Tab key, and arrows within. */
export function followKeys() {
  const grid = part("grid");
  const choose = (/** @type {EventTarget | null} */ target) => {
    if (!(target instanceof HTMLElement) || target.dataset.id === undefined) return;
    makeCurrent(Number(target.dataset.id));
    part("grid-detail").dataset.asked = "true";
    say("grid-detail", target.getAttribute("aria-label") ?? "");
  };
  grid.addEventListener("focusin", ({ target }) => choose(target));
  grid.addEventListener("pointerover", ({ target }) => choose(target));
  grid.addEventListener("keydown", (event) => {
    const all = /** @type {HTMLElement[]} */ ([...grid.children]);
    const place = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    /** @type {{ [key: string]: number }} */
    const places = {
      ...{ ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: all.length - 1 },
      ...{ ArrowDown: place + columnsOf(grid), ArrowUp: place - columnsOf(grid) },
    };
    const next = places[event.key];
    if (place < 0 || next === undefined) return;
    event.preventDefault();
    all[next]?.focus();
  });
}
