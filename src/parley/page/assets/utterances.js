/** Tells from moment to moment when somebody begins to speak, and when they have said it. */

import { BLOCK, RATE } from "./voice-model.js";

/** A voice is surer to begin than to go on. */
const [BEGINS, GOES_ON] = [0.5, 0.35];
/** So many of the last blocks are a voice's where one begins: 96 of 160 ms. */
const [ONSET, WINDOW] = [3, 5];
/** What is shorter is a cough, and nothing that was said. */
const SHORTEST_SECONDS = 0.25;
const PAUSE_SECONDS = 1;
/** What can be sent; nobody says as much at once. */
const LONGEST_SECONDS = 600;
const BLOCK_SECONDS = BLOCK / RATE;

/** @typedef {"voice" | "said" | "noise"} Heard a voice begins, has ended, or was none */

export class Utterances {
  /** Whether a voice has begun. */
  heard = false;
  /** How many blocks ago it was heard last. */
  pause = 0;
  /** For how many blocks it goes on, and how many are a voice's; at first, which of the last are. */
  #length = 0;
  #voiced = 0;
  /** @type {boolean[]} */
  #recent = [];

  /**
   * Take the next block; returns what has changed, if anything.
   * @param {number} probability of a voice in it
   * @returns {Heard | null}
   */
  hear(probability) {
    if (!this.heard) return this.#await(probability);
    this.#length += 1;
    if (probability > BEGINS) this.#voiced += 1;
    this.pause = probability > GOES_ON ? 0 : this.pause + 1;
    const over = this.pause * BLOCK_SECONDS >= PAUSE_SECONDS;
    if (!over && this.#length * BLOCK_SECONDS < LONGEST_SECONDS) return null;
    this.heard = false;
    this.#recent = [];
    return this.#voiced * BLOCK_SECONDS >= SHORTEST_SECONDS ? "said" : "noise";
  }

  /** @param {number} probability @returns {Heard | null} */
  #await(probability) {
    this.#recent = [...this.#recent, probability > BEGINS].slice(-WINDOW);
    const voiced = this.#recent.filter(Boolean).length;
    if (voiced < ONSET) return null;
    this.heard = true;
    this.#length = WINDOW;
    this.#voiced = voiced;
    this.pause = 0;
    return "voice";
  }
}
