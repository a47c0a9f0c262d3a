"""What an operator decides is read once, all problems together; the documentation keeps up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.providers import Provider
from config.settings import PREFIX, Settings, SettingsError

OPERATING = Path(__file__).resolve().parents[2] / "docs" / "operating.md"
MAIL = {"MITOYEN_SMTP_HOST": "mail.example", "MITOYEN_MAIL_SENDER": "hello@lepalier.example"}


def load(tmp_path, **given):
    environ = {f"{PREFIX}{name.upper()}": value for name, value in given.items()}
    return Settings.load({"MITOYEN_DATA": str(tmp_path), **MAIL, **environ})


def problems(environ):
    with pytest.raises(SettingsError) as refused:
        Settings.load(environ)
    return refused.value.problems


def test_without_a_data_directory_nothing_starts_and_the_variable_is_named():
    (problem,) = problems({})
    assert problem.startswith("data (MITOYEN_DATA): missing.")


def test_all_problems_are_reported_at_once(tmp_path):
    found = problems(
        {
            "MITOYEN_DATA": str(tmp_path),
            "MITOYEN_PORT": "0",
            "MITOYEN_COLOUR": "blue",
            "MITOYEN_MAIL": "pigeon",
        }
    )
    assert [problem.split(" ")[0] for problem in found] == ["port", "mail", "colour"]


def test_mail_that_cannot_be_sent_is_a_problem_each_unless_in_development(tmp_path):
    here = {"MITOYEN_DATA": str(tmp_path)}
    assert [problem.split(":")[0] for problem in problems(here)] == ["smtp_host", "mail_sender"]
    assert Settings.load({**here, "MITOYEN_DEVELOPMENT": "1"}).development


@pytest.mark.parametrize(
    "url", ["postgres://localhost/x", "postgresql+psycopg2://localhost/x", "mysql://x/y", "x.db"]
)
def test_a_database_that_is_neither_of_two_kinds_is_refused(tmp_path, url):
    with pytest.raises(SettingsError, match="database: must begin with postgresql://"):
        load(tmp_path, database=url)


def test_without_a_driver_for_postgresql_the_operator_is_told_what_to_install(
    tmp_path, monkeypatch
):
    url = "postgresql://mitoyen:swordfish@localhost/mitoyen"
    assert load(tmp_path, database=url).database_url == url
    monkeypatch.setattr("config.settings.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install 'psycopg") as refused:
        load(tmp_path, database=url)
    assert "swordfish" not in str(refused.value)


def test_the_database_s_password_is_not_shown_with_the_other_settings(tmp_path):
    settings = load(tmp_path, database="postgresql://mitoyen:swordfish@localhost/mitoyen")
    assert "swordfish" not in repr(settings)


def test_a_secret_that_can_be_guessed_is_refused(tmp_path):
    here = {"MITOYEN_DATA": str(tmp_path), **MAIL}
    assert problems({**here, "MITOYEN_SECRET_KEY": "hunter2"}) == [
        "secret_key: at least 32 characters, please"
    ]


def test_without_a_secret_the_operator_is_sent_to_set_up(tmp_path):
    with pytest.raises(SettingsError, match="mitoyen setup"):
        load(tmp_path).session_secret()
    (tmp_path / "secret_key").write_text("short")
    with pytest.raises(SettingsError, match="mitoyen setup"):
        load(tmp_path).session_secret()


def test_the_secret_of_the_environment_wins_over_the_file(tmp_path):
    (tmp_path / "secret_key").write_text("f" * 64)
    assert load(tmp_path).session_secret() == "f" * 64
    assert load(tmp_path, secret_key="e" * 32).session_secret() == "e" * 32


def test_development_does_not_listen_to_others(tmp_path):
    found = problems(
        {
            "MITOYEN_DATA": str(tmp_path),
            "MITOYEN_DEVELOPMENT": "1",
            "MITOYEN_LISTEN": "0.0.0.0",
        }
    )
    assert found == ["listen: the development setting binds to loopback only"]


def test_a_file_in_the_data_directory_is_read_and_the_environment_wins(tmp_path):
    (tmp_path / "mitoyen.toml").write_text('port = 9000\nlog_format = "json"\n')
    settings = load(tmp_path, port="9001")
    assert (settings.port, settings.log_format) == (9001, "json")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("colour = 1\n", "colour (MITOYEN_COLOUR): there is no such setting"),
        ("port =\n", "mitoyen.toml: not TOML"),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path, content, problem):
    (tmp_path / "mitoyen.toml").write_text(content)
    assert problem in problems({"MITOYEN_DATA": str(tmp_path), **MAIL})[0]


def test_a_file_that_is_named_and_missing_is_a_problem(tmp_path):
    found = problems({"MITOYEN_DATA": str(tmp_path), "MITOYEN_CONFIG": str(tmp_path / "no.toml")})
    assert "no.toml: cannot be read" in found[0]


def test_a_directory_that_cannot_be_looked_into_is_a_problem_and_no_crash():
    """Too long a name stands for a directory of somebody else: tests may run as root."""
    with pytest.raises(SettingsError, match=r"mitoyen\.toml: cannot be read"):
        Settings.load({"MITOYEN_DATA": "/" + "x" * 300})


def test_secrets_are_not_printed(tmp_path):
    assert "e" * 32 not in repr(load(tmp_path, secret_key="e" * 32, smtp_password="e" * 32))


def test_every_setting_has_a_help_text():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_table_in_the_documentation_is_true():
    lines = OPERATING.read_text(encoding="utf-8").splitlines()
    written = [line for line in lines if line.startswith("| `") and "`MITOYEN_" in line]
    assert written == [row(name) for name in Settings.model_fields]


def test_every_word_about_a_provider_is_explained_in_a_table_that_is_true():
    lines = OPERATING.read_text(encoding="utf-8").splitlines()
    begin = lines.index("| of a provider | default | what it is |")
    written = lines[begin + 2 : begin + 2 + len(Provider.model_fields)]
    assert written == [provider_row(name) for name in Provider.model_fields]


def provider_row(name):
    """Return the row of the documentation's table about a word; print it to mend the table."""
    field = Provider.model_fields[name]
    if field.is_required():
        default = "needed"
    elif isinstance(field.default, tuple):
        default = f"`{json.dumps(field.default)}`"
    elif field.default in (True, False):
        default = f"`{str(field.default).lower()}`"
    else:
        default = ""
    return f"| `{name}` | {default} | {field.description} |"


