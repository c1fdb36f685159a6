"""Authlib's Flask authorization server with models kept in memory, one login and one consent page, and a protected
resource behind Authlib's own bearer token validator. Usage: server.py PORT"""

import os
import re
import secrets
import sys
import time

# The server speaks plain HTTP on loopback only.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector  # noqa: E402
from authlib.jose import JsonWebKey  # noqa: E402
from authlib.oauth2 import OAuth2Error  # noqa: E402
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin, grants, list_to_scope, scope_to_list  # noqa: E402
from authlib.oauth2.rfc6750 import BearerTokenValidator  # noqa: E402
from authlib.oauth2.rfc7009 import RevocationEndpoint  # noqa: E402
from authlib.oauth2.rfc7591 import ClientRegistrationEndpoint  # noqa: E402
from authlib.oauth2.rfc7636 import CodeChallenge  # noqa: E402
from authlib.oauth2.rfc7662 import IntrospectionEndpoint  # noqa: E402
from authlib.oidc.core import UserInfo  # noqa: E402
from authlib.oidc.core.grants import OpenIDCode  # noqa: E402
from flask import Flask, Response, jsonify, redirect, request, session  # noqa: E402
from markupsafe import escape  # noqa: E402

PORT = int(sys.argv[1])
ISSUER = f"http://127.0.0.1:{PORT}"
CODE_SECONDS = int(os.environ.get("INTEROP_CODE_SECONDS") or 60)
TOKEN_SECONDS = int(os.environ.get("INTEROP_TOKEN_SECONDS") or 300)
SCOPES = ["openid", "read", "write"]
GRANTS = ["authorization_code", "refresh_token", "client_credentials", "password"]
LOOPBACK_PORT = re.compile(r"^(http://127\.0\.0\.1):[0-9]{1,5}(?=/)")
KEY = JsonWebKey.generate_key("RSA", 2048, {"kid": "interop", "use": "sig", "alg": "RS256"}, is_private=True)


class Client(ClientMixin):
    def __init__(self, client_id, client_secret, method, redirect_uris, grant_types, response_types):
        self.client_id, self.client_secret, self.method = client_id, client_secret, method
        self.redirect_uris, self.grant_types, self.response_types = redirect_uris, grant_types, response_types

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        # With several registered URIs there is no default one.
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else None

    def get_allowed_scope(self, scope):
        return list_to_scope([s for s in scope_to_list(scope or "") if s in SCOPES])

    def check_redirect_uri(self, redirect_uri):
        # A loopback IP address matches with any port (RFC 8252 section 7.3); everything else is compared exactly.
        return redirect_uri in self.redirect_uris or LOOPBACK_PORT.sub(r"\1", redirect_uri) in self.redirect_uris

    def check_client_secret(self, client_secret):
        return secrets.compare_digest(self.client_secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method, endpoint):
        return method == self.method

    def check_response_type(self, response_type):
        return response_type in self.response_types

    def check_grant_type(self, grant_type):
        return grant_type in self.grant_types

    @property
    def client_info(self):
        return {"client_id": self.client_id, "client_secret": self.client_secret}

    @property
    def client_metadata(self):
        return {"redirect_uris": self.redirect_uris}


CLIENTS = {
    client.client_id: client
    for client in (
        Client(
            "web-app", "web-app-secret-0123456789abcdef0123456789", "client_secret_basic",
            ["https://client.example/callback", "https://client.example/other", "https://client.example/query?tenant=one"], GRANTS, ["code"],
        ),
        Client(
            "web-app-2", "web-app-2-secret-0123456789abcdef01234567", "client_secret_post",
            ["https://second.example/callback"], ["authorization_code", "refresh_token", "client_credentials"], ["code"],
        ),
        Client(
            "service-app", "service-app-secret-0123456789abcdef012345", "client_secret_basic",
            ["https://service.example/callback"], ["client_credentials"], [],
        ),
        Client(
            "native-app", "", "none",
            ["https://native.example/callback", "http://127.0.0.1/callback"], ["authorization_code", "refresh_token"], ["code"],
        ),
        Client("implicit-app", "", "none", ["https://implicit.example/callback"], ["implicit"], ["token"]),
    )
}


