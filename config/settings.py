"""Everything an operator can decide, read once at start-up.

From the environment (``MITOYEN_...``), and from a TOML file: the one that ``MITOYEN_CONFIG``
names, or ``mitoyen.toml`` in the data directory. The environment wins. An unknown key is refused,
and all problems are reported together.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from config.providers import SECRET_VARIABLE, Provider, secret_setting

PREFIX = "MITOYEN_"
CONFIG_FILE = "mitoyen.toml"

#: Shorter secrets can be guessed; 32 characters are 128 bits even when only hexadecimal.
SECRET_CHARACTERS = 32

#: Variables that belong to the start-up itself and are no settings.
NOT_SETTINGS = {"MITOYEN_CONFIG"}


class SettingsError(Exception):
    """The configuration cannot be used; ``problems`` lists every reason, not only the first."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(BaseModel):
    """One space's configuration; every field has a description, which the documentation prints."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path = Field(description="Directory of the database and of the keys.")
    development: bool = Field(
        default=False,
        description="Development setting: plain http and loopback addresses are accepted. "
        "Never on a space that others can reach.",
    )
    database: str = Field(
        default="",
        repr=False,
        description="`postgresql://user:password@host/name`; empty for SQLite in the data "
        "directory.",
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="Signs sessions and forms; empty to use the file `secret_key` that "
        "`mitoyen setup` writes into the data directory.",
    )
    listen: str = Field(default="127.0.0.1", description="Address that the server binds to.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port that the server binds to.")
    workers: int = Field(default=1, ge=1, le=64, description="Server processes.")
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=5,
        description="Reverse proxies in front whose X-Forwarded-* headers are believed.",
    )
    mail: Literal["console", "file", "smtp"] = Field(
        default="smtp", description="Where mail goes: `smtp`, `file` (one file each) or `console`."
    )
    mail_folder: Path | None = Field(
        default=None,
        description='Folder for `mail = "file"`; default: `mail` in the data directory.',
    )
    mail_sender: str = Field(
        default="", description="Sender of our mail, e.g. `Le Palier <hello@lepalier.example>`."
    )
    reply_address: str = Field(
        default="",
        description="Where answers by mail go, with `{token}` once before the @, e.g. "
        "`reply+{token}@lepalier.example`; empty: letters are answered by their link alone.",
    )
    mail_judge: str = Field(
        default="",
        description="The name under which your mail server writes Authentication-Results; an "
        "answer that failed DMARC there is refused. Empty for no such check.",
    )
    smtp_host: str = Field(default="", description="Mail server.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    smtp_user: str = Field(default="", description="User name there, if it asks for one.")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="Password there.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection to it is protected."
    )
    rotate_after: int = Field(
        default=90,
        ge=0,
        le=3650,
        description="Days after which the worker changes the operational key by itself; 0 for "
        "never. Never while a key that it replaced is still published, which is 30 days.",
    )
    log_format: Literal["text", "json"] = Field(default="text", description="How logs are written.")
    providers: tuple[Provider, ...] = Field(
        default=(),
        description="OpenID Connect providers through which members may come in: one "
        "`[[providers]]` each in the file, a JSON array in the environment.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        problems = _database_problems(self.database)
        secret = self.secret_key.get_secret_value()
        if secret and len(secret) < SECRET_CHARACTERS:
            problems.append(f"secret_key: at least {SECRET_CHARACTERS} characters, please")
        if self.mail == "smtp" and not self.development:
            problems += [
                f"{name}: needed to send mail (or set mail to `file` or `console`)"
                for name in ("smtp_host", "mail_sender")
                if not getattr(self, name)
            ]
        problems += _reply_problems(self.reply_address)
        problems += self._provider_problems()
        if self.development and self.listen not in ("127.0.0.1", "::1", "localhost"):
            problems.append("listen: the development setting binds to loopback only")
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _provider_problems(self) -> list[str]:
        keys = [provider.key for provider in self.providers]
        issuers = [provider.issuer for provider in self.providers]
        return [
            problem
            for provider in self.providers
            for problem in provider.problems(development=self.development)
        ] + [
            f"providers: {twice} is there twice"
            for names in (keys, issuers)
            for twice in sorted({name for name in names if names.count(name) > 1})
        ]

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, **given: Any) -> Self:
        """Read the environment and the TOML file that it points to.

        :param given: values from the command line, which win over both.
        :raises SettingsError: listing everything that is missing, unknown or wrong.
        """
        environ = os.environ if environ is None else environ
        from_environment = {
            name[len(PREFIX) :].lower(): value
            for name, value in environ.items()
            if name.startswith(PREFIX) and name not in NOT_SETTINGS
        }
        secrets = {
            name: from_environment.pop(name)
            for name in list(from_environment)
            if name.startswith(SECRET_VARIABLE.lower())
        }
        values = {**_from_file(environ, given), **from_environment, **given}
        values = _with_secrets(values, secrets)
        try:
            return cls(**values)
        except ValidationError as error:
            raise SettingsError(_problems(error)) from None

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.data / 'mitoyen.db'}"

    @property
    def key_folder(self) -> Path:
        return self.data / "keys"

    @property
    def outgoing_mail_folder(self) -> Path:
        return self.mail_folder or self.data / "mail"

    def session_secret(self) -> str:
        """Return what signs sessions.

        :raises SettingsError: neither set nor made by ``mitoyen setup``.
        """
        if self.secret_key.get_secret_value():
            return self.secret_key.get_secret_value()
        path = self.data / "secret_key"
        try:
            secret = path.read_text().strip() if path.exists() else ""
        except OSError as error:
            raise SettingsError([f"{path}: cannot be read ({error.strerror})"]) from None
        if len(secret) < SECRET_CHARACTERS:
            raise SettingsError(
                [
                    "secret_key: missing. Run `mitoyen setup`, which writes one into the data "
                    "directory, or set MITOYEN_SECRET_KEY"
                ]
            )
        return secret


def _reply_problems(address: str) -> list[str]:
    # 64 characters before the @ (RFC 5321 section 4.5.3.1.1), 52 of which the token takes.
    sign = "[A-Za-z0-9.+_=-]*"
    if not address or re.fullmatch(rf"{sign}\{{token\}}{sign}@[a-z0-9.-]+", address):
        spare = address.partition("@")[0].replace("{token}", "")
        return ["reply_address: at most 12 characters beside {token}"] if len(spare) > 12 else []
    return ["reply_address: an address with {token} once before the @, please"]


def _database_problems(url: str) -> list[str]:
    if not url or url.startswith("sqlite:"):
        return []
    if not url.startswith("postgresql://"):
        return ["database: must begin with postgresql:// (or sqlite:, or be empty)"]
    if find_spec("psycopg") is None:
        return ["database: PostgreSQL needs a driver: pip install 'psycopg[binary]>=3.2,<4'"]
    return []


def _with_secrets(values: dict[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    """Return ``values`` with the providers read, and their secrets put where they belong.

    :raises SettingsError: no JSON, or a secret of a provider that is not there.
    """
    providers = values.get("providers", ())
    if isinstance(providers, str):
        try:
            providers = json.loads(providers)
        except ValueError as error:
            raise SettingsError([f"providers (MITOYEN_PROVIDERS): not JSON ({error})"]) from None
    if not isinstance(providers, list | tuple):
        raise SettingsError(["providers (MITOYEN_PROVIDERS): not an array"])
    left, known = dict(secrets), []
    for given in providers:
        if isinstance(given, Mapping) and isinstance(given.get("key"), str):
            name = secret_setting(given["key"])
            secret = left.pop(name, None)
            known.append({**given, "client_secret": secret} if secret else given)
        else:
            known.append(given)
    if left:
        raise SettingsError(
            [f"{name} ({PREFIX}{name.upper()}): there is no such provider" for name in left]
        )
    return {**values, "providers": known} if known else values


def _from_file(environ: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, Any]:
    data = given.get("data") or environ.get(f"{PREFIX}DATA")
    named = environ.get("MITOYEN_CONFIG")
    path = Path(named) if named else Path(data) / CONFIG_FILE if data else None
    if path is None:
        return {}
    try:
        # Somebody who may not look into the directory is told so, here and not by a traceback.
        if not named and not path.exists():
            return {}
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read ({error.strerror})"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: not TOML ({error})"]) from None


def _problems(error: ValidationError) -> list[str]:
    """Say each problem in the operator's words, with the name of the variable."""
    problems = []
    for found in error.errors():
        name = ".".join(str(part) for part in found["loc"])
        variable = f"{name} (MITOYEN_{name.upper()})"
        if len(found["loc"]) > 1:
            problems.append(f"{name}: {found['msg']}")
        elif found["type"] == "missing":
            problems.append(f"{variable}: missing. {Settings.model_fields[name].description}")
        elif found["type"] == "extra_forbidden":
            problems.append(f"{variable}: there is no such setting")
        elif found["type"] == "value_error":
            problems += str(found["ctx"]["error"]).splitlines()
        else:
            problems.append(f"{variable}: {found['msg']}")
    return problems
