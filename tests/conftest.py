"""What holds for every test: how property tests choose their examples.

In small size they are the same each time, so that a red run can be repeated; in full size
(`MCPR_TEST_SIZE=full`) they are new ones. No test has a deadline of hypothesis': machines differ.
"""

import os

from hypothesis import settings

settings.register_profile("small", derandomize=True, database=None, deadline=None)
settings.register_profile("full", database=None, deadline=None, print_blob=True)
settings.load_profile("full" if os.environ.get("MCPR_TEST_SIZE") == "full" else "small")