class User:
    def __init__(self, name, password):
        self.name, self.password = name, password

    def get_user_id(self):
        return self.name


USERS = {user.name: user for user in (User("alice", "wonderland"), User("jörg", "wonder %&+£€ land"))}


def sign_in(name, password):
    user = USERS.get(name)
    return user if user and user.password == password else None


class Code(AuthorizationCodeMixin):
    def __init__(self, code, req):
        self.code, self.client_id, self.user = code, req.client.client_id, req.user
        self.redirect_uri, self.scope, self.nonce = req.redirect_uri, req.scope, req.data.get("nonce")
        self.code_challenge = req.data.get("code_challenge")
        self.code_challenge_method = req.data.get("code_challenge_method")
        self.auth_time = time.time()

    def is_expired(self):
        return self.auth_time + CODE_SECONDS < time.time()

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return int(self.auth_time)


class Token(TokenMixin):
    def __init__(self, client_id, user, token):
        self.client_id, self.user, self.token = client_id, user, token
        self.issued_at, self.revoked, self.refresh_token_revoked = time.time(), False, False

    def check_client(self, client):
        return self.client_id == client.client_id

    def get_scope(self):
        return self.token.get("scope", "")

    def get_expires_in(self):
        return self.token["expires_in"]

    def is_expired(self):
        return self.issued_at + self.token["expires_in"] < time.time()

    def is_revoked(self):
        return self.revoked


CODES, TOKENS = {}, []


def find_token(value, kinds=("access_token", "refresh_token")):
    return next((t for t in TOKENS if value in [t.token.get(kind) for kind in kinds]), None)


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]

    def save_authorization_code(self, code, request):
        CODES[code] = Code(code, request)
        return CODES[code]

    def query_authorization_code(self, code, client):
        item = CODES.get(code)
        return item if item and item.client_id == client.client_id and not item.is_expired() else None

    def delete_authorization_code(self, authorization_code):
        CODES.pop(authorization_code.code, None)

    def authenticate_user(self, authorization_code):
        return authorization_code.user


class OpenID(OpenIDCode):
    def exists_nonce(self, nonce, request):
        return any(c.nonce == nonce and c.client_id == request.client_id for c in CODES.values())

    def get_jwt_config(self, grant):
        return {"key": KEY, "alg": "RS256", "iss": ISSUER, "exp": 300}

    def generate_user_info(self, user, scope):
        return UserInfo(sub=user.name)


class PasswordGrant(grants.ResourceOwnerPasswordCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

    def authenticate_user(self, username, password):
        return sign_in(username, password)


class ClientCredentialsGrant(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]


class RefreshTokenGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        token = find_token(refresh_token, ["refresh_token"])
        return token if token and not token.refresh_token_revoked else None

    def authenticate_user(self, credential):
        return credential.user

    def revoke_old_credential(self, credential):
        credential.revoked = credential.refresh_token_revoked = True


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]

    def query_token(self, token_string, token_type_hint):
        return find_token(token_string)

    def revoke_token(self, token, request):
        token.revoked = token.refresh_token_revoked = True


class Introspection(IntrospectionEndpoint):
    CLIENT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

    def query_token(self, token_string, token_type_hint):
        return find_token(token_string, ["access_token"])

    def check_permission(self, token, client, request):
        return True

    def introspect_token(self, token):
        return {
            "active": not token.is_revoked() and not token.is_expired(),
            "client_id": token.client_id,
            "scope": token.get_scope(),
            "token_type": "Bearer",
            "iat": int(token.issued_at),
            "exp": int(token.issued_at + token.get_expires_in()),
        }


class Registration(ClientRegistrationEndpoint):
    def authenticate_token(self, request):
        return True  # registration is open

    def get_server_metadata(self):
        # Without these two: Authlib 1.2.0 cannot validate a request that leaves the members out.
        return {k: v for k, v in METADATA.items() if k not in ("grant_types_supported", "response_types_supported")}

    def save_client(self, client_info, client_metadata, request):
        client = Client(
            client_info["client_id"], client_info["client_secret"], client_metadata.get("token_endpoint_auth_method", "client_secret_basic"),
            client_metadata.get("redirect_uris", []), client_metadata.get("grant_types", ["authorization_code"]),
            client_metadata.get("response_types", ["code"]),
        )
        CLIENTS[client.client_id] = client
        return client


