/**
 * An element. What people wrote enters the page here and only as text.
 * @param {string} tag
 * @param {{class?: string, text?: string, dir?: string}} [about]
 * @param {...Node} children
 */
export function el(tag, about = {}, ...children) {
  const element = document.createElement(tag);
  if (about.class) element.className = about.class;
  if (about.text !== undefined) element.textContent = about.text;
  if (about.dir) element.dir = about.dir;
  element.append(...children);
  return element;
}

/**
 * The element with this id, which the page has.
 * @param {string} id
 * @returns {any}
 */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
