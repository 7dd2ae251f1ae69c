// The page's elements: those that are there, found by id, and new ones.
// @ts-check

/** The part of the page with this id. @param {string} id */
export function part(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

/** Changes the text only where it is another. @param {string} id @param {string} text */
export function say(id, text) {
  const found = part(id);
  if (found.textContent !== text) found.textContent = text;
}

/**
 * An element with properties, attributes (those with a dash, and `class`) and children.
 * @param {string} tag @param {{ readonly [name: string]: string }} [attributes] @param {readonly (Node | string)[]} [children]
 */
export function element(tag, attributes = {}, children = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A symbol of the page's sprite. @param {string} name */
export function glyph(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("class", "glyph");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(namespace, "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}
