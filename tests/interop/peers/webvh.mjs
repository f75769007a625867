// Writes and reads did:webvh logs with didwebvh-ts.
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import * as webvh from "didwebvh-ts";
import { serve } from "./serve.mjs";

const key = (n) => {
  const seed = createHash("sha256").update(`key ${n}`).digest();
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const secret = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const raw = createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-32);
  const multikey = webvh.multibaseEncode(
    Buffer.concat([Buffer.from([0xed, 0x01]), raw]), webvh.MultibaseEncoding.BASE58_BTC);
  return { secret, multikey };
};

const verifier = {
  verify: async (signature, message, raw) => {
    const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), Buffer.from(raw)]);
    return verify(null, message, createPublicKey({ key: der, format: "der", type: "spki" }), signature);
  },
};

const signer = (k) => ({
  getVerificationMethodId: () => `did:key:${k.multikey}#${k.multikey}`,
  sign: async ({ document, proof }) => {
    const data = await webvh.prepareDataForSigning(document, proof);
    const value = sign(null, data, k.secret);
    return { proofValue: webvh.multibaseEncode(value, webvh.MultibaseEncoding.BASE58_BTC) };
  },
});

const [a, b, c, w] = [1, 2, 3, 4].map(key);
const T = (n) => `2025-01-01T00:00:0${n}Z`;
const hash = async (k) => webvh.deriveNextKeyHash(k.multikey);

const created = (more = {}) => webvh.createDID({
  address: "example.com", signer: signer(a), verifier, updateKeys: [a.multikey], created: T(1),
  verificationMethods: [{ type: "Multikey", publicKeyMultibase: a.multikey, purpose: "authentication" }],
  ...more,
});
const updated = (log, k, more = {}) => webvh.updateDID({
  log, signer: signer(k), verifier, updateKeys: [k.multikey], updated: T(log.length + 1),
  verificationMethods: [{ type: "Multikey", publicKeyMultibase: k.multikey, purpose: "authentication" }],
  ...more,
});

const scenarios = {
  create: async () => created(),
  update: async () => updated((await created()).log, a, { alsoKnownAs: ["did:web:example.com"] }),
  rotation: async () => {
    const one = await updated((await created()).log, a, { updateKeys: [b.multikey] });
    return updated(one.log, b);
  },
  "pre-rotation": async () => {
    const one = await created({ nextKeyHashes: [await hash(b)] });
    const two = await updated(one.log, b, { nextKeyHashes: [await hash(c)] });
    return updated(two.log, c, { nextKeyHashes: [] });
  },
  services: async () => updated((await created()).log, a, {
    services: [{ id: "#files", type: "relativeRef", serviceEndpoint: "https://files.example.com/" }],
  }),
  paths: async () => created({ paths: ["people", "ana"] }),
  move: async () => updated((await created({ portable: true })).log, a, {
    address: "example.org", domain: "example.org",
  }),
  deactivate: async () => webvh.deactivateDID({
    log: (await created()).log, signer: signer(a), verifier,
  }),
  witness: async () => {
    const one = await created({
      witness: { threshold: 1, witnesses: [{ id: `did:key:${w.multikey}` }] },
    });
    const { versionId } = one.log[0];
    const template = {
      type: "DataIntegrityProof", cryptosuite: "eddsa-jcs-2022", created: T(2),
      verificationMethod: signer(w).getVerificationMethodId(), proofPurpose: "assertionMethod",
    };
    const value = await signer(w).sign({ document: { versionId }, proof: template });
    return { ...one, witness: [{ versionId, proof: [{ ...template, ...value }] }] };
  },
};

serve({
  make: async ({ scenario }) => {
    const made = await scenarios[scenario]();
    return {
      did: made.log.at(-1).state.id,
      log: made.log.map((entry) => JSON.stringify(entry) + "\n").join(""),
      witness: made.witness ? JSON.stringify(made.witness) : null,
    };
  },
  resolve: async ({ log, witness }) => webvh.resolveDIDFromLog(
    log.trim().split("\n").map((line) => JSON.parse(line)),
    { verifier, witnessProofs: witness ? JSON.parse(witness) : [] },
  ),
});
