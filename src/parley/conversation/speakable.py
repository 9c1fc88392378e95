"""Markdown to what a voice says of it: words, and nothing for code, addresses, markup and emoji."""

from collections.abc import Iterator

import regex
from markdown_it import MarkdownIt
from markdown_it.token import Token

from parley.conversation.formulas import without_latex
from parley.conversation.silent import HIDDEN, SOUND, without_silence

_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# A model that indents by four spaces means prose, and what stands in HTML blocks is words, too.
# Text is not joined, so that a star without a partner is a token of its own.
_PARSER.disable(["code", "html_block", "fragments_join", "text_join"])
_PARSER.validateLink = lambda url: True  # type: ignore[method-assign]  # Nobody follows any of them.
_DELIMITERS = regex.compile(r"[*_~`]+")
_WITHIN_A_WORD = regex.compile(
    r"</?(?:a|abbr|b|code|del|em|font|i|ins|kbd|mark|q|s|small|span|strong|sub|sup|u)\b", regex.I
)
# Between letters or digits a star multiplies, and two are a power where they end nothing; their
# stand-in means nothing to Markdown.
_PRODUCT = regex.compile(
    r"(?<=[A-Za-z0-9)\]])\*(?=[A-Za-z0-9(\[])|(?<=\w[ ])\*\*(?=[ ]\w)"
    r"|(?<=\b[A-Za-z]|[0-9)\]])\*\*(?=-?[0-9(]|[A-Za-z]\b)(?![^*\n]*(?<!\s)\*\*(?![\w-]))"
)
_TIMES = "\u2217"
_BLANK = regex.compile(r"(?<=\p{Lo})__+")  # To be filled in, where no space stands.
# A line break that was escaped twice, unless it ends what is quoted: "Hi.\\n".
_ESCAPED = regex.compile(r"(?<=[.!?:…。！？])(?:\\r)?\\n(?:(?:\\r)?\\n)*+(?!\p{Ll}|[\"'`’”](?!\w))")
_CITED = r"\^[^\[\]\s]+|cite:[\w-]+|(?:cite|citation|source|web|ref|doc)[:_ ]{0,2}\d[\d, -]*"
# Behind one of these a number in brackets is no source, but what is told of: "The answer is [3]."
_TELLS = r"(?<!(?:[は是为為选選第项項：:=]|\bis)[ ]?)"
# Each line is a kind of text that is not said as it is written; `said` names what is left of it.
_UNSAID = regex.compile(
    r"""
      \A\[\^[^\[\]\s]+\]:.*                                       # [^1]: a footnote
    | <[|｜]\w*(?:start|channel)\w*[|｜]>\w*                        # <|im_start|>assistant
    | <[|｜][^<>\s]+>|<[^<>\s]+[|｜]>|<(?:start|end|begin)_of_\w+>|\[/?INST\]   # <|im_end|>
    | \uE200[^\uE201]*\uE201|[ ]?\bcite(?:turn\d+[a-z]+\d+)+      # sources of ChatGPT
    | :(?<![\w:\[]:)[a-z+-][a-z0-9_+-]*:(?![\w:])                 # :smile:
    | 【[^【】]*†[^【】]*】|TELLS(?<!\A)【\d{1,3}】                    # a source, as some models do
    | :contentReference\[[^\[\]]*\](?:\{[^{}]*\})?
    | (?<![\w=~|])(?P<with>==|~|\|\|)(?=\S)(?P<said>[^=~|\n]+)(?<=\S)(?P=with)(?![\w=~|])   # ==so==
    | \A\[(?:[ xX]|!\w+)\](?:[ ]|\Z)                             # a task's box, or [!NOTE]
    | \A\[\p{Lu}{2,}:[^\[\]]*=[^\[\]]*\]\Z|</?[a-z]{3,}=[^<>\s]*>    # [FACE:a=b], <pause=1s>
    | \A:{3,}[ ]?[\w-]+(?:[\[{][^\[\]{}]*[\]}])*\Z                # :::artifact{a="b"}
    | \bdata:\w+/[\w.+-]+;base64,[A-Za-z0-9+/=]*                  # an image
    | \x1B\[[\d;]*[A-Za-z]|[[\p{Cc}\p{Bidi_C}]--[\s]]       # what controls terminals
    | \[[^\[\]]+\]:[ ]+https?://\S+(?:[ ]+(?:"[^"]*"|'[^']*'))?   # [1]: https://…
    | \[cite_start\]|\[(?!(?:CITED|\d+)\])(?P<said>[^\[\]]*)\]\[[^\[\]]*\]      # [text][1]
    | (?:(?:https?|ftp)://(?:www\.)?|\bwww\.)                       # an address: its host
      (?P<said>[\p{Latin}\p{Cyrillic}0-9.-]*[\p{Latin}\p{Cyrillic}0-9])
      (?:[:/?\#](?:[!-~--["'()*<>\[\]`]]*(?:[A-Za-z0-9/=]|\([!-~--["'()*<>\[\]`]]*\)))*)?
    | (?:\p{RI}{2}|(?![©®™‼⁉ℹ])\p{Extended_Pictographic})         # emoji and flags,
      (?:[\p{EMod}\uFE0E\uFE0F\U000E0020-\U000E007F]|\u200D\p{Extended_Pictographic})*
    | [\uFE0F\u20E3`\u200B\u00AD\u2060\uFEFF]|_(?<!\w_)_*(?!\w)     # a keycap's frame; marks; a gap
    | [\p{Block=Box_Drawing}\p{Block=Block_Elements}\p{Block=Geometric_Shapes}★☆•‣⁃]  # drawings
    | [\p{Block=Dingbats}--\p{N}]
    """.replace("CITED", _CITED.replace(" ", "[ ]")).replace("TELLS", _TELLS),
    regex.VERBOSE | regex.VERSION1,
)
# The marks of footnotes and sources: [^1], [1][2].
_MARKS = regex.compile(
    rf"[ ]?(?:\[(?:{_CITED})\]|{_TELLS}\[(?:[1-9][0-9]?\]\[)*[1-9][0-9]?\](?!\w))"
)
_CALL = regex.compile(rf"<(?:{HIDDEN})\b")
# A tag that has words: a comparison (x<y and y>z) or what is to be filled in (<your name>).
_NO_TAG = regex.compile(
    r"<(\w+(?:[ ](?!(?:checked|controls|disabled|hidden|open|required|selected)>)[\w'-]+)+)[ ]*>"
)
# The name of an element or of what is to be filled in: Press <Enter>, the <p> element.
_NAME = regex.compile(rf"<(?!(?:br|hr|img|wbr|pause|{SOUND})>)([A-Za-z][\w-]*)>")
_ALT = regex.compile(r"""<img\b[^<>]*\balt=(?|"([^"<>]*)"|'([^'<>]*)')""")
_BREAK = regex.compile(r"</?(?:br|div|h[1-6]|li|p|td|tr)\b", regex.I)
# What follows a break, and is no rest of a sentence, stands for itself. Models break no line for
# its width; if others do, it is no short one.
_LINE_END = regex.compile(
    r"(?m)(?:(?<!\s)[^\S\n]*+\n[^\S\n]*+\n\s*+|(?<=^[^\n]{1,40})\n)(?=[^\p{Ll}\s])"
    r"|\n(?=[•‣⁃\p{ExtPict}]|\w[)])"
)
# What holds no markup, as most of what is spoken: the parser would give it back as it is.
_PLAIN = regex.compile(r"\p{L}[\p{L}\p{N} .,;:?!'’\"()–—…-]*+")
# A comment that has only begun is kept, so that its end is waited for.
_AUDIBLE = regex.compile(r"[\p{L}\p{N}\p{Sc}]|<!--")
_NEEDS_A_STOP = regex.compile(r"""[\p{L}\p{M}\p{N}%]\Z|(?<![.!?…。！？])[\p{Pe}\p{Pf}"']\Z""")
_WIDE = regex.compile(r"[\p{EA=W}\p{EA=F}]\Z")
# A table's row, or some of it, where the head was in an earlier segment.
_ROW = regex.compile(r"(?m)^[ \t]*\|(?:[ \t][^\n]*)?$|^[^\n]*[ \t]\|[ \t]*$")


