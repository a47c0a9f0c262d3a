"""The only door to the network: which addresses, how long, how much. R12 to R14, R16.

No test here leaves the machine. Those marked ``socket`` talk to a server on loopback that
misbehaves in one way each.
"""

from __future__ import annotations

import gzip
import ipaddress
import socket
import threading
import time
import tracemalloc
import zlib
from contextlib import contextmanager

import pytest

from federation import transport
from federation.errors import (
    ForbiddenAddressError,
    MalformedAnswerError,
    RedirectRefusedError,
    TooLargeError,
    UnreachableError,
)
from federation.transport import HttpsTransport, may_contact

# --- addresses


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:808:808::",
        "2001:0:808:808::",
        "fe80::1",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "2001:db8::1",
        "5f00::1",
        "4000::1",
        "fe00::1",
        "fec0::1",
    ],
)
def test_an_address_that_is_not_public_is_never_contacted(address):
    assert not may_contact(ipaddress.ip_address(address), development=False)


@pytest.mark.parametrize("address", ["10.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "::"])
def test_development_opens_nothing_but_loopback(address):
    assert not may_contact(ipaddress.ip_address(address), development=True)


def test_public_addresses_are_contacted_and_loopback_in_development():
    for address in ("8.8.8.8", "::ffff:8.8.8.8", "2606:4700::1111"):
        assert may_contact(ipaddress.ip_address(address), development=False)
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert may_contact(ipaddress.ip_address(address), development=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://lyon.example/",
        "http://127.0.0.1:8001/",
        "ftp://lyon.example/",
        "file:///etc/passwd",
        "https://",
        "https://user:secret@lyon.example/",
        "https://lyon.example\\@127.0.0.1/",
        "gopher://lyon.example",
        "",
    ],
)
def test_an_address_that_is_not_https_is_refused_before_anything_is_resolved(url):
    with pytest.raises(ForbiddenAddressError):
        HttpsTransport().get(url, max_bytes=10)


def resolving_to(monkeypatch, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    asked = []

    def answer(host, port, *_, **__):
        asked.append(host)
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "::1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "::7f00:1",
    ],
)
def test_a_public_name_for_a_private_address_is_refused(monkeypatch, address):
    asked = resolving_to(monkeypatch, address)
    with pytest.raises(ForbiddenAddressError):
        HttpsTransport().get("https://lyon.example/", max_bytes=10)
    assert asked == ["lyon.example"]


def test_http_is_for_loopback_alone_even_in_development():
    with pytest.raises(ForbiddenAddressError):
        HttpsTransport(development=True).get("http://lyon.example/", max_bytes=10)


# --- a server that misbehaves


def received(connection):
    """One request, with a body of up to five bytes if it has one."""
    request = connection.recv(65536)
    while request.startswith(b"POST") and len(request.partition(b"\r\n\r\n")[2]) < 5:
        request += connection.recv(5)
    return request


