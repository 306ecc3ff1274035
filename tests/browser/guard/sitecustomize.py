"""Loaded by every Python process of the server under test: an outside connection is refused and written down."""

import os
import socket

_LOCAL = ("127.", "::1", "localhost", "0.0.0.0")
_connect, _connect_ex, _getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


def _tell(what: object) -> None:
    with open(os.environ["BIOLOOM_GUARD_FILE"], "a", encoding="utf-8") as file:
        file.write(f"{what}\n")


def _is_local(address: object) -> bool:
    return not isinstance(address, tuple) or str(address[0]).startswith(_LOCAL)


def _guarded(original):  # type: ignore[no-untyped-def]
    def connect(self, address):  # type: ignore[no-untyped-def]
        if not _is_local(address):
            _tell(address)
            raise OSError("outside connections are blocked in this test")
        return original(self, address)

    return connect


def _resolve(host, *args, **kwargs):  # type: ignore[no-untyped-def]
    if host is not None and not str(host).startswith(_LOCAL):
        _tell(f"name {host}")
        raise socket.gaierror("names are not resolved in this test")
    return _getaddrinfo(host, *args, **kwargs)


socket.socket.connect = _guarded(_connect)
socket.socket.connect_ex = _guarded(_connect_ex)
socket.getaddrinfo = _resolve
