/** The player on the audio thread: pieces are queued, and played one after the other without a gap. */

import { Samples } from "./samples.js";
import { Stretch } from "./stretch.js";

/** How often it is told how much was played: every 1,024 samples, 43 ms. */
const REPORT_SAMPLES = 1024;
/** After so much silence for want of more it is told that the voice has run dry: half a second. */
const DRY_SAMPLES = 12_000;

class Player extends AudioWorkletProcessor {
  /** @param {{processorOptions?: {speed?: number}}} options */
  constructor({ processorOptions: { speed = 1 } = {} }) {
    super();
    const queue = new Samples();
    /** What is played: the queue itself, or the same faster or slower. */
    this.source = speed === 1 ? queue : new Stretch(queue, speed);
    this.reported = 0;
    /** For how many samples there was nothing to play. */
    this.idle = 0;
    this.complete = false;
    this.stopped = false;
    /** Whether it waits, and whether it has fallen silent for that. */
    this.held = false;
    this.silent = false;
    this.port.onmessage = ({ data }) => {
      if (data.samples) queue.push(data.samples);
      this.complete ||= Boolean(data.complete);
      this.stopped ||= Boolean(data.stop);
      this.held = data.held ?? this.held;
      if (!data.speed) return;
      if (this.source instanceof Stretch) this.source.speed = data.speed;
      else this.source = new Stretch(queue, data.speed);
    };
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, [[output]]) {
    const before = this.source.taken;
    if (!this.silent) this.source.fill(output, this.complete);
    const { taken } = this.source;
    const waits = taken > 0 && taken === before && !this.held;
    this.idle = waits ? this.idle + output.length : 0;
    const dry = this.idle >= DRY_SAMPLES && this.idle - output.length < DRY_SAMPLES;
    // A cut in mid-wave clicks, so that the last 5 ms fade.
    if (this.stopped || this.held)
      output.forEach((sample, index) => {
        output[index] = sample * (1 - index / output.length);
      });
    this.silent = this.held;
    const drained = this.stopped || (this.complete && this.source.empty && !this.held);
    const first = taken > 0 && this.reported === 0;
    if (drained || dry || first || taken - this.reported >= REPORT_SAMPLES) {
      this.reported = taken;
      this.port.postMessage({ played: taken, dry, drained });
    }
    return !drained;
  }
}

registerProcessor("player", Player);
