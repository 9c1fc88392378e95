/** One turn as the conversation shows it: what was said, the reply as it is heard, its times. */

import { Reply } from "./reply.js";
import { CANCELLED, ENDINGS, shortcomings } from "./shortcomings.js";
import { Sound } from "./sound.js";
import { Spoken } from "./spoken.js";
import { Timing } from "./timing.js";

/** @import {ServiceEvent} from "./events.js" */
/** @import {Failure} from "./failures.js" */

/** @typedef {"replay" | "save" | "copy"} Action */

export class Turn {
  transcript = "";
  reply = "";
  spoken = new Spoken();
  /** Whether nothing more of it will be heard. */
  settled = false;
  #isHeardAgain = false;
  /** How many characters of the reply were heard; all of them where it was not cut. */
  #cut = Infinity;
  /** Who ended its sound there. @type {keyof typeof ENDINGS} */
  #ending = "stopped";
  #timing = new Timing();
  #shown;
  /**
   * What failed of it, or null: told by the service at its end. Before that, nothing says which word is the last.
   * @type {Failure | null | undefined}
   */
  #end;

  /**
   * @param {HTMLElement} log
   * @param {HTMLTemplateElement} template
   * @param {"pcm" | "wav"} format of its speech
   */
  constructor(log, template, format) {
    const fragment = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.element = /** @type {HTMLElement} */ (fragment.firstElementChild);
    this.sound = new Sound(format);
    this.#shown = new Reply(this.#part(".reply"));
    log.append(fragment);
  }

  /**
   * Take the next event; returns the samples that it brought.
   * @param {ServiceEvent} event
   */
  async take(event) {
    let samples = new Int16Array();
    const { name, data } = event;
    if (name === "transcript") this.transcript = this.#part(".said").textContent = data.text;
    if (name === "text") this.reply += data.delta;
    if (name === "segment") {
      this.spoken.begin(data.text);
      this.#tellVoice(data.voice, data.asked);
    }
    if (name === "audio") {
      samples = await this.sound.read(data);
      this.spoken.add(samples.length, data.last);
    }
    if (name === "done") this.#end = data.failure ?? null;
    this.#timing.add(event);
    return samples;
  }

  /** Whether all of its text is known to be there. */
  get whole() {
    return this.#end === null || Boolean(this.#end?.ofSpeech);
  }

  /** Its sound leaves the loudspeaker. */
  sounds() {
    if (!this.settled) this.#timing.begin();
    else if (!this.#isHeardAgain) {
      this.#markHeard(true);
      this.element.classList.remove("cut");
      this.#shown.rewind();
    }
  }

