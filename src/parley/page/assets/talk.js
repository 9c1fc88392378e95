/** The gestures that talk: hold or tap the button, or the space bar outside of controls. */

import { isCovered } from "./elements.js";

/** What is held for longer is a hold; a tap is shorter. */
const HOLD_MILLISECONDS = 400;
const CONTROLS = "input, textarea, select, button, a, summary, dialog, label";

/**
 * Call `press` as the button goes down and `release` as it comes up; a click that no pointer made
 * (Enter, a screen reader) is a tap.
 * @param {HTMLElement} button
 * @param {() => void} press
 * @param {(held: boolean) => void} release
 */
export function talkWith(button, press, release) {
  /** @type {number | null} when what is down went down */
  let since = null;

  const down = () => {
    if (since !== null) return;
    since = performance.now();
    button.classList.add("down");
    press();
  };
  const up = (/** @type {boolean} */ whole) => {
    if (since === null) return;
    const held = whole && performance.now() - since >= HOLD_MILLISECONDS;
    since = null;
    button.classList.remove("down");
    release(held);
  };

  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    down();
  });
  button.addEventListener("pointerup", () => up(true));
  // A question for permission takes the pointer or the focus away: what was a hold goes on as a tap.
  button.addEventListener("pointercancel", () => up(false));
  window.addEventListener("blur", () => up(false));
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  // A browser clicks again and again while Enter is held.
  button.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.repeat) event.preventDefault();
  });
  button.addEventListener("click", (event) => {
    if (event.detail) return; // A pointer's: see above.
    down();
    up(false);
  });

  // A clicked button takes no focus, as in Safari: the space bar would press it again, and not talk.
  document.addEventListener("mousedown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.closest("button, #choose") && !target.closest("dialog")) event.preventDefault();
  });

  const meant = (/** @type {KeyboardEvent} */ event) => {
    const target = /** @type {Element} */ (event.target);
    const plain = !(event.ctrlKey || event.altKey || event.metaKey || event.shiftKey);
    const free = target === button || !target.closest(CONTROLS);
    return event.key === " " && plain && free && !isCovered();
  };
  document.addEventListener("keydown", (event) => {
    if (!meant(event)) return;
    event.preventDefault();
    if (!event.repeat) down();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== " " || since === null) return;
    event.preventDefault();
    up(true);
  });
}
