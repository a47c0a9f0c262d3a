"""An OpenID Connect provider as a process of its own, built with Authlib's side for providers.

``python -m tests.identity_provider PORT KEY`` runs one, for the client of the space whose way back
ends with ``/sign-in/with/KEY/back``. Its sign-in page asks whom one is and believes it. ``POST
/control`` makes it do what a bad, broken or changing provider does, until it is told otherwise.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import AuthorizationCodeMixin, UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from werkzeug.serving import make_server

CLIENT_ID, SECRET = "lepalier", "a secret: with a colon & a plus+"

#: What a provider does unless it is told otherwise.
WELL_BEHAVED: dict[str, Any] = {
    "users": {},
    # Claims that the ID token has instead of its own, or beside them; null takes one away.
    "claims": {},
    # Instead of signing with the published key: "none", "HS256", or "stranger".
    "sign": "",
    # Claims that the ID token lacks and UserInfo has.
    "elsewhere": [],
    "userinfo": {},
    "discovery": {},
    # Added to the parameters with which the browser is sent back; null takes one away.
    "answer": {},
    # By endpoint: "huge", "slow", "broken", "away".
    "trouble": {},
    "public": False,
    "auth_time": 0,
}


@dataclass
class Code(AuthorizationCodeMixin):
    """What was granted to whom, until it is redeemed."""

    code: str
    client_id: str
    redirect_uri: str
    scope: str
    nonce: str
    user: str
    code_challenge: str
    code_challenge_method: str
    auth_time: int

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return self.auth_time

    def get_acr(self):
        return None

    def get_amr(self):
        return None


@dataclass
class Memory:
    """What this process knows; gone with it."""

    issuer: str
    way_back: str
    does: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(WELL_BEHAVED)))
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, SimpleNamespace] = field(default_factory=dict)
    keys: list[RSAKey] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    last: dict[str, str] = field(default_factory=dict)

    def change_keys(self):
        number = len(self.asked) + len(self.keys) + time.monotonic_ns()
        self.keys = [RSAKey.generate_key(2048, {"kid": f"key-{number}", "use": "sig"})]


@dataclass
class Client:
    """The space, as this provider has registered it."""

    memory: Memory
    client_id: str = CLIENT_ID

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return ""

    def get_allowed_scope(self, scope):
        return scope

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri.endswith(self.memory.way_back)

    def check_client_secret(self, secret):
        return secret == SECRET

    def check_endpoint_auth_method(self, method, endpoint):
        wanted = "none" if self.memory.does["public"] else "client_secret_basic"
        return method == wanted

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type == "authorization_code"


def provider(memory: Memory) -> Flask:
    """Return the provider's pages and endpoints."""
    app = Flask("identity_provider")

    class Grant(AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "none"]

        def save_authorization_code(self, code, request):
            data = request.payload.data
            memory.codes[code] = Code(
                code,
                request.client.client_id,
                request.payload.redirect_uri,
                request.scope,
                data.get("nonce"),
                request.user,
                data.get("code_challenge"),
                data.get("code_challenge_method"),
                memory.does["auth_time"] or int(time.time()),
            )

        def query_authorization_code(self, code, client):
            return memory.codes.get(code)

        def delete_authorization_code(self, authorization_code):
            del memory.codes[authorization_code.code]

        def authenticate_user(self, authorization_code):
            return authorization_code.user

    class OpenID(OpenIDCode):
        def exists_nonce(self, nonce, request):
            return any(code.nonce == nonce for code in memory.codes.values())

        def resolve_client_private_key(self, client):
            return memory.keys[0]

        def get_client_algorithm(self, client):
            return "RS256"

        def get_encode_header(self, client):
            return {"alg": "RS256", "kid": memory.keys[0].kid}

        def get_client_claims(self, client):
            now = int(time.time())
            return {"iss": memory.issuer, "aud": [client.client_id], "iat": now, "exp": now + 300}

        def get_compatible_claims(self, request):
            return self.get_client_claims(request.client)

        def generate_user_info(self, user, scope):
            return UserInfo({"sub": user, **memory.does["users"].get(user, {})})

        def encode_id_token(self, token, request):
            return misshapen(memory, super().encode_id_token(token, request))

    class Named(IssuerParameter):
        def get_issuer(self):
            return memory.issuer

    def save_token(token, request):
        memory.tokens[token["access_token"]] = SimpleNamespace(user=request.user)

    server = AuthorizationServer(
        app, query_client=lambda name: Client(memory) if name == CLIENT_ID else None,
        save_token=save_token,
    )  # fmt: skip
    server.register_grant(Grant, [CodeChallenge(required=True), OpenID(require_nonce=True)])
    server.register_extension(Named())

    @app.before_request
    def be_in_trouble():
        memory.asked.append(request.path)
        trouble = memory.does["trouble"].get(request.path.rpartition("/")[2], "")
        if trouble == "away":
            return redirect("http://127.0.0.1:9/")
        if trouble == "huge":
            return Response("[" + " " * 2_000_000 + "]", content_type="application/json")
        if trouble == "broken":
            return Response("<h1>Proxy error</h1>", 502)
        if trouble == "slow":
            return Response(drip(), content_type="application/json")
        return None

    @app.get("/.well-known/openid-configuration")
    def discovery():
        return jsonify(
            {
                "issuer": memory.issuer,
                "authorization_endpoint": f"{memory.issuer}/authorize",
                "token_endpoint": f"{memory.issuer}/token",
                "userinfo_endpoint": f"{memory.issuer}/userinfo",
                "jwks_uri": f"{memory.issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "none", "HS256"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
                **memory.does["discovery"],
            }
        )

    @app.get("/jwks")
    def jwks():
        return jsonify(KeySet(memory.keys).as_dict(private=False))

    @app.get("/authorize")
    def ask():
        memory.last = dict(request.args)
        server.get_consent_grant(end_user=None)
        return (
            "<!doctype html><title>Identity provider</title><h1>Sign in</h1>"
            "<form method=post><label>Who are you? <input name=user></label>"
            "<button>Sign in</button><button name=no value=1>No</button></form>"
        )

    @app.post("/authorize")
    def grant():
        user = None if request.form.get("no") else request.form["user"]
        answer = server.create_authorization_response(grant_user=user)
        answer.location = changed(answer.location, memory.does["answer"])
        return answer

    @app.post("/token")
    def token():
        return server.create_token_response()

    @app.get("/userinfo")
    def userinfo():
        bearer = request.headers["Authorization"].removeprefix("Bearer ")
        user = memory.tokens[bearer].user
        said = {"sub": user, **memory.does["users"].get(user, {}), **memory.does["userinfo"]}
        return jsonify(said)

    @app.post("/control")
    def control():
        given = request.get_json()
        if given.pop("rekey", False):
            memory.change_keys()
        memory.does = json.loads(json.dumps({**WELL_BEHAVED, **given}))
        memory.asked.clear()
        return jsonify({})

    @app.get("/control")
    def asked():
        return jsonify({"asked": memory.asked[:-1], "last": memory.last})

    return app