class TokenValidator(BearerTokenValidator):
    def authenticate_token(self, token_string):
        return find_token(token_string, ["access_token"])


def save_token(token, req):
    TOKENS.append(Token(req.client.client_id, req.user, dict(token)))


# This document is written here; Authlib publishes none.
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": ISSUER + "/authorize",
    "token_endpoint": ISSUER + "/token",
    "revocation_endpoint": ISSUER + "/revoke",
    "introspection_endpoint": ISSUER + "/introspect",
    "registration_endpoint": ISSUER + "/register",
    "jwks_uri": ISSUER + "/jwks",
    "response_types_supported": ["code", "token"],
    "grant_types_supported": GRANTS + ["implicit"],
    "scopes_supported": SCOPES,
    "code_challenge_methods_supported": ["plain", "S256"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
}

app = Flask(__name__)
app.secret_key = secrets.token_bytes(32)
app.config.update(
    OAUTH2_REFRESH_TOKEN_GENERATOR=True,
    OAUTH2_SCOPES_SUPPORTED=SCOPES,
    OAUTH2_TOKEN_EXPIRES_IN={grant: TOKEN_SECONDS for grant in [*GRANTS, "implicit"]},
)
server = AuthorizationServer(app, query_client=CLIENTS.get, save_token=save_token)
server.register_grant(AuthorizationCodeGrant, [OpenID(), CodeChallenge(required=True)])
server.register_grant(PasswordGrant)
server.register_grant(ClientCredentialsGrant)
server.register_grant(RefreshTokenGrant)
server.register_grant(grants.ImplicitGrant)
for endpoint in (Revocation, Introspection, Registration):
    server.register_endpoint(endpoint)
require_oauth = ResourceProtector()
require_oauth.register_token_validator(TokenValidator("interop"))


def page(title, form, status=200):
    return Response(
        f'<!doctype html><html lang="en"><head><title>{title}</title></head><body><h1>{title}</h1>{form}</body></html>',
        status,
        {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": "default-src 'none'; form-action *; frame-ancestors 'none'",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )


def query_string():
    return escape("?" + request.query_string.decode())


@app.route("/authorize", methods=["GET", "POST"])
def authorize():
    """As Authlib's manual has it: GET validates and asks, POST answers."""
    user = USERS.get(session.get("user"))
    if request.method == "GET":
        try:
            server.get_consent_grant(end_user=user)
        except OAuth2Error as error:
            return server.handle_error_response(None, error)
        if not user:
            return page("Sign in", f"""<form method="post" action="/login{query_string()}">
              <label>User name <input name="username"></label> <label>Password <input name="password" type="password"></label>
              <button>Sign in</button></form>""")
        return page("Allow access?", f"""<form method="post" action="/authorize{query_string()}">
          <button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form>""")
    return server.create_authorization_response(grant_user=user if request.form.get("decision") == "allow" else None)


@app.route("/login", methods=["POST"])
def login():
    user = sign_in(request.form.get("username"), request.form.get("password"))
    if not user:
        return page("Sign in failed", "<p>Wrong user name or password.</p>", 403)
    session["user"] = user.name
    return redirect("/authorize?" + request.query_string.decode(), 303)


@app.route("/token", methods=["POST"])
def token():
    return server.create_token_response()


@app.route("/revoke", methods=["POST"])
def revoke():
    return server.create_endpoint_response("revocation")


@app.route("/introspect", methods=["POST"])
def introspect():
    return server.create_endpoint_response("introspection")


@app.route("/register", methods=["POST"])
def register():
    return server.create_endpoint_response("client_registration")


@app.route("/resource", methods=["GET", "POST"])
@require_oauth("read")
def resource():
    return jsonify(message="allowed")


@app.route("/jwks")
def jwks():
    return jsonify(keys=[KEY.as_dict(is_private=False)])


@app.route("/.well-known/oauth-authorization-server")
def metadata():
    return jsonify(METADATA)


app.run(host="127.0.0.1", port=PORT, threaded=True)
