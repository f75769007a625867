// JSON Web Signatures: the npm package jose.
import * as jose from 'jose';
import {holds, serve} from './serve.mjs';

const keys = new Map();
const text = bytes => new TextDecoder('utf-8', {fatal: true}).decode(bytes);

serve({
  // A new key of this peer's own: its public JWK, and the DID made of it.
  key: async ({alg, crv}) => {
    const {publicKey, privateKey} = await jose.generateKeyPair(alg, {crv});
    const jwk = await jose.exportJWK(publicKey);
    const did = `did:jwk:${jose.base64url.encode(JSON.stringify(jwk))}`;
    keys.set(did, privateKey);
    return {did, jwk};
  },
  sign: async ({did, payload, header}) =>
    new jose.CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
      .setProtectedHeader(header).sign(keys.get(did)),
  verify: async ({token, jwk, typ, alg}) => holds(async () => {
    const key = await jose.importJWK(jwk, alg);
    const {payload, protectedHeader} =
      await jose.compactVerify(token, key, {algorithms: [alg]});
    if(protectedHeader.typ !== typ) {
      throw new Error(`typ is ${protectedHeader.typ}`);
    }
    return {header: protectedHeader, payload: JSON.parse(text(payload))};
  }),
  thumbprint: ({jwk}) => jose.calculateJwkThumbprint(jwk)
});
