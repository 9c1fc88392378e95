"""Where a sentence ends, in any language."""

import unicodedata
from pathlib import Path

import regex
import sentencex

_LISTS = Path(__file__).with_name("abbreviations.txt").read_text("utf-8").splitlines()
# One that begins with a capital is not meant in small letters ("Eng." is a title, "eng" a word).
_ABBREVIATIONS = frozenset(word for each in _LISTS for word in each.partition(": ")[2].split())
# sentencex tells by the next word whether a sentence ends with one of these.
_ENGLISH = frozenset(["I", "a.m", "p.m", "U.S", "U.K", "D.C", "Ph.D", "B.C", "A.D"])
_VOWELS = frozenset("aeiouyøœæıаеиоуыэюяієαεηιουω")
_MONTHS = (
    "Januar Jänner Februar März April Mai Juni Juli August September Oktober November Dezember"
    " January February March May June July October December"
    " Jan Feb Febr Mär Mrz Mar Apr Jun Jul Aug Sept Sep Okt Oct Nov Dez Dec"
)
_LOOK_BACK = 96  # How many characters before an end tell: a word, or a short quotation.
# What stands before a full stop: a word that is not part of an address or of a Chinese text.
_WORD = regex.compile(
    r"(?rV1)(?<![^\s\p{Ps}\p{Pi}\"'’*_–—\p{EA=W}\p{EA=F}])"
    r"[[\p{L}\p{M}\p{N}.\-]--[\p{EA=W}\p{EA=F}]]+(?=\.\Z)"
)
# The marks of footnotes and of sources belong to the sentence before them.
_NOTE = r"(?:\[\^?\w{1,3}\]|【[^【】]*】|[\u00b9\u00b2\u00b3\u2070\u2074-\u2079])"
_NOTES, _LAST_NOTES = regex.compile(rf"(?<=\s)|{_NOTE}*+\s*+"), regex.compile(rf"(?r){_NOTE}+\Z")
# "ad es.", "l'on.", and behind another abbreviation more are likely: "Dr. med. Weber".
_TWO_WORDS = regex.compile(r"(?r)(?:\b(?i:(?:ad|per)\s+es|l['’](?:arch|on))|\.\s\p{Ll}{1,5})\.\Z")
_UNIT = regex.compile(r"(?r)\d\s*\p{L}+\.\Z")
_ALPHABETIC = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{Greek}\p{M}]+")
# German ordinals, and English ones ("23rd. May"): a month or century follows, or may, once whole.
_DAY = regex.compile(r"(\p{N}+)(?:st|nd|rd|th)?")
_ORDINAL = regex.compile(
    rf"\s+(?:(?:{'|'.join(_MONTHS.split())}|Jh|Jhd|Jahrhundert\w*)\b|\p{{Lu}}\w{{0,10}}\Z)"
)
_ARTICLE = regex.compile(
    r"(?ri)(?:\b(?:de[rmns]|das|die|im|vom|zu[mr]|beim|ins|(?<!\bI\s)am|jede[rmns]?"
    r"|(?:[mds]ein|ihr|unser)(?:e[rmns]?)?|(?-i:\p{Lu}\p{Ll}+)s)|\d\.\s+(?:und|bis|oder))\s+\d+\.\Z"
)
# "24. 12. 2026": its month goes before the last full stop.
_DATE = regex.compile(r"(?r)\d{1,4}\.[^\S\n]?\d{1,2}\.\Z")
# Some languages count before the name: "padişah IV. Murat", "im II. Weltkrieg". Behind a name the
# number may end a sentence ("Elizabeth II."), but not where letters tell of such a language, which
# counts anything so: "akşam 5. Cadde", "Karla IV. Praha". A number alone is no sentence: "1. Liga".
_COUNTS = regex.compile(
    r"(?rs)(?:(?:(?<![\p{L}\p{M}\p{N}])\p{Ll}[\p{Ll}\p{M}]*|\.)\s+[IVX]{2,}"
    r"|(?:(?:[!?…:,;]\s|[\n。！？])\s*|[ąčćđęěğıłńőřśşšůűźżžæøåİ].*\s)(?:\d{1,2}|[IVX]{2,})"
    r"|[áéíóúý].*\s[IVX]{2,})\.\Z"
)
# No whole word of Greek ends in most consonants, and none of Hebrew in a letter that has a final
# form. Among Vietnamese letters, capitals are titles and names of places ("PGS. Phạm").
_CUT_SHORT = regex.compile(
    r"(?rs)(?:\p{Greek}[βγδζθκλμπστφχ]|\p{Hebrew}[כמנפצ]|[ăđơưạ-ỹ].*\b\p{Lu}{2,5})\.\Z"
)
_HOUR = regex.compile(r"[ap]\.m")
_DAY_OR_ZONE = regex.compile(r"\s+(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|[A-Z]{2,4})\b")
# Few sentences begin with a number, and short words before one are mostly its own ("art. 5").
_NUMBER = regex.compile(r"[^\S\n]++(?:N[or]\.[^\S\n]?|[\p{Ps}№])?+\p{N}")
# Words that begin a sentence and are no name: "Ich helfe dir. Dann" ends one, "dir. Alm" does not.
# Before a name, each is one, too ("Prof. She Wang").
_BEGINS = regex.compile(
    r"\s+(?:Dann|E[rs]|Ich|It|She|Then|There|They|This|We|Wir)(?=\s+[^\s\p{Lu}])"
)
# A remark of several words in brackets, behind which sentencex finds no end: "(Or so it was.) She".
# One amid a sentence ends nothing: "Er kam (zu spät, wie immer!) Montag".
_REMARK = regex.compile(
    r"(?<=\A\s*|[.!?…]\s+)[(\[](?:[^()\[\]\s]+\s+){2,}[^()\[\]\s]*[.!?…][)\]]\s+"
)
# A small letter follows, or a dash behind which one may.
_SMALL_LETTER = regex.compile(r"[\s\p{Ps}\p{Pi}\p{Pf}\"'–—―]*+(?:\p{Ll}|(?<=[–—―]\s*+)\Z)")
# Scripts whose sentences end with other marks or none, so that full stops are of abbreviations.
_NO_STOPS = r"\p{Armenian}\p{Ethiopic}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Bengali}"
# What follows a quotation belongs to its sentence, where neither space nor a capital tells, and
# what follows a wide point to its number. No sentence begins with a sign that joins, with the
# letter of an ordinal ("2.ª"), or with what quotes the sentence before ("。と聞いた").
_GOES_ON = regex.compile(
    rf"(?<=[\p{{Latin}}\p{{N}}]．)\S|(?<=\p{{N}}\.)\p{{N}}|(?<=[{_NO_STOPS}]\.\s*+)\S"
    r"|(?<=[.\p{N}]\.\s*+)\p{Lo}|(?<=[\p{Pe}\p{Pf}])\S|(?<=[\p{Pe}\p{Pf}\"'][^\S\n]*+)\p{Lo}"
    r"|[\p{Pe}\p{Pf}、，&;:%/=×ªº]"
    r"|(?<=[。？！?!])(?:(?:と|って)(?:[言聞思答叫問尋考書の]|い[うっ])|など|みたい)"
)
# Where the marks tell which opens, a longer quotation is known, and may hold others.
_IN_QUOTES = regex.compile(
    r"""(?r)(?:(?:「[^」]{0,80}|『[^』]{0,80}|《[^》]{0,80}|（[^）]{0,80})"""
    r"""|(?:[(（「『„《]|(?<![\p{Ll}\p{Lu}\p{N}.!?…,”。！？])[“"«]|(?<!\S)[»”](?=\S))"""
    r"""[^)）」』”“"«»》]{0,40})\Z"""
)


