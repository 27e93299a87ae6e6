# SPDX-License-Identifier: Apache-2.0
"""What a program's log never holds: the words of an exception. They may quote a name, an ID number, an account."""

from __future__ import annotations

import logging
import traceback


class WithoutValues(logging.Filter):
    """Keeps the place of an exception and its kind, and drops what it says."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True: the record stays, changed."""
        if record.exc_info and record.exc_info[0]:
            kind, _, where = record.exc_info
            record.exc_text = "".join(traceback.format_tb(where)) + kind.__name__
            record.exc_info = None
        return True


def begin(level: int) -> None:
    """Log to standard error, whatever library speaks there."""
    logging.basicConfig(level=level, format="%(asctime)s %(name)s %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(WithoutValues())
