"""A reply becomes segments: whole, in order, once, and soon."""

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.conversation import segments
from parley.conversation.segments import Segment, Segmenter, length

SNIPPETS = [
    *("word ", "Dr. ", "e.g. ", "3.14 ", "The end. ", "Really? ", "well, ", "a; b: c ", "…", "\n"),
    *("\n\n", "\r\n", "- ", "1. ", "> ", "# ", "**", "*", "_", "`", "```\n", "~~", "[", "](", ")"),
    *("![", "https://www.example.com/a_b?c=d. ", "<b>", "<", "<!-- ", "-->", "&amp;", "\\", "| "),
    *("|---|---|\n", "| a | b |\n", "[^1]", "[x]: https://example.com\n", "    ", "\t", "---\n"),
    *("你好。", "今日は晴れです。", "สวัสดีครับ", "مرحبا بك. ", "नमस्ते। "),
    *("😀", "👩‍👩‍👧", "🇩🇪", "\u0301"),
    *("a" * 90, "你" * 70, " " * 30, "\u200d", "\x00", "\x0b", "\u2028", "x" * 450),
]
REPLIES = st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=12), max_size=60).map("".join)


def cut(reply: str, *, every: int = 1) -> list[Segment]:
    segmenter = Segmenter()
    ready = []
    for start in range(0, len(reply), every):
        ready += segmenter.feed(reply[start : start + every])
    return ready + segmenter.finish()


def letters(text: str) -> str:
    """What makes the words, without what only makes pauses."""
    return "".join(regex.findall(r"[\p{L}\p{M}\p{N}]", text))


@given(REPLIES)
@settings(max_examples=100, deadline=None)
def test_segments_cover_any_reply_whole_in_order_once(reply):
    """Nothing of the text is lost or said twice, and every segment keeps the bounds."""
    found = cut(reply)
    assert "".join(segment.text for segment in found) == reply
    lengths = [length(segment.text) for segment in found]
    assert all(0 < length <= 400 for length in lengths)
    assert all(length >= 20 for length in lengths[:-1])


WORDS = st.lists(
    st.sampled_from(["alpha", "beta.", "gamma,", "delta!", "你好。", "été"]), min_size=1, max_size=9
)
SAID = WORDS.map(" ".join)
# What Markdown makes of the words, each of which must be spoken once.
WRITTEN = ["{}", "**{}**", "*{}*", "[{}](https://example.com/silent)", "~~{}~~", "<b>{}</b>"]
BLOCKS = ["{}\n\n", "- {}\n", "> {}\n\n", "## {}\n\n", "  1. {}\n"]
BLOCKS += ["{}\n\n```py\nsilent. No\n```\n"]


@given(
    st.lists(st.tuples(SAID, st.sampled_from(WRITTEN), SAID, st.sampled_from(BLOCKS)), max_size=25)
)
@settings(max_examples=60, deadline=None)
def test_every_word_is_spoken_once_and_no_markup_is(parts):
    """Wherever markup is cut by sentences, its words are said, and code and addresses are not."""
    reply = "".join(block.format(f"{a} {w.format(b)} {a}") for a, w, b, block in parts)
    said = " ".join(segment.speakable for segment in cut(reply, every=3))
    numbers = [part[3] for part in parts].count(BLOCKS[4])
    expected = letters("".join(f"{a}{b}{a}" for a, _, b, _ in parts))
    assert regex.sub(r"\d", "", letters(said)) == expected
    assert len(regex.findall(r"\d", said)) >= numbers
    assert not regex.search(r"[*~<>`#\[\]]|silent", said)


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        ("Well, that is a very good question of yours, and I", 1),  # A clause, from 40 on.
        ("Well, that is a good question, and I would say", 0),
        ("Harry S. Truman was born on Thursday, May 8, 1884", 0),  # A date's comma is no clause's.
        ("It is true that one can. A", 1),  # A sentence, from 20 on.
        ("Yes. It is. A", 0),
        ("It is true that one can.", 0),  # Nobody knows whether it has ended.
    ],
)
def test_the_first_segment_is_ready_early(text, ready):
    """Every character before the first sound is heard as silence."""
    assert len(Segmenter().feed(text)) == ready


@pytest.mark.parametrize("unit", ["สวัสดีครับ", "👩‍👩‍👧", "e\u0301", "한국어", "🇩🇪", "नि"])
def test_the_last_resort_never_cuts_a_grapheme(unit):
    """Text without clauses or spaces is cut between what a reader sees as characters."""
    reply = unit * 900
    graphemes = set(regex.findall(r"\X", reply))
    for segment in cut(reply):
        assert set(regex.findall(r"\X", segment.text)) <= graphemes


CLAUSE = "and that is a very good question of yours, "
# How many characters each segment has.
CUTS = {
    "letters": ("a" * 900, [400, 400, 100]),
    "wide letters, which take about as long to say as three": ("の" * 300, [133, 133, 34]),
    "only the first at a clause": (f"I say that it is so indeed. A{CLAUSE * 3}.", [28, 131]),
    "at a clause": ("one two three, four five six, " * 20, [45, 390, 165]),
    "else at a space": ("seven eight nine " * 40, [397, 283]),
    "in no number": (f"これは{'あ' * 70}、{'い' * 50}１，０００{'う' * 90}。", [74, 133, 13]),
}


@pytest.mark.parametrize("name", CUTS)
def test_what_is_too_long_is_cut_where_it_is_heard_least(name):
    """A pause in a wrong place costs less than half a word, or half a number."""
    reply, lengths = CUTS[name]
    assert [len(segment.text) for segment in cut(reply)] == lengths


