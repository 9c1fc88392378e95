/** One turn as the conversation shows it: what was said, the reply as it is heard, its times. */

import { PcmReader, toWav } from "./pcm.js";
import { Spoken } from "./spoken.js";
import { Timing } from "./timing.js";

const STOPPED = "You stopped it here; what follows was not heard.";

/** @import {ServiceEvent} from "./events.js" */

export class Turn {
  transcript = "";
  reply = "";
  /** @type {Int16Array<ArrayBuffer>[]} */
  sound = [];
  spoken = new Spoken();
  /** Whether nothing more of it will be heard. */
  settled = false;
  #timing = new Timing();
  #pcm = new PcmReader();

  /**
   * @param {HTMLElement} log
   * @param {HTMLTemplateElement} template
   */
  constructor(log, template) {
    const fragment = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.element = /** @type {HTMLElement} */ (fragment.firstElementChild);
    log.append(fragment);
  }

  /**
   * Take the next event; returns the samples that it brought.
   * @param {ServiceEvent} event
   */
  take(event) {
    let samples = new Int16Array();
    const { name, data } = event;
    if (name === "transcript") this.transcript = this.#part(".said").textContent = data.text;
    if (name === "text") this.reply += data.delta;
    if (name === "segment") this.spoken.begin(data.text);
    if (name === "audio") {
      samples = this.#pcm.read(data.data);
      this.sound.push(samples);
      this.spoken.add(samples.length, data.last);
    }
    this.#timing.add(event);
    if (name !== "text") this.#drawTiming();
    return samples;
  }

  /**
   * Show which part of the reply was heard, and which is still to come.
   * @param {number} characters
   */
  show(characters) {
    this.#part(".spoken").hidden = !this.reply;
    this.#part(".heard").textContent = this.reply.slice(0, characters);
    this.#part(".ahead").textContent = this.reply.slice(characters);
  }

  /**
   * Say that the sound ended here, before the reply did.
   * @param {number} characters
   */
  cut(characters) {
    this.show(characters);
    if (characters >= this.reply.trimEnd().length) return;
    this.element.classList.add("cut");
    this.#part(".stopped").textContent = STOPPED;
  }

  /** The reply's end is missing: an ellipsis says so. */
  markIncomplete() {
    this.#part(".heard").textContent += "…";
  }

  /** The speech as a file. */
  toWav() {
    return toWav(this.sound);
  }

  /** Offer to hear the reply again and to save it, or no longer. @param {boolean} offered */
  offer(offered) {
    this.#part(".again").hidden = !(offered && this.sound.length);
  }

  /**
   * @param {string} action
   * @param {() => void} handler
   */
  on(action, handler) {
    this.#part(`[data-action=${action}]`).addEventListener("click", handler);
  }

  #drawTiming() {
    this.#part(".timing").hidden = false;
    for (const [kind, words] of Object.entries(this.#timing.legend)) {
      this.#part(`figcaption .${kind}`).textContent = words;
      this.#part(`figcaption .${kind}`).hidden = !words;
    }
    this.#timing.draw(/** @type {SVGElement} */ (this.element.querySelector(".timing svg")));
  }

  /** @param {string} selector */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.element.querySelector(selector));
  }
}
