// openid-client does what its documentation shows.
import * as oidc from 'openid-client'
import { expect, refused, serve } from './harness.mjs'

const insecure = { execute: [oidc.allowInsecureRequests] } // the mock speaks http, on loopback

// authentication is what the task wants where its flow does not say.
const authentication = (task, client) =>
  task.auth === 'post' || task.flow === 'post' ? oidc.ClientSecretPost(client.secret) : oidc.ClientSecretBasic(client.secret)

// byHand is a configuration without discovery.
function byHand(task, client, auth = authentication(task, client)) {
  const { mock } = task
  const { authorize, token, introspection, revocation, userinfo, jwks, device_authorization } = mock.endpoints
  const config = new oidc.Configuration(
    {
      issuer: mock.issuer, authorization_endpoint: authorize, token_endpoint: token, introspection_endpoint: introspection,
      revocation_endpoint: revocation, userinfo_endpoint: userinfo, jwks_uri: jwks, device_authorization_endpoint: device_authorization,
    },
    client.id, client.secret, auth,
  )
  oidc.allowInsecureRequests(config)
  return config
}

// signIn is the authorization code flow with PKCE.
async function signIn(config, open, client, parameters = {}, checks = {}) {
  const verifier = oidc.randomPKCECodeVerifier()
  const state = oidc.randomState()
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: client.redirect_uris[0], scope: 'read', state,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...parameters,
  })
  const landed = await open(url)
  const response = landed.form
    ? new Request(landed.url, { method: 'POST', body: new URLSearchParams(landed.form) })
    : new URL(landed.url)
  return oidc.authorizationCodeGrant(config, response, { pkceCodeVerifier: verifier, expectedState: state, ...checks })
}

async function useResource(config, { mock }, token) {
  const response = await oidc.fetchProtectedResource(config, token, new URL(mock.endpoints.resource), 'GET')
  expect(response.status === 200, `the protected resource answers ${response.status}`)
}

const discover = (task, client, options = {}) =>
  oidc.discovery(new URL(task.mock.issuer), client.id, client.secret, authentication(task, client), { ...insecure, ...options })

// openid is OpenID Connect with everything that can be checked.
async function openid(task, open, ...settings) {
  const client = task.client('web')
  const config = await discover(task, client, {
    execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks, ...settings], // verify the signature, too
  })
  const nonce = oidc.randomNonce()
  const tokens = await signIn(config, open, client, { scope: 'openid profile email', nonce }, { expectedNonce: nonce, idTokenExpected: true })
  const info = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
  expect(info.name === task.user.claims.name && info.email === task.user.claims.email, 'userinfo is about another user')
}

async function code(task, open, { part = 'web', auth, ...parameters } = {}) {
  const client = task.client(part)
  const config = byHand(task, client, auth)
  const tokens = await signIn(config, open, client, parameters)
  await useResource(config, task, tokens.access_token)
  return { config, tokens, client }
}

// active says whether the mock's resource server finds a token active.
async function active(task, token) {
  const { active } = await oidc.tokenIntrospection(byHand(task, task.client('resource')), token)
  return active
}

await serve({
  oidc: (task, open) => openid(task, open),
  hybrid: (task, open) => openid(task, open, oidc.useCodeIdTokenResponseType),
  code: (task, open) => code(task, open),
  post: (task, open) => code(task, open),
  public: (task, open) => code(task, open, { part: 'native', auth: oidc.None(), redirect_uri: 'http://127.0.0.1:50123/callback' }),

  async metadata(task, open) {
    const client = task.client('web')
    const config = await discover(task, client, { algorithm: 'oauth2' })
    const tokens = await signIn(config, open, client)
    await useResource(config, task, tokens.access_token)
  },

  async 'form-post'(task, open) {
    const client = task.client('web')
    const config = await discover(task, client)
    const tokens = await signIn(config, open, client, { response_mode: 'form_post' })
    await useResource(config, task, tokens.access_token)
  },

  denied: (task, open) =>
    refused(code(task, open), (e) => e instanceof oidc.AuthorizationResponseError && e.error === 'access_denied', 'the user refused'),

  async refused(task) {
    const client = task.client('web')
    const grant = oidc.genericGrantRequest(byHand(task, client), 'authorization_code', { code: 'nobody-issued-it', redirect_uri: client.redirect_uris[0] })
    await refused(grant, (e) => e instanceof oidc.ResponseBodyError && e.error === 'invalid_grant', 'an unknown code')
  },

  async 'bad-secret'(task) {
    const client = { ...task.client('web'), secret: 'another secret' }
    const told = task.auth === 'post'
      ? (e) => e instanceof oidc.ResponseBodyError && e.error === 'invalid_client'
      : (e) => e instanceof oidc.WWWAuthenticateChallengeError && e.status === 401 && e.cause[0].scheme === 'basic'
    await refused(oidc.clientCredentialsGrant(byHand(task, client)), told, 'a wrong secret')
  },

  async refresh(task, open) {
    const { config, tokens } = await code(task, open)
    const next = await oidc.refreshTokenGrant(config, tokens.refresh_token)
    expect(next.access_token !== tokens.access_token, 'the access token is the same after a refresh')
    await useResource(config, task, next.access_token)
  },

  async 'client-credentials'(task) {
    const config = byHand(task, task.client('service'))
    const tokens = await oidc.clientCredentialsGrant(config, { scope: 'read' })
    await useResource(config, task, tokens.access_token)
  },

  async logout(task, open) {
    const client = task.client('web')
    const config = await discover(task, client)
    const tokens = await signIn(config, open, client, { scope: 'openid' }, { idTokenExpected: true })
    const post_logout_redirect_uri = client.redirect_uris[0]
    const url = oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri, state: 'bye' })
    const landed = await open(url)
    expect(landed.url === `${post_logout_redirect_uri}?state=bye`, `logout leads to ${landed.url}`)
  },

  // A client that registers itself (RFC 7591) and then signs somebody in.
  async registration(task, open) {
    const redirect_uris = ['https://registered.example/callback']
    const config = await oidc.dynamicClientRegistration(new URL(task.mock.issuer),
      { redirect_uris, client_name: 'A registered client', scope: 'openid read', token_endpoint_auth_method: 'client_secret_basic' }, oidc.ClientSecretBasic(), insecure)
    const { client_id, client_secret } = config.clientMetadata()
    expect(client_id && client_secret, 'no client_id or no client_secret')
    const tokens = await signIn(config, open, { redirect_uris })
    await useResource(config, task, tokens.access_token)
  },

  async introspection(task, open) {
    const { tokens } = await code(task, open)
    expect(await active(task, tokens.access_token), 'a fresh access token is inactive')
    expect(!(await active(task, 'nobody-issued-it')), 'an unknown token is active')
  },

  async revocation(task, open) {
    const { config, tokens } = await code(task, open)
    await oidc.tokenRevocation(config, tokens.access_token, { token_type_hint: 'access_token' })
    await refused(useResource(config, task, tokens.access_token), (e) => e instanceof oidc.WWWAuthenticateChallengeError && e.status === 401, 'a revoked token')
  },

  async 'token-exchange'(task, open) {
    const { config, tokens } = await code(task, open)
    const exchanged = await oidc.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:token-exchange', {
      subject_token: tokens.access_token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    })
    expect(exchanged.issued_token_type === 'urn:ietf:params:oauth:token-type:access_token', 'issued_token_type is not what was asked for')
    await useResource(config, task, exchanged.access_token)
  },
})
