// simple-oauth2, which knows no PKCE, no OpenID Connect, and leaves the state to its users.
import { AuthorizationCode, ClientCredentials, ResourceOwnerPassword } from 'simple-oauth2'
import { expect, refused, serve } from './harness.mjs'

function config({ mock, flow, auth: method }, client, paths = {}) {
  const authorizationMethod = method === 'post' || flow === 'post' ? 'body' : 'header'
  const auth = { tokenHost: new URL(mock.issuer).origin }
  for (const [name, endpoint] of Object.entries({ tokenPath: 'token', ...paths })) {
    if (mock.endpoints[endpoint]) auth[name] = new URL(mock.endpoints[endpoint]).pathname
  }
  return { client: { id: client.id, secret: client.secret }, auth, options: { authorizationMethod } }
}

async function useResource({ mock }, token) {
  const response = await fetch(mock.endpoints.resource, { headers: { authorization: `Bearer ${token}` } })
  expect(response.status === 200, `the protected resource answers ${response.status}`)
}

async function code(task, open) {
  const client = task.client('web')
  const grant = new AuthorizationCode(config(task, client, { authorizePath: 'authorize', revokePath: 'revocation' }))
  const redirect_uri = client.redirect_uris[0]
  const landed = await open(grant.authorizeURL({ redirect_uri, scope: 'read', state: 'a state of the client' }))
  const token = await grant.getToken({ code: new URL(landed.url).searchParams.get('code'), redirect_uri, scope: 'read' })
  expect(!token.expired(), 'the token is expired')
  await useResource(task, token.token.access_token)
  return token
}

const isError = (status, code) => (e) => e.output?.statusCode === status && e.data?.payload?.error === code

await serve({
  code: (task, open) => code(task, open),
  post: (task, open) => code(task, open),

  async refused(task) {
    const client = task.client('web')
    const grant = new AuthorizationCode(config(task, client))
    await refused(grant.getToken({ code: 'nobody-issued-it', redirect_uri: client.redirect_uris[0] }), isError(400, 'invalid_grant'), 'an unknown code')
  },

  async 'bad-secret'(task) {
    const grant = new ClientCredentials(config(task, { ...task.client('web'), secret: 'another secret' }))
    await refused(grant.getToken({}), isError(401, 'invalid_client'), 'a wrong secret')
  },

  async refresh(task, open) {
    const token = await code(task, open)
    const next = await token.refresh()
    expect(next.token.access_token !== token.token.access_token, 'the access token is the same after a refresh')
    await useResource(task, next.token.access_token)
  },

  async 'client-credentials'(task) {
    const grant = new ClientCredentials(config(task, task.client('service')))
    await useResource(task, (await grant.getToken({ scope: 'read' })).token.access_token)
  },

  async password(task) {
    const grant = new ResourceOwnerPassword(config(task, task.client('web')))
    const token = await grant.getToken({ username: task.user.username, password: task.user.password, scope: 'read' })
    await useResource(task, token.token.access_token)
  },

  async revocation(task, open) {
    const token = await code(task, open)
    await token.revokeAll() // wants the empty answer in JSON's content type
    const response = await fetch(task.mock.endpoints.resource, { headers: { authorization: `Bearer ${token.token.access_token}` } })
    expect(response.status === 401, `the protected resource answers ${response.status} to a revoked token`)
  },
})
