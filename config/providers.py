"""What an operator says about an OpenID Connect provider through which members may come in."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

#: A variable of this name and the key of a provider, in capitals, holds its secret.
SECRET_VARIABLE = "PROVIDER_SECRET_"  # noqa: S105  # the name of a variable, no secret


class Provider(BaseModel):
    """One provider; every field has a description, which the documentation prints."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,39}$",
        description="Its short name in addresses, such as `keycloak`; it stays the same.",
    )
    name: str = Field(min_length=1, max_length=40, description="What members call it.")
    issuer: str = Field(
        max_length=255,
        description="Its `issuer`, exactly as in its discovery document; https.",
    )
    client_id: str = Field(min_length=1, max_length=255, description="What it calls this space.")
    client_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Its secret for this space; empty for a public client. Better in a file, or "
        "in a variable: `PROVIDER_SECRET_` and the key in capitals, `-` as `_`, after the usual "
        "prefix.",
    )
    client_secret_file: Path | None = Field(default=None, description="The file with that secret.")
    scopes: tuple[str, ...] = Field(
        default=("openid", "email"), description="What is asked for; `openid` is among it."
    )
    membership_claim: str = Field(
        default="",
        max_length=80,
        description="The claim that holds a member's `external_id` of your lists; empty for none. "
        "Only a claim that nobody can fill in for themselves.",
    )
    confirmed_addresses: bool = Field(
        default=True,
        description="Whether an address that the provider says is confirmed (`email_verified`) "
        "lets its owner in as the member who has it here.",
    )

    def problems(self, *, development: bool) -> list[str]:
        """Return what is wrong, in the operator's words; nothing when all is well."""
        found = []
        issuer = urlsplit(self.issuer)
        if not issuer.hostname or issuer.query or issuer.fragment:
            found.append("issuer: must be an address without ? and #")
        elif issuer.scheme != "https" and not (development and issuer.scheme == "http"):
            found.append("issuer: must begin with https://")
        if "openid" not in self.scopes:
            found.append("scopes: openid must be among them")
        if self.client_secret_file and self.client_secret.get_secret_value():
            found.append("client_secret: given twice, here and in a file")
        try:
            self.secret()
        except OSError as error:
            found.append(f"client_secret_file: cannot be read ({error.strerror})")
        return [f"providers, {self.key}: {problem}" for problem in found]

    def secret(self) -> str:
        """Return the secret, wherever it stands.

        :raises OSError: the file cannot be read.
        """
        if self.client_secret_file is None:
            return self.client_secret.get_secret_value()
        return self.client_secret_file.read_text(encoding="utf-8").strip()


def secret_setting(key: str) -> str:
    """Return the setting, as it is read from the environment, that may hold a provider's secret."""
    return f"{SECRET_VARIABLE}{key.replace('-', '_')}".lower()
