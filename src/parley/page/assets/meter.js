/** Watches the microphone while it listens: shows the level and the time, and notices silence. */

import { showTime } from "./dock.js";
import { Quiet } from "./quiet.js";

/** @import {Session} from "./session.js" */

const EVERY_MILLISECONDS = 50;
/** The levels that fill the meter, from the quietest to the loudest, in decibels. */
const [LOW, HIGH] = [-55, -12];

/**
 * @param {Session} session
 * @param {HTMLElement} meter what shows the level as its `--level`, from 0 to 1
 * @param {() => boolean} endBySilence whether silence sends what was said
 */
export function watch(session, meter, endBySilence) {
  let quiet = new Quiet();
  let watched = session.microphone;
  setInterval(() => {
    const microphone = session.state === "listening" ? session.microphone : null;
    if (microphone !== watched) quiet = new Quiet();
    watched = microphone;
    const decibels = microphone && !microphone.muted ? microphone.decibels : LOW;
    const level = Math.min(1, Math.max(0, (decibels - LOW) / (HIGH - LOW)));
    meter.style.setProperty("--level", level.toFixed(2));
    showTime(microphone?.milliseconds ?? null);
    const silent = microphone && !microphone.muted && quiet.hears(decibels, performance.now());
    if (silent && endBySilence()) session.finish();
  }, EVERY_MILLISECONDS);
}
