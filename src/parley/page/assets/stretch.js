/**
 * Speech faster or slower at the same pitch: waves that follow each other are overlapped where they
 * are most alike (WSOLA: Verhelst and Roelands, ICASSP 1993), so that no phase jumps.
 */

/** @import {Samples} from "./samples.js" */

/** What is added at once, and how far the best place is looked for: 15 ms, and a voice's longest wave. */
const [HOP, SEARCH] = [360, 300];
/** Each second sample tells enough of how alike two waves are. */
const STEP = 2;
const RISE = Float32Array.from(
  { length: HOP },
  (_, index) => 0.5 - 0.5 * Math.cos((Math.PI * index) / HOP),
);

export class Stretch {
  #queue;
  /** How the last wave would go on. @type {Float32Array | null} */
  #tail = null;
  #window = new Float32Array(SEARCH + 2 * HOP);
  /** What was made and not yet played. */
  #made = new Float32Array(HOP);
  #left = 0;
  /** Parts of a sample that were not taken yet. */
  #debt = 0;

  /**
   * @param {Samples} queue
   * @param {number} speed how fast; 1 is as it came
   */
  constructor(queue, speed) {
    this.#queue = queue;
    this.speed = speed;
  }

  /** How many samples of the queue were taken. */
  get taken() {
    return this.#queue.taken;
  }

  get empty() {
    return this.#queue.empty && this.#left === 0;
  }

  /**
   * Make what fits; where too little waits for a good place, silence, unless no more will come.
   * @param {Float32Array} output
   * @param {boolean} complete
   */
  fill(output, complete) {
    let filled = 0;
    while (filled < output.length) {
      if (this.#left === 0 && !this.#make(complete)) break;
      const count = Math.min(this.#left, output.length - filled);
      const from = this.#made.length - this.#left;
      output.set(this.#made.subarray(from, from + count), filled);
      filled += count;
      this.#left -= count;
    }
    return filled;
  }

  /** Make the next samples; false where that has to wait. @param {boolean} complete */
  #make(complete) {
    const there = this.#queue.peek(this.#window);
    if (there < this.#window.length) {
      if (!complete || there === 0) return false;
      this.#made = this.#window.slice(0, there);
      this.#left = there;
      this.#queue.drop(there);
      return true;
    }
    const place = this.#tail ? this.#best(this.#tail) : 0;
    const tail = this.#tail ?? this.#window;
    this.#made = new Float32Array(HOP);
    for (let index = 0; index < HOP; index += 1) {
      const wave = this.#window[place + index] - tail[index];
      this.#made[index] = tail[index] + RISE[index] * wave;
    }
    this.#left = HOP;
    this.#tail = this.#window.slice(place + HOP, place + 2 * HOP);
    this.#debt += HOP * this.speed;
    const whole = Math.floor(this.#debt);
    this.#debt -= whole;
    this.#queue.drop(whole);
    return true;
  }

  /** Where the window goes on most like the tail. @param {Float32Array} tail */
  #best(tail) {
    let [best, most] = [0, Number.NEGATIVE_INFINITY];
    for (let place = 0; place <= SEARCH; place += STEP) {
      let alike = 0;
      let power = 1e-9;
      for (let index = 0; index < HOP; index += STEP) {
        const sample = this.#window[place + index];
        alike += sample * tail[index];
        power += sample * sample;
      }
      const likeness = alike / Math.sqrt(power);
      if (likeness > most) [best, most] = [place, likeness];
    }
    return best;
  }
}
