# SPDX-License-Identifier: MIT
"""What Home Assistant does, with its own package. Arguments: port, folder.
Prints a JSON object of what it saw."""
import asyncio
import json
import os
import sys
import wave

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.tts import (Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop,
                         SynthesizeStopped, SynthesizeVoice)

port, folder = int(sys.argv[1]), sys.argv[2]
TEXT = "Hello there. This is your computer."
SSML = ('<speak><p>Hello there.</p><break time="3s"/><prosody rate="x-fast">This is your '
        '<sub alias="computer">PC</sub>.</prosody></speak>')
UNMARKED = "Hello there. This is your computer."
LONG = "This is a long text that goes on for quite a while. " * 3


async def answer(client, last=AudioStop):
    """The types of the events up to the last, the sound, and errors."""
    types, pcm, errors, rate = [], b"", [], 0
    while True:
        event = await asyncio.wait_for(client.read_event(), 120)
        assert event, f"the connection ended after {types}"
        if not types or types[-1] != event.type:
            types.append(event.type)
        if AudioStart.is_type(event.type):
            rate = AudioStart.from_event(event).rate
        elif AudioChunk.is_type(event.type):
            pcm += AudioChunk.from_event(event).audio
        elif Error.is_type(event.type):
            errors.append(Error.from_event(event).text)
        if last.is_type(event.type):
            return types, pcm, errors, rate


def save(name, pcm, rate):
    with wave.open(os.path.join(folder, name), "wb") as w:
        w.setparams((1, 2, rate, 0, "NONE", ""))
        w.writeframes(pcm)


async def main():
    seen = {}
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Ping(text="x").event())
        seen["pong"] = Pong.from_event(await client.read_event()).text
        await client.write_event(Describe().event())
        (program,) = Info.from_event(await client.read_event()).tts
        seen["voices"] = [[v.name, v.languages] for v in program.voices]
        seen["streaming"] = program.supports_synthesize_streaming
        voice = SynthesizeVoice(name=program.voices[0].name)

        await client.write_event(Synthesize(text=TEXT, voice=voice).event())
        types, pcm, errors, rate = await answer(client)
        seen["plain"] = [types, errors]
        save("plain.wav", pcm, rate)

        # As a language model writes: the first sentence is heard before the
        # last is there.
        await client.write_event(SynthesizeStart(voice=voice).event())
        first = None
        for word in LONG.split():
            await client.write_event(SynthesizeChunk(text=word + " ").event())
        event = await asyncio.wait_for(client.read_event(), 60)
        seen["begun"] = event.type
        await client.write_event(SynthesizeChunk(text="The end.").event())
        await client.write_event(Synthesize(text=LONG, voice=voice).event())
        await client.write_event(SynthesizeStop().event())
        types, pcm, errors, _ = await answer(client, SynthesizeStopped)
        seen["stream"] = [types, errors]
        seen["stream_seconds"] = len(pcm) / 48000

        await client.write_event(Synthesize(
            text=TEXT, voice=SynthesizeVoice(name="nobody")).event())
        seen["nobody"] = (await answer(client))[:3:2]

        # Read aloud, the tags would last much longer.
        for name, text in ("ssml", SSML), ("unmarked", UNMARKED):
            await client.write_event(Synthesize(
                text=text, text_format="ssml" if name == "ssml" else None).event())
            types, pcm, errors, rate = await answer(client)
            seen[name] = [types, errors, len(pcm) / 48000]
            save(name + ".wav", pcm, rate)
        await client.write_event(SynthesizeStart(text_format="ssml").event())
        for i in range(0, len(SSML), 7):
            await client.write_event(SynthesizeChunk(text=SSML[i:i + 7]).event())
        await client.write_event(SynthesizeStop().event())
        types, pcm, errors, _ = await answer(client, SynthesizeStopped)
        seen["ssml_stream"] = [types, errors, len(pcm) / 48000]

        await client.write_event(Synthesize(text="").event())
        seen["empty"] = (await answer(client))[0]
        # Not ours, with a payload that is not read.
        await client.write_event(Event("transcribe", {"x": 1}, b"\n{}" * 100000))
        await client.write_event(Synthesize(text="Still here.").event())
        types, pcm, errors, _ = await answer(client)
        seen["still"] = [types, errors, len(pcm) > 10000]

    async def one():
        async with AsyncTcpClient("127.0.0.1", port) as c:
            await c.write_event(Synthesize(text="One.").event())
            return len((await answer(c))[1])

    seen["several"] = await asyncio.gather(*(one() for _ in range(3)))
    print(json.dumps(seen))


asyncio.run(main())
