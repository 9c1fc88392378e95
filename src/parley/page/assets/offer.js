/** What the service tells of itself at page.json, as choices in Settings. */

import { element, field } from "./elements.js";

/**
 * `ends` is the first day without the model. Without `voices` a model takes any voice; `language` is
 * whether it can be told the recording's. A stage with `own_host` is called on a host of the
 * operator's, unless the user names one. With `tokens` a token goes where the key goes, and the
 * user names no host.
 * @typedef {{name: string, ends: string | null, voices: string[], language: boolean}} OfferedModel
 * @typedef {object} OfferedStage
 * @property {string} default
 * @property {boolean} open whether the service takes any model's name
 * @property {boolean} own_host
 * @property {OfferedModel[]} models
 *
 * @typedef {"stt" | "text" | "tts"} StageName
 * @typedef {object} Offer
 * @property {boolean} key_required whether a user who names no host needs a key or a token
 * @property {boolean} tokens
 * @property {Record<StageName, OfferedStage>} stages
 */

/** @type {StageName[]} */
export const STAGES = ["stt", "text", "tts"];
/** How people call them. @type {Record<StageName, string>} */
export const NAMES = { stt: "Speech to text", text: "Reply", tts: "Text to speech" };
/** What the service speaks in where none is named. */
const VOICE = "alloy";

/** What Whisper hears well, as OpenAI lists it (ISO 639-1). */
const LANGUAGES = (
  "af ar az be bg bs ca cs cy da de el en es et fa fi fr gl he hi hr hu hy id is it ja kk kn ko " +
  "lt lv mi mk mr ms ne nl no pl pt ro ru sk sl sr sv sw ta th tl tr uk ur vi zh"
).split(" ");

/**
 * Offer a stage's models, and free text where the service takes any name.
 * @param {StageName} stage
 * @param {OfferedStage} offered
 */
export function offerModels(stage, { default: name, open, models }) {
  const labels = models.map((model) => new Option(label(model), model.name));
  const current = label(models.find((model) => model.name === name) ?? { name, ends: null });
  if (open) {
    const input = document.createElement("input");
    const list = document.createElement("datalist");
    input.placeholder = current;
    list.id = `${stage}_models`;
    input.setAttribute("list", list.id);
    list.append(...labels);
    input.id = `${stage}_model`;
    field(`${stage}_model`).replaceWith(input, list);
  } else {
    field(`${stage}_model`).append(new Option(`Default: ${current}`, ""), ...labels);
  }
}

/**
 * Offer the voices of a model.
 * @param {string[]} voices
 */
export function offerVoices(voices) {
  element("voices").replaceChildren(...voices.map((voice) => new Option(voice, voice)));
  // A voice that a model does not have falls back to the model's first.
  field("voice").placeholder = voices.length && !voices.includes(VOICE) ? voices[0] : VOICE;
}

/** Offer the languages, by their names in the user's own. */
export function offerLanguages() {
  const names = new Intl.DisplayNames(ownLanguages(), { type: "language" });
  const options = LANGUAGES.map((code) => new Option(names.of(code), code));
  options.sort((one, other) => one.text.localeCompare(other.text));
  field("language").append(new Option("Recognise it", ""), ...options);
}

/** The user's languages that are any: a browser of a system without one says `C`. */
function ownLanguages() {
  return [...navigator.languages, "en"].filter((tag) => {
    try {
      return Intl.getCanonicalLocales(tag).length;
    } catch {
      return false;
    }
  });
}

/** Offer the microphones, once the browser tells of them: after one was allowed. */
export async function offerMicrophones() {
  element("more-microphones").hidden = true; // It may have been true before.
  const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const inputs = devices.filter(({ kind, label, deviceId }) => {
    // Chromium lists the system's own choice once more.
    return kind === "audioinput" && label && !["default", "communications"].includes(deviceId);
  });
  const chosen = field("microphone").value;
  const any = devices.some(({ kind }) => kind === "audioinput");
  element("more-microphones").hidden = !any || inputs.length > 0;
  if (inputs.length === 0) return;
  const options = inputs.map(({ label, deviceId }) => new Option(label, deviceId));
  const gone = chosen && !inputs.some(({ deviceId }) => deviceId === chosen);
  if (gone) options.push(new Option("One that is not connected", chosen));
  element("microphone").replaceChildren(new Option("The system's choice", ""), ...options);
  field("microphone").value = chosen;
}

/** @param {{name: string, ends: string | null}} model */
function label({ name, ends }) {
  if (!ends) return name;
  const day = new Date(ends).toLocaleDateString(undefined, {
    dateStyle: "medium",
    timeZone: "UTC",
  });
  return `${name} (ends ${day})`;
}
