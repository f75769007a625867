// What a JSON-LD processor may ask for: the contexts and documents it was given, and did:key.
const given = new Map();

export function give(documents) {
  for(const [url, document] of Object.entries(documents)) {
    given.set(url, document);
  }
}

// The document of a did:key, by the did:key specification.
function controllerOf(did) {
  const id = `${did}#${did.slice('did:key:'.length)}`;
  const methods = {
    authentication: [id],
    assertionMethod: [id],
    capabilityDelegation: [id],
    capabilityInvocation: [id]
  };
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: did,
    verificationMethod: [methodOf(did, id)],
    ...methods
  };
}

function methodOf(did, id) {
  return {
    '@context': 'https://w3id.org/security/multikey/v1',
    id,
    type: 'Multikey',
    controller: did,
    publicKeyMultibase: did.slice('did:key:'.length)
  };
}

// A verification method inside a document that was given.
function within(document, url) {
  const found = (document.verificationMethod ?? []).find(method => method.id === url);
  if(!found) {
    throw new Error(`no ${url} in its document`);
  }
  return {'@context': 'https://w3id.org/security/multikey/v1', ...found};
}

export async function documentLoader(url) {
  const [subject, fragment] = url.split('#');
  let document = given.get(url);
  if(!document && given.has(subject)) {
    document = within(given.get(subject), url);
  }
  if(!document && subject.startsWith('did:key:')) {
    document = fragment ? methodOf(subject, url) : controllerOf(subject);
  }
  if(!document) {
    throw new Error(`not given: ${url}`);
  }
  return {contextUrl: null, documentUrl: url, document: structuredClone(document)};
}
