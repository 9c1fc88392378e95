/** Opens a microphone, for a recording or for a conversation, and runs what listens to it. */

import { use } from "./audio-session.js";
import { Failure } from "./failures.js";

/** How long is waited for the audio system. */
const START_MILLISECONDS = 2000;

/** getUserMedia's errors (Media Capture and Streams, 10.2), by what the user can do. */
const REFUSALS = /** @type {Record<string, string>} */ ({
  NotAllowedError: "microphone_refused",
  SecurityError: "microphone_refused",
  NotFoundError: "microphone_missing",
  OverconstrainedError: "microphone_missing",
});

/** Listens; kept from one microphone to the next. @type {AudioContext | null} */
let ears = null;
/** How many microphones it listens to: one may be closed after the next was opened. */
let opened = 0;

/** Start the audio system; called in the gesture that will open the microphone, it is ready by then. */
export async function warm() {
  ears ??= new AudioContext();
  await Promise.race([ears.resume(), pause(START_MILLISECONDS)]).catch(() => {});
  return ears;
}

/** A microphone that is open, and what listens to it. */
export class AudioInput {
  #closed = false;

  /**
   * @param {MediaStream} stream
   * @param {AudioContext} context one that runs: until then Firefox gives a recorder nothing
   */
  constructor(stream, context) {
    this.stream = stream;
    this.context = context;
    this.source = context.createMediaStreamSource(stream);
    opened += 1;
  }

  /**
   * Ask for the microphone. Throws a Failure.
   * @param {string} device the one that is wanted, blank for the system's choice
   * @param {"auto" | "play-and-record"} purpose whether it stays open while something is played
   */
  static async open(device, purpose) {
    if (!navigator.mediaDevices) throw new Failure("insecure");
    use(purpose);
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: wanted(device) });
    } catch (error) {
      throw await refusal(error);
    }
    return new AudioInput(stream, await warm());
  }

  /** Whether the system, or a switch on the device, mutes it. */
  get silenced() {
    return this.stream.getTracks().some((track) => track.muted);
  }

  /**
   * Call `lose` if it ends by itself, and `mute` each time that the system mutes or unmutes it.
   * @param {{lose: () => void, mute: () => void}} happens
   */
  watch({ lose, mute }) {
    for (const track of this.stream.getTracks()) {
      // A device that is unplugged, or leave that is withdrawn. Chromium's recorder does not notice.
      track.onended = lose;
      track.onmute = track.onunmute = mute;
    }
  }

  /** Give the microphone back. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    for (const track of this.stream.getTracks()) track.stop();
    this.source.disconnect();
    opened -= 1;
    if (opened === 0) this.context.suspend().catch(() => {});
  }
}

/** @param {string} device @returns {MediaTrackConstraints} */
function wanted(device) {
  return {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    sampleRate: 48_000, // WebKitGTK opens nothing at another rate.
    ...(device ? { deviceId: device } : {}),
  };
}

/** What an error of getUserMedia means. @param {unknown} error */
async function refusal(error) {
  const code = REFUSALS[error instanceof DOMException ? error.name : ""];
  if (code) return new Failure(code);
  // Not every browser says so in its error's name.
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  const any = devices.some(({ kind }) => kind === "audioinput");
  return new Failure(any ? "microphone_busy" : "microphone_missing");
}

/** @param {number} milliseconds */
export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
