/** Watches the microphone while it listens: shows the level and the time, and notices silence. */

import { showGiving, showTime } from "./dock.js";
import { Quiet } from "./quiet.js";

/** @import {ByHand} from "./by-hand.js" */
/** @import {HandsFree} from "./hands-free.js" */

const EVERY_MILLISECONDS = 50;
/** A room is never so silent for so long that a microphone gives nothing at all. */
const NOTHING_MILLISECONDS = 5000;
/** The levels that fill the meter, from the quietest to the loudest, in decibels. */
const [LOW, HIGH] = [-55, -12];

/**
 * @param {ByHand} byHand
 * @param {HandsFree} handsFree
 * @param {HTMLElement} meter what shows the level as its `--level`, from 0 to 1
 * @param {() => boolean} endBySilence whether silence sends what was said
 */
export function watch(byHand, handsFree, meter, endBySilence) {
  let quiet = new Quiet();
  let watched = byHand.microphone;
  let gave = performance.now();
  setInterval(() => {
    const now = performance.now();
    const microphone = byHand.session.state === "listening" ? byHand.microphone : null;
    if (microphone !== watched) quiet = new Quiet();
    watched = microphone;
    const decibels = microphone?.muted ? LOW : ((microphone ?? handsFree.ear)?.decibels ?? LOW);
    if (decibels > Number.NEGATIVE_INFINITY) gave = now;
    showGiving(now - gave < NOTHING_MILLISECONDS);
    const level = Math.min(1, Math.max(0, (decibels - LOW) / (HIGH - LOW)));
    meter.style.setProperty("--level", level.toFixed(2));
    showTime(microphone?.milliseconds ?? null);
    const silent = microphone && !microphone.muted && quiet.hears(decibels, now);
    if (silent && endBySilence()) byHand.finish();
  }, EVERY_MILLISECONDS);
}
