// oauth4webapi, the low-level one: each request and each response by itself.
import * as oauth from 'oauth4webapi'
import { expect, refused, serve } from './harness.mjs'

const insecure = { [oauth.allowInsecureRequests]: true } // the mock speaks http, on loopback

// server is what the client knows without discovery.
function server({ mock }) {
  const { authorize, token, introspection, revocation, userinfo, jwks, device_authorization } = mock.endpoints
  return {
    issuer: mock.issuer, authorization_endpoint: authorize, token_endpoint: token, introspection_endpoint: introspection,
    revocation_endpoint: revocation, userinfo_endpoint: userinfo, jwks_uri: jwks, device_authorization_endpoint: device_authorization,
  }
}

async function discover({ mock }, algorithm) {
  const issuer = new URL(mock.issuer)
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm }))
}

// authentication is what the task wants where its flow does not say.
const authentication = (task, { secret }) =>
  task.auth === 'post' || task.flow === 'post' ? oauth.ClientSecretPost(secret) : oauth.ClientSecretBasic(secret)

// signIn is the authorization code flow with PKCE.
async function signIn(as, registered, auth, open, parameters = {}, checks = {}) {
  const client = { client_id: registered.id }
  const redirectURI = parameters.redirect_uri ?? registered.redirect_uris[0]
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(as.authorization_endpoint)
  const all = {
    client_id: client.client_id, response_type: 'code', redirect_uri: redirectURI, scope: 'read', state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...parameters,
  }
  for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value)
  const landed = await open(url)
  const answer = landed.form ? new URLSearchParams(landed.form) : new URL(landed.url)
  const response = all.response_type === 'code'
    ? oauth.validateAuthResponse(as, client, answer, state)
    : await oauth.validateCodeIdTokenResponse(as, client, answer, all.nonce, state, undefined, insecure)
  const result = await oauth.authorizationCodeGrantRequest(as, client, auth, response, redirectURI, verifier, insecure)
  return { client, result, tokens: await oauth.processAuthorizationCodeResponse(as, client, result, checks) }
}

async function useResource({ mock }, token) {
  const response = await oauth.protectedResourceRequest(token, 'GET', new URL(mock.endpoints.resource), undefined, undefined, insecure)
  expect(response.status === 200, `the protected resource answers ${response.status}`)
}

async function openid(task, open, parameters = {}) {
  const as = await discover(task, 'oidc')
  const registered = task.client('web')
  const nonce = oauth.generateRandomNonce()
  const { client, result, tokens } = await signIn(as, registered, authentication(task, registered), open, { scope: 'openid profile email', nonce, ...parameters },
    { expectedNonce: nonce, requireIdToken: true })
  await oauth.validateApplicationLevelSignature(as, result, insecure) // the ID token's
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  const info = await oauth.processUserInfoResponse(as, client, sub, await oauth.userInfoRequest(as, client, tokens.access_token, insecure))
  expect(info.name === task.user.claims.name && info.email === task.user.claims.email, 'userinfo is about another user')
}

async function code(task, open, { part = 'web', auth, as = server(task), ...parameters } = {}) {
  const registered = task.client(part)
  auth ??= authentication(task, registered)
  const done = await signIn(as, registered, auth, open, parameters)
  await useResource(task, done.tokens.access_token)
  return { as, auth, ...done }
}

// active says whether the mock's resource server finds a token active.
async function active(task, token) {
  const registered = task.client('resource')
  const as = server(task)
  const client = { client_id: registered.id }
  const response = await oauth.introspectionRequest(as, client, authentication(task, registered), token, insecure)
  return (await oauth.processIntrospectionResponse(as, client, response)).active
}

async function grant(task, registered, auth, type, parameters) {
  const as = server(task)
  const client = { client_id: registered.id }
  const response = await oauth.genericTokenEndpointRequest(as, client, auth, type, parameters, insecure)
  return oauth.processGenericTokenEndpointResponse(as, client, response)
}

