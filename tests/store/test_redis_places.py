"""The ways to a Redis that `--store` knows, and what is told where one leads nowhere."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis

from hubbub.redis_url import CLUSTER_TLS, SENTINEL, SENTINEL_TLS
from hubbub.settings import Settings
from hubbub.store import redis_client
from hubbub.store.base import StoreError
from hubbub.store.redis import RedisStore
from hubbub.store.redis_export import RedisSnapshot
from hubbub.store.redis_importing import RedisImport
from tests.cli.test_cluster import told_of
from tests.redis import PROGRAM, RedisServer, free_port, redis_server
from tests.redis_cluster import redis_cluster
from tests.store.kinds import keep, new_epoch, say


def made(url: str) -> RedisStore:
    return RedisStore(Settings(store=url).store, Settings(), new_epoch)


def works(url: str) -> None:
    store = made(url)
    assert keep(store, say("hello")) == [1]
    assert len(store.after("red", 0, 9).events) == 1
    store.close()


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority of our own, and what it signed: the server's certificate, and a client's."""
    folder = tmp_path_factory.mktemp("tls")
    new = ("-newkey", "rsa:2048", "-nodes", "-days", "2")
    openssl(
        folder, "req", "-x509", *new, "-subj", "/CN=An authority", "-keyout", "ca.key",
        "-out", "ca.pem",
    )  # fmt: skip
    for name in ("server", "client"):
        openssl(
            folder, "req", "-x509", "-CA", "ca.pem", "-CAkey", "ca.key", *new, "-subj",
            f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-addext",
            "basicConstraints=critical,CA:FALSE", "-keyout", f"{name}.key", "-out", f"{name}.pem",
        )  # fmt: skip
    return folder


@pytest.fixture
def secured(papers: Path) -> Iterator[tuple[RedisServer, str]]:
    """A Redis that speaks TLS to who has a certificate, and where."""
    port = free_port()
    options = ["--tls-port", str(port), "--tls-ca-cert-file", str(papers / "ca.pem")]
    for kind in ("cert", "key"):
        path = papers / f"server.{'pem' if kind == 'cert' else 'key'}"
        options += [f"--tls-{kind}-file", str(path)]
    with redis_server(*options) as server:
        yield server, f"rediss://127.0.0.1:{port}/0"


def test_over_tls_with_an_authority_of_ones_own_and_a_certificate(
    secured: tuple[RedisServer, str], papers: Path
) -> None:
    _, url = secured
    with pytest.raises(StoreError, match=r"^Redis shows a certificate that is not trusted here$"):
        made(url)
    trusting = f"{url}?ssl_ca_certs={papers}/ca.pem"
    with pytest.raises(StoreError, match="does not answer"):
        made(trusting)  # this one wants to see ours
    works(f"{trusting}&ssl_certfile={papers}/client.pem&ssl_keyfile={papers}/client.key")


