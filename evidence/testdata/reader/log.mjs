// The public log: trust file's keys, checkpoints, cosignatures, receipts. docs/formats.md#events-and-the-log, and the
// C2SP documents that it names.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { demand } from './strict.mjs';

export const sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
export const digest = (...parts) => sha256(...parts).toString('hex');

// base64 is strict: one spelling for one byte string.
export function base64(spelling, where, encoding = 'base64') {
  const bytes = Buffer.from(spelling, encoding);
  demand(bytes.toString(encoding) === spelling, where, `not ${encoding}`);
  return bytes;
}

// verifierKey reads NAME+KEYID+KEY of a signed note: c2sp.org/signed-note.
export function verifierKey(vkey, type, where) {
  const found = /^([^\s+]+)\+([0-9a-f]{8})\+(.+)$/u.exec(vkey);
  demand(found, where, 'no verifier key');
  const bytes = base64(found[3], where);
  demand(bytes.length === 33 && bytes[0] === type, where, `no key of type ${type}`);
  const keyID = sha256(`${found[1]}\n`, bytes).subarray(0, 4);
  demand(keyID.toString('hex') === found[2], where, 'key id is not this key’s');
  const raw = bytes.subarray(1);
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
  return { name: found[1], keyID, raw, key: createPublicKey({ key: spki, format: 'der', type: 'spki' }) };
}

// policy reads what the trust file says of log and witnesses.
export function policy(trust) {
  const log = verifierKey(trust.log.key, 0x01, 'trust.log.key');
  demand(log.name === trust.log.origin, 'trust.log', 'the key has another name than the log');
  const witnesses = trust.witnesses.map(({ party, key, until_size: until = 0 }, place) => {
    const where = `trust.witnesses[${place}]`;
    const witness = { party, until, ...verifierKey(key, 0x04, where) };
    demand(until >= 0, where, 'until_size');
    demand(party !== trust.log.operator, where, 'run by the operator of the log');
    demand(!witness.raw.equals(log.raw), where, 'has the key of the log');
    return witness;
  });
  const parties = new Set(witnesses.filter(({ until }) => until === 0).map(({ party }) => party));
  demand(trust.quorum >= 1 && trust.quorum <= parties.size, 'trust.quorum', 'not reachable');
  const once = (values, what) => demand(new Set(values).size === values.length, 'trust.witnesses', `${what} twice`);
  once(witnesses.map(({ raw }) => raw.toString('hex')), 'a key');
  once(witnesses.map(({ name }) => name), 'a name');
  return { origin: trust.log.origin, log, witnesses, quorum: trust.quorum };
}

const decimal = (spelling, where) => {
  demand(/^(0|[1-9][0-9]{0,15})$/.test(spelling), where, 'no number');
  return Number(spelling);
};

// checkpoint verifies the log's signature and every cosignature, and gives size, root and the cosignatures that count.
export function checkpoint(lines, rules, where) {
  const [origin, count, root, empty, ...signatures] = lines;
  demand(origin === rules.origin && empty === '' && signatures.pop() === '', where, 'not a checkpoint of this log');
  const size = decimal(count, where);
  const body = Buffer.from(`${origin}\n${count}\n${root}\n`);
  const rootBytes = base64(root, where);
  demand(rootBytes.length === 32, where, 'no root');
  const all = [];
  let last = '';
  signatures.forEach((line, place) => {
    const found = /^— (\S+) (\S+)$/u.exec(line);
    demand(found, where, 'no signature line');
    const bytes = base64(found[2], where);
    const keyID = bytes.subarray(0, 4);
    if (place === 0) {
      demand(found[1] === rules.log.name && keyID.equals(rules.log.keyID), where, 'not signed by the log');
      demand(bytes.length === 68 && verify(null, body, rules.log.key, bytes.subarray(4)), where, 'the log’s signature is wrong');
      return;
    }
    const order = `${found[1]} ${keyID.toString('hex')}`;
    demand(order > last, where, 'cosignatures out of order or twice');
    last = order;
    const witness = rules.witnesses.find(({ name, keyID: own }) => name === found[1] && own.equals(keyID));
    demand(witness && bytes.length === 76, where, 'a cosignature of nobody');
    const seconds = bytes.readBigUInt64BE(4);
    const signed = Buffer.concat([Buffer.from(`cosignature/v1\ntime ${seconds}\n`), body]);
    demand(verify(null, signed, witness.key, bytes.subarray(12)), where, 'a cosignature is wrong');
    all.push({ party: witness.party, until: witness.until, time: Number(seconds) });
  });
  demand(signatures.length > 0, where, 'not signed');
  const stands = all.some(({ until }) => until === 0);
  const cosigned = all.filter(({ until }) => until === 0 || (stands && size <= until));
  demand(quorum(cosigned, rules.quorum), where, 'not cosigned by a quorum');
  return { size, root: rootBytes, cosigned };
}

// quorum counts parties, each once, and asks for one whose key did not end.
export function quorum(cosigned, needed) {
  return new Set(cosigned.map(({ party }) => party)).size >= needed && cosigned.some(({ until }) => until === 0);
}

// inclusion is RFC 9162, 2.1.3.2, which is RFC 6962's tree.
function inclusion(leafHash, index, size, path) {
  let [node, last, hash] = [BigInt(index), BigInt(size) - 1n, leafHash];
  for (const sibling of path) {
    if (last === 0n) return null;
    if ((node & 1n) === 1n || node === last) {
      hash = sha256(Buffer.of(1), sibling, hash);
      while ((node & 1n) === 0n && node !== 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      hash = sha256(Buffer.of(1), hash, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  return last === 0n ? hash : null;
}

// receipt verifies a c2sp.org/tlog-proof@v1 of one leaf.
export function receipt(source, leaf, rules, where) {
  const lines = source.split('\n');
  demand(lines[0] === 'c2sp.org/tlog-proof@v1' && lines[1]?.startsWith('index '), where, 'no proof');
  const index = decimal(lines[1].slice(6), where);
  const end = lines.indexOf('');
  demand(end >= 2, where, 'no empty line');
  const path = lines.slice(2, end).map((line) => base64(line, where));
  demand(path.every((hash) => hash.length === 32) && path.length <= 63, where, 'no hash');
  const signed = checkpoint(lines.slice(end + 1), rules, where);
  demand(index < signed.size, where, 'above the log’s size');
  const root = inclusion(sha256(Buffer.of(0), leaf), index, signed.size, path);
  demand(root?.equals(signed.root), where, 'the leaf is not in the tree');
  return { index, ...signed };
}
