# SPDX-License-Identifier: Apache-2.0
"""`township-provision`: make a hub, make stations, fill a synthetic county."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path

import click

from provisioning import console, hub_folder, revocation, station
from provisioning import doctor as diagnosis
from provisioning import install as installation
from provisioning.county import dirt, export, load, places
from provisioning.county.register import Register
from provisioning.kit import Kit
from schema import parameter, period, programs
from schema.clock import SystemClock
from sync.wire.transport_http import Http

CLOCK = SystemClock()


@click.group(cls=programs.Commands)
def main() -> None:
    """县中心和站点的装配。 Make a hub and its stations.

    \b
    顺序 / in this order:
      township-provision init-hub HUB --name 嵊州市社保中心 --port 8443
      township-provision county HUB --persons 20000           (演示数据 / for a demonstration)
      township-provision new-station HUB 0100-1 --name 甘霖镇劳动保障所 --township 330683100
      township-provision install HUB/kits/0100-1 --dir STATION   (在站点 / at the station)
    """


@main.command("init-hub")
@click.argument("folder", type=console.folder_argument)
@click.option("--name", required=True, help="中心名称。 Name of the hub.")
@click.option("--name-en", default="County hub", show_default=True, help="英文名称。 Its English name.")
@click.option("--host", default="127.0.0.1", show_default=True, help="监听的主机。 Host name or address it serves.")
@click.option("--port", type=int, required=True, help="端口。 Port it serves.")
@click.option("--url", help="站点用的地址，默认 https://主机:端口。 Address stations use.")
@programs.unlock_option
@console.json_option
def init_hub(
    folder: Path, name: str, name_en: str, host: str, port: int, url: str | None, unlock_file: str | None, as_json: bool
) -> None:
    """新建中心文件夹 FOLDER：设置、密钥、TLS 证书、加密数据库。已有的文件夹不会动。

    Make the hub's folder: settings, sealed keys, its own TLS authority, encrypted database. An existing one is refused.
    """
    config = hub_folder.config_for(name, name_en, host, port, url)
    home = hub_folder.init_hub(folder, config, console.new_passphrase(unlock_file), CLOCK)
    next_steps = (
        f"中心已建好：{home.path}（{config.url}）\n"
        "请把口令收好：没有它，数据库谁也打不开。把 tls/ca.pem 导入办公电脑的浏览器。\n下一步：\n"
        f"  township-hub officer add --dir {home.path} …        建立人员工号\n"
        f"  township-provision new-station {home.path} 0100-1 …  建立站点\n"
        f"  township-hub run --dir {home.path}                  启动\n"
        "The hub is made. Keep the passphrase: without it nobody opens the database. Import tls/ca.pem into the office "
        "browsers. Next: officers, stations, run."
    )
    console.report(as_json, {"folder": str(home.path), "url": config.url, "ca": str(home.ca_file)}, next_steps)


@main.command("new-station")
@click.argument("hub", type=console.folder_argument)
@click.argument("station_id", metavar="ID")
@click.option("--name", required=True, help="站点名称。 Name of the station.")
@click.option("--name-en", help="英文名称。 Its English name.")
@click.option("--township", required=True, help="乡镇代码 9 位，如 330683100。 Township code, 9 digits.")
@click.option("--more-slices", multiple=True, metavar="CODE", help="还办理的乡镇，可多次。 Further townships.")
@click.option("--phone", default="", help="电话。 Phone.")
@click.option("--port", type=int, default=8400, show_default=True, help="站点本机端口。 Port on its own machine.")
@click.option("--days", type=int, help="证书有效天数，默认 730。 Lifetime of the certificate in days.")
@click.option("--code-days", type=int, help="注册码有效天数，默认 14。 Lifetime of the enrolment code in days.")
@click.option("--out", type=console.folder_argument, help="安装包文件夹，默认 HUB/kits/ID。 Folder of the kit.")
@programs.unlock_option
@console.json_option
def new_station(
    hub: Path, station_id: str, name: str, name_en: str | None, township: str, more_slices: tuple[str, ...], phone: str,
    port: int, days: int | None, code_days: int | None, out: Path | None, unlock_file: str | None, as_json: bool,
) -> None:  # fmt: skip
    """登记站点 ID（如 0100-1），做出安装包。安装包里没有密钥，密钥在站点自己生成。

    Register station ID (such as 0100-1) and write its kit. The kit holds a one-time code and no key. For a station that
    never enrolled this makes a new kit, and the old code is void.
    """
    place = places.township(township)
    english = name_en or f"{place.name_en if place else township} {station_id}"
    wanted = station.NewStation(station_id, name, english, township, port, phone, more_slices, days, code_days)
    with hub_folder.opened(hub, programs.passphrase(unlock_file)) as opened:
        made = station.new_station(opened, wanted, out, CLOCK)
    values = {
        "station": station_id, "kit": str(made.kit), "slices": list(made.slices), "serial": made.serial,
        "not_after": made.not_after.isoformat(), "code_until": made.code_until.isoformat(),
    }  # fmt: skip
    text = (
        f"站点 {station_id} 已登记，证书到 {made.not_after}。安装包：{made.kit}\n"
        f"请在 {made.code_until} 前拷到站点，运行 township-provision install {made.kit.name} --dir 站点文件夹\n"
        f"Registered. Take the kit to the station and run install before {made.code_until}."
    )
    console.report(as_json, values, text)


@main.command()
@click.argument("hub", type=console.folder_argument)
@click.argument("kit", type=console.folder_argument)
@programs.unlock_option
@console.json_option
def certify(hub: Path, kit: Path, unlock_file: str | None, as_json: bool) -> None:
    """在中心给带回来的安装包签发证书（站点连不上中心时用）。

    At the hub: answer the request in a kit that came back from a station without a line.
    """
    with hub_folder.opened(hub, programs.passphrase(unlock_file)) as opened:
        path = station.certify(opened, Kit(kit), CLOCK)
    text = f"证书已签发：{path}\n请带回站点，再运行一次 install。\nSigned. Take the kit back and run install again."
    console.report(as_json, {"certificate": str(path)}, text)


@main.command()
@click.argument("kit", type=console.folder_argument)
@click.option("--dir", "folder", type=console.folder_argument, required=True, help="站点文件夹。 The station's folder.")
@programs.unlock_option
@console.json_option
def install(kit: Path, folder: Path, unlock_file: str | None, as_json: bool) -> None:
    """在站点用安装包 KIT 装出站点；连不上中心就留下请求文件，之后再运行一次接着装。

    At the station: make it from its kit. Without a line a request is left in the kit and the exit code is 2; run again
    to finish. Keys that exist are never made anew.
    """
    files = Kit(kit)
    started = (folder / "secrets.sealed").exists()
    secret = programs.passphrase(unlock_file) if started else console.new_passphrase(unlock_file)
    files.verify()
    with closing(Http(files.config().hub_url, files.ca_file)) as transport:
        done = installation.install(files, folder, secret, CLOCK, transport)
    if done.certificate is None:
        text = (
            f"站点的密钥和数据库已建好，还差证书：现在连不上中心。\n请把 {files.path} 整个带到县中心，运行\n"
            f"  township-provision certify 中心文件夹 {files.path.name}\n再带回来，重新运行同一条 install 命令。\n"
            "Keys and database are made; the hub cannot be reached for the certificate. Take the kit to the hub, run "
            "certify there, and run this command again."
        )
        console.report(as_json, {"state": "waiting", "request": str(done.request)}, text)
        sys.exit(2)
    text = (
        f"站点 {done.certificate.node} 已装好，证书到 {done.certificate.not_after}。\n"
        f"启动：township-node run --dir {folder}\nInstalled. Start it with township-node run --dir {folder}"
    )
    console.report(as_json, {"state": "installed", "station": done.certificate.node, "folder": str(folder)}, text)


@main.command()
@click.argument("hub", type=console.folder_argument)
@click.argument("station_id", metavar="ID")
@click.option("--reason", required=True, help="注销原因，会记下来。 Why; it is recorded.")
@programs.unlock_option
@console.json_option
def revoke(hub: Path, station_id: str, reason: str, unlock_file: str | None, as_json: bool) -> None:
    """注销站点 ID：从这一刻起中心拒收，并告知对方。不能撤回，编号不再使用。

    Revoke station ID for good: refused from this moment, and told so.
    """
    with hub_folder.opened(hub, programs.passphrase(unlock_file)) as opened:
        at = revocation.revoke(opened.store, station_id, reason, CLOCK)
    console.report(as_json, {"station": station_id, "revoked_at": at}, f"站点 {station_id} 已注销。 Revoked at {at}.")


@main.command()
@click.argument("hub", type=console.folder_argument, required=False)
@click.option("--persons", type=int, required=True, help="人数。 How many persons.")
@click.option("--seed", type=int, default=1, show_default=True, help="种子：同种子同数据。 Same seed, same data.")
@click.option("--month", help="数据截至哪个月末，默认上个月。 As of the end of which month; default last month.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="另存 CSV 名册。 Write a CSV.")
@programs.unlock_option
@console.json_option
def county(
    hub: Path | None, persons: int, seed: int, month: str | None, csv_file: Path | None, unlock_file: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """把一个虚构的县装进中心 HUB（人员全是编造的）；不给 HUB 时只写 CSV。

    Fill the hub with a synthetic county in which nobody is real; without HUB only --csv is written.
    """
    if hub is None and csv_file is None:
        raise click.UsageError("请给出中心文件夹或 --csv / name a hub folder or --csv")
    until = month or period.add_months(period.month_of(CLOCK.today()), -1)
    values: dict[str, object] = {"persons": persons, "seed": seed, "month": until}
    began = time.monotonic()
    if csv_file is not None:
        with console.persons_bar(persons, not as_json) as step:
            export.write(csv_file, _register(persons, seed, until), step)
        values["csv"] = str(csv_file)
    if hub is not None:
        register = _register(persons, seed, until)
        with (
            hub_folder.opened(hub, programs.passphrase(unlock_file)) as opened,
            console.persons_bar(persons, not as_json) as step,
        ):
            done = load.load(opened.store, register, step)
        values |= {"rows": done.rows, "dirt": done.dirt, "digest": done.digest, "fed": done.fed}
    values["seconds"] = round(time.monotonic() - began, 1)
    console.report(as_json, values, _county_text(values))


@main.command()
@click.argument("folder", type=console.folder_argument, required=False)
@programs.unlock_option
@console.json_option
def doctor(folder: Path | None, unlock_file: str | None, as_json: bool) -> None:
    """检查这台电脑，以及中心或站点的文件夹 FOLDER。有问题时退出码为 1。

    Check this machine and, if given, a hub's or station's folder. Exit code 1 when something is wrong.
    """
    findings = diagnosis.examine(folder, programs.passphrase(unlock_file) if folder else b"", CLOCK)
    values = [{"check": f.name, "ok": f.ok, "zh": f.zh, "en": f.en} for f in findings]
    text = "\n".join(f"{'✓' if f.ok else '✗'} {f.zh}  {f.en}" for f in findings)
    console.report(as_json, {"ok": all(f.ok for f in findings), "checks": values}, text)
    if not all(f.ok for f in findings):
        sys.exit(1)


def _register(persons: int, seed: int, month: str) -> Register:
    return Register(persons, seed, month, parameter.load())


def _county_text(values: dict[str, object]) -> str:
    lines = [f"{values['persons']} 人，截至 {values['month']}，种子 {values['seed']}，{values['seconds']} 秒"]
    rows, found = values.get("rows"), values.get("dirt")
    if isinstance(rows, dict):
        lines += [f"  {table:14} {count:>9,}" for table, count in rows.items()]
    if isinstance(found, dict):
        lines.append("名册里的常见毛病 / dirt as in real registers")
        lines += [f"  {count:>9,}  {dirt.KINDS[kind].zh} / {dirt.KINDS[kind].en}" for kind, count in found.items()]
    if "digest" in values:
        lines.append(f"内容摘要 / digest {values['digest']}")
    if "csv" in values:
        lines.append(f"CSV: {values['csv']}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
