/** What the audio thread has beside ECMAScript (Web Audio API, 1.32), of which TypeScript's `dom` knows nothing. */

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

declare function registerProcessor(name: string, processor: typeof AudioWorkletProcessor): void;