  /** Show how far its sound has come. */
  refresh() {
    if (!this.settled || this.#isHeardAgain) this.show(this.spoken.heard);
  }

  /**
   * Show which part of the reply was heard, and which is still to come.
   * @param {number} characters
   */
  show(characters) {
    this.#part(".spoken").hidden = !this.reply;
    this.#shown.show(this.reply, characters);
    if (!this.settled) this.#drawTiming();
  }

  /**
   * Say that the sound ended here, before the reply did.
   * @param {number} characters
   */
  cut(characters) {
    this.show(characters);
    if (!characters) this.#timing.firstSound = 0;
    if (characters >= this.reply.trimEnd().length) return;
    this.#cut = characters;
    this.element.classList.add("cut");
    this.#shown.cut(ENDINGS[this.#ending][0]);
  }

  /**
   * It is heard again no longer: what it was cut short by before is cut no more, or later.
   * @param {boolean} whole whether it was heard to the end of its speech
   * @returns {string} what was heard of it
   */
  endAgain(whole) {
    if (!this.#isHeardAgain) return "";
    this.#markHeard(false);
    const heard = Math.max(this.#cut, whole ? this.spoken.played : this.spoken.heard);
    this.#cut = Infinity;
    this.cut(heard);
    return this.reply.slice(0, this.#cut);
  }

  /**
   * All that came of it was played, or cannot be.
   * @param {Failure | null} failure what failed, if anything did
   * @param {boolean} mute whether nothing can be played
   */
  end(failure, mute) {
    const complete = !failure || failure.endsText;
    if (!mute && !complete) this.#ending = "broken";
    const heard = complete ? this.reply.length : this.spoken.played;
    if (this.sound.begun) this.cut(mute ? 0 : heard);
    else this.show(heard); // What is missing is told beside it.
    this.conclude(failure);
  }

  /** Say that it was cancelled, where that may have left out some of it. */
  cancel() {
    if (this.#end === null && this.reply) return;
    this.#markMissing();
    this.#note(this.reply ? CANCELLED : "No answer: it was cancelled.");
  }

  /** Say in its place what it lacks, and why. @param {Failure | null} failure what failed, if anything did */
  conclude(failure) {
    // Where it broke off, that is said in place.
    const broken = this.#ending === "broken" && Number.isFinite(this.#cut);
    if (!this.whole) this.#markMissing();
    for (const words of shortcomings(failure, this.#end, this, broken)) this.#note(words);
  }

  /** An ellipsis says that its end is missing; where it only may be, not behind a whole sentence. */
  #markMissing() {
    const missing = this.#end?.stage === "text" || !this.#shown.endsSentence;
    if (this.reply && missing) this.#shown.markIncomplete();
  }

  /** @param {string} words */
  #note(words) {
    const note = document.createElement("p");
    note.className = "missed";
    note.dir = "ltr";
    note.textContent = words;
    this.#part(this.reply ? ".reply" : ".said").parentElement?.append(note);
    return note;
  }

  /**
   * Say once that another voice speaks than was asked for, if any was.
   * @param {string} voice
   * @param {string} [asked]
   */
  #tellVoice(voice, asked) {
    if (!asked || asked === voice || this.element.querySelector(".voice")) return;
    const note = this.#note(`Spoken by ${voice}: the model has no voice named ${asked}.`);
    note.classList.add("voice");
  }

  /** Offer what can be done with it, now that it is over. */
  settle() {
    this.settled = true;
    this.sound.keep();
    this.#drawTiming();
    this.offer();
  }

  /** Offer to hear the reply again and to save it where there is sound, and to copy what was said. */
  offer() {
    this.#part(".again").hidden = !this.transcript;
    this.#align();
    this.#part("[data-action=copy]").hidden = !navigator.clipboard;
    // On an insecure page there is no player.
    const plays = "audioWorklet" in BaseAudioContext.prototype && isSecureContext;
    this.#part("[data-action=replay]").hidden = !(this.sound.file && plays);
    this.#part("[data-action=save]").hidden = !this.sound.file;
  }

  /** Have what belongs to the text run from the side where the text begins. */
  #align() {
    const { direction } = getComputedStyle(this.#part(this.reply ? ".reply" : ".said"));
    for (const part of [".again", ".timing"]) this.#part(part).dir = direction;
  }

  /** Say whether its reply is heard again at the moment. @param {boolean} heard */
  #markHeard(heard) {
    this.#isHeardAgain = heard;
    this.element.classList.toggle("heard-again", heard);
    this.#part(".spoken .who").textContent = heard ? "Reply, heard again now" : "Reply";
  }

  /** Fold its times into one figure: another turn has come. */
  fold() {
    /** @type {HTMLDetailsElement} */ (this.#part(".timing")).open = false;
  }

  /** The turn as text. */
  get text() {
    const [heard, rest] = [this.reply.slice(0, this.#cut), this.reply.slice(this.#cut)];
    const unheard =
      rest && `[${heard.trim() && `${ENDINGS[this.#ending][1]}; `}not heard:] ${rest.trim()}`;
    const reply = `${heard.trim()} ${unheard}`.trim() + this.#shown.ellipsis;
    const notes = [...this.element.querySelectorAll(".missed")].map(
      ({ textContent }) => `(${textContent})\n`,
    );
    return `You: ${this.transcript.trim()}\n${reply && `Reply: ${reply}\n`}${notes.join("")}`;
  }

  /**
   * @param {Action} action
   * @param {(button: HTMLElement) => void} handler
   */
  on(action, handler) {
    const button = this.#part(`[data-action=${action}]`);
    button.addEventListener("click", () => handler(button));
  }

  /** Draw its times, once they say how long an answer took. */
  #drawTiming() {
    if (!this.reply || !(this.settled || this.#timing.firstSound)) return;
    this.#align();
    this.#timing.draw(this.#part(".timing"), this.settled);
  }

  /** @param {string} selector */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.element.querySelector(selector));
  }
}
