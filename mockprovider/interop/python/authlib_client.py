"""Authlib's client for requests, with its checks of ID tokens."""

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oidc.core import CodeIDToken

from harness import browse, expect, refused, serve

LOOPBACK = "http://127.0.0.1:50123/callback"


def session(task, name="web", **kwargs):
    client = task.client(name)
    kwargs.setdefault("redirect_uri", (client.get("redirect_uris") or [None])[0])
    kwargs.setdefault("scope", "read")
    kwargs.setdefault("client_secret", client.get("secret"))
    if kwargs["client_secret"]:
        kwargs["token_endpoint_auth_method"] = kwargs["revocation_endpoint_auth_method"] = "client_secret_" + task.auth
    return OAuth2Session(client["id"], code_challenge_method="S256", **kwargs)


def sign_in(s, authorize, token, **params):
    """The authorization code flow with PKCE."""
    verifier = generate_token(48)
    url, state = s.create_authorization_url(authorize, code_verifier=verifier, **params)
    return s.fetch_token(token, authorization_response=browse(url), code_verifier=verifier, state=state)


def use_resource(task, s):
    response = s.get(task.endpoint("resource"), timeout=10)
    expect(response.status_code == 200, f"the protected resource answers {response.status_code}")


def code(task, name="web", **kwargs):
    s = session(task, name, **kwargs)
    sign_in(s, task.endpoint("authorize"), task.endpoint("token"))
    use_resource(task, s)
    return s


def openid(task):
    metadata = requests.get(task.issuer + "/.well-known/openid-configuration", timeout=10).json()
    s = session(task, scope="openid profile email")
    nonce = generate_token()
    token = sign_in(s, metadata["authorization_endpoint"], metadata["token_endpoint"], nonce=nonce)
    keys = JsonWebKey.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())
    claims = JsonWebToken(metadata["id_token_signing_alg_values_supported"]).decode(
        token["id_token"],
        key=keys,
        claims_cls=CodeIDToken,
        claims_options={"iss": {"essential": True, "value": metadata["issuer"]}, "aud": {"essential": True, "value": s.client_id}},
        claims_params={"nonce": nonce, "client_id": s.client_id, "access_token": token["access_token"]},
    )
    claims.validate()
    info = s.get(metadata["userinfo_endpoint"], timeout=10).json()
    expect(info["name"] == task.user["claims"]["name"] and info["email"] == task.user["claims"]["email"], "userinfo is about another user")


def public(task):
    code(task, "native", redirect_uri=LOOPBACK)


def implicit(task):
    s = session(task, "implicit")
    url, state = s.create_authorization_url(task.endpoint("authorize"), response_type="token")
    s.fetch_token(authorization_response=browse(url), state=state)
    use_resource(task, s)


def refused_code(task):
    s = session(task)
    refused(lambda: s.fetch_token(task.endpoint("token"), grant_type="authorization_code", code="nobody-issued-it"), OAuthError, "invalid_grant")


def bad_secret(task):
    s = session(task, client_secret="another secret")
    refused(lambda: s.fetch_token(task.endpoint("token"), grant_type="client_credentials"), OAuthError, "invalid_client")


def refresh(task):
    s = code(task)
    first = s.token["access_token"]
    s.refresh_token(task.endpoint("token"))
    expect(s.token["access_token"] != first, "the access token is the same after a refresh")
    use_resource(task, s)


def client_credentials(task):
    s = session(task, "service")
    s.fetch_token(task.endpoint("token"), grant_type="client_credentials")
    use_resource(task, s)


def password(task):
    s = session(task)
    s.fetch_token(task.endpoint("token"), username=task.user["username"], password=task.user["password"])
    use_resource(task, s)


def introspection(task):
    server = session(task, "resource")
    where = task.endpoint("introspection")
    expect(server.introspect_token(where, token=code(task).token["access_token"]).json()["active"], "a fresh access token is inactive")
    expect(not server.introspect_token(where, token="nobody-issued-it").json()["active"], "an unknown token is active")


def revocation(task):
    s = code(task)
    response = s.revoke_token(task.endpoint("revocation"), token=s.token["access_token"], token_type_hint="access_token")
    expect(response.status_code == 200, f"revocation answers {response.status_code}")
    status = s.get(task.endpoint("resource"), timeout=10).status_code
    expect(status == 401, f"the protected resource answers {status} to a revoked token")


def token_exchange(task):
    s = code(task)
    token = s.fetch_token(
        task.endpoint("token"),
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=s.token["access_token"],
        subject_token_type="urn:ietf:params:oauth:token-type:access_token",
    )
    expect(token["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token", "issued_token_type is not what was asked for")
    use_resource(task, s)


serve(
    {
        "oidc": openid,
        "code": code,
        "post": code,
        "public": public,
        "implicit": implicit,
        "refused": refused_code,
        "bad-secret": bad_secret,
        "refresh": refresh,
        "client-credentials": client_credentials,
        "password": password,
        "introspection": introspection,
        "revocation": revocation,
        "token-exchange": token_exchange,
    }
)
