/** Sound that waits to be played: pieces come in at one end, and samples go out at the other. */

export class Samples {
  /** How many have gone out. */
  taken = 0;
  /** How many wait. */
  length = 0;
  /** @type {Float32Array[]} */
  #pieces = [];
  #offset = 0;

  /** @param {Float32Array} piece */
  push(piece) {
    if (piece.length) this.#pieces.push(piece);
    this.length += piece.length;
  }

  get empty() {
    return this.length === 0;
  }

  /** Take what is there; what is missing stays as it was. @param {Float32Array} output */
  fill(output) {
    const filled = this.peek(output);
    this.drop(filled);
    return filled;
  }

  /** Copy the next samples, and leave them; returns how many there were. @param {Float32Array} output */
  peek(output) {
    let filled = 0;
    let offset = this.#offset;
    for (const piece of this.#pieces) {
      if (filled === output.length) break;
      const part = piece.subarray(offset, offset + output.length - filled);
      output.set(part, filled);
      filled += part.length;
      offset = 0;
    }
    return filled;
  }

  /** Take so many away. @param {number} count */
  drop(count) {
    let rest = Math.min(count, this.length);
    this.length -= rest;
    this.taken += rest;
    while (rest) {
      const left = this.#pieces[0].length - this.#offset;
      const gone = Math.min(rest, left);
      this.#offset += gone;
      rest -= gone;
      if (gone < left) continue;
      this.#pieces.shift();
      this.#offset = 0;
    }
  }
}