def test_over_tls_with_what_the_system_trusts(
    secured: tuple[RedisServer, str], papers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, url = secured
    server.client.config_set("tls-auth-clients", "no")
    monkeypatch.setenv("SSL_CERT_FILE", str(papers / "ca.pem"))
    works(url)
    with pytest.raises(StoreError, match="certificate that is not trusted"):
        made(url.replace("127.0.0.1", "localhost"))  # which is not the name in it


def test_files_of_certificates_that_will_not_do_are_told_at_once(
    papers: Path, tmp_path: Path
) -> None:
    where = f"rediss://127.0.0.1:{free_port()}"
    (tmp_path / "empty.pem").touch()
    for query, name in (
        (f"ssl_ca_certs={tmp_path}/none.pem", "ssl_ca_certs"),
        (f"ssl_ca_certs={tmp_path}/empty.pem", "ssl_ca_certs"),
        (f"ssl_certfile={papers}/client.pem&ssl_keyfile={papers}/server.key", "ssl_certfile"),
    ):
        with pytest.raises(StoreError, match=f"^the file that {name} names cannot be read as PEM"):
            made(f"{where}?{query}")


def test_through_a_socket_file_to_another_database() -> None:
    with redis_server() as server:
        works(f"unix://{server.folder}/redis.sock?db=1")
        assert server.client.dbsize() == 0
        assert Redis(port=server.port, db=1).dbsize() > 0
        with pytest.raises(StoreError, match="does not answer"):
            made(f"unix://{server.folder}/other.sock")


def test_as_a_user_who_may_do_no_more_than_the_page_says() -> None:
    (line,) = [
        one.strip().replace("PASSWORD", "p@ss:w/rd")
        for one in (Path(__file__).parents[2] / "docs" / "cluster.md").read_text().splitlines()
        if one.startswith("    ACL SETUSER hubbub")
    ]
    with redis_server() as server:
        server.client.execute_command(line)  # type: ignore[no-untyped-call]
        server.client.acl_setuser("default", enabled=False)
        url = f"redis://hubbub:p%40ss%3Aw%2Frd@{server.at}/0"
        store = made(url)
        assert keep(store, say("hello")) == [1]
        assert store.worries() == []
        store.check()
        store.close()
        with closing(redis_client.connect(url)) as client:
            taken = b"".join(RedisSnapshot(client, None).chunks(lambda _: None))
            client.unlink("hubbub:{red}:head")
            RedisImport(client).run(taken.splitlines(keepends=True), lambda _: None)
            assert len(list(RedisSnapshot(client, None).chunks(lambda _: None))) == 2
        for user in ("hubbub:wrong", "other:p%40ss%3Aw%2Frd", "default:"):
            with pytest.raises(StoreError, match=r"^Redis does not accept the user and password$"):
                made(f"redis://{user}@{server.at}/0")


def test_a_replica_keeps_nothing_and_says_so() -> None:
    with redis_server() as server, redis_server("--replicaof", "127.0.0.1", "1") as replica:
        with pytest.raises(StoreError, match="Redis is a replica, which keeps nothing"):
            made(replica.url)
        store = made(server.url)
        keep(store, say("hello"))
        server.client.replicaof("127.0.0.1", 1)
        for ask in (lambda: keep(store, say("more")), store.check):
            with pytest.raises(StoreError, match="Redis is a replica, which keeps nothing"):
                ask()
        assert len(store.after("red", 0, 9).events) == 1, "and can be read"
        server.client.replicaof("NO", "ONE")
        store.check()
        assert keep(store, say("more")) == [2]
        store.close()


SECURE_SENTINEL = """port 0
tls-port {port}
bind 127.0.0.1
dir {folder}
tls-ca-cert-file {papers}/ca.pem
tls-cert-file {papers}/server.pem
tls-key-file {papers}/server.key
tls-replication yes
sentinel monitor mymaster 127.0.0.1 {master} 1
"""


@pytest.fixture
def secure_sentinel(
    secured: tuple[RedisServer, str], papers: Path, tmp_path: Path
) -> Iterator[str]:
    """Where a Sentinel is that speaks TLS alone, and knows a Redis that does."""
    _, url = secured
    port, master = free_port(), url.rpartition(":")[2].removesuffix("/0")
    config = tmp_path / "sentinel.conf"
    fields = {"port": port, "folder": tmp_path, "papers": papers, "master": master}
    config.write_text(SECURE_SENTINEL.format(**fields))
    command = ["setpriv", "--pdeathsig", "KILL", PROGRAM, str(config), "--sentinel"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("+monitor master mymaster" in line for line in process.stdout)
        yield f"{SENTINEL_TLS}://127.0.0.1:{port}/mymaster/0"
        process.kill()


def test_sentinels_over_tls_and_the_redis_that_they_name(
    secure_sentinel: str, papers: Path
) -> None:
    trusting = f"ssl_ca_certs={papers}/ca.pem"
    ours = f"ssl_certfile={papers}/client.pem&ssl_keyfile={papers}/client.key"
    works(f"{secure_sentinel}?{trusting}&{ours}")
    with pytest.raises(StoreError, match="no Sentinel answers"):
        made(f"{secure_sentinel}?{ours}")  # an authority that the system does not trust
    with pytest.raises(StoreError, match="no Sentinel answers"):
        made(f"{secure_sentinel}?{trusting}")  # it wants to see ours
    with pytest.raises(StoreError, match="no Sentinel answers"):
        made(secure_sentinel.replace(SENTINEL_TLS, SENTINEL))
    with pytest.raises(StoreError, match=r"^the file that ssl_ca_certs names cannot be read"):
        made(f"{secure_sentinel}?ssl_ca_certs={papers}/none.pem")


def test_sentinels_that_do_not_answer_are_told() -> None:
    with pytest.raises(StoreError, match="no Sentinel answers that knows this master"):
        made(f"{SENTINEL}://127.0.0.1:{free_port()},localhost:{free_port()}/mymaster")


def test_no_password_is_told(tmp_path: Path) -> None:
    port = free_port()
    for store, told in (
        (f"redis://ann:hush@127.0.0.1:{port}/0", f"redis://ann:***@127.0.0.1:{port}/0"),
        (
            f"{SENTINEL}://ann:hush@127.0.0.1:{port}/m?sentinel_password=hush",
            f"{SENTINEL}://ann:***@127.0.0.1:{port}/m?sentinel_password=***",
        ),
        (
            f"{SENTINEL}://ann:hush@h/m?other=1",
            f"HUBBUB_STORE is '{SENTINEL}://ann:***@h/m?other=1'",
        ),
    ):
        line = told_of(store, tmp_path)
        assert line.startswith(told)
        assert "hush" not in line


def test_a_cluster_over_tls(papers: Path) -> None:
    with redis_cluster(papers=papers) as cluster:
        one = next(iter(cluster.servers.values()))
        place = f"{CLUSTER_TLS}://127.0.0.1:{one.tls_port}"
        trusting = f"{place}?ssl_ca_certs={papers}/ca.pem"
        with pytest.raises(StoreError, match="does not answer"):
            made(trusting)  # it wants to see ours
        ours = f"ssl_certfile={papers}/client.pem&ssl_keyfile={papers}/client.key"
        with pytest.raises(StoreError, match="certificate that is not trusted"):
            made(f"{place}?{ours}")
        store = made(f"{trusting}&{ours}")
        assert keep(store, *(say("hello", log=f"room {number}") for number in range(9))) == [1] * 9
        store.close()
