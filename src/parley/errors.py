"""Everything that can go wrong, as one tree; each error knows its code, its status and what to do.

ParleyError
├── StartRefused                never reaches a caller: the service does not start
└── ConversationError           has a code, a status and a sentence for the caller
    ├── RequestError            400: the request cannot be used
    │   ├── ApiKeyMissing       401
    │   ├── BaseUrlRefused
    │   ├── RequestMalformed
    │   ├── AudioMissing, AudioEmpty, AudioTooLarge, AudioUnsupported
    │   ├── OptionInvalid
    │   ├── NotFound            404
    │   └── MethodNotAllowed    405
    ├── InternalError           500: ours
    └── UpstreamError           500: the upstream failed us
        ├── ApiKeyRejected      401
        ├── UpstreamRejected    400
        ├── NoSpeech            206
        ├── RateLimited
        ├── QuotaExhausted
        ├── UpstreamUnavailable
        ├── UpstreamTimeout
        ├── UpstreamMalformed
        └── TextTruncated       206
"""


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

    def __init__(
        self,
        message: str = "",
        *,
        upstream_status: int | None = None,
        upstream_request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Say `message`, or the class's own sentence; `retry_after` is in seconds."""
        self.message = message or self.sentence
        self.upstream_status = upstream_status
        self.upstream_request_id = upstream_request_id
        self.retry_after = retry_after
        super().__init__(self.message)


class RequestError(ConversationError):
    """The request cannot be used; no stage was begun."""

    status = 400


class ApiKeyMissing(RequestError):
    code = "api_key_missing"
    status = 401
    sentence = (
        "Send your API key in the header X-OpenAI-API-Key, or as Authorization: Bearer KEY, "
        "in visible ASCII characters."
    )


class BaseUrlRefused(RequestError):
    code = "base_url_refused"
    sentence = "This service may not call the base URL in X-OpenAI-Base-URL; name an allowed one."


class RequestMalformed(RequestError):
    code = "request_malformed"
    sentence = "Send one multipart/form-data body with the recording in the field 'audio'."


class AudioMissing(RequestError):
    code = "audio_missing"
    sentence = "Send the recording as a file in the form field 'audio'."


class AudioEmpty(RequestError):
    code = "audio_empty"
    sentence = "The file in 'audio' is empty; send a recording."


class AudioTooLarge(RequestError):
    code = "audio_too_large"
    sentence = "Send at most 25 MB (26,214,400 bytes) of audio."


class AudioUnsupported(RequestError):
    code = "audio_unsupported"
    sentence = "The bytes in 'audio' are of no supported kind; send mp3, mp4, m4a, wav or webm."


class OptionInvalid(RequestError):
    code = "option_invalid"
    sentence = "Send each model field as one line of text of at most 200 characters."


class NotFound(RequestError):
    code = "not_found"
    status = 404
    sentence = "There is nothing at this address; a conversation is POST /api/conversation/."


class MethodNotAllowed(RequestError):
    code = "method_not_allowed"
    status = 405
    sentence = "This address does not take this method; use one that the Allow header names."


class InternalError(ConversationError):
    code = "internal_error"
    status = 500
    sentence = "The service failed at something that is its own fault; try again, then report it."


class UpstreamError(ConversationError):
    """A stage failed: the status holds while nothing is transcribed, and is 206 from then on."""

    status = 500


class ApiKeyRejected(UpstreamError):
    code = "api_key_rejected"
    status = 401
    sentence = "The upstream refused the API key; check the key and what it may use."


class UpstreamRejected(UpstreamError):
    code = "upstream_rejected"
    status = 400
    sentence = "The upstream refused the request; check the recording and the model names."


class NoSpeech(UpstreamError):
    code = "no_speech"
    status = 206
    sentence = "No speech was recognised in the recording; speak closer to the microphone."


class RateLimited(UpstreamError):
    code = "rate_limited"
    sentence = "The upstream limits how often this key may call; wait, then try again."


class QuotaExhausted(UpstreamError):
    code = "quota_exhausted"
    sentence = "This key's account at the upstream has no credit left; check its plan and billing."


class UpstreamUnavailable(UpstreamError):
    code = "upstream_unavailable"
    sentence = "The upstream could not be reached or failed; try again in a moment."


class UpstreamTimeout(UpstreamError):
    code = "upstream_timeout"
    sentence = "The upstream took too long; try again in a moment."


class UpstreamMalformed(UpstreamError):
    code = "upstream_malformed"
    sentence = "The upstream's answer could not be used; try again, or name another model."


class TextTruncated(UpstreamError):
    code = "text_truncated"
    status = 206
    sentence = (
        "The reply is longer than the 4,096 characters that speech takes, so only its first "
        "sentences were spoken; ask for a shorter reply."
    )
