"""Text to speech: an English voice, through hibari."""

import threading
from collections.abc import Iterator

import numpy as np
from hibari import SAMPLE_RATE, Hibari
from numpy.typing import NDArray

from local_engine.errors import ApiError


class Speaker:
    name = "hibari-heart"
    rate = SAMPLE_RATE  # Hz

    def load(self, threads: int) -> None:
        """Load the voice and warm it up."""
        # A second thread spins as much as it works, and speaks hardly sooner.
        self._voice = Hibari(threads=max(1, threads // 2))
        self._lock = threading.Lock()  # nobody promises that threads may share a voice
        list(self.speak("Zorbly."))  # no such word: warms the part that guesses, too

    def speak(self, text: str, speed: float = 1.0) -> Iterator[NDArray[np.int16]]:
        """Mono samples at `rate`, a sentence at a time; `speed` 1.0 is the voice's own pace.

        Raises ApiError for a text in which there is nothing to say.
        """
        with self._lock:
            sentences = self._voice.phonemize(text)
        if not sentences:
            raise ApiError(400, "There is nothing in 'input' that the voice can say.", "input")
        return (self._say(phonemes, speed) for phonemes in sentences)

    def _say(self, phonemes: str, speed: float) -> NDArray[np.int16]:
        with self._lock:
            samples = self._voice.from_phonemes(phonemes, speed, seed=0)
        return np.asarray(samples.clip(-1, 1) * np.iinfo(np.int16).max, np.int16)
