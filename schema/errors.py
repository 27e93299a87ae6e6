# SPDX-License-Identifier: Apache-2.0
"""Every error this project raises on purpose, drawn as one tree.

    TownshipError
      ConfigError              a file, setting or command the operator must mend
        BadServiceFile         a service item file is wrong (file, place, remedy)
        BadParameterFile       a parameter file is wrong (file, place, remedy)
        BadPack                a rule pack is not one this program can use
        ParameterNotFound      no value in force on that date as known on that date
      StoreError               a database cannot be used
        WrongKey               the file is not ours or the key does not fit
        UnsafeSqlite           this SQLite or this extension may lose data: refuse to start
        StuckSyncBit           local writes would not be tracked: the connection must be dropped
      Refusal                  an input was understood and is refused; nothing was written
        NotAllowed             this officer may not do this (separation of duties, role, disabled)
        WrongState             the case is not in a state that permits this
        UnknownSubject         the case, person or station named is not known here
        OutOfNumbers           the leased block of receipt numbers is used up
      Locked                   login refused for a while after repeated failures
      WrongPassword            the secret does not open the key
      BadSignature             a signature, hash chain or certificate does not hold
      SyncError                exchange with the other side
        BadFrame               a peer's frame is malformed, too big, or not what it says it is
        Unreachable            no answer: try later, nothing is lost
        RefusedByPeer          the peer answered and said no, with a reason

A Finding is not an error: what a person typed wrong is a list of findings beside the fields.
`code` is stable and is what logs and the wire carry; `zh`, `en` are what people read.
"""

from __future__ import annotations


class TownshipError(Exception):
    """Root of the tree. `code` for machines, `zh`/`en` for people; both say what to do."""

    code = "error"

    def __init__(self, zh: str, en: str = "", *, code: str | None = None) -> None:
        super().__init__(en or zh)
        self.zh = zh
        self.en = en or zh
        if code is not None:
            self.code = code

    def text(self, lang: str = "zh") -> str:
        """The message in the reader's language."""
        return self.zh if lang.startswith("zh") else self.en


class ConfigError(TownshipError):
    code = "config"


class BadServiceFile(ConfigError):
    code = "service_file"


class BadParameterFile(ConfigError):
    code = "parameter_file"


class BadPack(ConfigError):
    code = "rule_pack"


class ParameterNotFound(ConfigError):
    code = "parameter_not_found"


class StoreError(TownshipError):
    code = "store"


class WrongKey(StoreError):
    code = "wrong_key"


class UnsafeSqlite(StoreError):
    code = "unsafe_sqlite"


class StuckSyncBit(StoreError):
    code = "stuck_sync_bit"


class Refusal(TownshipError):
    code = "refused"


class NotAllowed(Refusal):
    code = "not_allowed"


class WrongState(Refusal):
    code = "wrong_state"


class UnknownSubject(Refusal):
    code = "unknown_subject"


class OutOfNumbers(Refusal):
    code = "out_of_numbers"


class Locked(TownshipError):
    code = "locked"


class WrongPassword(TownshipError):
    code = "wrong_password"


class BadSignature(TownshipError):
    code = "bad_signature"


class SyncError(TownshipError):
    code = "sync"


class BadFrame(SyncError):
    code = "bad_frame"


class Unreachable(SyncError):
    code = "unreachable"


class RefusedByPeer(SyncError):
    code = "refused_by_peer"
