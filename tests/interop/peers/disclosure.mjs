// SD-JWT: the npm package @sd-jwt/core, with signatures by Node itself.
import {createHash, createPublicKey, generateKeyPairSync, randomBytes} from 'node:crypto';
import {sign as signBytes, verify as verifyBytes} from 'node:crypto';
import {holds, serve} from './serve.mjs';
import {SDJwtInstance} from '@sd-jwt/core';

const keys = new Map();
const hashing = {
  hasher: (data, alg) => new Uint8Array(createHash(alg.replace('-', '')).update(
    typeof data === 'string' ? data : Buffer.from(data)).digest()),
  hashAlg: 'sha-256',
  saltGenerator: length => randomBytes(length).toString('hex').slice(0, length)
};
const options = key => ({key, dsaEncoding: 'ieee-p1363'});
const hashOf = alg => alg === 'EdDSA' ? null : `sha${alg.slice(2)}`;

const signer = (alg, key) => data =>
  signBytes(hashOf(alg), Buffer.from(data), options(key)).toString('base64url');

const verifier = (alg, jwk) => (data, signature) => verifyBytes(
  hashOf(alg), Buffer.from(data),
  options(createPublicKey({key: jwk, format: 'jwk'})),
  Buffer.from(signature, 'base64url'));

serve({
  key: ({alg}) => {
    const {publicKey, privateKey} = alg === 'EdDSA' ?
      generateKeyPairSync('ed25519') : generateKeyPairSync('ec', {namedCurve: 'P-256'});
    const jwk = publicKey.export({format: 'jwk'});
    const did = `did:jwk:${Buffer.from(JSON.stringify(jwk)).toString('base64url')}`;
    keys.set(did, {alg, privateKey});
    return {did, jwk};
  },
  issue: async ({did, payload, frame, header}) => {
    const {alg, privateKey} = keys.get(did);
    const instance = new SDJwtInstance(
      {...hashing, signer: signer(alg, privateKey), signAlg: alg});
    return instance.issue(payload, frame, {header});
  },
  // The holder's step: which claims go on, and a key binding where there is a nonce.
  present: async ({token, frame, did, audience, nonce, at}) => {
    const {alg, privateKey} = keys.get(did) ?? {};
    const instance = new SDJwtInstance({
      ...hashing, ...(alg && {kbSigner: signer(alg, privateKey), kbSignAlg: alg})
    });
    const kb = nonce && {payload: {iat: at, aud: audience, nonce}};
    return instance.present(token, frame, kb ? {kb} : undefined);
  },
  verify: async ({token, jwk, alg, holder, holderAlg, nonce, at}) => holds(async () => {
    const instance = new SDJwtInstance({
      ...hashing, verifier: verifier(alg, jwk),
      ...(holder && {kbVerifier: verifier(holderAlg, holder)})
    });
    return instance.verify(token, {currentDate: at, ...(nonce && {keyBindingNonce: nonce})});
  })
});
