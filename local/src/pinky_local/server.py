"""Sockets and threads: one thread accepts, one thread per connection reads requests and writes answers."""

from __future__ import annotations

import logging
import socket
import struct
import threading
from collections.abc import Callable

from pinky_local.http11 import BadRequestError, Request, Response, close_quietly, read_request

_logger = logging.getLogger("pinky_local")
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close() sends RST, as a broken network path does

Handler = Callable[[Request], Response]


class HttpServer:
    """A threaded HTTP/1.1 server on the loopback interface. ``port`` 0 takes a free one."""

    def __init__(self, handler: Handler, port: int = 0, host: str = "127.0.0.1") -> None:
        self._handler = handler
        self._listener = socket.create_server((host, port), backlog=128)
        self.host, self.port = self._listener.getsockname()[:2]
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopping = False
        #: What broke while a request was answered; a test should find this empty.
        self.failures: list[Exception] = []
        self._accepting = threading.Thread(target=self._accept, name="pinky-local-accept", daemon=True)

    def start(self) -> None:
        """Begin to accept connections."""
        self._accepting.start()

    def stop(self) -> None:
        """Stop accepting, close every connection and wait for their threads. May be called once."""
        self._stopping = True
        if self._accepting.is_alive():
            # accept() does not return when its socket is closed by another thread; a connection wakes it everywhere.
            with socket.create_connection((self.host, self.port), timeout=5):
                self._accepting.join()
        self._listener.close()
        with self._lock:
            open_now = list(self._connections.items())
        for connection, _ in open_now:
            close_quietly(connection)
        for _, thread in open_now:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                if self._stopping:
                    return
                _logger.exception("accept failed")
                continue
            if self._stopping:
                close_quietly(connection)
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(
                target=self._serve, args=(connection,), name="pinky-local-connection", daemon=True
            )
            with self._lock:
                self._connections[connection] = thread
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection.makefile("rb") as stream:
                while not self._stopping:
                    request = read_request(stream)
                    if request is None or not self._answer(connection, request):
                        return
        except BadRequestError as error:
            _send(connection, Response(str(error).encode(), error.status).encoded(keep_alive=False))
        except OSError:
            _logger.debug("a client closed its connection", exc_info=True)
        except Exception as failure:
            _logger.exception("a request failed inside the local account")
            self.failures.append(failure)
            _send(connection, Response(status=500).encoded(keep_alive=False))
        finally:
            close_quietly(connection)
            with self._lock:
                self._connections.pop(connection, None)

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        """Answer a request; whether the connection stays open."""
        response = self._handler(request)
        if response.drop:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            return False
        connection.sendall(response.encoded(keep_alive=request.keep_alive))
        return request.keep_alive


def _send(connection: socket.socket, answer: bytes) -> None:
    try:
        connection.sendall(answer)
    except OSError:
        _logger.debug("a client did not wait for its answer", exc_info=True)
