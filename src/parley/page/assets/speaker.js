/** The loudspeaker: plays pieces of speech as they arrive, and knows how far it has come. */

import { use } from "./audio-session.js";
import { Failure } from "./failures.js";
import { SAMPLE_RATE } from "./pcm.js";

/** How long a browser may take to start the sound before it counts as held back. */
const START_MILLISECONDS = 500;

/** One reply as it is played. */
class Playback {
  played = 0;
  /** Called each time that more was played. */
  onprogress = () => {};

  /** @param {AudioContext} context */
  constructor(context) {
    this.context = context;
    this.node = new AudioWorkletNode(context, "player", {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    this.node.connect(context.destination);
    /** Resolves when the first sound leaves. */
    this.begun = new Promise((resolve) => {
      this.begin = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
    this.node.port.onmessage = ({ data }) => this.#take(data);
  }

  /** @param {{played: number, drained: boolean}} report */
  #take({ played, drained }) {
    this.played = played;
    if (played) this.begin?.(undefined);
    this.onprogress();
    if (!drained) return;
    this.node.disconnect();
    this.end?.(undefined);
  }

  /** @param {Int16Array} samples */
  add(samples) {
    const floats = Float32Array.from(samples, (sample) => sample / 32_768);
    this.node.port.postMessage({ samples: floats }, [floats.buffer]);
  }

  /** Say that no more comes; resolves when everything was played, or it was stopped. */
  drain() {
    this.node.port.postMessage({ complete: true });
    return this.ended;
  }

  /** Be silent within a few milliseconds. */
  stop() {
    this.node.port.postMessage({ stop: true });
  }

  /** How many samples were heard: what was played less what is still on its way to the ear. */
  get heard() {
    const underWay = (this.context.outputLatency || 0) * SAMPLE_RATE;
    return Math.max(0, this.played - underWay);
  }
}

export class Speaker {
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {Promise<void> | null} */
  #loaded = null;

  /** Allow sound; to be called in a gesture of the user's, as browsers ask. */
  wake() {
    try {
      this.#context ??= new AudioContext({ sampleRate: SAMPLE_RATE });
    } catch {
      return; // `open` says so.
    }
    if (!this.#context.audioWorklet) return; // On an insecure origin there is none.
    this.#loaded ??= this.#context.audioWorklet.addModule(
      new URL("./speaker-worklet.js", import.meta.url),
    );
    this.#loaded.catch(() => {
      this.#loaded = null;
    });
    this.#context.resume().catch(() => {});
  }

  /** A new playback. Throws a Failure where the browser plays nothing. */
  async open() {
    this.wake();
    use("playback");
    try {
      await this.#loaded;
      return new Playback(/** @type {AudioContext} */ (this.#context));
    } catch {
      throw new Failure(isSecureContext ? "sound_missing" : "sound_insecure");
    }
  }

  /** Whether the browser waits for a gesture before it plays anything. */
  async held() {
    const context = this.#context;
    if (!context || context.state === "running") return false;
    await Promise.race([
      context.resume(),
      new Promise((resolve) => setTimeout(resolve, START_MILLISECONDS)),
    ]);
    return /** @type {string} */ (context.state) !== "running";
  }
}

/** @typedef {Playback} SpeakerPlayback */
