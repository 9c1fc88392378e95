/** Says in the page's own words what a field of Settings does not take. */

import { element, field } from "./elements.js";

const NO_ADDRESS = "Enter an address that begins with https://, such as https://example.org/v1.";
const NO_KEY = "A key has no spaces, and no letters other than A to Z and a to z.";
/** Browsers cut what is pasted without a word. @param {number} most characters */
const full = (most) =>
  `It is full: what is beyond ${most.toLocaleString("en")} characters is left out. See where it ends.`;

/** @param {HTMLElement} dialog whose fields for addresses and keys are told of */
export function explainFields(dialog) {
  /** @param {HTMLInputElement} field @param {boolean} closed */
  const judge = (field, closed) => {
    field.setCustomValidity("");
    if (closed || field.validity.valid) return;
    field.setCustomValidity(field.type === "url" ? NO_ADDRESS : NO_KEY);
  };
  const fields = () =>
    /** @type {NodeListOf<HTMLInputElement>} */ (dialog.querySelectorAll("[type=url], .secret"));
  for (const kind of ["input", "close"])
    dialog.addEventListener(kind, () => {
      for (const field of fields()) judge(field, kind === "close");
    });
  // What a key's dots hide is told as it is left, once, and not at the end alone.
  dialog.addEventListener("change", ({ target }) => {
    if (target instanceof HTMLInputElement) target.reportValidity();
  });
}

/** Say that the prompt is full, or no longer; once, since it is read out. */
export function weighPrompt() {
  const { value, maxLength } = field("system_prompt");
  const words = value.length < maxLength ? "" : full(maxLength);
  if (element("prompt-full").textContent !== words) element("prompt-full").textContent = words;
}
