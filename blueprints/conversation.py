"""CONVERSATION: speech in, a spoken answer out."""

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed

from parley.conversation.stages import Conversation, Stages
from parley.deadline import Deadline
from parley.recordings import Recording
from parley.upstream.client import Client
from parley.web.admission import admit
from parley.web.answers import ConversationSchema, answer_exception, error_of, json_of
from parley.web.event_stream import event_stream
from parley.web.representations import JSON, SOUND, STREAM, asked_for
from parley.web.request_record import current_record
from parley.web.request_schema import form_of
from parley.web.services import services
from parley.web.serving.connection_limits import connection_check
from parley.web.serving.slots import SLOT
from parley.web.sound import add_voice, sound_answer
from parley.web.stage_routes import models_of

bp = Blueprint("conversation", __name__, url_prefix="/api/conversation")

answer_schema = ConversationSchema()


# The rule has no trailing slash: with one, Werkzeug answers a wrong method at the path without it
# with 404 instead of 405.
@bp.post("")
def converse() -> Response:
    """Hear the recording, think of a reply, speak it, in the representation that is accepted."""
    ours, record = services(), current_record()  # It has the routes that the headers name.
    upstreams = admit()
    form = form_of(request)
    representation, options = asked_for(form)
    models = models_of(form, record.routes, ours, ours.today())
    deadline = Deadline.after(ours.settings.deadline)  # The upload has arrived.
    usage = request.environ[SLOT].usage
    client = Client(ours.transport, upstreams, models, deadline, options, usage)
    stages = Stages(client, connection_check(request))
    record.conversation = stages.conversation
    return ANSWERS[representation](stages, form["audio"])


def answer_json(stages: Stages, recording: Recording) -> Response:
    """All of it at once, after three calls in sequence."""
    conversation = stages.converse(recording)
    response = json_of(conversation, answer_schema)
    if conversation.speech:
        add_voice(response, stages)
    return response


def answer_stream(stages: Stages, recording: Recording) -> Response:
    """Text and sound while they are made; a failure before there is a transcript is JSON."""
    conversation = stages.transcribe(recording)
    if conversation.failure:
        return json_of(conversation, answer_schema)
    return event_stream(stages)


def answer_sound(stages: Stages, recording: Recording) -> Response:
    """The speech alone, as it arrives; a failure with no speech is JSON."""
    pieces = stages.converse_in_sound(recording)
    if pieces is None:
        return json_of(stages.conversation, answer_schema)
    return sound_answer(stages, pieces)


ANSWERS = {JSON: answer_json, STREAM: answer_stream, SOUND: answer_sound}


@bp.errorhandler(Exception)
def answer_failure(exception: Exception) -> Response:
    """Answer with all six keys where the request cannot be used, too."""
    ours, record = services(), current_record()
    models = models_of(record.form, record.routes, ours, ours.today())
    record.conversation = failed = Conversation(models, failure=error_of(exception))
    return json_of(failed, answer_schema)


@bp.app_errorhandler(MethodNotAllowed)
def answer_wrong_method(exception: MethodNotAllowed) -> Response:
    """Answer a wrong method on the conversation's path with all six keys, and elsewhere as usual.

    Flask calls no blueprint's own handler here, since no route matched: its documentation advises
    to check the path ("Blueprint Error Handlers").
    """
    if request.path.removesuffix("/") == bp.url_prefix:
        return answer_failure(exception)
    return answer_exception(exception)
