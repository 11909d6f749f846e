"""The id of a session is a secret; what is kept is a name for it that only this store knows."""

import hashlib
import re
from contextlib import closing
from pathlib import Path

import pytest
from tests.privacy.canaries import Canaries
from tests.privacy.messages import answer, call, post, result
from tests.privacy.stage import Stage
from tests.privacy.traces import a_copy, proxy
from tests.privacy.wire import Client, Origin

UNKEYED = ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s", "sha3_256")


def session_name(folder: Path, session: str, name: str = "weather") -> str:
    """Call once in that session, through a proxy with its store in that folder; end it.

    name: of the server.
    """
    origin = Origin()
    with (
        proxy(folder, origin.port, "--log", "off", "--name", name) as mcpr,
        closing(Stage(Canaries(), Client(mcpr.port), origin, session)) as stage,
    ):
        stage.exchange(post(call("tools/list"), stage.in_session), answer(result({})))
        assert mcpr.drain() == 0
        with a_copy(mcpr.store, folder.parent / f"{folder.name} copy") as store:
            rows = store.execute(
                "SELECT DISTINCT session FROM requests WHERE method = 'tools/list'"
            ).fetchall()
    ((hashed,),) = rows
    assert isinstance(hashed, str)
    return hashed


def test_a_session_has_one_name_in_one_store_and_another_in_another(tmp_path: Path) -> None:
    session = Canaries().plant("session id")
    name = session_name(tmp_path / "one", session)
    assert re.fullmatch("[0-9a-f]{32}", name)
    assert session_name(tmp_path / "one", session) == name
    assert session_name(tmp_path / "other", session) != name


def test_one_id_given_out_by_two_servers_has_two_names(tmp_path: Path) -> None:
    """Two servers may count their sessions from one: neither gets the other's."""
    session = Canaries().plant("session id")
    session_name(tmp_path / "one", session)
    with pytest.raises(ValueError, match="too many values"):
        session_name(tmp_path / "one", session, "maps")


def test_the_name_is_no_digest_that_others_could_compute(tmp_path: Path) -> None:
    session = Canaries().plant("session id")
    name = session_name(tmp_path / "one", session)
    digests = [hashlib.new(kind, session.encode()).hexdigest() for kind in UNKEYED]
    digests.append(hashlib.blake2b(session.encode(), digest_size=16).hexdigest())
    assert [digest for digest in digests if name in digest] == []
