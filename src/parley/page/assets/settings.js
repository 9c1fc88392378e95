/** The Settings dialog: what the user chooses, kept in this tab's memory and nowhere else. */

import { Failure } from "./failures.js";
import { element } from "./view.js";

/** @import {Chosen} from "./session.js" */

/**
 * What the service tells of itself at page.json; `ends` is the first day without the model.
 * @typedef {{name: string, ends: string | null}} OfferedModel
 * @typedef {{default: string, open: boolean, models: OfferedModel[]}} OfferedStage
 * @typedef {{key_required: boolean, stages: Record<"stt" | "text" | "tts", OfferedStage>}} Offer
 */

/** What Whisper hears well, as OpenAI lists it (ISO 639-1). */
const LANGUAGES = (
  "af ar az be bg bs ca cs cy da de el en es et fa fi fr gl he hi hr hu hy id is it ja kk kn ko " +
  "lt lv mi mk mr ms ne nl no pl pt ro ru sk sl sr sv sw ta th tl tr uk ur vi zh"
).split(" ");

const FIELDS = ["voice", "language", "system_prompt"];

export class Settings {
  #key = "";
  #dialog = /** @type {HTMLDialogElement} */ (element("settings"));
  /** @type {Offer} */
  #offer;

  /** @param {Offer} offer */
  constructor(offer) {
    this.#offer = offer;
    for (const [stage, { default: name, open, models }] of Object.entries(offer.stages)) {
      element(`${stage}_model-row`).hidden = models.length < 2 && !open;
      fill(stage, name, open, models);
    }
    fillLanguages();
    field("key").addEventListener("change", () => this.#takeKey());
    this.#dialog.addEventListener("close", () => this.#takeKey());
    element("forget").addEventListener("click", () => this.#setKey(""));
    field("base_url").addEventListener("input", () => this.#showKeyRow());
    this.#setKey("");
  }

  open() {
    this.#dialog.showModal();
  }

  /** Whether silence ends a tap. */
  get endBySilence() {
    return /** @type {HTMLInputElement} */ (field("silence")).checked;
  }

  /** Whether nothing can be sent before a key is entered. */
  get lacksKey() {
    return this.#offer.key_required && !this.#key;
  }

  /** What to send. Throws a Failure where a key is needed and there is none. @returns {Chosen} */
  chosen() {
    if (this.lacksKey) throw new Failure("api_key_missing");
    const stages = Object.keys(this.#offer.stages).map((stage) => `${stage}_model`);
    const fields = [...FIELDS, ...stages].map((name) => [name, field(name).value]);
    return {
      headers: {
        "X-OpenAI-API-Key": this.#key,
        "X-OpenAI-Base-URL": field("base_url").value.trim(),
      },
      fields: { ...Object.fromEntries(fields), audio_format: "pcm" },
    };
  }

  /** Take the key out of the document. */
  #takeKey() {
    const typed = field("key").value.trim();
    if (typed) this.#setKey(typed);
  }

  /** @param {string} key */
  #setKey(key) {
    this.#key = key;
    field("key").value = "";
    field("key").placeholder = key ? "A key is set" : "";
    element("forget").hidden = !key;
    element("needs-key").hidden = !this.lacksKey;
    this.#showKeyRow();
  }

  /** A key is asked for where one is needed: another host may need one in any case. */
  #showKeyRow() {
    element("key-row").hidden = !(this.#offer.key_required || this.#key || field("base_url").value);
  }
}

/**
 * Offer a stage's models, and free text where the service takes any name.
 * @param {string} stage
 * @param {string} name the default
 * @param {boolean} open
 * @param {OfferedModel[]} models
 */
function fill(stage, name, open, models) {
  const labels = models.map((model) => new Option(label(model), model.name));
  const current = models.find((model) => model.name === name) ?? { name, ends: null };
  if (open) {
    const input = document.createElement("input");
    const list = document.createElement("datalist");
    input.placeholder = label(current);
    list.id = `${stage}_models`;
    input.setAttribute("list", list.id);
    list.append(...labels);
    input.id = `${stage}_model`;
    field(`${stage}_model`).replaceWith(input, list);
  } else {
    field(`${stage}_model`).append(new Option(`Default: ${label(current)}`, ""), ...labels);
  }
}

/** @param {OfferedModel} model */
function label({ name, ends }) {
  if (!ends) return name;
  const day = new Date(ends).toLocaleDateString(undefined, {
    dateStyle: "medium",
    timeZone: "UTC",
  });
  return `${name} (ends ${day})`;
}

function fillLanguages() {
  const names = new Intl.DisplayNames(navigator.languages.slice(), { type: "language" });
  const options = LANGUAGES.map((code) => new Option(names.of(code), code));
  options.sort((one, other) => one.text.localeCompare(other.text));
  field("language").append(new Option("Recognise it", ""), ...options);
}

/** @param {string} id */
function field(id) {
  return /** @type {HTMLInputElement} */ (element(id));
}
