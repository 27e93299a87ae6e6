# SPDX-License-Identifier: Apache-2.0
"""What each code of an exchange means to a person, Chinese and English: one table for both sides."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    # the session
    "unreachable": ("连不上中心，稍后自动重试，数据都在本机", "The hub does not answer; tried again, nothing is lost"),
    "timeout": ("中心没有及时回答，稍后自动重试", "The hub did not answer in time; it is tried again"),
    "tls": ("中心的身份证书不对，没有连接", "The hub's TLS certificate does not hold; not connected"),
    "revoked": ("本站已被中心注销，不能同步，请联系县中心", "This station was revoked; ask the county hub"),
    "unknown_node": ("中心没有登记本站，请联系县中心", "The hub does not know this station; ask the county hub"),
    "rebase": ("本机数据和中心的记录接不上（换过或恢复过磁盘？），需要技术员重新装载",
               "This database does not continue what the hub has (disk restored or copied?): load it anew"),
    "hub_behind": ("中心的记录比本站已确认的旧，请联系县中心", "The hub is behind what it signed for; ask the county"),
    "frozen": ("中心发现本站有两份不同的数据，已暂停接收，请联系县中心",
               "The hub got two different histories of this station and has frozen it; ask the county hub"),
    "upgrade": ("本站软件太旧，请先升级", "This station's software is too old: upgrade first"),
    "overload": ("中心正忙，稍后自动重试", "The hub is busy; it is tried again"),
    "token": ("会话已过期，将重新连接", "The session has run out; connecting again"),
    "gap": ("中心缺少前面的数据，将从那里重发", "The hub lacks an earlier frame; it is sent from there"),
    "held": ("有一批数据被中心整体拒收，暂不重发，请联系技术员", "A frame was refused as a whole and is held back"),
    "pull_refused": ("中心发来的一批数据不对，没有采用，请联系县中心",
                     "Data from the hub did not pass the checks and was not used; ask the county hub"),
    "moved": ("中心又有了新数据，下次再核对", "The hub has newer data by now; compared again next time"),
    "unequal": ("核对时与中心不一致，已改为中心的值；本机原来的值留在这里",
                "Differed from the hub when compared and now holds the hub's value; what stood here is kept"),
    "no_snapshot": ("数据不多，直接逐页下载", "Not much to fetch: it comes page by page"),
    "snapshot_gone": ("中心已换了新的整包，将重新下载", "The hub has a newer snapshot; fetching starts anew"),
    "internal": ("中心出错，稍后自动重试", "The hub failed; it is tried again"),
    "not_found": ("中心没有这个地址，软件版本可能不一致", "The hub has no such address; versions may differ"),
    # certificates and signatures
    "certificate_form": ("证书格式不对", "The certificate is malformed"),
    "certificate_signature": ("证书不是县中心签发的", "The certificate was not issued by this county"),
    "certificate_expired": ("证书已过期，请联系县中心换发", "The certificate has run out; ask the county hub"),
    "certificate_not_yet": ("证书还没有生效", "The certificate is not in force yet"),
    "certificate_superseded": ("证书已被新的取代", "The certificate was replaced by a newer one"),
    "certificate_mismatch": ("证书和中心登记的不一致", "The certificate does not match the hub's record"),
    "signature": ("签名不对", "The signature does not hold"),
    "receipt": ("中心的回执不对", "The hub's receipt does not hold"),
    # whole frames
    "size": ("数据太大", "Too large"),
    "magic": ("不是 S1 数据", "Not an S1 frame"),
    "header": ("数据头不对", "The header is malformed"),
    "payload": ("内容不对", "The payload is malformed"),
    "address": ("数据和地址不符", "The frame does not belong to this address"),
    "schema": ("数据版本不认识", "The schema version is unknown"),
    "chain": ("前后接不上：中间缺了或换了记录", "Does not continue the record before it"),
    # bundles on a stick or through a relay
    "bundle": ("文件损坏、不完整，或不是本县签发的，请重新导出、重新拷贝",
               "The file is damaged, incomplete or not this county's: export and copy it again"),
    "bundle_recipient": ("这个文件不是给这里的", "This file is for somebody else"),
    "bundle_epoch": ("这个文件是给本机重新装载以前的数据库的，请重新导出",
                     "This file is for the database before it was loaded anew: export again"),
    # single items
    "arity": ("记录格式不对", "The record is malformed"),
    "table": ("不能发送这种记录", "Records of this kind may not be sent"),
    "column": ("没有这一项，或本站不能写", "No such column, or not writable by stations"),
    "range": ("版本号超出范围", "A version number is out of range"),
    "sentinel": ("不能删除名册记录", "Register rows may not be deleted"),
    "tombstone": ("记录已删除", "The row is deleted"),
    "null": ("必填项为空", "A required value is missing"),
    "type": ("值的类型不对", "The value has the wrong type"),
    "length": ("值太长", "The value is too long"),
    "characters": ("含有不能用的字符", "The value contains forbidden characters"),
    "format": ("值的格式不对", "The value has the wrong form"),
    "not_in_slice": ("此人不在本站范围内", "This person is not in the station's slice"),
    "left_slice": ("此人已迁出本站范围，修改没有直接生效，已交县里审核",
                   "This person has left the station's slices; the change was put before a reviewer at the hub"),
    "database": ("数据库拒绝了这条记录", "The database refused the row"),
    "op": ("不支持这种操作", "This operation is not supported"),
    "conflict_form": ("冲突记录格式不对", "The conflict record is malformed"),
    # facts
    "fact_form": ("事件格式不对", "The fact is malformed"),
    "origin": ("事件不是本站的", "The fact is not this station's"),
    "kind": ("这种事件不能由这一方提出", "This kind of fact may not be stated by this side"),
    "officer_unknown": ("中心没有这个工号", "The hub does not know this officer"),
    "officer_disabled": ("工号已停用", "The officer is disabled"),
    "officer_station": ("工号不属于本站", "The officer does not belong to this station"),
    "officer_signature": ("经办人签名不对", "The officer's signature does not hold"),
    "id_reused": ("事件编号重复", "The fact's id was used before"),
    "intake_failed": ("中心处理时出错，已留存待查", "The hub failed on it; it is kept for inspection"),
}  # fmt: skip


def words(code: str) -> tuple[str, str]:
    """(zh, en) of a code; an unknown code is shown as it is, never hidden."""
    return WORDS.get(code, (f"出错：{code}", f"Error: {code}"))
