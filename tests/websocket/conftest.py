"""All that is tested of the framing is tested of both readers of texts."""

from collections.abc import Iterator

import pytest

from hubbub.native import find
from hubbub.websocket import parser
from hubbub.websocket.texts import texts_in_python


@pytest.fixture(params=["C", "Python"], scope="module", autouse=True)
def reading(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        reads = find("texts") if request.param == "C" else texts_in_python
        assert reads is not None, "the part in C was not built: is there a compiler?"
        patch.setattr(parser, "texts", reads)
        yield
