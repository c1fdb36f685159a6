// An oidc-provider instance for conformance runs: state in memory, the package's own development pages for login and
// consent, loopback only. Usage: node server.mjs PORT
import { Provider, errors } from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const seconds = (name, otherwise) => Number(process.env[name] || otherwise);

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
const API = 'https://api.example';
const confidential = {
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials', DEVICE_CODE],
  response_types: ['code'],
};

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'web-app',
      client_secret: 'web-app-secret-0123456789abcdef0123456789',
      token_endpoint_auth_method: 'client_secret_basic',
      redirect_uris: ['https://client.example/callback', 'https://client.example/other', 'https://client.example/query?tenant=one'],
      ...confidential,
      grant_types: [...confidential.grant_types, 'implicit'], // which its hybrid response type needs
      response_types: ['code', 'code id_token'],
    },
    {
      client_id: 'web-app-2',
      client_secret: 'web-app-2-secret-0123456789abcdef01234567',
      token_endpoint_auth_method: 'client_secret_post',
      redirect_uris: ['https://second.example/callback'],
      ...confidential,
      grant_types: confidential.grant_types.filter((grant) => grant !== 'client_credentials'),
    },
    {
      client_id: 'native-app',
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      redirect_uris: ['https://native.example/callback', 'http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token', DEVICE_CODE],
      response_types: ['code'],
    },
    {
      client_id: 'service-app',
      client_secret: 'service-app-secret-0123456789abcdef012345',
      token_endpoint_auth_method: 'client_secret_basic',
      redirect_uris: ['https://service.example/callback'],
      grant_types: ['client_credentials'],
      response_types: [],
    },
    {
      client_id: 'https://odd.example/app',
      client_secret: 'odd secret+100%/:&=0123456789abcdef',
      token_endpoint_auth_method: 'client_secret_basic',
      redirect_uris: [],
      grant_types: ['client_credentials'],
      response_types: [],
    },
  ],
  scopes: ['openid', 'offline_access', 'profile', 'email'],
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, name: id, email: `${id}@example.com`, email_verified: true }),
  }),
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    deviceFlow: { enabled: true },
    registration: { enabled: true },
    registrationManagement: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, resource) => {
        if (resource !== API) throw new errors.InvalidTarget();
        return { scope: 'read write', accessTokenFormat: 'jwt', accessTokenTTL: seconds('INTEROP_TOKEN_SECONDS', 300), jwt: { sign: { alg: 'RS256' } } };
      },
    },
  },
  pkce: { required: (_ctx, client) => client.clientAuthMethod === 'none' },
  ttl: {
    AuthorizationCode: seconds('INTEROP_CODE_SECONDS', 60),
    AccessToken: seconds('INTEROP_TOKEN_SECONDS', 300),
    ClientCredentials: seconds('INTEROP_TOKEN_SECONDS', 300),
    RefreshToken: 3600,
    IdToken: 300,
    Interaction: 600,
    Session: 3600,
    Grant: 3600,
    DeviceCode: 300,
  },
  rotateRefreshToken: true,
  cookies: { keys: ['interop-cookie-key-0123456789abcdef'] },
});

provider.on('server_error', (_ctx, err) => console.error('server_error', err));
provider.listen(port, '127.0.0.1', () => console.log(`listening on ${issuer}`));
