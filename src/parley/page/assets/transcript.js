/** What was said, turn by turn: seen, told to the model, heard again, taken along, forgotten. */

import { History } from "./history.js";
import { limit } from "./sound.js";

/** @import {Entry} from "./history.js" */
/** @import {Turn} from "./turn.js" */
/** @import {View} from "./view.js" */

export class Transcript {
  history = new History();
  /** @type {Turn[]} */
  #turns = [];
  /** What the model is told of their replies. @type {WeakMap<Turn, Entry>} */
  #told = new WeakMap();
  /** What was cleared and can still come back. @type {{turns: Turn[], entries: readonly Entry[]} | null} */
  #cleared = null;

  /**
   * @param {View} view
   * @param {(turn: Turn) => Promise<void>} replay
   */
  constructor(view, replay) {
    this.view = view;
    this.replay = replay;
  }

  /** A new turn at the end. @param {"pcm" | "wav"} format of its speech */
  add(format) {
    this.#turns.at(-1)?.fold();
    const turn = this.view.addTurn(format, { replay: this.replay });
    this.#turns.push(turn);
    return turn;
  }

  /**
   * A turn is over: remember it for the model, and keep its speech as long as there is room.
   * @param {Turn} turn
   * @param {string} heard the part of the reply that was heard
   */
  settle(turn, heard) {
    turn.settle();
    if (turn.transcript) this.#keepCleared();
    const told = this.history.add(turn.transcript, heard);
    if (told) this.#told.set(turn, told);
    if (!turn.transcript) this.remove(turn);
    limit(this.#turns.map(({ sound }) => sound));
    for (const each of this.#turns) each.offer();
    this.view.follow();
  }

  /** It is heard again no longer: what more was heard of it the model learns. @param {Turn} turn @param {boolean} whole */
  endAgain(turn, whole) {
    const heard = turn.endAgain(whole).trim();
    const told = this.#told.get(turn);
    if (told && heard.length > told.content.length) told.content = heard;
  }

  /** Take a turn away. @param {Turn} turn */
  remove(turn) {
    this.#turns = this.#turns.filter((each) => each !== turn);
    this.view.removeTurn(turn);
  }

  /** Forget all of it; `restore` brings it back until something was said. */
  clear() {
    const any = this.#turns.length > 0;
    if (any) this.#cleared = { turns: this.#turns, entries: this.history.entries };
    this.#turns = [];
    this.history.clear();
    this.view.clear(any);
  }

  /** Bring back what was cleared last. */
  restore() {
    if (!this.#cleared) return;
    this.#turns = this.#cleared.turns;
    this.history.entries = this.#cleared.entries;
    this.#cleared = null;
    this.view.restore();
  }

  /** What was cleared does not come back any more. */
  #keepCleared() {
    this.#cleared = null;
    this.view.keepCleared();
  }

  /** All turns as text. */
  get text() {
    return this.#turns.map(({ text }) => text).join("\n");
  }

  /** What of them the model can be told elsewhere, as the service takes it. */
  get json() {
    this.history.fit();
    return this.history.saved;
  }
}
