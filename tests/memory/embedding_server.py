"""An OpenAI-compatible server of embeddings for tests: words that mean the same have the same vector."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DIMS = 4
MEANINGS = (("crane", "hoist", "lifting"), ("door", "gate", "entrance"), ("late", "delay", "overdue"))


@dataclass
class Server:
    """`works` False: it answers 500; `dims` other than four: as another model would."""

    port: int = 0
    works: bool = True
    dims: int = DIMS
    asked: int = 0


def vector(text: str, dims: int) -> list[float]:
    words = text.casefold()
    found = [float(any(word in words for word in meaning)) for meaning in MEANINGS]
    return ([*found, 0.1] + [0.0] * dims)[:dims]


@contextmanager
def embedding() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.asked += 1
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            data = [
                {"object": "embedding", "index": n, "embedding": vector(text, state.dims)}
                for n, text in enumerate(asked["input"])
            ]
            usage = {"prompt_tokens": 1, "total_tokens": 1}
            body = json.dumps({"object": "list", "data": data, "model": asked["model"], "usage": usage}).encode()
            self.send_response(200 if state.works else 500)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
