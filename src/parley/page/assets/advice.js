/** The service's own sentences in plain words, each with what helps. */

import { NAMES } from "./offer.js";

const OPERATOR = "tell whoever runs this service";
/** The ends of the service's sentences that are advice for who calls it without this page. */
const ENDS =
  /; (check (base URL, model names and recording|the base URL|its plan and billing)|name another one)\.$/;

/**
 * `remedy` is what Settings offer against what the stage's host refuses, if anything, and `language` whether
 * one was chosen.
 * @typedef {{message: string, stage: string, remedy?: string, language?: boolean}} Told
 */

/**
 * The service's sentence, with the stage that it is about, and what to do where somebody else's words
 * end it.
 * @param {string} code
 * @param {Told} told
 */
export function saying(code, told) {
  const name = /** @type {Record<string, string>} */ (NAMES)[told.stage];
  const plain = told.message.replace(/\b([Tt])he upstream\b/g, "$1he AI service");
  if (!name) return plain;
  const said = plain.replace(ENDS, ".");
  if (said === plain && !plain.includes(", saying: ")) return `${name}: ${plain}`;
  const advice = adviceFor(code, told);
  const whole = said.replace(/[^.!?…]$/, "$&.");
  return `${name}: ${whole} ${advice[0].toUpperCase()}${advice.slice(1)}.`;
}

/**
 * What helps; another try does not where the same request would be refused again.
 * @param {string} code
 * @param {Told} told
 */
function adviceFor(code, { message, stage, remedy, language }) {
  if (code === "quota_exhausted") {
    return "check its plan and billing, or enter another key in Settings";
  }
  const change = remedy ? `${remedy} in Settings` : "";
  if (code !== "upstream_rejected") return `try again${change && `, or ${change}`}`;
  if (stage !== "stt") return change || OPERATOR;
  if (language && /\blanguage\b/i.test(message)) return "choose another language in Settings";
  const mend = change || OPERATOR;
  return /\bmodel\b/i.test(message.replace(ENDS, "")) ? mend : `send another recording, or ${mend}`;
}
