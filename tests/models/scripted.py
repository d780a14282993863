"""A model's server that answers as it is told: a real HTTP server on a port of this machine."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from runtime.settings import Settings


@dataclass
class Answer:
    """One response: its body, when it comes, and how."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0.0


Script = Callable[[dict[str, Any]], Answer]


def completion(content: str | None, *, finish: str = "stop", refusal: str | None = None, tokens: int = 20) -> Answer:
    """A chat completion with this content."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    choices = [{"index": 0, "message": message, "finish_reason": finish}]
    return whole(choices, tokens)


def whole(choices: list[dict[str, Any]], tokens: int = 20) -> Answer:
    usage = {"prompt_tokens": 100, "completion_tokens": tokens, "total_tokens": 100 + tokens}
    made = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, "usage": usage}
    return Answer(json.dumps(made).encode())


@dataclass
class ScriptedServer:
    """Answers by model name; keeps what it was asked."""

    scripts: dict[str, Script] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                scripted.asked.append(request)
                answer = scripted.scripts[request["model"]](request)
                scripted.released.wait(answer.after_s)
                try:
                    self.send_response(answer.status)
                    for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(answer.body)))
                    self.end_headers()
                    self.wfile.write(answer.body)
                except OSError:
                    pass  # whoever asked did not wait for the answer

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def settings(self, *models: str, **more: Any) -> Settings:
        url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        return Settings(models=list(models), openai_base_url=url, **{"model_timeout": 20.0, **more})

    def says(self, model: str, value: Any) -> None:
        """The model always answers this."""
        self.scripts[model] = lambda _: completion(value if isinstance(value, str) else json.dumps(value))

    def asked_of(self, model: str) -> int:
        return sum(request["model"] == model for request in self.asked)

    def wait_for(self, number: int, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while len(self.asked) < number and time.monotonic() < end:
            time.sleep(0.01)
        assert len(self.asked) >= number, f"{len(self.asked)} of {number} calls came in"

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
