// RFC 6962 inclusion proofs: @sigstore/verify, through the file that its verifier uses.
import {holds, serve} from './serve.mjs';
import merkle from '@sigstore/verify/dist/tlog/merkle.js';

const bytes = hex => Buffer.from(hex, 'hex');

serve({
  inclusion: ({entry, index, size, proof, root}) => holds(() => {
    merkle.verifyMerkleInclusion(
      {
        canonicalizedBody: bytes(entry),
        inclusionProof: {logIndex: String(index), hashes: proof.map(bytes)}
      },
      {logSize: BigInt(size), logHash: bytes(root)});
    return true;
  })
});
