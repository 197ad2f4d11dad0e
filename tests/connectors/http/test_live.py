"""The door to the network, with real servers on loopback that mean us no good."""

# ruff: noqa: RUF001  letters that look like others are what some of this is about

from __future__ import annotations

import gzip
import inspect
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.http.judging import as_json
from connectors.http.live import Limits, Live
from connectors.http.protocol import Request, Response, Unanswered
from loopback import Asked, ResetNow, listening, reply, socks5
from tracer.errors import InputError

SHORT = Limits(bytes=100_000, connect=2.0, read=0.4, whole=1.2)
ROOT = Path(__file__).parents[3]


def asked_once(answer: Callable[[Asked], Iterator[bytes]], limits: Limits = SHORT, **asked: object) -> Response:
    """What one request to a server that so answers gives."""
    with listening(answer) as server:
        live = Live([server.host], limits=limits)
        try:
            return live.send(Request(server.url + "/v1", **asked))  # type: ignore[arg-type]
        finally:
            live.close()


def saying(*pieces: bytes) -> Callable[[Asked], Iterator[bytes]]:
    return lambda _: iter(pieces)


def test_an_answer_comes_with_its_status_its_bytes_and_the_headers_that_matter() -> None:
    told = reply(b'{"a": 1}', 404, content_type="application/json", retry_after="7", server="x", set_cookie="a=b")
    response = asked_once(saying(told))
    assert (response.status, response.body) == (404, b'{"a": 1}')
    assert response.headers == {"content-type": "application/json", "retry-after": "7"}
    assert response.at > 1_700_000_000


def test_what_is_asked_arrives_as_it_was_meant() -> None:
    with listening(saying(reply(b"{}"))) as server:
        live = Live([server.host])
        request = Request(
            server.url + "/v1/{key}/x?own=1&again=a%20b", "POST", {"page": "2"}, {"x-own": "1"}, b'{"a": 1}',
            {"apikey": "s p/&"}, {"authorization": "Bearer abc"}, "k/é?",
        )  # fmt: skip
        live.send(request)
        live.close()
    (asked,) = server.asked
    assert asked.method == "POST"
    assert asked.target == "/v1/k%2F%C3%A9%3F/x?own=1&again=a+b&page=2&apikey=s+p%2F%26"
    assert (asked.body, asked.headers["x-own"], asked.headers["authorization"]) == (b'{"a": 1}', "1", "Bearer abc")
    assert asked.headers["accept-encoding"] == "gzip"
    assert str(request).startswith(f"POST {server.url}/v1/{{key}}/x?own=1&again=a%20b&page=2 ")


def test_a_cookie_is_not_sent_back() -> None:
    with listening(saying(reply(b"{}", set_cookie="id=42; Path=/"))) as server:
        live = Live([server.host])
        for _ in range(2):
            live.send(Request(server.url))
        live.close()
    assert [asked.headers.get("cookie") for asked in server.asked] == [None, None]


def test_compressed_answers_are_unpacked_whole_and_in_several_members() -> None:
    body = json.dumps(list(range(9_000))).encode()
    packed = gzip.compress(body[:20_000]) + gzip.compress(body[20_000:])
    assert asked_once(saying(reply(packed, content_encoding="gzip"))).body == body
    assert asked_once(saying(reply(b"", content_encoding="gzip"))).body == b""


@pytest.mark.parametrize("cut", [1, 10, 200, 2_000])
def test_a_compressed_answer_that_is_cut_is_no_answer(cut: int) -> None:
    packed = gzip.compress(os.urandom(3_000))
    with pytest.raises(Unanswered, match="cut short") as caught:
        asked_once(saying(reply(packed[:-cut], content_encoding="gzip")))
    assert caught.value.again


@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "gzip, gzip", "gzip,br"])
def test_what_is_packed_otherwise_than_we_asked_for_is_refused(coding: str) -> None:
    with pytest.raises(Unanswered, match="nobody asked for"):
        asked_once(saying(reply(gzip.compress(gzip.compress(b"{}")), content_encoding=coding)))


