"""The receiver of everything that leaves: a real HTTP server that now and then refuses, or answers too late."""

import json
import threading
import time
from contextlib import suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import NotRequired, TypedDict

from evals.chaos.record import Received, Record

SECRET = "whsec_Y2hhb3Mgd2FudHMgYSBrZXkgb2YgMjQgYnl0ZXM="
REFUSES = 0.04
LATE = 0.01


class _Building(TypedDict):
    building_id: str


class _Order(TypedDict):
    number: str


class _Written(TypedDict):
    building: _Building
    recipient: NotRequired[str]
    subject: NotRequired[str]
    text: NotRequired[str]
    purchase_order: NotRequired[_Order | str | None]


class _Sent(TypedDict):
    """What the service posts: a message, or a purchase order."""

    type: str
    timestamp: str
    data: _Written


class Receiver:
    """Listens on an address of this machine; what comes in goes into the record."""

    def __init__(self, record: Record, chance: Random, *, address: str, late_s: float) -> None:
        receiver, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # whoever sent it was killed
                with lock:
                    luck = chance.random()
                    if luck >= REFUSES:
                        record.received.append(_received(self.path, self.headers, json.loads(body)))
                if REFUSES <= luck < REFUSES + LATE:
                    time.sleep(late_s)
                with suppress(OSError):  # nobody waits for the answer any more
                    self.send_response(503 if luck < REFUSES else 204)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_: str) -> None: ...

        self._server = ThreadingHTTPServer((address, 0), Handler)
        self._server.daemon_threads = True
        self.address = f"{address}:{self._server.server_address[1]}"
        threading.Thread(target=receiver._server.serve_forever, daemon=True).start()

    def settings(self) -> dict[str, str]:
        """What makes the service send here: every message, and every purchase order to the ERP as well."""
        everyone = {"*": {"webhook": f"http://{self.address}/everyone", "secret": SECRET}}
        return {
            "channels": json.dumps(everyone),
            "erp_webhook_url": f"http://{self.address}/erp",
            "erp_webhook_secret": SECRET,
        }

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _received(path: str, headers: Message, body: _Sent) -> Received:
    data = body["data"]
    order = data.get("purchase_order")
    number = order.get("number") if isinstance(order, dict) else order
    said = json.dumps([data.get("recipient"), data.get("subject"), data.get("text"), number])
    return Received(
        key=headers["Idempotency-Key"],
        webhook_id=headers["webhook-id"],
        type=body["type"],
        building=data["building"]["building_id"],
        written=f"{body['timestamp']} {said}",
        order=number if path == "/erp" else None,
    )
