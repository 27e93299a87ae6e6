# SPDX-License-Identifier: Apache-2.0
"""Pages made of every macro and layout, with invented people: for looking, and for the tests of look and keys."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from markupsafe import Markup

from schema.findings import Finding

gallery = Blueprint("gallery", __name__, url_prefix="/gallery")

PAGES = ("counter", "person", "form", "desk", "compare", "console", "macros", "slip")
FORM_FINDINGS = [
    Finding("id_check", "block", "resident_id", "身份证号至少有一位不对。请对照证件逐位看，或放卡读取。",
            "At least one digit of the ID number is wrong. Compare digit by digit, or read the card."),
    Finding("holder", "block", "holder", "开户人要和参保人是同一人，这里是「陈贵英」。请核对存折。",
            "The account holder must be the insured person; this says 陈贵英. Check the bank book."),
    Finding("phone", "block", "phone", "手机号少一位，应是 11 位。没有手机可留空。",
            "Phone number is one digit short of 11. Leave empty if there is none."),
    Finding("missing", "block", "material:household", "还缺：户口簿本人页。可以先存草稿，或打印一次性告知单。",
            "Missing: household book page. Keep a draft or print the notice."),
    Finding("both", "review", "from_month", "名册里她 2026-10 还在职工养老缴费。两边不能同月参保，中心会核对。",
            "Still paying employee pension in 2026-10. Both in one month are not allowed; the hub will check."),
]  # fmt: skip
CASES = [
    {"at": f"2026-11-23T01:{38 - 3 * n:02d}:00.000Z", "number": f"0100-1-26-{417 - n:06d}-{n % 10}", "name": name,
     "item": item, "legal": ("provisional", "final", "received")[n % 3], "sent": "unsent" if n % 4 else "acknowledged"}
    for n, (name, item) in enumerate([
        ("陈桂英", "居民养老参保登记"), ("吕招娣", "待遇领取资格认证"), ("嵊州市甘霖兴达领带厂", "职工增员（3 人）"),
        ("周建根", "居民养老待遇领取申请"), ("钱小芳", "失业登记"), ("裘水根", "银行账号变更"), ("张俊格", "求职登记"),
        ("马仁富", "社保卡挂失"), ("宋月仙", "居民医保参保缴费"), ("史美琴", "异地就医备案"),
        ("沈百根", "个人信息变更（电话）"), ("任阿毛", "权益记录打印"),
    ])
]  # fmt: skip
PEOPLE = [
    ("张建国", "33068319650812001X", "苍岩村", "居民养老 领取中"),
    ("章金国", "330683197905271158", "施家岙村", "职工养老 参保缴费"),
    ("郑俊刚", "330683199112242313", "东王村", "灵活就业 参保缴费"),
]
QR = Markup(
    '<svg viewBox="0 0 8 8" role="img" aria-label="QR">'
    '<path d="M0 0h3v3H0zM5 0h3v3H5zM0 5h3v3H0zM4 4h1v1H4zM6 5h1v2H6z"/></svg>'
)


@gallery.app_context_processor
def page_variables() -> dict[str, Any]:
    """What node and hub give their pages."""
    names = {
        "station": ["柜台", "办事项", "人员", "单位", "求职招聘", "走访认证", "待上报", "报表"],
        "hub": ["工作台", "审核台", "冲突", "风险", "结算", "站点", "人员单位", "工作量", "参数"],
    }
    place = "hub" if request.path.rsplit("/", 1)[-1] in ("desk", "compare", "console") else "station"
    brand = {"station": ("劳动保障窗口", "甘霖镇劳动保障所 · 站点 0100-1"), "hub": ("劳动保障中心", "嵊州市 · 中心端")}[
        place
    ]
    sections = [
        {"url": "/", "label": name, "count": {"待上报": 37, "审核台": 126, "冲突": 7}.get(name), "current": n == 0}
        for n, name in enumerate(names[place])
    ]
    return {"brand_title": brand[0], "brand_place": brand[1], "sections": sections, "place": place,
            "search_url": "/gallery/find"}  # fmt: skip


@gallery.get("/<name>")
def page(name: str) -> str:
    """One of PAGES."""
    return render_template(
        f"gallery/{name}.html",
        findings=FORM_FINDINGS,
        cases=CASES,
        qr=QR,
        legal=request.args.get("legal", "provisional"),
    )


@gallery.post("/form")
def form() -> dict[str, list[str]]:
    """What a form sent, for looking at it."""
    return {key: values for key, values in request.form.lists() if key != "csrf_token"}


@gallery.post("/find")
@gallery.post("/people")
def find() -> str:
    """Everybody whose name or initials were typed; nobody for anything else."""
    wanted = request.form.get("q", "")
    found = PEOPLE if wanted.startswith(("zjg", "张")) else []
    return render_template("gallery/hits.html", people=found, pick_one=request.path.endswith("people"))