def test_what_is_no_gzip_is_refused() -> None:
    with pytest.raises(Unanswered, match="cannot be decompressed"):
        asked_once(saying(reply(b"<html>not packed</html>", content_encoding="gzip")))


def bomb() -> Iterator[bytes]:
    """A gzip file of 10 GB in 10 MB: one packed megabyte of nothing, over and over."""
    packing = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    yield b"HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n" + packing.flush(zlib.Z_FULL_FLUSH)
    yield packing.compress(bytes(1 << 20)) + packing.flush(zlib.Z_FULL_FLUSH)
    megabyte = packing.compress(bytes(1 << 20)) + packing.flush(zlib.Z_FULL_FLUSH)
    for _ in range(10_000):
        yield megabyte


BOMBED = """
import resource, sys
from connectors.http.live import Live
from connectors.http.protocol import Request, Unanswered
live = Live([sys.argv[1]])
from urllib.request import quote; import httpx2
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    live.send(Request("http://" + sys.argv[1]))
except Unanswered as error:
    print(error, "|", error.again, "|", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_bomb_of_ten_gigabytes_stops_at_the_limit() -> None:
    with listening(lambda _: bomb()) as server:
        done = subprocess.run(
            [sys.executable, "-c", BOMBED, server.host],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    text, again, kilobytes = done.stdout.split(" | ")
    assert (text, again) == ("the answer is longer than 67,108,864 bytes", "False")
    assert int(kilobytes) < 200_000, "the memory it took"
    assert server.sent < 10_000_000, "it went on reading"


def test_an_endless_answer_stops_at_the_limit_in_bytes() -> None:
    def endless(_: Asked) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 X\r\n\r\n"
        while True:
            yield b"[1, " * 1_000

    with pytest.raises(Unanswered, match="longer than 100,000 bytes") as caught:
        asked_once(endless)
    assert not caught.value.again
    assert not caught.value.down


def drip(begin: bytes) -> Callable[[Asked], Iterator[bytes]]:
    """One byte at a time: never slow enough for the limit of a single wait."""
    over = threading.Event()

    def dripping(_: Asked) -> Iterator[bytes]:
        yield begin
        for _drop in range(200):
            over.wait(0.05)
            yield b"x"

    return dripping


@pytest.mark.parametrize(
    "begin",
    [b"HTTP/1.1 200 X\r\n\r\n", b"HTTP/1.1 200 X\r\nx-long: ", b"HTTP/1.1 200 X\r\ncontent-length: 200\r\n\r\n"],
)
def test_an_answer_that_comes_drop_by_drop_stops_at_the_limit_in_seconds(begin: bytes) -> None:
    with pytest.raises(Unanswered, match="took longer than 1 seconds") as caught:
        asked_once(drip(begin))
    assert caught.value.again
    assert set(caught.value.body) <= {ord("x")}


def test_a_server_that_says_nothing_is_left_when_its_time_is_over() -> None:
    def hang(_: Asked) -> Iterator[bytes]:
        threading.Event().wait(1.0)
        yield b""

    with pytest.raises(Unanswered, match="no answer in time"):
        asked_once(hang)


@pytest.mark.parametrize(
    "broken",
    [
        b"HTTP/1.1 200 X\r\ncontent-length: 10\r\n\r\n[1,",
        b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n3\r\n[1,\r\n",
        b"HTTP/1.1 200 X\r\nconte",
        b"",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 X\r\ncontent-length: -5\r\n\r\n",
        b"HTTP/1.1 200 X\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n[1",
        b"HTTP/1.1 200 X\r\nx: " + b"y" * 200_000,
        b"HTTP/1.1 99999 X\r\n\r\n",
    ],
    ids=["short", "chunk", "head", "nothing", "no-http", "negative", "two-lengths", "long-head", "status"],
)
def test_a_broken_answer_is_no_answer(broken: bytes) -> None:
    with pytest.raises(Unanswered) as caught:
        asked_once(saying(broken))
    assert caught.value.again


def test_a_reset_is_no_answer() -> None:
    def reset(_: Asked) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 X\r\ncontent-length: 10\r\n\r\n[1,"
        raise ResetNow

    with pytest.raises(Unanswered):
        asked_once(reset)


def test_nobody_there_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    with pytest.raises(Unanswered, match=f"127.0.0.1:{port} could not be reached"):
        Live([f"127.0.0.1:{port}"]).send(Request(f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(status: int) -> None:
    with listening(saying(reply(b"{}"))) as other:
        response = asked_once(saying(reply(b"moved", status, location=other.url + "/latest/meta-data")))
        assert (response.status, response.body) == (status, b"moved")
        assert "location" not in response.headers
    assert other.connections == 0


BASE = "https://api.example.org"
ELSEWHERE = [
    *("http://api.example.org/", "https://api.example.org:444/", "https://api.example.org.evil.org/"),
    *("https://evil.org/", "https://evil.org/api.example.org", "https://evil.org#api.example.org"),
    *("https://evil.org?api.example.org", "https://api.example.org@evil.org/", "https://evil.org@api.example.org/"),
    *("https://api.example.org:x@evil.org/", "https://api.example.org%40evil.org/", "https://api.example.org\\@evil.org/"),
    *("https://api.example.org\\.evil.org/", "https:\\\\api.example.org/", "https:///api.example.org/"),
    *("https://api.example.org%00.evil.org/", "https://api.example.org\t.evil.org/", "https://api.exam\nple.org/"),
    *("https://api.example.org\r\nHost: evil.org/", "https://api.example.org /", " https://api.example.org/"),
    *("https://аpi.example.org/", "https://api.example。org/", "https://api.example.org．evil.org/", "https://ⓐpi.example.org/"),
    *("http://127.0.0.1/", "http://localhost/", "http://LOCALHOST:8332/", "http://[::1]/", "http://0.0.0.0/", "http://0/"),
    *("http://[::]/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.0.0.1./"),
    *("http://169.254.169.254/latest/meta-data", "http://[::ffff:169.254.169.254]/", "http://[::ffff:a9fe:a9fe]/"),
    *("http://2852039166/", "http://0xa9.0xfe.0xa9.0xfe/", "http://0251.0376.0251.0376/", "http://169.254.43518/"),
    *("http://169.254.169.254.nip.io/", "http://[fe80::1%25eth0]/", "http://[fd00:ec2::254]/", "http://100.100.100.200/"),
    *("http://10.0.0.1/", "http://192.168.0.1/", "http://172.16.0.1/", "http://100.64.0.1/", "http://[64:ff9b::a9fe:a9fe]/"),
    *("http://metadata.google.internal/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_x", "ftp://api.example.org/"),
    *("dict://127.0.0.1:11211/", "ldap://127.0.0.1/", "jar:http://evil.org!/", "data:text/plain,{}", "//evil.org/"),
    *("unix:///var/run/docker.sock", "javascript:1", "", "https://", "https:api.example.org", "https://a.org:99999/"),
    *("https://api.example.org:0x1bb/", "https://[::1/", "https://{key}.example.org/", "https://[v1.x]", "about:blank"),
]  # fmt: skip


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every name that is looked up and every connection that is made, none of which succeeds."""
    seen: list[object] = []

    def refuse(*told: object, **_: object) -> None:
        seen.append(told)
        raise OSError

    for name in ("getaddrinfo", "create_connection", "gethostbyname", "gethostbyname_ex"):
        monkeypatch.setattr(socket, name, refuse)
    return seen


