"""Where a text may be cut: after whole sentences, or else after whole words."""

import sentencex


def first_sentences(text: str, characters: int) -> str:
    """As many of the text's first whole sentences as fit into `characters`.

    If the first sentence is too long, as many of its whole words; if the first word is too long,
    its first `characters`.
    """
    if len(text) <= characters:
        return text
    end = 0
    for sentence in sentencex.segment("en", text):
        if end + len(sentence.rstrip()) > characters:
            break
        end += len(sentence)
    words = text[: characters + 1].rpartition(" ")[0]
    return text[:end].rstrip() or words.rstrip() or text[:characters]
