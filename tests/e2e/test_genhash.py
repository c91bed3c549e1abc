"""sluicectl genhash beside keepalived's, against the same server."""

import hashlib
import re
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

REFERENCE = shutil.which("genhash")
needs_reference = pytest.mark.skipif(REFERENCE is None, reason="needs keepalived's genhash")

HEAD = b"HTTP/1.1 200 OK\r\nServer: test\r\n"
PAGES = {
    "/": HEAD + b"Content-Length: 6\r\n\r\nhello\n",
    "/long": HEAD + b"\r\n" + b"x" * 100_000,
    "/binary": HEAD + b"\r\n" + bytes(range(256)),
    "/more": HEAD + b"Content-Length: 3\r\n\r\nabcdef",
    "/less": HEAD + b"Content-Length: 30\r\n\r\nabc",
    "/chunked": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "/none": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/missing": b"HTTP/1.1 404 Not Found\r\n\r\nno such page",
    "/garbage": b"garbage",
}


class Site:
    """A web server that keeps what it was asked, and closes after each answer."""

    def __init__(self, host, context: ssl.SSLContext | None = None) -> None:
        self.asked: list[str] = []
        self.names: list[str | None] = []
        self._context = context
        if context:
            context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        with host.entered():
            self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(connection, server_side=True) if self._context else connection as peer:
                    request = peer.recv(4096).decode("latin-1")
                    self.asked.append(request)
                    peer.sendall(PAGES[request.split()[1]])
            except (OSError, IndexError):
                pass

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def host(lab):
    return lab.host("web")


@pytest.fixture
def site(host):
    site = Site(host)
    yield site
    site.close()


@pytest.fixture
def tls_site(host, lab):
    key, certificate = lab.directory / "key.pem", lab.directory / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    key, "-out", certificate, "-days", "2", "-subj", "/CN=test"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    site = Site(host, context)
    yield site
    site.close()


@pytest.fixture
def ours(host, build):
    def run(site, *options: str):
        return host.run(build.sluicectl, "genhash", "-s", "127.0.0.1", "-p", str(site.port), *options, check=False)
    return run


@pytest.fixture
def theirs(host):
    def run(site, *options: str):
        return host.run(REFERENCE, "-s", "127.0.0.1", "-p", str(site.port), *options, check=False)
    return run


def comparable(text: str) -> str:
    return re.sub(r"= \d+ usecs", "= N usecs", text)


@needs_reference
@pytest.mark.parametrize("page", [page for page in PAGES if page != "/garbage"])
def test_digests_and_requests_are_keepaliveds(site, ours, theirs, page):
    mine, reference = ours(site, "-u", page), theirs(site, "-u", page)
    assert (mine.returncode, mine.stdout, mine.stderr) == (0, reference.stdout, "")
    assert site.asked[0] == site.asked[1]


@needs_reference
@pytest.mark.parametrize("options", [("-P", "1.0"), ("-P", "1.0c"), ("-P", "1.0C"), ("-P", "1.1"), ("-V", "www.example"),
                                     ("--use-virtualhost", "www.example", "--protocol", "1.1"), ("-t", "3"), ("-m", "5")])
def test_every_option_makes_the_same_request(site, ours, theirs, options):
    mine, reference = ours(site, "-u", "/", *options), theirs(site, "-u", "/", *options)
    assert mine.stdout == reference.stdout == hashlib.md5(b"hello\n").hexdigest() + "\n"
    assert site.asked[0] == site.asked[1]


@needs_reference
@pytest.mark.parametrize("page", ["/", "/binary", "/more", "/none", "/missing"])
def test_verbose_output_is_keepaliveds(site, ours, theirs, page):
    mine, reference = ours(site, "-u", page, "-v"), theirs(site, "-u", page, "-v")
    assert comparable(mine.stdout) == comparable(reference.stdout)


@needs_reference
def test_over_tls_too_with_a_name_only_where_it_is_asked_for(tls_site, ours, theirs):
    for options in ((), ("-V", "www.example"), ("-I", "-V", "www.example"), ("--use-sni", "-V", "www.example")):
        mine, reference = ours(tls_site, "-S", "-u", "/", *options), theirs(tls_site, "-S", "-u", "/", *options)
        assert mine.stdout == reference.stdout and mine.returncode == 0, mine.stderr
    assert tls_site.names == [None, None, None, None] + ["www.example"] * 4
    assert tls_site.asked[0::2] == tls_site.asked[1::2]


def test_what_fails_is_said_on_stderr_and_by_the_status(host, site, tls_site, ours, build):
    """keepalived's says "Connection failed" on stdout, where a digest is expected, and ends with 0."""
    closed = host.run(build.sluicectl, "genhash", "-s", "127.0.0.1", "-p", "1", "-u", "/", check=False)
    silent = ours(site, "-u", "/garbage")
    plain = ours(site, "-S", "-u", "/")
    for done, words in ((closed, "Connection failed"), (silent, "no data received"), (plain, "SSL handshake")):
        assert done.returncode == 1 and done.stdout == "", done
        assert words in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    usage = host.run(build.sluicectl, "genhash", "-s", "localhost", check=False)
    assert usage.returncode == 1 and usage.stdout == ""
    assert "server should be an IP, not localhost" in usage.stderr and "--use-virtualhost" in usage.stderr


def test_sluiced_is_genhash_when_that_is_its_first_option(host, site, build):
    for word in ("-T", "--genhash"):
        done = host.run(build.sluiced, word, "-s", "127.0.0.1", "-p", str(site.port), "-u", "/", check=False)
        assert done.stdout == hashlib.md5(b"hello\n").hexdigest() + "\n", done.stderr
