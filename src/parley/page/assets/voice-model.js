/** Tells how likely it is that somebody speaks: Silero's network, computed here (docs/adr/0020). */

/** What it hears at once: 32 ms at 16 kHz. */
export const BLOCK = 512;
export const RATE = 16_000;
/** How much of the last block it hears again. */
const CONTEXT = 64;
const [FRAME, HOP, FRAMES, BINS] = [256, 128, 4, 129];
const UNITS = 128;
/** Rows and columns of each layer, in the order of the file: four convolutions, the memory, the output. */
const SHAPES = [
  [128, 3 * BINS],
  [64, 3 * 128],
  [64, 3 * 64],
  [128, 64],
  [4 * UNITS, 2 * UNITS],
  [1, UNITS],
];

/** @typedef {{rows: number, columns: number, weights: Float32Array, bias: Float32Array}} Layer */

/** @type {Promise<ArrayBuffer> | null} */
let file = null;

/** A model that has heard nothing yet; its file is loaded once. Throws where it cannot be loaded. */
export async function loadModel() {
  file ??= fetch(new URL("./voice-model.bin", import.meta.url)).then((answer) => {
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.arrayBuffer();
  });
  file.catch(() => {
    file = null;
  });
  return new VoiceModel(await file);
}

export class VoiceModel {
  #layers;
  #sound = new Float32Array(CONTEXT + BLOCK + CONTEXT);
  #spectrum = new Float32Array(BINS * FRAMES);
  #memory = new Float32Array(2 * UNITS);
  /** What it remembers: the last output, and the cells behind it. */
  #output = new Float32Array(UNITS);
  #cells = new Float32Array(UNITS);

  /** @param {ArrayBuffer} weights the file */
  constructor(weights) {
    this.#layers = layersOf(weights);
  }

  /** How likely there is a voice in the next block, from 0 to 1. @param {Float32Array} block */
  hear(block) {
    const [first, second, third, fourth, memory, last] = this.#layers;
    this.#look(block);
    let signal = convolve(first, this.#spectrum, FRAMES, 1);
    signal = convolve(second, signal, 4, 2);
    signal = convolve(third, signal, 2, 2);
    signal = apply(fourth, signal).map(positive);
    this.#memory.set(signal);
    this.#memory.set(this.#output, UNITS);
    this.#remember(apply(memory, this.#memory));
    return sigmoid(apply(last, this.#output.map(positive))[0]);
  }

  /** How strong each frequency is in each of four frames that overlap. @param {Float32Array} block */
  #look(block) {
    const sound = this.#sound;
    const end = CONTEXT + BLOCK;
    sound.copyWithin(0, BLOCK, end);
    sound.set(block, CONTEXT);
    // Beyond its end the sound is mirrored.
    for (let index = 0; index < CONTEXT; index += 1) sound[end + index] = sound[end - 2 - index];
    for (let bin = 0; bin < BINS; bin += 1) {
      const row = bin * FRAME;
      for (let frame = 0; frame < FRAMES; frame += 1) {
        let [real, imaginary] = [0, 0];
        for (let index = 0; index < FRAME; index += 1) {
          real += sound[HOP * frame + index] * COSINE[row + index];
          imaginary += sound[HOP * frame + index] * SINE[row + index];
        }
        this.#spectrum[bin * FRAMES + frame] = Math.sqrt(real * real + imaginary * imaginary);
      }
    }
  }

  /** A step of its long short-term memory. @param {Float32Array} gates input, forget, cell, output */
  #remember(gates) {
    for (let unit = 0; unit < UNITS; unit += 1) {
      const [take, keep, cell, give] = [0, 1, 2, 3].map((gate) => gates[gate * UNITS + unit]);
      this.#cells[unit] = sigmoid(keep) * this.#cells[unit] + sigmoid(take) * Math.tanh(cell);
      this.#output[unit] = sigmoid(give) * Math.tanh(this.#cells[unit]);
    }
  }
}

const [COSINE, SINE] = [Math.cos, Math.sin].map((wave) =>
  Float32Array.from({ length: BINS * FRAME }, (_, at) => {
    const [bin, index] = [(at / FRAME) | 0, at % FRAME];
    const turn = (2 * Math.PI) / FRAME;
    return (0.5 - 0.5 * Math.cos(turn * index)) * wave(turn * bin * index);
  }),
);

/** The layers in the file: scales, biases, and weights of a byte each, row by row. @param {ArrayBuffer} weights */
function layersOf(weights) {
  let at = 0;
  return SHAPES.map(([rows, columns]) => {
    const scales = new Float32Array(weights, at, rows);
    const bias = new Float32Array(weights, at + 4 * rows, rows);
    const bytes = new Int8Array(weights, at + 8 * rows, rows * columns);
    at += 8 * rows + 4 * Math.ceil((rows * columns) / 4);
    const scaled = Float32Array.from(bytes, (byte, index) => byte * scales[(index / columns) | 0]);
    return { rows, columns, weights: scaled, bias };
  });
}

/**
 * A layer's rows times the input, and its biases.
 * @param {Layer} layer
 * @param {Float32Array} input
 */
function apply({ rows, columns, weights, bias }, input) {
  const output = new Float32Array(rows);
  let at = 0;
  for (let row = 0; row < rows; row += 1) {
    let sum = bias[row];
    for (let column = 0; column < columns; column += 1, at += 1) sum += weights[at] * input[column];
    output[row] = sum;
  }
  return output;
}

/**
 * A convolution over three moments, of which none is below zero after it.
 * @param {Layer} layer
 * @param {Float32Array} input channel by channel
 * @param {number} moments of each channel
 * @param {number} step from one to the next
 */
function convolve(layer, input, moments, step) {
  const length = Math.ceil(moments / step);
  const output = new Float32Array(layer.rows * length);
  const seen = new Float32Array(layer.columns);
  for (let moment = 0; moment < length; moment += 1) {
    for (let index = 0; index < seen.length; index += 1) {
      const at = moment * step + (index % 3) - 1;
      seen[index] = at < 0 || at >= moments ? 0 : input[((index / 3) | 0) * moments + at];
    }
    apply(layer, seen).forEach((value, row) => {
      output[row * length + moment] = positive(value);
    });
  }
  return output;
}

/** @param {number} value */
function positive(value) {
  return Math.max(0, value);
}

/** @param {number} value */
function sigmoid(value) {
  return 1 / (1 + Math.exp(-value));
}