KEYCLOAK = """
[[providers]]
key = "key-cloak"
name = "Keycloak"
issuer = "https://id.lepalier.example/realms/space"
client_id = "mitoyen"
"""


def test_a_provider_is_a_table_of_the_file_and_its_secret_a_variable(tmp_path):
    (tmp_path / "mitoyen.toml").write_text(KEYCLOAK)
    settings = load(tmp_path, provider_secret_key_cloak="swordfish")
    (provider,) = settings.providers
    assert (provider.key, provider.scopes) == ("key-cloak", ("openid", "email"))
    assert provider.secret() == "swordfish"
    assert "swordfish" not in repr(settings)


def test_providers_may_stand_in_one_variable_and_a_secret_in_a_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("swordfish\n")
    given = {
        "key": "google",
        "name": "Google",
        "issuer": "https://accounts.google.com",
        "client_id": "x",
        "client_secret_file": str(secret),
    }
    (provider,) = load(tmp_path, providers=json.dumps([given])).providers
    assert provider.secret() == "swordfish"


def test_no_provider_is_no_provider(tmp_path):
    assert load(tmp_path).providers == ()


@pytest.mark.parametrize(
    ("content", "given", "problem"),
    [
        (KEYCLOAK * 2, {}, "providers: key-cloak is there twice"),
        (KEYCLOAK.replace("https:", "http:"), {}, "issuer: must begin with https://"),
        (
            KEYCLOAK.replace("/realms/", "?realms="),
            {},
            "issuer: must be an address without ? and #",
        ),
        (KEYCLOAK.replace("key-cloak", "Key Cloak"), {}, "providers.0.key: String should match"),
        (KEYCLOAK + "colour = 1", {}, "providers.0.colour: Extra inputs are not permitted"),
        (KEYCLOAK + 'scopes = ["email"]', {}, "scopes: openid must be among them"),
        (KEYCLOAK + 'client_secret_file = "/no/such"', {}, "client_secret_file: cannot be read"),
        (KEYCLOAK, {"provider_secret_google": "x"}, "MITOYEN_PROVIDER_SECRET_GOOGLE): there is no"),
        ("", {"providers": "google"}, "providers (MITOYEN_PROVIDERS): not JSON"),
        ("", {"providers": "{}"}, "providers (MITOYEN_PROVIDERS): not an array"),
        ("providers = 1", {}, "providers (MITOYEN_PROVIDERS): not an array"),
    ],
)
def test_a_provider_that_is_described_wrongly_is_named(tmp_path, content, given, problem):
    (tmp_path / "mitoyen.toml").write_text(content)
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, **given)
    assert problem in "\n".join(refused.value.problems)


def row(name):
    """Return the row of the documentation's table about a setting; print it to mend the table."""
    field = Settings.model_fields[name]
    if field.is_required():
        default = "needed"
    elif field.default in ("", None, ()) or "Secret" in type(field.default).__name__:
        default = ""
    else:
        default = f"`{str(field.default).lower() if field.default is False else field.default}`"
    return f"| `{name}` | `{PREFIX}{name.upper()}` | {default} | {field.description} |"
