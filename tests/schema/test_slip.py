# SPDX-License-Identifier: Apache-2.0
"""What stands beside the receipt number of a slip."""

from __future__ import annotations

from schema import slip


def test_check_codes_can_be_read_aloud_and_belong_to_one_fact() -> None:
    codes = {slip.check_code(bytes([n]) * 32) for n in range(200)}
    assert len(codes) == 200
    assert all(len(code) == 7 and code[4] == "-" and not set(code) & set("01ILOU") for code in codes)


def test_the_check_address_holds_number_and_code_and_nothing_else() -> None:
    address = slip.check_address("https://hub.example:8443/", "0100-1-26-000417-3", "7K4M-2Q")
    assert address == "https://hub.example:8443/check?no=0100-1-26-000417-3&code=7K4M-2Q"
