"""Everything that can go wrong, as one tree.

An error's name is its code, and its docstring the sentence that callers read.

ParleyError
├── StartRefused                never reaches a caller: the service does not start
└── ConversationError           has a code, a status and a sentence for the caller
    ├── RequestError            400: the request cannot be used
    │   ├── ApiKeyMissing       401
    │   ├── BaseUrlRefused
    │   ├── RequestMalformed
    │   │   ├── CallerGone
    │   │   └── RequestBroken
    │   ├── HeadersTooLarge     431
    │   ├── UploadTimeout
    │   ├── AudioMissing, AudioEmpty, AudioTooLarge, AudioUnsupported
    │   ├── OptionInvalid
    │   ├── Overloaded          503
    │   ├── NotFound            404
    │   └── MethodNotAllowed    405
    ├── InternalError           500: ours
    └── UpstreamError           500: the upstream failed us
        ├── ApiKeyRejected      401
        ├── UpstreamRejected    400
        │   └── ModelNotFound
        ├── NoSpeech            206
        ├── RateLimited
        ├── QuotaExhausted
        ├── UpstreamUnavailable
        ├── UpstreamTimeout
        ├── DeadlineExceeded
        ├── UpstreamMalformed
        ├── TextIncomplete      206
        └── TextTruncated       206
"""

import re

REFUSAL = "parley.refusal"
"""Where a server puts, in the WSGI environment, the error that the whole app is to answer with."""


class ParleyError(Exception):
    """The root: whatever Parley itself raises."""


class StartRefused(ParleyError):
    """A setting or a file makes the start impossible; its text names what to mend."""


class ConversationError(ParleyError):
    """What a caller is told: one sentence of what happened and what to do about it."""

    code: str
    status: int
    sentence: str
    stage: str = "request"
    retry: bool = False
    """Whether the same call may work when it is tried again at once."""

    def __init_subclass__(cls) -> None:
        cls.code = vars(cls).get("code") or re.sub(r"\B(?=[A-Z])", "_", cls.__name__).lower()
        cls.sentence = " ".join((cls.__doc__ or cls.code).split())

    def __init__(
        self,
        message: str = "",
        *,
        upstream_status: int | None = None,
        upstream_request_id: str | None = None,
        retry_after: float | None = None,
        retry: bool | None = None,
    ) -> None:
        """Say `message`, or the class's own sentence; `retry_after` is in seconds."""
        self.message = message or self.sentence
        self.upstream_status = upstream_status
        self.upstream_request_id = upstream_request_id
        self.retry_after = retry_after
        self.retry = self.retry if retry is None else retry
        super().__init__(self.message)


class RequestError(ConversationError):
    """The request cannot be used; no stage was begun."""

    status = 400


class ApiKeyMissing(RequestError):
    """Send your API key, in visible ASCII, as X-OpenAI-API-Key or Authorization: Bearer KEY."""

    status = 401


class BaseUrlRefused(RequestError):
    """The service may not call the base URL in X-OpenAI-Base-URL; name an allowed one."""


class RequestMalformed(RequestError):
    """Send one multipart/form-data body with the recording in the field 'audio'."""


class CallerGone(RequestMalformed):
    """The connection was closed before the answer was ready; keep it open until then."""

    code = "request_malformed"


class RequestBroken(RequestMalformed):
    """The request is no HTTP that can be read; let an HTTP client write its line and headers."""

    code = "request_malformed"


class HeadersTooLarge(RequestError):
    """Send at most 100 headers of 8,190 bytes each and 32 kB in all, and as short a first line."""

    status = 431


class UploadTimeout(RequestError):
    """The upload stopped arriving or took too long; send it again, or a shorter one."""


class AudioMissing(RequestError):
    """Send the recording as a file in the form field 'audio'."""


class AudioEmpty(RequestError):
    """The file in 'audio' is empty; send a recording."""


class AudioTooLarge(RequestError):
    """Send at most 25 MB (26,214,400 bytes) of audio."""


class AudioUnsupported(RequestError):
    """The bytes in 'audio' are of no supported kind; send mp3, mp4, m4a, wav or webm."""


class OptionInvalid(RequestError):
    """Send each model field as one line of text of at most 200 characters."""


class Overloaded(RequestError):
    """Every place is taken, and nothing was begun; wait as Retry-After says, then try again."""

    status = 503


class NotFound(RequestError):
    """There is nothing at this address; a conversation is POST /api/conversation/."""

    status = 404


class MethodNotAllowed(RequestError):
    """The address does not take this method; use one that the Allow header names."""

    status = 405


class InternalError(ConversationError):
    """The service failed at something that is its own fault; try again, then report it."""

    status = 500


class UpstreamError(ConversationError):
    """A stage failed: the status holds while nothing is transcribed, and is 206 from then on."""

    status = 500


class ApiKeyRejected(UpstreamError):
    """The upstream refused the API key; check the key and what it may use."""

    status = 401


class UpstreamRejected(UpstreamError):
    """The upstream refused the request; check the recording and the model names."""

    status = 400


class ModelNotFound(UpstreamRejected):
    """The upstream does not know the model, or what it is used for; name another one."""

    code = "upstream_rejected"


class NoSpeech(UpstreamError):
    """No speech was recognised in the recording; speak closer to the microphone."""

    status = 206


class RateLimited(UpstreamError):
    """The upstream limits how often this key may call; wait, then try again."""


class QuotaExhausted(UpstreamError):
    """The key's account at the upstream has no credit left; check its plan and billing."""


class UpstreamUnavailable(UpstreamError):
    """The upstream could not be reached or failed; try again in a moment."""

    retry = True


class UpstreamTimeout(UpstreamError):
    """The upstream took too long; try again in a moment."""


class DeadlineExceeded(UpstreamError):
    """The upstream did not finish in the time that a conversation may take; try again."""


class UpstreamMalformed(UpstreamError):
    """The upstream's answer could not be used; try again, or name another model."""


class TextIncomplete(UpstreamError):
    """The model ended its reply early, at a limit or a filter; ask for a shorter or another one."""

    status = 206


class TextTruncated(UpstreamError):
    """The reply was longer than speech takes, so its end was not spoken; ask for a shorter one."""

    status = 206
