"""Text to speech: the bundled English voice, through hibari."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
from hibari import SAMPLE_RATE, Hibari
from numpy.typing import NDArray

from local_engine.errors import ApiError
from local_engine.sound import Pcm


class Speaker:
    name = "hibari-heart"
    rate = SAMPLE_RATE

    def load(self, threads: int) -> None:
        self._voice = Hibari(threads=threads)
        self._lock = threading.Lock()  # hibari does not say that threads may share a voice
        list(self.speak("Zorbly."))  # no such word: loads the part that guesses how to say them

    def speak(self, text: str, speed: float = 1.0) -> Iterator[Pcm]:
        """Mono PCM at `rate` Hz, a sentence at a time; `speed` 1.0 is the voice's own pace.

        Raises ApiError, with the first sentence asked for, if there is nothing to say.
        """
        sentences = self._voice.stream(text, speed, seed=0)
        said = False
        while (sentence := self._next(sentences)) is not None:
            if sentence.size:
                said = True
                yield (sentence.clip(-1, 1) * np.iinfo(np.int16).max).astype("<i2")
        if not said:
            raise ApiError(400, "There is nothing in 'input' that this voice can say.", "input")

    def _next(self, sentences: Iterator[NDArray[np.float32]]) -> NDArray[np.float32] | None:
        with self._lock:
            return next(sentences, None)
