/** The player on the audio thread: pieces are queued, and played one after the other without a gap. */

/** How often it is told how much was played: every 1,024 samples, 43 ms. */
const REPORT_SAMPLES = 1024;

class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    /** @type {Float32Array[]} */
    this.queue = [];
    this.offset = 0;
    this.played = 0;
    this.reported = 0;
    this.complete = false;
    this.stopped = false;
    this.port.onmessage = ({ data }) => {
      if (data.samples) this.queue.push(data.samples);
      this.complete ||= Boolean(data.complete);
      this.stopped ||= Boolean(data.stop);
    };
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, [[output]]) {
    const filled = this.fill(output);
    this.played += filled;
    // A cut in mid-wave clicks, so that the last 5 ms fade.
    if (this.stopped)
      output.forEach((sample, index) => {
        output[index] = sample * (1 - index / output.length);
      });
    const drained = this.stopped || (this.complete && this.queue.length === 0);
    const first = this.played > 0 && this.reported === 0;
    if (drained || first || this.played - this.reported >= REPORT_SAMPLES) {
      this.reported = this.played;
      this.port.postMessage({ played: this.played, drained });
    }
    return !drained;
  }

  /**
   * Take what is queued; what is missing stays silence.
   * @param {Float32Array} output
   */
  fill(output) {
    let filled = 0;
    while (filled < output.length && this.queue.length) {
      const piece = this.queue[0].subarray(this.offset, this.offset + output.length - filled);
      output.set(piece, filled);
      filled += piece.length;
      this.offset += piece.length;
      if (this.offset === this.queue[0].length) {
        this.queue.shift();
        this.offset = 0;
      }
    }
    return filled;
  }
}

registerProcessor("player", Player);
