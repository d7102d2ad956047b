// The page of courses, for whoever is signed in: a technician with the key of his app, a merchant or clerk with the
// key of the shop's pages.
import { call } from "./api.mjs";
import { learn } from "./courses.mjs";
import { Fault } from "./fault.mjs";
import { loadSigner } from "./keys.mjs";
import { say, speak } from "./app-lang.mjs";

const { person, organisation, role, key, lang } = document.body.dataset;

async function signing() {
  const me = await call("GET", "/v1/me");
  if (!me.ok) throw new Fault(me.body.code, me.body.zh, me.body.en);
  if (me.body.person !== person || me.body.role !== role) throw new Fault("another_signed_in", "这部手机上换了人登录，请重新打开这一页。", "Somebody else is signed in on this phone now; open the page again.");
  if (role !== "technician") return { signer: await loadSigner(key), who: { person, organisation, role } };
  const { signer, whoAmI } = await import("./app-day.mjs");
  const who = await whoAmI();
  return { signer: await signer(), who };
}

if (role !== "technician") speak(lang === "en" ? "en" : "zh"); // the shop's pages have their own way to choose
else { // the app keeps its language in the phone, where the server, which wrote the head, does not know it
  document.title = say("课程 · 门神", "Courses · menshen");
  document.querySelector("header nav").setAttribute("aria-label", say("课程", "Courses"));
  document.querySelector("header nav a").textContent = `‹ ${say("上门", "Visits")}`;
}
await learn(document.getElementById("main"), signing);
document.body.dataset.ready = "yes";
