// @jmondi/oauth2-server behind express as its manual shows it, with repositories kept in memory and one login and one
// consent page, loopback only. Usage: node server.mjs PORT
import { randomUUID } from 'node:crypto';
import express from 'express';
import { AuthorizationServer, DateInterval, generateRandomToken, OAuthException } from '@jmondi/oauth2-server';
import { handleExpressError, handleExpressResponse, requestFromExpress } from '@jmondi/oauth2-server/express';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const lifetime = (name, otherwise) => new DateInterval(`${process.env[name] || otherwise}s`);
const codeLifetime = lifetime('INTEROP_CODE_SECONDS', 60);
const tokenLifetime = lifetime('INTEROP_TOKEN_SECONDS', 300);

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const scopes = ['read', 'write'].map((name) => ({ name }));
const clients = new Map(
  [
    {
      id: 'web-app',
      name: 'Web application',
      secret: 'web-app-secret-0123456789abcdef0123456789',
      redirectUris: ['https://client.example/callback', 'https://client.example/other', 'https://client.example/query?tenant=one'],
      allowedGrants: ['authorization_code', 'refresh_token', 'client_credentials', 'password', EXCHANGE],
    },
    {
      id: 'web-app-2',
      name: 'Second web application',
      secret: 'web-app-2-secret-0123456789abcdef01234567',
      redirectUris: ['https://second.example/callback'],
      allowedGrants: ['authorization_code', 'refresh_token', 'client_credentials', EXCHANGE],
    },
    {
      id: 'native-app',
      name: 'Native application',
      redirectUris: ['https://native.example/callback', 'http://127.0.0.1/callback'],
      allowedGrants: ['authorization_code', 'refresh_token'],
    },
    {
      id: 'service-app',
      name: 'Service',
      secret: 'service-app-secret-0123456789abcdef012345',
      redirectUris: ['https://service.example/callback'],
      allowedGrants: ['client_credentials'],
    },
    {
      id: 'implicit-app',
      name: 'Browser application',
      redirectUris: ['https://implicit.example/callback'],
      allowedGrants: ['implicit'],
    },
  ].map((client) => [client.id, { ...client, scopes }]),
);
const users = new Map([
  ['alice', { id: 'alice', password: 'wonderland' }],
  ['jörg', { id: 'jörg', password: 'wonder %&+£€ land' }],
]);
const codes = new Map(); // by code
const tokens = new Map(); // by access token

const clientRepository = {
  getByIdentifier: async (id) => clients.get(id),
  isClientValid: async (grant, client, secret) => client.allowedGrants.includes(grant) && (client.secret ?? '') === (secret ?? ''),
};
const scopeRepository = {
  getAllByIdentifiers: async (names) => scopes.filter((scope) => names.includes(scope.name)),
  finalize: async (asked) => asked,
};
const userRepository = {
  getUserByCredentials: async (id, password, grant) => {
    const user = users.get(id);
    return grant === 'password' && user?.password !== password ? undefined : user;
  },
};
const authCodeRepository = {
  issueAuthCode: (client, user, asked) => ({
    code: generateRandomToken(),
    redirectUri: null,
    user,
    client,
    scopes: asked,
    expiresAt: codeLifetime.getEndDate(),
  }),
  persist: async (code) => void codes.set(code.code, code),
  getByIdentifier: async (code) => codes.get(code),
  isRevoked: async (code) => !codes.has(code) || codes.get(code).expiresAt < new Date(),
  revoke: async (code) => void (codes.get(code).expiresAt = new Date(0)),
};
const tokenRepository = {
  issueToken: async (client, asked, user) => ({
    accessToken: generateRandomToken(),
    accessTokenExpiresAt: tokenLifetime.getEndDate(),
    refreshToken: null,
    refreshTokenExpiresAt: null,
    client,
    user,
    scopes: asked,
  }),
  issueRefreshToken: async (token, client) => {
    if (client.allowedGrants.includes('refresh_token')) {
      token.refreshToken = generateRandomToken();
      token.refreshTokenExpiresAt = new DateInterval('1h').getEndDate();
      await tokenRepository.persist(token);
    }
    return token;
  },
  persist: async (token) => void tokens.set(token.accessToken, token),
  revoke: async (token) => {
    token.accessTokenExpiresAt = new Date(0);
    token.refreshTokenExpiresAt = new Date(0);
    await tokenRepository.persist(token);
  },
  revokeDescendantsOf: async (code) => {
    for (const token of tokens.values()) if (token.originatingAuthCodeId === code) await tokenRepository.revoke(token);
  },
  isRefreshTokenRevoked: async (token) => !token.refreshTokenExpiresAt || token.refreshTokenExpiresAt < new Date(),
  getByRefreshToken: async (value) => {
    const found = [...tokens.values()].find((token) => token.refreshToken === value);
    if (!found) throw OAuthException.invalidParameter('refresh_token');
    return found;
  },
  getByAccessToken: async (value) => tokens.get(value),
};

