"""A conversation as sound alone: the speech as it arrives, and everything else in headers."""

import re
import time
from collections.abc import Generator, Iterator
from functools import partial
from urllib.parse import quote, unquote

from flask import Response, current_app, request

from parley.conversation.stages import Stages
from parley.errors import ConversationError
from parley.upstream.speech_formats import AUDIO_FORMATS
from parley.web.answers import status_of
from parley.web.serving.connection_limits import CallerConnection, connection_of, end_of_streams

percent_encoded = partial(quote, safe="!'()*")  # As `encodeURIComponent` does.
ELLIPSIS = quote("…")
TRANSCRIPT_BYTES, REPLY_BYTES, VOICE_BYTES = 1000, 2000, 1000  # The longest headers of texts.
SOUND_HEADERS = ("X-Transcript", "X-Text-Response", "X-Models-Used", "X-Errors", "X-Voice")


def sound_answer(stages: Stages, pieces: Generator[bytes]) -> Response:
    """The speech's file as the body; it has begun to arrive, or there is nothing to say."""
    conversation = stages.conversation
    media_type = AUDIO_FORMATS[stages.client.options.audio_format]
    written = _written(stages, pieces, connection_of(request))
    response = current_app.response_class(written, mimetype=media_type)
    response.call_on_close(pieces.close)  # Also where nobody asks for a piece.
    response.status_code = status_of(conversation)
    response.headers["X-Transcript"] = header_text(conversation.transcript, TRANSCRIPT_BYTES)
    response.headers["X-Text-Response"] = header_text(conversation.reply, REPLY_BYTES)
    used = (f"{stage}={model.name}" for stage, model in conversation.models_used.items())
    response.headers["X-Models-Used"] = ", ".join(used)
    if conversation.failure:
        response.headers["X-Errors"] = conversation.failure.code
    add_voice(response, stages)
    return response


def add_voice(response: Response, stages: Stages) -> None:
    """Add the header X-Voice, which says which voice spoke."""
    response.headers["X-Voice"] = header_text(stages.client.voice, VOICE_BYTES)


def _written(
    stages: Stages, pieces: Generator[bytes], connection: CallerConnection | None
) -> Iterator[bytes]:
    """The pieces; a failure breaks the body, and is not raised: gunicorn would log its text."""
    # Speech that begins past that moment may still arrive whole before the process is killed.
    may_be_ended = time.monotonic() < end_of_streams.moment
    try:
        with stages.stage("tts"):
            while piece := stages.next_piece(pieces):
                yield piece
                if may_be_ended:
                    end_of_streams.require_time()
    except ConversationError as failure:
        stages.conversation.note(failure)
        if connection:
            connection.disconnect()


def header_text(text: str, limit: int) -> str:
    """The text, percent-encoded, with an ellipsis where it is cut."""
    whole = percent_encoded(text[: limit + 1])  # A character takes one byte or more.
    if len(whole) <= limit:
        return whole
    cut = re.sub("%.?$", "", whole[: limit - len(ELLIPSIS)])
    return percent_encoded(unquote(cut, errors="ignore")) + ELLIPSIS  # Half a character is ignored.
