// Learning and being tested: the list of courses, the pages of one, the test, what came of it. The technician's app and
// the shop's page both show it; whose key signs, they say. Questions and choices stay in this page: nothing here is kept.
import { call } from "./api.mjs";
import { base64, fromBase64, utf8 } from "./bytes.mjs";
import { Fault, faultOf } from "./fault.mjs";
import { day, standingOf } from "./app-courses.mjs";
import { button, h, noteOf, shape } from "./app-dom.mjs";
import { language, many, say, when } from "./app-lang.mjs";
import { commit, digestHex, sign, timeForm } from "./statement.mjs";

const pick = (words) => language() === "en" ? words.en : words.zh;

async function ask(method, path, body) {
  const answer = await call(method, path, body);
  if (!answer.ok) throw new Fault(answer.body.code, answer.body.zh, answer.body.en);
  return answer.body;
}

const at = (c) => `/v1/courses/${encodeURIComponent(c.issuer)}/${encodeURIComponent(c.course)}`;
const paragraphs = (text) => text.split("\n").filter((l) => l.trim() !== "").map((l, i) => i === 0 ? h("h2", {}, l) : h("p", {}, l));

/** The courses there are, with how one stands. @returns {Promise<object[]>} @throws {Fault} */
export const courses = async () => (await ask("GET", "/v1/courses")).courses;

/**
 * Shows courses in a place, until somebody goes elsewhere.
 * @param {Element} place its own, which nothing else draws into
 * @param {() => Promise<{signer: object, who: {person: string, organisation: string, role: string}}>} signing whose key signs an attempt
 */
export async function learn(place, signing) {
  const show = (...parts) => { place.replaceChildren(...parts.flat().filter(Boolean)); place.querySelector("h1, h2")?.scrollIntoView({ block: "nearest" }); };
  const note = noteOf("courses");
  const tried = (work) => async () => {
    note.replaceChildren();
    try { await work(); } catch (e) { const f = faultOf(e); note.replaceChildren(h("p.problem", { role: "alert", "data-code": f.code }, f.text(language()))); }
  };
  const back = () => button(say("回到课程", "Back to the courses"), tried(list), "plain");

  async function list() {
    const all = await courses();
    show(h("h1", {}, say("课程", "Courses")), note,
      all.length === 0 && h("p.card", {}, say("没有要学的课程。", "There is no course to take.")),
      all.map((c) => {
        const s = standingOf(c);
        return h("section.card.course", { "data-course": c.course, "data-level": s.level }, h("h2", {}, shape(s.level), " ", pick(c.title)), h("p", {}, s.text),
          c.of > 0 && c.until === "" && h("p.quiet", {}, say(`上次 ${c.of} 题对了 ${c.right} 题，要对 ${c.pass} 题。`, `Last time ${c.right} of ${c.of} were right; ${c.pass} are needed.`)),
          c.again_at !== "" && s.due && h("p.quiet", {}, say(`${when(c.again_at)} 以后可以再考。先看看课文。`, `You can take it again after ${when(c.again_at)}. Read on meanwhile.`)),
          c.away && h("p.quiet", {}, say("培训机构的服务现在连不上，过一会儿再来。", "The course issuer cannot be reached now; come back later.")),
          button(c.paper_until === "" ? say("看课文", "Read it") : say("接着考", "Go on with the test"), tried(() => c.paper_until === "" ? read(c) : test(c)), s.due ? "wide" : "plain"));
      }));
  }

  async function read(c) {
    const { course, pages } = await ask("GET", at(c));
    show(h("h1", {}, pick(course.title)), pages.map((p) => h("section.card", {}, paragraphs(pick(p)))),
      h("p", {}, say(`考试：${course.draw} 题，对 ${course.pass} 题算过，限 ${course.minutes} 分钟。没过要等 ${course.wait_minutes} 分钟再考。`,
        `The test: ${course.draw} questions, ${course.pass} must be right, in ${many(course.minutes, "minute")}. If you fail, wait ${many(course.wait_minutes, "minute")}.`)),
      note, button(say("开始考试", "Begin the test"), tried(() => test(course))), back());
  }

  async function test(c) {
    const { paper } = await ask("POST", `${at(c)}/papers`, {});
    const bytes = fromBase64(paper), p = JSON.parse(new TextDecoder().decode(bytes));
    const form = h("form.test", {}, p.questions.map((q, i) => h("fieldset.card", {}, h("legend", {}, `${i + 1}. ${pick(q.words)}`),
      q.several && h("p.quiet", {}, say("可以选多个", "More than one may be right")),
      q.choices.map((choice, j) => h("label.choice", {}, h("input", { type: q.several ? "checkbox" : "radio", name: `q${i}`, value: j }), " ", pick(choice))))));
    form.addEventListener("submit", (e) => e.preventDefault());
    form.addEventListener("change", ({ target }) => { if (note.dataset.of === target.name && note.querySelector("[data-code=answer_missing]")) note.replaceChildren(); }); // what it said is so no longer
    show(h("h1", {}, pick(c.title)), h("p", { role: "status" }, say(`${when(p.until)} 前交卷。`, `Hand it in before ${when(p.until)}.`)), form, note,
      button(say("签字交卷", "Sign and hand in"), tried(() => handIn(c, p, bytes, form))), back());
  }

  async function handIn(c, p, bytes, form) {
    const choices = p.questions.map((_, i) => [...form.querySelectorAll(`[name=q${i}]:checked`)].map((b) => Number(b.value)));
    const missing = choices.findIndex((chosen) => chosen.length === 0);
    if (missing >= 0) {
      form.querySelector(`[name=q${missing}]`).focus();
      note.dataset.of = `q${missing}`;
      throw new Fault("answer_missing", `第 ${missing + 1} 题还没选。`, `Question ${missing + 1} is not answered yet.`);
    }
    const { signer, who } = await signing();
    const { commitment, opening } = await commit("course_answers", JSON.stringify(choices));
    const body = { issuer: p.issuer, course: p.course, version: p.version, published: p.published, paper: await digestHex(bytes), answers: commitment };
    const signed = await sign(signer, { type: "attempt", subject: `person/${who.person}`, signer: who.person, organisation: who.organisation, role: who.role,
      at: timeForm(new Date()), previous: "", answers: "", body });
    result(c, await ask("POST", `${at(c)}/attempts`, { statement: base64(utf8(signed.envelope)), answers: opening }));
  }

  function result(c, r) {
    show(h("h1", {}, pick(c.title)), h(`section.sign.sign-${r.passed ? "good" : "stop"}`, { role: r.passed ? "status" : "alert", "data-passed": String(r.passed) }, shape(r.passed ? "good" : "stop"),
      h("div", {}, h("h2.word", {}, r.passed ? say("考过了", "Passed") : say("这次没过", "Not passed")),
        h("p", {}, say(`${r.of} 题对了 ${r.right} 题。`, `${r.right} of ${r.of} were right.`), " ",
          r.passed ? say(`证书有效到 ${day(r.until)}。`, `The certificate is good until ${day(r.until)}.`) : say(`${when(r.again_at)} 以后可以再考，先把课文再看一遍。`, `You can take it again after ${when(r.again_at)}; read the course once more.`)))),
    note, button(say("回到课程", "Back to the courses"), tried(list)));
  }

  await tried(list)();
  if (!place.contains(note)) place.append(note); // the list could not be had: said in its place
}
