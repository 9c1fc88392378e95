/** Makes room where letters are large: who enlarges the text alone changes no media query. */

import { element } from "./elements.js";
import { onceAFrame } from "./frames.js";

/** How much of the window the dock and what stands on it may take and stay in sight. */
const MOST = 0.67;
/** How far, in pixels, the words beside Talk may reach into the gap before it. */
const SPARE = 6;
const NARROW = matchMedia("(max-width: 19rem)");

/**
 * Have words that find no room beside Talk stand below it, and what fills the window scroll away.
 * @param {() => void} follow brings it into sight once it does
 */
export function makeRoom(follow) {
  const [dock, { classList }] = [element("dock"), document.body];
  const [left, , right] = dock.children;
  const footer = element("footer");
  let width = 0;
  const measure = () => {
    // What was moved once stays there: words change with each state.
    if (width !== dock.clientWidth) classList.toggle("crowded", NARROW.matches);
    width = dock.clientWidth;
    const tight = [left, right].some((side) => side.scrollWidth > side.clientWidth + SPARE);
    if (tight || dock.scrollWidth > width) classList.add("crowded");
    if (classList.toggle("tall", footer.offsetHeight > MOST * innerHeight)) follow();
  };
  const observer = new ResizeObserver(onceAFrame(measure));
  for (const one of [document.documentElement, footer, ...dock.children]) observer.observe(one);
}
