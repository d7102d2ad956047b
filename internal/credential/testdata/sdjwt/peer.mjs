// @sd-jwt/core 0.19.0 as a second implementation. Reads a question as JSON from standard input and
// writes what the library says; the verdict stays ours (peer_*_test.go).
import { createHash, generateKeyPairSync, createPublicKey, randomBytes, sign, verify } from 'node:crypto'
import { SDJwtInstance } from '@sd-jwt/core'
import { digest, ES256 } from '@sd-jwt/crypto-nodejs'
import { StatusList, createHeaderAndPayload, getListFromStatusListJWT } from '@sd-jwt/jwt-status-list'

const hasher = (data, alg) => createHash(alg.replace('-', '')).update(data).digest()
const signer = (key) => (data) => sign('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
const checks = (key) => (data, sig) => verify('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(sig, 'base64url'))
const publicKey = (jwk) => createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y }, format: 'jwk' })

const instance = (issuer) => new SDJwtInstance({
  hasher, hashAlg: 'sha-256', verifier: checks(issuer),
  kbVerifier: (data, sig, payload) => checks(publicKey(payload.cnf.jwk))(data, sig),
})

async function reads(question) {
  const peer = instance(publicKey(question.issuer))
  const out = []
  for (const p of question.presentations) {
    try {
      const { payload, kb } = await peer.verify(p, { keyBindingNonce: question.nonce, currentDate: question.now })
      out.push({ ok: true, person: payload.person ?? null, aud: kb?.payload.aud ?? '' })
    } catch (e) {
      out.push({ ok: false, error: String(e.message) })
    }
  }
  return out
}

async function issues(question) {
  const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const holder = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = holder.publicKey.export({ format: 'jwk' })
  const peer = new SDJwtInstance({
    hasher, hashAlg: 'sha-256', signAlg: 'ES256', signer: signer(issuer.privateKey), kbSignAlg: 'ES256', kbSigner: signer(holder.privateKey),
    saltGenerator: () => randomBytes(16).toString('base64url'),
  })
  const badge = await peer.issue({ ...question.claims, person: question.person, cnf: { jwk: { kty, crv, x, y } } }, { _sd: ['person'] }, { header: { typ: 'dc+sd-jwt' } })
  const presentation = await peer.present(badge, { person: true }, { kb: { payload: question.binding } })
  const k = issuer.publicKey.export({ format: 'jwk' })
  return { issuer: { kind: 'es256', x: k.x, y: k.y }, presentation }
}

// It reads a list and leaves signature, type and times to its caller.
function lists(question) {
  return question.lists.map((token) => {
    try {
      const list = getListFromStatusListJWT(token)
      return { ok: true, statuses: question.indexes.map((i) => list.getStatus(i)) }
    } catch (e) {
      return { ok: false, error: String(e.message) }
    }
  })
}

async function publishes(question) {
  const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { header, payload } = createHeaderAndPayload(new StatusList(question.statuses, question.bits), question.claims, { alg: 'ES256', typ: 'statuslist+jwt' })
  const encoded = [header, payload].map((x) => Buffer.from(JSON.stringify(x)).toString('base64url')).join('.')
  const k = issuer.publicKey.export({ format: 'jwk' })
  return { issuer: { kind: 'es256', x: k.x, y: k.y }, token: encoded + '.' + (await signer(issuer.privateKey)(encoded)) }
}

// The library as it comes: with its own cryptography for node, which is WebCrypto. Every presentation once: one after
// the other; and as a server has them, as many at once as are asked for, in this one process.
async function times(question) {
  const jwk = (k) => ({ kty: 'EC', crv: 'P-256', x: k.x, y: k.y })
  const peer = new SDJwtInstance({
    hasher: digest, hashAlg: 'sha-256', verifier: await ES256.getVerifier(jwk(question.issuer)),
    kbVerifier: async (data, sig, payload) => (await ES256.getVerifier(jwk(payload.cnf.jwk)))(data, sig),
  })
  const all = question.presentations
  const once = (i) => peer.verify(all[i], { keyBindingNonce: question.nonce, currentDate: question.now })
  const now = () => Number(process.hrtime.bigint())
  const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) * 1000 } // of all threads: WebCrypto has its own
  for (let i = 0; i < Math.min(500, all.length); i++) await once(i)
  const measured = async (work) => {
    const began = now(), before = cpu()
    await work()
    return [(now() - began) / all.length, (cpu() - before) / all.length]
  }
  const [clock, used] = await measured(async () => { for (let i = 0; i < all.length; i++) await once(i) })
  let next = 0
  const [many, manyUsed] = await measured(() => Promise.all(
    Array.from({ length: question.at_once }, async () => { while (next < all.length) await once(next++) })))
  return { clock_ns: clock, cpu_ns: used, many_ns: many, many_cpu_ns: manyUsed }
}

let text = ''
for await (const chunk of process.stdin) text += chunk
const question = JSON.parse(text)
console.log(JSON.stringify(await { reads, issues, times, lists, publishes }[question.ask](question)))