@contextmanager
def serving(*chunks, pause=0.0, hold=False):
    """A server on loopback that sends ``chunks`` to whoever connects; its address and requests."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop, requests = threading.Event(), []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                requests.append(received(connection))
                try:
                    for chunk in chunks:
                        connection.sendall(chunk)
                        if pause and stop.wait(pause):
                            return
                    if hold:
                        stop.wait(5)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", requests
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def fetch(url, *, max_bytes=1000, seconds=5.0):
    return HttpsTransport(development=True, seconds=seconds).get(url, max_bytes=max_bytes)


def within(seconds, action):
    begun = time.monotonic()
    with pytest.raises(UnreachableError) as caught:
        action()
    assert time.monotonic() - begun < seconds
    return str(caught.value)


@pytest.mark.socket
@pytest.mark.parametrize(
    "chunks",
    [
        [HEAD + b"Content-Length: 900\r\n\r\n", *[b"x"] * 200],
        [HEAD, *[b"X-%d: y\r\n" % n for n in range(90)]],
        [b"H", b"T", b"T", b"P", *[b"x"] * 200],
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n"] * 200],
    ],
    ids=["body", "headers", "status line", "chunks"],
)
def test_a_peer_that_drips_is_cut_off_at_the_deadline(chunks):
    with serving(*chunks, pause=0.05) as (url, _):
        said = within(2, lambda: fetch(url, seconds=0.4))
    assert said == "no complete answer within 0.4 seconds"


def test_a_name_whose_servers_drip_is_given_up_at_the_deadline(monkeypatch):
    enough, answered = threading.Event(), []

    def stuck(*_, **__):
        enough.wait(5)
        answered.append(True)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    try:
        with pytest.raises(UnreachableError, match="within 0.2 seconds"):
            HttpsTransport(seconds=0.2).get("https://lyon.example/", max_bytes=10)
        assert answered == []
    finally:
        enough.set()


@pytest.mark.socket
def test_a_peer_that_says_nothing_is_given_up():
    with serving(hold=True) as (url, _):
        within(2, lambda: fetch(url, seconds=0.3))


@pytest.mark.socket
def test_a_peer_that_drips_in_the_middle_of_tls_is_cut_off(monkeypatch):
    with serving(*[b"\x16\x03\x03"] + [b"\x40"] + [b"x"] * 200, pause=0.05) as (url, _):
        said = within(2, lambda: fetch(url.replace("http:", "https:"), seconds=0.4))
    assert said.startswith(("no complete answer", "the certificate"))


@pytest.mark.socket
@pytest.mark.parametrize(
    "chunk",
    [
        HEAD + b"Content-Length: 9\r\n\r\nshort",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\nhel",
        HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 900, mtime=0)[:-9],
        HEAD[:20],
        HEAD + b"\r\nhello",
        b"",
        b"SSH-2.0-OpenSSH\r\n",
    ],
    ids=["length", "last chunk", "chunk", "gzip", "headers", "no length", "nothing", "not HTTP"],
)
def test_an_answer_that_ends_early_is_no_answer(chunk):
    with serving(chunk) as (url, _):
        within(3, lambda: fetch(url))


@pytest.mark.socket
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300])
def test_a_redirect_is_never_followed(status):
    with serving() as (elsewhere, asked):
        told = f"HTTP/1.1 {status} Go\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n"
        with serving(told.encode()) as (url, _), pytest.raises(RedirectRefusedError):
            fetch(url)
        assert asked == []


@pytest.mark.socket
@pytest.mark.parametrize(
    "chunks",
    [
        [HEAD + b"Content-Length: 1001\r\n\r\n" + b"x" * 1001],
        [HEAD + b"\r\n", b"x" * 5_000_000],
        [HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"\0" * 50_000_000, mtime=0)],
        [HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"\0" * 1001, mtime=0)],
    ],
    ids=["one byte", "endless", "bomb", "small bomb"],
)
def test_a_body_past_the_limit_is_dropped(chunks):
    with serving(*chunks) as (url, _), pytest.raises(TooLargeError):
        fetch(url)


@pytest.mark.socket
def test_a_body_that_unpacks_to_nothing_is_counted_as_it_comes():
    empty = b"\x00\x00\x00\xff\xff"  # a stored block of no bytes (RFC 1951 section 3.2.4)
    begun = zlib.compressobj(wbits=31)
    head = begun.compress(b"") + begun.flush(zlib.Z_FULL_FLUSH)
    with (
        serving(HEAD + b"Content-Encoding: gzip\r\n\r\n" + head + empty * 1000) as (url, _),
        pytest.raises(TooLargeError),
    ):
        fetch(url)


@pytest.mark.socket
def test_a_bomb_is_noticed_and_not_unpacked():
    bomb = HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"\0" * 50_000_000, mtime=0)
    with serving(bomb) as (url, _):
        tracemalloc.start()
        try:
            with pytest.raises(TooLargeError):
                fetch(url)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.socket
@pytest.mark.parametrize(
    "packed",
    [
        b"Content-Encoding: br\r\n\r\nx",
        b"Content-Encoding: gzip, gzip\r\n\r\nx",
        b"Content-Encoding: gzip\r\n\r\nnot gzip",
        b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"a", mtime=0) + b"more",
    ],
)
def test_a_body_packed_in_a_way_that_was_not_offered_is_refused(packed):
    with serving(HEAD + packed) as (url, _), pytest.raises(MalformedAnswerError):
        fetch(url)


@pytest.mark.socket
@pytest.mark.parametrize(
    ("packed", "body"),
    [
        (b"Content-Length: 5\r\n\r\nhello", b"hello"),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 1000, mtime=0), b"x" * 1000),
        (b"Content-Length: 1000\r\n\r\n" + b"x" * 1000, b"x" * 1000),
        (b"Content-Length: 0\r\n\r\n", b""),
    ],
)
def test_a_complete_answer_comes_whole(packed, body):
    with serving(HEAD + b'ETag: "x"\r\n' + packed) as (url, requests):
        answer = fetch(url)
    assert (answer.status, answer.media_type, answer.body) == (200, "application/json", body)
    assert answer.headers["etag"] == '"x"'
    assert b"Accept-Encoding: gzip\r\n" in requests[0]


@pytest.mark.socket
def test_nothing_new_is_an_answer():
    with serving(b"HTTP/1.1 304 Not Modified\r\n\r\n") as (url, _):
        assert fetch(url).status == 304


@pytest.mark.socket
def test_a_document_is_posted_as_it_is():
    with serving(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n") as (url, requests):
        answer = HttpsTransport(development=True).post(
            url, b"a.b.c", content_type="application/jwt", max_bytes=10
        )
    assert answer.status == 202
    assert requests[0].startswith(b"POST / HTTP/1.1\r\n")
    assert b"Content-Type: application/jwt\r\n" in requests[0]
    assert requests[0].endswith(b"\r\n\r\na.b.c")


@pytest.mark.socket
def test_a_proxy_or_password_of_the_environment_is_not_used(monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("default login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with serving() as (proxy, asked_proxy):
        monkeypatch.setenv("http_proxy", proxy)
        with serving(HEAD + b"Content-Length: 0\r\n\r\n") as (url, requests):
            assert fetch(url).status == 200
        assert asked_proxy == []
    assert b"authorization" not in requests[0].lower()


@pytest.mark.socket
def test_nobody_at_the_door_is_unreachable():
    with serving() as (url, _):
        gone = url
    within(3, lambda: fetch(gone))


@pytest.mark.socket
def test_the_name_is_resolved_once_and_the_connection_pinned_to_it(monkeypatch):
    with serving(HEAD + b"Content-Length: 0\r\n\r\n") as (url, requests):
        port = url.rstrip("/").rpartition(":")[2]
        asked = []
        real = socket.getaddrinfo

        def rebinding(host, *rest, **more):
            asked.append(host)
            # The second answer would be somewhere else: nobody may ask for it by name.
            return real("127.0.0.1" if len(asked) == 1 else host, *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        assert fetch(f"http://localhost:{port}/").status == 200
    assert asked[0] == "localhost"
    assert "localhost" not in asked[1:]
    assert f"Host: localhost:{port}".encode() in requests[0]


@pytest.mark.socket
def test_no_thread_and_no_socket_is_left_behind():
    before = threading.active_count()
    with serving(HEAD + b"Content-Length: 0\r\n\r\n") as (url, _):
        for _ in range(5):
            fetch(url)
    assert threading.active_count() <= before
    assert transport.CHUNK_BYTES < 2**20
