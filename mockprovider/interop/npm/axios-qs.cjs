// axios and qs, as Edlink's page on its token endpoint uses them: parameters in an object, written by qs for a form; the tokens are
// in $data. Its other manual, and its own client, let axios write the object as JSON.
const axios = require('axios')
const qs = require('qs')

const form = { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }

// login sends the user to the login page, and says what comes back.
async function login({ mock }, client, open) {
  const state = 'a state of the client'
  const query = qs.stringify({ client_id: client.id, redirect_uri: client.redirect_uris[0], state, response_type: 'code' })
  const answer = Object.fromEntries(new URL((await open(`${mock.endpoints.authorize}?${query}`)).url).searchParams)
  if (answer.state !== state) throw new Error(`the state came back as ${answer.state}`)
  return answer
}

const exchange = (client, code) => ({
  code, client_id: client.id, client_secret: client.secret, redirect_uri: client.redirect_uris[0], grant_type: 'authorization_code',
})
const refresh = (client, refresh_token) => ({
  refresh_token, client_id: client.id, client_secret: client.secret, grant_type: 'refresh_token',
})

// asForm and asJSON post a request as the page and as the manual do.
const asForm = ({ mock }, request) => axios.post(mock.endpoints.token, qs.stringify(request), form)
const asJSON = ({ mock }, request) => axios.post(mock.endpoints.token, request)

async function profile({ mock }, access_token) {
  const response = await axios.get(mock.endpoints.resource, { headers: { Authorization: `Bearer ${access_token}` } })
  return response.data.$data
}

import('./harness.mjs').then(({ expect, refused, serve }) => {
  async function signIn(task, open, post) {
    const client = task.client('web')
    const { code } = await login(task, client, open)
    const response = await post(task, exchange(client, code))
    const { access_token, refresh_token, expires_in } = response.data.$data
    expect(expires_in === 3600, `the token lives ${expires_in} seconds`)
    const { email } = await profile(task, access_token)
    expect(email === task.user.claims.email, `the profile is ${email}'s`)
    return { access_token, refresh_token }
  }

  async function renew(task, open, post) {
    const first = await signIn(task, open, post)
    const response = await post(task, refresh(task.client('web'), first.refresh_token))
    const { access_token, refresh_token } = response.data.$data
    expect(access_token !== first.access_token, 'the access token is the same after a refresh')
    expect(refresh_token === first.refresh_token, 'the refresh token changed')
    await profile(task, access_token)
  }

  const isError = (status, code) => (e) => e.response?.status === status && e.response.data.$errors[0].code === code

  return serve({
    code: (task, open) => signIn(task, open, asForm),
    json: (task, open) => signIn(task, open, asJSON),

    async refresh(task, open) {
      await renew(task, open, asForm)
      await renew(task, open, asJSON)
    },

    async denied(task, open) {
      const { code, error } = await login(task, task.client('web'), open)
      expect(!code && error === 'declined_authorization', `the answer has code=${code} and error=${error}`)
    },

    async refused(task) {
      await refused(asForm(task, exchange(task.client('web'), 'nobody-issued-it')), isError(400, 'INVALID_GRANT'), 'an unknown code')
    },

    async 'bad-secret'(task, open) {
      const client = { ...task.client('web'), secret: 'another secret' }
      const { code } = await login(task, client, open)
      await refused(asForm(task, exchange(client, code)), isError(401, 'INVALID_CLIENT'), 'a wrong secret')
    },
  })
})
