// A second reader of menshen's bundles, written from docs/formats.md, docs/door.md and docs/trace-a-visit.md and not
// from the Go code. Its schemas and its verb table are the tables of those pages, read as it starts: where they are
// wrong, it is. It asks everything that is bytes, signatures, hashes and chains; the gate's conditions it does not ask.
//
//   node reader.mjs --formats docs/formats.md --trust docs/examples/trust.json docs/examples/bundle.json
//   node reader.mjs --formats docs/formats.md --many     a line of {"trust":BASE64,"bundle":BASE64} each on stdin
import { readFileSync } from 'node:fs';
import { Forms, Refusal, demand, encode, parse } from './strict.mjs';
import { base64, digest, policy, quorum, receipt } from './log.mjs';
import { Chains, Visit } from './visit.mjs';
import { checkKey, committed, deviceProof, lowS, open, presentation, statusList } from './sign.mjs';
import { Keys, of } from './keys.mjs';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const millis = (time) => Date.parse(time);

const ORDERS = ['install', 'swap', 'relocation', 'repair', 'removal', 'inspection'];
const ASKS = ['dispatch', 'admit', 'trial', 'live', 'end', 'close'];

// verbs reads the table of statement types: "type stream verb" → who signs, and what power it has.
function verbs(markdown) {
  const out = new Map();
  const section = markdown.split('## Statement types')[1].split('\n## ')[0];
  for (const row of section.matchAll(/^\| `(\w+)` \| (\w+) \| `(\w+)` \| ([^|]+) \| ([^|]+) \| (\w+) \|$/gm)) {
    out.set(`${row[1]} ${row[2]} ${row[3]}`, { roles: row[4].split(', '), stages: row[5].split(', '), power: row[6] });
  }
  return out;
}

export class Reader {
  constructor(path) {
    this.forms = new Forms(path);
    this.verbs = verbs(readFileSync(path, 'utf8'));
  }

  trust(bytes) {
    const trust = this.forms.canonical(bytes, 'Trust file', 'trust');
    demand(trust.format === 'menshen-trust-v1' && trust.name !== '', 'trust', 'format or name');
    checkKey(trust.trust_list_key, 'trust.trust_list_key');
    const { number, issued_at: from, next_at: until } = trust.revocations;
    demand(number >= 1 && from < until && millis(until) - millis(from) <= 35 * DAY, 'trust.revocations', 'period');
    return { ...trust, policy: policy(trust), fingerprint: digest(bytes) };
  }

  read(bundleBytes, trustBytes) {
    const trust = this.trust(trustBytes);
    const value = parse(bundleBytes, 'bundle', 16 << 20);
    const bundle = this.forms.canonical(bundleBytes, 'Bundle', 'bundle', 16 << 20);
    demand(bundle.format === 'menshen-bundle-v1', 'bundle', 'format');
    demand(bundle.entries.length > 0 && bundle.entries.length <= 2000, 'bundle', 'number of entries');
    const entries = bundle.entries.map((entry, place) => this.#entry(entry, trust, `entry ${place}`));
    const reading = new Reading(this, trust, bundle, entries);
    reading.streams();
    reading.visit();
    reading.decisions();
    reading.openings();
    reading.closing(value);
    return reading.report();
  }

  // entry: event, statement, leaf and receipt of one entry fit together.
  #entry(entry, trust, where) {
    const bytes = base64(entry.event, where);
    demand(bytes.length <= 1024, where, 'event too large');
    const event = this.forms.canonical(bytes, 'Event', `${where}.event`);
    const statement = open(this.forms, base64(entry.statement, where), where);
    demand(event.statement === statement.digest, where, 'event names another statement');
    demand(event.stream === statement.stream, where, 'statement belongs to another stream');
    demand(event.number >= 1 && (event.number === 1) === (event.previous === ''), where, 'number and previous');
    demand(entry.day === event.received_at.slice(0, 10), where, 'leaf of another day');
    demand(/^\d\d$/.test(entry.province), where, 'province');
    const salt = base64(entry.salt, where);
    demand(salt.length === 16, where, 'salt');
    const leaf = `menshen-leaf/v1\n${digest('menshen-leaf-v1', salt, bytes)}\n${entry.day}\n${entry.province}\n`;
    const proof = receipt(entry.receipt, Buffer.from(leaf), trust.policy, `${where}.receipt`);
    const rule = this.verbs.get(`${statement.type} ${event.stream.split('/')[0]} ${event.verb}`);
    demand(rule, where, `${statement.type} is not recorded by ${event.verb}`);
    demand(rule.roles.includes(statement.role), where, `${statement.role} does not sign ${statement.type}`);
    demand(millis(statement.at) - millis(event.received_at) <= 5 * MINUTE, where, 'signed in the future');
    const [kind, owner] = event.stream.split('/');
    const lifts = ['suspension', 'reinstatement'].includes(statement.type);
    demand(kind !== 'organisation' || lifts || owner === statement.organisation, where, 'stream of another');
    return { event, statement, proof, rule, where, province: entry.province, digest: digest(bytes) };
  }
}

