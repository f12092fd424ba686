"""A command that answers at once loads no more than it uses."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

_ASKED: Final = """
import sys
from insight.unladen import load_arrow
load_arrow()
from insight import resolving
values, problems = resolving.understood({"name": "Acme Ltd", "postcode": "LS1 4AP"}, "organisation", "GB")
assert values["k_name"].to_pylist() == ["acme"] and not problems
print(*sorted({"pandas", "nameparser", "tldextract", "phonenumbers", "ftfy", "jinja2"} & sys.modules.keys()))
import pandas
"""


def test_a_plain_record_is_understood_without_what_takes_long_to_load() -> None:
    done = subprocess.run([sys.executable, "-c", _ASKED], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("", "", 0)
