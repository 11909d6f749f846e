"""[cors] comes and goes with a reload, for connections that are open, too."""

import http.client
import signal
from pathlib import Path

from tests.scenarios.processes import WAIT_SECONDS, a_proxy, wait_until

PAGE = "http://localhost:5173"
SETTINGS = 'mcp = "http://127.0.0.1:9/mcp"\n'
ASKS = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}


def test_a_site_is_named_and_taken_away_again_by_a_reload(tmp_path: Path) -> None:
    file = tmp_path / "mcpr.toml"
    file.write_text(SETTINGS)
    with a_proxy(str(file), tmp_path / "s.db") as proxy:
        client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=WAIT_SECONDS)

        def asked() -> tuple[int, str | None]:
            client.request("OPTIONS", "/mcp", headers=ASKS)
            answer = client.getresponse()
            answer.read()
            return answer.status, answer.getheader("Access-Control-Allow-Origin")

        # Left to the server, which is not there.
        assert asked() == (502, None)
        file.write_text(f'{SETTINGS}[cors]\norigins = ["{PAGE}"]\n')
        proxy.send(signal.SIGHUP)
        wait_until(lambda: asked() == (204, PAGE))
        file.write_text(f'{SETTINGS}[cors]\norigins = ["https://app.example"]\n')
        proxy.send(signal.SIGHUP)
        wait_until(lambda: asked() == (403, None))
        file.write_text(SETTINGS)
        proxy.send(signal.SIGHUP)
        wait_until(lambda: asked() == (502, None))
        client.close()