def proposed_ends(text: str) -> list[int]:
    """Where sentences may end, notes and space included. Quadratic: keep the text short."""
    ends = [each["end_index"] for each in sentencex.get_sentence_boundaries("en", text)]
    ends = [next(_NOTES.finditer(text, end)).end() for end in ends]
    return ends + [remark.end() for remark in _REMARK.finditer(text)]


def is_sentence_end(text: str, end: int) -> bool:
    """Whether a sentence ends at a proposed end, in any language; not where the text ends."""
    before = text[max(0, end - _LOOK_BACK) : end].rstrip()
    if not before.endswith("."):
        before = _LAST_NOTES.sub("", before)
    if _GOES_ON.match(text, end) or _IN_QUOTES.search(before):
        return False
    if _SMALL_LETTER.match(text, end) and not text[:end].islower():
        return False
    before = before.rstrip(")]")
    found = _WORD.search(before)
    word = found[0].lstrip("-.").rstrip("-") if found else ""
    return not word or not _is_abbreviation(word, before, text[end - 1 :])


def _is_abbreviation(word: str, before: str, after: str) -> bool:
    """Whether the full stop behind `word` does not end a sentence; `before` ends with both."""
    if len(word) < 7 and _NUMBER.match(after, partial=True):
        return True
    if word in _ENGLISH:
        return bool(_HOUR.fullmatch(word) and _DAY_OR_ZONE.match(after, partial=True))
    if _COUNTS.search(before):
        return True
    if day := _DAY.fullmatch(word):
        is_ordinal = _ARTICLE.search(before) or (len(day[1]) < 3 and _ORDINAL.match(after))
        return bool((len(day[1]) < 4 and is_ordinal) or _DATE.search(before))
    return (
        not (_ABBREVIATIONS.isdisjoint([word, word[:1].lower() + word[1:]]) or _BEGINS.match(after))
        or word.endswith("str")
        or (word[-1] in "ªº" and word[0].isalpha())  # Profª. Maria
        or (".-" in word and _is_abbreviation(word.rpartition(".-")[2], before, after))
        or bool(_TWO_WORDS.search(before) or _CUT_SHORT.search(before))
        or len(regex.findall(r"\X", word)) == 1
        or (len(word) == 2 and word[0] == word[1] and word not in ("II", "XX"))  # EE. UU.
        or ("." in word and all(0 < len(part) < 4 for part in regex.split(r"[.\-]+", word)))
        or (len(word) < 5 and _has_no_vowel(word) and not _UNIT.search(before))
    )


def _has_no_vowel(word: str) -> bool:
    """Whether its letters, unless all are capitals, hold no vowel: "Hr", "vgl"."""
    letters = unicodedata.normalize("NFD", word.lower())
    is_word = not word.isupper() and _ALPHABETIC.fullmatch(letters)
    return bool(is_word) and _VOWELS.isdisjoint(letters)
