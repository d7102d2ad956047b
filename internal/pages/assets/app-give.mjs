// The technician signs a device over to the shop. It stands in the device's own stream, once: what was signed is kept
// until the server has it, and a second tap sends the same bytes.
import { base64, utf8 } from "./bytes.mjs";
import { newIdempotencyKey } from "./api.mjs";
import { me, signer } from "./app-day.mjs";
import { ask } from "./app-net.mjs";
import { draft, setDraft } from "./app-store.mjs";
import { sign, timeForm } from "./statement.mjs";

const name = "give"; // no step of an acquirer's has a name with a space before it

/** @param {object} v the visit, with its work */
export async function giveDevice(v) {
  const { work } = v;
  let kept = await draft(v.id, ` ${name}`);
  if (!kept || kept.answers !== work.parcel.transfer) { // another hand-over came between: what was signed before fits no more
    kept = { answers: work.parcel.transfer, key: newIdempotencyKey(), envelope: await signed(work) };
    await setDraft(v.id, ` ${name}`, kept);
  }
  await ask("POST", `/v1/devices/${encodeURIComponent(work.serial)}/transfer`, { statement: base64(utf8(kept.envelope)) }, { idempotencyKey: kept.key });
  await setDraft(v.id, ` ${name}`, undefined);
}

async function signed(work) {
  const who = await me();
  const { envelope } = await sign(await signer(), { type: "transfer", subject: `device/${work.serial}`, signer: who.person, organisation: who.organisation, role: who.role,
    at: timeForm(new Date()), previous: "", answers: work.parcel.transfer, body: { serial: work.serial, from_holder: who.person, to_holder: work.merchant,
      to_organisation: work.acquirer, notice: { ...work.parcel.notice, tracking: work.order }, seals_intact: true } });
  return envelope;
}
