"""What an authenticator is asked, and what of its answer is believed.

WebAuthn Level 3, section 7.1 for adding a passkey and section 7.2 for coming in with one. No
session, no database, no clock: the caller brings the challenge that this browser was given, and
decides whose passkey it is.

The rules that are ours, beside those of the standard:

* nobody is asked by name: no list of passkeys is given to a visitor, so none can be fished for;
* the authenticator has to have checked who holds it, by a finger, a face or a number;
* nobody is asked who made the authenticator, and who says so all the same is not believed;
* an answer that was given inside another site's page is refused.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    parse_authentication_credential_json,
    parse_cbor,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app.models.passkey import CREDENTIAL_BYTES, Passkey

#: Characters of an answer; the longest that we accept are below 4,000.
ANSWER_CHARACTERS = 16 * 1024

#: Ed25519, ECDSA on P-256, and RSA for Windows Hello (RFC 9053, RFC 8812).
ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]

#: Nothing, or the new key's own signature, which some give unasked (sections 8.7 and 8.2): the
#: format, and the kinds of what is stated.
STATEMENTS: Sequence[tuple[str, dict[str, type]]] = (
    ("none", {}),
    ("packed", {"alg": int, "sig": bytes}),
)

#: What the library raises on bytes and JSON that no browser sends, beside its own errors.
_NONSENSE = (
    WebAuthnException, ValueError, TypeError, LookupError, AttributeError, RecursionError
)  # fmt: skip


class CeremonyError(Exception):
    """The answer is not to be believed; the text says why, in English and for tests."""


@dataclass(frozen=True, slots=True)
class Party:
    """The space as browsers know it: the *relying party* of the standard."""

    id: str
    """The host name to which passkeys belong."""

    origin: str
    """Where the pages have to stand that ask for one."""

    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser says, of which nothing is proved yet."""

    text: str
    credential_id: bytes
    challenge: bytes
    user: bytes
    """The opaque number of the account, when somebody comes in."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A new passkey, as its authenticator describes it."""

    credential_id: bytes
    public_key: bytes
    counter: int
    synced: bool


def party(url: str, name: str) -> Party | None:
    """Return the relying party at ``url``; ``None`` where passkeys cannot be.

    They belong to a name: a number of the network, as in demonstrations, has none (section 5.1.2).
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return Party(host, f"{parts.scheme}://{parts.netloc}", name)
    return None


def ask_for_new(
    here: Party, user: str, name: str, challenge: bytes, known: Iterable[bytes], patience: int
) -> dict[str, Any]:
    """Return the options with which a browser makes a passkey, as JSON values.

    :param user: the opaque number of the account; authenticators keep it.
    :param name: what the authenticator shows beside the space's name.
    :param known: the person's other passkeys: an authenticator that has one makes no second.
    :param patience: milliseconds.
    """
    options = generate_registration_options(
        rp_id=here.id,
        rp_name=here.name,
        user_id=user.encode(),
        user_name=name,
        challenge=challenge,
        timeout=patience,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        supported_pub_key_algs=ALGORITHMS,
    )
    return _values(options_to_json(options))


def ask_who(here: Party, challenge: bytes, patience: int) -> dict[str, Any]:
    """Return the options with which a browser lets somebody choose a passkey, as JSON values."""
    options = generate_authentication_options(
        rp_id=here.id,
        challenge=challenge,
        timeout=patience,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _values(options_to_json(options))


def read_new(text: str) -> Answer:
    """Return what a browser says of a passkey that it made.

    :raises CeremonyError: no such answer.
    """
    credential = _read(parse_registration_credential_json, text)
    return _answer(text, credential, b"")


def read_who(text: str) -> Answer:
    """Return what a browser says of whoever wants to come in.

    :raises CeremonyError: no such answer.
    """
    credential = _read(parse_authentication_credential_json, text)
    return _answer(text, credential, credential.response.user_handle or b"")


def verify_new(here: Party, answer: Answer) -> Fresh:
    """Return the passkey in ``answer``, whose challenge was found to be ours.

    :raises CeremonyError: section 7.1 says no.
    """
    _require_modesty(answer)
    made = _verify(
        verify_registration_response,
        credential=answer.text,
        expected_challenge=answer.challenge,
        expected_rp_id=here.id,
        expected_origin=here.origin,
        require_user_verification=True,
        supported_pub_key_algs=ALGORITHMS,
    )
    if len(made.credential_id) > CREDENTIAL_BYTES:
        raise CeremonyError("an identifier that is too long")
    return Fresh(made.credential_id, made.credential_public_key, made.sign_count, _synced(made))


def verify_who(here: Party, answer: Answer, passkey: Passkey) -> int:
    """Return the counter that ``passkey`` signed in ``answer``, whose challenge is ours.

    It is not judged here: until the signature is known to be right, anybody could say that
    somebody's passkey counts backwards.

    :raises CeremonyError: section 7.2 says no.
    """
    if answer.user != passkey.account.ref.encode():
        raise CeremonyError("a passkey of one person and the number of another")
    said = _verify(
        verify_authentication_response,
        credential=answer.text,
        expected_challenge=answer.challenge,
        expected_rp_id=here.id,
        expected_origin=here.origin,
        credential_public_key=passkey.public_key,
        credential_current_sign_count=0,
        require_user_verification=True,
    )
    if _synced(said) != passkey.synced:
        raise CeremonyError("a passkey that could not be copied, and now can, or the reverse")
    return int(said.new_sign_count)


def _require_modesty(answer: Answer) -> None:
    """Refuse an attestation of any shape but the two that say nothing of a maker.

    Before the library reads it: of a number where bytes should be, it would make that many bytes.
    """
    credential = _read(parse_registration_credential_json, answer.text)
    said = _read(parse_cbor, credential.response.attestation_object)
    shape = said if isinstance(said, dict) else {}
    stated = shape.get("attStmt")
    kinds = {name: type(one) for name, one in stated.items()} if isinstance(stated, dict) else None
    if (shape.get("fmt"), kinds) not in STATEMENTS:
        raise CeremonyError("a statement that nobody asked for")
    if not isinstance(shape.get("authData"), bytes):
        raise CeremonyError("an answer that no browser gives")


def _values(text: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(text)
    return values


def _read(parse: Any, raw: str | bytes) -> Any:
    if len(raw) > ANSWER_CHARACTERS:
        raise CeremonyError("an answer that is too long")
    try:
        return parse(raw)
    except _NONSENSE as error:
        raise CeremonyError("an answer that no browser gives") from error


def _answer(text: str, credential: Any, user: bytes) -> Answer:
    said = _read(parse_client_data_json, credential.response.client_data_json)
    if said.cross_origin:
        raise CeremonyError("an answer from inside another site's page")
    return Answer(text, credential.raw_id, said.challenge, user)


def _verify(rules: Any, **given: Any) -> Any:
    try:
        return rules(**given)
    except _NONSENSE as error:
        raise CeremonyError(str(error)) from error


def _synced(verified: Any) -> bool:
    # Eligible is enough: it lies on one device today and may lie on two tomorrow.
    return bool(verified.credential_device_type == CredentialDeviceType.MULTI_DEVICE)
