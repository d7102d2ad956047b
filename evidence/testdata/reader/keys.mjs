// Who may sign: trust list → organisation → enrolment. docs/formats.md#trust_list, #enrolment.
import { demand, isID, isTime } from './strict.mjs';
import { checkKey, signed, thumbprint } from './sign.mjs';

const DAY = 24 * 3600_000;
const millis = (time) => Date.parse(time);

// Which organisation may enrol which role: formats.md#enrolment.
const ENROLS = {
  acquirer: ['merchant', 'approver', 'host', 'risk'],
  provider: ['technician', 'dispatcher', 'custodian'],
  supervisor: ['supervisor'],
  regulator: ['regulator'],
};
const OWN_ROLES = ['maker', 'course_issuer', 'platform', 'regulator'];
const KINDS = ['acquirer', 'provider', 'maker', 'course_issuer', 'supervisor', 'platform', 'regulator'];

export function of(type, among) {
  return among.filter(({ statement }) => statement.type === type);
}

// Keys are the keys that count among some entries at one time; making them proves every signature of those entries.
export class Keys {
  // signatures: every key is vouched for, for this person, organisation and role, when signed and when received, by
  // the newest trust list among entries, which must be fresh.
  constructor(forms, trust, proven, entries, now) {
    Object.assign(this, { forms, trust, proven });
    const lists = of('trust_list', entries);
    for (const { statement } of lists) {
      demand(statement.role === 'regulator', statement.where, 'role');
      this.#signed(statement, this.trust.trust_list_key);
    }
    const newest = lists.map(({ statement }) => statement).sort((a, b) => b.body.number - a.body.number);
    demand(newest.length > 0, 'bundle', 'no trust list');
    demand(new Set(newest.map(({ body }) => body.number)).size === newest.length, newest[0].where, 'two lists with one number');
    this.#checkList(newest[0], now);
    this.organisations = newest[0].body.organisations;
    this.keys = [];
    for (const { id, kinds, key } of this.organisations) {
      const roles = ['organisation', ...OWN_ROLES.filter((role) => kinds.includes(role))];
      for (const role of roles) this.keys.push({ holder: id, organisation: id, role, key, thumbprint: thumbprint(key) });
    }
    const enrolments = of('enrolment', entries);
    for (const by of ['organisation', 'merchant']) {
      for (const entry of enrolments.filter(({ statement }) => statement.role === by)) this.#enrol(entry);
    }
    for (const { statement } of of('enrolment_end', entries)) this.#end(statement);
    for (const entry of entries) if (entry.statement.type !== 'trust_list') this.verify(entry.statement, entry.event.received_at);
  }

  // end: by whoever enrolled; of several ends the earliest counts.
  #end({ body, organisation, role, signer }) {
    for (const known of this.keys) {
      const own = role === 'merchant' ? known.merchant === signer : known.merchant === undefined;
      if (known.thumbprint === body.key && known.organisation === organisation && own && body.from < (known.until ?? '9')) known.until = body.from;
    }
  }

  #signed(statement, key) {
    const memory = `${statement.digest} ${JSON.stringify(key)}`;
    if (this.proven.has(memory)) return;
    signed(this.forms, statement, key);
    this.proven.add(memory);
  }

  #checkList({ body, where }, now) {
    demand(isTime(body.issued_at) && isTime(body.next_at) && millis(body.issued_at) - 5000 <= millis(now) && now <= body.next_at, where, 'list is not of this time');
    demand(millis(body.next_at) - millis(body.issued_at) <= 31 * DAY && body.issued_at < body.next_at, where, 'period of the list');
    const short = (text) => text !== '' && Buffer.byteLength(text) <= 200;
    const once = (list, what) => demand(new Set(list).size === list.length, where, `${what} twice`);
    demand(body.number >= 1 && short(body.source) && body.organisations.length > 0, where, 'number or source');
    once(body.organisations.map(({ id }) => id), 'an organisation');
    once(body.organisations.flatMap(({ key, badge_key: badge }) => [key, badge ?? []].flat()).map(thumbprint), 'a key');
    for (const { id, name, kinds, licence, filing, struck, key, badge_key: badge } of body.organisations) {
      for (const known of badge ? [key, badge] : [key]) checkKey(known, where);
      demand(!badge || badge.kind === 'es256', where, 'badge key');
      demand(isID(id) && short(name) && kinds.length > 0 && kinds.every((kind) => KINDS.includes(kind)), where, 'id, name or kind');
      once(kinds, 'a kind');
      for (const { number, from, until } of [licence, filing].filter(Boolean)) {
        demand(short(number) && isTime(from) && isTime(until) && from < until, where, 'licence or filing');
      }
      if (licence) {
        once(licence.business, 'a business');
        once(licence.regions, 'a region');
        demand(licence.business.length > 0 && licence.business.every(isID) && licence.regions.length > 0, where, 'licence');
        demand(licence.regions.join() === '*' || licence.regions.every((region) => /^\d\d$/.test(region)), where, 'regions');
      }
      demand(!struck || (isTime(struck.at) && short(struck.reason)), where, 'struck');
    }
  }

  #enrol({ statement, event }) {
    const { body, where, signer } = statement;
    checkKey(body.key, where);
    demand(body.holder && isTime(body.from) && isTime(body.until) && body.from < body.until && ['holder', 'operator'].includes(body.held_by), where, 'period or keeper');
    demand(body.organisation === statement.organisation, where, 'enrolled for another organisation');
    if (statement.role === 'merchant') {
      const [merchant, name, more] = body.holder.split('.');
      demand(body.role === 'clerk' && merchant === signer && name && more === undefined, where, 'no clerk of this merchant');
      demand(event.stream === `person/${merchant}`, where, 'stream');
    } else {
      const kinds = this.organisations.filter(({ id }) => id === statement.organisation).flatMap((known) => known.kinds);
      demand(kinds.some((kind) => ENROLS[kind]?.includes(body.role)), where, 'may not enrol this role');
      demand(event.stream === `organisation/${statement.organisation}`, where, 'stream');
    }
    this.keys.push({ ...body, thumbprint: thumbprint(body.key), merchant: statement.role === 'merchant' ? signer : undefined });
  }

  verify(statement, received) {
    const { where } = statement;
    const known = this.keys.filter((key) => key.thumbprint === statement.key);
    demand(new Set(known.map(({ holder }) => holder)).size === 1, where, 'key of nobody, or of two');
    const holds = ({ from = '', until = '9', ...key }) => key.holder === statement.signer && key.organisation === statement.organisation &&
      key.role === statement.role && [statement.at, received].every((time) => from <= time && time < until);
    const key = known.find(holds);
    demand(key, where, 'key is not enrolled for this signer, organisation, role and time');
    this.#signed(statement, key.key);
  }
}
