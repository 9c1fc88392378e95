/** Server-sent events, read from a fetch's body as they arrive. */

import { pauses } from "./frames.js";

/** @import {Failure} from "./failures.js" */

/**
 * What the service sends; `at` and `began` are milliseconds since the request's headers were there.
 * Which voice was `asked` for is added to it here, and to its end which `failure` it told of.
 * @typedef {object} ServiceError
 * @property {string} stage
 * @property {string} code
 * @property {string} message
 * @property {number} [retry_after] seconds
 * @property {number} [upstream_status]
 *
 * @typedef {{at: number, text: string, model: string}} TranscriptData
 * @typedef {{at: number, delta: string}} TextData
 * @typedef {{at: number, segment: number, text: string, voice: string, began: number, asked?: string}} SegmentData
 * @typedef {{at: number, segment: number, data: string, last: boolean}} AudioData
 * @typedef {{name: "transcript", data: TranscriptData}
 *   | {name: "text", data: TextData}
 *   | {name: "segment", data: SegmentData}
 *   | {name: "audio", data: AudioData}
 *   | {name: "error", data: ServiceError & {at: number}}
 *   | {name: "done", data: {at: number, failure?: Failure | null}}} ServiceEvent
 */

/**
 * Each event with its JSON data; comments are passed over, a last one without its end is dropped.
 * Rejects as the body does where the connection breaks.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<ServiceEvent>}
 */
export async function* readEvents(body) {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  const pause = pauses();
  let rest = "";
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isOver = done;
      if (done) return;
      const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = /** @type {string} */ (blocks.pop());
      for (const block of blocks) {
        await pause(); // What has arrived together may be much.
        const event = parse(block);
        if (event) yield event;
      }
    }
  } finally {
    // Of one that is over, Chromium would say that it was aborted.
    if (!isOver) await reader.cancel().catch(() => {});
  }
}

/**
 * @param {string} block the lines of one event
 * @returns {ServiceEvent | null} null for a comment
 */
function parse(block) {
  let name = "";
  const data = [];
  for (const line of block.split("\n")) {
    const [, field, value] = /^(\w*): ?(.*)$/.exec(line) ?? [];
    if (field === "event") name = value;
    if (field === "data") data.push(value);
  }
  return data.length
    ? /** @type {ServiceEvent} */ ({ name, data: JSON.parse(data.join("\n")) })
    : null;
}
