# SPDX-License-Identifier: Apache-2.0
"""A register file taken in: what is new, changes, or is refused and why; a second time it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.importing import refused, register
from hub.importing.register import Summary
from schema import database, events, view
from schema.clock import FixedClock
from schema.database import Store
from schema.errors import NotAllowed
from schema.ids import new_id
from schema.sheets import WEB
from tests.hub.importing.conftest import VILLAGE, number, person

WriteFile = Callable[..., Path]
TakeIn = Callable[[Path], Summary]


def counts(summary: Summary) -> tuple[int, int, int, int]:
    return summary.count("new"), summary.count("changed"), summary.count("unchanged"), summary.count("refused")


def rows(store: Store, table: str) -> list[dict[str, Any]]:
    with store.read() as db:
        return [dict(row) for row in db.execute(f"SELECT * FROM {table}")]


def codes_of(summary: Summary) -> list[set[str]]:
    return [{f.code for f in one.findings if f.severity == "block"} for one in summary.refused]


def test_a_new_person_comes_in_with_everything_the_line_says(
    store: Store, write_file: WriteFile, take_in: TakeIn, clock: FixedClock
) -> None:
    line = person("19620310", 7, "陈桂英", 民族="畲族", 待遇金额="480.94", 开户银行="嵊州农商银行",
                  银行账号="6228 5806 9912 3456", 开户人="陈桂英")  # fmt: skip
    summary = take_in(write_file([line]))
    assert counts(summary) == (1, 0, 0, 0)
    with store.read() as db:
        who = view.person_view(db, view.find_by_id_number(db, number("19620310", 7)), clock.today())
    assert who is not None
    assert (who.person["name"], who.person["initials"], who.person["sex"], who.person["ethnic"]) == (
        "陈桂英",
        "cgy",
        "1",
        "22",
    )
    assert (who.contact["phone"], who.contact["address_village"]) == ("13857582046", VILLAGE)
    assert (who.enrolments[0]["state"], who.enrolments[0]["began_month"], who.enrolments[0]["grade_fen"]) == (
        "active",
        "2012-03",
        50000,
    )
    assert (who.account["balance_fen"], who.account["paid_months"], who.account["as_of_month"]) == (
        1820000,
        156,
        "2026-10",
    )
    assert (who.benefits[0]["basic_fen"], who.benefits[0]["paid_through"]) == (48094, "2026-10")
    assert who.bank_account["account_no"] == "6228580699123456"


def test_stations_of_the_township_are_told(store: Store, write_file: WriteFile, take_in: TakeIn) -> None:
    take_in(write_file([person()]))
    fed = {(row["slice"], row["tbl"]) for row in rows(store, "slice_feed")}
    assert {("330683100", table) for table in ("person", "contact", "enrolment", "account")} <= fed


@pytest.mark.parametrize("name", ["register.xlsx", "register.csv"])
def test_the_same_file_again_changes_nothing(store: Store, write_file: WriteFile, take_in: TakeIn, name: str) -> None:
    lines = [person(serial=n, name=f"王{c}", 户号="A1", 待遇金额="300", 开户银行="农商", 银行账号="62285806991234",
                    开户人=f"王{c}") for n, c in enumerate("甲乙丙", 1)]  # fmt: skip
    path = write_file(lines, name, header=(*lines[0], "户号") if "户号" not in lines[0] else tuple(lines[0]))
    assert counts(take_in(path)) == (3, 0, 0, 0)
    before = rows(store, "slice_feed")
    assert counts(take_in(path)) == (0, 0, 3, 0)
    assert rows(store, "slice_feed") == before


def test_a_preview_tells_the_same_and_writes_nothing(store: Store, write_file: WriteFile, clock: FixedClock) -> None:
    summary = register.preview(store, write_file([person(), person(serial=2, 姓名="")]), WEB, clock)
    assert counts(summary) == (1, 0, 0, 1)
    assert rows(store, "person") == rows(store, "import_run") == rows(store, "fact") == []


def test_a_change_names_the_columns_before_and_after(store: Store, write_file: WriteFile, take_in: TakeIn) -> None:
    take_in(write_file([person()]))
    summary = take_in(write_file([person(移动电话="13900001111", 缴费档次="1000")]))
    assert counts(summary) == (0, 1, 0, 0)
    shown = {(c.column, c.before, c.after) for c in summary.samples["changed"][0].changes}
    assert shown == {("phone", "13857582046", "13900001111"), ("grade", "500.00", "1,000.00")}


def test_an_empty_cell_clears_nothing(store: Store, write_file: WriteFile, take_in: TakeIn) -> None:
    take_in(write_file([person()]))
    assert counts(take_in(write_file([person(移动电话="", 常住地址="", 账户余额="", 缴费月数="")]))) == (0, 0, 1, 0)
    assert rows(store, "contact")[0]["phone"] == "13857582046"


def test_a_person_is_found_by_the_15_digits_as_well(store: Store, write_file: WriteFile, take_in: TakeIn) -> None:
    take_in(write_file([person("19700515", 1)]))
    old = number("19700515", 1)
    summary = take_in(write_file([person(身份证号=old[:6] + old[8:17])]))
    assert counts(summary) == (0, 0, 1, 0)


def test_a_register_that_knows_only_15_digits_is_completed(
    store: Store, write_file: WriteFile, take_in: TakeIn
) -> None:
    full = number("19700515", 1)
    with store.write() as db:
        old = {"id": new_id(), "id_number": full[:6] + full[8:17], "name": "张建国", "sex": "1",
               "birth_on": "1970-05-15", "village": VILLAGE, "life_status": "1", "rev": 0}  # fmt: skip
        database.insert(db, "person", old)
    assert counts(take_in(write_file([person("19700515", 1)]))) == (0, 1, 0, 0)
    assert [(p["id"], p["id_number"]) for p in rows(store, "person")] == [(old["id"], full)]


def test_lines_of_one_person_are_all_refused_with_their_numbers(
    store: Store, write_file: WriteFile, take_in: TakeIn
) -> None:
    full = number("19700515", 1)
    summary = take_in(write_file([person(), person(serial=5), person(身份证号=full[:6] + full[8:17])]))
    assert counts(summary) == (1, 0, 0, 2)
    assert codes_of(summary) == [{"id_twice_in_file"}, {"id_twice_in_file"}]
    assert "2、4" in summary.refused[0].findings[-1].zh


def test_all_that_is_wrong_with_a_line_is_said_at_once(store: Store, write_file: WriteFile, take_in: TakeIn) -> None:
    line = person(身份证号="330683199801010019", 姓名="", 村社区编码="999999999", 账户余额="很多", 参保状态="也许",
                  缴费月数="-3", 开户银行="农商")  # fmt: skip
    summary = take_in(write_file([line]))
    assert codes_of(summary) == [{"id_check_digit", "required", "village_unknown", "money_form", "code_unknown",
                                  "count_form", "bank_incomplete"}]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"性别": "女"}, "sex_differs"),
        ({"出生日期": "1970-05-16"}, "birth_differs"),
        ({"开户银行": "农商", "银行账号": "62285806991234", "开户人": "李四"}, "holder_differs"),
        ({"参保险种": ""}, "insurance_missing"),
        ({"村社区编码": ""}, "village_missing"),
        ({"身份证号": "3.30683197005150E+17"}, "id_lost_digits"),
        ({"姓名": "张3"}, "name_characters"),
        ({"账户余额": "99,999,999,999"}, "amount_range"),
        ({"待遇金额": "3000000"}, "amount_range"),
    ],
)
def test_what_refuses_a_line(
    store: Store, write_file: WriteFile, take_in: TakeIn, cells: dict[str, str], code: str
) -> None:
    summary = take_in(write_file([person(**cells)]))
    assert codes_of(summary) == [{code}]
    assert rows(store, "person") == []


def test_a_wrong_phone_costs_the_phone_and_not_the_line(store: Store, write_file: WriteFile, take_in: TakeIn) -> None:
    summary = take_in(write_file([person(移动电话="1385758204")]))
    assert counts(summary) == (1, 0, 0, 0)
    assert summary.codes == {"phone_length": 1}
    assert rows(store, "contact")[0]["phone"] is None


def test_a_village_nobody_listed_is_taken_when_its_township_is_known(
    store: Store, write_file: WriteFile, take_in: TakeIn
) -> None:
    summary = take_in(write_file([person(村社区编码="330683100777"), person(serial=3, 村社区编码="330683999777")]))
    assert counts(summary) == (1, 0, 0, 1)
    assert summary.codes == {"village_unlisted": 1, "village_unknown": 1}
    assert rows(store, "person")[0]["village"] == "330683100777"


def test_a_phone_written_with_other_signs_is_the_same_phone(
    store: Store, write_file: WriteFile, take_in: TakeIn
) -> None:
    take_in(write_file([person(移动电话="057582333681")]))
    with store.write() as db:
        database.update(db, "contact", {"id": rows(store, "person")[0]["id"]}, {"phone": "0575-82333681"})
    assert counts(take_in(write_file([person(移动电话="0575 8233 3681")]))) == (0, 0, 1, 0)


def test_a_register_without_the_old_form_of_a_number_is_not_changed_for_it(
    store: Store, write_file: WriteFile, take_in: TakeIn
) -> None:
    take_in(write_file([person()]))
    with store.write() as db:
        database.update(db, "person", {"id": rows(store, "person")[0]["id"]}, {"id_number_15": None})
    assert counts(take_in(write_file([person()]))) == (0, 0, 1, 0)


def test_a_village_of_the_address_alone_is_no_change(store: Store, write_file: WriteFile, take_in: TakeIn) -> None:
    take_in(write_file([person()]))
    with store.write() as db:
        database.update(db, "contact", {"id": rows(store, "person")[0]["id"]}, {"address_village": None})
    assert counts(take_in(write_file([person()]))) == (0, 0, 1, 0)


def test_a_register_this_system_wrote_names_households_by_their_id(
    store: Store, write_file: WriteFile, take_in: TakeIn
) -> None:
    book = new_id()
    take_in(write_file([person(户号=book.hex())], header=(*person(), "户号")))
    assert rows(store, "person")[0]["household_id"] == rows(store, "household")[0]["id"] == book


def test_a_former_village_leads_to_its_successor(store: Store, write_file: WriteFile, take_in: TakeIn) -> None:
    summary = take_in(write_file([person(村社区编码="330683100299")]))
    assert summary.codes == {"village_former": 1}
    assert rows(store, "person")[0]["village"] == "330683100202"


def test_refused_lines_come_back_in_a_file_that_can_be_mended_and_fed_again(
    store: Store, write_file: WriteFile, take_in: TakeIn, tmp_path: Path
) -> None:
    summary = take_in(write_file([person(), person(serial=2, name="李四", 账户余额="约一万")]))
    out = tmp_path / "refused.csv"
    refused.write(out, summary.header, summary.refused)
    text = out.read_text("utf-8-sig")
    assert text.startswith("拒收原因,行号,身份证号,姓名")
    assert "「约一万」不是金额" in text
    assert "张建国" not in text
    out.write_text(text.replace("约一万", "10000"), "utf-8-sig")
    assert counts(take_in(out)) == (1, 0, 0, 0)
    assert counts(take_in(out)) == (0, 0, 1, 0)


def test_refused_lines_fed_again_unmended_are_refused_again(
    store: Store, write_file: WriteFile, take_in: TakeIn, tmp_path: Path
) -> None:
    first = take_in(write_file([person(姓名="=HYPERLINK(1)", 移动电话="+8613857582046")], "register.csv"))
    out = tmp_path / "refused.xlsx"
    refused.write(out, first.header, first.refused)
    again = take_in(out)
    assert codes_of(again) == codes_of(first) == [{"name_characters"}]
    assert again.refused[0].line.cells[3] == "=HYPERLINK(1)"


def test_the_run_is_recorded_and_signed(
    store: Store, write_file: WriteFile, take_in: TakeIn, key: Ed25519PrivateKey
) -> None:
    summary = take_in(write_file([person(), person(serial=2, 姓名="")]))
    run = rows(store, "import_run")[0]
    assert (run["officer"], run["rows"], run["added"], run["refused"]) == ("2007", 2, 1, 1)
    with store.read() as db:
        fact = events.of_subject(db, summary.file_hash[:16])[0]
    fact.verify(key.public_key().public_bytes_raw())
    assert (fact.kind, fact.body["added"], fact.body["run"]) == ("register_imported", 1, run["id"])


def test_an_officer_without_the_role_writes_nothing(
    store: Store, write_file: WriteFile, key: Ed25519PrivateKey, clock: FixedClock
) -> None:
    with store.write() as db:
        database.update(db, "officer", {"operator_no": "2007"}, {"roles": "accept"})
    with pytest.raises(NotAllowed):
        register.apply(store, write_file([person()]), WEB, "2007", key, clock)
    assert rows(store, "person") == []


def test_a_settled_account_is_not_overwritten_by_an_old_file(
    store: Store, write_file: WriteFile, take_in: TakeIn
) -> None:
    path = write_file([person()])
    take_in(path)
    with store.write() as db:
        owner = {"person_id": rows(store, "person")[0]["id"], "insurance": "resident_pension"}
        database.update(db, "account", owner, {"balance_fen": 1900000, "as_of_month": "2026-11"})
        zero = dict.fromkeys(("contribution_fen", "subsidy_fen", "benefit_fen", "from_account_fen", "balance_fen"), 0)
        database.insert(db, "statement", owner | zero | {"month": "2026-11", "rev": 0})
    summary = take_in(path)
    assert (counts(summary), dict(summary.codes)) == ((0, 0, 1, 0), {"account_settled": 1})
    assert rows(store, "account")[0]["balance_fen"] == 1900000


def test_amounts_do_not_move_under_a_month_that_waits_for_payment(
    store: Store, write_file: WriteFile, take_in: TakeIn
) -> None:
    take_in(write_file([person()]))
    with store.write() as db:
        month = {"scheme": "resident_pension", "month": "2026-11", "state": "computed", "computed_by": "2001"}
        database.insert(db, "period", month)
        database.update(db, "period", {"month": "2026-11"}, {"state": "approved", "approved_by": "2002"})
    summary = take_in(write_file([person(账户余额="1"), person(serial=9, name="新来人")]))
    assert counts(summary) == (1, 0, 0, 1)
    assert codes_of(summary) == [{"month_waits"}]


def test_a_total_equal_to_the_parts_known_here_changes_nothing(
    store: Store, write_file: WriteFile, take_in: TakeIn
) -> None:
    parts = {"基础养老金": "350", "个人账户养老金": "130.94"}
    header = (*person(), *parts)
    take_in(write_file([person(**parts)], header=header))
    assert counts(take_in(write_file([person(待遇金额="480.94")]))) == (0, 0, 1, 0)
    assert rows(store, "benefit")[0]["account_fen"] == 13094


def test_field_names_of_the_national_tables_are_understood(
    store: Store, write_file: WriteFile, take_in: TakeIn
) -> None:
    line = {
        "AAC001": "88", "AAC002": number("19700515", 1), "AAC003": "张建国", "AAC004": "1", "AAC005": "01",
        "AAC006": "19700515", "AAE006": "施家岙", "AAC067": "13857582046", "AAB301": VILLAGE, "AAE140": "170",
        "AAC008": "1", "XYZ": "?",
    }  # fmt: skip
    summary = take_in(write_file([line], header=tuple(line)))
    assert counts(summary) == (1, 0, 0, 0)
    assert summary.columns is not None and summary.columns.unknown == ("XYZ",)
    assert rows(store, "enrolment")[0]["insurance"] == "resident_pension"