await serve({
  oidc: (task, open) => openid(task, open),
  hybrid: (task, open) => openid(task, open, { response_type: 'code id_token' }),
  code: (task, open) => code(task, open),
  post: (task, open) => code(task, open),
  public: (task, open) => code(task, open, { part: 'native', auth: oauth.None(), redirect_uri: 'http://127.0.0.1:50123/callback' }),
  metadata: async (task, open) => code(task, open, { as: await discover(task, 'oauth2') }),
  'form-post': async (task, open) => code(task, open, { as: await discover(task, 'oidc'), response_mode: 'form_post' }),

  denied: (task, open) =>
    refused(code(task, open), (e) => e instanceof oauth.AuthorizationResponseError && e.error === 'access_denied', 'the user refused'),

  async refused(task) {
    const client = task.client('web')
    await refused(
      grant(task, client, authentication(task, client), 'authorization_code', { code: 'nobody-issued-it', redirect_uri: client.redirect_uris[0] }),
      (e) => e instanceof oauth.ResponseBodyError && e.status === 400 && e.error === 'invalid_grant', 'an unknown code')
  },

  async 'bad-secret'(task) {
    const told = task.auth === 'post'
      ? (e) => e instanceof oauth.ResponseBodyError && e.error === 'invalid_client'
      : (e) => e instanceof oauth.WWWAuthenticateChallengeError && e.status === 401 && e.cause[0].scheme === 'basic'
    const wrong = authentication(task, { secret: 'another secret' })
    await refused(grant(task, task.client('web'), wrong, 'client_credentials', {}), told, 'a wrong secret')
  },

  async refresh(task, open) {
    const { as, client, auth, tokens } = await code(task, open)
    const response = await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, insecure)
    const next = await oauth.processRefreshTokenResponse(as, client, response)
    expect(next.access_token !== tokens.access_token, 'the access token is the same after a refresh')
    await useResource(task, next.access_token)
  },

  async 'client-credentials'(task) {
    const registered = task.client('service')
    const as = server(task)
    const client = { client_id: registered.id }
    const response = await oauth.clientCredentialsGrantRequest(as, client, authentication(task, registered), { scope: 'read' }, insecure)
    const tokens = await oauth.processClientCredentialsResponse(as, client, response)
    await useResource(task, tokens.access_token)
  },

  async password(task) {
    const client = task.client('web')
    const tokens = await grant(task, client, authentication(task, client), 'password', { username: task.user.username, password: task.user.password, scope: 'read' })
    await useResource(task, tokens.access_token)
  },

  // A client that registers itself (RFC 7591) and then signs somebody in.
  async registration(task, open) {
    const as = await discover(task, 'oauth2')
    const response = await oauth.dynamicClientRegistrationRequest(as,
      { redirect_uris: ['https://registered.example/callback'], scope: 'openid read', token_endpoint_auth_method: 'client_secret_post' }, insecure)
    const registered = await oauth.processDynamicClientRegistrationResponse(response)
    const client = { id: registered.client_id, secret: registered.client_secret, redirect_uris: registered.redirect_uris }
    const { tokens } = await signIn(as, client, oauth.ClientSecretPost(client.secret), open)
    await useResource(task, tokens.access_token)
  },

  async introspection(task, open) {
    const { tokens } = await code(task, open)
    expect(await active(task, tokens.access_token), 'a fresh access token is inactive')
    expect(!(await active(task, 'nobody-issued-it')), 'an unknown token is active')
  },

  async revocation(task, open) {
    const { as, client, auth, tokens } = await code(task, open)
    const response = await oauth.revocationRequest(as, client, auth, tokens.access_token, { ...insecure, additionalParameters: { token_type_hint: 'access_token' } })
    await oauth.processRevocationResponse(response)
    await refused(useResource(task, tokens.access_token), (e) => e instanceof oauth.WWWAuthenticateChallengeError && e.status === 401, 'a revoked token')
  },

  async 'token-exchange'(task, open) {
    const { tokens } = await code(task, open)
    const registered = task.client('web')
    const exchanged = await grant(task, registered, authentication(task, registered), 'urn:ietf:params:oauth:grant-type:token-exchange', {
      subject_token: tokens.access_token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    })
    expect(exchanged.issued_token_type === 'urn:ietf:params:oauth:token-type:access_token', 'issued_token_type is not what was asked for')
    await useResource(task, exchanged.access_token)
  },

  // As a resource server that takes JWT access tokens (RFC 9068).
  async 'jwt-access-token'(task, open) {
    const { tokens } = await code(task, open)
    const request = new Request(task.mock.endpoints.resource, { headers: { authorization: `Bearer ${tokens.access_token}` } })
    const claims = await oauth.validateJwtAccessToken(await discover(task, 'oauth2'), request, task.mock.endpoints.resource, insecure)
    expect(claims.sub === task.user.sub && claims.client_id === task.client('web').id && claims.scope === 'read', 'the claims are about something else')
  },
})
