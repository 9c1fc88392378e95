"""CONVERSATION: speech in, a spoken answer out."""

from dataclasses import replace

from flask import Blueprint, Response, g, request
from marshmallow import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from parley.conversation.chain import converse as hold_conversation
from parley.conversation.state import Conversation
from parley.errors import AudioTooLarge
from parley.web.app import services
from parley.web.error_handlers import answer, to_error
from parley.web.forms import caller_waits, fields_of
from parley.web.schemas import ConversationRequestSchema, ConversationSchema
from parley.web.speech_json import json_with_speech
from parley.web.statuses import status_of

bp = Blueprint("conversation", __name__, url_prefix="/api/conversation")

request_schema = ConversationRequestSchema()
answer_schema = ConversationSchema()


# Without its slash, since Werkzeug answers a wrong method at the other spelling with 404 otherwise.
@bp.post("")
def converse() -> Response:
    """Hear the recording, think of a reply, speak it."""
    upstream = services().upstream_for(request.headers)
    form = request_schema.load(fields_of(request, request_schema.fields))
    models = services().models_for(form, request.headers)
    client = services().client(upstream)
    return dump(hold_conversation(client, form["audio"], models, caller_waits(request)))


@bp.errorhandler(Exception)
def refuse(exception: Exception) -> Response:
    """Answer what cannot be used with all six keys, too."""
    valid = exception.valid_data if isinstance(exception, ValidationError) else None
    models = services().models_for(valid if isinstance(valid, dict) else {}, request.headers)
    return dump(Conversation(models.by_stage(), failure=to_error(exception)))


@bp.errorhandler(RequestEntityTooLarge)
def refuse_size(exception: RequestEntityTooLarge) -> Response:
    """Answer 400, not 413: no request of this size could hold an allowed file."""
    return refuse(AudioTooLarge())


def dump(talk: Conversation) -> Response:
    """The conversation as it is answered, and told of in the log."""
    g.conversation = talk
    body = answer_schema.dump(replace(talk, speech=b""))
    return answer(json_with_speech(body, talk.speech), status_of(talk), talk.failure)
