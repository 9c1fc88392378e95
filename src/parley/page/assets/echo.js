/** Tells a voice from the page's own, which the microphone hears from the loudspeaker. */

import { BLOCK, RATE } from "./voice-model.js";

/** How far a voice stands above what the loudspeaker can be, in decibels. */
const ABOVE = 6;
/** What is quieter is not played, in decibels. */
const SILENT = -70;
/** What is heard now may have been played up to so long ago: devices and rooms are late. */
const LATE = blocks(0.6);
/**
 * What is heard is compared with what was heard of the loudspeaker for so long, up to so long ago: a voice that
 * has just begun is not taken for the loudspeaker's.
 */
const [KNOWN, NEW] = [blocks(4), blocks(0.4)];
/** How long it has to be known before anything can be told from it. */
const LEARNING = blocks(0.3);

export class Echo {
  /** How loud each of the last blocks was played. @type {number[]} */
  #played = [];
  /** How loud blocks were while something was played, as heard and as played: the known ones, and the last. @type {number[][]} */
  #known = [];
  /** @type {number[][]} */
  #new = [];

  /**
   * Whether what is heard in the next block is louder than the loudspeaker can be.
   * @param {number} heard by the microphone, in decibels
   * @param {number} played by the loudspeaker, in decibels
   * @param {boolean} voice whether a voice goes on: nothing is learned from it until it is known for a noise
   */
  exceeds(heard, played, voice) {
    this.#played = [...this.#played, played].slice(-LATE);
    const loudest = Math.max(...this.#played);
    if (loudest < SILENT) return true;
    this.#new.push([heard, loudest]);
    if (!voice)
      this.#known = [...this.#known, ...this.#new.splice(0, this.#new.length - NEW)].slice(-KNOWN);
    if (this.#known.length < LEARNING) return false;
    const [echo, loud] = [0, 1].map((which) => Math.max(...this.#known.map((each) => each[which])));
    return heard > echo + Math.max(0, loudest - loud) + ABOVE;
  }

  /** What was heard since it began was a voice, and not the loudspeaker's. */
  forget() {
    this.#new = [];
  }
}

/** @param {number} seconds */
function blocks(seconds) {
  return Math.round((seconds * RATE) / BLOCK);
}
