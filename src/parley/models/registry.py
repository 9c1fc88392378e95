"""The registry: which models each stage may use, until when, and what replaces them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

INTERFACES = {"stt": ("transcriptions",), "text": ("chat",), "tts": ("speech", "realtime")}
"""By stage, the parts of the upstream's API that can serve it. The first one is the default."""
LANGUAGE_FIELDS = ("language", "languages[]")  # Models take a recording's language in one.
ANY_MODEL = "*"
WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]*")


@dataclass(frozen=True)
class Model:
    """A model, the interface that serves it, and the parameters that its requests need."""

    name: str
    interface: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    shutdown: date | None = None  # The first day (UTC) on which the upstream refuses the model.
    replacement: str = ""  # The name of the model that replaces it; blank: the stage's default.
    voices: tuple[str, ...] = ()  # Their names, if they are known.
    language: str = ""  # The field that takes the language of a recording; blank if none does.
    fallback: "Model | None" = field(default=None, compare=False)
    """What a request that chose the model uses where the upstream does not know it."""

    def has_ended(self, day: date | None) -> bool:
        """Whether the model is shut down by a day; without one, no model counts as shut down."""
        return bool(day and self.shutdown and self.shutdown <= day)

    def voice_for(self, name: str) -> str:
        """The voice of that name, or the model's first if the model has no such voice."""
        return name if not self.voices or name in self.voices else self.voices[0]


WITHOUT_ROW = {
    "stt": Model("", "transcriptions", language=LANGUAGE_FIELDS[0]),
    "text": Model("", "chat"),
    "tts": Model("", "speech"),
}
"""By stage, how a model that has no row is called, at a host that the caller names."""


@dataclass(frozen=True)
class StageModels:
    """What one stage may use: `models` may hold `*`, which stands for every well-formed name."""

    default: str
    models: Mapping[str, Model]

    def resolve(self, name: str, today: date | None, without_row: Model | None = None) -> Model:
        """The model to use for the caller's `name`, which may be any text, or blank.

        One that has ended by `today` is replaced; its fallback is the next one that has not. With
        `without_row`, any well-formed name is sent, whatever its date: so if no row has the name.
        """
        has_row = name in self.models and name != ANY_MODEL
        any_name = self.models.get(ANY_MODEL) or without_row
        if any_name and not has_row and WELL_FORMED.fullmatch(name):
            return replace(any_name, name=name)
        model = self.models[name if has_row else self.default]
        if not (without_row and has_row):  # Else it is sent as it is written, whatever its date.
            model = self._first_alive(model, today)
        fallback = self._first_alive(self._replacement_of(model), today)
        return model if fallback == model else replace(model, fallback=fallback)

    def _first_alive(self, model: Model, today: date | None) -> Model:
        """The model itself or the first of its replacements that is not shut down by `today`."""
        while model.has_ended(today):
            model = self._replacement_of(model)
        return model

    def _replacement_of(self, model: Model) -> Model:
        return self.models[model.replacement or self.default]


Registry = Mapping[str, StageModels]  # By stage; a default's replacements end in a lasting one.
