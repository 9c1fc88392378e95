"""What the simulated upstream says in streams: a reply of a hundred words, and speech that is long.

As in `dialogue`, all of it follows from the recording, so that callers can check each byte.
"""

import re

BYTES_A_CHARACTER = 1000
"""Of speech: mp3 at 128 kbit/s, at the pace at which people talk."""

OPENING = "Bread needs only flour and water and a little salt and time."
REST = (
    "First you stir the flour into the water until no dry flour is left in the bowl. "
    "Then you let it rest for half an hour under a damp cloth. "
    "After that you add the salt, and fold the dough from each of its four sides. "
    "Fold it again whenever half an hour has gone by. "
    "When it has grown by half, shape it and put it into a cool place. "
    "Bake it the next morning in a very hot oven until the crust is brown and sounds hollow."
)
TOKEN = re.compile(r"\s?\w+|\W")


def reply(heard: str) -> str:
    """The reply to a transcript, which it repeats at its end."""
    return f"{OPENING} {REST} {heard}"


def tokens(text: str) -> list[str]:
    """The text in tokens: each word with the space before it, and each sign."""
    return TOKEN.findall(text)


TOKENS_TO_SPEAK = len(tokens(OPENING)) + 1
"""How many tokens show that the first sentence is over: its own, and the next one."""


def speech(text: str) -> bytes:
    """The text as speech: mp3 by its first bytes alone."""
    said = text.encode()
    size = BYTES_A_CHARACTER * len(text)
    return (b"ID3" + said * (size // len(said) + 1))[:size]