def test_of_eighty_addresses_meant_to_lead_elsewhere_none_is_connected_to(connections: list[object]) -> None:
    assert len(set(ELSEWHERE)) >= 60
    live = Live(["api.example.org"])
    for url in ELSEWHERE:
        if url == "http://api.example.org/":
            continue  # the same host, unencrypted: it is whoever made the request who says so
        with pytest.raises(InputError):
            live.send(Request(url))
    live.close()
    assert connections == []


def test_the_key_does_not_choose_the_host(connections: list[object]) -> None:
    live = Live(["api.example.org"])
    for key in ("@evil.org/", "../../x", "\\evil.org", "#", "?", "evil.org:80", "\r\nhost: evil.org"):
        with pytest.raises(Unanswered):
            live.send(Request(f"{BASE}/{{key}}", secret_key=key))
    live.close()
    assert {told[0][0] for told in connections} == {"api.example.org"}  # type: ignore[index]


@pytest.mark.parametrize("value", ["a\nb", "a\r\nx: y", "é", "\x00", "\ud800"])
def test_a_header_that_cannot_be_written_is_an_error_that_does_not_show_it(value: str) -> None:
    with listening(saying(reply(b"{}"))) as server:
        live = Live([server.host])
        with pytest.raises((InputError, Unanswered)) as caught:
            live.send(Request(server.url, secret_headers={"x-api-key": "k3y" + value}))
        live.close()
    assert "k3y" not in str(caught.value)
    assert server.asked == []


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate that nobody but itself vouches for."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@pytest.mark.needs("openssl")
def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = certificate(tmp_path)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # nor may the environment say otherwise
        monkeypatch.setenv(name, str(tmp_path / "cert.pem"))
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    with listening(saying(reply(b"{}")), tls) as server:
        live = Live([server.host])
        with pytest.raises(Unanswered, match="its certificate is not valid") as caught:
            live.send(Request(f"https://{server.host}", secret_headers={"x-key": "k3yk3yk3y"}))
        live.close()
    assert not caught.value.again
    assert server.asked == []