// A Reading is what is known of one bundle while it is read.
class Reading {
  constructor(reader, trust, bundle, entries) {
    Object.assign(this, { forms: reader.forms, trust, bundle, entries, proven: new Set() });
    this.visitStream = `visit/${bundle.visit}`;
    this.byEvent = new Map(entries.map((entry) => [entry.digest, entry]));
    this.byStatement = new Map(entries.map((entry) => [entry.statement.digest, entry]));
    demand(this.byEvent.size === entries.length && this.byStatement.size === entries.length, 'bundle', 'an entry twice');
  }

  of(type, among = this.entries) {
    return of(type, among);
  }

  #signatures(entries, now) {
    return new Keys(this.forms, this.trust, this.proven, entries, now);
  }

  // streams: order of entries, numbers, the chain of digests.
  streams() {
    this.byStream = new Map();
    let last;
    for (const entry of this.entries) {
      const { stream, number, previous } = entry.event;
      const follows = last?.event.stream === stream;
      demand(!last || Buffer.compare(Buffer.from(last.event.stream), Buffer.from(stream)) < 0 || (follows && last.event.number < number), entry.where, 'not sorted');
      const whole = ['visit', 'order', 'device'].includes(stream.split('/')[0]);
      demand(!whole || number === (follows ? last.event.number + 1 : 1), entry.where, 'a gap in the stream');
      if (follows && number === last.event.number + 1) demand(previous === last.digest, entry.where, 'chain of the stream');
      this.byStream.set(stream, [...(this.byStream.get(stream) ?? []), entry]);
      last = entry;
    }
  }

  // visit: chains of signers, and what answers what.
  visit() {
    const stream = this.byStream.get(this.visitStream) ?? [];
    const [opened] = stream;
    demand(opened?.statement.type === 'visit_opened', 'bundle', 'no visit');
    this.order = this.byStatement.get(opened.statement.body.basis);
    demand(this.order?.statement.type === 'order' && this.order.statement.body.order === opened.statement.body.order, 'bundle', 'no order');
    demand(ORDERS.includes(this.order.statement.body.kind), 'bundle', 'unknown kind of visit');
    const orderStream = `order/${this.order.statement.body.order}`;
    demand(this.order.event.stream === orderStream && this.order.event.number === 1, 'bundle', 'order in another stream');
    for (const name of this.byStream.keys()) {
      const kind = name.split('/')[0];
      demand(kind !== 'visit' || name === this.visitStream, name, 'another visit');
      demand(kind !== 'order' || name === orderStream, name, 'another order');
    }
    for (const entry of [...stream, ...this.byStream.get(orderStream)]) {
      demand(entry.province === this.order.statement.body.province, entry.where, 'province of another order');
    }
    const state = new Visit(this.bundle.visit);
    stream.forEach((entry) => state.take(entry));
    this.stage = state.stage;
    const chains = new Chains();
    this.byStream.get(orderStream).forEach((entry) => chains.take(entry));
  }

  // custody: from the maker to whoever was sent, each hand-over by the holder, each answering the one before.
  #custody(rests, sent) {
    let last;
    const transfers = this.of('transfer', rests).filter(({ event }) => event.stream === `device/${sent.serial}`);
    for (const { statement } of transfers) {
      const { body, where } = statement;
      demand(body.serial === sent.serial && body.notice.device_serial === sent.serial && body.from_holder === statement.signer, where, 'another device or holder');
      demand(statement.answers === (last?.digest ?? ''), where, 'answers another transfer');
      demand(!last || (statement.signer === last.body.to_holder && statement.organisation === last.body.to_organisation), where, 'not the holder');
      demand(Boolean(body.first) === !last && (last || statement.role === 'maker') && body.seals_intact, where, 'first, or seals');
      last = statement;
    }
    demand(last, `device/${sent.serial}`, 'no maker');
  }

  // admission: the badge's answer at the door, byte for byte; with signal and without.
  #admission(rests, sent, now) {
    const visit = rests.filter(({ event }) => event.stream === this.visitStream);
    const order = this.order.statement.body;
    const ofShop = ({ signer, organisation }) => organisation === order.acquirer && signer.split('.')[0] === order.merchant;
    const { statement, event } = this.of('admission', visit).filter((entry) => ofShop(entry.statement)).at(-1) ?? {};
    demand(statement, this.visitStream, 'nobody was admitted');
    const { body, where } = statement;
    demand(body.genuine && body.same_face && body.answer === digest(body.presentation), where, 'verdict, or digest of the presentation');
    demand(millis(now) - millis(event.received_at) <= 4 * 60 * MINUTE, where, 'too long ago');
    const issuer = this.organisations.find(({ id }) => id === sent.issuer);
    demand(issuer, where, 'badge of nobody');
    const shown = presentation(this.forms, body.presentation, issuer, where);
    let [nonce, from, until] = [body.offline?.nonce, body.offline?.made_at, body.offline?.answered_at];
    if (body.mode === 'online') {
      const asked = visit.find((entry) => entry.statement.digest === body.challenge);
      demand(asked?.statement.body.purpose === 'door' && !body.offline && asked.event.number < event.number, where, 'no challenge');
      demand(statement.answers === body.challenge, where, 'answers another challenge');
      [nonce, from, until] = [asked.statement.body.nonce, asked.event.received_at, event.received_at];
    } else {
      demand(body.mode === 'offline' && body.offline && body.challenge === '', where, 'mode');
      this.#transcript(statement, visit);
    }
    const { binding, claims } = shown;
    demand(binding.nonce === nonce && binding.aud === `menshen-door/${this.bundle.visit}`, where, 'nonce or audience');
    demand(binding.order === order.order, where, 'another order');
    const [asked, answered] = [millis(from) / 1000, millis(until) / 1000];
    demand(binding.iat >= asked - 5 && binding.iat <= asked + 90 && binding.iat <= answered + 5, where, 'time of the answer');
    demand(shown.from <= answered + 5 && answered < claims.exp + 5, where, 'badge out of date');
    demand(shown.name === sent.name && shown.photo === sent.photo, where, 'badge of another');
    this.#badge(shown, rests, sent, now, where);
  }

  // transcript: a check without signal, judged again. docs/door.md#without-signal.
  #transcript(statement, visit) {
    const { where, answers, body: { offline } } = statement;
    const [made, answered, at] = [offline.made_at, offline.answered_at, statement.at].map(millis);
    demand(made <= answered && at >= answered - 5000 && at <= answered + 10 * MINUTE, where, 'signed apart');
    demand(offline.dispatch === this.of('dispatch', visit).at(-1)?.statement.digest && answers === offline.dispatch, where, 'another dispatch');
    demand(base64(offline.nonce, where).length === 16, where, 'nonce');
    for (const time of [offline.trust_list_at, offline.status_list_at].map(millis)) {
      demand(made >= time - 5000 && made <= time + DAY, where, 'lists of another time');
    }
  }

  // badge: its employer recorded it, and it stands by the newest list.
  #badge({ issued, holder, claims: { iss, status: { status_list: status } } }, rests, sent, now, where) {
    const record = this.of('badge_issued', rests).find((entry) => entry.statement.body.badge === issued)?.statement;
    demand(record?.organisation === iss && record.body.holder === sent.technician && record.body.key === holder, where, 'badge without its record');
    const lists = this.of('status_list', rests).map((entry) => entry.statement).filter((list) => list.body.uri === status.uri && list.organisation === iss);
    const newest = lists.sort((a, b) => b.body.number - a.body.number)[0];
    demand(newest, where, 'no status list');
    const list = statusList(this.forms, newest.body.token, this.organisations.find(({ id }) => id === iss), newest.where);
    const seconds = millis(now) / 1000;
    demand(list.claims.sub === status.uri && list.claims.iat <= seconds + 5 && seconds < list.until + 5, newest.where, 'another list’s token, or stale');
    demand(list.at(status.idx) === 0, newest.where, 'badge does not stand');
    const revoked = this.of('badge_revoked', rests).some(({ statement: { body, organisation } }) => organisation === iss &&
      body.status_uri === status.uri && body.status_index === status.idx);
    demand(!revoked, where, 'badge is revoked');
  }

  // attestation: the device's last answer, under its maker's root.
  #attestation(rests, sent, now) {
    const visit = rests.filter(({ event }) => event.stream === this.visitStream);
    const { statement, event } = this.of('attestation', visit).at(-1) ?? {};
    demand(statement, this.visitStream, 'the device did not answer');
    const { body, where } = statement;
    const { statement: asked, event: { received_at: askedAt } } = visit.find((entry) => entry.statement.digest === body.challenge) ?? { event: {} };
    demand(asked?.type === 'challenge' && asked.body.purpose === 'device' && body.purpose === 'device', where, 'no challenge');
    demand(millis(event.received_at) - millis(askedAt) <= 10 * MINUTE, where, 'too late');
    demand(this.of('attestation', visit).every((other) => other.statement === statement || other.statement.body.challenge !== body.challenge), where, 'nonce used');
    demand(body.format === 'x509' && body.serial === sent.serial, where, 'format or serial');
    const first = this.of('transfer', rests).find((entry) => entry.event.stream === `device/${sent.serial}`)?.statement;
    demand(first?.body.first, where, 'no maker');
    const proof = deviceProof(this.forms, base64(body.proof, where), this.trust, first.signer, sent.serial, millis(now), where);
    demand(proof.quote.nonce === asked.body.nonce && proof.quote.serial === body.serial, where, 'quote of another');
    demand((first.body.first.device_key ?? proof.key) === proof.key, where, 'another key');
  }

  // decisions: each names exactly what it rests on, and everything is named.
  decisions() {
    const visit = this.byStream.get(this.visitStream);
    this.decided = this.of('decision', visit);
    demand(this.decided.length > 0, 'bundle', 'nothing was decided');
    const named = new Set();
    for (const entry of this.decided) this.#decision(entry, named);
    const last = this.decided.at(-1);
    this.keys = this.#signatures(this.entries, last.statement.body.decided_at);
    for (const entry of this.entries) {
      const after = entry.event.stream === this.visitStream && entry.event.number >= last.event.number;
      const allowed = entry === last || (after && ['release_intent', 'outcome'].includes(entry.statement.type));
      demand(named.has(entry) || allowed, entry.where, 'no decision names it');
    }
  }

  #decision(entry, named) {
    const { statement: { body, where }, event, proof } = entry;
    const rests = [];
    demand(ASKS.includes(body.ask) && body.rules === 'menshen-rules-1', where, 'ask or rules');
    const streams = body.heads.map(({ stream }) => stream);
    demand(streams.join() === [...new Set(streams)].sort().join(), where, 'heads are not sorted');
    for (const kind of ['visit', 'order']) demand(streams.some((stream) => stream.startsWith(`${kind}/`)), where, `no head of the ${kind}`);
    for (const { stream, number, event: head } of body.heads) {
      const whole = this.byStream.get(stream) ?? [];
      demand(/^(visit|order|device)\//.test(stream) && whole[number - 1]?.digest === head, where, `head of ${stream}`);
      const skipped = whole[number];
      if (stream === this.visitStream) demand(number === event.number - 1, where, 'skips an event of its own stream');
      else demand(!skipped || skipped.proof.index >= (body.log_size || proof.index), where, `skips an event of ${stream}`);
      rests.push(...whole.slice(0, number));
    }
    demand(body.evidence.join() === [...new Set(body.evidence)].sort().join(), where, 'evidence is not sorted');
    for (const single of body.evidence) {
      const found = this.byEvent.get(single);
      demand(found && !/^(visit|order|device)\//.test(found.event.stream), where, 'evidence that is not here');
      rests.push(found);
    }
    rests.forEach((found) => named.add(found));
    this.organisations = this.#signatures(rests, body.decided_at).organisations;
    const below = body.log_size || proof.index;
    demand(rests.every((found) => found.proof.index < below), where, 'evidence above its log size');
    demand(body.log_size <= proof.index && (body.log_size === 0) === ['dispatch', 'admit'].includes(body.ask), where, 'log size');
    const decided = millis(body.decided_at);
    const near = (time) => Math.abs(time - decided) <= 2 * MINUTE;
    demand(near(millis(event.received_at)), where, 'recorded at another time');
    const then = proof.cosigned.filter(({ time }) => near(time * 1000));
    demand(body.log_size === 0 || quorum(then, this.trust.quorum), where, 'cosigned at another time');
    const parameters = rests.find((found) => found.statement.digest === body.parameters)?.statement;
    demand(parameters?.type === 'parameters' && parameters.organisation === this.order.statement.body.acquirer, where, 'parameters');
    demand(body.conditions.length > 0 && body.conditions.every(({ basis }) => ['re-run', 'attested'].includes(basis)), where, 'conditions');
    demand(body.conditions.every(({ verdict }) => ['holds', 'fails'].includes(verdict)), where, 'verdict');
    this.#conditions(body, rests);
    this.#look(entry, rests);
    this.#permit(entry, parameters.body, rests);
  }

  // conditions: of those that say that they hold, the ones that rest on bytes and signatures alone.
  #conditions({ conditions, decided_at: now }, rests) {
    const holds = (name) => conditions.some(({ condition, verdict }) => condition === name && verdict === 'holds');
    const sent = this.of('dispatch', rests).at(-1)?.statement.body;
    demand(sent, this.visitStream, 'nobody was sent');
    if (holds('technician-admitted')) this.#admission(rests, sent, now);
    if (holds('custody-unbroken') && this.order.statement.body.kind === 'install') this.#custody(rests, sent);
    if (holds('device-genuine')) this.#attestation(rests, sent, now);
  }

  // look: the newest extract of this ask is fresh, and of the lists that were used it knows no higher number.
  #look({ statement: { body, where } }, rests) {
    const look = this.of('extract', rests).map(({ statement }) => statement.body).filter(({ ask }) => ask === body.ask).at(-1);
    const age = millis(body.decided_at) - millis(look?.looked_at);
    demand(age >= -5 * MINUTE && age <= 10 * MINUTE, where, 'no fresh look for this ask');
    for (const list of ['trust_list', 'parameters', 'status_list']) {
      const known = look.lists.filter((row) => row.list === list);
      demand(list === 'status_list' || known.length > 0, where, `the look knows no ${list}`);
      for (const { issuer, number } of known) {
        const used = this.of(list, rests).filter(({ statement }) => (statement.body.uri ?? statement.organisation) === issuer);
        demand(used.length === 0 || used.some(({ statement }) => statement.body.number >= number), where, `an old ${list}`);
      }
    }
  }

  #permit({ statement: { body, where } }, parameters, rests) {
    const { permit, ask } = body;
    demand(Boolean(permit) === ['trial', 'live', 'end'].includes(ask), where, 'permit');
    if (!permit) return;
    const order = this.order.statement.body;
    const sent = this.of('dispatch', rests).at(-1).statement.body;
    demand(permit.order === order.order, where, 'permit for another order');
    const ending = ask === 'end' && order.kind === 'swap' ? order.old : { serial: sent.serial, terminal: order.terminal };
    demand(permit.serial === ending.serial, where, 'permit for another device');
    if (ask === 'end') demand(permit.device_key === '', where, 'a key at the end');
    else demand(JSON.stringify(permit.items) === JSON.stringify(order.items) && permit.terminal === ending.terminal, where, 'permit for other items');
    demand(permit.cap_fen === (ask === 'trial' ? 1 : 0), where, 'cap');
    const minutes = ask === 'trial' ? parameters.trial_minutes : 30;
    const until = Math.min(millis(body.decided_at) + minutes * MINUTE, millis(permit.rollback_at ?? '9999-01-01T00:00:00Z'));
    demand(millis(permit.until) === until, where, 'permit’s end');
  }

  // openings: each opens a commitment that a statement makes.
  openings() {
    const commitments = new Set();
    for (const { statement } of this.entries) {
      for (const [run] of statement.payload.toString().matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g)) commitments.add(run);
      if (statement.type === 'admission') committed(statement.body.presentation).forEach((value) => commitments.add(value));
    }
    const seen = new Set();
    this.bundle.openings.forEach(({ kind, salt, value }, place) => {
      const where = `opening ${place}`;
      demand(/^[a-z_]{1,40}$/.test(kind), where, 'kind');
      const bytes = base64(salt, where);
      demand(bytes.length === 16, where, 'salt');
      const opened = digest(kind, Buffer.of(0), bytes, value);
      demand(commitments.has(opened), where, 'no statement commits to it');
      demand(!seen.has(opened), where, 'twice');
      seen.add(opened);
    });
  }

  closing(value) {
    const statement = open(this.forms, base64(this.bundle.closing, 'closing'), 'closing');
    demand(statement.type === 'closing' && statement.role === 'platform' && statement.stream === this.visitStream, 'closing', 'no closing of this visit');
    this.keys.verify(statement, statement.at);
    demand(lowS(statement.signature), 'closing', 'signature in its second form');
    const { visit, entries, openings, log_size: size } = statement.body;
    demand(visit === this.bundle.visit, 'closing', 'of another visit');
    demand(entries === digest(encode(value.get('entries'))), 'closing', 'covers other entries');
    demand(openings === digest(encode(value.get('openings'))), 'closing', 'covers other openings');
    demand(this.entries.every(({ proof }) => proof.index < size), 'closing', 'log was larger');
  }

  report() {
    return {
      accepted: true,
      visit: this.bundle.visit,
      order: this.order.statement.body.order,
      kind: this.order.statement.body.kind,
      stage: this.stage,
      trust_file: this.trust.fingerprint,
      leaves: this.entries.length,
      log_size: Math.max(...this.decided.map(({ statement }) => statement.body.log_size)),
      decisions: this.decided.map(({ statement }) => ({ ask: statement.body.ask, statement: statement.digest, decided_at: statement.body.decided_at })),
    };
  }
}

function judge(reader, bundle, trust) {
  try {
    return reader.read(bundle, trust);
  } catch (error) {
    if (!(error instanceof Refusal)) return { accepted: false, broken: true, refusal: error.stack };
    return { accepted: false, refusal: error.message };
  }
}

const argument = (name) => process.argv[process.argv.indexOf(name) + 1];
const reader = new Reader(argument('--formats'));
if (process.argv.includes('--many')) {
  for (const line of readFileSync(0, 'utf8').split('\n')) {
    if (line === '') continue;
    const { bundle, trust } = JSON.parse(line);
    console.log(JSON.stringify(judge(reader, Buffer.from(bundle, 'base64'), Buffer.from(trust, 'base64'))));
  }
} else {
  const report = judge(reader, readFileSync(process.argv.at(-1)), readFileSync(argument('--trust')));
  console.log(JSON.stringify(report, null, 2));
  process.exitCode = report.accepted ? 0 : 1;
}
