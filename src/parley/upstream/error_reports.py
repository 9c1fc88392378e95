"""What an upstream says of a failure, read from every shape in which hosts say it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from parley.errors import UpstreamError, UpstreamMalformed
from parley.upstream.json_values import json_in, value_at
from parley.upstream.reasons import WAIT, seconds_in

FailureIn = Callable[[Any], UpstreamError]  # Which failure it is that JSON tells of.
DEEPEST = 8  # How many objects or lists, or texts of those, may lie around the reason.
SPACE = b" \t\r\n\xef\xbb\xbf"  # What hosts send before an answer, some for long.
FINE = ("ok", "success", "succeeded", "successful")  # What hosts say where nothing failed.
# How much of a reason, how many of several, and how much around them is examined.
READ_CHARACTERS, LISTED, READ_BYTES = 2000, 5, 64 * 1024
# The fields below are written as all are read: in small letters, without `_` and `-`, so that
# `error_message`, `errorMessage` and `ErrorMessage` are one.
PLAIN = str.maketrans("", "", "_-")
# Those that name the failure or its status; the codes first, since they are more exact.
NAMES = (
    *("code", "errorcode", "errcode", "type", "errortype"),
    *("status", "statuscode", "httpstatuscode", "httpcode"),
)
# Those with a reason beside which `error` may only name the failure: those of many, of DeepInfra
# and AWS, of Baidu, of Deepgram and WeChat, and of OAuth (RFC 6749, 5.2).
SENTENCES = ["detail", "message", "msg", "errormessage", "errormsg", "errmsg", "errordescription"]
# Those that may as well be about a reply as about a failure.
NOTES = ["details", "reason", "description", "title"]
# Those in which the reason stands, or what it stands in: beside those of most, Apigee's `fault`,
# MiniMax's `base_resp`, Tencent's `Response`, iFlytek's `header`, and the `title` of RFC 9457.
REASONS = (
    *("error", "errors", "issues", "faultstring", *SENTENCES, "details", "baseresp", "statusmsg"),
    *("response", "header", "fault", "reason", "description", "title"),
)
# A field that says when to try again (`retryDelay`, `retry_after`, Hugging Face's
# `estimated_time`), also in JSON within a text; with seconds, milliseconds or a text such as
# `9m38s` it says after how long, or at which moment.
WAITS = re.compile(
    r"(?:retry(?:[ _-]?(?:after|at|delay|in)|(?P<counts>))|reset|estimated_?time)[\w .-]{0,24}?"
    r"(?P<fine>ms|milliseconds)?\\{0,9}\"\s?:\s?+"
    r"(?!(?:null|true|false|0(?:\.0)?|\\{0,9}\"{2}|\[\]|\{\})\s?[,}])"
    r"(?:\\{0,9}\"?(?P<wait>\d[\w .:+-]{0,40})\\{0,9}\"?\s?[,}])?",
    re.IGNORECASE,
)
# The data of the only event, as which some refuse what is to be streamed (DashScope).
EVENT = re.compile(rb"\A(?:\s|\xef\xbb\xbf|(?!data)\w*:[^\n]*\n)*+(?:data: ?)++(\{[^\n]*)")


@dataclass(frozen=True)
class Report:
    """A failure's names (`error.code`, `error.type`) in small letters, and its reason in a line."""

    names: tuple[str, ...] = ()
    message: str = ""
    source: Any = field(default=None, repr=False)

    @property
    def status(self) -> int | None:
        """The HTTP status that one of the names is (`429`, `"502"`), if it is that of a failure."""
        codes = (int(name) for name in self.names if name.isascii() and name.isdecimal())
        return next((code for code in codes if 400 <= code <= 599), None)

    @cached_property
    def wait_field(self) -> re.Match[str] | None:
        """What WAITS finds: a field that says when to try again."""
        try:
            return WAITS.search(json.dumps(self.source)[:READ_BYTES])
        except RecursionError:  # Nobody says it that deep.
            return None

    @property
    def wait(self) -> float | None:
        """How many seconds to wait before another try, as such a field says, or the reason."""
        field, words, seconds = self.wait_field, WAIT.search(self.message), None
        if field and field["wait"] and field["counts"] is None:
            seconds = seconds_in(field["wait"], 0.001 if field["fine"] else 1.0)
        return seconds_in(words["wait"]) if words and not seconds else seconds

    @property
    def is_note(self) -> bool:
        """Whether what it says may as well be about a reply, such as its title."""
        fields = self.source if isinstance(self.source, dict) else {"message": self.source}
        return not report_of({name: fields[name] for name in fields if name not in NOTES}).message