def test_a_link_is_waited_for_and_not_for_ever():
    """Half a link is not read out; a bracket that nothing closes does not hold up the reply."""
    segmenter = Segmenter()
    assert not segmenter.feed("Look at [all of this. Then go on and read it. Or not](https://exam")
    assert segmenter.feed("ple.com/page). Now the next one")
    assert Segmenter().feed("Look at [all of this. " + "Then go on and read it. " * 60)


def test_code_stays_silent_when_it_is_longer_than_a_segment():
    """The fence is remembered, in a list and in a quote, too, and so is its end."""
    said_words = ["Here", "is", "code.", "That", "was", "all", "of", "the", "code."]
    for mark, rest in (("", ""), ("- ", "  "), ("10. ", "    "), ("> ", "> ")):
        code = "".join(f"{rest}value = {n}. Never\n" for n in range(200))
        reply = f"Here is code.\n\n{mark}```py\n{code}{rest}```\n\nThat was all of the code."
        said = " ".join(segment.speakable for segment in cut(reply))
        assert regex.sub(r"10\. ?", "", said).split() == said_words


@pytest.mark.parametrize(
    ("reply", "heard"),
    [
        ("So [the guide](https://a.b/{0}) is. It helps.", "So the guide is. It helps."),
        ("So [a](<x:{0}> 'T t') is ![a](data:b;c,{0} \"T\").", "So a is a"),
        ("It is the page of (https://a.b/{0}) now.", "It is the page of (a.b now."),
        ("访问https://a.b/{0}。好", "访问a.b 好"),
        ("[a](https://a.b/{0}", "a"),
        ("See [this a](b:{0}{0}{0}) [it](c)", "See this a it"),
        ('So <a b="c" d="e {0} f" g="h"> is it. <b>So</b>', "So is it. So"),
        ('So <a b="{0} c" d="{0}" is', "So"),
    ],
)
def test_addresses_stay_silent_when_they_are_longer_than_a_segment(reply, heard):
    """Signed addresses and pictures within the text: of them nobody wants to hear a letter."""
    for every in (1, 7, 4_000):
        found = cut(reply.format("c%20d=" * 150), every=every)
        assert " ".join(filter(None, (each.speakable for each in found))) == heard


def test_what_is_too_long_is_not_cut_within_the_words_of_a_link():
    """Its address would be heard."""
    link = f'[the way to it]({"a" * 220} "A title")'
    said = [segment.speakable for segment in cut(f"Here is for you {link} and also {link}.")]
    assert said == ["Here is for you the way to it and also", "the way to it."]


FLOODS = [
    *("[", "![", "*a ", "`", "```a", "[](", "<", "<a ", "<!--", ". ", "> ", "- a\n", "|a", "[a]("),
    *("[" * 20 + "Abc! " * 80, "[A. b] ", "*A. ", "_a. _b", "``A` ", "<b>A. ", "“A. ", '"A! '),
    *("1. ", "  - A. b\n    - C\n", "[^1]: A. [^1]\n", "【1†A】. ", "| a. | B |\n", "~~~ "),
    *("```\nA. B\n\n", "x[i] = f(a, *b); // A. B\n", '{"a": [1.5, ', "https://a.b/", "A.", "A, "),
    *(" ", "\n", " \n", "\r\n", "\t. ", "a", "e\u0301\u0301", "👩\u200d", "🇩🇪", "\u200f."),
    *("Sr. Go ", "我。", "你好。", "「あ。", "你，", "مرحبا؟ ", "नमस्ते। "),
]


@pytest.fixture
def counts(monkeypatch):
    """How many characters each call was given, by what was called."""
    made = {"speakable": [], "proposed_ends": [], "is_sentence_end": []}

    def counted(name):
        function = getattr(segments, name)

        def count(text, *arguments):
            made[name].append(len(text))
            return function(text, *arguments)

        monkeypatch.setattr(segments, name, count)

    for name in made:
        counted(name)
    return made


@pytest.mark.parametrize("every", [1, 4_000])
@pytest.mark.parametrize("unit", FLOODS)
def test_effort_is_linear_in_the_length(unit, every, counts):
    """What is done for each character is bounded, and no more of it in a longer reply."""
    efforts, (parsed, read, asked) = [], counts.values()
    for characters in (450, 1_000) if every == 1 else (1_000, 2_500):
        reply = (unit * characters)[:characters]
        assert "".join(segment.text for segment in cut(reply, every=every)) == reply
        assert max(parsed) <= 402  # An address that is cut is closed.
        assert max(read, default=0) <= 800
        assert sum(parsed) <= 4 * len(reply)
        assert len(asked) <= 8 * len(reply)
        efforts.append((sum(parsed) + sum(read)) / len(reply))
        parsed.clear(), read.clear(), asked.clear()
    assert efforts[1] <= 1.3 * efforts[0] + 10


@pytest.mark.parametrize(
    ("unit", "most"),
    [
        ("They walked [all day. It was long](https://a.b), as Mr. Smith says. It rained. ", 45),
        ("They walked all of the day and all of the night until they came, I say. ", 3.5),
        ("![[](", 0),  # Without space there is no sentence.
    ],
)
def test_ends_are_looked_for_near_new_marks_alone(unit, most, counts):
    """Even letter by letter: how many characters are read for each one."""
    cut(unit * 50)
    assert sum(counts["proposed_ends"]) <= most * len(unit * 50)
