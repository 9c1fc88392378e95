"""Where a text may be cut: after whole sentences, or else after whole words."""

import sentencex


def sentence_ends(text: str) -> list[int]:
    """Where sentences end in `text`, the space behind them included; the last is its whole length.

    The time is quadratic in some texts (2,000 opening quotes): keep `text` short.
    """
    return [sentence["end_index"] for sentence in sentencex.get_sentence_boundaries("en", text)]


def first_sentences(text: str, characters: int) -> str:
    """As many of the text's first whole sentences as fit into `characters`.

    If the first sentence is too long, as many of its whole words; if the first word is too long,
    its first `characters`.
    """
    if len(text) <= characters:
        return text
    end = 0
    for sentence_end in sentence_ends(text):
        if len(text[:sentence_end].rstrip()) > characters:
            break
        end = sentence_end
    words = text[: characters + 1].rpartition(" ")[0]
    return text[:end].rstrip() or words.rstrip() or text[:characters]