def misshapen(memory, token):
    """Return ``token`` as the provider was told to make it."""
    does = memory.does
    if not does["claims"] and not does["sign"] and not does["elsewhere"]:
        return token
    claims = jwt.decode(token, memory.keys[0], ["RS256"]).claims
    claims = {name: value for name, value in claims.items() if name not in does["elsewhere"]}
    claims.update(does["claims"])
    claims = {name: value for name, value in claims.items() if value is not None}
    kid = memory.keys[0].kid
    if does["sign"] == "none":
        return jwt.encode({"alg": "none", "kid": kid}, claims, None, ["none"])
    if does["sign"] == "HS256":
        # With the client's secret, which whoever runs another client may have been given, too.
        key = OctKey.import_key(SECRET)
        return jwt.encode({"alg": "HS256", "kid": kid}, claims, key, ["HS256"])
    key = RSAKey.generate_key(2048) if does["sign"] == "stranger" else memory.keys[0]
    return jwt.encode({"alg": "RS256", "kid": kid}, claims, key, ["RS256"])


def changed(address, parameters):
    """Return ``address`` with other parameters."""
    parts = urlsplit(address)
    given = {**dict(parse_qsl(parts.query)), **parameters}
    kept = {name: value for name, value in given.items() if value is not None}
    return parts._replace(query=urlencode(kept)).geturl()


def drip():
    """Answer as slowly as it can be done."""
    for _each in range(300):
        yield " "
        time.sleep(0.1)


def main(port: int, key: str) -> None:
    issuer = f"http://127.0.0.1:{port}"
    memory = Memory(issuer, f"/sign-in/with/{key}/back")
    memory.change_keys()
    make_server("127.0.0.1", port, provider(memory), threaded=True).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
