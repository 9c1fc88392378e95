/** The loudspeaker: plays pieces of speech as they arrive, and knows how far it has come. */

import { use } from "./audio-session.js";
import { Failure } from "./failures.js";
import { decibelsAt } from "./levels.js";
import { SAMPLE_RATE } from "./pcm.js";
import { addWorklet } from "./worklets.js";

/** How long a browser may take to start the sound before it counts as held back. */
const START_MILLISECONDS = 500;
/** How long a device may take, once the user has done something: nothing holds the sound back then. */
const DEVICE_MILLISECONDS = 4000;
/**
 * Firefox 153 stops for ever now and then where its latency is asked for while a worklet plays: the page
 * waits for the loudspeaker's thread, which waits for the worklet's, which waits for the page.
 */
const TELLS_LATENCY = !navigator.userAgent.includes("Firefox/");

/** One reply as it is played. */
class Playback {
  played = 0;
  /** Why nothing can be heard, if so. @type {Failure | null} */
  failure = null;
  /** Called each time that more was played. */
  onprogress = () => {};
  /** Whether nothing is heard: before the first sound, and where the next one is not there in time. */
  #silent = true;

  /**
   * @param {AnalyserNode} out what leads to the loudspeaker
   * @param {number} speed how fast it is played, at the same pitch; 1 as it came
   * @param {{begun: () => void, dry: () => void}} happens
   */
  constructor(out, speed, happens) {
    const { context } = out;
    this.context = /** @type {AudioContext} */ (context);
    this.speed = speed;
    this.happens = happens;
    this.node = new AudioWorkletNode(context, "player", {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: { speed },
    });
    this.node.connect(out);
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
    this.node.port.onmessage = ({ data }) => this.#take(data);
  }

  /** @param {{played: number, dry: boolean, drained: boolean}} report */
  #take({ played, dry, drained }) {
    if (dry) this.happens.dry();
    else if (this.#silent && played > this.played) this.happens.begun();
    this.#silent = dry || (this.#silent && played === this.played);
    this.played = played;
    this.onprogress();
    if (!drained) return;
    this.node.disconnect();
    this.end?.(undefined);
  }

  /** @param {Int16Array} samples */
  add(samples) {
    const floats = new Float32Array(samples.length);
    // See pcm.js: it may be a long reply's, heard again.
    for (let index = 0; index < samples.length; index += 1) floats[index] = samples[index] / 32_768;
    this.node.port.postMessage({ samples: floats }, [floats.buffer]);
  }

  /** Say that no more comes; resolves when everything was played, or it was stopped. */
  drain() {
    this.node.port.postMessage({ complete: true });
    return this.ended;
  }

  /** Wait within a few milliseconds, or go on. @param {boolean} held */
  hold(held) {
    this.node.port.postMessage({ held });
  }

  /** Go on faster or slower. @param {number} speed */
  hasten(speed) {
    this.speed = speed;
    this.node.port.postMessage({ speed });
  }

  /** Be silent within a few milliseconds. */
  stop() {
    this.node.port.postMessage({ stop: true });
    this.end?.(undefined); // A context that does not run answers nothing.
  }

  /** Give up. @param {Failure} failure why */
  fail(failure) {
    this.failure = failure;
    this.stop();
  }

  /** How many samples were heard: what was played less what is still on its way to the ear. */
  get heard() {
    const latency = (TELLS_LATENCY && this.context.outputLatency) || 0;
    return Math.max(0, this.played - latency * SAMPLE_RATE * this.speed);
  }
}

export class Speaker {
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {Promise<void> | null} */
  #loaded = null;
  /** The last. @type {Playback | null} */
  #playback = null;
  /** What all playbacks go through. @type {AnalyserNode | null} */
  #out = null;

  /** How loud it is at the moment, in decibels below the loudest. */
  get decibels() {
    const runs = this.#out?.context.state === "running";
    return runs ? decibelsAt(/** @type {AnalyserNode} */ (this.#out)) : Number.NEGATIVE_INFINITY;
  }

  /** Have the last playback wait, or go on. @param {boolean} held */
  hold(held) {
    this.#playback?.hold(held);
  }

  /** Have the last playback go on faster or slower. @param {number} speed */
  hasten(speed) {
    if (this.#playback && this.#playback.speed !== speed) this.#playback.hasten(speed);
  }

  /** Allow sound; to be called in a gesture of the user's, as browsers ask. */
  wake() {
    try {
      this.#context ??= new AudioContext({ sampleRate: SAMPLE_RATE });
    } catch {
      return; // `open` says so.
    }
    if (!this.#context.audioWorklet) return; // On an insecure origin there is none.
    if (!this.#out) {
      this.#out = new AnalyserNode(this.#context, { fftSize: 1024 });
      this.#out.connect(this.#context.destination);
    }
    this.#loaded ??= addWorklet(this.#context, "speaker-worklet");
    this.#loaded.catch(() => {
      this.#loaded = null;
    });
    this.#context.resume().catch(() => {});
  }

  /**
   * A new playback. Throws a Failure where the browser plays nothing; where it is known only later,
   * the playback ends by itself, and has a `failure`.
   * @param {number} speed
   * @param {AbortSignal} signal stops it
   * @param {{begun: () => void, dry: () => void, held: () => void}} happens sound leaves, at first or again;
   *   it has run dry, and more is awaited; the browser waits for a gesture
   */
  async open(speed, signal, happens) {
    this.wake();
    use("playback");
    try {
      await this.#loaded;
      const tell = (/** @type {() => void} */ what) => () => signal.aborted || what();
      const [begun, dry, held] = [happens.begun, happens.dry, happens.held].map(tell);
      const out = /** @type {AnalyserNode} */ (this.#out);
      const playback = new Playback(out, speed, { begun, dry });
      this.#playback = playback;
      signal.addEventListener("abort", () => playback.stop());
      this.#start(playback, held);
      return playback;
    } catch {
      throw new Failure(isSecureContext ? "sound_missing" : "sound_insecure");
    }
  }

  /**
   * See that the browser plays. Nothing but a gesture is waited for; after one, only a device can lack.
   * @param {Playback} playback
   * @param {() => void} held
   */
  async #start(playback, held) {
    if (await this.#runs(START_MILLISECONDS)) return;
    if (!navigator.userActivation?.hasBeenActive) return held();
    if (await this.#runs(DEVICE_MILLISECONDS)) return;
    playback.fail(new Failure("loudspeaker_missing"));
  }

  /** Whether it plays within this time. @param {number} milliseconds */
  async #runs(milliseconds) {
    const context = /** @type {AudioContext} */ (this.#context);
    if (context.state === "running") return true;
    await Promise.race([
      context.resume(),
      new Promise((resolve) => setTimeout(resolve, milliseconds)),
    ]);
    return /** @type {string} */ (context.state) === "running";
  }
}

/** @typedef {Playback} SpeakerPlayback */
