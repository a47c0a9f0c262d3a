"""R1, R17: one canonical name for a space, and whose members it speaks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import ForbiddenAddressError
from federation.identifiers import EntityId, origin, owns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lyon.example",
        "http://lyon.example",
        "ftp://lyon.example",
        "HTTPS://lyon.example",
        "https://Lyon.example",
        "https://lyon.example/",
        "https://lyon.example:443",
        "https://lyon.example:0",
        "https://lyon.example:08443",
        "https://lyon.example:70000",
        "https://lyon.example:",
        "https://lyon.example.",
        "https://lyon..example",
        "https://-lyon.example",
        "https://lyon",
        "https://münchen.example",
        "https://user@lyon.example",
        "https://lyon.example?x",
        "https://lyon.example#x",
        "https://lyon.example/a//b",
        "https://lyon.example/a/../b",
        "https://lyon.example/./b",
        "https://lyon.example/%61",
        "https://lyon.example\\@evil.example",
        "https://lyon.example /",
        "https://lyon.example\n",
        "https://192.0.2.7",
        "https://2130706433",
        "https://0x7f.0x1",
        "https://[2001:db8::1]",
        "https://127.0.0.1",
        "https://localhost",
        "http://127.0.0.1:8001",
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 120 + "example",
    ],
)
def test_what_is_not_canonical_is_rejected_and_not_repaired(text):
    with pytest.raises(ForbiddenAddressError):
        EntityId.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://lyon.example",
        "https://xn--mnchen-3ya.example:8443",
        "https://spaces.example/lyon/vaise",
        "https://1.lyon.example",
    ],
)
def test_a_canonical_name_is_kept_letter_for_letter(text):
    assert EntityId.parse(text) == text


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:8001", "http://localhost:8001", "http://[::1]:8001"]
)
def test_plain_http_is_for_this_machine_in_development_alone(text):
    assert EntityId.parse(text, development=True) == text


@pytest.mark.parametrize(
    "text",
    [
        "http://lyon.example",
        "http://192.168.1.7:8001",
        "http://[::1]8001",
        "http://127.0.0.1:80",
        "http://127.1:8001",
        "http://169.254.169.254",
    ],
)
def test_development_opens_nothing_but_loopback(text):
    with pytest.raises(ForbiddenAddressError):
        EntityId.parse(text, development=True)


def test_where_a_space_and_its_members_are_found():
    space = EntityId.parse("https://spaces.example:8443/lyon")
    assert space.origin == "https://spaces.example:8443"
    assert space.host == "spaces.example"
    assert space.configuration_url == f"{space}/.well-known/openid-federation"
    assert space.subject("01A") == "https://spaces.example:8443/lyon/m/01A"
    with pytest.raises(ValueError, match="identifier"):
        space.subject("../admin")


@pytest.mark.parametrize(
    "subject",
    [
        "https://nantes.example/m/01A",
        "https://lyon.example.evil.example/m/01A",
        "https://lyon.example/lyon2/m/01A",
        "https://lyon.example/m/",
        "https://lyon.example/m/01A/m/02B",
        "https://lyon.example/m/01A#s1",
        "https://lyon.example/M/01A",
        f"https://lyon.example/m/{'a' * 65}",
    ],
)
def test_a_space_does_not_speak_for_members_of_another(subject):
    assert not owns("https://lyon.example", subject)


def test_a_space_speaks_for_its_own():
    assert owns("https://lyon.example", "https://lyon.example/m/01A")
    assert owns("https://lyon.example", f"https://lyon.example/m/{'a' * 64}")


@pytest.mark.parametrize(
    "url",
    ["https://a.example\\@b.example/", "https://u@a.example/", "https:///x", "https://a:b/", "x"],
)
def test_an_address_that_parsers_disagree_about_has_no_origin(url):
    with pytest.raises(ForbiddenAddressError):
        origin(url)


@given(st.text(alphabet="htps:/.@#?%[]\\ abcxyz01-é\n", max_size=40))
def test_whatever_is_accepted_has_itself_as_its_beginning(text):
    try:
        space = EntityId.parse(text, development=True)
    except ForbiddenAddressError:
        return
    assert space == text
    assert space.startswith(space.origin)
    assert space.isascii()
