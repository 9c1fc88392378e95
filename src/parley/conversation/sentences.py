"""Where a text may be cut: after whole sentences, or else after whole words."""

import unicodedata
from pathlib import Path

import regex
import sentencex

_LISTS = dict(
    line.split(": ")
    for line in Path(__file__).with_name("abbreviations.txt").read_text("utf-8").splitlines()
)
# These are ordinary words elsewhere, and abbreviations only before a number ("art. 5").
_BEFORE_NUMBERS = frozenset(_LISTS.pop("before numbers").split())
# One that begins with a capital is not meant in small letters ("Eng." is a title, "eng" a word).
_ABBREVIATIONS = frozenset(" ".join(_LISTS.values()).split())
# sentencex tells by the next word whether a sentence ends with one of these.
_ENGLISH = frozenset(["I", "a.m", "p.m", "U.S", "U.K", "D.C", "Ph.D", "B.C", "A.D"])
_ROMAN = frozenset(["II", "XX"])
_VOWELS = frozenset("aeiouyøœæıаеиоуыэюяіє")
_MONTHS = (
    "Januar Jänner Februar März April Mai Juni Juli August September Oktober November Dezember"
    " January February March May June July October December"
    " Jan Feb Febr Mär Mrz Mar Apr Jun Jul Aug Sept Sep Okt Oct Nov Dez Dec"
)
_LOOK_BACK = 96
"""How many characters before an end are looked at: a word, or a quotation that is not long."""

# What stands before a full stop: a word that is not part of an address or of a Chinese text.
_WORD = regex.compile(
    r"(?rV1)(?<![^\s\p{Ps}\p{Pi}\"'’*_\p{EA=W}\p{EA=F}])"
    r"[[\p{L}\p{M}\p{N}.\-]--[\p{EA=W}\p{EA=F}]]+(?=\.\Z)"
)
# The marks of footnotes and of sources belong to the sentence before them.
_NOTE = r"(?:\[\^?\w{1,3}\]|【[^【】]*】|[\u00b9\u00b2\u00b3\u2070\u2074-\u2079])"
_NOTES, _LAST_NOTES = regex.compile(rf"{_NOTE}*+\s*+"), regex.compile(rf"(?r){_NOTE}+\Z")
_TWO_WORDS = regex.compile(r"(?ri)\b(?:(?:ad|per)\s+es|l['’](?:arch|on))\.\Z")
_UNIT = regex.compile(r"(?r)\d\s*\p{L}+\.\Z")
_ALPHABETIC = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{M}]+")
# German ordinals, and some writers' English ones ("23rd. May"): a month or a century follows, or
# may follow once its word is whole.
_DAY = regex.compile(r"(\p{N}+)(?:st|nd|rd|th)?")
_ORDINAL = regex.compile(
    rf"\s+(?:(?:{'|'.join(_MONTHS.split())}|Jahrhundert\w*)\b|\p{{Lu}}\w{{0,10}}\Z)"
)
_ARTICLE = regex.compile(
    r"(?ri)(?:\b(?:de[rmns]|das|die|im|vom|zu[mr]|beim|ins|(?<!\bI\s)am|jede[rmns]?"
    r"|(?:[mds]ein|ihr|unser)(?:e[rmns]?)?)|\d\.\s+(?:und|bis|oder))\s+\d+\.\Z"
)
# "24. 12. 2026" and "2026. 3. 5.": what follows a number is one, too, or its month went before.
_DATE = regex.compile(r"(?r)\d{1,4}\.[^\S\n]?\d{1,2}\.\Z")
_MONTH_NUMBER = regex.compile(r"[^\S\n]\d{1,2}\.(?!\d)")
_HOUR = regex.compile(r"[ap]\.m")
_WEEKDAY = regex.compile(r"\s+(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b")
# "7 list. 1867", and "7 set. 2024": a month that is a word elsewhere.
_YEAR = regex.compile(r"[^\S\n]+[12]\d{3}\b")
_NUMBER = regex.compile(r"[\s\p{Ps}№]*+\p{N}")
# A small letter follows, or a dash behind which one may.
_SMALL_LETTER = regex.compile(r"[\s\p{Ps}\p{Pi}\p{Pf}\"'–—―]*+(?:\p{Ll}|(?<=[–—―]\s*+)\Z)")
# What follows a quotation belongs to its sentence, where neither space nor a capital tells, and
# what follows a wide point to its number. No sentence begins with a sign that joins, or with the
# letter of an ordinal ("2.ª").
_GOES_ON = regex.compile(
    r"(?<=\p{N}．)\p{N}|(?<=[\p{Pe}\p{Pf}])\S|(?<=[\p{Pe}\p{Pf}\"][^\S\n]*+)\p{Lo}"
    r"|[\p{Pe}\p{Pf}、，&;:%/=×ªº]|(?<=[。？！?!])(?:と|って)(?:[言聞思答叫問尋考書]|い[うっ])"
)
# Where the marks tell which opens, a longer quotation is known, and may hold others.
_IN_QUOTES = regex.compile(
    r"""(?r)(?:(?:「[^」]{0,80}|『[^』]{0,80}|《[^》]{0,80}|（[^）]{0,80})"""
    r"""|(?:[(（「『„《]|(?<![\p{Ll}\p{Lu}\p{N}.!?…,”。！？])[“"«]|(?<!\S)[»”](?=\S))"""
    r"""[^)）」』”“"«»》]{0,40})\Z"""
)


