"""`hubbub token` makes tokens that this server takes; secrets show themselves nowhere."""

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import jwt
import pytest
from websockets.exceptions import InvalidHandshake
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.access.signing import private_pem, public_pem
from tests.command import Server, hubbub, serving

SECRET = "a secret of more than thirty-two bytes"
ENV = {"HUBBUB_JWT_SECRET": SECRET}


def made(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = hubbub("token", *arguments, cwd=cwd, env=ENV if env is None else env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    return done.stdout.strip()


def told(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = hubbub(*arguments, cwd=cwd, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert SECRET not in done.stderr
    return done.stderr.removeprefix("hubbub: ").strip()


def session(server: Server, token: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{server.url}/api/session", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        body: dict[str, Any] = json.load(answer)
        return body


def test_a_token_has_what_was_asked_for_and_lasts_an_hour(tmp_path: Path) -> None:
    token = made(
        *("--sub", "ann", "--name", "Ann B.", "--room", "general=rw", "--room", "team-*=r"),
        *("--mod-room", "general", "--mod-room", "team-*"),
        cwd=tmp_path,
    )
    claims = jwt.decode(token, SECRET, ["HS256"])
    assert claims["exp"] - claims["iat"] == 3600
    assert abs(claims.pop("iat") - time.time()) < 60
    del claims["exp"]
    assert claims == {
        "sub": "ann",
        "name": "Ann B.",
        "rooms": {"general": "rw", "team-*": "r"},
        "mod": ["general", "team-*"],
    }


@pytest.mark.parametrize(
    ("ttl", "seconds"), [("30s", 30), ("15m", 900), ("1h", 3600), ("7d", 604_800)]
)
def test_a_length_of_time_has_a_unit(ttl: str, seconds: int, tmp_path: Path) -> None:
    claims = jwt.decode(made("--sub", "a", "--ttl", ttl, cwd=tmp_path), SECRET, ["HS256"])
    assert claims["exp"] - claims["iat"] == seconds


@pytest.mark.parametrize("place", ["flag", "variable", "file"])
def test_the_secret_is_found_where_the_server_finds_it(place: str, tmp_path: Path) -> None:
    flags = ["--jwt-secret", SECRET] if place == "flag" else []
    if place == "file":
        (tmp_path / "hubbub.toml").write_text(
            f'jwt_secret = "{SECRET}"\njwt_audience = "chat"\nhistory = 5\naddr = ":1"\n'
        )
    token = made("--sub", "a", "--mod", *flags, cwd=tmp_path, env=ENV if place[0] == "v" else {})
    audience = "chat" if place == "file" else None
    assert jwt.decode(token, SECRET, ["HS256"], audience=audience)["mod"] is True


@pytest.mark.parametrize("kind", ["HS256", "RS256", "ES256", "EdDSA"])
def test_a_server_takes_its_tokens(kind: str, tmp_path: Path) -> None:
    flags = ["--sub", "ann", "--jwt-audience", "chat", "--jwt-issuer", "https://me"]
    settings = ["--auth", "required", "--jwt-audience", "chat", "--jwt-issuer", "https://me"]
    env = ENV
    if kind != "HS256":
        (tmp_path / "private.pem").write_bytes(private_pem(kind))
        (tmp_path / "public.pem").write_bytes(public_pem(kind))
        flags += ["--key", "private.pem"]
        settings += ["--jwt-key", "public.pem"]
        env = {}
    token = made(*flags, cwd=tmp_path, env=env)
    with serving("--addr", "127.0.0.1:0", *settings, cwd=tmp_path, env=env) as server:
        assert session(server, token)["username"] == "ann"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", "--sub is missing; give it, or see hubbub token --help"),
        ("--sub", "--sub has no value after it; see"),
        ("--sub a --ttl 60", "--ttl is '60', which is no length of time; write it as 30s"),
        ("--sub a --ttl 0s", "--ttl is '0s', which is no length of time"),
        ("--sub a --ttl=-1h", "--ttl is '-1h', which is no length of time"),
        ("--sub a --ttl 1w", "--ttl is '1w', which is no length of time"),
        ("--sub a --room general", "--room is 'general', which gives no right; write ROOM=r"),
        ("--sub a --room general=w", "--room is 'general=w', which gives no right"),
        ("--sub a --room a*b=r", "no server would take this token: rooms has 'a*b'"),
        ("--sub a --mod --mod-room x", "--mod is given beside --mod-room; give one"),
        ("--sub \u200b", "no server would take this token: sub"),
        ("--sub a --key none.pem", "cannot read none.pem: No such file"),
        ("--sub a --key public.pem", "public.pem is no private key in PEM; make one"),
        ("--sub a --key locked.pem", "locked.pem is locked by a password; give one without"),
    ],
)
def test_a_mistake_is_told(arguments: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "public.pem").write_bytes(public_pem("RS256"))
    (tmp_path / "locked.pem").write_bytes(private_pem("RS256", password=b"open"))
    assert told("token", *arguments.split(" ")[: len(arguments)], cwd=tmp_path, env=ENV).startswith(
        expected
    )


def test_without_a_key_there_is_nothing_to_sign_with(tmp_path: Path) -> None:
    line = told("token", "--sub", "a", cwd=tmp_path)
    assert line.startswith("there is nothing to sign with; give HUBBUB_JWT_SECRET")


@pytest.mark.parametrize(
    ("arguments", "env", "expected"),
    [
        (["--auth", "required"], {}, "--auth is required, but no key says whose tokens are good"),
        (["--auth", "on"], {}, "--auth is 'on', which is not one of its choices"),
        (["--auth", "optional", "--jwks", "http://a.example/"], {}, "--jwks is 'http://a.example/"),
        (["--jwks", "https://me:pass@a.example/"], {}, "--jwks has a name or password in it"),
        (["--jwks", "nonsense"], {}, "--jwks is 'nonsense', which is no address"),
        (["--jwks", "https://[x/"], {}, "--jwks is 'https://[x/', which is no address"),
        (
            ["--auth", "required"],
            {"HUBBUB_JWT_SECRET": public_pem("RS256").decode()},
            "jwt_secret is a public key or certificate, which is no secret; give its file",
        ),
        (["--jwt-secret", " "], {}, "--jwt-secret is empty; give 32 random bytes"),
        (["--auth", "required", "--jwt-key", "x"], ENV, "--jwt-key is given beside jwt_secret"),
        (["--auth", "required", "--jwt-key", "x.pem"], {}, "cannot read x.pem: No such file"),
        (["--auth", "required", "--jwt-key", "private.pem"], {}, "private.pem is a private key"),
        (["--origins", "chat.example"], {}, "--origins has 'chat.example', which is no origin"),
        (["--origins", "https://a.example/chat"], {}, "--origins has 'https://a.example/chat'"),
        (["--origins", "https://a.*.example"], {}, "--origins has 'https://a.*.example'"),
        (["--origins", ""], {}, "--origins has '', which is no origin"),
        (["--trusted-proxies", "proxy"], {}, "--trusted-proxies has 'proxy', which is no address"),
        (
            ["--trusted-proxies", "10.0.0.1/8"],
            {},
            "--trusted-proxies has '10.0.0.1/8', which is no address or network; write 10.0.0.0/8",
        ),
        (["--handshake-timeout", "0"], {}, "--handshake-timeout is 0.0, which is not above 0"),
    ],
)
def test_a_server_that_could_not_check_tokens_does_not_start(
    arguments: list[str], env: dict[str, str], expected: str, tmp_path: Path
) -> None:
    (tmp_path / "private.pem").write_bytes(private_pem("RS256"))
    line = told("serve", "--addr", "127.0.0.1:0", *arguments, cwd=tmp_path, env=env)
    assert line.startswith(expected)
    assert "; " in line
    assert "pass" not in line.replace("password", "")


@pytest.mark.parametrize("command", [["serve", "--auth", "required"], ["token", "--sub", "a"]])
def test_without_pyjwt_one_is_told_what_to_install(command: list[str], tmp_path: Path) -> None:
    program = "import sys; sys.modules['jwt'] = None; from hubbub.cli import main; sys.exit(main())"
    (tmp_path / "run.py").write_text(program)
    done = hubbub("run.py", *command, cwd=tmp_path, env=ENV, command=Path(sys.executable))
    assert done.returncode == 2
    assert done.stderr == (
        "hubbub: tokens need PyJWT, which is not installed; pip install 'hubbub[tokens]'\n"
    )


def test_a_server_without_tokens_does_not_load_what_checks_them(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\nfrom hubbub.http.server import Server\n"
        "from hubbub.settings import Settings\n"
        "async def main():\n"
        "    server = Server(Settings(addr='127.0.0.1:0', store='memory:'))\n"
        "    await server.start()\n    await server.stop()\n"
        "asyncio.run(main())\nprint({'jwt', 'cryptography', 'hubbub.access.keys'} & {*sys.modules})"
    )
    done = hubbub("-c", program, cwd=tmp_path, command=Path(sys.executable))
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize("file", [f'jwt_secret = ["{SECRET}"]', f'jwt_sekret = "{SECRET}"'])
def test_a_secret_that_is_written_wrong_is_not_shown(file: str, tmp_path: Path) -> None:
    (tmp_path / "hubbub.toml").write_text(file)
    line = told("serve", cwd=tmp_path)
    assert line.startswith(("jwt_secret in hubbub.toml is of another kind", "hubbub.toml has 'jwt"))
    flags = ["--jwt-secret", SECRET]
    for wrong in (["--jwt-secret", SECRET], ["--histroy", "1"], ["--history", "x"], ["more"]):
        told("serve", *flags, *wrong, cwd=tmp_path)
    assert SECRET not in hubbub("serve", "--help", cwd=tmp_path, env=ENV).stdout


def test_a_secret_does_not_show_itself_in_settings() -> None:
    from hubbub.settings import SettingError, Settings

    settings = Settings(jwt_secret=SECRET, mod_password=SECRET)
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
    with pytest.raises(SettingError) as wrong:
        Settings(jwt_secret="\t")
    assert "\\t" not in str(wrong.value)


@pytest.mark.parametrize(
    ("arguments", "env", "warned"),
    [
        (["--addr", "127.0.0.1:0"], {}, None),
        (["--addr", "[::1]:0"], {}, None),
        (["--addr", ":0"], {}, "take any free name"),
        (["--addr", ":0", "--auth", "required"], ENV, None),
        (["--addr", "127.0.0.1:0"], ENV, "--auth is off"),
        (
            ["--addr", "127.0.0.1:0", "--auth", "optional"],
            {"HUBBUB_JWT_SECRET": "short"},
            "fewer than 32 bytes",
        ),
    ],
)
def test_what_is_risky_is_said_at_the_start_in_one_line(
    arguments: list[str], env: dict[str, str], warned: str | None, tmp_path: Path
) -> None:
    with serving(*arguments, cwd=tmp_path, env=env):
        pass
    log = (tmp_path / "server.log").read_text()
    warnings = [line for line in log.splitlines() if "warning" in line]
    assert len(warnings) == (0 if warned is None else 1)
    assert warned is None or warned in warnings[0]
    assert "short" not in log.replace("shorter", "")


def test_no_token_reaches_a_log(tmp_path: Path) -> None:
    good = made("--sub", "ann", cwd=tmp_path)
    wrong = made("--sub", "eve", cwd=tmp_path, env={"HUBBUB_JWT_SECRET": SECRET[::-1]})
    settings = ("--addr", "127.0.0.1:0", "--auth", "required", "--log-level", "debug")
    with serving(*settings, cwd=tmp_path, env=ENV) as server:
        url = f"ws://{server.host}:{server.port}/ws"
        for token in (good, wrong, good + "\x7f", good[:-1], good * 60):
            ways: list[tuple[str, dict[str, Any]]] = [
                (f"?token={token}", {}),
                ("", {"additional_headers": {"Authorization": f"Bearer {token}"}}),
                ("", {"subprotocols": [Subprotocol("hubbub"), Subprotocol(f"bearer.{token}")]}),
                (f"?token={good}", {"additional_headers": {"Authorization": f"Bearer {wrong}"}}),
            ]
            for end, options in ways:
                try:
                    with connect(url + end, **options) as client:
                        client.send(f'{{"type":"join","room":"a","username":"{token}"}}')
                        client.recv(timeout=10)
                except (InvalidHandshake, ValueError, OSError, EOFError):
                    pass
            for path in (f"/no/{token}", f"/api/rooms?token={token}", f"/static/{token}"):
                try:
                    urllib.request.urlopen(server.url + path.replace("\x7f", "%7f"), timeout=10)
                except urllib.error.HTTPError as refused:
                    refused.close()
        assert session(server, good)["username"] == "ann"
        server.process.terminate()
        assert server.process.stdout is not None
        output = server.process.stdout.read()
    output += (tmp_path / "server.log").read_text()
    assert "refused" in output
    assert "connect" in output
    for token in (good, wrong):
        for part in token.split(".")[1:]:
            assert part[:20] not in output
    assert SECRET not in output
