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
  /** How loud the last blocks were while something was played: as heard, and as played. @type {number[][]} */
  #echoes = [];

  /**
   * Whether what is heard in the next block is louder than the loudspeaker can be.
   * @param {number} heard by the microphone, in decibels
   * @param {number} played by the loudspeaker, in decibels
   */
  exceeds(heard, played) {
    this.#played = [...this.#played, played].slice(-LATE);
    const loudest = Math.max(...this.#played);
    if (loudest < SILENT) return true;
    const known = this.#echoes.slice(0, -NEW);
    this.#echoes = [...this.#echoes, [heard, loudest]].slice(-KNOWN - NEW);
    if (known.length < LEARNING) return false;
    const echo = Math.max(...known.map(([each]) => each));
    const louder = Math.max(0, loudest - Math.max(...known.map(([, each]) => each)));
    return heard > echo + louder + ABOVE;
  }

  /** What was heard just now was a voice, and not the loudspeaker's. */
  forget() {
    this.#echoes = this.#echoes.slice(0, -NEW);
  }
}

/** @param {number} seconds */
function blocks(seconds) {
  return Math.round((seconds * RATE) / BLOCK);
}