def speakable(markdown: str) -> str:
    """What the voice gets, with a pause between blocks; empty where there is nothing to say."""
    source = _PRODUCT.sub(lambda stars: _TIMES * len(stars[0]), without_latex(markdown))
    if "\\n" in source or "__" in source:
        source = _ESCAPED.sub("\n\n", _BLANK.sub(" ", source))
    return said_of(without_silence(source))


def said_of(source: str) -> str:
    """The same of a text in which nothing looks like what is not for a listener."""
    texts = [source] if _PLAIN.fullmatch(source) else _blocks(source)
    said = (_UNSAID.sub(lambda match: match["said"] or "", text) for text in texts)
    said = (_MARKS.sub("", text) if "[" in text else text for text in said)
    blocks = [" ".join(text.replace(_TIMES, "*").split()) for text in said]
    blocks = [block for block in blocks if _AUDIBLE.search(block)]
    return " ".join([*map(with_stop, blocks[:-1]), *blocks[-1:]])


def with_stop(said: str) -> str:
    """What is said, with a full stop where the voice would go on without a pause."""
    stop = "。" if _WIDE.search(said) else "."
    return said + stop if _NEEDS_A_STOP.search(said) else said


def _blocks(markdown: str) -> Iterator[str]:
    """The text of each paragraph, heading, list item and row of a table."""
    number = ""
    cells: list[str] | None = None
    for token in _PARSER.parse(markdown):
        match token.type:
            case "list_item_open":
                number = f"{token.info}{token.markup} " if token.info else ""
            case "tr_open":
                cells = []
            case "tr_close":
                yield ", ".join(cells or [])
                cells = None
            case "inline":
                text = number + _ROW.sub(_cells, _text(token.children or []))
                number = ""
                if cells is None:
                    yield from _LINE_END.split(text) if "\n" in text else [text]
                elif _AUDIBLE.search(text):
                    cells.append(text)


