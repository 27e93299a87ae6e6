# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between a reader and a page, and what the clerk is told to do. One table, in both languages."""

from __future__ import annotations

from schema.errors import TownshipError

# code: (zh, en). The words say what is and then what to do; the card's holder may be reading along.
WORDS = {
    "no_driver": (
        "本机没有装读卡程序（pyscard），可以手工输入证号。请让技术员重新安装",
        "The card program (pyscard) is not installed here. Type the ID number; have the kit installed again",
    ),
    "no_service": (
        "读卡服务没有运行，可以手工输入证号。请让技术员启动 pcscd",
        "The reader service is not running. Type the ID number; have pcscd started",
    ),
    "service_stuck": (
        "读卡服务没有回应，可以手工输入证号。请拔下读卡器再插上，仍不行就重启电脑",
        "The reader service does not answer. Type the ID number; unplug the reader and plug it in again",
    ),
    "no_reader": (
        "读卡器没有接上，可以手工输入证号",
        "Reader not connected. You can type the ID number",
    ),
    "removed": (
        "卡拿得太早，什么也没有留下。请再放一次，看到姓名再拿走",
        "The card was taken away too early; nothing was kept. Put it back and wait for the name",
    ),
    "changed": (
        "读到一半换了卡，已全部丢弃。请只放一张卡，再放一次",
        "The card was changed in the middle of reading; everything was dropped. Put one card on, once more",
    ),
    "disturbed": (
        "卡被重新上电或接触不好，已全部丢弃。请拿下来擦一擦芯片，再放一次",
        "The card was reset or lost contact; everything was dropped. Take it off, wipe the chip, put it back",
    ),
    "mute": (
        "卡没有反应：可能放反了、芯片脏了，或卡坏了。请翻面擦净再放；仍不行请手工输入证号",
        "The card does not answer: wrong way up, dirty or broken. Turn it, wipe it, try again, or type the ID number",
    ),
    "hung": (
        "卡太久没有回应，已停止读取。请拿下来再放；仍不行请手工输入证号",
        "The card took too long; reading was stopped. Take it off and put it back, or type the ID number",
    ),
    "in_use": (
        "读卡器正被别的程序占用（如网银）。请关掉那个程序，再放卡",
        "Another program uses the reader (a bank's, for instance). Close it, then put the card back",
    ),
    "not_ssc": (
        "这不是社保卡（可能是银行卡、身份证），或放反了。请换成社保卡，翻面再放",
        "Not a social security card (a bank or ID card perhaps), or the wrong way up. Turn it over or take another",
    ),
    "blocked": (
        "这张卡已被锁住，读不到。请核对身份证，手工输入证号，并告知持卡人去服务网点",
        "This card is blocked. Check the ID card and type the number; send the holder to the service point",
    ),
    "protected": (
        "这张卡的证号受保护，读不到。请核对身份证，手工输入证号",
        "The ID number on this card is protected and cannot be read. Check the ID card and type the number",
    ),
    "unreadable": (
        "卡上的内容不合规范，没有采用。请核对身份证，手工输入证号",
        "What the card holds does not follow the standard; nothing was taken. Check the ID card and type the number",
    ),
}  # fmt: skip


class CardProblem(TownshipError):
    """A card or reader that gave no reading; nothing read so far is kept. `code` is a key of WORDS."""

    def __init__(self, code: str) -> None:
        zh, en = WORDS[code]
        super().__init__(zh, en, code=code)