def test_there_is_no_switch_that_turns_verification_off() -> None:
    assert set(inspect.signature(Live).parameters) == {"hosts", "proxy", "limits", "clock"}
    live = Live(["x.org"])
    with pytest.raises(Unanswered):
        live.send(Request("https://x.org"))  # the tests let no connection out
    context = live._client._transport._pool._ssl_context
    live.close()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every name that this process asks the system to find."""
    names: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, *told: object, **rest: object) -> object:
        names.append(host)
        return real(host, *told, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_through_a_socks_proxy_the_name_is_found_by_the_proxy(scheme: str, looked_up: list[str]) -> None:
    with listening(saying(reply(b"[1]"))) as server, socks5(server.port) as proxy:
        live = Live(["explorer.invalid"], proxy=f"{scheme}://127.0.0.1:{proxy.port}")
        response = live.send(Request("http://explorer.invalid/api"))
        live.close()
    assert response.body == b"[1]"
    assert [asked.target for asked in proxy.asked] == ["3 explorer.invalid"]
    assert set(looked_up) <= {"127.0.0.1"}


@pytest.mark.parametrize("garbage", [b"", b"HTTP/1.1 400 Bad\r\n\r\n", b"\x05\xff", b"\x05", b"\x00" * 50])
def test_a_proxy_that_refuses_or_speaks_something_else_is_no_answer(garbage: bytes) -> None:
    with socks5(1, reply_code=5, garbage=garbage) as proxy:
        live = Live(["explorer.invalid"], proxy=f"socks5h://user:pa55word@127.0.0.1:{proxy.port}", limits=SHORT)
        with pytest.raises(Unanswered) as caught:
            live.send(Request("http://explorer.invalid/api"))
        live.close()
    assert "pa55word" not in repr(caught.value)
    assert caught.value.again  # a circuit that could not be built: the next one may


@pytest.mark.parametrize(
    "proxy", ["127.0.0.1:9050", "tor://u:pa55word@h", "socks5h://", "http://h:x", "socks4://h", "h"]
)
def test_what_is_no_proxy_is_refused_and_not_repeated(proxy: str) -> None:
    with pytest.raises(InputError, match="proxy") as caught:
        Live(["x.org"], proxy=proxy)
    assert "pa55word" not in str(caught.value) + caught.value.hint


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(saying(reply(b"{}"))) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert asked_once(saying(reply(b"[1]"))).body == b"[1]"
    assert proxy.connections == 0


def test_a_door_that_nobody_holds_closes_its_connections() -> None:
    with listening(saying(reply(b"{}", connection="keep-alive"))) as server:
        live = Live([server.host])
        live.send(Request(server.url))
        client = live._client
        del live
    assert client.is_closed


def test_a_deeply_nested_answer_says_nothing() -> None:
    response = asked_once(saying(reply(b"[" * 100_000 + b"]" * 100_000)), Limits())
    assert "nested too deeply" in getattr(as_json(response), "why", "")
