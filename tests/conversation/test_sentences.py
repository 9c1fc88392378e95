"""What is spoken of a reply that is longer than speech takes."""

import pytest

from parley.conversation.sentences import first_sentences


@pytest.mark.parametrize(
    ("text", "characters", "first"),
    [
        ("It is. Now go.", 14, "It is. Now go."),
        ("It is. Now go.", 13, "It is."),
        ("It is. Now go. Stop.", 14, "It is. Now go."),
        ("It is. Now go. Stop.", 15, "It is. Now go."),
        ("It is. Now go.", 6, "It is."),
        ("It is noon now. Go.", 14, "It is noon"),
        ("It is noon now", 10, "It is noon"),
        ("It is noon now", 11, "It is noon"),
        ("It is noon now", 9, "It is"),
        ("Donaudampfschiff", 5, "Donau"),
        ("Donaudampfschiff fährt", 5, "Donau"),
    ],
)
def test_as_much_as_fits_is_spoken_whole(text, characters, first):
    """Whole sentences; where not even one fits, whole words; where no word fits, what does."""
    assert first_sentences(text, characters) == first
