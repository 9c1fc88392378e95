/** What the audio thread has beside ECMAScript (Web Audio API, 1.32), of which TypeScript's `dom` knows nothing. */

declare class AudioWorkletProcessor {
  constructor(options?: object);
  readonly port: MessagePort;
}

/** Samples a second. */
declare const sampleRate: number;

declare function registerProcessor(name: string, processor: new (options: never) => AudioWorkletProcessor): void;
