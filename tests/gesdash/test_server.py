"""What comes over the wire to the real web server, byte by byte."""

import json
import re
import socket
from urllib.parse import urlsplit

import pytest

from tests.factories import body
from tests.servers import serving

ADDRESS = "/v1.0/p1/graphs/g1/jobs/j1/status"
pytestmark = pytest.mark.django_db(transaction=True)


def said(server, *requests):
    """All that the server answers to these bytes until it closes."""
    with socket.create_connection(("127.0.0.1", urlsplit(server).port), timeout=30) as connection:
        try:
            for one in requests:
                connection.sendall(one)
        except ConnectionError:
            pass
        got = b""
        try:
            while piece := connection.recv(65536):
                got += piece
        except ConnectionError:
            pass
    return got


def statuses(got):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", got)]


def request(target, token, *, host="localhost", method="GET", close=True, more="", content=""):
    ending = "Connection: close\r\n" if close else ""
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nX-Auth-Token: {token}\r\n{more}{ending}\r\n{content}".encode()


def test_over_the_wire(upstream, key, tmp_path):
    upstream.body = lambda handler: body(handler.path.split("/")[-2], "success")
    with serving(upstream.project, tmp_path / "home") as [server]:
        for what in (
            stored_and_head,
            pipelined,
            a_get_with_a_body,
            odd_paths,
            big_headers,
            no_other_host,
            no_http,
        ):
            upstream.asked.clear()
            what(server, key.token, upstream)


def stored_and_head(server, token, _):
    got = said(server, request(ADDRESS, token))
    head = said(server, request(ADDRESS, token, method="HEAD"))
    assert (statuses(got), statuses(head)) == ([200], [200])
    length = int(re.search(rb"content-length: (\d+)", head)[1])
    assert len(got.partition(b"\r\n\r\n")[2]) == length > 0
    assert head.endswith(b"\r\n\r\n")


def pipelined(server, token, _):
    other = ADDRESS.replace("p1", "p9")
    got = said(
        server,
        request(ADDRESS, token, close=False)
        + request(other, token, close=False)
        + request(ADDRESS, token),
    )
    assert statuses(got) == [200, 403, 200], "each answered, in order"


def a_get_with_a_body(server, token, _):
    with_body = request(ADDRESS, token, close=False, more="Content-Length: 5\r\n", content="hello")
    assert statuses(said(server, with_body + request(ADDRESS, token))) == [200, 200], (
        "read past, and no request of its own"
    )


def odd_paths(server, token, upstream):
    for target, status, code in [
        (ADDRESS.replace("j1", "a%2Fb"), 400, "GESDASH.0400"),
        (ADDRESS.replace("j1", "a%FFb"), 400, "GESDASH.0400"),
        (ADDRESS.replace("g1", "a%2Fb"), 400, "GESDASH.0400"),
        (ADDRESS.replace("p1", "%2F"), 400, "GESDASH.0400"),
        (ADDRESS.replace("j1", ".."), 400, "GESDASH.0400"),
        (ADDRESS.replace("j1", "%2e%2e"), 400, "GESDASH.0400"),
        (ADDRESS.replace("j1", "a%00b%1b"), 400, "GESDASH.0400"),
        (ADDRESS.replace("j1", "x" * 10_240), 400, "GESDASH.0400"),
        (f"{ADDRESS}/", 404, "GESDASH.0404"),
    ]:
        got = said(server, request(target, token))
        assert statuses(got) == [status], target
        assert json.loads(got.partition(b"\r\n\r\n")[2])["errorCode"] == code
    assert not upstream.asked
    # Percent signs are decoded once and encoded once on the way on.
    assert statuses(said(server, request(ADDRESS.replace("j1", "a%252Fb"), token))) == [502]
    assert upstream.asked.pop()[0] == ADDRESS.replace("j1", "a%252Fb")


def big_headers(server, token, _):
    assert statuses(
        said(server, request(ADDRESS, token, more=f"X-Big: {'x' * 1_000_000}\r\n"))
    ) == [431]
    assert statuses(said(server, request(ADDRESS, "x" * 100_000))) == [401]
    assert statuses(said(server, request(ADDRESS, token))) == [200]


def no_other_host(server, token, upstream):
    target = ADDRESS.replace("j1", "j2")
    for asked in (
        request(target, token, host="evil.example"),
        request(f"http://evil.example{target}", token, host="evil.example"),
        request(target, token, host="localhost@evil.example"),
    ):
        got = said(server, asked)
        assert statuses(got) == [400]
        assert b"Traceback" not in got
    assert not upstream.asked
    assert statuses(
        said(server, request(target, token, more="X-Forwarded-Host: evil.example\r\n"))
    ) == [200]
    assert upstream.asked[0][1]["Host"] == upstream.project.endpoint.removeprefix("http://")


def no_http(server, token, _):
    assert statuses(said(server, b"\x16\x03\x01\x02\x00nonsense\r\n\r\n")) in ([400], [])
    assert statuses(said(server, request(ADDRESS, token, method="BREW"))) == [405]
    assert statuses(said(server, request(ADDRESS, token))) == [200]
