"""The same chain written on OpenAI's official SDK, to measure the service against."""

import base64

import openai
from flask import Flask, jsonify, request

app = Flask(__name__)
client = openai.OpenAI(api_key="replaced")


@app.post("/api/conversation/")
def converse():
    """Hear, think, speak."""
    caller = client.with_options(api_key=request.headers["X-OpenAI-API-Key"])
    audio = request.files["audio"]
    heard = caller.audio.transcriptions.create(
        model="whisper-1", file=("audio.wav", audio.stream, "audio/wav")
    )
    message = {"role": "user", "content": heard.text}
    reply = caller.chat.completions.create(model="gpt-4o", messages=[message])
    text = reply.choices[0].message.content
    speech = caller.audio.speech.create(model="tts-1", voice="alloy", input=text)
    audio = base64.b64encode(speech.content).decode()
    return jsonify(transcript=heard.text, text_response=text, audio=audio)
