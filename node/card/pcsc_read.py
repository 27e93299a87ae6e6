# SPDX-License-Identifier: Apache-2.0
"""The process that reads one card and ends. Nothing of a card can be left for the next one, for there is no next one.

stdin   {"reader": name, "counted": n}        one line
stdout  {"card": {…}} or {"problem": code}    one line
"""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

from node.card.problems import CardProblem


def main() -> None:
    """Wait for the order, carry it out, answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the station ends us: Ctrl-C reaches everybody at the terminal
    try:
        from node.card import pcsc
    except ImportError:
        pcsc = None  # type: ignore[assignment]
    line = sys.stdin.readline()
    if not line:
        return
    order = json.loads(line)
    answer: dict[str, Any]
    try:
        if pcsc is None:
            raise CardProblem("no_driver")
        answer = {"card": pcsc.read(order["reader"], order["counted"]).as_json()}
    except CardProblem as problem:
        answer = {"problem": problem.code}
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
