"""Conversations by a form, and what every answer of theirs holds."""

from collections.abc import Mapping

from flask.testing import FlaskClient
from urllib3 import encode_multipart_formdata
from werkzeug.test import TestResponse

from testing.builders import KEY, wav

BASE = "https://api.openai.com/v1"
STT, TEXT, TTS = f"{BASE}/audio/transcriptions", f"{BASE}/chat/completions", f"{BASE}/audio/speech"
PATH = "/api/conversation/"
SIX_KEYS = ["transcript", "text_response", "audio", "models_used", "success", "errors"]
DEFAULTS = {"stt": "whisper-1", "text": "gpt-4o", "tts": "tts-1"}
MAIN = {"X-OpenAI-API-Key": KEY}


def post(
    client: FlaskClient, path: str = PATH, headers: Mapping[str, str] = MAIN, **fields: object
) -> TestResponse:
    """Send `fields` as a form: bytes become a file, and each item of a list a field."""
    form = [
        (name, ("blob", item) if isinstance(item, bytes) else item)
        for name, value in fields.items()
        for item in (value if isinstance(value, list) else [value])
    ]
    body, content_type = encode_multipart_formdata(form)
    with client.post(
        path, data=body, headers={"Content-Type": content_type, **headers}
    ) as response:
        assert response.data is not None  # It is read to its end.
    return response


def converse(
    client: FlaskClient, headers: Mapping[str, str] = MAIN, **fields: object
) -> TestResponse:
    """A conversation with a recording, under these headers."""
    return post(client, headers=headers, **{"audio": wav(), **fields})


def refused(client: FlaskClient, headers: Mapping[str, str] = MAIN) -> tuple[int, str, str]:
    """The status, code and message of a request that holds nothing but headers."""
    with client.post(PATH, headers=headers) as answer:
        [error] = answer.json["errors"]
        return answer.status_code, error["code"], error["message"]


def check(
    response: TestResponse, status: int, code: str | None, stage: str = "request"
) -> dict[str, object]:
    """The six keys with their types, in order, and the headers that every answer has."""
    answer = response.get_json()
    assert list(answer) == SIX_KEYS
    assert [type(answer[key]) for key in SIX_KEYS] == [str, str, str, dict, bool, list]
    assert response.status_code == status
    assert answer["success"] is (status == 200)
    told = [(error["code"], error["stage"]) for error in answer["errors"]]
    assert told == ([(code, stage)] if code else [])
    assert response.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in response.headers) is (status == 401)
    assert KEY not in response.text
    return answer
