/** What of the conversation is to be in sight, and how far the page scrolls for it. */

import { element } from "./elements.js";

/** Where the voice stays in a reply that is longer than the window, as a share of its height. */
const VOICE_FROM_TOP = 0.25;

/**
 * How far down to scroll for the turn, in pixels: to its end, but no further than what is being heard, what
 * says that it was stopped, or the reply leaves room for.
 * @param {Element | null} turn the last
 */
export function wayDown(turn) {
  const { clientHeight, scrollHeight, scrollTop } = document.documentElement;
  const end = scrollHeight - clientHeight - scrollTop;
  const top = Math.max(0, element("header").getBoundingClientRect().bottom);
  const bottom = Math.min(clientHeight, element("footer").getBoundingClientRect().top);
  const [stopped, reply] = [".stopped", ".spoken:not([hidden])"].map((place) =>
    turn?.querySelector(place)?.getBoundingClientRect(),
  );
  if (!turn || !reply) return end;
  const again = /** @type {Element} */ (turn.querySelector(".again")).getBoundingClientRect();
  if (stopped) {
    const most = stopped.top - top - stopped.height;
    const way = [end, again.bottom - bottom].find((one) => one <= most);
    return way ?? (stopped.bottom <= bottom ? 0 : most);
  }
  const unheard = firstLine(turn.querySelectorAll(".ahead:not(:empty)"));
  if (unheard) return unheard.top - VOICE_FROM_TOP * clientHeight;
  // In a low window the reply goes before its times, and in the lowest before what can be done with it.
  const all = bottom - top;
  const room = 2 * again.height < all ? all - again.height : all;
  return Math.min(end, reply.bottom - top - Math.min(reply.height, room));
}

/**
 * Where the texts begin to be seen. A space at a line's end is a line without width to most browsers, as an
 * empty text is.
 * @param {Iterable<Element>} texts
 */
function firstLine(texts) {
  for (const text of texts) {
    const line = [...text.getClientRects()].find(({ width }) => width > 0);
    if (line) return line;
  }
  return null;
}
