// The comparison page: rate each response on its own and rank them, or compare two answers of a
// conversation on one scale. All of it by keyboard if chosen.
// See keys() below and the list behind `?`.

import { panels as mountPanels, reveal, scrollToLatest } from "js/desk/page/panels";
import { contentNotice } from "js/desk/answer/content_notice";
import { draft as mountDraft } from "js/desk/submit/draft";
import { isAsked } from "js/desk/answer/conditional_questions";
import { drag } from "js/desk/answer/drag_to_rank";
import { edit as mountEdit } from "js/desk/answer/response_editor";
import { finish as mountFinish } from "js/desk/submit/review_and_submit";
import { flags as mountFlags } from "js/desk/answer/flags";
import { keys, meaning } from "js/desk/page/keys";
import { lease as mountLease } from "js/desk/page/lease";
import { login as mountLogin } from "js/desk/submit/sign_in_again";
import { best, line, move, nextUnranked, place } from "js/desk/answer/ranking";
import { preferenceScale } from "js/desk/answer/preference_scale";
import { progress } from "js/desk/page/progress";
import { record as mountRecord } from "js/desk/page/work_record";
import { messages } from "js/desk/page/messages";
import { itemActions } from "js/desk/submit/item_actions";
import { views as mountViews } from "js/desk/answer/response_views";
import { isTyping } from "js/site/typing";

