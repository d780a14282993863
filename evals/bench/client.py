"""A lean HTTP client, in a process of its own for load: bounded connections, kept open, requests encoded beforehand.

python -m evals.bench.client < job.json > outcome.json
"""

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Self, TypedDict

from domain.plain_json import JsonObject

Lane = list[tuple[str, JsonObject]]
"""What one connection posts, in order: path and body."""


class PostedLanes(TypedDict):
    """How it went."""

    began: float
    ended: float
    """Both by the machine's clock."""
    answers: dict[int, int]
    """How many had each status; as JSON the statuses are words."""
    cpu_s: float


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


class Connection:
    """One connection to the service, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Send an encoded request; the status and the body of its answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        return int(head[9:12]), await self._reader.readexactly(length)

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


def encoded(path: str, body: JsonObject | None = None, method: str = "POST") -> bytes:
    """A request with a JSON body."""
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


async def post_all(port: int, lanes: list[Lane]) -> PostedLanes:
    """Post what is in each lane in its order, a connection for each lane; when it began and ended, and the answers."""
    prepared = [[encoded(path, body) for path, body in lane] for lane in lanes]
    connections = [await Connection.open(port) for _ in lanes]
    answers: Counter[int] = Counter()

    async def run(connection: Connection, requests: list[bytes]) -> None:
        for request in requests:
            status, _ = await connection.send(request)
            answers[status] += 1

    began = time.time()
    await asyncio.gather(*(run(*pair) for pair in zip(connections, prepared, strict=True)))
    ended = time.time()
    for connection in connections:
        await connection.close()
    return {"began": began, "ended": ended, "answers": dict(answers), "cpu_s": time.process_time()}


async def post_from_outside(port: int, lanes: list[Lane]) -> PostedLanes:
    """The same in a process of its own, so that the client's work is not the service's.

    Raises:
        RuntimeError: an answer was not 2xx, or the process failed.
    """
    process = await asyncio.create_subprocess_exec(
        *python("evals.bench.client"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(json.dumps({"port": port, "lanes": lanes}).encode())
    if process.returncode or not output:
        raise RuntimeError(f"the client failed ({process.returncode})")
    outcome: PostedLanes = json.loads(output)
    if any(not str(status).startswith("2") for status in outcome["answers"]):
        raise RuntimeError(f"the client was refused, answers: {outcome['answers']}")
    return outcome


def lanes_of(stories: dict[str, list[JsonObject]], count: int) -> list[Lane]:
    """The events of many buildings over `count` connections: a building's all on one, and the buildings in turn."""
    lanes: list[Lane] = [[] for _ in range(min(count, len(stories)))]
    longest = max(map(len, stories.values()))
    for number in range(longest):
        for place, (building_id, events) in enumerate(stories.items()):
            if number < len(events):
                lanes[place % len(lanes)].append((f"/buildings/{building_id}/events", events[number]))
    return lanes


if __name__ == "__main__":
    job = json.load(sys.stdin)
    sys.stdout.write(json.dumps(asyncio.run(post_all(job["port"], job["lanes"]))))
