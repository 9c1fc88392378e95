"""What the simulated upstream says in streams: a reply of a hundred words, and speech that is long.

Each character of a text is its own piece of the speech. So the speech of a reply, in whatever parts
it is asked for, is the speech of the whole, and tells the text that was spoken.
"""

import re

BYTES_A_CHARACTER = {"mp3": 1000, "pcm": 3000}
"""Of speech, at the pace at which people talk: mp3 at 128 kbit/s, PCM at 24 kHz and 16 bit."""

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

MARKS = {"mp3": b"ID3", "pcm": bytes(3)}
"""How each character's speech begins: the service takes no letters for sound."""


def speech(text: str, audio_format: str = "mp3") -> bytes:
    """The text as speech, which callers tell from others by its bytes alone."""
    mark = MARKS[audio_format]
    size = BYTES_A_CHARACTER[audio_format] - len(mark)
    return b"".join(mark + bytes([byte]) * size for byte in text.encode())


def is_speech_of(sound: bytes, text: str, audio_format: str) -> bool:
    """Whether this is the text's speech, whichever spaces were lost between its parts."""
    start = len(MARKS[audio_format])
    said = sound[start :: BYTES_A_CHARACTER[audio_format]].decode(errors="replace")
    if "".join(said.split()) != "".join(text.split()):
        return False
    return sound == speech(said, audio_format)