const server = new AuthorizationServer(clientRepository, tokenRepository, scopeRepository, 'interop-signing-secret-0123456789abcdef', {
  issuer,
  implicitRedirectMode: 'fragment',
});
server.enableGrantTypes(
  ['client_credentials', tokenLifetime],
  ['refresh_token', tokenLifetime],
  ['implicit', tokenLifetime],
  [{ grant: 'authorization_code', authCodeRepository, userRepository }, tokenLifetime],
  [{ grant: 'password', userRepository }, tokenLifetime],
  [{ grant: EXCHANGE, processTokenExchange: exchange }, tokenLifetime],
);
server.getGrant('authorization_code').authCodeTTL = codeLifetime;

// The package leaves the subject token to the integrator: here it is one of this server's own live access tokens.
async function exchange({ subjectToken, subjectTokenType, requestedTokenType, actorToken }) {
  if (actorToken) throw OAuthException.badRequest('actor tokens are not supported');
  if (requestedTokenType && requestedTokenType !== ACCESS_TOKEN) throw OAuthException.badRequest('unsupported requested_token_type');
  if (subjectTokenType !== ACCESS_TOKEN) throw OAuthException.badRequest('unsupported subject_token_type');
  const claims = await server.jwt.verify(subjectToken).catch(() => undefined);
  const token = tokens.get(claims?.jti);
  if (!token || token.accessTokenExpiresAt < new Date()) throw OAuthException.badRequest('invalid subject_token');
  return token.user;
}

const app = express();
app.use(express.json());
app.use(express.urlencoded({ extended: false }));

const escape = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const page = (res, title, body) =>
  res
    .set({
      'Content-Security-Policy': "default-src 'none'; form-action *; frame-ancestors 'none'",
      'X-Frame-Options': 'DENY',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
    })
    .send(`<!doctype html><html lang="en"><head><title>${title}</title></head><body><h1>${title}</h1>${body}</body></html>`);
const sessions = new Map(); // session cookie to user
const signedIn = (req) => sessions.get(/(?:^|; )session=([^;]+)/.exec(req.headers.cookie ?? '')?.[1]);

const endpoint = (handle) => async (req, res) => {
  try {
    await handle(req, res);
  } catch (err) {
    handleExpressError(err, res);
  }
};
const answer = (method) => endpoint(async (req, res) => handleExpressResponse(res, await server[method](requestFromExpress(req))));

app.get('/authorize', endpoint(async (req, res) => {
  await server.validateAuthorizationRequest(requestFromExpress(req));
  const query = new URL(req.originalUrl, issuer).search;
  if (!signedIn(req)) {
    return void page(res, 'Sign in', `<form method="post" action="/login${escape(query)}">
      <label>User name <input name="username"></label> <label>Password <input name="password" type="password"></label>
      <button>Sign in</button></form>`);
  }
  page(res, 'Allow access?', `<form method="post" action="/consent${escape(query)}">
    <button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form>`);
}));
app.post('/login', (req, res) => {
  const user = users.get(req.body?.username);
  if (!user || user.password !== req.body.password) return void page(res.status(403), 'Sign in failed', '<p>Wrong user name or password.</p>');
  const id = randomUUID();
  sessions.set(id, user);
  res.cookie('session', id, { httpOnly: true, sameSite: 'lax' });
  res.redirect(303, `/authorize${new URL(req.originalUrl, issuer).search}`);
});
app.post('/consent', endpoint(async (req, res) => {
  const user = signedIn(req);
  if (!user) return void page(res.status(403), 'Signed out', '<p>Start again.</p>');
  const request = await server.validateAuthorizationRequest(requestFromExpress(req));
  request.user = user;
  request.isAuthorizationApproved = req.body?.decision === 'allow';
  handleExpressResponse(res, await server.completeAuthorizationRequest(request));
}));
app.post('/token', answer('respondToAccessTokenRequest'));
app.post('/token/revoke', answer('revoke'));
app.post('/token/introspect', answer('introspect'));

app.listen(port, '127.0.0.1', () => console.log(`listening on ${issuer}`));
