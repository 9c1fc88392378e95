"""What a request may choose beside its models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

VOICE = "alloy"


@dataclass(frozen=True)
class Options:
    """The voice and the format of the speech, and what the models are told.

    Each has the name of the form's field that sets it.
    """

    system_prompt: str = field(repr=False)
    voice: str = VOICE
    audio_format: str = "mp3"
    language: str = ""
    """The language of the recording (ISO 639-1); blank where the model is to find out."""
    history: Sequence[Mapping[str, str]] = field(default=(), repr=False)
    """Earlier turns, each with `role` and `content`, the oldest first."""
