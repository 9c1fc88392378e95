"""The measure of spoken segments: what was said is heard, and what is missing is missed."""

from testing.word_errors import decoded, joined, word_error_rate

SEGMENTS = [
    "Plants make food from sunlight, water and air.",
    "Their leaves are green because of what catches the light.",
    "At night they rest, as most of us do.",
]


def test_segments_are_decoded_joined_and_heard_in_their_order(say, hear):
    """All of them are the reply; without one, or in another order, they are not.

    Each is decoded to its last sample, but for an encoder's padding.
    """
    spoken = {form: [say(text, form) for text in SEGMENTS] for form in ("mp3", "wav", "pcm")}
    reply = " ".join(SEGMENTS)
    assert word_error_rate(reply, hear(joined(spoken["mp3"], "mp3"))) <= 0.2
    assert word_error_rate(reply, hear(joined(spoken["mp3"][:2], "mp3"))) > 0.2
    assert word_error_rate(reply, hear(joined(spoken["mp3"][::-1], "mp3"))) > 0.2
    assert joined(spoken["wav"], "wav") == joined(spoken["pcm"], "pcm")
    padding = len(decoded(spoken["mp3"][0], "mp3")) - len(spoken["pcm"][0])
    assert 0 <= padding < 2 * 24_000 * 0.15
