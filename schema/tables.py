# SPDX-License-Identifier: Apache-2.0
"""Every table, on both sides, with its way to travel and why.

Four ways (docs/architecture.md): a FACT is append-only and signed; a REGISTRY table is a CRDT whose cells any station of
the slice may write; a REFERENCE table is written by the hub alone and replaced by row; LOCAL never leaves its machine.
DDL, the wire validator and the digests are all derived from these declarations, so they cannot disagree.

Ids are 16 random bytes. Money is INTEGER fen. Instants are UTC text, dates `YYYY-MM-DD`, months `YYYY-MM`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["fact", "registry", "reference", "local"]
Side = Literal["both", "node", "hub"]
Type = Literal["id", "text", "int", "blob"]

_SQL_TYPE = {"id": "BLOB", "text": "TEXT", "int": "INTEGER", "blob": "BLOB"}


@dataclass(frozen=True)
class Column:
    """One column. `limit` bounds text length in characters or blob length in bytes.

    `nodes_write`: whether a station may send this cell (registry tables only). `pattern`: what a text must match.
    """

    name: str
    type: Type = "text"
    required: bool = False
    limit: int = 200
    nodes_write: bool = False
    pattern: str = ""
    group: str = ""

    def accepts(self, value: object) -> str:
        """'' when the value may stand in this column, else the reason word."""
        if value is None:
            return "null" if self.required else ""
        if self.type == "int":
            return "" if type(value) is int and -(2**63) <= value < 2**63 else "type"
        if self.type == "text":
            return self._accepts_text(value)
        if type(value) is not bytes:
            return "type"
        if self.type == "id":
            return "" if len(value) == 16 else "length"
        return "" if len(value) <= self.limit else "length"

    def _accepts_text(self, value: object) -> str:
        if type(value) is not str:
            return "type"
        if len(value) > self.limit:
            return "length"
        if "\x00" in value or any(0xD800 <= ord(c) <= 0xDFFF for c in value):
            return "characters"
        if self.pattern and value and not re.fullmatch(self.pattern, value):
            return "format"
        return ""


@dataclass(frozen=True)
class Table:
    """A table, who writes it, why it travels the way it does."""

    name: str
    kind: Kind
    side: Side
    why: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    indexes: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    person_column: str = ""

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((c for c in self.columns if c.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    def ddl(self) -> list[str]:
        """CREATE statements: STRICT, so that a wrong type is an error and not a silent conversion."""
        lines = [self._column_sql(c) for c in self.columns]
        lines.append(f"PRIMARY KEY ({', '.join(self.key)})")
        lines += [f"UNIQUE ({columns})" for columns in self.unique]
        without = " WITHOUT ROWID" if self.kind == "reference" and len(self.key) > 1 else ""
        out = [f"CREATE TABLE {self.name} ({', '.join(lines)}) STRICT{',' + without if without else ''}"]
        for i, columns in enumerate(self.indexes, 1):
            out.append(f"CREATE INDEX {self.name}_i{i} ON {self.name} ({columns})")
        return out

    def _column_sql(self, c: Column) -> str:
        sql = f"{c.name} {_SQL_TYPE[c.type]}"
        if c.name in self.key:
            return sql + " NOT NULL"
        if c.required:
            # A CRR column must carry a default: cells of one row arrive one by one.
            default = {"int": "0", "text": "''", "id": "x''", "blob": "x''"}[c.type]
            sql += " NOT NULL" + (f" DEFAULT {default}" if self.kind == "registry" else "")
        return sql


def _id(name: str, required: bool = True) -> Column:
    return Column(name, "id", required)


def _text(name: str, limit: int = 200, required: bool = False) -> Column:
    return Column(name, "text", required, limit)


def _int(name: str, required: bool = True) -> Column:
    return Column(name, "int", required)


def _blob(name: str, limit: int = 65536, required: bool = True) -> Column:
    return Column(name, "blob", required, limit)


REV = _int("rev")

FACTS = (
    Table(
        "fact", "fact", "both",
        "what an officer did and signed: append-only, hash-chained per origin and epoch, accepted once by id",
        ("id",),
        (
            _id("id"), _text("origin", 40, True), _blob("epoch", 16), _int("seq"), _blob("prev", 32), _blob("hash", 32),
            _text("kind", 40, True), _int("version"), _id("subject"), _text("officer", 20, True),
            _text("stated_at", 24, True), _blob("body"), _blob("signature", 64), _text("received_at", 24),
        ),
        indexes=("subject, seq", "origin, epoch, seq"), unique=("origin, epoch, seq",),
    ),
)

REGISTRY = (
    Table(
        "contact", "registry", "both",
        "how to reach a person: any station of the slice may correct it, and a day of error does no harm",
        ("id",),
        (
            _id("id"),
            Column("phone", "text", False, 20, True, r"[0-9+\- ]{5,20}"),
            Column("address", "text", False, 120, True, group="address"),
            Column("address_village", "text", False, 12, True, r"[0-9]{9,12}", group="address"),
            Column("education", "text", False, 2, True, r"[0-9]{2}"),
            Column("note", "text", False, 200, True),
        ),
    ),
)

REFERENCE = (
    Table("division", "reference", "both", "township and community codes; common to the county", ("code",), (
        _text("code", 12, True), _text("name", 60, True), _text("name_en", 60), _text("level", 12, True),
        _text("parent", 12), _text("valid_from", 10), _text("valid_to", 10), _text("succeeded_by", 12), REV),
        indexes=("parent",)),
    Table("station", "reference", "both", "name and place of each station", ("id",), (
        _text("id", 20, True), _text("name", 80, True), _text("name_en", 80), _text("township", 9, True),
        _text("phone", 20), REV)),
    Table("officer", "reference", "both", "who may log in where, with the key that only the password opens", ("operator_no",), (
        _text("operator_no", 20, True), _text("name", 40, True), _text("roles", 200, True), _text("station", 20),
        _blob("public_key", 32), _blob("wrapped_key", 4096), _int("must_change"), _text("disabled_on", 10), REV)),
    Table("officer_key", "reference", "both", "public keys of all officers, so that any side can check a signed fact",
        ("operator_no", "valid_from"), (
        _text("operator_no", 20, True), _text("valid_from", 24, True), _text("name", 40, True), _text("roles", 200, True),
        _blob("public_key", 32), _text("disabled_at", 24), REV)),
    Table("receipt_block", "reference", "both", "serials a station may print: leased by the hub so that no two stations share one",
        ("station", "year", "first"), (
        _text("station", 20, True), _int("year"), _int("first"), _int("last"), REV)),
    Table("household", "reference", "both", "the family book", ("id",), (
        _id("id"), _text("head_name", 60), _text("village", 12, True), REV), indexes=("village",)),
    Table("person", "reference", "both", "who a person is: never decided by a merge, changed only by an approved case", ("id",), (
        _id("id"), _text("id_number", 18, True), _text("id_number_15", 15), _text("name", 60, True),
        _text("initials", 20), _text("pinyin", 120), _text("sex", 1, True), _text("birth_on", 10, True),
        _text("ethnic", 2), _text("village", 12, True), _id("household_id", False), _text("life_status", 1, True),
        _text("died_on", 10), _text("work_began_on", 10), REV),
        indexes=("id_number", "id_number_15", "name", "initials", "pinyin", "village", "household_id")),
    Table("unit", "reference", "both", "an employer", ("id",), (
        _id("id"), _text("uscc", 18, True), _text("name", 120, True), _text("type", 4), _text("industry", 4),
        _text("township", 9, True), _text("phone", 20), REV), indexes=("uscc", "township")),
    Table("employment", "reference", "both", "who works where at which declared wage", ("id",), (
        _id("id"), _id("person_id"), _id("unit_id"), _int("wage_fen"), _text("began_month", 7, True),
        _text("ended_month", 7), REV), indexes=("person_id", "unit_id"), person_column="person_id"),
    Table("enrolment", "reference", "both", "an insurance relation; opened and ended by approved cases only", ("id",), (
        _id("id"), _id("person_id"), _text("insurance", 30, True), _text("state", 12, True),
        _text("began_month", 7, True), _text("ended_month", 7), _int("grade_fen"), _text("hardship", 20),
        _id("case_id", False), REV), indexes=("person_id",), person_column="person_id"),
    Table("account", "reference", "both", "individual account as of the last closed month", ("person_id", "insurance"), (
        _id("person_id"), _text("insurance", 30, True), _int("balance_fen"), _int("paid_months"),
        _text("as_of_month", 7, True), REV), person_column="person_id"),
    Table("benefit", "reference", "both", "what a person draws, from when, how computed", ("id",), (
        _id("id"), _id("person_id"), _text("kind", 30, True), _text("state", 12, True), _text("from_month", 7, True),
        _int("basic_fen"), _int("account_fen"), _int("extra_fen"), _text("paid_through", 7), _id("case_id", False), REV),
        indexes=("person_id", "case_id"), person_column="person_id"),
    Table("bank_account", "reference", "both", "where a benefit is paid; changed only by an approved case", ("person_id",), (
        _id("person_id"), _text("bank", 40, True), _text("account_no", 30, True), _text("holder", 60, True), REV),
        person_column="person_id"),
    Table("case_state", "reference", "both", "the hub's word on a case: what the station shows as its state", ("case_id",), (
        _id("case_id"), _id("person_id", False), _text("station", 20, True), _text("service", 60, True),
        _text("receipt_no", 40, True), _text("state", 16, True), _text("received_at", 24, True), _text("due_on", 10),
        _text("decided_at", 24), _text("reason", 500), _text("result", 2000), REV),
        indexes=("person_id", "station")),
    Table("statement", "reference", "both", "what one settled month did for one person", ("person_id", "insurance", "month"), (
        _id("person_id"), _text("insurance", 30, True), _text("month", 7, True), _int("contribution_fen"),
        _int("subsidy_fen"), _int("benefit_fen"), _int("from_account_fen"), _int("balance_fen"),
        _text("paid_on", 10), REV), person_column="person_id"),
    Table("conflict", "reference", "both", "two people changed one cell without knowing of each other: both values are kept", ("id",), (
        _id("id"), _text("tbl", 40, True), _id("row_id"), _text("col", 40, True), _text("kept", 300), _text("lost", 300),
        _text("kept_by", 40, True), _text("lost_by", 40, True), _text("found_at", 24, True), REV),
        indexes=("row_id",)),
)

LOCAL = (
    # --- both sides -----------------------------------------------------------------------------------------------
    Table("setting", "local", "both", "who this database is: node id, epoch, keys' public halves", ("name",), (
        _text("name", 40, True), _blob("value", 65536))),
    Table("login_attempt", "local", "both", "failures per officer number; must survive a restart or the lock is worthless",
        ("operator_no",), (_text("operator_no", 20, True), _int("failures"), _text("last_at", 24, True))),
    Table("refusal", "local", "both", "what was refused, from whom, why; both sides keep and show it", ("id",), (
        _id("id"), _text("direction", 3, True), _text("peer", 40, True), _text("channel", 4, True), _int("frame_n"),
        _text("item", 200, True), _text("code", 40, True), _text("reason", 500, True), _blob("content", 65536, False),
        _text("at", 24, True), _text("handled_at", 24)), indexes=("at", "peer")),
    # --- station --------------------------------------------------------------------------------------------------
    Table("case_file", "local", "node", "cases taken here: the clerk's own list, with the answers as given", ("id",), (
        _id("id"), _text("service", 60, True), _int("service_version"), _text("pack", 64, True), _id("person_id", False),
        _text("person_name", 60), _text("state", 16, True), _text("legal", 12, True), _text("receipt_no", 40),
        _text("operator_no", 20, True), _text("created_at", 24, True), _text("submitted_at", 24), _text("answers", 20000, True),
        _text("materials", 4000, True), _text("findings", 20000, True), _id("fact_id", False)),
        indexes=("state", "created_at", "person_id", "operator_no"), unique=("receipt_no",)),
    Table("receipt_used", "local", "node", "next serial of each leased block", ("station", "year", "first"), (
        _text("station", 20, True), _int("year"), _int("first"), _int("next"))),
    Table("cursor", "local", "node", "how far each slice and channel was pulled; in the same transaction as the data",
        ("slice", "channel"), (_text("slice", 40, True), _text("channel", 4, True), _int("after"))),
    Table("pull_mark", "local", "node", "which hub state a local edit was based on (conflict rule H)", ("local_version",), (
        _int("local_version"), _int("hub_seq"))),
    Table("outbox_frame", "local", "node", "frames built and not forgotten before the hub's signed receipt", ("channel", "n"), (
        _text("channel", 4, True), _int("n"), _blob("hash", 32), _int("upto"), _int("items"), _blob("bytes", 600000, False),
        _text("built_at", 24, True), _text("sent_at", 24), _text("acked_at", 24), _blob("receipt", 65536, False))),
    Table("link", "local", "node", "what is known of the line: last contact, last proof, last error", ("name",), (
        _text("name", 40, True), _text("value", 2000))),
    Table("slip_print", "local", "node", "who printed which slip, and whether it was a copy", ("id",), (
        _id("id"), _id("case_id"), _int("copy"), _text("operator_no", 20, True), _text("at", 24, True)), indexes=("case_id",)),
    # --- hub ------------------------------------------------------------------------------------------------------
    Table("node_record", "local", "hub", "each station's key, slices, epoch, certificate: what a frame is checked against", ("id",), (
        _text("id", 20, True), _text("name", 80, True), _text("slices", 400, True), _blob("public_key", 32, False),
        _blob("epoch", 16, False), _blob("site_id", 16, False), _int("serial"), _text("not_after", 10), _text("enrol_code_hash", 64),
        _text("revoked_at", 24), _text("revoked_reason", 200), _text("last_seen_at", 24), _text("last_equal_at", 24),
        _int("unsent")), ),
    Table("frame_ledger", "local", "hub", "every frame accepted: same address and hash is acknowledged again, another hash freezes the node",
        ("node", "epoch", "channel", "n"), (
        _text("node", 20, True), _blob("epoch", 16), _text("channel", 4, True), _int("n"), _blob("hash", 32),
        _int("upto"), _blob("receipt", 65536), _text("received_at", 24, True))),
    Table("feed_head", "local", "hub", "one row: the last feed_seq; grows by one per hub transaction", ("name",), (
        _text("name", 10, True), _int("seq"))),
    Table("feed_clock", "local", "hub", "which CRDT version each feed_seq stood at: translates a station's base", ("seq",), (
        _int("seq"), _int("version"))),
    Table("slice_feed", "local", "hub", "what each slice must still be told, newest state once per row", ("slice", "tbl", "pk"), (
        _text("slice", 40, True), _text("tbl", 40, True), _blob("pk", 400), _text("channel", 4, True), _int("seq"), _int("op")),
        indexes=("slice, channel, seq",)),
    Table("slice_member", "local", "hub", "which slices hold which person; everything of the person follows", ("person_id", "slice"), (
        _id("person_id"), _text("slice", 40, True), _int("since_seq")), indexes=("slice",)),
    Table("hub_case", "local", "hub", "a case as the hub works on it", ("id",), (
        _id("id"), _text("service", 60, True), _int("service_version"), _text("pack", 64, True), _text("station", 20, True),
        _text("township", 9, True), _id("person_id", False), _text("person_name", 60), _text("receipt_no", 40, True),
        _text("state", 16, True), _text("step", 12), _int("round"), _text("submitted_by", 20, True), _text("stated_at", 24, True),
        _text("received_at", 24, True), _text("due_on", 10), _text("answers", 20000, True), _text("materials", 4000, True),
        _text("findings", 20000, True), _text("calculation", 20000), _text("reason", 500), _text("closed_at", 24)),
        indexes=("state, step", "person_id", "received_at"), unique=("receipt_no",)),
    Table("case_step", "local", "hub", "who did which step of which case; a trigger keeps the steps in different hands", ("id",), (
        _id("id"), _id("case_id"), _int("round"), _text("step", 12, True), _text("decision", 12, True), _text("officer", 20, True),
        _text("at", 24, True), _text("reason", 500), _id("fact_id", False)), indexes=("case_id", "officer, at")),
    Table("pending_decision", "local", "hub", "decided but not yet signed: can be taken back for some seconds", ("case_id",), (
        _id("case_id"), _text("officer", 20, True), _text("decision", 12, True), _text("reason", 500), _text("decided_at", 24, True),
        _text("sign_after", 24, True))),
    Table("relative", "local", "hub", "officers' relatives, whose cases they may not handle", ("operator_no", "person_id"), (
        _text("operator_no", 20, True), _id("person_id"))),
    Table("period", "local", "hub", "a settlement month and where it stands", ("scheme", "month"), (
        _text("scheme", 30, True), _text("month", 7, True), _text("state", 12, True), _text("run_id", 64), _text("computed_by", 20),
        _text("computed_at", 24), _text("approved_by", 20), _text("approved_at", 24), _text("paid_by", 20), _text("paid_at", 24),
        _text("closed_by", 20), _text("closed_at", 24), _text("controls", 20000))),
    Table("receipt", "local", "hub", "money that arrived, as the tax office or the bank said", ("no",), (
        _text("no", 40, True), _text("scheme", 30, True), _text("id_number", 18, True), _id("person_id", False), _int("amount_fen"),
        _text("year", 4, True), _text("received_on", 10, True), _text("source", 120, True), _text("state", 12, True),
        _text("posted_month", 7)), indexes=("state", "person_id")),
    Table("settlement_line", "local", "hub", "what a month does to one person", ("scheme", "month", "person_id"), (
        _text("scheme", 30, True), _text("month", 7, True), _id("person_id"), _int("opening_fen"), _int("contribution_fen"),
        _int("subsidy_fen"), _int("basic_fen"), _int("account_fen"), _int("extra_fen"), _int("arrears_fen"), _int("from_account_fen"),
        _int("closing_fen"), _text("trace", 4000)), indexes=("person_id",)),
    Table("payment", "local", "hub", "one line of a bank batch", ("id",), (
        _id("id"), _text("scheme", 30, True), _text("month", 7, True), _text("batch", 40, True), _id("person_id"), _text("bank", 40, True),
        _text("account_no", 30, True), _text("holder", 60, True), _int("amount_fen"), _text("state", 12, True), _text("reason", 200)),
        indexes=("scheme, month", "person_id"), unique=("scheme, month, person_id, batch",)),
    Table("journal_entry", "local", "hub", "double entry, one fund's books; never changed, only reversed", ("id",), (
        _id("id"), _text("fund", 30, True), _text("month", 7, True), _text("event", 40, True), _text("debit", 20, True),
        _text("credit", 20, True), _int("amount_fen"), _text("memo", 200), _text("at", 24, True), _id("reverses", False)),
        indexes=("fund, month",)),
    Table("import_run", "local", "hub", "each register file taken in: its hash, who, what came of it", ("id",), (
        _id("id"), _text("file_name", 200, True), _blob("file_hash", 32), _text("officer", 20, True), _text("at", 24, True),
        _int("rows"), _int("added"), _int("changed"), _int("unchanged"), _int("refused"))),
)

TABLES: dict[str, Table] = {t.name: t for t in FACTS + REGISTRY + REFERENCE + LOCAL}
TRAVELLING = {t.name: t for t in FACTS + REGISTRY + REFERENCE}
CHANNEL = {"fact": "evt", "registry": "reg", "reference": "ref"}


def on_side(side: str) -> list[Table]:
    """The tables that a database of that side ('node' or 'hub') holds."""
    return [t for t in TABLES.values() if t.side in ("both", side)]


def triggers(side: str) -> list[str]:
    """Rules the data layer enforces itself, whatever the code above does."""
    out = [
        "CREATE TRIGGER fact_never_changes BEFORE UPDATE OF id, origin, epoch, seq, prev, hash, kind, version, subject, officer, "
        "stated_at, body, signature ON fact BEGIN SELECT RAISE(ABORT, 'a fact is never changed'); END",
        "CREATE TRIGGER fact_is_received_once BEFORE UPDATE OF received_at ON fact WHEN OLD.received_at IS NOT NULL "
        "BEGIN SELECT RAISE(ABORT, 'a fact is received once'); END",
        "CREATE TRIGGER fact_never_goes BEFORE DELETE ON fact BEGIN SELECT RAISE(ABORT, 'a fact is never deleted'); END",
    ]
    if side == "hub":
        out += _HUB_TRIGGERS
    return out


_HUB_TRIGGERS = [
    # Four eyes per case, not per role: whoever did one step of a case may not do another one, in any round.
    "CREATE TRIGGER four_eyes BEFORE INSERT ON case_step WHEN EXISTS (SELECT 1 FROM case_step s WHERE "
    "s.case_id = NEW.case_id AND s.officer = NEW.officer AND s.step <> NEW.step) "
    "BEGIN SELECT RAISE(ABORT, 'four_eyes'); END",
    "CREATE TRIGGER step_never_changes BEFORE UPDATE ON case_step BEGIN SELECT RAISE(ABORT, 'a step is never changed'); END",
    "CREATE TRIGGER step_never_goes BEFORE DELETE ON case_step BEGIN SELECT RAISE(ABORT, 'a step is never deleted'); END",
    "CREATE TRIGGER no_own_relatives BEFORE INSERT ON case_step WHEN EXISTS (SELECT 1 FROM hub_case c JOIN relative r ON "
    "r.person_id = c.person_id WHERE c.id = NEW.case_id AND r.operator_no = NEW.officer) "
    "BEGIN SELECT RAISE(ABORT, 'relative'); END",
    "CREATE TRIGGER journal_never_changes BEFORE UPDATE ON journal_entry BEGIN SELECT RAISE(ABORT, 'post a reversal instead'); END",
    "CREATE TRIGGER journal_never_goes BEFORE DELETE ON journal_entry BEGIN SELECT RAISE(ABORT, 'post a reversal instead'); END",
    "CREATE TRIGGER journal_amount BEFORE INSERT ON journal_entry WHEN NEW.debit = NEW.credit "
    "BEGIN SELECT RAISE(ABORT, 'debit and credit are the same account'); END",
]
