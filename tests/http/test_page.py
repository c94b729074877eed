"""How the page's files are sent: small, and not twice."""

from hubbub.http.page import COMMENTS, PAGE, STRIPPED
from tests.http.test_answers import asking
from tests.server import house

FILES = sorted(path.relative_to(PAGE) for path in PAGE.rglob("*") if path.is_file())


async def test_every_file_of_the_page_is_sent_whole_zipped_or_not() -> None:
    async with house() as here, asking(here) as http:
        for path in FILES:
            plain = await http.get(f"/static/{path}", headers={"Accept-Encoding": "identity"})
            assert plain.status == 200
            assert "Content-Encoding" not in plain.headers
            body = (await plain.text()).encode()
            if path.suffix not in STRIPPED or "vendor" in path.parts:
                assert body == (PAGE / path).read_bytes()
            headers = {"Accept-Encoding": "gzip"}
            zipped = await http.get(f"/static/{path}", headers=headers)
            assert (await zipped.text()).encode() == body
            assert zipped.headers["Vary"] == "Accept-Encoding"
            if len(body) > 2000:
                assert zipped.headers["Content-Encoding"] == "gzip"
                assert int(zipped.headers["Content-Length"]) < 0.6 * len(body)


async def test_what_the_browser_has_is_not_sent_again() -> None:
    async with house() as here, asking(here) as http:
        first = await http.get("/static/view/app.js")
        tag = first.headers["ETag"]
        again = await http.get("/static/view/app.js", headers={"If-None-Match": f'"x", {tag}'})
        assert again.status == 304
        assert await again.text() == ""
        assert again.headers["ETag"] == tag
        assert again.headers["Cache-Control"] == "no-cache"
        other = await http.get("/static/view/app.js", headers={"If-None-Match": '"x"'})
        assert other.status == 200
        plain = await http.get("/", headers={"Accept-Encoding": "identity"})
        zipped = await http.get("/", headers={"Accept-Encoding": "gzip"})
        assert plain.headers["ETag"] != zipped.headers["ETag"]


def test_only_comments_are_left_out() -> None:
    kept = b"/** cast */ (x).y();\nconst x = 1; // stays\nconst y = `/** stays */`;\n"
    lines = kept.splitlines(keepends=True)
    source = lines[0] + b"/** a\n * b\n */\n" + lines[1] + b"  // goes\n" + lines[2]
    assert COMMENTS.sub(b"", source) == kept
    assert COMMENTS.sub(b"", b"/* a\n   b */\n.x { y: z; /* stays */ }\n") == (
        b".x { y: z; /* stays */ }\n"
    )
