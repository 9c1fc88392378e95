/** The microphone: opened for one recording, and given back after it. */

import { use } from "./audio-session.js";
import { Failure } from "./failures.js";

/**
 * What is recorded, by name: Firefox's own default is Ogg, which the service refuses; Safari has MP4.
 * @type {[string, string][]}
 */
const KINDS = [
  ["audio/webm;codecs=opus", "recording.webm"],
  ["audio/mp4", "recording.mp4"],
];
const BITS_PER_SECOND = 48_000;
/** How long is waited for the audio system, and then for the first sound that is not silence. */
const [START_MILLISECONDS, SOUND_MILLISECONDS] = [2000, 600];

/** getUserMedia's errors (Media Capture and Streams, 10.2), by what the user can do. */
const REFUSALS = /** @type {Record<string, string>} */ ({
  NotAllowedError: "microphone_refused",
  SecurityError: "microphone_refused",
  NotFoundError: "microphone_missing",
  OverconstrainedError: "microphone_missing",
});

/** Measures the level; kept from one recording to the next. @type {AudioContext | null} */
let ears = null;
/** How many microphones it measures: one may be closed after the next was opened. */
let measured = 0;

/** Start the audio system; called in the gesture that will open the microphone, it is ready by then. */
export async function warm() {
  ears ??= new AudioContext();
  await Promise.race([ears.resume(), pause(START_MILLISECONDS)]).catch(() => {});
  return ears;
}

export class Microphone {
  /** Called when it is muted or unmuted, here or by the system. */
  onmuted = () => {};
  /** @type {Blob[]} */
  #pieces = [];
  #muted = false;
  #closed = false;
  #began = performance.now();

  /**
   * @param {MediaStream} stream
   * @param {AudioContext} context one that runs: until then Firefox gives a recorder nothing
   * @param {string} type
   * @param {string} fileName
   */
  constructor(stream, context, type, fileName) {
    this.fileName = fileName;
    this.stream = stream;
    this.context = context;
    this.recorder = new MediaRecorder(stream, {
      mimeType: type,
      audioBitsPerSecond: BITS_PER_SECOND,
    });
    this.recorder.ondataavailable = ({ data }) => this.#pieces.push(data);
    /** Resolves once all that was recorded is kept, and nothing more will be. */
    this.stopped = new Promise((resolve) => {
      this.recorder.onstop = resolve;
    });
    for (const track of stream.getTracks()) {
      // A device that is unplugged, or leave that is withdrawn. Chromium's recorder does not notice.
      track.onended = () => this.#stop();
      track.onmute = track.onunmute = () => this.onmuted();
    }
    this.analyser = new AnalyserNode(context, { fftSize: 1024 });
    this.source = context.createMediaStreamSource(stream);
    this.source.connect(this.analyser);
    this.recorder.start();
    measured += 1;
  }

  /**
   * Ask for the microphone and begin to record; resolves once sound arrives. Throws a Failure.
   * @param {string} device the one that is wanted, blank for the system's choice
   */
  static async open(device) {
    if (!navigator.mediaDevices) throw new Failure("insecure");
    const kind = KINDS.find(([type]) => globalThis.MediaRecorder?.isTypeSupported(type));
    if (!kind) throw new Failure("recorder_missing");
    use("auto");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: wanted(device) });
    } catch (error) {
      throw await refusal(error);
    }
    const microphone = new Microphone(stream, await warm(), ...kind);
    await microphone.#arrives();
    return microphone;
  }

  get muted() {
    return this.#muted;
  }

  set muted(muted) {
    this.#muted = muted;
    for (const track of this.stream.getTracks()) track.enabled = !muted;
    this.onmuted();
  }

  /** Whether the system, or a switch on the device, mutes it. */
  get silenced() {
    return this.stream.getTracks().some((track) => track.muted);
  }

  /** How long it has recorded, in milliseconds. */
  get milliseconds() {
    return performance.now() - this.#began;
  }

  /** How loud it is at the moment, in decibels below the loudest. */
  get decibels() {
    const samples = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    return 10 * Math.log10(power);
  }

  /** What was recorded, once it has stopped. */
  get recording() {
    return new Blob(this.#pieces, { type: this.recorder.mimeType });
  }

  /** Stop, give the microphone back, and return the recording. */
  async finish() {
    this.#stop();
    await this.stopped;
    this.#close();
    return this.recording;
  }

  /** Stop, and forget what was recorded; nothing where it has finished. */
  cancel() {
    this.recorder.ondataavailable = null;
    this.#stop();
    this.#close();
  }

  /** Wait until something is heard; a room may be as silent as no microphone, though not for long. */
  async #arrives() {
    const until = performance.now() + SOUND_MILLISECONDS;
    while (this.decibels === Number.NEGATIVE_INFINITY && performance.now() < until) await pause(20);
  }

  #stop() {
    if (this.recorder.state !== "inactive") this.recorder.stop();
  }

  #close() {
    if (this.#closed) return;
    this.#closed = true;
    for (const track of this.stream.getTracks()) track.stop();
    this.source.disconnect();
    measured -= 1;
    if (measured === 0) this.context.suspend().catch(() => {});
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
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
