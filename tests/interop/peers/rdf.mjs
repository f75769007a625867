// JSON-LD to canonical N-Quads: jsonld.js and rdf-canonize.
import rdfCanonize from 'rdf-canonize';
import {documentLoader, give} from './loader.mjs';
import jsonld from 'jsonld';
import {serve} from './serve.mjs';

const canonical = (dataset, hash) => rdfCanonize.canonize(dataset, {
  algorithm: 'RDFC-1.0', messageDigestAlgorithm: hash
});

serve({
  give: ({documents}) => give(documents),
  canonize: async ({document, hash}) => canonical(
    await jsonld.toRDF(
      document, {documentLoader, base: null, safe: true, rdfDirection: 'i18n-datatype'}), hash),
  quads: async ({text, hash}) => canonical(rdfCanonize.NQuads.parse(text), hash)
});
