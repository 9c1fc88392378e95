/** A microphone that stays open in a conversation: it hears when somebody speaks, and what they say. */

import { AudioInput } from "./audio-input.js";
import { use } from "./audio-session.js";
import { Echo } from "./echo.js";
import { Failure } from "./failures.js";
import { decibelsOf } from "./levels.js";
import { Utterances } from "./utterances.js";
import { BLOCK, loadModel, RATE } from "./voice-model.js";
import { addWorklet } from "./worklets.js";

/** @import {Heard} from "./utterances.js" */
/** @import {VoiceModel} from "./voice-model.js" */

/** What is kept of what was heard before a voice begins, since it begins softly, and after it has ended. */
const [BEFORE, AFTER] = [blocks(0.5), blocks(0.3)];
/** For how long the system may mute it before it counts as taken: some do so for a moment as it opens. */
const MUTED_MILLISECONDS = 1000;

/** Contexts that have the worklet. @type {WeakSet<AudioContext>} */
const loaded = new WeakSet();

export class Ear {
  /** How loud it is at the moment, in decibels below the loudest. */
  decibels = Number.NEGATIVE_INFINITY;
  /** What was said, once it was: 16 kHz, 16 bit. @type {Int16Array<ArrayBuffer>[]} */
  said = [];
  /** Called when a voice begins, has ended, or was none. @type {(heard: Heard) => void} */
  onheard = () => {};
  /** Called with a failure's code once nothing more will be heard. @type {(code: string) => void} */
  onlost = () => {};
  #utterances = new Utterances();
  #echo = new Echo();
  /** @type {Float32Array[]} */
  #blocks = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #patience;

  /**
   * @param {AudioInput} input
   * @param {VoiceModel} model
   * @param {() => number} played how loud the loudspeaker is at the moment, in decibels
   */
  constructor(input, model, played) {
    this.input = input;
    this.model = model;
    this.played = played;
    // A microphone of two channels may speak on the second alone.
    this.node = new AudioWorkletNode(input.context, "ear", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    this.node.port.onmessage = ({ data }) => this.#hear(data);
    input.source.connect(this.node);
    input.watch({ lose: () => this.onlost("conversation_lost"), mute: () => this.#mind() });
    // Phones stop the whole audio system for a call.
    input.context.onstatechange = () => this.#mind();
  }

  /**
   * Ask for the microphone, and load what listens. Throws a Failure.
   * @param {string} device the one that is wanted, blank for the system's choice
   * @param {() => number} played how loud the loudspeaker is at the moment, in decibels
   */
  static async open(device, played) {
    const input = await AudioInput.open(device, "play-and-record");
    try {
      const { context } = input;
      if (!loaded.has(context)) {
        await addWorklet(context, "ear-worklet");
        loaded.add(context);
      }
      return new Ear(input, await loadModel(), played);
    } catch {
      input.close();
      throw new Failure("conversation_missing");
    }
  }

  /** Whether somebody speaks. */
  get hears() {
    return this.#utterances.heard;
  }

  /** Give the microphone back. */
  close() {
    clearTimeout(this.#patience);
    this.onheard = this.onlost = () => {};
    this.node.port.onmessage = null;
    this.node.port.postMessage("close");
    this.input.context.onstatechange = null;
    this.input.close();
    use("auto");
  }

  /** @param {Float32Array} block */
  #hear(block) {
    this.decibels = decibelsOf(block);
    const own = !this.#echo.exceeds(this.decibels, this.played(), this.hears);
    const probability = this.model.hear(block);
    this.#blocks.push(block);
    const heard = this.#utterances.hear(own ? 0 : probability);
    if (heard === "said") {
      this.#echo.forget();
      this.said = this.heard;
    }
    if (!this.hears) this.#blocks = this.#blocks.slice(-BEFORE);
    if (heard) this.onheard(heard);
  }

  /** What was said since a voice began, without most of the pause after it. */
  get heard() {
    const pause = Math.max(0, this.#utterances.pause - AFTER);
    return this.#blocks.slice(0, this.#blocks.length - pause).map(toPcm);
  }

  /** Notice that something else takes the microphone. */
  #mind() {
    clearTimeout(this.#patience);
    const isTaken = () => this.input.silenced || this.input.context.state !== "running";
    if (!isTaken()) return;
    this.#patience = setTimeout(() => {
      if (isTaken()) this.onlost("conversation_taken");
    }, MUTED_MILLISECONDS);
  }
}

/** @param {number} seconds */
function blocks(seconds) {
  return Math.round((seconds * RATE) / BLOCK);
}

/** @param {Float32Array} block */
function toPcm(block) {
  return Int16Array.from(block, (sample) => Math.max(-1, Math.min(1, sample)) * 32_767);
}