export function mount(desk) {
  const form = desk.querySelector("form#answer");
  const cards = [...desk.querySelectorAll("[data-letter]")];
  const output = desk.querySelector("[data-line]");
  const allBad = form.elements.all_bad;
  const reason = form.elements.reason;
  const say = messages(desk);
  const life = new AbortController();
  const { signal } = life; // removes listeners outside the desk when the next item replaces it
  const record = mountRecord({ desk, form, signal });
  const draft = mountDraft({ desk, form, say, record, signal });
  mountLease({ desk, say, record, signal });
  progress({ desk, signal });
  const login = mountLogin({ desk, say, signal });
  const sending = itemActions({ form, say, draft, login, signal });
  const finish = mountFinish({ desk, form, say, draft, login, sending });
  const panels = mountPanels({ desk, record, signal });
  const views = mountViews({ desk, cards, record });
  const notice = contentNotice({ desk });
  const flags = mountFlags({ cards, signal });

  // --- ranks, or one scale for two answers ---
  const scale = preferenceScale({ form, changed });
  const selectOf = (card) => card.querySelector("[data-control=rank]");
  const cardOf = (letter) => cards.find((card) => card.dataset.letter === letter);
  const ranks = () => scale?.ranks() ?? Object.fromEntries(cards.map((card) => [card.dataset.letter, Number(selectOf(card).value) || null]));

  function rank(card, number) {
    if (scale) return scale.choose(number);
    if (allBad.checked) return;
    selectOf(card).value = number ? String(number) : "";
    changed();
  }

  function shift(card, direction) {
    if (scale) return;
    setAll(move(ranks(), card.dataset.letter, direction));
  }

  function setAll(next) {
    if (allBad.checked) return;
    for (const [letter, number] of Object.entries(next)) selectOf(cardOf(letter)).value = number ?? "";
    changed();
  }

  function changed() {
    form.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function redraw() {
    const now = ranks();
    output.textContent = allBad.checked ? allBad.nextElementSibling.firstChild.textContent.trim() : (scale?.words() ?? line(now));
    desk.toggleAttribute("data-all-bad", allBad.checked);
    // inert, not disabled: what was ranked before stays in the form and in the draft
    for (const part of desk.querySelectorAll(".desk-rank, .desk-move, .desk-strength")) part.inert = allBad.checked;
    if (!scale) {
      reason.required = allBad.checked; // for screen readers; the review shows it to everybody
      reason.placeholder = allBad.checked ? reason.dataset.asksAllBad : reason.dataset.asks;
    }
    editor.redraw();
    for (const question of desk.querySelectorAll("[data-asked-if]")) question.hidden = !isAsked(form, question);
    flags.redraw();
    for (const card of cards) {
      card.toggleAttribute("data-ranked", now[card.dataset.letter] !== null);
      if (scale) continue;
      const tab = desk.querySelector(`[data-tab="${card.dataset.letter}"] [data-tab-rank]`);
      tab.textContent = now[card.dataset.letter] ? ` · ${now[card.dataset.letter]}` : "";
    }
  }

  // --- moving the focus ---
  const stops = (card) => [card.querySelector("[data-text]"), ...card.querySelectorAll("[data-control=scale], [data-control=flag]")];
  const isVisible = (stop) => !stop.closest("[data-asked-if]")?.hidden && !stop.closest("details:not([open])");
  const stopOf = (card, target) => stops(card).findIndex((stop) => stop === target || stop.contains(target));

  function focusStop(card, index) {
    const visible = stops(card).slice(0, Math.max(0, index) + 1).filter(isVisible);
    const stop = visible.at(-1);
    current(card);
    flags.show(stop);
    (stop.matches("fieldset") ? stop.querySelector("input:checked") ?? stop.querySelector("input") : stop).focus();
  }

  function current(card) {
    for (const other of cards) other.toggleAttribute("data-current", other === card);
    for (const tab of desk.querySelectorAll("[data-tab]")) {
      if (tab.dataset.tab === card.dataset.letter) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
  }

  const cardNow = () => document.activeElement?.closest("[data-letter]") ?? desk.querySelector("[data-letter][data-current]") ?? cards[0];

  function sideways(card, direction, target) {
    const next = cards[cards.indexOf(card) + direction];
    if (next) focusStop(next, stopOf(card, target));
  }

  function upDown(card, direction, target) {
    const all = stops(card);
    let next = stopOf(card, target) + direction;
    while (all[next] && !isVisible(all[next])) next += direction;
    if (all[next]) focusStop(card, next);
  }

  function arrow(event, card) {
    const [axis, direction] = { ArrowLeft: ["x", -1], ArrowRight: ["x", 1], ArrowUp: ["y", -1], ArrowDown: ["y", 1] }[event.key] ?? [];
    if (!axis || (axis === "x" && event.target.matches("math"))) return; // a long formula scrolls
    if (event.altKey && axis === "y") shift(card, direction);
    else if (event.altKey) return;
    else if (axis === "x" && scale && !event.target.closest("[data-control]")) return;
    else if (axis === "x") sideways(card, document.dir === "rtl" ? -direction : direction, event.target);
    else upDown(card, direction, event.target);
    event.preventDefault();
  }

  function digit(event, card) {
    const number = Number(meaning(event));
    const question = event.target.closest("[data-control=scale]");
    if (question) answer(question, number);
    else if (scale) scale.choose(number);
    else if (number <= cards.length) {
      rank(card, number);
      const next = number && nextUnranked(ranks(), card.dataset.letter);
      if (next && event.target.matches("[data-text]")) focusStop(cardOf(next), 0);
    }
    event.preventDefault();
  }

  function answer(question, number) {
    const radios = [...question.querySelectorAll("input")];
    const chosen = radios.find((radio) => radio.value === String(number)) ?? (number === 0 && radios.find((radio) => radio.value === "10"));
    if (chosen) {
      chosen.checked = true;
      chosen.focus();
    } else if (number === 0) {
      for (const radio of radios) radio.checked = false;
    } else return;
    changed();
  }

  desk.addEventListener("keydown", (event) => {
    const card = event.target.closest("[data-letter]");
    const question = event.target.closest("[data-control=scale]");
    if (event.isComposing || event.metaKey || event.ctrlKey) return;
    const isDigit = /^[0-9]$/.test(meaning(event)) && (!event.altKey || event.target.matches("select"));
    if (question && !card && isDigit) answer(question, Number(meaning(event)));
    if (!card) return;
    if (isDigit) digit(event, card);
    else if (!isTyping(event.target)) arrow(event, card);
  });

  // --- pointer ---
  desk.addEventListener("focusin", (event) => {
    const card = event.target.closest("[data-letter]");
    if (card) current(card);
  });
  desk.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do=up], [data-do=down]");
    const tab = event.target.closest("[data-tab]");
    if (button) shift(button.closest("[data-letter]"), button.dataset.do === "up" ? -1 : 1);
    if (tab) {
      event.preventDefault();
      current(cardOf(tab.dataset.tab));
    }
  });
  if (!scale) drag({ cards, put: (letter, target, where) => setAll(place(ranks(), letter, target, where)) });
  desk.addEventListener("desk:show", ({ detail }) => {
    const card = detail.closest("[data-letter]");
    detail.closest("details")?.setAttribute("open", "");
    if (card) current(card);
  });

  // --- keys ---
  function allBadNow() {
    allBad.checked = !allBad.checked;
    changed();
    if (allBad.checked && !scale) reason.focus();
    writeInstead();
  }

  // "Both bad: write it": the editor opens with all of the text selected, so that typing replaces it.
  function writeInstead() {
    if (!allBad.checked || !("opensEditor" in allBad.dataset)) return;
    editor.open();
    if (document.activeElement === form.elements.edit) form.elements.edit.select();
  }

  function toReason() {
    reason?.closest("details")?.setAttribute("open", "");
    reason?.focus();
  }

  const editor = mountEdit({ form, record, notice, changed, cards, choose: () => best(ranks(), cardNow().dataset.letter) ?? cardNow().dataset.letter });

  keys({
    panels,
    finish,
    signal,
    leave: () => cardNow().querySelector("[data-text]").focus(),
    commands: {
      ...Object.fromEntries(cards.map((card) => [card.dataset.letter.toLowerCase(), () => focusStop(card, 0)])),
      l: panels.guideline,
      ...scale?.commands,
      m: () => scale?.focus() ?? (!allBad.checked && (form.querySelector("[name=strength]:checked") ?? form.querySelector("[name=strength]"))?.focus()),
      o: () => form.querySelector("[data-do=other]")?.click(),
      p: panels.prompt,
      r: toReason,
      q: panels.ask,
      s: panels.skip,
      t: views.together,
      v: () => views.cycle(cardNow()),
      w: editor.open,
      x: allBadNow,
    },
  });

  form.addEventListener("input", () => {
    redraw();
    draft.changed();
  });
  allBad.addEventListener("change", writeInstead);
  reveal();
  scrollToLatest(desk);
  draft.restore();
  redraw();
  current(cards[0]);
  desk.toggleAttribute("data-mounted", true);
  // A live region is read aloud only when its words change.
  const arrived = desk.querySelector("[data-arrived]");
  if (arrived) setTimeout(() => (arrived.textContent = arrived.dataset.arrived), 200);
  const review = desk.querySelector("[data-review]");
  if (notice.isCovered() && !review) notice.uncover();
  else (review ?? cards[0].querySelector("[data-text]")).focus({ preventScroll: true });
  return () => life.abort();
}
