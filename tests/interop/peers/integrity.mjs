// Data Integrity: the cryptosuites, credentials and presentations of @digitalbazaar/vc.
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as ecdsaJcs from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite';
import * as ecdsaRdfc from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import * as eddsaJcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as eddsaRdfc from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as statusList from '@digitalbazaar/vc-bitstring-status-list';
import * as vc from '@digitalbazaar/vc';
import {documentLoader, give} from './loader.mjs';
import {holds, serve} from './serve.mjs';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {Ed25519Signature2020} from '@digitalbazaar/ed25519-signature-2020';
import {Ed25519VerificationKey2020} from '@digitalbazaar/ed25519-verification-key-2020';
import jsigs from 'jsonld-signatures';

const SUITES = {
  'eddsa-jcs-2022': eddsaJcs,
  'eddsa-rdfc-2022': eddsaRdfc,
  'ecdsa-jcs-2019': ecdsaJcs,
  'ecdsa-rdfc-2019': ecdsaRdfc
};
const keys = new Map();

// A new key of this peer's own; its DID stands for it from then on.
async function key({kind}) {
  const pair = kind === 'Ed25519' ?
    await Ed25519Multikey.generate() : await EcdsaMultikey.generate({curve: kind});
  const {publicKeyMultibase} = await pair.export({publicKey: true});
  const did = `did:key:${publicKeyMultibase}`;
  pair.id = `${did}#${publicKeyMultibase}`;
  pair.controller = did;
  keys.set(did, pair);
  return did;
}

async function signingSuite(suite, did, created) {
  const pair = keys.get(did);
  if(suite === 'Ed25519Signature2020') {
    const old = await Ed25519VerificationKey2020.from({
      ...await pair.export({publicKey: true, secretKey: true}),
      type: 'Ed25519VerificationKey2020',
      '@context': 'https://w3id.org/security/suites/ed25519-2020/v1',
      privateKeyMultibase: (await pair.export({secretKey: true})).secretKeyMultibase
    });
    return new Ed25519Signature2020({key: old, date: created});
  }
  const made = SUITES[suite];
  const sign = made.createSignCryptosuite ?
    made.createSignCryptosuite() : made.cryptosuite;
  return new DataIntegrityProof({signer: pair.signer(), cryptosuite: sign, date: created});
}

function verifyingSuites() {
  const all = Object.values(SUITES).map(made => new DataIntegrityProof({
    cryptosuite: made.createVerifyCryptosuite ?
      made.createVerifyCryptosuite() : made.cryptosuite
  }));
  return [...all, new Ed25519Signature2020()];
}

const verdict = ({verified, error}) => holds(() => {
  if(!verified) {
    throw error;
  }
});

// What the status lists say of a credential, each list verified as a credential itself.
async function status({credential, lists}) {
  const {results, error} = await statusList.checkStatus({
    credential,
    documentLoader: async url => url in lists ?
      {contextUrl: null, documentUrl: url, document: lists[url]} : documentLoader(url),
    suite: verifyingSuites()
  });
  if(error) {
    throw error;
  }
  return results.map(({credentialStatus, status}) => [credentialStatus.statusPurpose, status]);
}

serve({
  give: ({documents}) => give(documents),
  key,
  issue: async ({credential, suite, did, created, at}) => vc.issue({
    credential, documentLoader, now: at, suite: await signingSuite(suite, did, created)
  }),
  // One more proof on what is secured already: the peer's way to a proof set.
  add: async ({document, suite, did, created}) => jsigs.sign(document, {
    documentLoader,
    suite: await signingSuite(suite, did, created),
    purpose: new jsigs.purposes.AssertionProofPurpose()
  }),
  present: async ({presentation, suite, did, created, challenge, domain}) =>
    vc.signPresentation({
      presentation, challenge, domain, documentLoader,
      suite: await signingSuite(suite, did, created)
    }),
  // The status is a question of its own, below.
  verify: async ({credential, at}) => verdict(await vc.verifyCredential({
    credential, documentLoader, now: at, suite: verifyingSuites(),
    checkStatus: async () => ({verified: true})
  })),
  status,
  verifyPresentation: async ({presentation, at, challenge, domain}) => verdict(
    await vc.verify({
      presentation, challenge, domain, documentLoader, now: at, suite: verifyingSuites()
    })),
  // Any document with an assertion proof, whatever its data model.
  verifyDocument: async ({document}) => verdict(await jsigs.verify(document, {
    documentLoader,
    suite: verifyingSuites(),
    purpose: new jsigs.purposes.AssertionProofPurpose()
  })),
  list: async ({length, set}) => {
    const list = await statusList.createList({length});
    set.forEach(index => list.setStatus(index, true));
    return list.encode();
  },
  bit: async ({encodedList, index}) =>
    (await statusList.decodeList({encodedList})).getStatus(index)
});