def proposed_ends(text: str) -> list[int]:
    """Where sentences may end in `text`, with notes and space behind; the last is its length.

    The time is quadratic in some texts (2,000 opening quotes): keep `text` short.
    """
    ends = [each["end_index"] for each in sentencex.get_sentence_boundaries("en", text)]
    return [
        end if text[end - 1].isspace() else next(_NOTES.finditer(text, end)).end() for end in ends
    ]


def is_sentence_end(text: str, end: int) -> bool:
    """Whether a sentence ends at a proposed end, in any language.

    What follows has to begin a sentence in its script, and what stands before is no abbreviation in
    any of the languages. If what follows is not known yet, none ends. The time is bounded.
    """
    before = text[max(0, end - _LOOK_BACK) : end].rstrip()
    if not before.endswith("."):
        before = _LAST_NOTES.sub("", before)
    if _GOES_ON.match(text, end) or _IN_QUOTES.search(before):
        return False
    if _SMALL_LETTER.match(text, end) and not text[:end].islower():
        return False
    word = _WORD.search(before)
    return not word or not _is_abbreviation(word[0].lstrip("-."), before, text[end - 1 :])


def _is_abbreviation(word: str, before: str, after: str) -> bool:
    """Whether the full stop behind `word` does not end a sentence; `before` ends with both."""
    if word in _ENGLISH:
        return bool(_HOUR.fullmatch(word) and _WEEKDAY.match(after, partial=True))
    if day := _DAY.fullmatch(word):
        if _DATE.search(before) or _MONTH_NUMBER.match(after):
            return True
        return len(day[1]) < 3 and bool(_ORDINAL.match(after) or _ARTICLE.search(before))
    if word in _BEFORE_NUMBERS:
        return bool(_NUMBER.match(after))
    return (
        not _ABBREVIATIONS.isdisjoint([word, word[:1].lower() + word[1:]])
        or word.endswith("str")
        or (word[-1] in "ªº" and word[0].isalpha())  # Profª. Maria
        or (".-" in word and _is_abbreviation(word.rpartition(".-")[2], before, after))
        or bool(_TWO_WORDS.search(before))
        or bool(len(word) < 6 and _UNIT.search(before) and _YEAR.match(after, partial=True))
        or len(regex.findall(r"\X", word)) == 1
        or (len(word) == 2 and word[0] == word[1] and word not in _ROMAN)  # EE. UU.
        or ("." in word and all(0 < len(part) < 4 for part in regex.split(r"[.\-]+", word)))
        or (
            len(word) < 5
            and not word.isupper()
            and _has_no_vowel(word)
            and not _UNIT.search(before)
        )
    )


def _has_no_vowel(word: str) -> bool:
    letters = unicodedata.normalize("NFD", word.lower())
    return bool(_ALPHABETIC.fullmatch(letters)) and _VOWELS.isdisjoint(letters)


def first_sentences(text: str, characters: int) -> str:
    """As many of the text's first whole sentences as fit into `characters`.

    If the first sentence is too long, as many of its whole words; if the first word is too long,
    its first `characters`.
    """
    if len(text) <= characters:
        return text
    end = 0
    for sentence_end in proposed_ends(text):
        if len(text[:sentence_end].rstrip()) > characters:
            break
        if is_sentence_end(text, sentence_end):
            end = sentence_end
    words = text[: characters + 1].rpartition(" ")[0]
    return text[:end].rstrip() or words.rstrip() or text[:characters]
