"""All that can go wrong, and what callers read of it. Code and status hold for subclasses, too."""


class HeldTooLong(BaseException):
    """A conversation used a second of processor time. No `except Exception` swallows it."""


ANY_ERROR = (Exception, HeldTooLong)  # An InternalError, unless it is a ConversationError.


class ConfigurationError(Exception):
    """The service cannot start; the text names the setting or the file to correct."""


class ConversationError(Exception):
    """A failure that the caller is told: its message says what happened and what to do."""

    code = ""
    status = 500
    message = ""
    stage = "request"
    retry = False  # Whether the same call may succeed if it is tried again at once.
    upstream_status: int | None = None  # Of the answer that the failure came with, as its id.
    upstream_request_id: str | None = None

    def __init_subclass__(cls, *, code: str = "", status: int = 0) -> None:
        """A kind of failure, with a code or a status of its own unless it has its parent's."""
        cls.code, cls.status = code or cls.code, status or cls.status

    def __init__(
        self, message: str = "", *, retry: bool | None = None, retry_after: float | None = None
    ) -> None:
        """Use `message`, or else the class's own; `retry_after` is in seconds."""
        self.message = message or self.message
        self.retry = self.retry if retry is None else retry
        self.retry_after = retry_after
        super().__init__(self.message)


class RequestError(ConversationError, status=400):
    """The request cannot be used, whether that is found before the stages or in one of them."""


class ApiKeyMissing(RequestError, code="api_key_missing", status=401):
    message = "Send an API key in visible ASCII, as X-OpenAI-API-Key or Authorization: Bearer KEY."


class TokenRejected(RequestError, code="api_key_rejected", status=401):
    message = "This service does not know the token; ask its operator for a valid one."


class BaseUrlRefused(RequestError, code="base_url_refused"):
    message = "The service may not call the base URL; name a public https host or ask its operator."


class RequestMalformed(RequestError, code="request_malformed"):
    message = "Send the recording as 'audio' in one form whose Content-Type is multipart/form-data."


class CallerDisconnected(RequestMalformed):
    message = "The connection was closed before the answer was ready; keep it open until then."


class HeadersTooLarge(RequestError, code="headers_too_large", status=431):
    message = "Send at most 100 headers, 8,190 bytes in each and in the first line, 32 kB in all."


class UploadTimeout(RequestError, code="upload_timeout"):
    message = "The upload stopped or took too long; send it again, or send a shorter one."


class AudioMissing(RequestError, code="audio_missing"):
    message = "Send the recording as the file 'audio', as curl -F audio=@speech.wav does."


class AudioEmpty(RequestError, code="audio_empty"):
    message = "The file in 'audio' is empty; send a recording."


class AudioTooLarge(RequestError, code="audio_too_large"):
    message = "Send at most 25 MB (26,214,400 bytes) of audio."


class AudioUnsupported(RequestError, code="audio_unsupported"):
    message = "Send a whole mp3, mp4, mpeg, m4a, wav or webm as the file in 'audio', not in Base64."


class OptionInvalid(RequestError, code="option_invalid"):
    message = "Send each option as API_DOCS.md describes it, or leave it out."


class Overloaded(RequestError, code="overloaded", status=503):
    message = "The service is full and nothing was begun; wait as Retry-After says, then try again."


class NotFound(RequestError, code="not_found", status=404):
    message = "There is nothing at this address; a conversation is POST /api/conversation/."


class MethodNotAllowed(RequestError, code="method_not_allowed", status=405):
    message = "This address does not accept the method; use one that the Allow header names."


class InternalError(ConversationError, code="internal_error"):
    message = "The service failed because of an error of its own; try again, then report it."


class UpstreamError(ConversationError):
    """A stage failed. The status holds until there is a transcript; from then on it is 206."""


class ApiKeyRejected(UpstreamError, code="api_key_rejected", status=401):
    message = "The upstream refused the API key; check the key and what it may use."


class Forbidden(ApiKeyRejected):  # For want of a permission, of credit (xAI), or of a country.
    message = "The upstream does not allow this; check what the key may use, and from where."


class StageKeyMissing(UpstreamError, code="api_key_missing", status=401):
    message = "The upstream wants an API key, and none was sent; send one."


class UpstreamRejected(UpstreamError, code="upstream_rejected", status=400):
    message = "The upstream refused the request; check base URL, model names and recording."


class ModelNotFound(UpstreamRejected):
    message = "The upstream does not know the model, or not for this purpose; name another one."


class NoSpeech(UpstreamError, code="no_speech", status=206):
    message = "No speech was recognised in the recording; speak closer to the microphone."


class RateLimited(UpstreamError, code="rate_limited"):
    message = "The upstream allows no more calls at the moment; wait, then try again."


class QuotaExhausted(UpstreamError, code="quota_exhausted"):
    message = "The key's account at the upstream has no credit left; check its plan and billing."


class UpstreamUnavailable(UpstreamError, code="upstream_unavailable"):
    message = "The upstream could not be reached or failed; try again in a moment."
    retry = True


class StaleConnection(UpstreamUnavailable):
    """A connection that was used before was closed while the request was on its way."""


class UpstreamTimeout(UpstreamError, code="upstream_timeout"):
    message = "The upstream took too long; try again in a moment."


class DeadlineExceeded(UpstreamError, code="deadline_exceeded"):
    message = "The upstream did not finish in the time that a conversation may take; try again."


class UpstreamMalformed(UpstreamError, code="upstream_malformed"):
    message = "The upstream's answer could not be used; try again, or name another model."


class ThoughtsAlone(UpstreamMalformed):
    message = "The model wrote its thoughts and no reply; try again, or name another model."


class TextIncomplete(UpstreamError, code="text_incomplete", status=206):
    message = "The model ended its reply early, at a limit or a filter; ask for a shorter one."


class TextTruncated(UpstreamError, code="text_truncated", status=206):
    message = "The reply was longer than speech takes, so its end was not spoken; ask for less."


class Interrupted(UpstreamError, code="interrupted", status=206):
    message = "The service was stopped while it answered; send the recording again."
