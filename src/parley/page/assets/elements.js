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
 * Give the focus to another where what had it is not to be seen any more.
 * @param {Element | null} focused what had it before: browsers take it from what is hidden
 * @param {HTMLElement} other
 */
export function keepFocus(focused, other = element("talk")) {
  if (!focused || focused === document.body) return;
  if (!focused.checkVisibility({ visibilityProperty: true })) other.focus();
}

/** The URL in a field; while what is typed is none, the one before. @param {string} id */
export function urlIn(id) {
  const { validity, value, defaultValue } = field(id);
  return (validity.valid ? value : defaultValue).trim();
}

/**
 * The field of the page with this id.
 * @param {string} id
 */
export function field(id) {
  return /** @type {HTMLInputElement} */ (element(id));
}
