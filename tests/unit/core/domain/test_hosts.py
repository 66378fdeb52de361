"""The `Host` values that a server answers to."""

import pytest

from core.domain.hosts import Host, Hosts, is_loopback, parse


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("localhost", Host("localhost")),
        ("LocalHost.:8000", Host("localhost", 8000)),
        ("localhost:", Host("localhost")),
        ("127.0.0.1:1", Host("127.0.0.1", 1)),
        ("[::1]:8000", Host("::1", 8000)),
        ("[0:0:0:0:0:0:0:1]", Host("::1")),
        ("my_api.example.org", Host("my_api.example.org")),
    ],
)
def test_a_host_is_read_in_one_form(value: str, host: Host) -> None:
    assert parse(value) == host


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", ":80", "a b", "a,b", "a/b", "a@b", "http://a", "a:b", "a:99999", "a:123456"),
        *("::1", "[::1", "[localhost]", "[]", "a:80:80", "ä", "a\n", "*"),
    ],
)
def test_what_is_no_host(value: str) -> None:
    assert parse(value) is None


@pytest.mark.parametrize("name", ["127.0.0.1", "127.255.1.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_addresses(name: str) -> None:
    assert is_loopback(name)


@pytest.mark.parametrize("name", ["128.0.0.1", "0.0.0.0", "::", "::2", "localhost", "127.0.0.1.a"])
def test_other_addresses(name: str) -> None:
    assert not is_loopback(name)


def is_served(hosts: Hosts, value: str) -> bool:
    host = parse(value)
    assert host is not None
    return hosts.serve(host)


@pytest.mark.parametrize("port", ["", ":80", ":8000"])
@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_this_machine_is_served_on_any_port(name: str, port: str) -> None:
    assert is_served(Hosts(()), name + port)


@pytest.mark.parametrize(
    "value",
    [
        *("evil.example", "localhost.evil.example", "evil-localhost", "127.0.0.1.evil.example"),
        *("192.0.2.7", "0.0.0.0", "[::2]", "127.1", "2130706433", "127.0.0.1.nip.io"),
    ],
)
def test_others_are_not(value: str) -> None:
    assert not is_served(Hosts(()), value)


def test_what_the_server_is_bound_to_is_served() -> None:
    hosts = Hosts((), ("192.0.2.7", "FE80::A%eth0", "Db.example.org"))
    for value in ("192.0.2.7:8000", "[fe80::a]:8000", "db.example.org"):
        assert is_served(hosts, value)
    assert not is_served(hosts, "192.0.2.8")


@pytest.mark.parametrize(
    ("entry", "served", "refused"),
    [
        ("db.example.org", "DB.example.org.:9 db.example.org", "a.db.example.org example.org"),
        ("db:8000", "db:8000", "db db:80 db:8001"),
        ("db:80", "db db:80", "db:443 db:8000"),
        ("db:443", "db db:443", "db:80"),
        (".example.org", "example.org a.example.org a.b.example.org:9", "badexample.org org"),
        ("*.example.org", "example.org a.example.org", "badexample.org"),
        ("192.0.2.7", "192.0.2.7 192.0.2.7:9", "192.0.2.70"),
        ("2001:db8::1", "[2001:db8::1] [2001:DB8:0::1]:9", "[2001:db8::2]"),
        ("[2001:db8::1]:9", "[2001:db8::1]:9", "[2001:db8::1]:8"),
        ("*", "evil.example 192.0.2.7:9", ""),
    ],
)
def test_entries_of_the_setting(entry: str, served: str, refused: str) -> None:
    hosts = Hosts((entry,))
    assert [value for value in served.split() if not is_served(hosts, value)] == []
    assert [value for value in refused.split() if is_served(hosts, value)] == []


@pytest.mark.parametrize("entry", ["http://db", "db/x", "a b", "*a", "a*.b", ".", "*.", "db:x", ""])
def test_entries_that_are_no_hosts(entry: str) -> None:
    with pytest.raises(ValueError, match="is no host"):
        Hosts((entry,))


@pytest.mark.parametrize("bound", ["0.0.0.0", "::"])
def test_on_all_addresses_every_address_is_served_and_no_name(bound: str) -> None:
    hosts = Hosts((), (bound,))
    assert is_served(hosts, "192.0.2.7:8000")
    assert is_served(hosts, "[2001:db8::1]")
    assert not is_served(hosts, "192.0.2.7.evil.example")
    assert not is_served(Hosts((), ("192.0.2.8",)), "192.0.2.7")
