"""requests-oauthlib, the client of oauthlib. It refuses a scope that is not the one it asked for."""

import os

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the mock speaks http, on loopback

from oauthlib.common import generate_token
from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient, MobileApplicationClient, OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from harness import browse, expect, refused, serve

LOOPBACK = "http://127.0.0.1:50123/callback"


def session(task, name="web", client=None, **kwargs):
    registered = task.client(name)
    kwargs.setdefault("redirect_uri", (registered.get("redirect_uris") or [None])[0])
    return OAuth2Session(registered["id"], client=client and client(registered["id"], scope=["read"]), scope=["read"], **kwargs)


def credentials(task, name="web", secret=None):
    """What fetch_token takes to authenticate the client."""
    client = task.client(name)
    secret = secret or client["secret"]
    if task.auth == "post":
        return {"client_id": client["id"], "client_secret": secret, "include_client_id": True}
    return {"auth": HTTPBasicAuth(client["id"], secret)}


def use_resource(task, s):
    response = s.get(task.endpoint("resource"), timeout=10)
    expect(response.status_code == 200, f"the protected resource answers {response.status_code}")


def sign_in(task, s, **authentication):
    """The authorization code flow with PKCE, as far as this release goes: it passes the parameters on."""
    verifier = s._client.create_code_verifier(64)
    challenge = s._client.create_code_challenge(verifier, "S256")
    url, _ = s.authorization_url(task.endpoint("authorize"), code_challenge=challenge, code_challenge_method="S256")
    s.fetch_token(task.endpoint("token"), authorization_response=browse(url), code_verifier=verifier, timeout=10, **authentication)
    use_resource(task, s)


def code(task):
    s = session(task)
    sign_in(task, s, **credentials(task))
    return s


def public(task):
    sign_in(task, session(task, "native", redirect_uri=LOOPBACK), include_client_id=True)


def implicit(task):
    s = session(task, "implicit", MobileApplicationClient)
    url, _ = s.authorization_url(task.endpoint("authorize"))
    s.token_from_fragment(browse(url))
    use_resource(task, s)


def denied(task):
    refused(lambda: code(task), OAuth2Error, "access_denied")


def refused_code(task):
    s = session(task)
    refused(lambda: s.fetch_token(task.endpoint("token"), code="nobody-issued-it", timeout=10, **credentials(task)), OAuth2Error, "invalid_grant")


def bad_secret(task):
    s = session(task, client=BackendApplicationClient)
    refused(lambda: s.fetch_token(task.endpoint("token"), timeout=10, **credentials(task, secret="another secret")), OAuth2Error, "invalid_client")


def refresh(task):
    s = code(task)
    first = s.token["access_token"]
    s.refresh_token(task.endpoint("token"), timeout=10, **credentials(task))
    expect(s.token["access_token"] != first, "the access token is the same after a refresh")
    use_resource(task, s)


def client_credentials(task):
    s = session(task, "service", BackendApplicationClient)
    s.fetch_token(task.endpoint("token"), timeout=10, **credentials(task, "service"))
    use_resource(task, s)


def password(task):
    s = session(task, client=LegacyApplicationClient)
    s.fetch_token(task.endpoint("token"), username=task.user["username"], password=task.user["password"], timeout=10, **credentials(task))
    use_resource(task, s)


serve(
    {
        "code": code,
        "post": code,
        "public": public,
        "implicit": implicit,
        "denied": denied,
        "refused": refused_code,
        "bad-secret": bad_secret,
        "refresh": refresh,
        "client-credentials": client_credentials,
        "password": password,
    }
)
