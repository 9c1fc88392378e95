/** The service's own sentences in plain words, each with what helps. */

import { NAMES } from "./offer.js";

const OPERATOR = "tell whoever runs this service, and try again once it is mended";
/** The ends of the service's sentences that are advice for who calls it without this page. */
const ENDS =
  /; (check (base URL, model names and recording|the base URL|its plan and billing|the key and what it may use)|name another one|(try again|ask for \w+ \(audio_format=\w+\)), or name another model|name another model, voice or host|ask for a shorter one|wait, then try again)\.$/;
/** How the sentence ends of a host that may answer later; one that the user named may be another. */
const LATER = /; try again in a moment\.$/;
/** What helps first; a retry does otherwise. @type {Record<string, string>} */
const FIRST = { text_incomplete: "ask otherwise", rate_limited: "wait, then try again" };
const OR = new Intl.ListFormat("en", { type: "disjunction" });

/**
 * `remedy` names what can be chosen in Settings against what the stage's host refuses, `language` says whether
 * one was chosen there, and `keyed` whether a key of the user's was sent.
 * @typedef {{message: string, stage: string, remedy?: string[], language?: boolean, keyed?: boolean,
 *   upstreamStatus?: number, retryAfter?: number}} Told
 */

/**
 * The service's sentence, with the stage that it is about, and what to do where somebody else's words
 * end it.
 * @param {string} code
 * @param {Told} told
 */
export function saying(code, told) {
  const name = /** @type {Record<string, string>} */ (NAMES)[told.stage];
  const [lead, ...rest] = told.message.split(", saying: ");
  const plain = lead.replace(/\b([Tt])he upstream\b/g, "$1he AI service");
  if (!name) return told.message.replace(lead, () => plain);
  // What was quoted of a wait becomes false while it is counted down.
  const words = told.retryAfter ? "" : rest.join(", saying: ");
  const allows = code === "not_allowed" ? "The AI service does not allow this." : plain;
  const typed = told.remedy?.includes("host");
  if (typed && !words && told.upstreamStatus === 404 && plain.includes("refused the request;"))
    return `${name}: Nothing is at the address of its host (404). Check it in Settings.`;
  const said = allows.replace(ENDS, ".").replace(typed ? LATER : "", typed ? "." : "");
  if (said === plain && !words) return `${name}: ${plain.replace(/\.?$/, ".")}`;
  const advice = adviceFor(code, told);
  const quoted = words && `, saying: "${words}"`;
  const whole = `${said.replace(/\.$/, "")}${quoted}${/[.!?…]$/.test(words) ? "" : "."}`;
  return `${name}: ${whole} ${advice[0].toUpperCase()}${advice.slice(1)}.`;
}

/**
 * What helps; another try does not where the same request would be refused again.
 * @param {string} code
 * @param {Told} told
 */
function adviceFor(code, { message, stage, remedy = [], language, keyed, upstreamStatus }) {
  if (code === "quota_exhausted") {
    return "check its plan and billing, then try again, or enter another key in Settings";
  }
  if (code === "not_allowed") {
    return keyed
      ? "check the key's rights, then try again, or enter another key in Settings"
      : OPERATOR;
  }
  const refused = code === "upstream_rejected";
  // No voice mends a host that is not there.
  const others = remedy.filter((noun) => refused || noun !== "voice");
  const change = others.length ? `choose another ${OR.format(others)} in Settings` : "";
  if (!refused) return `${FIRST[code] ?? "try again"}${change && `, or ${change}`}`;
  if (stage !== "stt") return change || OPERATOR;
  if (language && /\blanguage\b/i.test(message)) return "choose another language in Settings";
  const mend = change || OPERATOR;
  // Where nothing is found, no recording is at fault.
  const elsewhere = upstreamStatus === 404 || /\bmodel\b/i.test(message.replace(ENDS, ""));
  return elsewhere ? mend : `send another recording, or ${mend}`;
}
