/** The hosts of single stages, as Settings take them: a base URL, a model and a key for each. */

import { element, field, urlIn } from "./elements.js";
import { NAMES, STAGES } from "./offer.js";
import { Secret } from "./secret.js";

/** @import {StageName} from "./offer.js" */

/** How the service's headers name them. @type {Record<StageName, string>} */
const HEADERS = { stt: "STT", text: "Text", tts: "TTS" };

export class Hosts {
  /** @type {Map<StageName, Secret>} */
  #keys;

  /** @param {() => void} onchange called once a key was taken or forgotten */
  constructor(onchange) {
    element("hosts").append(...STAGES.map(fieldsOf));
    this.#keys = new Map(STAGES.map((stage) => [stage, new Secret(`${stage}_key`, onchange)]));
    for (const stage of STAGES) this.#forgetKeyWithHost(stage);
  }

  /** Whether a stage has a host. @param {StageName} stage */
  has(stage) {
    return Boolean(this.#url(stage));
  }

  /** Whether a stage has a key. @param {StageName} stage */
  hasKey(stage) {
    return Boolean(this.#keys.get(stage)?.value);
  }

  /** The model that the host of a stage is asked for. @param {StageName} stage */
  model(stage) {
    return field(`${stage}_host_model`).value.trim();
  }

  /** What to send. */
  get headers() {
    return Object.fromEntries(
      STAGES.flatMap((stage) => [
        [`X-${HEADERS[stage]}-Base-URL`, this.#url(stage)],
        [`X-${HEADERS[stage]}-API-Key`, this.#keys.get(stage)?.value ?? ""],
      ]),
    );
  }

  /** Take keys out of the document. */
  takeKeys() {
    for (const key of this.#keys.values()) key.take(true);
  }

  /** Whether any is in use. */
  get used() {
    return STAGES.some((stage) => this.has(stage) || this.hasKey(stage));
  }

  /** Say so while they are folded away. */
  refresh() {
    element("hosts-used").hidden = !this.used;
    for (const stage of STAGES) element(`${stage}_host_model-row`).hidden = !this.has(stage);
  }

  /** A key belongs to the host that it was typed for. @param {StageName} stage */
  #forgetKeyWithHost(stage) {
    let named = "";
    field(`${stage}_base_url`).addEventListener("change", () => {
      if (named && named !== this.#url(stage)) this.#keys.get(stage)?.forget();
      named = this.#url(stage);
    });
  }

  /** @param {StageName} stage */
  #url(stage) {
    return urlIn(`${stage}_base_url`);
  }
}

/**
 * The fields of a stage, each named by the stage and its own name.
 * @param {StageName} stage
 */
function fieldsOf(stage) {
  const template = /** @type {HTMLTemplateElement} */ (element("host"));
  const fields = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  for (const part of fields.querySelectorAll("[id]")) part.id = `${stage}_${part.id}`;
  for (const label of fields.querySelectorAll("label")) label.htmlFor = `${stage}_${label.htmlFor}`;
  /** @type {HTMLElement} */ (fields.querySelector("legend")).textContent = NAMES[stage];
  return fields;
}
