"""Connections that lead only where they may, and end when they must."""

import ipaddress
import socket
import time
from collections.abc import Iterable
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

from dhu_graph.errors import RemoteFailure

_CARRIES_IPV4 = tuple(map(ipaddress.IPv6Network, ("::/96", "64:ff9b::/96", "64:ff9b:1::/48")))


def addresses(host: str, home: str | None) -> list[str]:
    """The addresses of a host. Raises RemoteFailure where one is private, unless the operator gave that host (`home`)."""
    if host == home:
        return [host]
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    every = list(dict.fromkeys(str(address[0]) for *_, address in found))
    for address in every:
        if not _public(address):
            raise RemoteFailure(
                f"The server sends us on to {host[:200]}, which is inside a private network ({address}).",
                "If that is meant, give that address yourself: --from URL.",
            )
    return every


def _public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and any(ip in network for network in _CARRIES_IPV4):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is None and ip.is_site_local:
            return False
        ip = inner or ip
    return ip.is_global and not ip.is_multicast and not (ip.version == 4 and ip.is_reserved)


def bound(client: httpx.Client, home: str | None, seconds: float) -> "Network":
    """Makes a client connect to addresses that were checked, not to names that may mean another one by then.

    Where the environment names a proxy, httpx goes through that, and these checks are its own.
    """
    network, transport = Network(home, seconds), client._transport
    assert isinstance(transport, httpx.HTTPTransport)
    # httpx has no parameter for it, though httpcore under it has.
    transport._pool._network_backend = network
    return network


class Network(httpcore.NetworkBackend):
    """Connects where it may, and lets nothing wait beyond its deadline."""

    def __init__(self, home: str | None, seconds: float) -> None:
        self._home = home
        self._plain = httpcore.SyncBackend()
        self.until(seconds)

    def until(self, seconds: float) -> None:
        """Sets the deadline to so many seconds from now."""
        self._deadline = time.monotonic() + seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        try:
            every = addresses(host, self._home)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from None
        for address in every:
            try:
                left = self.left(timeout)
                stream = self._plain.connect_tcp(address, port, left, local_address, socket_options)
                return _Stream(stream, self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def left(self, timeout: float | None) -> float:
        """Seconds that one wait may take now."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("it took too long")
        return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends by the deadline: a byte now and then does not put it off."""

    def __init__(self, stream: httpcore.NetworkStream, network: Network) -> None:
        self._stream, self._network = stream, network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._network.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._network.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._network.left(timeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._network)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
