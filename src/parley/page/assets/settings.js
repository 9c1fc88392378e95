/** The Settings dialog: what the user chooses, kept in this tab's memory and nowhere else. */

import { element, field } from "./elements.js";
import { Failure } from "./failures.js";
import { offerLanguages, offerModels, offerVoices, STAGES } from "./offer.js";
import { Secret } from "./secret.js";

/** @import {Chosen} from "./session.js" */
/** @import {Offer, StageName} from "./offer.js" */

export class Settings {
  #dialog = /** @type {HTMLDialogElement} */ (element("settings"));
  /** @type {Offer} */
  #offer;
  #key;

  /** @param {Offer} offer */
  constructor(offer) {
    this.#offer = offer;
    const refresh = () => this.#refresh();
    this.#key = new Secret("key", refresh);
    for (const stage of STAGES) offerModels(stage, offer.stages[stage]);
    offerLanguages();
    this.#dialog.addEventListener("input", refresh);
    this.#dialog.addEventListener("close", () => this.#key.take());
    this.#refresh();
  }

  open() {
    this.#dialog.showModal();
  }

  /** Whether silence ends a tap. */
  get endBySilence() {
    return field("silence").checked;
  }

  /** Whether nothing can be sent before a key is entered. */
  get lacksKey() {
    return this.#offer.key_required && !this.#key.value;
  }

  /** What to send. Throws a Failure where a key is needed and there is none. @returns {Chosen} */
  chosen() {
    if (this.lacksKey) throw new Failure("api_key_missing");
    const names = [
      "voice",
      "language",
      "system_prompt",
      ...STAGES.map((stage) => `${stage}_model`),
    ];
    const shown = names.filter((name) => !element(`${name}-row`).hidden);
    return {
      headers: {
        "X-OpenAI-API-Key": this.#key.value,
        "X-OpenAI-Base-URL": field("base_url").value.trim(),
      },
      fields: {
        ...Object.fromEntries(shown.map((name) => [name, field(name).value])),
        audio_format: "pcm",
      },
    };
  }

  /** Show what is needed with what is chosen, and nothing else. */
  #refresh() {
    const { key_required: required, stages } = this.#offer;
    // Another host may need a key in any case.
    element("key-row").hidden = !(required || this.#key.value || field("base_url").value);
    element("needs-key").hidden = !this.lacksKey;
    for (const stage of STAGES) {
      const { models, open } = stages[stage];
      element(`${stage}_model-row`).hidden = models.length < 2 && !open;
    }
    offerVoices(this.#model("tts")?.voices ?? []);
    element("language-row").hidden = !(this.#model("stt")?.language ?? true);
  }

  /** The listed model that a stage would use. @param {StageName} stage */
  #model(stage) {
    const { default: usual, models } = this.#offer.stages[stage];
    const name = field(`${stage}_model`).value.trim() || usual;
    return models.find((model) => model.name === name);
  }
}
