/** Brings sound from a device's rate to another: a sum of sines, weighted by a window, between the samples. */

/** How many of the slower rate's samples it looks to either side. */
const REACH = 12;
/** What is kept of the frequencies that the slower rate can carry. */
const KEPT = 0.92;

export class Resampler {
  #from;
  #to;
  #half;
  #cutoff;
  /** The weights for each place between two samples that was met. @type {Map<number, Float32Array>} */
  #weights = new Map();
  #rest;
  /** Where the next sample lies in what is left: whole samples, and the part of one by `#to`. */
  #at = 0;
  #part = 0;

  /**
   * @param {number} from samples a second
   * @param {number} to samples a second
   */
  constructor(from, to) {
    this.#from = from;
    this.#to = to;
    this.#cutoff = KEPT * Math.min(1, to / from);
    this.#half = Math.ceil(REACH / this.#cutoff);
    this.#rest = new Float32Array(this.#half);
  }

  /** The samples that can be told once these have come. @param {Float32Array} samples */
  take(samples) {
    const sound = new Float32Array(this.#rest.length + samples.length);
    sound.set(this.#rest);
    sound.set(samples, this.#rest.length);
    const taken = [];
    const width = 2 * this.#half;
    while (this.#at + width <= sound.length) {
      const weights = this.#weightsFor(this.#part);
      let sum = 0;
      for (let index = 0; index < width; index += 1)
        sum += sound[this.#at + index] * weights[index];
      taken.push(sum);
      this.#part += this.#from;
      this.#at += Math.floor(this.#part / this.#to);
      this.#part %= this.#to;
    }
    const gone = Math.min(this.#at, sound.length);
    this.#rest = sound.slice(gone);
    this.#at -= gone;
    return taken;
  }

  /** @param {number} part of a sample, by `#to` */
  #weightsFor(part) {
    const known = this.#weights.get(part);
    if (known) return known;
    const [half, cutoff] = [this.#half, this.#cutoff];
    const weights = Float32Array.from({ length: 2 * half }, (_, index) => {
      const place = index - half + 1 - part / this.#to;
      const angle = Math.PI * cutoff * place;
      const wave = place === 0 ? cutoff : (cutoff * Math.sin(angle)) / angle;
      return wave * (0.5 + 0.5 * Math.cos((Math.PI * place) / half));
    });
    this.#weights.set(part, weights);
    return weights;
  }
}
