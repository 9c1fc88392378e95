"""A reply, while it is being written, to the segments that are spoken one by one."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

import regex

from parley.conversation.formulas import ends_amid_latex
from parley.conversation.sentences import is_sentence_end, proposed_ends
from parley.conversation.silent import completed, fence_after
from parley.conversation.speakable import said_of, speakable, with_stop
from parley.deadline import let_others_run

# Bounds in characters, of which East Asian wide ones count as three.
SHORTEST, FIRST_CLAUSE, MERGED, LONGEST_SEGMENT = 20, 40, 200, 400
IN_VAIN = 2 * LONGEST_SEGMENT  # How much of a segment is parsed for ends that are in markup.
NEXT_WORD = 16  # How many characters behind a mark can tell whether the segment ends there.
_WIDE = regex.compile(r"[\p{EA=W}\p{EA=F}]")
_BLOCK_END = regex.compile(r"\n[ \t\r]*+\n\s*+")
# Wide marks need no space behind them, but within a number they end nothing. Before a number, a
# comma ends no clause: "May 8, 1884".
_CLAUSE_END = regex.compile(r"(?:[,،]\s++(?!\p{N})|[;:–—؛]\s++)|[，、；：](?!(?<=\p{N}.)\p{N})")
# Where to cut what is too long, the best place first.
_CUTS = (r"[,;:.!?–—،؛]\s++|[，、；：。！？](?!(?<=\p{N}.)\p{N})", r"\s++", r"\X")
# A link in which a text ends is cut where it begins, if it can be.
_LINK = regex.compile(r"(?r)(?<!\S)!?\[[^\[\]\n]*(?:\]\([^\s()]*(?:\s\"[^\"]*)?)?\Z")
_LIST_NUMBER = regex.compile(r"\s*+\d++[.)]")
# What may open markup that closes later: its words are not known before it does.
# A pair of brackets that nothing belongs to is no markup.
_OPENER = regex.compile(
    r"(?<!\w)_(?=\S)|\*(?=\S)|~~(?=\S)|`|\[(?![^\[\]]*+\](?![\[(:]))|<(?=[A-Za-z/!])|\((?<=\w\()\w+=[^()\n]*\Z"
)
_JSON_OPENER = regex.compile(r"\{\s*\"[^{}]*\Z")  # Of a call, which ends with a brace.
_CLOSER = regex.compile(r"[])>*_~`{}]")
# No segment ends without one of these before its end; in the first one, clauses end it, too.
_MARK = regex.compile(r"(?r)[^\w\s,;:'’-]|[\n_]")
_FIRST_MARK = regex.compile(r"(?r)[^\w\s]|[\n_]")
_WRAPPED = regex.compile(r"(?i)\A\s*`{3,}(?:te?xt|plaintext|md|markdown)\s|`{3,}\s*\Z")
_MARKED = regex.compile(r"</|<[|｜‖]|\[TOOL_CALLS\]")  # What certainly is a call, or thoughts.
_GAP = regex.compile(r"\s(?=\S)|[\p{EA=W}\p{EA=F}](?=.)", regex.S)


@dataclass(frozen=True)
class Segment:
    """Some characters of the reply, and what the voice says of them: nothing, where it is empty."""

    text: str
    speakable: str
    ends_amid: bool = False  # Whether it was cut within a sentence, for its length.

    @property
    def joined(self) -> str:
        """What is said of it before another segment: with a pause where a line ends."""
        ends_line = "\n" in self.text[len(self.text.rstrip()) :] and not self.ends_amid
        return with_stop(self.speakable) if ends_line else self.speakable


class Segmenter:
    """Cuts a reply into segments, which joined are the reply; linear, however small the deltas."""

    def __init__(self) -> None:
        self._fence = self._before = ""
        self._is_first = True
        self._begin_with("")

    def feed(self, delta: str) -> list[Segment]:
        """The segments that are known now that `delta` was received."""
        ready: list[Segment] = []
        for start in range(0, len(delta), LONGEST_SEGMENT):
            self._receive(delta[start : start + LONGEST_SEGMENT])
            ready += self._segments(is_last=False)
        return ready

    def finish(self) -> list[Segment]:
        """The rest: the reply has ended. Where it is all, what may be a call or prose is said."""
        is_all, rest = self._is_first, list(self._segments(is_last=True))
        if is_all and len(rest) == 1 and not (rest[0].speakable or _MARKED.search(rest[0].text)):
            rest = [replace(rest[0], speakable=said_of(_WRAPPED.sub("", rest[0].text)))]
        return rest

    def _begin_with(self, text: str) -> None:
        self._open, self._mark = "", -1  # What is no segment yet; where its last mark is, or -1.
        self._rejected: set[int] = set()  # The ends in it where no segment ends.
        self._in_markup = self._in_vain = 0  # Up to where markup is open; what IN_VAIN bounds.
        self._receive(text)

    def _receive(self, text: str) -> None:
        since = max(0, len(self._open) - NEXT_WORD)  # Gaps before it were judged, by the old mark.
        if mark := (_FIRST_MARK if self._is_first else _MARK).search(text):
            since, self._mark = 0, len(self._open) + mark.start()  # The last of several.
        self._open += text
        self._may_end = self._mark >= 0 and bool(_GAP.search(self._open, since))

    def _segments(self, *, is_last: bool) -> Iterator[Segment]:
        while segment := self._next_segment(is_last=is_last):
            yield segment
            self._fence = fence_after(segment.text, self._fence)
            # The first may end at a clause amid a quotation, whose beginning tells of its end.
            self._before = segment.text if self._is_first else ""
            self._is_first = False
            self._begin_with(self._open[len(segment.text) :])

    def _next_segment(self, *, is_last: bool) -> Segment | None:
        """The segment with which the open text begins; None where that is not known yet."""
        if self._may_end and (segment := self._whole_segment()):
            return segment
        if length(self._open) > LONGEST_SEGMENT:
            return replace(self._segment(self._open[: _forced_end(self._open)]), ends_amid=True)
        return self._segment(self._open) if is_last and self._open else None

    def _whole_segment(self) -> Segment | None:
        for end, shortest, is_proposed in sorted(self._ends()):
            text = self._open[:end]
            size = length(text)
            if size > LONGEST_SEGMENT or end == len(self._open):
                break
            if size < shortest or end in self._rejected:
                continue
            before = len(self._before)
            if is_proposed and not is_sentence_end(self._before + self._open, before + end):
                if len(self._open) - end > NEXT_WORD:
                    self._rejected.add(end)
                continue
            if segment := self._judge(text):
                return segment
            self._rejected.add(end)
        if len(self._open[self._mark + 1 :].strip()) > NEXT_WORD:
            self._mark = -1  # What follows changes nothing before the next mark.
        self._may_end = False  # Nothing is found a second time, unless more is received.
        return None

    def _ends(self) -> Iterator[tuple[int, int, bool]]:
        """Where a segment may end, the length that it must have, and if a sentence must end."""
        for end in proposed_ends(self._open):
            if self._open[end - 1].isspace() or _WIDE.match(self._open[end - 1]):
                yield end, SHORTEST, True
        for block in _BLOCK_END.finditer(self._open):
            yield block.end(), SHORTEST, False
        if self._is_first:
            for clause in _CLAUSE_END.finditer(self._open):
                yield clause.end(), FIRST_CLAUSE, False

    def _judge(self, text: str) -> Segment | None:
        """The segment of `text`, or None where what follows can change what is said of it."""
        last_line = text.rstrip().replace("\\n", "\n").rpartition("\n")[2]
        if fence_after(text, self._fence) or _LIST_NUMBER.fullmatch(last_line):
            return None
        if _BLOCK_END.search(text, len(text.rstrip())):
            return self._segment(text)
        is_in_markup = self._in_markup and not _CLOSER.search(text, self._in_markup)
        if is_in_markup or self._in_vain > IN_VAIN:
            return None
        if not ends_amid_latex(text):
            segment = self._segment(text)
            if not (_OPENER.search(segment.speakable) or _JSON_OPENER.search(text)):
                return segment
            self._in_markup = len(text)
        self._in_vain += len(text)
        return None

    def _segment(self, text: str) -> Segment:
        return Segment(text, speakable(completed(text, self._fence)))


class Unspoken(deque[Segment]):
    """The segments that no voice has taken yet; those that wait together are taken as one."""

    def take(self) -> Segment:
        """The first that waits, and with it all that follow up to MERGED characters."""
        taken = [self.popleft()]
        size = length(taken[0].text)
        while self and (size := size + length(self[0].text)) <= MERGED:
            taken.append(self.popleft())
        said = filter(None, (segment.joined for segment in taken))
        return Segment("".join(segment.text for segment in taken), " ".join(said))


def segments_of(reply: str) -> Iterator[Segment]:
    """The segments of a whole reply; others run in between."""
    segmenter = Segmenter()
    for start in range(0, len(reply), LONGEST_SEGMENT):
        if start:
            let_others_run()
        yield from segmenter.feed(reply[start : start + LONGEST_SEGMENT])
    yield from segmenter.finish()


def length(text: str) -> int:
    """How long a text is when it is spoken: East Asian wide characters count as three."""
    return len(text) if text.isascii() else len(text) + 2 * len(_WIDE.findall(text))


def _forced_end(text: str) -> int:
    """Where to cut what is too long: behind a clause, else a space, else a grapheme."""
    lengths = accumulate(map(length, text))
    limit = next(index for index, size in enumerate(lengths) if size > LONGEST_SEGMENT)
    if (link := _LINK.search(text, 0, limit)) and link.start() >= SHORTEST:
        limit = link.start()
    for place in _CUTS:
        ends = [match.end() for match in regex.finditer(place, text)]
        if ends := [end for end in ends if SHORTEST <= end <= limit]:
            return int(ends[-1])
    return limit
