/** Finds what index.html holds. */

/**
 * The element of the page with this id.
 * @param {string} id
 */
export function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * The field of the page with this id.
 * @param {string} id
 */
export function field(id) {
  return /** @type {HTMLInputElement} */ (element(id));
}
