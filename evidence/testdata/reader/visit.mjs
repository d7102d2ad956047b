// A visit's stages, its signers' chains, and what may be recorded when. docs/formats.md#statement-types and #stages.
import { demand } from './strict.mjs';

const RULES = {
  dispatch: { verb: 'dispatch', from: ['booked'], after: 'dispatched' },
  admit: { verb: 'admit', from: ['dispatched'], after: 'admitted' },
  trial: { verb: 'request_permit', from: ['admitted', 'trial'] },
  live: { verb: 'request_permit', from: ['trial'] },
  end: { verb: 'request_permit', from: ['admitted', 'live'] },
  close: { verb: 'close', from: ['admitted', 'live'], after: 'closed' },
};
const ENDS = { refuse: 'refused', abort: 'aborted', roll_back: 'rolled_back' };
const ENDED = ['closed', 'refused', 'aborted', 'rolled_back'];
const OUTCOMES = ['loaded', 'keys_ended', 'refused', 'cancelled'];

// Chains holds signers to their order in one stream: each names the one that the same key signed before.
export class Chains {
  #last = new Map();
  #ahead = new Map();

  take({ statement: { role, key, previous, digest, signer, where }, rule }) {
    if (role === 'platform' || role === 'host') return;
    const follows = previous === (this.#last.get(key) ?? '');
    demand(follows || rule.power === 'takes', where, `chain of ${signer}`);
    if (!follows) {
      this.#ahead.set(previous, digest);
      return;
    }
    for (let now = digest; now; now = this.#ahead.get(now)) this.#last.set(key, now);
  }
}

// Visit folds one visit's events, in order.
export class Visit {
  stage = 'none';
  #id;
  #chains = new Chains();
  #frozen = new Set();
  #nonces = new Set();
  #answered = new Set();
  #ruled = new Set();
  #reviewed = new Set();
  #cancelled = new Set();
  #permits = new Map();
  #outcomes = new Map();
  #trials = 0;

  constructor(id) {
    this.#id = id;
  }

  take(entry) {
    const { statement, rule, where } = entry;
    const { body } = statement;
    demand(rule.stages.includes('any') ? this.stage !== 'none' : rule.stages.includes(this.stage), where, `not at stage ${this.stage}`);
    demand(rule.power !== 'gives' || this.#frozen.size === 0 || entry.event.verb === 'resume', where, 'the visit is frozen');
    this.#chains.take(entry);
    demand(body.visit === undefined || body.visit === this.#id, where, 'of another visit');
    this[`_${statement.type}`]?.(entry);
  }

  _visit_opened({ statement }) {
    [this.stage, this.acquirer] = ['booked', statement.organisation];
  }

  _dispatch({ statement }) {
    [this.stage, this.sent, this.sentBy] = ['booked', statement.body, statement.organisation];
  }

  #nonce(nonce, where) {
    demand(!this.#nonces.has(nonce), where, 'nonce twice');
    this.#nonces.add(nonce);
  }

  _challenge({ statement: { body }, where }) {
    this.#nonce(body.nonce, where);
  }

  _admission({ statement: { body }, where }) {
    const offline = body.mode === 'offline';
    demand(offline === Boolean(body.offline) && offline === (body.challenge === ''), where, 'mode and transcript');
    if (offline) {
      this.#nonce(body.offline.nonce, where);
      return;
    }
    demand(!this.#answered.has(body.challenge), where, 'challenge used');
    this.#answered.add(body.challenge);
  }

  _decision({ statement: { body, digest }, event, where }) {
    const rule = RULES[body.ask];
    demand(rule?.verb === event.verb && rule.from.includes(this.stage), where, 'another verb, or not at this stage');
    demand(Boolean(body.permit) === (rule.verb === 'request_permit') && this.sent, where, 'permit');
    if (body.ask === 'trial') this.#trials++;
    demand(this.#trials <= 3, where, 'more than three trials');
    if (body.permit) this.#permits.set(digest, body);
    this.stage = rule.after ?? this.stage;
  }

  _release_intent({ statement: { body }, where }) {
    demand([...this.#permits.keys()].at(-1) === body.permit && !this.#cancelled.has(body.permit), where, 'not the last permit, or cancelled');
  }

  _outcome({ statement: { body, organisation, digest }, where }) {
    const decided = this.#permits.get(body.permit);
    demand(decided && organisation === this.acquirer && OUTCOMES.includes(body.outcome), where, 'no permit, host or outcome of this visit');
    const first = this.#outcomes.get(body.permit) ?? body.outcome;
    this.#outcomes.set(body.permit, first);
    const did = ['loaded', 'keys_ended'].includes(body.outcome);
    const other = body.serial !== decided.permit.serial || body.device_key !== decided.permit.device_key;
    if (first !== body.outcome || (did && (other || (decided.ask === 'end') !== (body.outcome === 'keys_ended')))) {
      this.#frozen.add(digest);
      return;
    }
    if (body.outcome === 'keys_ended') this.keysEnded = true;
    if (body.outcome === 'loaded' && decided.ask === 'trial' && this.stage === 'admitted') this.stage = 'trial';
    if (body.outcome === 'loaded' && decided.ask === 'live' && this.stage === 'trial') this.stage = 'live';
  }

  #brake({ statement: { digest }, event }) {
    const after = ENDS[event.verb];
    if (!after || (this.stage === 'live' && (after !== 'rolled_back' || this.keysEnded))) this.#frozen.add(digest);
    else if (!ENDED.includes(this.stage)) this.stage = after;
  }

  _refusal(entry) { this.#brake(entry); }

  _incident(entry) { this.#brake(entry); }

  _brake(entry) {
    const { permit } = entry.statement.body;
    if (entry.event.verb === 'cancel') (permit ? [permit] : [...this.#permits.keys()]).forEach((digest) => this.#cancelled.add(digest));
    else this.#brake(entry);
  }

  _resumption({ statement: { body, organisation }, where }) {
    demand(organisation === this.acquirer && body.reason && body.appeal, where, 'whose, why, and where to complain');
    demand(body.closes.length > 0 && body.closes.every((digest) => this.#frozen.has(digest)), where, 'closes what is not open');
    body.closes.forEach((digest) => this.#frozen.delete(digest));
  }

  _ruling({ statement: { body, role, organisation, signer }, where }) {
    demand(['stands', 'late'].includes(body.outcome) && body.stands !== body.late && body.signer && body.reason, where, 'ruling');
    demand([body.stands, body.late].every((digest) => /^[0-9a-f]{64}$/.test(digest)) && this.sentBy, where, 'ruling');
    demand(organisation === (role === 'risk' ? this.acquirer : this.sentBy) && signer !== body.signer, where, 'by another');
    demand(!this.#ruled.has(body.late), where, 'ruled before');
    this.#ruled.add(body.late);
  }

  _review({ statement: { body, role, organisation, signer }, where }) {
    const who = `${role}/${organisation}/${signer}`;
    demand(body.stars >= 1 && body.stars <= 5 && !this.#reviewed.has(who), where, 'stars, or reviewed before');
    this.#reviewed.add(who);
  }

  _step({ statement: { body }, where }) {
    demand(body.photos.every(({ digest }) => /^[0-9a-f]{64}$/.test(digest)), where, 'a photo without a digest');
  }

  _backup({ statement: { body }, where }) {
    demand([body.manifest, body.restored].every((digest) => /^[0-9a-f]{64}$/.test(digest)), where, 'no digests');
  }
}
