# SPDX-License-Identifier: MIT
"""What a program with OpenAI's own client does. Arguments: base address, token,
folder. Prints a JSON object of what it saw."""
import asyncio
import json
import os
import sys

import openai

base, token, folder = sys.argv[1:]
client = openai.OpenAI(base_url=base, api_key=token, max_retries=0)
seen = {}
TEXT = "Hello there. This is your computer."


def path(name):
    return os.path.join(folder, name)


# The example of their documentation.
with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="coral", input=TEXT,
        instructions="Speak in a cheerful tone.", extra_body={"seed": 5}) as response:
    response.stream_to_file(path("openai.mp3"))
client.audio.speech.create(model="tts-1", voice="alloy", input=TEXT, response_format="wav",
                           speed=2.0).write_to_file(path("openai.wav"))

with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=TEXT, response_format="pcm",
        stream_format="sse") as response:
    seen["sse"] = response.headers["content-type"]
    events = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: ")]
    seen["events"] = [e["type"] for e in events]
    seen["usage"] = events[-1].get("usage")


async def several():
    """As a web application does: many at a time, none refused for ever."""
    many = openai.AsyncOpenAI(base_url=base, api_key=token, max_retries=8)
    answers = await asyncio.gather(*(
        many.audio.speech.create(model="tts-1", voice="alloy", input="One.",
                                 response_format="pcm") for _ in range(6)))
    return [len(a.content) for a in answers]


seen["several"] = asyncio.run(several())
seen["models"] = [m.id for m in client.models.list()]

# Names of models as their documentation lists them, with dates.
seen["dated"] = [len(client.audio.speech.create(
    model=name, voice="alloy", input="One.", response_format="pcm").content)
    for name in ("gpt-4o-mini-tts-2025-12-15", "gpt-4o-mini-tts-2025-03-20", "tts-1-1106",
                 "tts-1-hd-1106")]
seen["model_ids"] = [client.models.retrieve(name).id for name in (
    "tts-1", "gpt-4o-mini-tts-2025-12-15", seen["models"][0])]
try:
    client.models.retrieve("gpt-9")
except openai.APIStatusError as e:
    seen["no_model"] = [type(e).__name__, e.code]
    failed = e.request_id
seen["request_ids"] = [client.models.list()._request_id, failed, client.audio.speech.create(
    model="tts-1", voice="alloy", input="a").response.headers.get("x-request-id")]

for name, wrong in (("voice", {"voice": "nobody"}), ("model", {"model": "gpt-9"}),
                    ("format", {"response_format": "midi"}), ("empty", {"input": ""})):
    try:
        client.audio.speech.create(**{"model": "tts-1", "voice": "alloy", "input": "a", **wrong})
        seen[name] = None
    except openai.APIStatusError as e:
        seen[name] = [type(e).__name__, e.code, e.param]
try:
    openai.OpenAI(base_url=base, api_key="wrong").models.list()
except openai.APIStatusError as e:
    seen["token"] = [type(e).__name__, e.code]
print(json.dumps(seen))
