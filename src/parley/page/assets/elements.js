/** Finds what index.html holds. */

/**
 * The element of the page with this id.
 * @param {string} id
 */
export function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Whether something lies over the page: Settings, or what can be saved. */
export function isCovered() {
  return document.querySelector("dialog[open], :popover-open") !== null;
}

/**
 * The field of the page with this id.
 * @param {string} id
 */
export function field(id) {
  return /** @type {HTMLInputElement} */ (element(id));
}