def error_field_of(value: Any) -> Any:
    """The `error` of an answer or an event, which counts whatever else there is; else None."""
    error = value_at(value, "error") or value_at(value, 0, "error")  # Gemini's is in a list.
    is_blank = isinstance(error, dict) and not any(error.values())  # Some gateways' in each event.
    return None if is_blank else error or None


def report_of(value: Any) -> Report:
    """What a JSON value, such as an `error`, says of a failure. Linear in its size."""
    names, message = _read(value, DEEPEST)
    return Report(names, " ".join(message[:READ_CHARACTERS].split()), value)


def report_in(body: bytes) -> Report:
    """What the body of a refusal says: JSON, alone or as an event's data, or a line of text."""
    event = EVENT.match(body)
    value = json_in(event[1] if event else body)
    text = body.strip(SPACE)
    if value is None and text[:1] not in (b"{", b"[") and text != b"null":
        value = text[: 4 * READ_CHARACTERS].decode(errors="ignore")
    return report_of(value)


def not_json(body: bytes) -> UpstreamMalformed:
    """The failure of an answer that is no object or list of JSON: the sentence names what came."""
    begins = body.lstrip(SPACE)[:1]
    if begins in (b"", b"{", b"["):
        return UpstreamMalformed()
    came, advice = "text", "name another model or host"
    if begins == b"<":
        came, advice = "a web page", "check the base URL"  # One without its `/v1` leads there.
    return UpstreamMalformed(f"The upstream sent {came} where JSON was asked for; {advice}.")


def _read(value: Any, depth: int) -> tuple[tuple[str, ...], str]:
    """The names and the reason, also of the JSON or the page that a gateway puts into a text."""
    if isinstance(value, str):
        begins = value.lstrip()[:1]
        inner = json_in(value.encode(errors="replace")) if depth and begins in ("{", "[") else None
        names, said = _read(inner, depth - 1)
        is_page = begins == "<" and re.search(r"</|<[!?]", value)
        is_no_reason = is_page or value.strip(" .!").lower() in FINE
        return (names, said) if names or said or is_no_reason else ((), value)
    if not depth or not isinstance(value, dict | list):
        return (), ""
    if isinstance(value, list):
        read = [_read(item, depth - 1) for item in value[:LISTED]]
        return next(iter(read), ((), ""))[0], "; ".join(filter(None, (text for _, text in read)))
    fields = value
    value = {name.lower().translate(PLAIN): fields[name] for name in reversed(fields)}
    # With a reason beside it, a short `error` only names the failure.
    is_name = isinstance(value.get("error"), str | int) and any(map(value.get, SENTENCES))
    found = map(value.get, (*NAMES, "error") if is_name else NAMES)
    own = tuple(str(name)[:100].lower() for name in found if name and isinstance(name, str | int))
    for key in REASONS[1:] if is_name else REASONS:
        others, message = _read(value.get(key), depth - 1)
        if message or others:
            quoted_names, quoted = _read(None if key == "details" else _quoted(value), depth - 1)
            told = dict.fromkeys(filter(None, (_placed(value, message), quoted)))
            return own + others + quoted_names, ": ".join(told)
    # Validators name each field, with a list of what is wrong with it.
    lists = [item for item in fields.items() if depth < DEEPEST and isinstance(item[1], list)]
    wrong = {field[:100]: _read(each, depth - 1)[1] for field, each in lists[:LISTED]}
    return own, "; ".join(f"{field}: {said}" for field, said in wrong.items() if said)


def _quoted(value: dict[str, Any]) -> Any:
    """What the host behind a gateway said, where the gateway's own words do not repeat it."""
    raw = value_at(value, "metadata", "raw")  # OpenRouter's
    details = value.get("details")  # Pollinations'. Gemini's is a list of links, whatever happened.
    if isinstance(details, str):
        details = json_in(details.encode(errors="replace"))
    return raw or (details if isinstance(details, dict) else None)


def _placed(value: dict[str, Any], message: str) -> str:
    """The reason, and before it the field that it is about: FastAPI's `loc`, Zod's `path`."""
    place = value.get("loc") or value.get("path")
    if not isinstance(place, list) or not message:
        return message
    steps = [str(step)[:100] for step in place[:LISTED] if step not in ("body", "query")]
    return f"{'.'.join(steps)}: {message}" if steps else message
