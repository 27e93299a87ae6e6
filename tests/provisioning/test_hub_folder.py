# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from cryptography import x509

from provisioning import hub_folder
from provisioning.hub_folder import OpenHub
from schema import database
from schema.clock import FixedClock
from schema.errors import ConfigError, WrongPassword
from schema.home import HubHome

PASSPHRASE = "剡溪九曲胜景 one".encode()


def test_a_new_hub_knows_itself_and_the_places_of_the_county(hub: OpenHub) -> None:
    with hub.store.read() as db:
        assert database.setting(db, "node_id") == b"hub"
        assert len(database.setting(db, "epoch") or b"") == 16
        sql = "SELECT level, count(*) FROM division WHERE valid_to IS NULL GROUP BY level"
        levels = dict(db.execute(sql).fetchall())
        former = db.execute("SELECT succeeded_by FROM division WHERE code = '330683004'").fetchone()
    assert levels == {"county": 1, "township": 15}
    assert former[0] == "330683005"


def test_places_are_fed_to_every_station(hub: OpenHub) -> None:
    with hub.store.read() as db:
        fed = db.execute("SELECT count(*) FROM slice_feed WHERE slice = 'county' AND tbl = 'division'").fetchone()[0]
        rows = db.execute("SELECT count(*) FROM division").fetchone()[0]
    assert fed == rows > 16


def test_the_database_is_encrypted_and_the_secrets_need_the_passphrase(hub: OpenHub) -> None:
    assert database.is_encrypted(hub.home.database)
    with pytest.raises(WrongPassword):
        hub.home.unlock(b"another passphrase 1")


def test_no_two_hubs_share_a_secret(tmp_path: Path, hub: OpenHub, clock: FixedClock) -> None:
    other = hub_folder.init_hub(tmp_path / "other", hub.config, PASSPHRASE, clock).unlock(PASSPHRASE)
    mine = [getattr(hub.secrets, name) for name in hub.secrets.__dataclass_fields__]
    theirs = [getattr(other, name) for name in other.__dataclass_fields__]
    assert len({*mine, *theirs}) == len(mine) + len(theirs)


def test_an_existing_folder_is_never_touched(tmp_path: Path, clock: FixedClock) -> None:
    folder = tmp_path / "hub"
    folder.mkdir()
    config = hub_folder.config_for("县中心", "County hub", "127.0.0.1", 8443, None)
    with pytest.raises(ConfigError):
        hub_folder.init_hub(folder, config, PASSPHRASE, clock)
    assert list(folder.iterdir()) == []


def test_a_weak_passphrase_makes_no_hub(tmp_path: Path, clock: FixedClock) -> None:
    config = hub_folder.config_for("县中心", "County hub", "127.0.0.1", 8443, None)
    with pytest.raises(ConfigError):
        hub_folder.init_hub(tmp_path / "hub", config, b"12345678", clock)
    assert list(tmp_path.iterdir()) == []


def test_a_cut_while_making_leaves_no_half_hub(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(hub_folder, "_fill_database", cut)
    config = hub_folder.config_for("县中心", "County hub", "127.0.0.1", 8443, None)
    with pytest.raises(KeyboardInterrupt):
        hub_folder.init_hub(tmp_path / "hub", config, PASSPHRASE, clock)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [("", 8443, None), ("bad host", 8443, None), ("hub", 0, None), ("hub", 70000, None), ("hub", 8443, "http://hub:8443")],
)
def test_an_address_that_cannot_be_is_refused(host: str, port: int, url: str | None) -> None:
    with pytest.raises(ConfigError):
        hub_folder.config_for("县中心", "County hub", host, port, url)


def test_the_server_certificate_is_for_this_host_and_signed_by_its_own_authority(
    tmp_path: Path, clock: FixedClock
) -> None:
    config = hub_folder.config_for("县中心", "County hub", "10.1.2.3", 8443, "https://hub.shengzhou:8443")
    home = hub_folder.init_hub(tmp_path / "named", config, PASSPHRASE, clock)
    server = x509.load_pem_x509_certificate(home.server_certificate.read_bytes())
    authority = x509.load_pem_x509_certificate(home.ca_file.read_bytes())
    server.verify_directly_issued_by(authority)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"localhost", "hub.shengzhou"}
    addresses = {ipaddress.ip_address("10.1.2.3"), ipaddress.ip_address("127.0.0.1")}
    assert set(names.get_values_for_type(x509.IPAddress)) == addresses
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_secret_files_are_readable_by_their_owner_alone(hub: OpenHub) -> None:
    home = HubHome(hub.home.path)
    assert home.server_key.stat().st_mode & 0o077 == 0
    assert home.secrets_file.stat().st_mode & 0o077 == 0
