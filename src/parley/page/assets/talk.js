/** The gestures that talk: hold or tap the button, or the space bar outside of controls. */

import { isCovered } from "./elements.js";

/** What is held for longer is a hold; a tap is shorter. */
const HOLD_MILLISECONDS = 400;
/** How far beside the button a finger is off it, in pixels. */
const OFF_PIXELS = 20;
const CONTROLS = "input, textarea, select, button, a, summary, dialog, label, [popover]";

/**
 * What the gestures do: `press` as the button goes down, `release` as it comes up, `slide` as a
 * pointer leaves it while it is down, or comes back, and `cancel` where it is let go beside it.
 * @typedef {object} Gestures
 * @property {(by: "pointer" | "key") => void} press
 * @property {(held: boolean) => void} release
 * @property {(off: boolean) => void} slide
 * @property {() => void} cancel
 */

/**
 * Watch for the gestures; a click that no pointer made (Enter, a screen reader) is a tap.
 * @param {HTMLElement} button
 * @param {Gestures} gestures
 */
export function talkWith(button, { press, release, slide, cancel }) {
  /** When what is down went down, by the event: a busy page takes notice later. @type {number | null} */
  let since = null;
  let off = false;

  const down = (/** @type {Event} */ { timeStamp }, /** @type {"pointer" | "key"} */ by) => {
    if (since !== null) return;
    since = timeStamp;
    off = false;
    button.classList.add("down");
    press(by);
  };
  const up = (/** @type {Event} */ { timeStamp }, /** @type {boolean} */ whole) => {
    if (since === null) return;
    const held = whole && timeStamp - since >= HOLD_MILLISECONDS;
    since = null;
    button.classList.remove("down", "off");
    if (off) cancel();
    else release(held);
  };

  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    down(event, "pointer");
  });
  button.addEventListener("pointermove", ({ clientX, clientY }) => {
    if (since === null) return;
    const { left, right, top, bottom } = button.getBoundingClientRect();
    const beside = Math.max(left - clientX, clientX - right, top - clientY, clientY - bottom);
    if (off === beside > OFF_PIXELS) return;
    off = !off;
    button.classList.toggle("off", off);
    slide(off);
  });
  button.addEventListener("pointerup", (event) => up(event, true));
  // A question for permission takes the pointer or the focus away: what was a hold goes on as a tap.
  button.addEventListener("pointercancel", (event) => up(event, false));
  window.addEventListener("blur", (event) => up(event, false));
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  // A browser clicks again and again while Enter is held.
  button.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.repeat) event.preventDefault();
  });
  button.addEventListener("click", (event) => {
    if (event.detail) return; // A pointer's: see above.
    down(event, "key");
    up(event, false);
  });

  // A clicked button takes no focus, as in Safari: the space bar would press it again, and not talk.
  document.addEventListener("mousedown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.closest("button, summary") && !target.closest("dialog")) event.preventDefault();
  });

  document.addEventListener("keydown", (event) => {
    if (!isMeant(event, button)) return;
    event.preventDefault();
    if (!event.repeat) down(event, "key");
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== " " || since === null) return;
    event.preventDefault();
    up(event, true);
  });
}

/**
 * Whether a key is the space bar, and no control's.
 * @param {KeyboardEvent} event
 * @param {HTMLElement} button
 */
function isMeant(event, button) {
  const target = /** @type {Element} */ (event.target);
  const plain = !(event.ctrlKey || event.altKey || event.metaKey || event.shiftKey);
  // A dialog's button keeps the focus for a moment after the dialog has closed.
  const free = target === button || !target.closest(CONTROLS) || !target.checkVisibility();
  return event.key === " " && plain && free && !isCovered();
}