def _cells(row: regex.Match[str]) -> str:
    said = ", ".join(cell.strip() for cell in row[0].split("|") if _AUDIBLE.search(cell))
    return with_stop(said) if row[0].rstrip().endswith("|") else said


def _text(tokens: list[Token]) -> str:
    """The words of a line's tokens; a delimiter without a partner is dropped."""
    words = ""
    for index, token in enumerate(tokens):
        match token.type:
            case "softbreak" | "hardbreak":
                words += "\n"
            case "html_inline" if plain := _NO_TAG.fullmatch(token.content):
                words += f" < {plain[1]} > " if words[-1:].isalnum() else plain[1]
            case "html_inline" if image := _ALT.match(token.content):
                words += image[1]
            case "html_inline" if _CALL.match(begin := token.content.replace("</", "<")) and (
                begin == token.content or begin in words
            ):
                words += token.content  # It is waited for its end, with which it becomes silent.
            case "html_inline" if (name := _NAME.fullmatch(token.content)) and _is_named(
                name[1], words, tokens[index + 1 :]
            ):
                words += f" {name[1]}" if words[-1:].isalnum() else name[1]
            case "html_inline":
                gap = "\n\n" if _BREAK.match(token.content) else " "
                words += "" if _WITHIN_A_WORD.match(token.content) else gap
            case "image":
                words += _text(token.children or [])
            case "text" if _DELIMITERS.fullmatch(token.content):
                following = tokens[index + 1].content if index + 1 < len(tokens) else ""
                around = words[-1:], following[:1]
                if all(map(str.isspace, around)) or all(map(str.isalnum, around)):
                    words += token.content
            case _:
                words += token.content
    return words


def _is_named(name: str, before: str, after: list[Token]) -> bool:
    """Whether a sentence tells of an element; one that wraps text has an end, or begins a line."""
    following = after[0].content if after else ""
    nested = next((token.type for token in after if token.type != "softbreak"), "")
    has_end = any(token.content == f"</{name}>" for token in after)
    if has_end or following[:1].isalnum() or nested == "html_inline":
        return False
    if not before.strip() or before.endswith("\n"):
        return following[1:2].islower() or (name.istitle() and following.strip() != "")
    return before[-1].isalnum() or before[-1] in " ([\"'“‘@:/="
