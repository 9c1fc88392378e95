/** Finds what index.html holds. */

/**
 * The element of the page with this id.
 * @param {string} id
 */
export function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Whether Settings cover the page. */
export function isCovered() {
  return document.querySelector("dialog[open]") !== null;
}

/**
 * The field of the page with this id.
 * @param {string} id
 */
export function field(id) {
  return /** @type {HTMLInputElement} */ (element(id));
}
