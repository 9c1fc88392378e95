/** One request to the service: a recording goes out, the events of its answer come back. */

import { readEvents } from "./events.js";
import { Failure } from "./failures.js";

/** @import {ServiceEvent, ServiceError} from "./events.js" */

/** The largest file that the service takes. */
const AUDIO_BYTES = 26_214_400;

/**
 * `isFile` says that it was not recorded here.
 * @typedef {{recording: Blob, fileName: string, isFile?: boolean}} Recorded
 *
 * @typedef {object} Question
 * @property {Blob} recording
 * @property {string} fileName
 * @property {Record<string, string>} fields form fields by name; blank ones are not sent
 * @property {Record<string, string>} headers the keys and the base URLs; blank ones are not sent
 * @property {boolean} tokens whether the key is a token of the service's
 * @property {Record<string, string[]>} remedies by stage: what Settings offer against what its host refuses
 * @property {AbortSignal} signal
 */

/**
 * Send the question and yield the answer's events, `done` at the end and no `error`.
 *
 * Throws a Failure for whatever else happens; what was yielded before it stands.
 * @param {Question} question
 * @returns {AsyncGenerator<ServiceEvent>}
 */
export async function* ask(question) {
  try {
    yield* answer(question);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw error.of(question);
  }
}

/**
 * @param {Question} question
 * @returns {AsyncGenerator<ServiceEvent>}
 */
async function* answer({ recording, fileName, fields, headers, signal }) {
  if (recording.size > AUDIO_BYTES) throw new Failure("audio_too_large");
  const response = await post(form(recording, fileName, fields), filled(headers), signal);
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream") || !response.body) {
    throw await refusal(response);
  }
  // A stream that ends without `done` was cut; what follows `error` is `done` alone.
  /** @type {Failure | null} */
  let failure = new Failure("cut");
  try {
    for await (const event of readEvents(response.body)) {
      if (event.name === "segment") event.data.asked = fields.voice?.trim();
      if (event.name === "done") {
        if (failure?.code === "cut") failure = null;
        event.data.failure = failure;
      }
      if (event.name === "error") failure = told(event.data);
      else yield event;
    }
  } catch (error) {
    if (signal.aborted) throw error;
  }
  if (failure) throw failure;
}

/**
 * @param {Blob} recording
 * @param {string} fileName
 * @param {Record<string, string>} fields
 */
function form(recording, fileName, fields) {
  const body = new FormData();
  body.append("audio", recording, fileName);
  for (const [name, value] of Object.entries(filled(fields))) body.append(name, value);
  return body;
}

/**
 * @param {FormData} body
 * @param {Record<string, string>} headers
 * @param {AbortSignal} signal
 */
async function post(body, headers, signal) {
  // fetch throws at characters that no header may carry, as it does at a broken connection.
  for (const [name, value] of Object.entries(headers)) {
    const code = name.endsWith("Key") ? "api_key_unusable" : "base_url_refused";
    const stage = name.split("-")[1].toLowerCase();
    if (!/^[!-~]+$/.test(value)) throw new Failure(code, { stage });
  }
  try {
    return await fetch("api/conversation/", {
      method: "POST",
      headers: { Accept: "text/event-stream", ...headers },
      body,
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    // A folder that was dropped, or a file that is gone, fails as a broken connection does.
    const file = /** @type {File} */ (body.get("audio"));
    const readable = await file
      .slice(0, 1)
      .arrayBuffer()
      .catch(() => null);
    throw new Failure(readable ? "unreachable" : "file_unreadable");
  }
}

/** @param {Response} answer one that is no stream: it tells of a failure in JSON */
async function refusal(answer) {
  const body = await answer.json().catch(() => null);
  const wait = answer.headers.get("Retry-After");
  if (body?.errors?.[0]) return told(body.errors[0], wait);
  // A router's own page.
  return new Failure("unreadable", { retryAfter: seconds(wait) });
}

/**
 * @param {ServiceError} error
 * @param {string | null} wait the Retry-After header
 */
function told({ code, message, stage, retry_after, upstream_status }, wait = null) {
  const retryAfter = retry_after ?? seconds(wait);
  // Whichever stage meets it, its header says which field it stands in.
  const [, field] = /\bX-(\w+)-Base-URL\b/.exec(code === "base_url_refused" ? message : "") ?? [];
  const where = field?.toLowerCase() ?? stage;
  return new Failure(code, { message, stage: where, retryAfter, upstreamStatus: upstream_status });
}

/** @param {string | null} wait a Retry-After in seconds, or a date, which is passed over */
function seconds(wait) {
  return /^\d+$/.test(wait ?? "") ? Number(wait) : undefined;
}

/** @param {Record<string, string>} values */
function filled(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim()));
}
